"""What can be said of the image without building it; test_image.py builds it as far as that goes here."""

from __future__ import annotations

import re
import tomllib

import pytest

from sync.cli import COMMANDS
from sync.settings import Settings
from tests.delivery.dockerfile import ROOT, context, git, kept_out, stages

FINAL = stages()[-1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_base_is_a_slim_python_that_the_project_supports() -> None:
    first, *others = stages()
    version = re.fullmatch(r"python:3\.(\d+)-slim-[a-z]+", first.base)
    assert version
    assert int(version[1]) >= int(PROJECT["requires-python"].removeprefix(">=3."))
    assert {stage.base for stage in others} == {first.name}


def test_every_copied_file_is_in_git_and_reaches_the_build() -> None:
    sent, names = context(), {stage.name for stage in stages()}
    for step in (step for stage in stages() for step in stage.all("COPY")):
        if "from" in step.flags:
            assert step.flags["from"] in names
            continue
        for source in step.words[:-1]:
            assert git("ls-files", source), f"{source} is not in git"
            assert any(path == source or path.startswith(f"{source}/") for path in sent), (
                f"{source} is kept out"
            )


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "asana-sync.db",
        "data/secret.key",
        "secrets/postgres_password",
        "connectors/github/test_github.py",
        "sync/__pycache__/cli.cpython-311.pyc",
    ],
)
def test_nothing_else_reaches_the_build(path: str) -> None:
    assert kept_out().matches(path)


def test_what_git_ignores_does_not_reach_the_build() -> None:
    assert git("check-ignore", "--stdin", text="\n".join(sorted(context()))) == []


def test_it_runs_as_nobody_special() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", FINAL.only("USER").value)
    user = FINAL.only("USER").value.split(":")[0]
    assert f"--owner {user}" in FINAL.only("RUN").value
    owned = [step for step in FINAL.all("COPY") if "chown" in step.flags]
    assert owned == []  # the program stays root's: whoever runs it cannot change it


def test_what_it_keeps_is_in_the_volume() -> None:
    assert FINAL.only("VOLUME").command == [FINAL.pairs("ENV")["ASANA_SYNC_DATA_DIR"]]
    assert FINAL.only("WORKDIR").words == FINAL.only("VOLUME").command
    assert FINAL.pairs("ENV")["PYTHONDONTWRITEBYTECODE"] == "1"


def test_its_variables_are_settings() -> None:
    ours = {name for name in FINAL.pairs("ENV") if name.startswith("ASANA_SYNC_")}
    assert ours <= {f"ASANA_SYNC_{name.upper()}" for name in Settings.model_fields}
    assert FINAL.only("EXPOSE").words == [FINAL.pairs("ENV")["ASANA_SYNC_PORT"]]


def test_it_starts_the_program() -> None:
    [program] = FINAL.only("ENTRYPOINT").command
    assert program in PROJECT["scripts"]
    [command] = FINAL.only("CMD").command
    assert command in COMMANDS


def test_its_labels_say_what_the_project_says() -> None:
    told = {
        name.removeprefix("org.opencontainers.image."): text for name, text in FINAL.pairs("LABEL").items()
    }
    assert told == {
        "title": PROJECT["name"],
        "description": PROJECT["description"],
        "licenses": PROJECT["license"],
    }
