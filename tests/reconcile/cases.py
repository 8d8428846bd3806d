"""Correlated cases for one field, and what must be true of them: an oracle without any code of the plan.

A case is drawn by a ``choose`` function, so that hypothesis and a plain seeded generator draw the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.records import FieldKind, Value
from sync.reconcile import plan_link
from sync.reconcile.model import LinkPlan, Pair, Policy, Rule, Side, Stamp
from sync.reconcile.words import Words
from tests.reconcile.world import (
    EXTERNAL,
    HUB,
    MAPPED,
    Loss,
    Planner,
    World,
    faithful,
    mirror_view,
    outline,
    rule,
    stamps,
    translation,
)

Choose = Callable[[Sequence[Any]], Any]

KINDS = (
    (FieldKind.TEXT, FieldKind.TEXT),
    (FieldKind.STATE, FieldKind.STATE),
    (FieldKind.CHOICE, FieldKind.CHOICE),
    (FieldKind.SET, FieldKind.SET),
    (FieldKind.NUMBER, FieldKind.NUMBER),
    (FieldKind.DATE, FieldKind.DATE),
    (FieldKind.PERSON, FieldKind.PERSON),
    (FieldKind.PERSON, FieldKind.PEOPLE),
    (FieldKind.PEOPLE, FieldKind.PERSON),
    (FieldKind.PEOPLE, FieldKind.PEOPLE),
)
NOTES = (FieldKind.MARKDOWN, FieldKind.MARKDOWN)
PERSONAL = frozenset({FieldKind.PERSON, FieldKind.PEOPLE})

TEXTS = ("", "Alpha", "alpha beta", "Beta", "gamma ray")
PARAGRAPHS = ("", "one", "one\n\ntwo", "two\n\n- three\n- four", "# head\n\none\n\nfive")
WORDS = ("open", "closed", "waiting")
LABELS = ("Bug", "ui", "long label", "Later")
USERS = {
    HUB: ("ada", "bob", "kim", "nia"),
    EXTERNAL: ("ada_x", "bob_x", "kim_x", "zed"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One field that was settled (or not), then edited on no, one or both sides."""

    rule: Rule
    seen: Pair | None
    now: Pair
    stamps: Mapping[tuple[Side, str], Stamp]
    loss: Mapping[Side, Loss]

    @property
    def edited(self) -> list[Side]:
        return [side for side in Side if self.seen is None or self.now.of(side) != self.seen.of(side)]

    def world(self, planner: Planner = plan_link) -> World:
        return World(
            self.rule,
            {side: self.now.of(side) for side in Side},
            translation(),
            self.seen,
            self.loss,
            dict(self.stamps),
            planner,
        )


# --- drawing ------------------------------------------------------------------------------------------


def draw(choose: Choose, kinds: Sequence[tuple[FieldKind, FieldKind]] = KINDS) -> Case:
    one = rule(choose(kinds), policy=choose(list(Policy)))
    if one.hub_kind in (FieldKind.STATE, FieldKind.CHOICE) and choose((True, False)):
        one = replace(one, words=Words((("open", "todo"), ("closed", "done"))))
    if one.hub_kind is FieldKind.SET and choose((True, False)):
        one = replace(one, words=Words((("Bug", "defect"),)))
    loss = {side: choose((faithful, faithful, cut, shout)) for side in Side}
    base = _value(choose, one, HUB)
    settled = Pair(base, loss[EXTERNAL](_plainly(one, EXTERNAL, base)))
    if one.hub_kind in PERSONAL and choose((True, False)):
        settled = _with_stranger(one, settled)
    movers = choose(((), (HUB,), (EXTERNAL,), (HUB, EXTERNAL), (HUB, EXTERNAL)))
    hub, external = (
        _value(choose, one, side) if side in movers else settled.of(side) for side in (HUB, EXTERNAL)
    )
    if len(movers) == 2 and choose((False, False, True)):
        external = _plainly(one, EXTERNAL, hub)
    return Case(
        rule=one,
        seen=choose((settled, settled, settled, None)),
        now=Pair(hub, external),
        stamps=stamps(0, choose((-60, -1, 0, 1, 60))),
        loss=loss,
    )


def _value(choose: Choose, one: Rule, side: Side) -> Value:
    kind = one.kind(side)
    if kind is FieldKind.SET:
        names = LABELS if side is HUB else tuple(dict(one.words.pairs).get(name, name) for name in LABELS)
        return tuple(sorted(name for name in names if choose((True, False))))
    if kind is FieldKind.PEOPLE:
        return tuple(user for user in USERS[side] if choose((True, False)))
    options: Mapping[FieldKind, Sequence[Value]] = {
        FieldKind.TEXT: TEXTS,
        FieldKind.MARKDOWN: PARAGRAPHS,
        FieldKind.STATE: WORDS,
        FieldKind.CHOICE: (None, *WORDS),
        FieldKind.NUMBER: (None, 0, 1, 2.5),
        FieldKind.DATE: (None, "2026-03-01", "2026-03-02", "2026-03-01T23:30:00.000Z"),
        FieldKind.PERSON: (None, *USERS[side]),
    }
    value = choose(options[kind])
    return dict(one.words.pairs).get(value, value) if side is EXTERNAL else value


def _with_stranger(one: Rule, settled: Pair) -> Pair:
    """Somebody unmapped was assigned outside as well: the settled pair holds more than was carried."""
    if one.external_kind is FieldKind.PEOPLE:
        return Pair(settled.hub, (*_listed(settled.external), "zoe"))
    return settled


def cut(value: Value) -> Value:
    """A side that holds three letters of a text or label."""
    if isinstance(value, tuple):
        return value if set(value) & _EVERYBODY else tuple(sorted({word[:3] for word in value}))
    return value[:3] if isinstance(value, str) and value in TEXTS else value


def shout(value: Value) -> Value:
    """A side that writes everything in capitals and sorts lists of people."""
    if isinstance(value, tuple):
        return tuple(sorted(value if set(value) & _EVERYBODY else {word.upper() for word in value}))
    return value.upper() if isinstance(value, str) and value in TEXTS else value


_EVERYBODY = frozenset({*MAPPED, *MAPPED.values(), "nia", "zed", "zoe"})


def _plainly(one: Rule, into: Side, value: Value) -> Value:
    """The value in the words of the other side, with nothing there before."""
    if one.kind(into) in PERSONAL:
        meant = [person for user in _listed(value) if (person := _person(into, user)) is not None]
        if one.kind(into) is FieldKind.PEOPLE:
            return tuple(meant)
        return meant[0] if meant else None
    if isinstance(value, tuple):
        return tuple(sorted(_word(one, into, word) for word in value))
    return _word(one, into, value) if isinstance(value, str) else value


def _person(into: Side, user: str) -> str | None:
    return MAPPED.get(user) if into is EXTERNAL else {v: k for k, v in MAPPED.items()}.get(user)


def _word(one: Rule, into: Side, word: str) -> str:
    table = dict(one.words.pairs)
    if into is HUB:
        table = {there: here for here, there in one.words.pairs}
    if one.kind(into) is FieldKind.SET:
        table = {given.casefold(): meant for given, meant in table.items()}
        return table.get(word.casefold(), word)
    return table.get(word, word)


def _listed(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return () if value is None else (str(value),)


# --- what must be true --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """Two passes over a case: the plans, and what stood on both sides after each."""

    case: Case
    mirrored: LinkPlan
    first: LinkPlan
    after: Pair
    second: LinkPlan
    later: Pair
    settled: Pair | None


def problems(case: Case, planner: Planner = plan_link) -> list[str]:
    """Every promise that the planner breaks on this case."""
    world = case.world(planner)
    mirrored = planner(mirror_view(world.view))
    first = world.sync()
    after = Pair(world.now[HUB], world.now[EXTERNAL])
    second = world.sync()
    later = Pair(world.now[HUB], world.now[EXTERNAL])
    run = Run(case, mirrored, first, after, second, later, world.seen)
    return [*_asymmetric(run), *_restless(run), *_lost(run), *_invented(run), *_echoed(run)]


def _asymmetric(run: Run) -> Iterator[str]:
    """Swapping the sides mirrors the plan, except within the tie, where the hub wins."""
    given = run.case.stamps
    apart = abs((given[HUB, "f"].at - given[EXTERNAL, "f"].at).total_seconds())
    if apart <= 2 and run.case.rule.policy is Policy.LAST_MODIFIED:
        return
    if outline(run.first, mirrored=True) != outline(run.mirrored):
        yield "the sides are not treated alike"


def _restless(run: Run) -> Iterator[str]:
    """A second pass finds nothing to do; what waits for a person goes on waiting."""
    if run.second.writes or run.second.settle:
        yield f"a second pass writes or settles: {run.second}"
    if run.second.clashes != (run.first.clashes if run.first.held else ()):
        yield "a second pass lists other clashes"
    settled = run.settled and [_unordered(run.settled.of(side)) for side in Side]
    if settled != [_unordered(run.later.of(side)) for side in Side] and not run.first.held:
        yield "what is in step is not settled"


def _unordered(value: Value) -> Value | frozenset[str]:
    """The value without the case of labels and the order of a list."""
    return frozenset(word.casefold() for word in value) if isinstance(value, tuple) else value


def _lost(run: Run) -> Iterator[str]:
    """Every edit is on both sides, or listed whole with the winner that the policy names."""
    case = run.case
    if case.seen is None or not case.edited:
        return
    if case.rule.hub_kind in PERSONAL:
        yield from _lost_person(run, case.seen)
    elif case.rule.hub_kind is FieldKind.SET:
        yield from _lost_element(run, case.seen)
    elif len(case.edited) == 1:
        (mover,) = case.edited
        meant = _plainly(case.rule, mover.other, case.now.of(mover))
        if run.after.of(mover.other) not in (meant, case.loss[mover.other](meant)):
            yield "a lone edit did not arrive"
    elif _plainly(case.rule, EXTERNAL, case.now.hub) != case.now.external:
        yield from _unlisted(run)


def _unlisted(run: Run) -> Iterator[str]:
    case, winner = run.case, _winner(run.case)
    if [(clash.winner, clash.values) for clash in run.first.clashes] != [(winner, case.now)]:
        yield "a lost edit is not listed whole, or the wrong side won"
    if winner is None:
        if run.first.writes:
            yield "something was written although a person decides"
        return
    meant = case.loss[winner.other](_plainly(case.rule, winner.other, case.now.of(winner)))
    if run.after.of(winner.other) != meant:
        yield "the winner is not on both sides"


def _winner(case: Case) -> Side | None:
    if case.rule.policy is Policy.ASK:
        return None
    if case.rule.policy is not Policy.LAST_MODIFIED:
        return Side(case.rule.policy)
    lead = (case.stamps[EXTERNAL, "f"].at - case.stamps[HUB, "f"].at).total_seconds()
    return EXTERNAL if lead > 2 else HUB


def _lost_element(run: Run, seen: Pair) -> Iterator[str]:
    """Three-way per element, told in the hub's words without case; for sides that cut nothing."""
    if any(loss is cut for loss in run.case.loss.values()):
        return

    def words(side: Side, value: Value) -> set[str]:
        return {(_word(run.case.rule, HUB, w) if side is EXTERNAL else w).casefold() for w in _listed(value)}

    before = {side: words(side, seen.of(side)) for side in Side}
    now = {side: words(side, run.case.now.of(side)) for side in Side}
    added = (now[HUB] - before[HUB]) | (now[EXTERNAL] - before[EXTERNAL])
    removed = (before[HUB] - now[HUB]) | (before[EXTERNAL] - now[EXTERNAL])
    meant = ((before[HUB] & before[EXTERNAL]) - removed) | added
    for side in Side:
        if words(side, run.after.of(side)) != meant:
            yield f"the set on the {side} side is not the merge: {run.after.of(side)}"


def _lost_person(run: Run, seen: Pair) -> Iterator[str]:
    case = run.case
    for side in Side:
        strangers = {user for user in _listed(case.now.of(side)) if _person(side.other, user) is None}
        listing = case.rule.kind(side) is FieldKind.PEOPLE
        if listing and not strangers <= set(_listed(run.after.of(side))):
            yield "somebody whom only one side knows was dropped"
    if len(case.edited) == 1 and case.rule.kind(case.edited[0]) is FieldKind.PERSON:
        yield from _lost_assignment(run, seen, case.edited[0])


def _lost_assignment(run: Run, seen: Pair, mover: Side) -> Iterator[str]:
    case, there = run.case, _listed(run.after.of(mover.other))

    def counterpart(value: Value) -> str | None:
        return next((_person(mover.other, user) for user in _listed(value)), None)

    person, left = counterpart(case.now.of(mover)), counterpart(seen.of(mover))
    if person is not None and person not in there:
        yield "a lone assignment did not arrive"
    if left is not None and left != person and left in there:
        yield "who was replaced is still assigned"
    others = {user for user in _listed(case.now.of(mover.other)) if user != left}
    if case.rule.kind(mover.other) is FieldKind.PEOPLE and not others <= set(there):
        yield "further people were dropped"
    if run.first.clashes:
        yield "a lone edit clashed"


def _invented(run: Run) -> Iterator[str]:
    """Nothing is written that nobody put on one of the sides."""
    case = run.case
    everybody = replace(
        case.rule, hub_kind=_plural(case.rule.hub_kind), external_kind=_plural(case.rule.external_kind)
    )
    for write in run.first.writes:
        there = _plainly(everybody, write.side, case.now.of(write.side.other))
        known = {word.casefold() for word in (*_listed(write.before), *_listed(there))}
        if not {word.casefold() for word in _listed(write.value)} <= known:
            yield f"{write.value!r} was written by nobody"
        if write.before != case.now.of(write.side):
            yield "the before-image is not what stood there"


def _plural(kind: FieldKind) -> FieldKind:
    return FieldKind.PEOPLE if kind is FieldKind.PERSON else kind


def _echoed(run: Run) -> Iterator[str]:
    """What a side made of our write is never sent back: the edited side keeps every letter."""
    if run.case.seen is None or len(run.case.edited) != 1:
        return
    (mover,) = run.case.edited
    if run.later.of(mover) != run.case.now.of(mover):
        yield f"the edited side was rewritten to {run.later.of(mover)!r}"
