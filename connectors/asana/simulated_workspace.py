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
from connectors.asana.simulated_events import changed
from connectors.asana.simulated_records import Attachment, Link, Place, Story, Task
from connectors.asana.simulated_state import State
from connectors.simulation import Refused

# field -> (the story it makes, those stories' names for the old and new value)
_HISTORY = {
    "name": ("name_changed", "name"),
    "html_notes": ("notes_changed", None),
    "approval_status": ("approval_status_changed", "approval_status"),
    "resource_subtype": ("resource_subtype_changed", "resource_subtype"),
}
_DATES = ("due_on", "due_at", "start_on", "start_at")
_EVENT_FIELD = {"html_notes": "notes"}
START, END = ("after", None), ("before", None)
"""Asana's own way to say it: ``insert_after: null`` is the beginning."""
MOST_PROJECTS = 20
MOST_LEVELS = 5


class Workspace(State):
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
        values = _dragged(values.get("resource_subtype", "default_task"), values)
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
            followers=_union((), [user for user in (by, assignee, *followers) if user]),
            tags=_union((), tags),
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
        """Change fields; those that hold the value already make no event, story or new time."""
        before = self.tasks[gid]
        values = _dragged(values.get("resource_subtype", before.resource_subtype), values)
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
            derived["followers"] = _union(before.followers, [values["assignee"] or ""])
        self.tasks[gid] = task = replace(before, **values, **derived, modified_at=now, touched_at=now)
        events = []
        for name in values:
            if name == "external":
                continue
            value = Link("user", task.assignee) if name == "assignee" and task.assignee else None
            change = changed(_EVENT_FIELD.get(name, name), value=value)
            events.append(self.event(by, "changed", self.link(task), task, change=change))
        for subtype, story_values in _history(before, task, values):
            events.append(self.add_story(task, by, subtype, source, story_values))
        self.log.record(events)

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
                new = _union(old, [value]) if action == "added" else tuple(v for v in old if v != value)
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

    def set_parent(self, gid: str, by: str | None, parent: str | None) -> None:
        """Raises Refused: a task under itself, or deeper than Asana allows."""
        before, now = self.tasks[gid], self.now()
        above = [parent] if parent else []
        while above and (upper := self.tasks[above[-1]].parent):
            above.append(upper)
        if gid in above or len(above) > MOST_LEVELS:
            raise Refused(400, "parent: Subtasks can be at most five levels deep, and not below themselves")
        self.tasks[gid] = task = replace(before, parent=parent, modified_at=now, touched_at=now)
        if parent and gid not in self.children[parent]:
            self.children[parent].append(gid)
        events = [self.event(by, "changed", self.link(task), task, change=changed("parent"))]
        for action, other, audience in (("removed", before.parent, before), ("added", parent, task)):
            if other:
                link = self.task_link(other)
                events.append(self.event(by, action, self.link(task), audience, parent=link))
        self.log.record(events)

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
        followers = _union(before.followers, [by or ""])
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


def _dragged(subtype: str, values: dict[str, Any]) -> dict[str, Any]:
    """With the fields that others drag along: approvals, and the two forms of a date."""
    values = dict(values)
    if subtype == "approval":
        if "approval_status" in values:
            values["completed"] = values["approval_status"] != "pending"
        elif "completed" in values:
            values["approval_status"] = "approved" if values["completed"] else "pending"
        elif "resource_subtype" in values:
            values["approval_status"] = "pending"
    for day, moment in (("due_on", "due_at"), ("start_on", "start_at")):
        if day in values:
            values[moment] = None
        elif moment in values:
            values[day] = None
    return values


def _history(before: Task, task: Task, values: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """The stories that a change of fields makes: subtype and old and new values."""
    for name, (subtype, told) in _HISTORY.items():
        if name in values:
            told_values = {f"old_{told}": getattr(before, name), f"new_{told}": getattr(task, name)}
            yield subtype, told_values if told else {}
    if "assignee" in values:
        yield ("assigned", {"assignee": Link("user", task.assignee)}) if task.assignee else ("unassigned", {})
    if "completed" in values:
        yield "marked_complete" if task.completed else "marked_incomplete", {}
    if any(name in values for name in _DATES):
        yield "due_date_changed", {"old_dates": _dates(before), "new_dates": _dates(task)}


def _dates(task: Task) -> dict[str, Any]:
    """The three that stories tell of."""
    return {"start_on": task.start_on, "due_at": task.due_at, "due_on": task.due_on}


def _union(old: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*old, *(value for value in more if value)]))
