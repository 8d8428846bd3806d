"""Every way a call can fail becomes the error that says what to do next, and nothing happens twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.discussions import CommentDraft
from connectors.errors import OutcomeUnknown, RetryLater
from connectors.records import Record
from connectors.simulation_network import FaultKind

if TYPE_CHECKING:
    from tests.contract.conftest import Bench

UNANSWERED: tuple[FaultKind, ...] = (
    "500", "502", "503", "timeout_before", "timeout_after", "reset_before", "reset_after", "garbage",
)  # fmt: skip
DONE: tuple[FaultKind, ...] = ("timeout_after", "reset_after", "garbage")
NOT_DONE: tuple[FaultKind, ...] = ("500", "timeout_before", "reset_before")
DRAFT = CommentDraft(text="Text", author_name="Ada", source_url="https://example.com/c/1")


def _reads(bench: Bench, record: Record) -> list[Coroutine[Any, Any, Any]]:
    session, container = bench.session, bench.container
    return [
        session.fetch_many([record.ref]),
        session.listing(container, None),
        session.comments(record.ref),
    ]


@pytest.mark.parametrize("kind", UNANSWERED)
async def test_a_read_is_tried_later(hasty_bench: Bench, kind: FaultKind) -> None:
    bench = hasty_bench
    record = await bench.made_by_person()
    bench.fail(kind, writes=False)
    for read in _reads(bench, record):
        with pytest.raises(RetryLater) as caught:
            await read
        assert caught.value.reason
    bench.simulator.faults.clear()
    assert await bench.record(record.ref) == record


@pytest.mark.parametrize("kind", UNANSWERED)
async def test_the_outcome_of_a_write_is_unknown(hasty_bench: Bench, kind: FaultKind) -> None:
    bench = hasty_bench
    record = await bench.ours_to_edit()
    comment = await bench.session.add_comment(record.ref, DRAFT)
    await bench.create(title="First")  # what sessions read once is read
    bench.fail(kind, writes=True)
    calls: dict[str, Awaitable[object]] = {
        "update": bench.session.update(record.ref, {"title": "Perhaps"}, record),
        "create": bench.create(title="Perhaps"),
        "add_comment": bench.session.add_comment(record.ref, DRAFT),
        "delete_comment": bench.session.delete_comment(comment.ref),
    }
    if bench.connector.capabilities.comment_edits:
        calls["edit_comment"] = bench.session.edit_comment(comment.ref, DRAFT)
    ends = {}
    for name, call in calls.items():  # many at once wait for each other, and some are not sent in time
        (end,) = await asyncio.gather(call, return_exceptions=True)
        ends[name] = type(end)
    assert ends == dict.fromkeys(calls, OutcomeUnknown)


@pytest.mark.parametrize("kind", UNANSWERED)
async def test_a_write_is_never_repeated(hasty_bench: Bench, kind: FaultKind) -> None:
    bench = hasty_bench
    record = await bench.ours_to_edit()
    await bench.create(title="First")
    before = len(_writes(bench))
    bench.fail(kind, writes=True)
    with pytest.raises(OutcomeUnknown):
        await bench.session.update(record.ref, {"title": "Perhaps"}, record)
    assert len(_writes(bench)) == before + 1


@pytest.mark.parametrize("kind", DONE)
async def test_a_creation_that_happened_is_found(
    hasty_bench: Bench, kind: FaultKind, new_key: Callable[[], Any]
) -> None:
    bench, key = hasty_bench, new_key()
    since = datetime.now(UTC) - timedelta(minutes=1)
    await bench.create(title="First")
    bench.fail(kind, writes=True, times=1)
    with pytest.raises(OutcomeUnknown):
        await bench.create(key, title="Once", notes="Text")
    bench.simulator.faults.clear()
    (found,) = await bench.session.find_created(bench.container, key, since)
    bench.assert_same({"title": "Once", "notes": "Text"}, found.fields)
    if bench.connector.capabilities.exact_create:
        assert (await bench.create(key, title="Once", notes="Text")).ref == found.ref
    assert len(bench.simulator.objects(bench.container)) == 2


@pytest.mark.parametrize("kind", NOT_DONE)
async def test_a_creation_that_did_not_happen_is_not_found(
    hasty_bench: Bench, kind: FaultKind, new_key: Callable[[], Any]
) -> None:
    bench, key = hasty_bench, new_key()
    since = datetime.now(UTC) - timedelta(minutes=1)
    await bench.create(title="First")
    bench.fail(kind, writes=True, times=1)
    with pytest.raises(OutcomeUnknown):
        await bench.create(key, title="Once")
    bench.simulator.faults.clear()
    assert not await bench.session.find_created(bench.container, key, since)
    await bench.create(key, title="Once")
    assert len(bench.simulator.objects(bench.container)) == 2


@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
async def test_the_whole_connection_is_silent_when_asked(bench: Bench, writes: bool) -> None:
    record = await bench.ours_to_edit()
    await bench.create(title="First")
    bench.fail("429", writes=writes, times=1, retry_after=30)
    update = bench.session.update(record.ref, {"title": "Not now"}, record)
    with pytest.raises(RetryLater) as caught:
        await (update if writes else bench.session.check())
    update.close()
    assert caught.value.limited
    assert caught.value.after == pytest.approx(30, abs=1)
    sent = len(bench.simulator.journal)
    for read in _reads(bench, record):
        with pytest.raises(RetryLater) as held:
            await read
        assert held.value.limited
        assert held.value.after is not None
        assert 25 < held.value.after <= 30
    assert len(bench.simulator.journal) == sent
    view = bench.simulator.view(record.ref.id)
    assert view is not None
    assert view["title"] == record.fields["title"]


async def test_the_provider_is_down(bench: Bench) -> None:
    record = await bench.made_by_person()
    async with bench.opened("http://127.0.0.1:9") as nowhere:  # the port that discards
        with pytest.raises(RetryLater):
            await nowhere.session.check()
        with pytest.raises(RetryLater):
            await nowhere.session.fetch_many([record.ref])


def _writes(bench: Bench) -> list[Any]:
    return [exchange for exchange in bench.simulator.journal if exchange.method not in ("GET", "HEAD")]
