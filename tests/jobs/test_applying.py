"""Applying a configuration: every problem at once, all or nothing, and never more than was agreed to."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from connectors.memory.simulator import MemorySimulator
from connectors.simulation import Fault, serve
from sync.configuration import ConfigurationInvalid
from sync.jobs.configuring.applying import NeedsConsent, apply, exported
from sync.jobs.configuring.foresight import Foreseen
from sync.reconcile.model import Side
from sync.store.tables import Audit, Connection, Link, Mapping, Mark, Seen, Setting
from tests.jobs.conftest import Build
from tests.jobs.world import World, read


async def refused(world: World, document: dict[str, Any]) -> dict[str, str]:
    """The problems by path."""
    with pytest.raises(ConfigurationInvalid) as caught:
        await world.apply_document(document)
    return {problem.path: problem.message for problem in caught.value.problems}


async def test_all_problems_at_once_and_nothing_half_applied(build: Build) -> None:
    world = await build()
    document = deepcopy(world.document)
    (mapping,) = document["mappings"]
    wrong = {
        **mapping,
        "name": "wrong",
        "container": "nowhere",
        "asana": {**mapping["asana"], "section": "9"},
    }
    document["connections"].append(
        {**document["connections"][1], "name": "bad", "credentials": {"token": "x"}}
    )
    document["mappings"] = [{**mapping, "direction": "to_asana"}, {**wrong, "create": {"from_asana": False}}]
    problems = await refused(world, document)
    assert "connections[2].credentials" in problems
    assert "mappings[1].container" in problems
    assert "no section" in problems["mappings[1].asana.section"]
    stored = await world.the(Mapping)
    assert (stored.version, stored.config["direction"]) == (1, "both")
    assert [row.name for row in await world.rows(Connection)] == ["our-asana", "other"]


async def test_fields_that_are_not_there_or_do_not_fit(world: World) -> None:
    document = deepcopy(world.document)
    document["mappings"][0]["fields"] = [
        {"asana": "title", "external": "nothing"},
        {"asana": "notes", "external": "state"},
        {"asana": "assignee", "external": "assignee"},
    ]
    problems = await refused(world, document)
    assert "no field 'nothing'" in problems["mappings[0].fields[0].external"]
    assert "cannot be written into" in problems["mappings[0].fields[1]"]
    assert not any("fields[2]" in path for path in problems)


async def test_the_same_again_changes_nothing(world: World) -> None:
    before = (await world.the(Mapping)).version
    audited = len(await world.rows(Audit))
    applied = await world.apply()
    assert (applied.changes, applied.writes) == ([], 0)
    assert (await world.the(Mapping)).version == before
    assert len(await world.rows(Audit)) == audited


async def test_a_dry_run_tells_and_does_nothing(world: World) -> None:
    applied = await world.apply(dry_run=True, direction="to_asana", conflict="ask")
    assert applied.changes == ["mapping web: direction, conflict changed"]
    assert (await world.the(Mapping)).version == 1


async def test_more_than_fifty_creations_need_consent(build: Build) -> None:
    world = await build(first=False)
    for number in range(51):
        world.external.new(world.container, title=f"Number {number}")
    with pytest.raises(NeedsConsent) as caught:
        await world.apply(consent=False, since="all")
    assert caught.value.applied.foreseen == {"web": Foreseen(creations=51)}
    assert (await world.the(Mapping)).config["since"] == "now"
    applied = await world.apply(consent=True, since="all")
    assert applied.writes == 51
    assert (await world.the(Mapping)).config["since"] == "all"


@pytest.mark.parametrize("mode", ["match_only", "match_then_create"])
async def test_what_would_be_matched_is_not_counted_as_created(build: Build, mode: str) -> None:
    world = await build(first=False)
    for number in range(3):
        world.external.new(world.container, title=f"Number {number}", notes="Words")
        world.hub.new(world.project, title=f"Number {number}")
    for title in ("Alone", "Twice", "Twice"):
        world.external.new(world.container, title=title)
    world.hub.new(world.project, title="Twice")
    document = deepcopy(world.document)
    document["mappings"].append(
        {**document["mappings"][0], "name": "second", "match": {"mode": mode}, "since": "all"}
    )
    document["mappings"].pop(0)
    applied = await world.apply_document(document)
    told = applied.foreseen["second"]
    created = 1 if mode == "match_then_create" else 0
    assert (told.matched, told.creations, told.updates) == (3, created, 3)
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) - before == applied.writes


async def test_updates_that_new_rules_would_bring_are_counted(build: Build) -> None:
    only_title = [{"asana": "title", "external": "title"}]
    world = await build(fields=only_title)
    for number in range(4):
        world.external.new(world.container, title=f"Number {number}", notes="not mapped yet")
    await world.settle()
    edited = world.things()[0]
    world.external.edit(edited, title="An edit that waits for its turn, whatever the rules")
    for item in world.things()[1:3]:
        world.external.edit(item, labels=["urgent"])
    first = await world.apply(dry_run=True, fields=[*only_title, {"asana": "labels", "external": "labels"}])
    assert first.foreseen == {"web": Foreseen(updates=2)}
    wider = [*only_title, {"asana": "notes", "external": "notes"}]
    before = len(world.writes())
    applied = await world.apply(fields=wider)
    assert (applied.foreseen, applied.writes) == ({"web": Foreseen(updates=4)}, 4)
    await world.settle(full=True)
    assert len(world.writes()) - before == 4, "the edit of the title goes with the notes of that task"
    again = await world.apply(dry_run=True, conflict="asana")
    assert again.foreseen == {"web": Foreseen()}


async def test_newly_mapped_people_are_counted_by_the_list_that_shall_be(build: Build) -> None:
    only_title = [{"asana": "title", "external": "title"}]
    world = await build(fields=only_title)
    await world.paired(assignee="sync-bot")
    document = deepcopy(world.document)
    document["mappings"][0]["fields"] = [*only_title, {"asana": "assignee", "external": "assignee"}]
    unknown = await world.apply_document(document, dry_run=True)
    document["people"] = [{"asana": "ada@example.com", "memory": "u-sync-bot"}]
    known = await world.apply_document(document, dry_run=True)
    assert (unknown.writes, known.writes) == (0, 1)


async def test_new_credentials_and_new_rules_at_once(world: World) -> None:
    await world.paired()
    world.external.token = "fresh"  # type: ignore[attr-defined]
    applied = await world.apply(conflict="asana")
    assert applied.changes == ["connection other: credentials changed", "mapping web: conflict changed"]
    assert applied.foreseen == {"web": Foreseen()}


async def test_what_cannot_be_counted_needs_consent(world: World) -> None:
    await world.paired()
    world.external.faults.add(Fault(kind="503", path="/items", times=None))
    with pytest.raises(NeedsConsent, match="what web would write could not be counted"):
        await world.apply(consent=False, direction="to_asana")


async def test_backlinks_that_cannot_be_hidden_are_said(world: World) -> None:
    applied = await world.apply(dry_run=True, backlinks=False)
    assert any("backlinks are off" in warning and "Asana" in warning for warning in applied.warnings)
    assert not any(
        "backlinks" in warning for warning in (await world.apply(dry_run=True, backlinks=True)).warnings
    )


async def test_credentials_of_another_account_are_refused(world: World) -> None:
    await world.change(Connection, {"account_id": "somebody else", "account_name": "Else"}, name="other")
    document = deepcopy(world.document)
    document["connections"][1]["settings"]["base_url"] += "/"
    problems = await refused(world, document)
    assert "this connection is Else's" in problems["connections[1].credentials"]


async def test_another_place_needs_another_name(world: World) -> None:
    document = deepcopy(world.document)
    document["connections"][1]["settings"]["store"] = "second"
    problems = await refused(world, document)
    assert "another name" in problems["connections[1].settings"]


async def test_a_provider_that_does_not_answer_is_a_warning(build: Build) -> None:
    world = await build(first=False)
    world.external.faults.add(Fault(kind="503", times=None))
    document = deepcopy(world.document)
    document["connections"][1]["settings"]["base_url"] += "/"
    applied = await world.apply_document(document)
    assert any("could not be checked" in warning for warning in applied.warnings)


async def test_a_changed_mapping_keeps_its_links_and_looks_at_everything(world: World) -> None:
    await world.paired()
    await world.apply(conflict="asana")
    mapping = await world.the(Mapping)
    assert (mapping.version, mapping.full_pass_due, mapping.state) == (2, True, "active")
    assert (await world.link()).state == "active"
    before = len(world.writes())
    await world.settle()
    assert len(world.writes()) == before, "a change of rules writes nothing by itself"


async def test_a_field_that_is_no_longer_mapped_is_forgotten_and_not_blanked(world: World) -> None:
    await world.paired(notes="text")
    await world.apply(fields=[{"asana": "title", "external": "title"}])
    await world.settle()
    assert {row.field for row in await world.rows(Seen)} == {"title"}
    assert "text" in world.task()["notes"]


async def test_a_mapping_that_leads_elsewhere_starts_anew(world: World) -> None:
    item, task = await world.paired()
    second = world.external.new_container("second")
    document = deepcopy(world.document)
    document["mappings"][0]["container"] = second
    world.clock.advance(2)
    world.external.clock.advance(3)
    await world.apply_document(document)
    mapping = await world.the(Mapping)
    assert (mapping.state, mapping.external_container) == ("first_sync", second)
    assert await world.rows(Link, state="active") == []
    await world.settle()
    assert world.hub.view(task) is not None
    assert world.external.view(item) is not None
    assert world.external.objects(second) == []
    world.external.new(second, title="In the new place")
    await world.settle()
    assert len(world.tasks()) == 2


async def test_a_removed_mapping_changes_nothing_at_the_providers_and_may_come_back(world: World) -> None:
    item, task = await world.paired()
    before = len(world.writes())
    whole = deepcopy(world.document)
    applied = await world.apply_document({**whole, "mappings": []})
    assert applied.changes == ["mapping web: removed (nothing changes at the providers)"]
    world.external.edit(item, title="While it was away")
    await world.settle()
    assert len(world.writes()) == before
    await world.apply_document(whole)
    assert (await world.the(Mapping)).removed_at is None
    await world.settle()
    assert world.task()["title"] == "While it was away"
    assert (world.things(), world.tasks()) == ([item], [task])


async def test_removed_connections_and_people(world: World) -> None:
    applied = await world.apply_document({"connections": [], "mappings": [], "people": []})
    assert "connection other: removed" in applied.changes
    assert all(row.removed_at is not None for row in await world.rows(Connection))
    document = deepcopy(world.document)
    document["people"] = [{"asana": "ada@example.com", "memory": "u-bob"}]
    applied = await world.apply_document(document)
    assert {"connection other: added", "mapping web: added", "people: changed"} <= set(applied.changes)
    people = await world.the(Setting, key="people")
    assert people.value == [{"asana": "ada@example.com", "memory": "u-bob"}]
    world.external.new(world.container, title="For ada", assignee="bob")
    await world.settle()
    assert world.task()["assignee"] == "ada", "the list comes before the email"


async def test_a_stopped_mapping_starts_again_when_it_is_applied_changed(world: World) -> None:
    await world.change(Mapping, {"state": "stopped", "reason": "why"})
    await world.apply(conflict="external")
    mapping = await world.the(Mapping)
    assert (mapping.state, mapping.reason) == ("active", "")


async def test_the_exported_configuration_names_credentials_and_shows_none(world: World) -> None:
    told = await exported(world.engine)
    assert told["connections"][1]["credentials"] == {"token": "${OTHER_TOKEN}"}
    assert "mem-" not in str(told)
    assert told["mappings"][0]["name"] == "web"


async def test_new_credentials_are_taken_by_the_open_session(world: World) -> None:
    item, _ = await world.paired()
    world.external.token = "fresh"  # type: ignore[attr-defined]
    applied = await world.apply()
    assert applied.changes == ["connection other: credentials changed"]
    world.external.edit(item, title="With the new ones")
    await world.settle()
    assert world.task()["title"] == "With the new ones"


async def test_a_second_store_is_a_second_connection(world: World) -> None:
    other = MemorySimulator()
    async with serve(other) as url:
        other.new_container("website")
        document = deepcopy(world.document)
        document["connections"].append({"name": "third", "connector": "memory", **other.connection(url)})
        document["connections"][2]["settings"]["store"] = "third"
        document["mappings"].append(
            {
                **document["mappings"][0],
                "name": "third",
                "connection": "third",
                "create": {"to_asana": True, "from_asana": False},
            }
        )
        await world.apply_document(document)
        made = other.new("website", title="From the third")
        await world.settle()
        assert world.task()["title"] == "From the third"
        assert other.objects("website") == [made]
        assert await world.rows(Mark) == []
        await world.engine.sessions.aclose()


async def test_the_account_may_change_where_that_is_confirmed(world: World) -> None:
    await world.change(Connection, {"account_id": "u-9", "account_name": "old bot"}, name="other")
    document = deepcopy(world.document)
    world.external.token = document["connections"][1]["credentials"]["token"] = "new"  # type: ignore[attr-defined]
    problems = await refused(world, document)
    assert "--other-account other" in problems["connections[1].credentials"]
    applied = await apply(world.engine, read(document), other_accounts=["other"])
    assert "takes the place of old bot" in " ".join(applied.warnings)
    row = await world.the(Connection, name="other")
    assert (row.state, row.account_id) == ("ok", "u-sync-bot")
    await world.paired(title="It goes on")


async def test_comments_that_were_left_alone_are_counted_before_they_are_copied(build: Build) -> None:
    world = await build(comments={"from_asana": False})
    item, task = await world.paired()
    world.hub.comment(task, "among us", by="ada")
    world.external.comment(item, "crosses anyway", by="bob")
    await world.settle()
    assert len(world.thing()["comments"]) == 1
    seen = await world.apply(dry_run=True, comments={"from_asana": True})
    assert (seen.foreseen["web"].comments, seen.writes) == (1, 1)
    await world.apply(comments={"from_asana": True})
    await world.settle()
    assert len(world.thing()["comments"]) == 2


async def test_comments_of_the_past_are_counted_and_then_copied(build: Build) -> None:
    world = await build(
        first=False, since="all", prepare=lambda world: {"match": {"mode": "create"}, "conflict": "asana"}
    )
    item = world.external.new(world.container, title="Old")
    world.external.comment(item, "Before the mapping", by="ada")
    world.external.comment(item, "Before it, too", by="bob")
    long_after = world.engine.in_s(3600).isoformat()
    await world.change(Mapping, {"started": {side.value: long_after for side in Side}})
    await world.settle()
    assert world.task()["comments"] == []
    wanted = {"to_asana": True, "from_asana": True, "history": True}
    seen = await world.apply(dry_run=True, comments=wanted)
    assert (seen.foreseen["web"].comments, seen.writes) == (2, 2)
    before = len(world.writes())
    await world.apply(comments=wanted)
    await world.settle()
    assert len(world.task()["comments"]) == 2
    assert len(world.writes()) - before == 2


async def test_another_scope_names_what_enters_leaves_and_is_written(build: Build) -> None:
    rules = [{"asana": name, "external": name} for name in ("title", "labels")]
    world = await build(filter={"labels": ["bug"]}, fields=rules)
    await world.paired(title="Stays", labels=["bug", "ui"], notes="not mapped yet")
    await world.paired(title="Leaves", labels=["bug"])
    world.external.new(world.container, title="Enters", labels=["ui"])
    await world.settle()
    rules = [*rules, {"asana": "notes", "external": "notes"}]
    seen = await world.apply(dry_run=True, filter={"labels": ["ui"]}, fields=rules)
    told = seen.foreseen["web"]
    assert [entry["title"] for entry in told.enters] == ["Enters"]
    assert [entry["title"] for entry in told.leaves] == ["Leaves"]
    (written,) = told.written
    assert (written["title"], [part["field"] for part in written["fields"]]) == ("Stays", ["notes"])
    before = len(world.writes())
    await world.apply(filter={"labels": ["ui"]}, fields=rules)
    await world.settle()
    assert len(world.writes()) - before == seen.writes == 2
