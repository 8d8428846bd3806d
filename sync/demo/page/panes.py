"""Panes: one tool each, as people there see it and work in it.

A pane is drawn by the templates in ``panes/NAME/``, and a tool without any has no pane. What people do
goes through the simulator's own methods for people, so that it makes the events the real tool makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from sync.demo.page.texts import edited_asana_html
from sync.demo.stage import PEOPLE, End

TEMPLATES = Path(__file__).parent / "panes"

_VALUE = "value:"
"""Before the name of a further field; see :meth:`Simulator.further_field`."""

Form: TypeAlias = Sequence[tuple[str, str]]
"""What a form sent: names and values, in order."""


class Missing(LookupError):
    """Somebody deleted it meanwhile."""


@dataclass(eq=False)
class Pane:
    """One side of the page."""

    end: End
    has_app: ClassVar[bool] = False
    """Whether people do something there with an app, in windows of its own."""

    @property
    def name(self) -> str:
        return self.end.simulator.name

    @property
    def title(self) -> str:
        return self.end.title

    @property
    def noun(self) -> str:
        return self.end.noun

    @property
    def container(self) -> str:
        return self.end.container

    @property
    def called(self) -> str:
        """The container's name, as people say it."""
        return self.end.called

    def views(self) -> dict[str, Mapping[str, Any]]:
        """Everything in the container, newest first."""
        return dict(reversed(self.end.views().items()))

    def seen(self) -> object:
        """All that anybody sees there: another value when something of it has changed."""
        return self.views()

    def view(self, id: str) -> Mapping[str, Any]:
        """One object.

        Raises:
            Missing: it is not there any more.
        """
        view = self.end.simulator.view(id) if id in self.end.simulator.objects(self.container) else None
        if view is None:
            raise Missing(f"This {self.noun} was deleted. Close it and pick another one.")
        return view

    def choices(self) -> Mapping[str, Mapping[str, str]]:
        return self.end.simulator.choices(self.container)

    def create(self, form: Form, *, by: str) -> str:
        """A new object; its id."""
        return self.end.new(by=by, **{"title": "", **fields_of(form, {})})

    def edit(self, id: str, form: Form, *, by: str) -> None:
        fields = fields_of(form, self.view(id))
        if fields:
            self.end.simulator.edit(id, by=by, **fields)

    def comment(self, id: str, text: str, *, by: str) -> None:
        self.view(id)
        if text.strip():
            self.end.simulator.comment(id, text, by=by)

    def remove(self, id: str, *, by: str) -> None:
        self.view(id)
        self.end.simulator.remove(id, by=by)


def fields_of(form: Form, view: Mapping[str, Any]) -> dict[str, Any]:
    """What a form changes, as :meth:`Simulator.edit` takes it.

    Args:
        view: how the object stands: one label is added to, or taken from, those it has.
    """
    fields: dict[str, Any] = {}
    for name, value in form:
        match name:
            case "title":
                if value.strip():
                    fields["title"] = " ".join(value.split())
            case "notes":
                fields["notes"] = value.replace("\r\n", "\n")
            case "asana_html_notes":
                fields["notes"] = edited_asana_html(value, view.get("notes", ""))
            case "state" | "state_reason" | "section":
                fields[name] = value
            case "assignee":
                fields[name] = value if value in PEOPLE else None
            case "due_on":
                fields[name] = date.fromisoformat(value) if value else None
            case "milestone":
                fields[name] = int(value) if value else None
            case _ if name.startswith(_VALUE):
                fields.setdefault("values", {})[name.removeprefix(_VALUE)] = value or None
            case "add_label":
                if value.strip():
                    labels = fields.get("labels", view.get("labels", ()))
                    fields["labels"] = list(dict.fromkeys([*labels, value.strip()]))
            case "remove_label":
                labels = fields.get("labels", view.get("labels", ()))
                fields["labels"] = [label for label in labels if label != value]
    return fields
