"""What a simulated Asana workspace holds, and how its events and stories are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from connectors.asana import simulated_richtext as richtext
from connectors.asana.simulated_custom_fields import CustomField, EnumOption
from connectors.asana.simulated_events import Event, EventLog
from connectors.asana.simulated_records import Attachment, Link, Project, Section, Story, Tag, Task, User
from connectors.simulation import Clock, Lagging


class State:
    """The records. Gids are numeric strings of 16 digits."""

    def __init__(self, clock: Clock, name: str) -> None:
        self.clock = clock
        self.log = EventLog(clock)
        self._gids = count(1200000000000001)
        self.ranks = count(1)
        self.gid = self.mint()
        self.name = name
        self.users: dict[str, User] = {}
        self.projects: dict[str, Project] = {}
        self.sections: dict[str, Section] = {}
        self.tags: dict[str, Tag] = {}
        self.custom_fields: dict[str, CustomField] = {}
        self.premium = True
        """Without it there are no custom fields, no search, and 402 for both."""
        self.utc_offset = timedelta(0)
        """Time zone of the account that asks: the day of a moment is told in it."""
        self.tasks: Lagging[Task] = Lagging(clock)
        self.stories: Lagging[Story] = Lagging(clock)
        self.attachments: Lagging[Attachment] = Lagging(clock)
        self.stories_of: dict[str, list[str]] = defaultdict(list)
        """Also those that are deleted by now."""
        self.children: dict[str, list[str]] = defaultdict(list)
        """Also those that have moved away or are deleted by now."""

        self.waiting: dict[str, list[str]] = defaultdict(list)
        """Tasks that ever were made to wait for another one, by that one."""

    def mint(self) -> str:
        return str(next(self._gids))

    def now(self) -> datetime:
        """Asana keeps milliseconds."""
        now = self.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def add_user(self, name: str, email: str) -> User:
        user = User(gid=self.mint(), name=name, email=email)
        self.users[user.gid] = user
        return user

    def add_project(self, name: str, sections: Iterable[str] = ()) -> Project:
        now = self.now()
        project = Project(gid=self.mint(), name=name, created_at=now, modified_at=now)
        self.projects[project.gid] = project
        for section in ("Untitled section", *sections):
            self.add_section(project.gid, section)
        return self.projects[project.gid]

    def add_section(self, project: str, name: str) -> Section:
        section = Section(gid=self.mint(), name=name, project=project, created_at=self.now())
        self.sections[section.gid] = section
        there = self.projects[project]
        self.projects[project] = replace(there, sections=(*there.sections, section.gid))
        return section

    def add_custom_field(
        self, projects: Iterable[str], name: str, kind: str, options: Iterable[str] = (), **more: Any
    ) -> CustomField:
        """A field of these projects; ``more`` as in :class:`CustomField`."""
        choices = tuple(EnumOption(gid=self.mint(), name=option) for option in options)
        field = CustomField(gid=self.mint(), name=name, kind=kind, options=choices, **more)
        self.custom_fields[field.gid] = field
        for project in projects:
            there = self.projects[project]
            self.projects[project] = replace(there, custom_fields=(*there.custom_fields, field.gid))
        return field

    def add_option(self, field: str, name: str) -> EnumOption:
        """One more choice of a custom field."""
        option, before = EnumOption(gid=self.mint(), name=name), self.custom_fields[field]
        self.custom_fields[field] = replace(before, options=(*before.options, option))
        return option

    def set_option(self, field: str, option: str, **changes: Any) -> None:
        """Rename an option of a custom field, or disable it."""
        before = self.custom_fields[field]
        options = tuple(replace(one, **changes) if one.gid == option else one for one in before.options)
        self.custom_fields[field] = replace(before, options=options)

    def lock(self, field: str) -> None:
        """Somebody keeps a custom field's values to a few people; the account that asks is none of them."""
        self.custom_fields[field] = replace(self.custom_fields[field], locked=True)

    def fields_on(self, task: Task) -> list[CustomField]:
        """The custom fields that a task has from its projects."""
        gids = dict.fromkeys(gid for project in task.places for gid in self.projects[project].custom_fields)
        return [self.custom_fields[gid] for gid in gids]

    def dependents(self, gid: str) -> list[str]:
        """Tasks that wait for this one."""
        waiting = [self.tasks[task] for task in self.waiting.get(gid, ())]
        return [task.gid for task in waiting if gid in task.dependencies and not task.trashed]

    def add_tag(self, name: str, color: str | None = None, notes: str = "") -> Tag:
        """Asana allows two tags of one name."""
        tag = Tag(gid=self.mint(), name=name, created_at=self.now(), color=color, notes=notes)
        self.tags[tag.gid] = tag
        return tag

    def subtasks(self, gid: str) -> list[Task]:
        tasks = [self.tasks[child] for child in self.children.get(gid, ())]
        return [task for task in tasks if task.parent == gid and not task.trashed]

    def add_story(
        self,
        task: Task,
        by: str | None,
        subtype: str,
        source: str,
        values: dict[str, Any],
        *,
        html_text: str | None = None,
    ) -> Event:
        who = self.users[by].name if by else "Asana"
        html = html_text or richtext.from_text(f"{who}: {subtype.replace('_', ' ')}")
        story = Story(
            gid=self.mint(),
            task=task.gid,
            resource_subtype=subtype,
            created_at=self.now(),
            created_by=by,
            text=richtext.plain(html),
            html_text=html,
            source=source,
            values=values,
        )
        self.stories[story.gid] = story
        self.stories_of[task.gid].append(story.gid)
        return self.story_event(by, "added", story, task)

    def story_event(
        self, by: str | None, action: str, story: Story, task: Task, change: dict[str, Any] | None = None
    ) -> Event:
        """``task`` as it is told of: where it lies decides who hears of it."""
        link = Link("story", story.gid, story.resource_subtype)
        return self.event(by, action, link, task, parent=self.link(task), change=change)

    def event(
        self,
        by: str | None,
        action: str,
        resource: Link,
        task: Task,
        *,
        parent: Link | None = None,
        change: dict[str, Any] | None = None,
    ) -> Event:
        audience, above = {task.gid, *task.places}, task
        while above.parent:
            above = self.tasks[above.parent]
            audience |= {above.gid, *above.places}
        return Event(
            user=by,
            created_at=self.now(),
            action=action,
            resource=resource,
            parent=parent,
            change=change,
            audience=frozenset(audience),
        )

    def link(self, task: Task) -> Link:
        return Link("task", task.gid, task.resource_subtype)

    def task_link(self, gid: str) -> Link:
        return self.link(self.tasks[gid])
