"""What people call things in a simulated Asana: names, where the workspace has ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.asana import simulated_richtext as richtext
from connectors.asana.simulated_answers import Answers
from connectors.asana.simulated_records import User
from connectors.asana.simulated_workspace import Workspace
from connectors.simulation import Refused

SYSTEM = "system"
"""Who acts where Asana names nobody: rules, bulk edits."""


class Wording:
    """The words of the people of one workspace."""

    workspace: Workspace
    people: Mapping[str, User]
    autolink: bool

    def _gid(self, by: str | None) -> str | None:
        return None if by == SYSTEM else self.people[by or next(iter(self.people))].gid

    def _user(self, name: str) -> str:
        return self.people[name].gid

    def _person(self, gid: str | None) -> str | None:
        return next((name for name, user in self.people.items() if user.gid == gid), gid or None)

    def _label(self, name: str) -> str:
        known = (tag.gid for tag in self.workspace.tags.values() if tag.name == name)
        return next(known, None) or self.workspace.add_tag(name).gid

    def _section(self, project: str, section: str | None) -> str | None:
        """By gid or name; None where the project has none of that name."""
        sections = self.workspace.projects[project].sections
        names = {gid: self.workspace.sections[gid].name for gid in sections}
        return next((gid for gid in sections if section in (gid, names[gid])), None)

    def _rich(self, text: str, *, comment: bool) -> str:
        """Rich text with or without its ``<body>``; text that is no rich text stands for itself."""
        answers = Answers(self.workspace, self.people["ada"].gid, 0)
        source = text if text.lstrip().startswith("<body") else f"<body>{text}</body>"
        try:
            return richtext.read_back(source, comment=comment, named=answers.named, autolink=self.autolink)
        except Refused:
            return richtext.from_text(text)

    def _values(self, **fields: Any) -> dict[str, Any]:
        """Fields of a task from what people say."""
        values: dict[str, Any] = {}
        for name, value in fields.items():
            match name:
                case "title":
                    values["name"] = value
                case "notes":
                    values["html_notes"] = self._rich(value, comment=False)
                case "state":
                    values["completed"] = value == "closed"
                case "due" | "start":
                    values |= {f"{name}_on": value, f"{name}_at": None}
                    if isinstance(value, datetime):
                        values |= {f"{name}_on": None, f"{name}_at": value}
                case "assignee":
                    values["assignee"] = self._user(value) if value is not None else None
                case _:
                    values[name] = value
        return values
