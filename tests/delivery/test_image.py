"""The steps of the Dockerfile without a Docker engine: a virtual environment stands in for the base image.

What an engine alone can show: that the base images exist, users and capabilities, a really read-only root.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync import __version__
from tests.delivery.dockerfile import ROOT, Stage, context, stages

pytestmark = pytest.mark.timeout(300)  # installs from the package index

BUILDER, FINAL = (stage for stage in stages() if stage.all("RUN"))


@dataclass(frozen=True)
class Image:
    """Where its folders are on this machine, and what its processes find in their environment."""

    program: Path
    data: Path
    env: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.env, cwd=self.data, capture_output=True, text=True, timeout=60
        )

    def files(self) -> dict[Path, tuple[int, int]]:
        """Everything in it with size and time: root may write where nobody may, but not unseen."""
        found = {path: path.lstat() for path in self.program.rglob("*")}
        return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def environment(stage: Stage, places: dict[str, Path], path: str) -> dict[str, str]:
    """As an engine makes it, with our folders. Of ours only what reaching the package index needs."""
    env = {name: text for name, text in os.environ.items() if not name.startswith(("ASANA_SYNC_", "PYTHON"))}
    env["PATH"] = path
    for name, text in stage.pairs("ENV").items():
        env[name] = placed(text.replace("$PATH", path), places)
    return env


def placed(text: str, places: dict[str, Path]) -> str:
    for inside, here in places.items():
        text = text.replace(inside, str(here))
    return text


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """What the last stage copies from the builder, made by the builder's own steps."""
    folder = tmp_path_factory.mktemp("image")
    base, build = folder / "base", folder / "build"
    program, data = folder / "program", folder / "data"
    places = {"/opt/asana-sync": program, "/build": build, "/data": data}
    build.mkdir()
    data.mkdir(mode=0o700)
    stand_in(base)
    path = os.pathsep.join([str(base / "bin"), os.defpath])
    env = environment(BUILDER, places, path)
    assert BUILDER.only("WORKDIR").value == "/build"
    for step in BUILDER.steps:
        if step.instruction == "COPY":
            copy(step.words[:-1], build / step.words[-1])
        elif step.instruction == "RUN":
            done = subprocess.run(
                ["sh", "-c", step.value], env=env, cwd=build, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
    [copied] = FINAL.all("COPY")
    assert {placed(word, places) for word in copied.words} == {str(program)}
    shutil.rmtree(build)
    shutil.rmtree(base)  # it must need neither
    for file in program.rglob("*"):
        if not file.is_symlink():
            file.chmod(file.stat().st_mode & ~0o222)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = environment(FINAL, places, os.defpath)
    yield Image(program, data, {**env, "ASANA_SYNC_PORT": str(port)})
    for file in program.rglob("*"):  # so that it can be removed
        if file.is_dir() and not file.is_symlink():
            file.chmod(0o700)


def stand_in(base: Path) -> None:
    """A Python with ``pip``, as the base image has it. ``pip`` is lent: installing one takes 10 s."""
    venv.create(base, symlinks=True)
    pip = base / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pip --python "{base}/bin/python" "$@"\n')
    pip.chmod(0o755)


def copy(sources: list[str], target: Path) -> None:
    """``COPY``: files keep their names, the content of a folder goes into the target."""
    for source in sources:
        for file in context():
            if file == source:
                shutil.copy(ROOT / file, target)
            elif file.startswith(f"{source}/"):
                place = target / Path(file).relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / file, place)


def test_it_runs_from_the_image_alone_and_writes_to_the_data_folder_only(image: Image) -> None:
    before = image.files()
    assert image.run("asana-sync", "version").stdout.strip().endswith(__version__)
    assert image.run("asana-sync", "web", "--help").returncode == 0
    migrated = image.run("asana-sync", "migrate")
    assert migrated.returncode == 0, migrated.stderr

    healthy = FINAL.only("HEALTHCHECK").command
    assert image.run(*healthy).returncode == 1
    web = subprocess.Popen(["asana-sync", "web"], env=image.env, cwd=image.data)
    try:
        deadline = time.monotonic() + 60
        while (asked := image.run(*healthy)).returncode and web.poll() is None:
            assert time.monotonic() < deadline, asked.stderr
        assert asked.returncode == 0, asked.stderr
        web.send_signal(signal.Signals[FINAL.only("STOPSIGNAL").value])
        assert web.wait(timeout=30) in {0, -signal.SIGTERM}
    finally:
        web.kill()
        web.wait()
    assert image.files() == before
    assert {path.name for path in image.data.iterdir()} >= {"asana-sync.db", "secret.key"}


def test_it_brings_what_the_page_of_the_demo_is_made_of(image: Image) -> None:
    source = ROOT / "sync" / "demo" / "page"
    wanted = {
        path.relative_to(source)
        for path in source.rglob("*")
        if path.suffix in {".html", ".css", ".js", ".svg"}
    }
    (installed,) = image.program.glob("lib/python*/site-packages/sync/demo/page")
    assert wanted <= {path.relative_to(installed) for path in installed.rglob("*")}
    assert Path("page.html") in {
        path.relative_to("templates") for path in wanted if path.parts[0] == "templates"
    }
    assert not (installed.parent / "pictures").exists(), "pictures are for readers of the repository"
