"""Endpoints of a simulated GitHub for the labels and milestones of a repository."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from connectors.github.simulated_api import Call, Reply, Table, invalid, not_found, sort
from connectors.github.simulated_issues import LABEL_MAX
from connectors.github.simulated_state import Label, Milestone, Repository


def list_labels(call: Call) -> Reply:
    repository = call.repository()
    found = sort(repository.labels.values(), lambda label: label.name.lower(), "asc")
    return call.page(found, lambda label: call.site.shapes.label(repository, label))


def get_label(call: Call) -> Reply:
    repository = call.repository()
    return Reply(call.site.shapes.label(repository, _label(call, repository)))


def create_label(call: Call) -> Reply:
    repository, body = _pushed(call), call.body()
    name, color = body.get("name"), body.get("color", "ededed")
    _check_label(repository, name, color)
    label = call.site.edits.find_or_create_label(
        repository, call.actor, str(name), color=color, description=body.get("description")
    )
    shape = call.site.shapes.label(repository, label)
    return Reply(shape, 201, {"Location": shape["url"]})


def update_label(call: Call) -> Reply:
    """``new_name``, ``color``, ``description``: what is given."""
    repository, body = _pushed(call), call.body()
    label = _label(call, repository)
    name, color = body.get("new_name", label.name), body.get("color", label.color)
    _check_label(repository, name, color, besides=label)
    description = body.get("description", label.description)
    label = call.site.edits.edit_label(
        repository, label, call.actor, name=name, color=color, description=description
    )
    return Reply(call.site.shapes.label(repository, label))


def delete_label(call: Call) -> Reply:
    repository = _pushed(call)
    call.site.edits.delete_label(repository, _label(call, repository), call.actor)
    return Reply(status=204)


def list_milestones(call: Call) -> Reply:
    """By due date, those without one last, unless ``sort`` says otherwise."""
    repository, show = call.repository(), call.site.shapes.milestone
    state = call.choice("state", "open", "closed", "all")
    order, direction = call.choice("sort", "due_on", "completeness"), call.choice("direction", "asc", "desc")

    def key(milestone: Milestone) -> tuple[Any, int]:
        if order == "due_on":
            return milestone.due_on or datetime.max.replace(tzinfo=UTC), milestone.number
        states = [i.state for i in repository.issues.values() if i.milestone == milestone.number]
        return (states.count("closed") / len(states) if states else 0.0), milestone.number

    found = sort((m for m in repository.milestones.values() if state in ("all", m.state)), key, direction)
    return call.page(found, lambda milestone: show(repository, milestone))


def get_milestone(call: Call) -> Reply:
    repository = call.repository()
    return Reply(call.site.shapes.milestone(repository, _milestone(call, repository)))


def create_milestone(call: Call) -> Reply:
    repository, body = _pushed(call), call.body()
    title, state = _title(repository, body.get("title")), _state(body)
    milestone = call.site.edits.add_milestone(
        repository, call.actor, title, description=body.get("description"), due_on=_due_on(body)
    )
    milestone = call.site.edits.move_milestone(repository, milestone, call.actor, state or "open")
    shape = call.site.shapes.milestone(repository, milestone)
    return Reply(shape, 201, {"Location": shape["url"]})


def update_milestone(call: Call) -> Reply:
    """Only the keys given change."""
    repository, body, edits = _pushed(call), call.body(), call.site.edits
    milestone = _milestone(call, repository)
    state = _state(body)
    values: dict[str, Any] = {}
    if "title" in body:
        values["title"] = _title(repository, body["title"], besides=milestone)
    if "description" in body:
        values["description"] = body["description"]
    if "due_on" in body:
        values["due_on"] = _due_on(body)
    milestone = edits.edit_milestone(repository, milestone, call.actor, **values)
    if state is not None:
        milestone = edits.move_milestone(repository, milestone, call.actor, state)
    return Reply(call.site.shapes.milestone(repository, milestone))


def delete_milestone(call: Call) -> Reply:
    repository = _pushed(call)
    call.site.edits.delete_milestone(repository, _milestone(call, repository), call.actor)
    return Reply(status=204)


TABLE: Table = (
    ("GET", "{repository}/labels", list_labels),
    ("POST", "{repository}/labels", create_label),
    ("GET", "{repository}/labels/{label:path}", get_label),
    ("PATCH", "{repository}/labels/{label:path}", update_label),
    ("DELETE", "{repository}/labels/{label:path}", delete_label),
    ("GET", "{repository}/milestones", list_milestones),
    ("POST", "{repository}/milestones", create_milestone),
    ("GET", "{repository}/milestones/{number}", get_milestone),
    ("PATCH", "{repository}/milestones/{number}", update_milestone),
    ("DELETE", "{repository}/milestones/{number}", delete_milestone),
)


def _pushed(call: Call) -> Repository:
    """The repository, where the account may change labels and milestones."""
    repository = call.repository()
    if not call.site.switches.push_access:
        raise not_found()
    return repository


def _label(call: Call, repository: Repository) -> Label:
    label = repository.label(call.request.path_params["label"])
    if label is None:
        raise not_found()
    return label


def _check_label(repository: Repository, name: Any, color: Any, besides: Label | None = None) -> None:
    """``besides``: the label that has the name already."""
    if not isinstance(name, str) or not name.strip() or len(name) > LABEL_MAX:
        raise invalid("name", resource="Label", code="missing_field" if not name else "invalid")
    if not re.fullmatch(r"[0-9A-Fa-f]{6}", str(color)):
        raise invalid("color", resource="Label")
    if repository.label(name) not in (None, besides):
        raise invalid("name", resource="Label", code="already_exists")


def _milestone(call: Call, repository: Repository) -> Milestone:
    milestone = repository.milestones.get(call.number("number"))
    if milestone is None:
        raise not_found()
    return milestone


def _title(repository: Repository, given: Any, besides: Milestone | None = None) -> str:
    if not isinstance(given, str) or not given.strip():
        raise invalid("title", resource="Milestone", code="missing_field")
    if any(other.title == given and other != besides for other in repository.milestones.values()):
        raise invalid("title", resource="Milestone", code="already_exists")
    return given


def _state(body: dict[str, Any]) -> str | None:
    state = body.get("state")
    if state not in (None, "open", "closed"):
        raise invalid("state", resource="Milestone")
    return str(state) if state else None


def _due_on(body: dict[str, Any]) -> datetime | None:
    """A time, or a day alone."""
    given = body.get("due_on")
    if given is None:
        return None
    try:
        time = datetime.fromisoformat(str(given))
    except ValueError:
        raise invalid("due_on", resource="Milestone") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
