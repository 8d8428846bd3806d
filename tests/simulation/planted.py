"""Mistakes that others made, put into the program one at a time: each must be caught.

A number, what the mistake is, how it is put in, what happens in the town meanwhile, and what catches it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sync.reconcile.model import Side
from tests.simulation import mistakes
from tests.simulation.schedule import Event, Kind, Schedule
from tests.simulation.tools import Asana, GitHub
from tests.simulation.weather import TRANSIENT

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
    methods = Asana.methods if side is HUB else GitHub.methods
    ways = [way for way in range(6) if methods[way] == method]
    return at_s, Kind.FAULT, side, TRANSIENT.index(kind), ways[0]  # type: ignore[arg-type]


_NEW = (0.0, Kind.NEW, EXTERNAL, 0, 1)

PLANTED: Sequence[Planted] = (
    Planted(
        1,
        "the id of the mapping is the id of the job",
        mistakes.a_job_has_the_id_of_its_mapping,
        _schedule(_NEW, (90.0, Kind.TITLE, EXTERNAL, 0, 0)),
        frozenset({"1"}),
    ),
    Planted(
        2,
        "a webhook call is acknowledged before it is stored",
        mistakes.acknowledges_first,
        _schedule(_NEW, (90.0, Kind.TITLE, EXTERNAL, 0, 0), (90.4, Kind.KILL, HUB, 0, 0), hooks=True),
        frozenset({"22"}),
    ),
    Planted(
        3,
        "the cursor is saved before what it stands behind",
        mistakes.cursor_first,
        _schedule(
            _NEW,
            (130.0, Kind.COMMENT, HUB, 0, 0),
            (230.0, Kind.REWORD, HUB, 0, 0),
            *((at_s, Kind.KILL, HUB, 0, 0) for at_s in (300.0, 325.0)),
        ),
        frozenset({"13"}),
    ),
    Planted(
        4,
        "what is created carries no key",
        mistakes.no_marker,
        _schedule(_fault(0.0, EXTERNAL, "reset_after", "POST"), (1.0, Kind.NEW, HUB, 0, 1)),
        frozenset({"3", "4", "15"}),
    ),
    Planted(
        5,
        "a creation without an answer is repeated at once",
        mistakes.no_look_up,
        _schedule(_fault(0.0, EXTERNAL, "reset_after", "POST"), (1.0, Kind.NEW, HUB, 0, 1)),
        frozenset({"15"}),
    ),
    Planted(
        6,
        "an echo is known by the id of the call alone",
        mistakes.echo_is_news,
        _schedule(_NEW, (90.0, Kind.TITLE, HUB, 0, 0)),
        frozenset({"5"}),
    ),
    Planted(
        7,
        "texts are compared letter by letter",
        mistakes.raw_texts,
        _schedule(_NEW, (90.0, Kind.NOTES, EXTERNAL, 0, 3)),
        frozenset({"5"}),
    ),
    Planted(
        8,
        "the last write wins instead of a merge of three",
        mistakes.last_write_wins,
        _schedule(_NEW, (120.0, Kind.TITLE, HUB, 0, 0), (120.5, Kind.NOTES, EXTERNAL, 0, 1)),
        frozenset({"2"}),
    ),
    Planted(
        9,
        "the base moves before the write went through",
        mistakes.base_before_write,
        _schedule(
            _NEW,
            _fault(90.0, EXTERNAL, "timeout_before", "PATCH"),
            (91.0, Kind.TITLE, HUB, 0, 0),
        ),
        frozenset({"2"}),
    ),
    Planted(
        10,
        "the base does not move with our own write",
        mistakes.base_stays,
        _schedule(_NEW, (90.0, Kind.TITLE, HUB, 0, 0), (101.6, Kind.TITLE, EXTERNAL, 0, 0)),
        frozenset({"2"}),
    ),
    Planted(
        11,
        "what a listing does not show is deleted",
        mistakes.gap_is_delete,
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
        mistakes.forbidden_is_delete,
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
        mistakes.share_alone,
        _schedule(
            *((0.0, Kind.NEW, EXTERNAL, 0, 1) for _ in range(4)),
            *((100.0, Kind.REMOVE, EXTERNAL, 0, 0) for _ in range(3)),
            deletes=1,
            linger_s=400.0,
        ),
        frozenset({"9"}),
    ),
    Planted(
        14,
        "links are known to the process that made them",
        mistakes.cache_of_one_life,
        _schedule(_NEW, (90.0, Kind.STOP, HUB, 0, 0), (95.0, Kind.TITLE, EXTERNAL, 0, 0)),
        frozenset({"1", "4", "13", "18", "2"}),
    ),
    Planted(
        15,
        "where an answer is lost, what was done is not noted",
        mistakes.done_is_forgotten,
        _schedule(_NEW, _fault(89.0, EXTERNAL, "reset_after", "POST"), (90.0, Kind.COMMENT, HUB, 0, 0)),
        frozenset({"10"}),
    ),
    Planted(
        16,
        "where one of several is refused, all are sent again",
        mistakes.whole_thread_again,
        _schedule(
            _NEW,
            *((120.0, Kind.COMMENT, HUB, 0, 0) for _ in range(8)),
            _fault(170.0, EXTERNAL, "500", "POST"),
        ),
        frozenset({"10", "18"}),
    ),
    Planted(
        17,
        "starts of the program count as attempts",
        mistakes.starts_are_attempts,
        _schedule(
            _NEW,
            (60.0, Kind.COMMENT, HUB, 0, 0),
            (150.0, Kind.OUTAGE, EXTERNAL, 0, 1),
            (151.0, Kind.REWORD, HUB, 0, 0),
            *((220.0 + 5 * number, Kind.STOP, HUB, 0, 0) for number in range(5)),
        ),
        frozenset({"13"}),
    ),
    Planted(
        18,
        "a new token is used before it is stored",
        mistakes.token_used_first,
        _schedule(_NEW, (99.5, Kind.KILL, HUB, 8, 1), oauth=True),
        frozenset({"20"}),
    ),
    Planted(
        19,
        "a lease is not looked at again before a write",
        mistakes.lease_taken_once,
        _schedule((1.0, Kind.NEW, HUB, 0, 1), (44.0, Kind.FREEZE, HUB, 13, 0)),
        frozenset({"15"}),
    ),
    Planted(
        20,
        "a mapping is read once a pass",
        mistakes.mapping_read_once,
        _schedule(
            _NEW,
            *((90.0, Kind.COMMENT, HUB, 0, 0) for _ in range(12)),
            (93.0, Kind.PAUSE, HUB, 0, 0),
            hooks=True,
        ),
        frozenset({"28"}),
    ),
)
