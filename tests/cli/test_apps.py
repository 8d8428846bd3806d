"""Commands under the name of a connector whose provider wants an app."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from connectors import discover
from sync.cli import app

APPS = [name for name, each in discover().items() if each.capabilities.webhooks == "app"]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.delenv("ASANA_SYNC_PUBLIC_URL", raising=False)
    return CliRunner()


@pytest.mark.parametrize("name", APPS)
def test_the_manifest_leads_to_our_addresses(runner: CliRunner, name: str) -> None:
    said = runner.invoke(
        app,
        [name, "manifest", "--connection", "acme"],
        env={"ASANA_SYNC_PUBLIC_URL": "https://sync.acme.com/"},
    )
    assert said.exit_code == 0
    text = json.dumps(json.loads(said.stdout))
    assert "https://sync.acme.com/webhooks/acme/app" in text
    assert "https://sync.acme.com/interactions/acme" in text


@pytest.mark.parametrize("name", APPS)
def test_an_app_that_calls_nobody_needs_no_address(runner: CliRunner, name: str) -> None:
    said = runner.invoke(app, [name, "manifest", "--socket"])
    assert said.exit_code == 0
    assert json.loads(said.stdout)
    assert "http" not in said.stdout


@pytest.mark.parametrize("name", APPS)
def test_an_app_that_is_authorised_sends_the_browser_where_we_wait(runner: CliRunner, name: str) -> None:
    address = {"ASANA_SYNC_PUBLIC_URL": "https://sync.acme.com"}
    made = json.loads(
        runner.invoke(app, [name, "manifest", "--connection", "acme", "--oauth"], env=address).stdout
    )
    plain = json.loads(runner.invoke(app, [name, "manifest", "--connection", "acme"], env=address).stdout)
    assert made["oauth_config"]["redirect_urls"] == ["https://sync.acme.com/interactions/acme"]
    assert (made["settings"]["token_rotation_enabled"], plain["settings"]["token_rotation_enabled"]) == (
        True,
        False,
    )


@pytest.mark.parametrize("name", APPS)
def test_without_an_address_it_says_what_to_do(runner: CliRunner, name: str) -> None:
    said = runner.invoke(app, [name, "manifest"])
    assert (said.exit_code, said.stdout) == (2, "")
    assert "PUBLIC_URL" in said.stderr


def test_others_have_no_such_commands(runner: CliRunner) -> None:
    assert APPS
    assert runner.invoke(app, ["memory", "manifest"]).exit_code == 2
    assert set(APPS) <= set(runner.invoke(app, ["--help"]).stdout.split())
