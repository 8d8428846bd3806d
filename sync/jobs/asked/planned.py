"""What a preview tells: the writes that passes would make, what they cannot decide, how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.records import Record, Value
from sync.jobs.routing.route import Route
from sync.reconcile.model import Clash, LinkPlan, Side
from sync.store import writes
from sync.store.listings import side_word
from sync.store.values import dump

_CREATING = (writes.CREATE, writes.COMMENT_ADD, writes.ATTACHMENT_ADD)
"""What limits of creations count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One write that would be made. ``source``: the object whose value it carries; ``target``: the object
    that is written to, None where it is made by then. ``fields``: (what stands there, what shall)."""

    op: str
    into: Side
    reason: str
    source: Record
    target: Record | None = None
    link_id: int | None = None
    fields: Mapping[str, tuple[Value, Value]]

    def told(self) -> dict[str, Any]:
        return {
            "op": self.op,
            "side": side_word(self.into),
            "link": self.link_id,
            "source": named(self.source),
            "target": named(self.target) if self.target is not None else None,
            "fields": {
                name: {"before": dump(before), "after": dump(after)}
                for name, (before, after) in self.fields.items()
            },
            "reason": self.reason,
        }


def named(record: Record) -> dict[str, Any]:
    """An object as people call it."""
    return {
        "ref": str(record.ref),
        "key": record.key,
        "url": record.url,
        "title": record.fields.get("title"),
    }


@dataclass(slots=True)
class Preview:
    """Everything is counted; of the writes themselves the first ``limit`` are kept.

    ``matched``: pairs that would be linked. ``in_step``: pairs that nothing would be written to.
    ``conflicts``: edits that would not win. ``waiting``: (object, why nothing is decided about it).
    ``duplicates``: an object that would be made although one of its title stands there, with those.
    ``ambiguous``: an object that may belong to several. ``enters``, ``leaves``: objects that the mapping
    lets in, or no longer.
    """

    route: Route
    limit: int
    items: list[Planned] = field(default_factory=list)
    counts: Counter[tuple[Side, str]] = field(default_factory=Counter)
    matched: int = 0
    in_step: int = 0
    conflicts: list[tuple[Record, Clash]] = field(default_factory=list)
    waiting: list[tuple[Record, str]] = field(default_factory=list)
    duplicates: Sequence[tuple[Record, Sequence[Record]]] = ()
    ambiguous: Sequence[tuple[Record, Sequence[Record]]] = ()

    def add(self, write: Planned) -> None:
        self.counts[write.into, write.op] += 1
        if len(self.items) < self.limit:
            self.items.append(write)

    def add_plan(self, plan: LinkPlan, records: Mapping[Side, Record], link_id: int | None) -> None:
        """What one pair of objects would get: a write for each side, as in a pass."""
        for side in Side:
            chosen = [write for write in plan.writes if write.side is side]
            if chosen:
                self.add(
                    Planned(
                        op=writes.UPDATE,
                        into=side,
                        reason="; ".join(dict.fromkeys(write.reason for write in chosen)),
                        source=records[side.other],
                        target=records[side],
                        link_id=link_id,
                        fields={write.field: (write.before, write.value) for write in chosen},
                    )
                )
        self.in_step += not plan.writes
        self.conflicts += [(records[Side.EXTERNAL], clash) for clash in plan.clashes]
        self.waiting += [(records[Side.EXTERNAL], f"{name}: {why}") for name, why in plan.held.items()]
        self.waiting += [
            (records[lacking.side], f"{name}: nothing on the other side stands for {lacking.word!r}")
            for name, lacking in plan.unmatched.items()
        ]

    @property
    def total(self) -> int:
        return self.counts.total()

    def seconds(self) -> tuple[float, str]:
        """The least time that the providers' and the mapping's own limits leave, and which one governs."""
        found = [(0.0, "no limit is reached")]
        for side, end in self.route.ends.items():
            limits = end.connector.limits(end.connector.settings.model_validate(end.connection.settings))
            made = sum(
                number for (into, op), number in self.counts.items() if into is side and op in _CREATING
            )
            number = sum(number for (into, _), number in self.counts.items() if into is side)
            for word, amount, window in (
                ("creates_per_minute", made, 60.0),
                ("creates_per_hour", made, 3600.0),
                ("per_minute", number, 60.0),
            ):
                if word in limits:
                    text = f"{end.connector.title}: {limits[word]:g} {_WORDS[word]}"
                    found.append((_wait(amount, limits[word], window), text))
        own = self.route.config.limits.creates_per_hour
        objects = sum(number for (_, op), number in self.counts.items() if op == writes.CREATE)
        found.append((_wait(objects, own, 3600.0), f"the mapping's limit: {own} new objects an hour"))
        return max(found, key=lambda each: each[0])

    def told(self) -> dict[str, Any]:
        seconds, governs = self.seconds()
        return {
            "writes": self.total,
            "counts": {
                side_word(side): {
                    op: self.counts[side, op]
                    for op in (writes.CREATE, writes.UPDATE, writes.COMMENT_ADD, writes.ATTACHMENT_ADD)
                }
                for side in Side
            },
            "matched": self.matched,
            "in_step": self.in_step,
            "conflicts": [
                {
                    **named(record),
                    "field": clash.field,
                    "kind": clash.kind,
                    "winner": side_word(clash.winner.value) if clash.winner else None,
                    "reason": clash.reason,
                    side_word("hub"): dump(clash.values.hub),
                    "external": dump(clash.values.external),
                }
                for record, clash in self.conflicts
            ],
            "waiting": [{**named(record), "reason": why} for record, why in self.waiting],
            "duplicates": _lookalikes(self.duplicates),
            "ambiguities": _lookalikes(self.ambiguous),
            "time": {"seconds": round(seconds, 1), "governed_by": governs},
            "items": [write.told() for write in self.items],
        }


_WORDS = {
    "creates_per_minute": "new objects and comments a minute",
    "creates_per_hour": "new objects and comments an hour",
    "per_minute": "requests a minute",
}


def _wait(number: int, limit: float, window_s: float) -> float:
    """How long the last of so many waits where each window holds ``limit``."""
    return max(0, (number - 1) // max(int(limit), 1)) * window_s


def _lookalikes(found: Sequence[tuple[Record, Sequence[Record]]]) -> list[dict[str, Any]]:
    return [{**named(record), "like": [named(other) for other in others]} for record, others in found]
