"""The demo as a newcomer runs it: a process of its own, everything on loopback."""

from __future__ import annotations

import re
import signal
import time
from io import StringIO
from itertools import islice
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from connectors import discover
from sync.demo.screen import Screen
from sync.demo.seeing import Seen, Unmet, require, until
from sync.demo.stage import simulator_types
from sync.settings import HUB
from tests.demo.running import ROOT, playing


@pytest.fixture
def another(tmp_path: Path) -> Path:
    """A folder on the path with one more connector: the template under another name."""
    folder = tmp_path / "more" / "connectors" / "tracker"
    folder.mkdir(parents=True)
    for file in (ROOT / "connectors" / "memory").glob("*.py"):
        text = file.read_text().replace("memory", "tracker").replace("Memory", "Tracker")
        (folder / file.name).write_text(text)
    return tmp_path / "more"


def answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/livez", timeout=5):
            return True
    except (URLError, ConnectionError):
        return False


@pytest.mark.chaos
@pytest.mark.timeout(120)
def test_a_copied_connector_plays_in_the_story(tmp_path: Path, another: Path) -> None:
    """The whole story is played by ``make demo ONCE=1``."""
    with playing(tmp_path, another, once=True) as demo:
        assert demo.process.stdout is not None
        opened = "".join(islice(demo.process.stdout, 2 + len(simulator_types())))
    for title in (*(discover()[name].title for name in simulator_types() if name != HUB), "Tracker"):
        assert re.search(rf"✓ +{title} → Asana .* [\d,]+ ms", opened), opened


@pytest.mark.chaos
@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_product_ends_with_the_demo(tmp_path: Path, how: signal.Signals) -> None:
    with playing(tmp_path) as demo:
        assert answers(demo.product)
        demo.process.send_signal(how)
        code = demo.process.wait(30)
        deadline = time.monotonic() + 10
        while answers(demo.product):
            assert time.monotonic() < deadline, "the product outlived the demo"
            time.sleep(0.05)
        assert code == (130 if how is signal.SIGINT else -signal.SIGKILL)
        if how is signal.SIGINT:
            assert list((tmp_path / "data").iterdir()) == []


def test_every_connector_has_a_simulator() -> None:
    assert set(simulator_types()) == set(discover())


async def test_what_does_not_come_true_is_said_when_patience_ends() -> None:
    with pytest.raises(Unmet, match="the task: expected a title; found none"):
        await until(lambda: False, lambda: Unmet("the task", "a title", "none"), patience_s=0)


def test_what_does_not_hold_says_what_was_found() -> None:
    require(True, "status", "quiet", "busy")
    with pytest.raises(Unmet, match="status: expected quiet; found busy"):
        require(False, "status", "quiet", "busy")


def test_the_screen_tells_what_was_expected_and_what_was_found(tmp_path: Path) -> None:
    log, out = tmp_path / "log", StringIO()
    log.write_text('{"level": "info", "event": "all is well"}\n{"level": "error", "event": "it broke"}\n')
    screen = Screen(out)
    screen.seen([Seen("GitHub → Asana", "issue [bold]opened[/]", 1234.5)])
    screen.broke(Unmet("the Asana task", "title 'a'", "title 'b'"), log)
    printed = out.getvalue()
    for text in (
        "issue [bold]opened[/]",
        "1,234 ms",
        "✗ the Asana task",
        "title 'a'",
        "title 'b'",
        "it broke",
    ):
        assert text in printed
    assert "all is well" not in printed
    assert str(log) in printed.replace("\n", "")
