"""``asana-sync authorize`` at Asana and Slack: the code is pasted, or taken where the browser lands."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import serve
from connectors.slack.simulator import SlackSimulator
from tests.e2e.commands import command

HERE = Path(__file__).parents[2]


@dataclass
class Place:
    """A simulated Asana with an app, and a configuration that names it, not applied yet."""

    asana: AsanaSimulator
    file: Path
    environment: dict[str, str]

    async def authorize(self, *options: str) -> Consenting:
        return await authorizing("our-asana", self.environment, *options)


async def authorizing(connection: str, environment: dict[str, str], *options: str) -> Consenting:
    """The program, waiting for the answer to the address that it told."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sync.cli", "authorize", connection, "--json", *options),
        cwd=HERE,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while not (found := re.search(rb"^https?://\S+$", await process.stderr.readline())):
        assert not process.stderr.at_eof(), "it ended before it told the address"
    return Consenting(process, found[0].decode())


@dataclass
class Consenting:
    process: asyncio.subprocess.Process
    url: str

    async def consent(self) -> str:
        """The account allows it: the address that the browser is sent to."""
        async with httpx.AsyncHTTPTransport() as browser:
            return (await browser.handle_async_request(httpx.Request("GET", self.url))).headers["location"]

    async def end(self, pasted: str = "") -> tuple[int | None, Any, str]:
        out, err = await self.process.communicate(pasted.encode())
        return self.process.returncode, json.loads(out) if out else None, err.decode()


def written(folder: Path, connection: dict[str, Any]) -> tuple[Path, dict[str, str]]:
    """A configuration file with this connection alone, and the environment of commands."""
    file = folder / "acme.yaml"
    file.write_text(yaml.safe_dump({"connections": [connection]}))
    return file, {
        "PATH": os.environ["PATH"],
        "ASANA_SYNC_DATA_DIR": str(folder / "data"),
        "ASANA_SYNC_ALLOW_PRIVATE_HOSTS": "127.0.0.1",
    }


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    asana = AsanaSimulator()
    async with serve(asana) as url:
        app = asana.oauth_app
        connection = {
            "name": "our-asana",
            "connector": "asana",
            "settings": asana.connection(url)["settings"],
            "credentials": {"client_id": app.client_id, "client_secret": app.client_secret},
        }
        yield Place(asana, *written(tmp_path, connection))


async def test_the_pasted_answer_becomes_sealed_tokens_that_apply_and_check_use(place: Place) -> None:
    before = await command(["apply", str(place.file)], place.environment)
    assert before.code == 2
    assert "asana-sync authorize" in before.err
    asked = await place.authorize("--config", str(place.file))
    code, told, err = await asked.end(await asked.consent() + "\n")
    assert code == 0, err
    assert told == {
        "connection": "our-asana",
        "authorized": True,
        "account": {"id": place.asana.people["bot"].gid, "name": "Sync Bot"},
    }
    assert place.asana.oauth_app.refresh_token not in err
    stored = (Path(place.environment["ASANA_SYNC_DATA_DIR"]) / "asana-sync.db").read_bytes()
    assert place.asana.oauth_app.refresh_token.encode() not in stored
    applied = await command(["apply", str(place.file)], place.environment)
    assert applied.code == 0, applied.err


@pytest.mark.chaos
async def test_a_browser_that_lands_here_is_enough_and_strangers_are_not_listened_to(
    place: Place, unused_tcp_port: int
) -> None:
    landing = f"http://127.0.0.1:{unused_tcp_port}/landed"
    asked = await place.authorize("--config", str(place.file), "--redirect", landing)
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(f"{landing}?code=stolen&state=guessed")).status_code == 400
        assert (await browser.get(await asked.consent())).status_code == 200
    code, told, err = await asked.end()
    assert (code, told["authorized"]) == (0, True), err


@pytest.mark.chaos
async def test_an_answer_to_another_request_keeps_nothing(place: Place) -> None:
    asked = await place.authorize("--config", str(place.file))
    code, told, err = await asked.end("urn:ietf:wg:oauth:2.0:oob?code=abc&state=other\n")
    assert (code, told) == (1, None)
    assert "another request" in err
    assert place.asana.oauth_app.renewals == 0


@pytest.mark.chaos
async def test_an_app_comes_back_to_the_address_of_its_manifest(tmp_path: Path) -> None:
    slack = SlackSimulator()
    async with serve(slack) as url:
        app = slack.oauth_app
        connection = {"name": "our-slack", "connector": "slack", **slack.connection(url)}
        connection["credentials"] = {"client_id": app.client_id, "client_secret": app.client_secret}
        file, environment = written(tmp_path, connection)
        environment["ASANA_SYNC_PUBLIC_URL"] = "https://sync.acme.test"
        asked = await authorizing("our-slack", environment, "--config", str(file))
        answer = await asked.consent()
        assert answer.startswith("https://sync.acme.test/interactions/our-slack?code=")
        code, told, err = await asked.end(answer + "\n")
        assert (code, told["authorized"]) == (0, True), err
        assert told["account"]["name"] == "asana-sync in Acme"
        applied = await command(["apply", str(file)], environment)
    assert applied.code == 0, applied.err
    assert app.renewals == 1, "what was handed out for the code is used"


async def test_a_connection_without_an_app_has_nothing_to_authorise(place: Place) -> None:
    said = await command(["authorize", "nobody", "--config", str(place.file)], place.environment)
    assert said.code == 2
    assert "there is no connection 'nobody'; known: our-asana" in " ".join(said.err.split())
