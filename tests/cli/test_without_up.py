"""Commands where nothing runs: an empty folder, bad input, stores and providers that are away."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select, update

from connectors.simulation import Fault
from sync.settings import Settings
from sync.store.database import Database
from sync.store.tables import Connection, Link, Mapping, Mark, Subscription
from tests.e2e.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def applied(still: Town, folder: Path) -> tuple[dict[str, str], Database]:
    """The town's configuration in a folder of its own: (environment that names it, its database)."""
    place = {"ASANA_SYNC_DATA_DIR": str(folder)}
    assert (await still.cli("apply", str(still.file), **place)).code == 0
    return place, Database.open(Settings(data_dir=folder))


async def test_an_empty_folder_can_be_looked_at(still: Town, folder: Path) -> None:
    place = {"ASANA_SYNC_DATA_DIR": str(folder / "new")}
    names = ("status", "links", "conflicts", "parked", "deliveries", "export", "check", "people")
    said = await asyncio.gather(*(still.cli(name, "--json", **place) for name in names))
    assert [one.code for one in said] == [0] * len(names), [one.err for one in said]
    status, *listings, export, check, people = (one.json for one in said)
    assert status["instance"] == {"id": None, "url": None, "workers": []}
    assert all(listing == {"items": [], "next": None} for listing in [*listings, check, people])
    assert export == {"connections": [], "people": [], "mappings": []}
    assert (folder / "new").stat().st_mode & 0o077 == 0


async def test_apply_and_a_run_in_the_foreground(still: Town) -> None:
    place = still.places["main"]
    dry = await still.done("apply", str(still.file), "--dry-run")
    assert (dry["applied"], len(dry["changes"])) == (False, 4)
    assert (await still.done("status"))["mappings"] == []
    applied = await still.done("apply", str(still.file))
    assert applied["applied"] is True
    issue = still.github.new(place.repo, title="Made without up", by="ada")
    said = await still.cli("sync", "--once", "--json")
    assert said.code == 0, said.err
    assert said.json["quiet"] is True
    (task,) = still.asana.objects(place.project)
    assert (still.asana.view(task) or {})["title"] == (still.github.view(issue) or {})["title"]


async def test_what_was_written_is_put_back_on_both_sides(still: Town) -> None:
    place = still.places["main"]
    (issue,), (task,) = still.github.objects(place.repo), still.asana.objects(place.project)
    still.asana.edit(task, title="A change that should not have been", by="bob")
    await still.done("sync", "--once")
    dry = await still.done("revert", "--mapping", "main", "--since", "1h", "--dry-run")
    assert [(entry["side"], entry["to"]) for entry in dry["fields"]] == [("external", "Made without up")]
    assert (still.github.view(issue) or {})["title"] != "Made without up"
    said = await still.done("revert", "--mapping", "main", "--since", "1h")
    assert [entry["state"] for entry in said["fields"]] == ["done"]
    assert (still.github.view(issue) or {})["title"] == "Made without up"
    assert (still.asana.view(task) or {})["title"] == "Made without up"
    wrong = await still.cli("revert", "--mapping", "main", "--since", "yesterday")
    assert (wrong.code, "is no time" in wrong.err) == (2, True)


async def test_status_says_why_objects_wait(still: Town, folder: Path) -> None:
    place, database = await applied(still, folder / "waits")
    now = datetime.now(UTC)
    async with database.write() as session:
        (mapping,) = (await session.execute(select(Mapping))).scalars()
        of_mapping = {"mapping_id": mapping.id, "side": "hub", "ref": "r", "kind": "task", "object_id": "1"}
        due_at = now + timedelta(hours=1)
        session.add(Mark(**of_mapping, first_at=now, due_at=due_at, reason="turn"))
    await database.close()
    said = await still.cli("status", **place)
    assert "turn" in said.out


async def test_status_lists_what_waits_for_approval_and_webhooks_that_died(still: Town, folder: Path) -> None:
    place, database = await applied(still, folder / "lists")
    now = datetime.now(UTC)
    async with database.write() as session:
        (mapping,) = (await session.execute(select(Mapping))).scalars()
        gone = {"side": "hub", "proof": "trash", "at": "2026-01-01T00:00:00.000Z"}
        row = Link(
            mapping_id=mapping.id, external_key="acme/main#7", hub_title="Old", gone=gone, created_at=now
        )
        session.add(row)
        await session.flush()
        action = {"link": row.id, "external": row.external_key, "asana": row.hub_title, "gone": gone}
        over = {**action, "link": row.id + 1, "external": "acme/main#8"}
        mapping.state, mapping.approval = "stopped", {"id": "x", "actions": [action, over]}
        place_of = {"connection_id": mapping.external_connection_id, "container": mapping.external_container}
        session.add(Subscription(**place_of, key="k", state="dead", reason="not allowed", created_at=now))
    await database.close()
    said = await still.cli("status", **place)
    assert "main: 1 waits for 'asana-sync approve main'" in said.out
    assert "acme/main#7, Old: deleted in asana" in said.out
    assert "acme/main#8" not in said.out, "its link has ended"
    assert "main: no webhook of github, only polling: not allowed" in said.out
    assert (await still.cli("approve", "main", "--json", **place)).json == {"approved": 1}


async def test_resuming_a_connection_with_refused_credentials_says_what_helps(
    still: Town, folder: Path
) -> None:
    place, database = await applied(still, folder / "refused")
    async with database.write() as session:
        await session.execute(update(Connection).values(state="needs_reauth"))
    await database.close()
    said = await still.cli("resume", "--connection", "github", **place)
    assert "asana-sync check github" in said.err


async def test_resuming_a_stopped_mapping_forgets_what_waited_for_approval(still: Town, folder: Path) -> None:
    place, database = await applied(still, folder / "stopped")
    async with database.write() as session:
        waiting = {"id": "x", "actions": []}
        await session.execute(update(Mapping).values(state="stopped", reason="limit", approval=waiting))
    await database.close()

    async def shown() -> tuple[str, str, object]:
        (mapping,) = (await still.cli("status", "--json", **place)).json["mappings"]
        return mapping["state"], mapping["reason"], mapping["approval"]

    everything = await still.cli("resume", **place)
    assert "resume --mapping main" in everything.err
    assert await shown() == ("stopped", "limit", waiting)
    assert (await still.cli("resume", "--mapping", "main", **place)).code == 0
    assert await shown() == ("active", "", None)


async def test_many_writes_need_consent_and_nothing_is_stored_without(still: Town, folder: Path) -> None:
    place = still.found("many", since="all")
    for number in range(51):
        still.github.new(place.repo, title=f"Old issue {number}", by="ada")
    environment = {"ASANA_SYNC_DATA_DIR": str(folder / "data")}
    refused = await still.cli("apply", str(still.file), "--json", **environment)
    assert refused.code == 1
    assert (refused.json["applied"], refused.json["creations"]["many"]) == (False, 51)
    assert "--yes" in refused.err
    assert json.loads((await still.cli("status", "--json", **environment)).out)["mappings"] == []
    agreed = await still.cli("apply", str(still.file), "--yes", "--json", **environment)
    assert (agreed.code, agreed.json["applied"]) == (0, True)
    still.mappings.pop()


async def test_every_problem_of_the_file_and_of_the_providers_at_once(still: Town, folder: Path) -> None:
    good, other = still.mappings[0], still.asana.new_container("other")
    bad = [
        {**good, "asana": {**good["asana"], "section": "424242", "filter": {"sections": ["434343"]}}},
        {
            **good,
            "name": "second",
            "container": "ada/nowhere",
            "asana": {"connection": "asana", "project": other},
        },
        {**good, "name": "third", "connection": "nowhere", "asana": {"connection": "asana", "project": "1"}},
        {
            **good,
            "name": "fourth",
            "container": still.github.new_container("fourth"),
            "asana": {"connection": "asana", "project": still.asana.new_container("fourth")},
            "fields": [{"asana": "nonsense", "external": "title"}, {"asana": "title", "external": "labels"}],
        },
    ]
    document = {"connections": still.connections, "mappings": bad}
    file = folder / "bad.yaml"
    file.write_text(yaml.safe_dump(document))
    environment = {"ASANA_SYNC_DATA_DIR": str(folder / "data")}
    said = await still.cli("apply", str(file), "--json", **environment)
    assert (said.code, said.out) == (2, "")
    paths = [line.strip().partition(": ")[0] for line in said.err.splitlines() if line.startswith("  ")]
    assert paths == [
        "mappings[2].connection",
        "mappings[0].asana.section",
        "mappings[0].asana.filter.sections[0]",
        "mappings[1].container",
        "mappings[3].fields[0].asana",
        "mappings[3].fields[1]",  # text into labels
        "mappings[3].fields[1]",  # labels into text
    ]
    assert json.loads((await still.cli("status", "--json", **environment)).out)["connections"] == []
    tokens = [str(secret) for entry in still.connections for secret in entry["credentials"].values()]
    assert not any(token in said.err for token in tokens)


async def test_refused_credentials_are_a_problem_with_a_path(still: Town, folder: Path) -> None:
    document = {
        "connections": [{**entry, "credentials": {"token": "wrong-token"}} for entry in still.connections]
    }
    file = folder / "wrong.yaml"
    file.write_text(yaml.safe_dump(document))
    said = await still.cli("apply", str(file), ASANA_SYNC_DATA_DIR=str(folder / "data"))
    assert said.code == 2
    assert "connections[0].credentials" in said.err
    assert "connections[1].credentials" in said.err
    assert "wrong-token" not in said.err


async def test_an_account_is_pinned_and_a_removed_connection_keeps_its_place(
    still: Town, folder: Path
) -> None:
    environment = {"ASANA_SYNC_DATA_DIR": str(folder / "data")}
    file, (asana, github) = folder / "file.yaml", still.connections
    for connections, changes in (
        ([asana, github], ["connection asana: added", "connection github: added"]),
        ([asana], ["connection github: removed"]),
        ([asana, github], ["connection github: added"]),
    ):
        file.write_text(yaml.safe_dump({"connections": connections}))
        said = await still.cli("apply", str(file), "--json", **environment)
        assert said.json["changes"] == changes
    moved = {**asana, "settings": {**asana["settings"], "workspace": "9"}}
    file.write_text(yaml.safe_dump({"connections": [moved, github]}))
    said = await still.cli("apply", str(file), **environment)
    assert said.code == 2
    assert "connections[0].settings: leads to another place" in said.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00binary", "no text in UTF-8"),
        (b"connections:\n\t- tab", "line 2"),
        (b"mapings: []", "did you mean mappings?"),
        (None, "cannot be read"),
    ],
)
async def test_files_that_cannot_be_applied(
    still: Town, folder: Path, content: bytes | None, words: str
) -> None:
    file = folder / "file.yaml"
    if content is not None:
        file.write_bytes(content)
    for arguments in (["apply", str(file)], ["up", "--config", str(file)]):
        said = await still.cli(*arguments, ASANA_SYNC_DATA_DIR=str(folder / "data"))
        assert (said.code, said.out) == (2, ""), said.err
        assert words in said.err
        assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("PORT", "many", 2),
        ("POLL_SECONDS", "-1", 2),
        ("POLL_SECONDS", "nan", 2),
        ("LOG_FORMAT", "xml", 2),
        ("DATABASE_URL", "nonsense", 2),
        ("REDIS_URL", "nonsense", 2),
        ("SECRET_KEY", "too short", 2),
        ("PUBLIC_URL", "http://sync.example.com", 2),
        ("PUBLIC_URL", "sync.example.com", 2),
        ("DATABASE_URL", "postgresql://nobody:secret-word@127.0.0.1:1/none", 3),
    ],
)
async def test_environments_that_cannot_work(
    still: Town, folder: Path, name: str, value: str, code: int
) -> None:
    environment = {"ASANA_SYNC_DATA_DIR": str(folder / "data"), f"ASANA_SYNC_{name}": value}
    said = await still.cli("check", **environment)
    assert (said.code, said.out) == (code, ""), said.err
    assert "Traceback" not in said.err
    assert "secret-word" not in said.err


async def test_a_data_folder_that_is_a_file(still: Town, folder: Path) -> None:
    (folder / "file").write_text("")
    said = await still.cli("status", ASANA_SYNC_DATA_DIR=str(folder / "file"))
    assert (said.code, said.out) == (2, "")


async def test_an_empty_variable_is_no_variable(still: Town, folder: Path) -> None:
    empty = {f"ASANA_SYNC_{name}": "" for name in ("PORT", "SECRET_KEY_FILE", "REDIS_URL", "POLL_SECONDS")}
    said = await still.cli("settings", "--json", **empty, ASANA_SYNC_DATA_DIR=str(folder))
    values = {item["variable"]: item["value"] for item in said.json["items"]}
    assert (values["ASANA_SYNC_PORT"], values["ASANA_SYNC_SECRET_KEY_FILE"]) == ("8000", "")


async def test_secrets_are_not_shown_by_settings(still: Town) -> None:
    hidden = {
        "ASANA_SYNC_SECRET_KEY": "canary-key",
        "ASANA_SYNC_DATABASE_URL": "postgresql://me:canary-word@db/x",
        "ASANA_SYNC_REDIS_URL": "redis://:canary-word@queue:6379/0",
    }
    said = await still.cli("settings", "--json", **hidden)
    assert said.code == 0
    assert "canary" not in said.out


async def test_check_says_who_is_away(still: Town) -> None:
    await still.done("apply", str(still.file))
    still.github.faults.add(Fault(kind="503"))
    still.asana.faults.add(Fault(kind="500"))
    try:
        said = await still.cli("check", "--json", ASANA_SYNC_HTTP_TIMEOUT_SECONDS="1")
    finally:
        still.github.faults.clear()
        still.asana.faults.clear()
    assert said.code == 3
    assert {item["state"] for item in said.json["items"]} == {"unreachable"}
    again = await still.cli("check", "--json")
    assert {item["state"] for item in again.json["items"]} == {"ok"}


async def test_fields_are_shown_for_who_writes_rules(still: Town) -> None:
    place = still.places["main"]
    assert (await still.cli("apply", str(still.file))).code == 0
    connections = yaml.safe_load(still.file.read_text())["connections"]
    name = next(each["name"] for each in connections if each["connector"] == "asana")
    shown = await still.done("fields", name, place.project)
    by_name = {item["name"]: item for item in shown["items"]}
    assert by_name["due"]["kind"] == "date"
    assert "Done" in [option["name"] for option in by_name["section"]["options"]]
    assert by_name["section"]["pairs_with"] == ["choice", "state", "set", "text"]
    unknown = await still.cli("fields", "nobody", place.project)
    assert (unknown.code, "there is no connection 'nobody'" in unknown.err) == (2, True)


async def test_output_may_be_cut_off(still: Town) -> None:
    """``asana-sync settings | head -1`` ends without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sync.cli",
        "version",
        "--json",
        env=still.environment,
        stdout=writing,
        stderr=-1,
    )
    os.close(writing)
    _, err = await process.communicate()
    assert b"Traceback" not in err
