"""Records as Asana answers them: full, compact, or what ``opt_fields`` ask for.

https://developers.asana.com/docs/inputoutput-options
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from connectors.asana import simulated_richtext as richtext
from connectors.asana.simulated_records import (
    Attachment,
    Link,
    Project,
    Section,
    Story,
    Tag,
    Task,
    User,
    rfc3339,
)
from connectors.asana.simulated_sight import APP, Sight
from connectors.asana.simulated_trees import Tree

_OPT_IN = {
    "task": {
        "html_notes",
        "dependencies",
        "dependents",
        "num_subtasks",
        "external",
        "created_by",
        "assigned_by",
    },
    "story": {"html_text"},
}
_COMPACT = {
    "task": ("name", "resource_subtype"),
    "story": ("created_at", "created_by", "resource_subtype", "text"),
    "attachment": ("name", "resource_subtype"),
    "webhook": ("active", "resource", "target"),
}


class Answers(Sight):
    """The records of a workspace as one reader sees them."""

    def full(self, kind: str, record: dict[str, Any], tree: Tree | None) -> dict[str, Any]:
        """One object; without a choice of fields all but those that must be asked for."""
        if tree is None:
            optional = _OPT_IN.get(kind, set())
            return {name: self._shown(value, None) for name, value in record.items() if name not in optional}
        return self._chosen(record, tree)

    def compact(self, kind: str, record: dict[str, Any], tree: Tree | None) -> dict[str, Any]:
        """A row of a listing."""
        if tree is None:
            names = ("gid", "resource_type", *_COMPACT.get(kind, ("name",)))
            return {name: self._shown(record[name], None) for name in names if name in record}
        return self._chosen(record, tree)

    def _chosen(self, record: dict[str, Any], tree: Tree) -> dict[str, Any]:
        gid = {"gid": record["gid"]} if "gid" in record else {}
        return gid | {
            name: self._shown(record[name], below) for name, below in tree.items() if name in record
        }

    def _shown(self, value: Any, below: Tree | None) -> Any:
        match value:
            case Link():
                return self._linked(value, below)
            case list() | tuple():
                return [self._shown(one, below) for one in value]
            case dict() if below:
                return self._chosen(value, below)
            case dict():
                return {name: self._shown(one, below) for name, one in value.items()}
            case datetime():
                return rfc3339(value)
            case date():
                return value.isoformat()
        return value

    def _linked(self, link: Link, below: Tree | None) -> dict[str, Any]:
        """Named with its name; asked for without a field of it, its id and type alone."""
        if below:
            return self._chosen(self.record(link), below)
        subtype = {"resource_subtype": link.subtype} if link.subtype else {}
        ids = {"gid": link.gid, "resource_type": link.kind} | subtype
        if below is None:
            name = self.record(link).get("name")
            return ids | ({"name": name} if name is not None else {})
        return ids

    def record(self, link: Link) -> dict[str, Any]:
        """All fields of what is linked; what is not to be seen (any more) has its id only."""
        bare = {"gid": link.gid, "resource_type": link.kind}
        readers: dict[str, tuple[Callable[[str], Any], Callable[[Any], dict[str, Any]]]] = {
            "user": (self.workspace.users.get, self.user),
            "project": (self.workspace.projects.get, self.project),
            "section": (self.workspace.sections.get, self.section),
            "tag": (self.workspace.tags.get, self.tag),
            "task": (self.workspace.tasks.get, self.task),
            "story": (self.workspace.stories.get, self.story),
            "attachment": (self.workspace.attachments.get, self.attachment),
            "custom_field": (self.workspace.custom_fields.get, lambda field: field.definition()),
        }
        if link.kind == "workspace":
            return self.workspace_record()
        find, render = readers[link.kind]
        found = find(link.gid)
        return render(found) if found is not None else bare

    # the records

    def workspace_record(self) -> dict[str, Any]:
        return {
            "gid": self.workspace.gid,
            "resource_type": "workspace",
            "name": self.workspace.name,
            "email_domains": [],
            "is_organization": True,
        }

    def user(self, user: User) -> dict[str, Any]:
        return {
            "gid": user.gid,
            "resource_type": "user",
            "name": user.name,
            "email": user.email,
            "photo": None,
            "workspaces": [self._here()],
        }

    def project(self, project: Project) -> dict[str, Any]:
        return {
            "gid": project.gid,
            "resource_type": "project",
            "name": project.name,
            "archived": project.archived,
            "color": None,
            "created_at": project.created_at,
            "modified_at": project.modified_at,
            "notes": "",
            "privacy_setting": "private" if project.private else "public_to_workspace",
            "custom_field_settings": [
                self.custom_field_setting(project, gid) for gid in project.custom_fields
            ],
            "permalink_url": f"{APP}/1/{self.workspace.gid}/project/{project.gid}",
            "workspace": self._here(),
        }

    def custom_field_setting(self, project: Project, gid: str) -> dict[str, Any]:
        return {
            "gid": f"{project.gid}{gid[-6:]}",
            "resource_type": "custom_field_setting",
            "is_important": True,
            "parent": Link("project", project.gid),
            "project": Link("project", project.gid),
            "custom_field": self.workspace.custom_fields[gid].definition(),
        }

    def section(self, section: Section) -> dict[str, Any]:
        return {
            "gid": section.gid,
            "resource_type": "section",
            "name": section.name,
            "created_at": section.created_at,
            "project": Link("project", section.project),
        }

    def tag(self, tag: Tag) -> dict[str, Any]:
        return {
            "gid": tag.gid,
            "resource_type": "tag",
            "name": tag.name,
            "color": tag.color,
            "notes": tag.notes,
            "created_at": tag.created_at,
            "followers": [],
            "workspace": self._here(),
            "permalink_url": f"{APP}/0/{tag.gid}",
        }

    def task(self, task: Task) -> dict[str, Any]:
        offset = self.workspace.utc_offset
        due_on = task.due_on or ((task.due_at + offset).date() if task.due_at else None)
        start_on = task.start_on or ((task.start_at + offset).date() if task.start_at else None)
        record: dict[str, Any] = {
            "gid": task.gid,
            "resource_type": "task",
            "resource_subtype": task.resource_subtype,
            "name": task.name,
            "notes": richtext.plain(task.html_notes),
            "html_notes": task.html_notes,
            "completed": task.completed,
            "completed_at": task.completed_at,
            "completed_by": _user(task.completed_by),
            "assignee": _user(task.assignee),
            "assigned_by": _user(task.assigned_by),
            "assignee_status": "upcoming",
            "created_at": task.created_at,
            "created_by": _user(task.created_by),
            "modified_at": task.modified_at,
            "due_on": due_on,
            "due_at": task.due_at,
            "start_on": start_on,
            "start_at": task.start_at,
            "followers": [_user(gid) for gid in task.followers],
            "tags": [Link("tag", gid) for gid in task.tags],
            "projects": [Link("project", gid) for gid in task.places],
            "memberships": [
                {"project": Link("project", project), "section": Link("section", place.section)}
                for project, place in task.places.items()
            ],
            "parent": Link("task", task.parent) if task.parent else None,
            "num_subtasks": len(self.workspace.subtasks(task.gid)),
            "dependencies": [_id("task", gid) for gid in task.dependencies],
            "dependents": [_id("task", gid) for gid in self.workspace.dependents(task.gid)],
            "custom_fields": [field.on(task) for field in self.workspace.fields_on(task)],
            "liked": False,
            "likes": [],
            "num_likes": 0,
            "hearted": False,
            "hearts": [],
            "num_hearts": 0,
            "actual_time_minutes": None,
            "workspace": self._here(),
            "permalink_url": f"{APP}/1/{self.workspace.gid}/task/{task.gid}",
        }
        if task.resource_subtype == "approval":
            record["approval_status"] = task.approval_status
        if task.external is not None:
            record["external"] = task.external
        return record

    def story(self, story: Story) -> dict[str, Any]:
        own = story.is_comment and story.created_by == self.reader
        return {
            "gid": story.gid,
            "resource_type": "story",
            "resource_subtype": story.resource_subtype,
            "type": "comment" if story.is_comment else "system",
            "created_at": story.created_at,
            "created_by": _user(story.created_by),
            "text": story.text,
            "html_text": story.html_text,
            "is_editable": own,
            "is_edited": story.is_edited,
            "is_pinned": False,
            "liked": False,
            "likes": [],
            "num_likes": 0,
            "source": story.source,
            "target": Link("task", story.task),
            "task": Link("task", story.task),
            **story.values,
        }

    def attachment(self, attachment: Attachment) -> dict[str, Any]:
        """Without ``download_url``, which each answer makes anew."""
        host, content = attachment.host, attachment.content
        kept = f"{APP}/app/asana/-/get_asset?asset_id={attachment.gid}"
        return {
            "gid": attachment.gid,
            "resource_type": "attachment",
            "resource_subtype": host,
            "name": attachment.name,
            "created_at": attachment.created_at,
            "host": host,
            "parent": Link("task", attachment.task, self.workspace.tasks[attachment.task].resource_subtype),
            "permanent_url": kept if content is not None else None,
            "view_url": attachment.url or kept,
        } | ({"size": len(content)} if content is not None else {"connected_to_app": False})

    def _here(self) -> Link:
        return Link("workspace", self.workspace.gid)


def _id(kind: str, gid: str) -> dict[str, str]:
    """Where an answer names no more than which object it is."""
    return {"gid": gid, "resource_type": kind}


def _user(gid: str | None) -> Link | None:
    return Link("user", gid) if gid else None
