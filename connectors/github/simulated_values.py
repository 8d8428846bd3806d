"""Endpoints of a simulated GitHub for issue types and issue fields."""

from __future__ import annotations

from typing import Any

from connectors.github.simulated_account_shapes import Shape
from connectors.github.simulated_api import Call, Reply, Table, invalid, not_found
from connectors.github.simulated_organizations import Organization
from connectors.github.simulated_state import Issue, Repository


def list_types(call: Call) -> Reply:
    return Reply([call.site.shapes.type(one.id) for one in _organization(call).types.values()])


def list_fields(call: Call) -> Reply:
    return Reply(
        [
            {
                "id": one.id,
                "node_id": one.node_id,
                "name": one.name,
                "description": None,
                "data_type": one.data_type,
                "visibility": "all",
                "options": [{"id": id, "name": name, "color": "gray"} for id, name in one.options.items()],
            }
            for one in _organization(call).fields.values()
        ]
    )


def list_values(call: Call) -> Reply:
    repository, issue = call.issue()
    return call.page(call.site.shapes.field_values(repository, issue), lambda value: value)


def add_values(call: Call) -> Reply:
    """Sets the fields given and leaves the others."""
    repository, issue, given = _given(call)
    return Reply(_answer(call, repository, _set(call, repository, issue, {**issue.values, **given})))


def replace_values(call: Call) -> Reply:
    """Empties the fields that are not given."""
    repository, issue, given = _given(call)
    return Reply(_answer(call, repository, _set(call, repository, issue, given)))


def delete_value(call: Call) -> Reply:
    repository, issue = call.issue()
    id = call.number("field")
    if id not in issue.values:
        raise not_found()
    _set(call, repository, issue, {other: value for other, value in issue.values.items() if other != id})
    return Reply(status=204)


TABLE: Table = (
    ("GET", "/orgs/{org}/issue-types", list_types),
    ("GET", "/orgs/{org}/issue-fields", list_fields),
    ("GET", "{repository}/issues/{number}/issue-field-values", list_values),
    ("POST", "{repository}/issues/{number}/issue-field-values", add_values),
    ("PUT", "{repository}/issues/{number}/issue-field-values", replace_values),
    ("DELETE", "{repository}/issues/{number}/issue-field-values/{field}", delete_value),
)


def checked_values(organization: Organization, rows: Any) -> dict[int, Any]:
    """Field id -> value, as stored."""
    given: dict[int, Any] = {}
    for row in rows or ():
        one = organization.fields.get(row.get("field_id"))
        if one is None or not one.accepts(row.get("value")):
            raise invalid("issue_field_values")
        given[one.id] = tuple(row["value"]) if isinstance(row["value"], list) else row["value"]
    return given


def _organization(call: Call) -> Organization:
    organization = call.site.world.organizations.get(call.request.path_params["org"].lower())
    if organization is None or not organization.shown:
        raise not_found()
    return organization


def _given(call: Call) -> tuple[Repository, Issue, dict[int, Any]]:
    repository, issue = call.issue()
    if not call.site.switches.push_access:
        raise not_found()
    organization = call.site.world.organization_of(repository)
    return repository, issue, checked_values(organization, call.body().get("issue_field_values"))


def _set(call: Call, repository: Repository, issue: Issue, values: dict[int, Any]) -> Issue:
    return call.site.edits.set_values(repository, issue, call.actor, values)


def _answer(call: Call, repository: Repository, issue: Issue) -> list[Shape]:
    return call.site.shapes.field_values(repository, issue)
