"""Every command as a process beside a running instance: what it prints, how it ends, what it changes."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sync.web.app import describe
from tests.e2e.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTINGS = ("links", "conflicts", "parked", "deliveries")
SHAPES = {
    "status": {"version", "now", "quiet", "instance", "connections", "mappings", "deliveries"},
    "connection": {
        "name",
        "connector",
        "site",
        "account",
        "state",
        "reason",
        "clock_offset_s",
        "blocked_until",
        "quota",
    },
    "mapping": {
        "name",
        "version",
        "state",
        "reason",
        "direction",
        "paused_directions",
        "links",
        "pending",
        "in_flight",
        "oldest_pending_at",
        "conflicts_open",
        "parked_open",
        "last_poll_at",
        "last_full_pass_at",
        "last_write_at",
        "writes_total",
        "first_sync",
        "subscriptions",
        "approval",
    },
    "conflict": {
        "id",
        "link",
        "mapping",
        "mapping_version",
        "field",
        "kind",
        "state",
        "policy",
        "winner",
        "reason",
        "detected_at",
        "asana",
        "external",
    },
    "history": {
        "id",
        "link",
        "at",
        "event",
        "text",
        "field",
        "before",
        "after",
        "write_id",
        "delivery_id",
        "mapping_version",
        "outcome",
    },
}
TIMES = ("now", "at", "created_at", "last_synced_at", "last_full_pass_at", "detected_at", "heartbeat_at")


def times_in(document: Any) -> list[str]:
    """Every time in a document, by the names of the keys."""
    if isinstance(document, list):
        return [at for item in document for at in times_in(item)]
    if not isinstance(document, dict):
        return []
    here = [value for key, value in document.items() if key in TIMES and isinstance(value, str)]
    return here + [at for value in document.values() for at in times_in(value)]


async def test_status_says_the_same_on_the_command_line_and_over_http(running: Town) -> None:
    said = await running.done("status")
    served = await running.status()
    assert SHAPES["status"] <= said.keys() == served.keys()
    assert said["instance"].keys() == served["instance"].keys()
    assert (said["instance"]["id"], said["instance"]["url"]) == (
        served["instance"]["id"],
        served["instance"]["url"],
    )
    assert running.up_process is not None
    assert said["instance"]["id"] == str(running.up_process.pid)
    assert [row["pid"] for row in said["instance"]["workers"]]
    assert all(SHAPES["connection"] <= row.keys() for row in said["connections"])
    (mapping,) = said["mappings"]
    assert SHAPES["mapping"] <= mapping.keys()
    assert mapping["writes_total"].keys() == mapping["last_poll_at"].keys() == {"asana", "external"}
    assert {row["quota"].keys() == {"limit", "remaining", "reset_at"} for row in said["connections"]} == {
        True
    }
    assert all(len(at) == 24 and at[19] == "." and at.endswith("Z") for at in times_in(said))


async def test_listings_say_the_same_on_the_command_line_and_over_http(running: Town) -> None:
    said = await asyncio.gather(*(running.done(name, "--mapping", "main") for name in LISTINGS))
    for name, document in zip(LISTINGS, said, strict=True):
        assert document == {"items": await running.listing(name, "main"), "next": None}, name
        assert all(at.endswith("Z") for at in times_in(document))
    assert [row["external"]["key"] for row in said[0]["items"] if row["kind"] == "task"]


async def test_the_history_of_a_link(running: Town) -> None:
    (link,) = await running.task_links()
    first = await running.done("history", str(link["id"]), "--limit", "1")
    rest = await running.done("history", str(link["id"]), "--after", str(first["next"]))
    assert len(first["items"]) == 1
    assert {entry["event"] for entry in first["items"] + rest["items"]} >= {"in", "write"}
    assert all(entry.keys() == SHAPES["history"] for entry in rest["items"])


async def test_the_history_of_a_mapping(running: Town) -> None:
    told = await running.done("history", "--mapping", "main", "--newest", "--limit", "5")
    ids = [entry["id"] for entry in told["items"]]
    assert (len(ids), ids) == (5, sorted(ids, reverse=True))
    assert (await running.listing("history", "main"))[-1] == told["items"][0]


async def test_a_preview_an_audit_and_what_a_revert_would_do(running: Town) -> None:
    told = await running.done("preview", "main")
    assert (told["mapping"], told["writes"], told["items"]) == ("main", 0, [])
    assert told["counts"].keys() == {"asana", "external"}
    as_filed = await running.done("preview", "main", "--config", str(running.file))
    assert (as_filed["writes"], as_filed["version"]) == (0, told["version"] + 1)
    compared = await running.done("audit", "main")
    assert (compared["pairs"] > 0, compared["divergent"]) == (True, 0)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    for since in ("1d", yesterday):
        seen = await running.done("revert", "--mapping", "main", "--since", since, "--dry-run")
        assert {entry["op"] for entry in seen["left"]} >= {"create"}


async def test_instance_json_says_where_it_answers(running: Town) -> None:
    said = json.loads((running.folder / "data" / "instance.json").read_text())
    assert running.up_process is not None
    assert (said["event"], said["url"], said["pid"]) == ("ready", running.url, running.up_process.pid)
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{running.url}/readyz")).status_code == 200


async def test_a_second_up_in_the_folder_is_refused(running: Town) -> None:
    said = await running.cli("up")
    assert (said.code, said.out) == (2, "")
    assert "another asana-sync up is running" in said.err


async def test_an_exported_file_is_accepted_again_and_changes_nothing(running: Town) -> None:
    said = await running.cli("export")
    assert said.code == 0
    secrets = {}
    for entry in running.connections:
        for key, secret in entry["credentials"].items():
            assert str(secret) not in said.out
            secrets[f"{entry['name']}_{key}".upper().replace("-", "_")] = str(secret)
    file = running.folder / "exported.yaml"
    file.write_text(said.out)
    before = await running.mapping("main")
    applied = await running.cli("apply", str(file), "--json", **secrets)
    assert applied.code == 0, applied.err
    assert (applied.json["changes"], applied.json["writes"]) == ([], 0)
    assert (await running.mapping("main"))["version"] == before["version"]
    plainly = await running.cli("apply", str(file), **secrets)
    assert plainly.out == "nothing changes\n"


async def test_diff_tells_and_changes_nothing(running: Town) -> None:
    running.mappings[0]["conflict"] = "asana"
    try:
        said = await running.done("diff", str(running.file))
    finally:
        del running.mappings[0]["conflict"]
    assert said["changes"] == ["mapping main: conflict changed"]
    assert said["applied"] is False
    assert (await running.mapping("main"))["version"] == 1


async def test_pause_and_resume_are_picked_up(running: Town) -> None:
    (link,) = await running.task_links()
    assert (await running.done("pause", "--mapping", "main"))["done"] == "paused"
    assert (await running.mapping("main"))["state"] == "paused"
    writes = len(running.asana.journal.writes())
    running.github.edit(link["external"]["id"], title="While paused", by="ada")

    async def seen() -> bool:
        return bool((await running.mapping("main"))["pending"])

    await running.until(seen, "the edit is seen")
    assert len(running.asana.journal.writes()) == writes
    await running.done("resume", "--mapping", "main")
    await running.until(
        lambda: (running.asana.view(link["asana"]["gid"]) or {})["title"] == "While paused", "it goes on"
    )


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--direction", "from_asana", "--connection", "github"], {"paused_directions": ["from_asana"]}),
        (["--connection", "github"], {"state": "active"}),
        ([], {"state": "active"}),
    ],
)
async def test_what_is_paused_shows_and_goes_on(
    running: Town, arguments: list[str], shown: dict[str, Any]
) -> None:
    await running.done("pause", *arguments)
    status = await running.status()
    assert status["mappings"][0].items() >= shown.items()
    states = {row["name"]: row["state"] for row in status["connections"]}
    only_connection = arguments == ["--connection", "github"]
    assert (states["github"] == "paused") is only_connection
    assert status["paused"] is (not arguments)
    await running.done("resume", *arguments)
    again = await running.status()
    assert (again["paused"], again["mappings"][0]["paused_directions"]) == (False, [])


@pytest.mark.chaos
async def test_a_conflict_is_restored_on_both_sides(running: Town) -> None:
    (link,) = await running.task_links()
    issue, task = link["external"]["id"], link["asana"]["gid"]
    await running.quiet()
    await running.done("pause")
    running.github.edit(issue, title="Of GitHub", by="ada")
    await asyncio.sleep(0)
    running.asana.edit(task, title="Of Asana", by="bob")
    await running.done("resume")

    async def listed() -> bool:
        return any(row["state"] == "open" for row in await running.listing("conflicts"))

    await running.until(listed, "the conflict is listed")
    await running.quiet()
    entry = next(row for row in await running.listing("conflicts") if row["state"] == "open")
    assert SHAPES["conflict"] <= entry.keys()
    assert entry["asana"].keys() == {"value", "modified_at", "time_from", "author"}
    assert entry["asana"]["author"].keys() == {"id", "name"}
    loser = "external" if entry["winner"] == "asana" else "asana"
    said = await running.done("conflicts", "restore", str(entry["id"]))
    assert (said["id"], said["state"]) == (entry["id"], "restored")
    assert {write["side"] for write in said["writes"]} <= {"asana", "external"}
    assert said["writes"]
    wanted = entry[loser]["value"]
    assert (running.github.view(issue) or {})["title"] == wanted
    assert (running.asana.view(task) or {})["title"] == wanted
    again = await running.cli("conflicts", "restore", str(entry["id"]), "--json")
    assert (again.code, again.out) == (2, "")


async def test_check_asks_the_providers(running: Town) -> None:
    said = await running.cli("check", "github", "--json")
    (item,) = said.json["items"]
    assert (item["state"], item["account"]["name"]) == ("ok", "asana-sync-bot")
    assert said.code == (1 if item["missing"] else 0)
    assert item["containers"] == [{"id": running.places["main"].repo, "missing": []}]
    assert (await running.cli("check", "nobody")).code == 2
    running.github.admin_access = False
    said = await running.cli("check", "github")
    running.github.admin_access = True
    assert said.code == 1
    assert "The account has no admin access" in said.out


async def test_people_tells_who_is_who(running: Town) -> None:
    items = (await running.done("people"))["items"]
    assert {item["connections"]["external"] for item in items} == {"github"}
    by_login = {(item["external"] or {}).get("login"): item for item in items}
    assert by_login["ada"]["asana"]["email"] == "ada@example.com"
    assert by_login["ada"]["how"] in ("configured", "guess")
    shown = await running.cli("people")
    assert (shown.code, "Ada Lovelace" in shown.out) == (0, True)
    assert all((item["line"] or "") in shown.out for item in items)


async def test_one_run_in_the_foreground(running: Town) -> None:
    said = await running.cli("sync", "main", "--once", "--full", "--json")
    assert said.code == 0, said.err
    assert said.json["quiet"] is True
    late = await running.cli("sync", "--once", "--timeout", "0", "--json")
    assert late.code == 4
    assert late.json["mappings"]


@pytest.mark.chaos
async def test_linking_by_hand(running: Town) -> None:
    (link,) = await running.task_links()
    said = await running.cli("link", "main", link["external"]["key"], link["asana"]["gid"])
    assert said.code == 2
    assert "is linked already" in said.err
    issue = running.github.new(running.places["main"].repo, title="To be unlinked", by="ada")
    await running.twin(issue)
    await running.quiet()
    second = next(row for row in await running.task_links() if row["external"]["id"] == issue)
    assert await running.done("unlink", str(second["id"])) == {"id": second["id"], "state": "unlinked"}
    made = await running.done("link", "main", second["external"]["url"], second["asana"]["url"])
    assert made["id"] != second["id"]
    await running.quiet()
    assert {row["id"] for row in await running.task_links()} == {link["id"], made["id"]}


async def test_bad_input_is_a_usage_error_and_prints_no_result(running: Town) -> None:
    said = await running.cli("approve", "main", "--json")
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err


async def test_retrying_a_class_of_which_nothing_waits_is_no_error(running: Town) -> None:
    assert await running.done("parked", "retry", "--class", "loop") == {"retried": 0}


async def test_what_needs_no_store(running: Town) -> None:
    connectors, settings, version, openapi, migrated = await asyncio.gather(
        running.done("connectors"),
        running.done("settings"),
        running.done("version"),
        running.cli("openapi"),
        running.done("migrate"),
    )
    assert {item["name"] for item in connectors["items"]} >= {"asana", "github", "memory"}
    variables = {item["variable"]: item for item in settings["items"]}
    assert variables["ASANA_SYNC_MAX_ATTEMPTS"]["value"] == "8"
    assert version["version"] in (await running.status())["version"]
    assert openapi.json == describe()
    assert migrated["revision"]
