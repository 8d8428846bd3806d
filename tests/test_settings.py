"""Where settings come from. What each means is tested where it is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.cli import app
from sync.commands.failures import explain
from sync.settings import Settings

URL = "postgresql://sync:canary@postgres/sync"


@pytest.fixture
def secrets(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, named as the one with the secrets; ``settings`` has cleared the environment."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("ASANA_SYNC_SECRETS_DIR", str(folder))
    return folder


def test_a_file_stands_in_for_a_variable(secrets: Path) -> None:
    (secrets / "asana_sync_database_url").write_text(f"{URL}\n")
    (secrets / "asana_sync_secret_key").write_text("newest,older\n")
    (secrets / "postgres_password").write_text("of no concern\n")
    found = Settings()
    assert found.database_url == URL
    assert found.secret_key.get_secret_value() == "newest,older"
    assert "canary" not in CliRunner().invoke(app, ["settings", "--json"]).stdout


def test_a_variable_that_is_set_wins_and_an_empty_one_does_not(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / "asana_sync_database_url").write_text(URL)
    monkeypatch.setenv("ASANA_SYNC_DATABASE_URL", "")
    assert Settings().database_url == URL
    monkeypatch.setenv("ASANA_SYNC_DATABASE_URL", "postgresql://other/sync")
    assert Settings().database_url == "postgresql://other/sync"


def test_without_the_folder_there_are_no_secrets(secrets: Path) -> None:
    secrets.rmdir()
    assert Settings().database_url == ""


def test_a_file_that_cannot_be_read_is_named(secrets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (secrets / "asana_sync_database_url").write_bytes(b"\xff\xfe")  # permissions do not stop root
    with pytest.raises(ValueError, match="database_url") as caught:
        Settings()
    assert explain(caught.value) == 2
    assert "database_url" in capsys.readouterr().err


def test_a_file_with_the_wrong_content_is_a_wrong_setting(
    secrets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (secrets / "asana_sync_database_url").write_text("mysql://sync:canary@host/sync")
    with pytest.raises(ValueError, match="database_url") as caught:
        Settings()
    assert explain(caught.value) == 2
    told = capsys.readouterr().err
    assert "ASANA_SYNC_DATABASE_URL" in told
    assert "canary" not in told


@pytest.mark.parametrize(
    ("url", "listed", "good"),
    [
        ("https://sync.acme.com", "", True),
        ("http://127.0.0.1:8000", "", True),
        ("http://localhost:8000", "", True),
        ("http://10.1.2.3:8000", "10.1.0.0/16", True),
        ("http://sync.corp.local:8000", "sync.corp.local:9000", True),
        ("http://10.1.2.3:8000", "", False),
        ("http://10.1.2.3:8000", "10.2.0.0/16", False),
        ("http://sync.acme.com", "10.1.0.0/16", False),
    ],
)
def test_webhooks_come_without_encryption_to_listed_places_alone(
    settings: Settings, url: str, listed: str, good: bool
) -> None:
    given = {"public_url": url, "allow_private_hosts": listed}
    if good:
        assert Settings(**given).public_url == url
        return
    with pytest.raises(ValueError, match="ALLOW_PRIVATE_HOSTS"):
        Settings(**given)
