"""Forms that a provider's written documentation allows and its OpenAPI document does not know.

They are turned into the form that the document knows, so that nothing in them stays unvalidated.
Each is reported, and allowed in the one list of exceptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.specification.supplement import PATHS

FIELD_GROUPS = "opt_fields with (a|b)"
BODY_OPTIONS = "options.fields in the body"
BY_ID = "/repositories/{id}"
LEFT_OUT = "left out of the reduced document"

_GROUP = re.compile(r"\(([^()]*)\)")
_BY_ID = re.compile(r"^/repositories/\d+")


@dataclass(frozen=True)
class Request:
    """A request as the client sent it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    content_type: str


def documented(provider: str, request: Request) -> tuple[Request, list[str]]:
    """The request in the forms that the document knows, and the forms that were turned."""
    return {"asana": _asana, "github": _github}[provider](request)


def _asana(request: Request) -> tuple[Request, list[str]]:
    turned = []
    body, query = request.body, dict(request.query)
    if (
        isinstance(body, dict)
        and isinstance(body.get("options"), dict)
        and set(body["options"]) == {"fields"}
    ):
        turned.append(BODY_OPTIONS)
        query["opt_fields"] = ",".join(body["options"]["fields"])
        body = {key: value for key, value in body.items() if key != "options"}
    if "(" in query.get("opt_fields", ""):
        turned.append(FIELD_GROUPS)
        query["opt_fields"] = ",".join(
            each for field in query["opt_fields"].split(",") for each in _ungrouped(field)
        )
    return replace(request, body=body, query=query), turned


def _ungrouped(field: str) -> Iterator[str]:
    """``memberships.(project|section).name`` names two fields."""
    group = _GROUP.search(field)
    if group is None:
        yield field
        return
    for choice in group[1].split("|"):
        yield from _ungrouped(field[: group.start()] + choice + field[group.end() :])


def _github(request: Request) -> tuple[Request, list[str]]:
    if request.path in PATHS["github"]:
        return request, [LEFT_OUT]
    if _BY_ID.match(request.path):
        return replace(request, path=_BY_ID.sub("/repos/owner/name", request.path)), [BY_ID]
    return request, []
