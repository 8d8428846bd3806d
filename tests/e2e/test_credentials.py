"""Dead credentials stop everything at once, new ones bring it back, and no secret shows anywhere."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from tests.e2e.town import Town

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CANARY = "canary-5b1f0c7e9d"
SECRET = "canary-hook-2e8a"


async def _process_list() -> str:
    process = await asyncio.create_subprocess_exec("ps", "axww", "-o", "args", stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode(errors="replace")


async def test_a_revoked_token(empty: Town) -> None:
    town = empty
    town.github.tokens[CANARY] = "asana-sync-bot"
    for connection in town.connections:
        if connection["name"] == "github":
            connection["credentials"] = {"token": CANARY, "webhook_secret": SECRET}
    place = town.found("main")
    await town.up()
    issue = town.github.new(place.repo, title="Before")
    task = await town.twin(issue)
    await town.quiet()

    def hooks_and_tokens(text: str) -> bool:
        return CANARY in text or SECRET in text or str(town.connections[0]["credentials"]["token"]) in text

    assert not hooks_and_tokens(await _process_list())

    town.github.revoked = True
    since = datetime.now(UTC)
    town.github.edit(issue, title="Unseen")
    town.asana.edit(task, state="closed")

    async def told() -> bool:
        states = {entry["name"]: entry["state"] for entry in (await town.status())["connections"]}
        return states == {"asana": "ok", "github": "needs_reauth"}

    await town.until(told, "the status says that new credentials are needed")
    await asyncio.sleep(2)
    calls = [each for each in town.github.journal if each.at > since and each.status == 401]
    assert len(calls) <= 5
    assert (town.asana.view(task) or {})["title"] == "Before"

    town.github.revoked = False
    renewed = f"{CANARY}-renewed"
    town.github.tokens[renewed] = "asana-sync-bot"
    del town.github.tokens[CANARY]
    town.connections[1]["credentials"]["token"] = "${NEW_TOKEN}"
    said = await town.cli("apply", str(town.file), "--json", NEW_TOKEN=renewed)
    assert said.code == 0, said.err
    await town.quiet()
    town.agree(issue, task)
    assert (town.github.view(issue) or {})["state"] == "closed"

    exported = await town.cli("export")
    check = await town.cli("check")
    assert check.code in (0, 1)
    for text in (exported.out, exported.err, said.out, said.err, check.out, check.err, town.log.read_text()):
        assert not hooks_and_tokens(text)
    for answer in ("status", "links", "deliveries", "parked", "conflicts"):
        assert not hooks_and_tokens((await town.http.get(f"{town.url}/api/v1/{answer}")).text)
    assert not hooks_and_tokens((await town.http.get(f"{town.url}/metrics")).text)
    stored = [path for path in (town.folder / "data").rglob("*") if path.is_file()]
    assert stored
    for path in stored:
        raw = path.read_bytes()
        assert CANARY.encode() not in raw, path
        assert SECRET.encode() not in raw, path
