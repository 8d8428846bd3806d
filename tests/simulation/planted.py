"""Mistakes that others made, put into the program one at a time: each must be caught.

A number, what the mistake is, how it is put in, and what happens in the town meanwhile. The patches live
here alone; the product has no switch for any of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from connectors.records import Gone, Hidden
from sync.jobs.merging import fields
from sync.jobs.pairing import absence, counterparts
from sync.jobs.passing import reading
from sync.jobs.passing.outcome import DONE
from sync.jobs.passing.writing import close
from sync.jobs.receiving import intake
from sync.jobs.receiving.intake import Reply
from sync.jobs.threads import comments
from sync.jobs.watching import full_pass
from sync.reconcile.model import Pair, Side
from sync.store import links, marks, writes
from tests.simulation.schedule import Event, Kind, Schedule
from tests.simulation.weather import METHODS, TRANSIENT

HUB, EXTERNAL = Side.HUB, Side.EXTERNAL

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Planted:
    """``caught_by``: the number of the invariant that must be found broken, and of no other one."""

    number: int
    name: str
    plant: Plant
    schedule: Schedule
    caught_by: frozenset[str]


def _schedule(*events: tuple[float, Kind, Side, int, int], hooks: bool = False, **more: Any) -> Schedule:
    made = [Event(number, *event) for number, event in enumerate(events)]
    return Schedule(
        **{
            "seed": 1,
            "events": made,
            "hooks": hooks,
            "late": False,
            "skew_s": {},
            "old": 0,
            "conflict": "last_modified",
            "linger_s": 150.0,
            **more,
        }
    )


def _fault(at_s: float, side: Side, kind: str, method: str) -> tuple[float, Kind, Side, int, int]:
    """The next request or two of that method meet that fault."""
    ways = [way for way in range(6) if METHODS[side][way] == method]
    return at_s, Kind.FAULT, side, TRANSIENT.index(kind), ways[0]  # type: ignore[arg-type]


# --- the mistakes -------------------------------------------------------------------------------------


def _acknowledges_first(patch: pytest.MonkeyPatch) -> None:
    store, kept = intake.Intake.take_in, set()

    async def take_in(self: Any, connection: str, key: str, headers: Any, body: bytes) -> Reply:
        if "x-hook-secret" in {name.lower() for name in headers}:
            return await store(self, connection, key, headers, body)

        async def later() -> None:
            await asyncio.sleep(0.5)
            await store(self, connection, key, headers, body)

        kept.add(asyncio.create_task(later()))
        return Reply(200)

    patch.setattr(intake.Intake, "take_in", take_in)


def _no_marker(patch: pytest.MonkeyPatch) -> None:
    from connectors.github import edits

    patch.setattr(edits, "composed", lambda text, keys=(), backlink=None: text)


def _no_look_up(patch: pytest.MonkeyPatch) -> None:
    async def confirm(desk: Any, link: Any, row: Any, side: Any, source: Any) -> Any:
        await close(desk, row, writes.NOT_DONE, "not looked up")
        return DONE

    patch.setattr(counterparts, "confirm", confirm)


def _base_before_write(patch: pytest.MonkeyPatch) -> None:
    decided = fields._decided

    def early(desk: Any, link: Any, records: Any, view: Any, plan: Any, past: Any) -> Any:
        entry = decided(desk, link, records, view, plan, past)
        for write in plan.writes:
            other = records[write.side.other].fields[write.field]
            pair = Pair(write.value, other) if write.side is HUB else Pair(other, write.value)
            entry.settled[write.rule] = pair
        return entry

    patch.setattr(fields, "_decided", early)


def _gap_is_delete(patch: pytest.MonkeyPatch) -> None:
    put = marks.put

    async def gone(session: Any, found: Any, now: Any) -> Any:
        told = [
            replace(each, gone="not listed") if "complete listing" in each.reason else each for each in found
        ]
        return await put(session, told, now)

    patch.setattr(full_pass.marks, "put", gone)
    _forbidden_is_delete(patch)


def _forbidden_is_delete(patch: pytest.MonkeyPatch) -> None:
    believed = reading._believed

    def gullible(unit: Any, side: Side, found: Any) -> Any:
        answer = believed(unit, side, found)
        return Gone("403") if isinstance(answer, Hidden) else answer

    patch.setattr(reading, "_believed", gullible)


def _percent_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(absence, "min", lambda absolute, share: share, raising=False)


def _cache_of_one_life(patch: pytest.MonkeyPatch) -> None:
    by_refs = links.by_refs

    async def forgetful(session: Any, mapping_id: int, refs: Any) -> Any:
        found = await by_refs(session, mapping_id, refs)
        return {ref: link for ref, link in found.items() if link.created_at >= _BORN[0]}

    patch.setattr(links, "by_refs", forgetful)
    from tests.simulation.program import Program

    start = Program.start

    def born(self: Program) -> Any:
        _BORN[:] = [self.engine.now()]
        return start(self)

    patch.setattr(Program, "start", born)


_BORN: list[Any] = []


def _done_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    async def forgetful(thread: Any, comment: Any, row: Any) -> None:
        await close(thread.desk, row, writes.NOT_DONE, "forgotten")

    plan = comments.plan_comments

    def blind(**given: Any) -> Any:
        known = {str(link.copy) for link in given["links"]}
        for side in ("hub", "external"):
            given[side] = [each for each in given[side] if not each.by_us or str(each.ref) in known]
        return plan(**given)

    patch.setattr(comments, "_resolve", forgetful)
    patch.setattr(comments, "plan_comments", blind)


# --- what happens meanwhile ---------------------------------------------------------------------------

_NEW = (0.0, Kind.NEW, EXTERNAL, 0, 1)

PLANTED: Sequence[Planted] = (
    Planted(
        2,
        "a webhook call is acknowledged before it is stored",
        _acknowledges_first,
        _schedule(_NEW, (90.0, Kind.TITLE, EXTERNAL, 0, 0), (90.4, Kind.KILL, HUB, 0, 0), hooks=True),
        frozenset({"22"}),
    ),
    Planted(
        4,
        "what is created carries no key",
        _no_marker,
        _schedule(_fault(0.0, EXTERNAL, "reset_after", "POST"), (1.0, Kind.NEW, HUB, 0, 1)),
        frozenset({"3", "4", "15"}),
    ),
    Planted(
        5,
        "a creation without an answer is repeated at once",
        _no_look_up,
        _schedule(_fault(0.0, EXTERNAL, "reset_after", "POST"), (1.0, Kind.NEW, HUB, 0, 1)),
        frozenset({"15"}),
    ),
    Planted(
        9,
        "the base moves before the write went through",
        _base_before_write,
        _schedule(
            _NEW,
            _fault(90.0, EXTERNAL, "timeout_before", "PATCH"),
            (91.0, Kind.TITLE, HUB, 0, 0),
        ),
        frozenset({"2"}),
    ),
    Planted(
        11,
        "what a listing does not show is deleted",
        _gap_is_delete,
        _schedule(
            _NEW,
            (90.0, Kind.HIDE, HUB, 0, 0),
            (100.0, Kind.COMPARE, HUB, 0, 0),
            (700.0, Kind.NEW, HUB, 0, 0),
        ),
        frozenset({"7"}),
    ),
    Planted(
        12,
        "what may not be read is deleted",
        _forbidden_is_delete,
        _schedule(
            _NEW,
            (90.0, Kind.HIDE, HUB, 0, 0),
            (91.0, Kind.TITLE, EXTERNAL, 0, 0),
            (700.0, Kind.NEW, HUB, 0, 0),
        ),
        frozenset({"7"}),
    ),
    Planted(
        13,
        "the limit of deletions is a share alone",
        _percent_only,
        _schedule(
            *((0.0, Kind.NEW, HUB, 0, 1) for _ in range(4)),
            *((100.0, Kind.REMOVE, HUB, 0, 1) for _ in range(4)),
            (400.0, Kind.NEW, HUB, 0, 1),
            deletes=2,
        ),
        frozenset({"9"}),
    ),
    Planted(
        14,
        "links are known to the process that made them",
        _cache_of_one_life,
        _schedule(_NEW, (90.0, Kind.STOP, HUB, 0, 0), (95.0, Kind.TITLE, EXTERNAL, 0, 0)),
        frozenset({"1", "4", "13", "18", "2"}),
    ),
    Planted(
        15,
        "where an answer is lost, what was done is not noted",
        _done_is_forgotten,
        _schedule(_NEW, _fault(89.0, EXTERNAL, "reset_after", "POST"), (90.0, Kind.COMMENT, HUB, 0, 0)),
        frozenset({"10"}),
    ),
)
