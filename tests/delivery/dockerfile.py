"""The Dockerfile and .dockerignore as data."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from docker.utils.build import PatternMatcher
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Step:
    """One instruction: ``COPY`` and what follows it, continued lines joined."""

    instruction: str
    value: str

    @property
    def words(self) -> list[str]:
        """Without flags, quotes removed."""
        return [word for word in shlex.split(self.value) if not word.startswith("--")]

    @property
    def flags(self) -> dict[str, str]:
        words = [word for word in shlex.split(self.value) if word.startswith("--")]
        return dict(word.removeprefix("--").split("=", 1) for word in words)

    @property
    def command(self) -> list[str]:
        """Of ``ENTRYPOINT``, ``CMD`` and ``HEALTHCHECK``, which are to start no shell."""
        found: list[str] = json.loads(self.value[self.value.index("[") :])
        return found


@dataclass(frozen=True)
class Stage:
    base: str
    name: str
    steps: Sequence[Step]

    def all(self, instruction: str) -> list[Step]:
        return [step for step in self.steps if step.instruction == instruction]

    def only(self, instruction: str) -> Step:
        [step] = self.all(instruction)
        return step

    def pairs(self, instruction: str) -> dict[str, str]:
        """Of ``ENV`` and ``LABEL``."""
        return dict(word.split("=", 1) for step in self.all(instruction) for word in step.words)


def stages() -> list[Stage]:
    found: list[Stage] = []
    steps: list[Step] = []
    for part in DockerfileParser(str(ROOT / "Dockerfile")).structure:
        if part["instruction"] == "FROM":
            base, _, name = part["value"].partition(" AS ")
            steps = []
            found.append(Stage(base, name, steps))
        elif part["instruction"] != "COMMENT":
            steps.append(Step(part["instruction"], part["value"]))
    return found


def kept_out() -> PatternMatcher:
    """What .dockerignore keeps out, decided by Docker's own rules."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return PatternMatcher([line for line in lines if line and not line.startswith("#")])


def context() -> set[str]:
    """The files that a build is sent. (``walk`` lists folders as well.)"""
    return {path for path in kept_out().walk(str(ROOT)) if (ROOT / path).is_file()}


def git(*words: str, text: str = "") -> list[str]:
    done = subprocess.run(["git", "-C", str(ROOT), *words], input=text, capture_output=True, text=True)
    return done.stdout.splitlines()
