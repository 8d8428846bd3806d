"""A connector is one folder: copied under a new name, it is found and passes the contract suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors import discover
from connectors.base import Connector

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "connectors" / "memory"


@pytest.fixture
def copied(tmp_path: Path) -> dict[str, str]:
    """``connectors/memory`` copied as README says; the environment in which it is on the path."""
    folder = tmp_path / "connectors" / "notepad"
    folder.mkdir(parents=True)
    for file in TEMPLATE.glob("*.*"):
        text = file.read_text().replace("memory", "notepad").replace("Memory", "Notepad")
        (folder / file.name.replace("memory", "notepad")).write_text(text)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}


def _run(env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_discovery_finds_every_folder() -> None:
    found = discover()
    assert "memory" in found
    assert list(found) == sorted(found)
    for name, connector in found.items():
        assert isinstance(connector, Connector)
        assert connector.name == name


def test_kit_files_are_no_connectors() -> None:
    assert not {"http", "records", "simulation", "richtext"} & set(discover())


def test_a_copied_folder_is_found(copied: dict[str, str]) -> None:
    found = _run(copied, "-c", "import connectors; print(*connectors.discover())").split()
    assert found == sorted([*discover(), "notepad"])


@pytest.mark.chaos
@pytest.mark.timeout(400)
def test_a_copied_folder_passes_the_contract_suite(copied: dict[str, str]) -> None:
    arguments = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-k",
        "notepad",
        *(f"tests/contract/test_{part}.py" for part in ("schema", "objects", "webhooks")),
    )
    assert "passed" in _run(copied, *arguments)
