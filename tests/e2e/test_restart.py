"""Ended or killed, edited meanwhile, started again: it goes on where it was."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from connectors.simulation import Fault
from tests.e2e.town import Town, times

pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_edits_made_while_it_was_down(empty: Town) -> None:
    town = empty
    place, github, asana = town.found("main"), town.github, town.asana
    await town.up()
    issue = github.new(place.repo, title="Start")
    task = await town.twin(issue)
    github.comment(issue, "before")
    await town.quiet()

    second = await town.cli("up")
    assert second.code == 2
    assert "running" in second.err

    for turn, by in enumerate((signal.SIGTERM, signal.SIGKILL)):
        assert town.up_process is not None
        children = _children(town.up_process.pid)
        assert await town.down(by) == (0 if by is signal.SIGTERM else -by)
        await town.until(partial(_all_ended, children), "its children end", 2)
        if turn:
            asana.workspace.log.expire_tokens()
        github.edit(issue, title=f"While down {turn}")
        asana.edit(task, labels=[f"label {turn}"], state="closed" if turn else "open")
        github.comment(issue, f"github remark {turn}")
        asana.comment(task, f"asana remark {turn}")
        github.new(place.repo, title=f"New issue {turn}")
        asana.new(place.project, title=f"New task {turn}")
        await town.up()
        await town.quiet()
        town.agree(issue, task)
        for view in (github.view(issue), asana.view(task)):
            assert view is not None
            assert view["title"] == f"While down {turn}"
            for said in ("before", f"github remark {turn}", f"asana remark {turn}"):
                assert times(said, view["comments"]) == 1, said
        counts = len(github.objects(place.repo)), len(asana.objects(place.project))
        assert counts == (3 + 2 * turn, 3 + 2 * turn)

    before = len(github.journal.writes()), len(asana.journal.writes())
    asana.workspace.log.expire_tokens()
    await town.done("sync", "--once", "--full", "--timeout", "30")
    await town.quiet()
    assert (len(github.journal.writes()), len(asana.journal.writes())) == before


async def test_told_to_end_it_waits_for_slow_answers(empty: Town) -> None:
    town = empty
    town.extra["HTTP_TIMEOUT_SECONDS"] = town.extra["LEASE_SECONDS"] = "20"
    place = town.found("main")
    await town.up()
    issue = town.github.new(place.repo, title="Start")
    task = await town.twin(issue)
    await town.quiet()
    town.asana.faults.add(Fault(kind="slow", method="PUT", path="/tasks/", seconds=6))
    town.github.edit(issue, title="Answered late")
    await town.until(lambda: any(each.method == "PUT" for each in town.asana.journal.open), "a write")
    assert await town.down() == 0
    assert "write.unknown" not in town.log.read_text()
    assert not town.asana.journal.open
    written = len(town.asana.journal.writes())
    await town.up()
    await town.quiet()
    town.agree(issue, task)
    assert len(town.asana.journal.writes()) == written


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def _all_ended(pids: list[int]) -> bool:
    return not any(map(_lives, pids))


def _lives(pid: int) -> bool:
    """A dead child that nobody has waited for does not count."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
