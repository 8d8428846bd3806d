"""What commands say of themselves and of bad input; in this process, because there are so many."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from sync.cli import COMMANDS, app


@pytest.fixture
def runner(tmp_path: Path, migrated_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """Runs commands on an empty store; the logs of this process are as before when it is done."""
    shutil.copytree(migrated_folder, tmp_path / "data")
    monkeypatch.setenv("ASANA_SYNC_DATA_DIR", str(tmp_path / "data"))
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield CliRunner()
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(runner: CliRunner, command: str) -> None:
    said = runner.invoke(app, [command, "--help"], prog_name="asana-sync")
    assert said.exit_code == 0
    assert f"asana-sync {command}" in said.stdout
    assert said.stderr == ""


def test_the_list_of_commands_names_each(runner: CliRunner) -> None:
    said = runner.invoke(app, ["--help"], prog_name="asana-sync")
    words = said.stdout.split()
    assert [command for command in COMMANDS if command not in words] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["links", "--mapping", "nope"],
        ["links", "--limit", "0"],
        ["links", "--limit", "many"],
        ["links", "--after", "99999999999999999999"],
        ["history", "424242"],
        ["history", "99999999999999999999"],
        ["conflicts", "dismiss", "424242"],
        ["conflicts", "restore", "first"],
        ["conflicts", "restore", "1", "--side", "left"],
        ["conflicts", "nonsense"],
        ["parked", "retry"],
        ["parked", "retry", "1", "--class", "loop"],
        ["parked", "retry", "424242"],
        ["parked", "retry", "--class", "nonsense"],
        ["parked", "ignore", "424242"],
        ["pause", "--mapping", "nope"],
        ["pause", "--connection", "nope"],
        ["pause", "--direction", "sideways"],
        ["resume", "--connection", "nope", "--direction", "to_asana"],
        ["approve", "nope"],
        ["link", "nope", "1", "2"],
        ["link", "nope"],
        ["unlink", "424242"],
        ["unlink", "x"],
        ["sync"],
        ["sync", "--once", "--timeout", "-1"],
        ["check", "nope"],
        ["apply"],
        ["apply", "/nowhere.yaml"],
        ["nonsense"],
        ["status", "--nonsense"],
    ],
    ids=" ".join,
)
def test_bad_input_is_a_usage_error_and_prints_no_result(runner: CliRunner, arguments: list[str]) -> None:
    said = runner.invoke(app, arguments)
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr


@pytest.mark.parametrize("command", ["status", "links", "conflicts", "parked", "deliveries", "connectors"])
def test_people_get_tables(runner: CliRunner, command: str) -> None:
    said = runner.invoke(app, [command])
    assert said.exit_code == 0
    assert said.stdout
    assert said.stderr == ""
