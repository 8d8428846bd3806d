"""A simulated Asana workspace and everything that happens in it.

Each method is one action of one user (``by`` is a gid, None is the system): it replaces the record,
writes the history and tells the events, the way Asana does, whether the action came in through the API
or through Asana's own user interface.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from connectors.asana import simulated_richtext as richtext
from connectors.asana.simulated_consequences import EVENT_FIELD, dragged, history, union
from connectors.asana.simulated_events import Event, changed
from connectors.asana.simulated_records import Attachment, Link, Place, Story, Task
from connectors.asana.simulated_relations import Relations
from connectors.simulation import Refused

START, END = ("after", None), ("before", None)
"""Asana's own way to say it: ``insert_after: null`` is the beginning."""
MOST_PROJECTS = 20


class Workspace(Relations):
    """The records and the actions."""

    def add_task(
        self,
        by: str | None,
        *,
        source: str,
        places: Iterable[tuple[str, str | None]] = (),
        followers: Iterable[str] = (),
        tags: Iterable[str] = (),
        **values: Any,
    ) -> Task:
        now = self.now()
        gid = self.mint()
        values = dragged(values.get("resource_subtype", "default_task"), values)
        completed = values.get("completed", False)
        assignee = values.get("assignee")
        task = Task(
            gid=gid,
            created_at=now,
            modified_at=now,
            touched_at=now,
            created_by=by or "",
            completed_at=now if completed else None,
            completed_by=by if completed else None,
            assigned_by=by if assignee else None,
            followers=union((), [user for user in (by, assignee, *followers) if user]),
            tags=union((), tags),
            **values,
        )
        self.tasks[gid] = task
        link = self.link(task)
        events = [self.event(by, "added", link, task, parent=Link("user", by) if by else None)]
        if task.parent:
            self.children[task.parent].append(gid)
            events.append(self.event(by, "added", link, task, parent=self.task_link(task.parent)))
        self.log.record(events)
        for project, section in places:
            self.add_to_project(gid, by, project, section, source=source)
        return self.tasks[gid]

    def change(self, gid: str, by: str | None, *, source: str, **values: Any) -> None:
        """Change fields; those that hold the value already make no event, story or new time.

        ``custom``: values of custom fields by gid; those that it does not name stay.
        """
        before = self.tasks[gid]
        if "custom" in values:
            values["custom"] = before.custom | values["custom"]
        values = dragged(values.get("resource_subtype", before.resource_subtype), values)
        values = {name: value for name, value in values.items() if getattr(before, name) != value}
        if not values:
            return
        now = self.now()
        derived: dict[str, Any] = {}
        if "completed" in values:
            done = values["completed"]
            derived |= {"completed_at": now if done else None, "completed_by": by if done else None}
        if "assignee" in values:
            derived["assigned_by"] = by if values["assignee"] else None
            derived["followers"] = union(before.followers, [values["assignee"] or ""])
        self.tasks[gid] = task = replace(before, **values, **derived, modified_at=now, touched_at=now)
        events = self._custom_events(before, task, by, source)
        for name in (name for name in values if name not in ("external", "custom")):
            value = Link("user", task.assignee) if name == "assignee" and task.assignee else None
            change = changed(EVENT_FIELD.get(name, name), value=value)
            events.append(self.event(by, "changed", self.link(task), task, change=change))
        for subtype, story_values in history(before, task, values):
            events.append(self.add_story(task, by, subtype, source, story_values))
        self.log.record(events)

    def _custom_events(self, before: Task, task: Task, by: str | None, source: str) -> list[Event]:
        """For each custom field that changed: which one it was, and its story. No values in the event."""
        events: list[Event] = []
        for gid, value in task.custom.items():
            if value == before.custom.get(gid):
                continue
            change = changed("custom_fields", value=Link("custom_field", gid))
            events.append(self.event(by, "changed", self.link(task), task, change=change))
            subtype, told = self.custom_fields[gid].changed(before.custom.get(gid), value)
            events.append(self.add_story(task, by, subtype, source, told))
        return events

    def add_to_project(
        self,
        gid: str,
        by: str | None,
        project: str,
        section: str | None,
        *,
        source: str,
        at: tuple[str, str | None] = END,
    ) -> None:
        """Put the task into a project, or move it within one; ``modified_at`` stays.

        ``at`` is ``("before" or "after", another task of the section)``.

        Raises:
            Refused: the task is in 20 projects already, or the other task is not in the section.
        """
        before = self.tasks[gid]
        old = before.places.get(project)
        section = section or (old.section if old else self.projects[project].sections[0])
        if old is None and len(before.places) >= MOST_PROJECTS:
            raise Refused(400, f"A task can be in at most {MOST_PROJECTS} projects")
        place = Place(section, self._rank(section, at))
        task = replace(before, places=before.places | {project: place})
        link, events = self.link(task), []
        if old is None:
            task = replace(task, touched_at=self.now())
            events.append(self.event(by, "added", link, task, parent=Link("project", project)))
            story = {"project": Link("project", project)}
            events.append(self.add_story(task, by, "added_to_project", source, story))
        if old is None or old.section != section:
            events.append(self.event(by, "added", link, task, parent=Link("section", section)))
        if old is not None and old.section != section:
            events.append(self.event(by, "removed", link, task, parent=Link("section", old.section)))
            moved = {"old_section": Link("section", old.section), "new_section": Link("section", section)}
            events.append(self.add_story(task, by, "section_changed", source, moved))
        self.tasks[gid] = task
        self.log.record(events)

    def _rank(self, section: str, at: tuple[str, str | None]) -> float:
        where, anchor = at
        if anchor is None:
            return next(self.ranks) * (1.0 if where == "before" else -1.0)
        places = [
            (p.rank, t.gid) for t in self.tasks.values() for p in t.places.values() if p.section == section
        ]
        places.sort()
        index = next((i for i, (_, gid) in enumerate(places) if gid == anchor), None)
        if index is None:
            raise Refused(400, f"insert_{where}: The task is not in the section: {anchor}")
        own = places[index][0]
        if where == "before":
            return (own + (places[index - 1][0] if index else own - 2)) / 2
        return (own + (places[index + 1][0] if index + 1 < len(places) else own + 2)) / 2

    def remove_from_project(self, gid: str, by: str | None, project: str, *, source: str) -> None:
        before = self.tasks[gid]
        places = {key: place for key, place in before.places.items() if key != project}
        if len(places) == len(before.places):
            return
        self.tasks[gid] = task = replace(before, places=places, touched_at=self.now())
        story = {"project": Link("project", project)}
        self.log.record(
            [
                self.event(by, "removed", self.link(task), before, parent=Link("project", project)),
                self.add_story(before, by, "removed_from_project", source, story),
            ]
        )

    def change_set(
        self,
        gid: str,
        by: str | None,
        field: str,
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        source: str,
    ) -> None:
        """Add to or remove from ``tags`` or ``followers``."""
        for action, values in (("added", add), ("removed", remove)):
            for value in values:
                before = self.tasks[gid]
                old: tuple[str, ...] = getattr(before, field)
                new = union(old, [value]) if action == "added" else tuple(v for v in old if v != value)
                if new == old:
                    continue
                now = self.now()
                times = {"touched_at": now} | ({"modified_at": now} if field == "tags" else {})
                fields: dict[str, Any] = {field: new, **times}
                self.tasks[gid] = task = replace(before, **fields)
                link = Link("tag" if field == "tags" else "user", value)
                events = [
                    self.event(by, "changed", self.link(task), task, change=changed(field, action, link))
                ]
                if field == "tags":
                    subtype = "added_to_tag" if action == "added" else "removed_from_tag"
                    events.append(self.add_story(task, by, subtype, source, {"tag": link}))
                self.log.record(events)

    def archive(self, project: str, by: str | None, *, archived: bool = True) -> None:
        """Put a project away, or bring it back; its tasks stay as they are."""
        self.projects[project] = replace(self.projects[project], archived=archived)
        event = Event(
            user=by,
            created_at=self.now(),
            action="changed",
            resource=Link("project", project),
            change=changed("archived"),
            audience=frozenset({project}),
        )
        self.log.record([event])

    def trash(self, gid: str, by: str | None, *, trashed: bool = True) -> None:
        """Delete a task, or take it out of the trash again."""
        now = self.now()
        task = replace(self.tasks[gid], trashed=trashed, modified_at=now, touched_at=now)
        self.tasks[gid] = task
        self.log.record([self.event(by, "deleted" if trashed else "undeleted", self.link(task), task)])

    # comments

    def add_comment(self, gid: str, by: str | None, html_text: str, *, source: str) -> Story:
        """A comment makes its author a follower and moves ``modified_at``."""
        now = self.now()
        before = self.tasks[gid]
        followers = union(before.followers, [by or ""])
        self.tasks[gid] = task = replace(before, modified_at=now, touched_at=now, followers=followers)
        self.log.record([self.add_story(task, by, "comment_added", source, {}, html_text=html_text)])
        return self.stories[self.stories_of[gid][-1]]

    def edit_comment(self, gid: str, html_text: str, by: str | None) -> None:
        """Nothing but ``is_edited`` tells of it, no time moves."""
        text = richtext.plain(html_text)
        story = replace(self.stories[gid], html_text=html_text, text=text, is_edited=True)
        self.stories[gid] = story
        self.log.record([self.story_event(by, "changed", story, self.tasks[story.task], changed("text"))])

    def delete_comment(self, gid: str, by: str | None) -> None:
        story, now = self.stories[gid], self.now()
        del self.stories[gid]
        self.tasks[story.task] = replace(self.tasks[story.task], modified_at=now, touched_at=now)
        self.log.record([self.story_event(by, "removed", story, self.tasks[story.task])])

    # attachments

    def attach(
        self,
        gid: str,
        by: str | None,
        name: str,
        *,
        content: bytes | None,
        url: str | None,
        source: str,
        host: str = "external",
    ) -> Attachment:
        """No event names the attachment itself: the story that it makes tells of it.

        ``host``: where a file without content lies.
        """
        now = self.now()
        attachment = Attachment(
            gid=self.mint(),
            task=gid,
            name=name,
            created_at=now,
            content=content,
            url=url,
            host=host if content is None else "asana",
        )
        self.attachments[attachment.gid] = attachment
        self.tasks[gid] = task = replace(self.tasks[gid], modified_at=now, touched_at=now)
        self.log.record([self.add_story(task, by, "attachment_added", source, {})])
        return attachment

    def detach(self, gid: str, by: str | None) -> None:
        attachment, now = self.attachments[gid], self.now()
        del self.attachments[gid]
        self.tasks[attachment.task] = task = replace(
            self.tasks[attachment.task], modified_at=now, touched_at=now
        )
        link = Link("attachment", gid)
        self.log.record([self.event(by, "deleted", link, task, parent=self.link(task))])
