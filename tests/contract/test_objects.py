"""Creating, reading, changing and deleting objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.errors import Park, ReplanNeeded
from connectors.records import Gone, Hidden, Record

if TYPE_CHECKING:
    from connectors.records import Key
    from tests.contract.conftest import Bench

MARKDOWN = """\
# Heading

Text with **bold**, *emphasis*, `code` and a [link](https://example.com/a?b=1&c=2).

- one
- two

1. first
2. second

```
if a < b && c > d:
    pass
```
"""


async def test_what_is_created_is_read_back(bench: Bench) -> None:
    sent = await bench.offered(
        title="A title", notes=MARKDOWN, labels=("bug", "ui"), assignee=await bench.assigned("ada")
    )
    before = datetime.now(UTC) - timedelta(seconds=2)
    created = await bench.create(**sent)
    read = await bench.record(created.ref)
    for record in (created, read, (await bench.listed())[created.ref.id]):
        bench.assert_same({**sent, "state": "open"}, record.fields)
        assert record.ref == created.ref
        assert record.created_by_us
        assert bench.container in record.places
        assert before <= record.created_at <= record.modified_at
        assert record.key
        assert record.url
    assert (read.ref.connector, read.ref.site) == (
        bench.connector.name,
        bench.connector.site(bench.settings),
    )
    assert read.ref.kind in bench.connector.capabilities.kinds


async def test_people_see_what_was_created(bench: Bench) -> None:
    sent = await bench.offered(title="Seen", labels=("bug",), assignee=await bench.assigned("bob"))
    created = await bench.create(**sent)
    view = bench.simulator.view(created.ref.id)
    assert view is not None
    assert (view["title"], view["state"]) == ("Seen", "open")
    assert view["assignee"] == ("bob" if "assignee" in sent else None)
    assert list(view["labels"]) == (["bug"] if "labels" in sent else [])


async def test_what_a_person_made_is_read(bench: Bench) -> None:
    record = await bench.made_by_person(title="By hand", labels=["ui", "bug"], assignee="ada")
    bench.assert_same(
        await bench.offered(title="By hand", labels=("bug", "ui"), assignee=await bench.assigned("ada")),
        record.fields,
    )
    assert not record.created_by_us
    assert record.author is not None
    assert record.author.id == await bench.user_id("ada")


async def test_a_created_object_is_found_by_its_key(bench: Bench, new_key: Callable[[], Key]) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    key, other = new_key(), new_key()
    created = await bench.create(key, title="Keyed", notes="Text of its own")
    await bench.create(other, title="Keyed", notes="Text of its own")
    found = await bench.session.find_created(bench.container, key, since)
    assert [record.ref for record in found] == [created.ref]
    assert {key.token, key.url} & found[0].keys
    assert bench.session.same("notes", "Text of its own", found[0].fields["notes"])
    assert not await bench.session.find_created(bench.container, new_key(), since)


async def test_the_same_key_makes_one_object(bench: Bench, new_key: Callable[[], Key]) -> None:
    if not bench.connector.capabilities.exact_create:
        return
    key = new_key()
    first = await bench.create(key, title="Once")
    assert (await bench.create(key, title="Once")).ref == first.ref
    assert bench.simulator.objects(bench.container) == [first.ref.id]


async def test_the_key_survives_a_change_of_the_notes(bench: Bench, new_key: Callable[[], Key]) -> None:
    key = new_key()
    created = await bench.create(key, title="Keyed", notes="Before")
    await bench.session.update(created.ref, {"notes": "After"}, created)
    read = await bench.record(created.ref)
    assert bench.session.same("notes", "After", read.fields["notes"])
    assert {key.token, key.url} & read.keys


async def test_a_change_leaves_the_rest(bench: Bench) -> None:
    before = await bench.ours_to_edit(title="Before", notes="Notes", labels=["bug"], assignee="ada")
    bench.simulator.clock.advance(2)  # some providers count whole seconds
    answered = await bench.session.update(before.ref, {"title": "After"}, before)
    read = await bench.record(before.ref)
    for record in (answered, read):
        assert record.fields == {**before.fields, "title": "After"}
        assert record.version > before.version


async def test_every_field_can_be_changed_and_emptied(bench: Bench) -> None:
    record = await bench.ours_to_edit(title="One", notes="Text", labels=["bug", "ui"], assignee="ada")
    nobody = () if isinstance(await bench.assigned("ada"), tuple) else None
    for change in (
        {"notes": MARKDOWN},
        {"state": "closed"},
        await bench.offered(labels=("api", "ui"), assignee=await bench.assigned("bob")),
        {"state": "open", "title": "Two"},
        await bench.offered(notes="", labels=(), assignee=nobody),
    ):
        record = await bench.session.update(record.ref, change, record)
        bench.assert_same(change, record.fields)
        bench.assert_same(change, (await bench.record(record.ref)).fields)
    view = bench.simulator.view(record.ref.id)
    assert view is not None
    assert (view["title"], view["state"], view["assignee"], list(view["labels"])) == ("Two", "open", None, [])


async def test_a_stale_change_is_refused(bench: Bench) -> None:
    if not bench.connector.capabilities.preconditions:
        return
    stale = await bench.made_by_person(title="One")
    bench.simulator.edit(stale.ref.id, title="Two", by="bob")
    with pytest.raises(ReplanNeeded):
        await bench.session.update(stale.ref, {"title": "Three"}, stale)
    with pytest.raises(ReplanNeeded):
        await bench.session.delete(stale.ref, stale)
    assert (await bench.record(stale.ref)).fields["title"] == "Two"


async def test_an_element_added_meanwhile_stays(bench: Bench) -> None:
    if "labels" not in await bench.specs():
        pytest.skip("its objects have no labels")
    stale = await bench.made_by_person(labels=["bug"])
    bench.simulator.edit(stale.ref.id, labels=["bug", "urgent"], by="bob")
    change = {"labels": ("bug", "ui")}
    try:
        await bench.session.update(stale.ref, change, stale)
    except ReplanNeeded:
        fresh = await bench.record(stale.ref)
        await bench.session.update(stale.ref, {"labels": ("bug", "ui", "urgent")}, fresh)
    assert (await bench.record(stale.ref)).fields["labels"] == ("bug", "ui", "urgent")


async def test_deleted_is_never_a_record(bench: Bench) -> None:
    living, by_person, by_us = [await bench.made_by_person(title=title) for title in ("a", "b", "c")]
    bench.simulator.remove(by_person.ref.id)
    try:
        await bench.session.delete(by_us.ref, by_us)
        await bench.session.delete(by_us.ref, by_us)
    except Park:
        bench.simulator.remove(by_us.ref.id)  # not for every account
    refs = [living.ref, by_person.ref, by_us.ref]
    found = await bench.session.fetch_many(refs)
    assert set(found) == set(refs)
    assert isinstance(found[living.ref], Record)
    assert isinstance(found[by_person.ref], Gone | Hidden)
    assert isinstance(found[by_us.ref], Gone | Hidden)
    assert set(await bench.listed()) == {living.ref.id}


async def test_a_change_of_a_deleted_object_is_refused(bench: Bench) -> None:
    record = await bench.made_by_person()
    bench.simulator.remove(record.ref.id)
    with pytest.raises((ReplanNeeded, Park)):
        await bench.session.update(record.ref, {"title": "Too late"}, record)


async def test_read_only_fields_are_named_and_refused(bench: Bench) -> None:
    capabilities = bench.connector.capabilities
    for kind in set(capabilities.kinds) - set(capabilities.creatable):
        record = await bench.made_by_person(kind=kind)
        assert record.ref.kind == kind
        assert record.read_only, f"why can no {kind} be created, if all of it can be written?"
        for field in record.read_only & {"state"}:
            with pytest.raises(Park):
                await bench.session.update(record.ref, {field: "closed"}, record)
        assert (await bench.record(record.ref)).fields == record.fields


async def test_an_empty_title_is_taken_or_parked(bench: Bench) -> None:
    record = await bench.ours_to_edit(title="Fine")
    parked: Park | None = None
    try:
        await bench.session.update(record.ref, {"title": ""}, record)
    except Park as park:
        parked = park
    assert parked is None or parked.reason
    assert (await bench.record(record.ref)).fields["title"] == ("Fine" if parked else "")


async def test_history_of_fields(bench: Bench) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    record = await bench.made_by_person(title="Before")
    bench.simulator.edit(record.ref.id, title="After", state="closed", by="bob")
    times = await bench.session.field_times(record.ref, since)
    assert all(entry.at >= since for entry in times)
    titles = [entry for entry in times if entry.field == "title"]
    for entry in titles:
        assert entry.author is not None
        assert entry.author.id == await bench.user_id("bob")
        assert not entry.has_values or (entry.before, entry.after) == ("Before", "After")
