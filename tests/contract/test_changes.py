"""Listings are complete, and polling with a cursor leaves no gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.records import Record

if TYPE_CHECKING:
    from tests.contract.conftest import Bench

MANY = 110
"""More than one page at every provider."""


async def test_a_listing_is_complete_across_equal_times(stopped_bench: Bench) -> None:
    bench = stopped_bench
    made = {bench.simulator.new(bench.container, title=f"Object {number}") for number in range(MANY)}
    listed = await bench.listed()
    assert set(listed) == made
    found = await bench.session.fetch_many([record.ref for record in listed.values()])
    assert len(found) == MANY
    assert all(isinstance(record, Record) for record in found.values())


async def test_an_empty_container(bench: Bench) -> None:
    assert await bench.listed() == {}
    changes, cursor = await bench.drain(None)
    assert changes == []
    assert (await bench.drain(cursor))[0] == []
    assert await bench.session.fetch_many([]) == {}


async def test_polling_starts_at_the_present(bench: Bench) -> None:
    old = await bench.made_by_person(title="Old")
    bench.simulator.clock.advance(3600)
    _, cursor = await bench.drain(None)
    new = await bench.made_by_person(title="New")
    refs = {change.ref for change in (await bench.drain(cursor))[0]}
    assert new.ref in refs
    assert old.ref not in refs


async def test_every_edit_of_a_person_is_told(bench: Bench) -> None:
    record = await bench.made_by_person(title="Start")
    _, cursor = await bench.drain(None)
    specs = await bench.specs()
    for fields in (
        {"title": "Another"},
        {"notes": "Other notes"},
        {"state": "closed"},
        {"state": "open"},
        {"assignee": "bob"},
        {"labels": ["urgent"]},
    ):
        if not fields.keys() <= specs.keys():
            continue
        bench.simulator.edit(record.ref.id, by="bob", **fields)
        changes, cursor = await bench.drain(cursor)
        assert record.ref in {change.ref for change in changes}, fields
        bench.simulator.clock.advance(5)


async def test_comments_are_told(bench: Bench) -> None:
    record, quiet = await bench.made_by_person(title="Talk"), await bench.made_by_person(title="Quiet")
    bench.simulator.clock.advance(600)
    _, cursor = await bench.drain(None)
    comment = bench.simulator.comment(record.ref.id, "A word", by="bob")
    changes, cursor = await bench.drain(cursor)
    assert record.ref in {change.ref for change in changes if change.comments}
    assert quiet.ref not in {change.ref for change in changes}
    bench.simulator.clock.advance(600)
    bench.simulator.edit_comment(comment, "Another word")
    changes, _ = await bench.drain(cursor)
    refs = {change.ref for change in changes if change.comments}
    if bench.connector.capabilities.comment_edits:
        assert refs <= {record.ref}


async def test_no_gap_between_polls(bench: Bench) -> None:
    records = [await bench.made_by_person(title=f"Object {number}") for number in range(6)]
    _, cursor = await bench.drain(None)
    for turn in range(4):
        edited = {records[turn].ref, records[turn + 1].ref, records[turn + 2].ref}
        for ref in edited:
            bench.simulator.edit(ref.id, title=f"Turn {turn} of {ref.id}")
        changes, cursor = await bench.drain(cursor)
        assert edited <= {change.ref for change in changes}


async def test_what_becomes_visible_late_is_not_skipped(bench: Bench) -> None:
    slow, quick = await bench.made_by_person(title="Slow"), await bench.made_by_person(title="Quick")
    bench.simulator.clock.advance(600)
    _, cursor = await bench.drain(None)
    bench.simulator.visible_after_s = 3.0
    bench.simulator.edit(slow.ref.id, title="Slow, edited")
    told = set()
    for _ in range(4):
        changes, cursor = await bench.drain(cursor)
        told |= {change.ref for change in changes}
        bench.simulator.clock.advance(1)
        bench.simulator.edit(quick.ref.id, title=f"Quick, {len(told)}, {cursor!s:.0}")
    bench.simulator.clock.advance(5)
    changes, cursor = await bench.drain(cursor)
    told |= {change.ref for change in changes}
    assert {slow.ref, quick.ref} <= told
    assert (await bench.record(slow.ref)).fields["title"] == "Slow, edited"


async def test_a_storm_is_told_whole(bench: Bench) -> None:
    _, cursor = await bench.drain(None)
    made = {bench.simulator.new(bench.container, title=f"Object {number}") for number in range(MANY)}
    changes, _ = await bench.drain(cursor)
    assert made <= {change.ref.id for change in changes}


async def test_versions_show_what_changed_and_nothing_else(bench: Bench) -> None:
    old, edited = await bench.made_by_person(title="Old"), await bench.made_by_person(title="Edited")
    bench.simulator.clock.advance(600)
    since = bench.simulator.clock.now()
    found = await bench.session.versions(bench.container, since)
    if found is None:
        return  # the provider has no such listing
    assert found == {}
    bench.simulator.clock.advance(5)
    bench.simulator.edit(edited.ref.id, title="Edited again")
    made = {bench.simulator.new(bench.container, title=f"Object {number}") for number in range(MANY)}
    found = await bench.session.versions(bench.container, since)
    assert found is not None
    assert found.keys() == {edited.ref.id, *made}, "over several pages"
    assert found[edited.ref.id] == (await bench.record(edited.ref)).version > edited.version
    assert old.ref.id not in found


async def test_too_many_versions_are_no_proof(stopped_bench: Bench) -> None:
    bench = stopped_bench
    since = bench.simulator.clock.now()
    if await bench.session.versions(bench.container, since) is None:
        return  # the provider has no such listing
    for number in range(21 * 100):
        bench.simulator.new(bench.container, title=f"Object {number}")
    assert await bench.session.versions(bench.container, since) is None
