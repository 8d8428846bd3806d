"""Polling the simulated Asana: listing and events together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connectors.base import Session
from connectors.changes import Change, Page
from connectors.errors import PauseMapping, RetryLater
from connectors.records import Gone
from connectors.simulation import Fault

if TYPE_CHECKING:
    from connectors.asana.conftest import Bench


async def drained(session: Session, project: str, cursor: Any) -> tuple[list[Change], Any, bool]:
    """(all changes up to now, the cursor after them, whether some are lost)."""
    changes: list[Change] = []
    lost = False
    while True:
        page: Page = await session.changes(project, cursor)
        changes += page.changes
        cursor, lost = page.cursor, lost or page.lost
        if not page.more:
            return changes, cursor, lost


class TestChanges:
    async def test_start_tells_no_history(self, bench: Bench) -> None:
        bench.simulator.new(bench.project, title="old")
        page = await bench.session.changes(bench.project, None)
        assert (page.changes, page.more, page.lost) == ((), False, False)

    async def test_each_change_once(self, bench: Bench) -> None:
        cursor = (await bench.session.changes(bench.project, None)).cursor
        gid = bench.simulator.new(bench.project, title="new")
        changes, cursor, _ = await drained(bench.session, bench.project, cursor)
        assert [(change.ref.id, change.comments) for change in changes] == [(gid, True)]
        assert changes[0].record is not None
        assert changes[0].record.fields["title"] == "new"
        changes, cursor, _ = await drained(bench.session, bench.project, cursor)
        assert changes == []
        bench.simulator.edit(gid, title="newer")
        changes, cursor, _ = await drained(bench.session, bench.project, cursor)
        assert [change.record.fields["title"] for change in changes if change.record] == ["newer"]

    async def test_what_only_events_tell(self, bench: Bench) -> None:
        simulator = bench.simulator
        edited, moved, deleted = (simulator.new(bench.project, title=title) for title in "abc")
        comment = simulator.comment(edited, "typo")
        cursor = (await bench.session.changes(bench.project, None)).cursor
        _, cursor, _ = await drained(bench.session, bench.project, cursor)
        simulator.edit_comment(comment, "no typo")
        simulator.edit(moved, section="Done")
        simulator.remove(deleted)
        changes, _, lost = await drained(bench.session, bench.project, cursor)
        told = {change.ref.id: change for change in changes}
        assert told[edited].comments
        assert moved in told
        assert told[deleted].gone == Gone("Asana's deleted event")
        assert not lost

    async def test_storm_over_several_pages(self, bench: Bench) -> None:
        cursor = (await bench.session.changes(bench.project, None)).cursor
        made = {bench.simulator.new(bench.project, title=f"{number}") for number in range(250)}
        changes, cursor, _ = await drained(bench.session, bench.project, cursor)
        assert {change.ref.id for change in changes if change.record} == made
        assert len(changes) < 2 * len(made)
        assert (await drained(bench.session, bench.project, cursor))[0] == []

    async def test_expired_token_means_lost_changes(self, bench: Bench) -> None:
        cursor = (await bench.session.changes(bench.project, None)).cursor
        bench.simulator.workspace.log.expire_tokens()
        _, cursor, lost = await drained(bench.session, bench.project, cursor)
        assert lost
        _, cursor, lost = await drained(bench.session, bench.project, cursor)
        assert not lost

    async def test_polling_goes_on_without_events(self, bench: Bench) -> None:
        cursor = (await bench.session.changes(bench.project, None)).cursor
        bench.simulator.faults.add(Fault(kind="503", path="/events", times=None))
        gid = bench.simulator.new(bench.project, title="new")
        changes, cursor, lost = await drained(bench.session, bench.project, cursor)
        assert ([change.ref.id for change in changes], lost) == ([gid], False)
        bench.simulator.faults.clear()
        bench.simulator.remove(gid)
        changes, cursor, lost = await drained(bench.session, bench.project, cursor)
        assert [change.gone is not None for change in changes] == [True]

    async def test_write_that_shows_late_is_not_missed(self, bench: Bench) -> None:
        bench.simulator.workspace.log.lost = True
        cursor = (await bench.session.changes(bench.project, None)).cursor
        bench.simulator.visible_after_s = 60
        gid = bench.simulator.new(bench.project, title="new")
        changes, cursor, _ = await drained(bench.session, bench.project, cursor)
        assert changes == []
        bench.simulator.clock.advance(61)
        changes, cursor, _ = await drained(bench.session, bench.project, cursor)
        assert [change.ref.id for change in changes] == [gid]

    async def test_clock_that_went_back_asks_for_a_full_pass(self, bench: Bench) -> None:
        cursor = (await bench.session.changes(bench.project, None)).cursor
        bench.simulator.clock.advance(-3600)
        assert (await drained(bench.session, bench.project, cursor))[2]

    async def test_one_answer_with_a_time_ahead_leads_past_nothing_unnoticed(self, bench: Bench) -> None:
        cursor = (await bench.session.changes(bench.project, None)).cursor
        bench.simulator.workspace.log.lost = True
        bench.simulator.clock.advance(3600)
        _, cursor, _ = await drained(bench.session, bench.project, cursor)
        bench.simulator.clock.advance(-3600)
        bench.simulator.new(bench.project, title="between the two times")
        assert (await drained(bench.session, bench.project, cursor))[2], "a full pass is asked for"

    async def test_cursor_of_another_version_starts_again(self, bench: Bench) -> None:
        page = await bench.session.changes(bench.project, {"at": 7})
        assert (page.changes, page.lost) == ((), True)

    @pytest.mark.parametrize("project", ["424242", "no-id"])
    async def test_project_that_cannot_be_seen_pauses_the_mapping(self, bench: Bench, project: str) -> None:
        cursor = (await bench.session.changes(bench.project, None)).cursor
        for call in (
            bench.session.changes(project, None),
            bench.session.changes(project, cursor),
            bench.session.listing(project, None),
            bench.session.container(project),
        ):
            with pytest.raises(PauseMapping):
                await call

    async def test_listing_with_an_expired_offset_starts_again(self, bench: Bench) -> None:
        for number in range(101):
            bench.simulator.new(bench.project, title=f"{number}", state="closed" if number % 2 else "open")
        first = await bench.session.listing(bench.project, None)
        assert (len(first.changes), first.more) == (100, True)
        assert len((await bench.session.listing(bench.project, first.cursor)).changes) == 1
        bench.simulator.clock.advance(3600)
        with pytest.raises(RetryLater):
            await bench.session.listing(bench.project, first.cursor)
