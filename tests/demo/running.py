"""A demo in a process of its own, as a newcomer runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESK = {"width": 1440, "height": 900}


@dataclass(frozen=True)
class Demo:
    """``page`` is empty where it plays the story."""

    process: subprocess.Popen[str]
    product: str
    page: str = ""


def environment(tmp_path: Path, *path: Path) -> dict[str, str]:
    """The shell's, without settings of an installation; the demo's folder is ours."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ASANA_SYNC_")}
    own["PYTHONPATH"] = os.pathsep.join(map(str, [ROOT, *path]))
    return {**own, "ASANA_SYNC_DATA_DIR": str(tmp_path / "data")}


@contextmanager
def playing(tmp_path: Path, *path: Path, once: bool = False) -> Iterator[Demo]:
    """Until the context is left; it is given as soon as it has said where it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sync.cli", "demo", *(["--once"] if once else [])],
        env=environment(tmp_path, *path),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        product = _said(process, r"Status page: (http://\S+)")
        yield Demo(process, product, "" if once else _said(process, r"Open (http://\S+)"))
    finally:
        process.kill()
        process.communicate()


def _said(process: subprocess.Popen[str], pattern: str) -> str:
    assert process.stdout is not None
    return next(found[1] for line in process.stdout if (found := re.search(pattern, line)))
