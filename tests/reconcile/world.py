"""Two sides of a link without providers: builders, a mirror, and what becomes of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.records import FieldKind, Record, Ref, Value
from sync.reconcile import plan_link, settle_after
from sync.reconcile.model import (
    Clash,
    FieldWrite,
    LinkPlan,
    LinkView,
    Pair,
    People,
    Policy,
    Rule,
    Same,
    Side,
    Stamp,
    Translation,
)
from sync.reconcile.words import Words

HUB, EXTERNAL = Side.HUB, Side.EXTERNAL
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

MAPPED = {"ada": "ada_x", "bob": "bob_x", "kim": "kim_x", "fay": "fay_x"}
"""Hub users the external side knows. ``nia`` is known on the hub alone, ``zed`` and ``zoe`` outside."""
PEOPLE = People(to_external=MAPPED, to_hub={there: here for here, there in MAPPED.items()})


def exact(field: str, sent: Value, read: Value) -> bool:
    return sent == read


def people(fallback: str | None = None) -> People:
    return replace(PEOPLE, fallback=fallback)


def translation(
    *,
    fallback: str | None = None,
    hub: Same = exact,
    external: Same = exact,
    who: People | None = None,
    linked: Mapping[str, str] | None = None,
) -> Translation:
    """``linked``: id of an object of the hub -> that of its counterpart."""
    pairs = linked or {}
    return Translation(
        people=who or people(fallback),
        through={side: lambda text: text for side in Side},
        same={HUB: hub, EXTERNAL: external},
        linked={
            EXTERNAL: {here: ref(EXTERNAL, there) for here, there in pairs.items()},
            HUB: {there: ref(HUB, here) for here, there in pairs.items()},
        },
    )


def rule(
    kind: FieldKind | tuple[FieldKind, FieldKind], values: Mapping[str, str] | None = None, **given: Any
) -> Rule:
    """``values``: hub word -> external word, where neither side has options of its own."""
    hub_kind, external_kind = kind if isinstance(kind, tuple) else (kind, kind)
    if values is not None:
        given["words"] = Words(tuple(values.items()))
    names = {"name": "f", "hub": "f", "external": "f"}
    return Rule(**{**names, "hub_kind": hub_kind, "external_kind": external_kind, **given})


def ref(side: Side, id: str = "1", kind: str = "item") -> Ref:
    return Ref(side.value, "site", kind, id)


def record(side: Side, fields: Mapping[str, Value], **given: Any) -> Record:
    return Record(
        **{
            "ref": ref(side),
            "fields": fields,
            "version": "1",
            "created_at": NOON,
            "modified_at": NOON,
            "places": {"box": None},
            "url": f"https://{side}.example/1",
            "key": "1",
            **given,
        }
    )


def stamps(hub_s: float, external_s: float, name: str = "f") -> dict[tuple[Side, str], Stamp]:
    """Both sides edited that many seconds after noon."""
    return {
        (HUB, name): Stamp(NOON + timedelta(seconds=hub_s), "field"),
        (EXTERNAL, name): Stamp(NOON + timedelta(seconds=external_s), "field"),
    }


def look(
    one: Rule,
    hub: Value,
    external: Value,
    seen: Pair | None = None,
    read_only: Iterable[Side] = (),
    **given: Any,
) -> LinkView:
    """A link of one field."""
    unwritable = frozenset(read_only)
    return LinkView(
        **{
            "hub": record(HUB, {one.hub: hub}, read_only=frozenset({one.hub} if HUB in unwritable else ())),
            "external": record(
                EXTERNAL,
                {one.external: external},
                read_only=frozenset({one.external} if EXTERNAL in unwritable else ()),
            ),
            "rules": (one,),
            "seen": {} if seen is None else {one.name: seen},
            "translation": translation(),
            **given,
        }
    )


def written(plan: LinkPlan) -> dict[Side, Value]:
    """Side -> value, for a plan of one field."""
    return {write.side: write.value for write in plan.writes}


# --- what becomes of a plan ---------------------------------------------------------------------------

Loss = Callable[[Value], Value]
"""What a provider makes of a value that is written to it."""
Planner = Callable[[LinkView], LinkPlan]


def faithful(value: Value) -> Value:
    return value


@dataclass(slots=True)
class World:
    """One field on two sides, synced in passes. ``loss``: what each side does to what we write."""

    rule: Rule
    now: dict[Side, Value]
    translation: Translation
    seen: Pair | None = None
    loss: Mapping[Side, Loss] = field(default_factory=lambda: {HUB: faithful, EXTERNAL: faithful})
    stamps: dict[tuple[Side, str], Stamp] = field(default_factory=dict)
    planner: Planner = plan_link

    @property
    def view(self) -> LinkView:
        return look(
            self.rule,
            self.now[HUB],
            self.now[EXTERNAL],
            self.seen,
            translation=self.translation,
            stamps=self.stamps,
        )

    def edit(self, side: Side, value: Value, at_s: float) -> None:
        """A person changes the field."""
        self.now[side] = value
        self.stamps[side, self.rule.name] = Stamp(NOON + timedelta(seconds=at_s), "field")

    def sync(self) -> LinkPlan:
        """Plan, write, settle: what a pass does."""
        plan = self.planner(self.view)
        read = dict(self.now)
        for write in plan.writes:
            self.now[write.side] = self.loss[write.side](write.value)
        sides = {write.side for write in plan.writes}
        if len(sides) == 2:
            self.seen = Pair(self.now[HUB], self.now[EXTERNAL])
        for side in sides if len(sides) == 1 else ():
            self.seen = settle_after(self.rule, side, self.now[side], read[side.other])
        self.seen = plan.settle.get(self.rule.name, self.seen)
        return plan


# --- the mirror ---------------------------------------------------------------------------------------


def mirror_rule(one: Rule) -> Rule:
    turned = {Policy.HUB: Policy.EXTERNAL, Policy.EXTERNAL: Policy.HUB}
    return replace(
        one,
        hub=one.external,
        external=one.hub,
        hub_kind=one.external_kind,
        external_kind=one.hub_kind,
        into=frozenset(side.other for side in one.into),
        policy=turned.get(one.policy, one.policy),
        words=Words(
            tuple((there, here) for here, there in one.words.pairs),
            {side.other: options for side, options in one.words.options.items()},
        ),
        times=frozenset(side.other for side in one.times),
    )


def mirror_pair(pair: Pair) -> Pair:
    return Pair(pair.external, pair.hub)


def mirror_view(view: LinkView) -> LinkView:
    """The same link with the sides swapped."""
    who, old = view.translation.people, view.translation
    return replace(
        view,
        hub=replace(view.external, ref=view.hub.ref, url=view.hub.url),
        external=replace(view.hub, ref=view.external.ref, url=view.external.url),
        rules=tuple(mirror_rule(one) for one in view.rules),
        seen={name: mirror_pair(pair) for name, pair in view.seen.items()},
        translation=Translation(
            people=People(to_external=who.to_hub, to_hub=who.to_external),
            through={side: old.through[side.other] for side in Side},
            same={side: old.same[side.other] for side in Side},
        ),
        stamps={(side.other, name): stamp for (side, name), stamp in view.stamps.items()},
        into=frozenset(side.other for side in view.into),
    )


def outline(plan: LinkPlan, *, mirrored: bool = False) -> Any:
    """What a plan decides, without its sentences; ``mirrored`` with the sides swapped."""

    def at(side: Side) -> Side:
        return side.other if mirrored else side

    def pair(given: Pair) -> Pair:
        return mirror_pair(given) if mirrored else given

    def write(given: FieldWrite) -> tuple[Any, ...]:
        return at(given.side), given.rule, given.value, given.before

    def clash(given: Clash) -> tuple[Any, ...]:
        return given.rule, given.kind, given.winner and at(given.winner), pair(given.values)

    return {
        "writes": {write(given) for given in plan.writes},
        "settle": {name: pair(given) for name, given in plan.settle.items()},
        "clashes": [clash(given) for given in plan.clashes],
        "undated": {(at(side), name) for side, name in plan.undated},
        "held": set(plan.held),
    }
