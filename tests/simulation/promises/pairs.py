"""Which objects stand for each other at the end, and what a person sees in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.reconcile.model import Side
from tests.simulation.evidence import Evidence
from tests.simulation.memory import tokens


@dataclass(frozen=True, slots=True)
class Pair:
    """Two objects that stand for each other, as both are seen at the end."""

    link: int
    ids: Mapping[Side, str]
    seen: Mapping[Side, dict[str, Any]]

    def text(self, side: Side, field: str) -> str:
        return str(self.seen[side][field])


def pairs(evidence: Evidence) -> Sequence[Pair]:
    """Active links whose ends both are there."""
    found = []
    for link in evidence.links:
        if link["kind"] != "task" or link["state"] != "active":
            continue
        ids = {Side.HUB: link["asana"]["gid"], Side.EXTERNAL: link["external"]["id"]}
        seen = {side: evidence.town.sides[side].view(ids[side]) for side in Side if ids[side]}
        if len(seen) == 2 and all(seen.values()):
            found.append(Pair(link["id"], ids, {side: view for side, view in seen.items() if view}))
    return found


def shared(evidence: Evidence, pair: Pair) -> Sequence[str]:
    """Fields that go both ways: of words only those that we may write, too."""
    tool = evidence.town.external
    ours = tool.we_word(pair.seen[Side.EXTERNAL])
    return [field for field in tool.fields if ours or field not in ("title", "notes")]


def in_order(text: str) -> list[str]:
    words = text.replace("<", " ").replace("\n", " ").split()
    return [token for word in words for token in sorted(tokens(word)) if token.startswith("n")]


FIELDS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "title": lambda view: view["title"],
    "notes": lambda view: in_order(view["notes"]),
    "state": lambda view: view["state"],
    "assignee": lambda view: view["assignee"],
    "labels": lambda view: sorted(view["labels"]),
}


def held(view: dict[str, Any], field: str) -> frozenset[str]:
    """The tokens of that field: where a title is the first line of a text it stands there, too."""
    value = view[field]
    if field == "labels":
        return frozenset(value)
    return frozenset(token for token in tokens(value) if token.startswith(field[0]))
