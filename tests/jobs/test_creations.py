"""Turns for new objects: never more than the limit in any window, in order, over all workers."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from redis.asyncio import Redis

from connectors.errors import RetryLater
from sync.jobs.pairing.creations import LocalTurns, NoTurns, SharedTurns, Turns, await_turn, turns
from sync.store.status import status
from sync.store.tables import Connection, Write
from tests.jobs.world import World

WINDOWS = ((7, 60.0), (20, 3600.0))


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


Both = Callable[[], Turns]


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture(params=["local", "shared"])
async def worker(request: pytest.FixtureRequest, clock: Hand, redis_url: str) -> AsyncIterator[Both]:
    """Makes the turns of one worker more; those in one process are the same."""
    if request.param == "local":
        local = LocalTurns(WINDOWS, clock)
        yield lambda: local
        return
    async with Redis.from_url(redis_url) as redis:
        yield lambda: SharedTurns(redis, "acme", WINDOWS, clock=clock)


async def created(
    workers: Sequence[Turns], clock: Hand, tokens: int, late_s: Callable[[int], float]
) -> list[tuple[float, int]]:
    """When each token created, with all asking at once and coming back as told, or later."""
    due = [(clock.now, number) for number in range(tokens)]
    done = []
    while due:
        at, number = heapq.heappop(due)
        clock.now = max(clock.now, at)
        wait = await workers[number % len(workers)].take(f"t{number}")
        if wait == 0:
            done.append((clock.now, number))
        else:
            heapq.heappush(due, (clock.now + wait + late_s(number), number))
    return done


def assert_within(times: Sequence[float]) -> None:
    for limit, seconds in WINDOWS:
        for at in times:
            assert sum(at - seconds < other <= at for other in times) <= limit


async def test_no_window_holds_more_than_the_limit_and_the_order_is_kept(worker: Both, clock: Hand) -> None:
    start = clock.now
    done = await created([worker(), worker()], clock, 45, lambda _: 0.0)
    assert_within([at for at, _ in done])
    assert [number for _, number in done] == list(range(45))
    assert done[6][0] == start
    assert done[7][0] == start + 60
    assert done[20][0] == start + 3600
    assert done[-1][0] <= start + 2 * 3600 + 60, "and no turn is wasted"


@pytest.mark.parametrize("late_s", [lambda number: number % 5 * 7.0, lambda _: 500.0])
async def test_who_comes_late_never_makes_a_window_too_full(
    worker: Both, clock: Hand, late_s: Callable[[int], float]
) -> None:
    done = await created([worker(), worker()], clock, 30, late_s)
    assert len(done) == 30
    assert_within([at for at, _ in done])


async def test_who_asks_before_its_turn_is_told_the_same_again(worker: Both, clock: Hand) -> None:
    one, other = worker(), worker()
    for number in range(7):
        assert await one.take(f"t{number}") == 0
    assert await one.take("late") == 60
    clock.now += 20
    assert await other.take("late") == 40
    assert await other.take("later") == 40


async def test_without_redis_nothing_is_created(unreachable_redis: Redis) -> None:
    with pytest.raises(RetryLater):
        await SharedTurns(unreachable_redis, "acme", WINDOWS).take("t")


@pytest.fixture
async def unreachable_redis() -> AsyncIterator[Redis]:
    async with Redis.from_url("redis://127.0.0.1:1") as redis:
        yield redis


async def test_what_a_connector_says_of_limits_is_what_counts() -> None:
    assert isinstance(turns({"reads": 1}, "acme", None), NoTurns)
    one_a_minute = turns({"creates_per_minute": 1}, "acme", None)
    await await_turn(one_a_minute, "first", "GitHub")
    with pytest.raises(RetryLater) as refused:
        await await_turn(one_a_minute, "second", "GitHub")
    assert refused.value.limited
    assert 59 < (refused.value.after or 0) <= 60
    for token in ("first", "second"):
        await await_turn(NoTurns(), token, "Memory")


async def test_who_waits_for_a_turn_is_told_in_the_status_and_nothing_is_refused(github: World) -> None:
    turns = await github.engine.sessions.turns(await github.the(Connection, name="other"))
    for number in range(68):
        assert await turns.take(f"another mapping's {number}") == 0
    for number in range(4):
        github.hub.new(github.project, title=f"Task {number}")
    await github.look()
    assert len(github.things()) == 2
    async with github.engine.database.read() as session:
        told = await status(
            session, version="", now=github.engine.now(), instance={"id": None, "url": None}, since=None
        )
    (waiting,) = told["mappings"][0]["waiting"]
    assert waiting["number"] == 2
    assert "waits for its turn" in waiting["reason"]
    assert waiting["until"] > told["now"]
    assert all(write.state == "done" for write in await github.rows(Write, op="create")), "none was begun"


async def test_a_copied_comment_takes_a_turn(github: World) -> None:
    issue, task = await github.paired()
    turns = await github.engine.sessions.turns(await github.the(Connection, name="other"))
    for number in range(70):
        await turns.take(f"another mapping's {number}")
    github.hub.comment(task, "said", by="ada")
    await github.look()
    view = github.external.view(issue)
    assert view is not None
    assert view["comments"] == []
    assert "waits for its turn" in await github.waiting()
