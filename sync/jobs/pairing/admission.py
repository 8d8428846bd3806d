"""What a mapping lets in: questions about a record that need no more than the route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.records import PARENT, Author, Record
from sync.jobs.routing.route import Route
from sync.reconcile import inside
from sync.reconcile.model import Side


def wanted(route: Route, side: Side, record: Record) -> bool:
    """Whether a new object gets a counterpart: direction, kind, filter, and the mapping's start."""
    if not route.creates(side.other) or not route.end(side).holds(record):
        return False
    if side.other is Side.EXTERNAL:
        kinds = {kind.casefold() for kind in route.scopes[side.other].kinds}
        creatable = route.end(side.other).connector.capabilities.creatable
        if not creatable or (kinds and kinds.isdisjoint(kind.casefold() for kind in creatable)):
            return False
    if _stays_below(route, side, record):
        return False
    return in_scope(route, side, record) and is_new(route, side, record)


def _stays_below(route: Route, side: Side, record: Record) -> bool:
    """Whether it is a part of another object of the hub, and no rule takes that along."""
    ruled = any(rule.field(side) == PARENT for rule in route.rules)
    return side is Side.HUB and not ruled and record.fields.get(PARENT) is not None


def in_scope(route: Route, side: Side, record: Record) -> bool:
    """Whether the filter of that side lets the object through; author and words do not bar what we made."""
    scope = route.scopes[side]
    if (scope.authors or scope.keywords) and record.created_by_us and record.keys:
        scope = replace(scope, authors=(), keywords=())
    return inside(record, scope, route.end(side).container)


def who_marked(route: Route, side: Side, record: Record) -> Author | None:
    """Who marked it so that the filter lets it through; None where the filter asks for no such thing."""
    marked = {word.casefold(): by for word, by in record.marked_by.items()}
    words = (word.casefold() for asked in route.scopes[side].fields for word in asked.words)
    return next((marked[word] for word in words if word in marked), None)


def is_new(route: Route, side: Side, record: Record) -> bool:
    """Whether the object was made after the mapping's start."""
    since = route.since(side)
    return since is None or record.created_at >= since


def left(route: Route, records: Mapping[Side, Record], *, captured: bool = False) -> str:
    """Why a link of these two sleeps, empty when it does not. No filter bars what a person captured."""
    for side, record in records.items():
        if not route.end(side).holds(record):
            return f"no longer in {route.end(side).container}"
        if not captured and not in_scope(route, side, record):
            return f"left the mapping's filter in {route.end(side).connector.title}"
    return ""
