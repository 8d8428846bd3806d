"""Values that lost are put back by a command beside a running instance, again and again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.e2e.town import Town

pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def open_entries(town: Town, value: str) -> list[dict[str, Any]]:
    """Open conflicts in which that value lost."""
    rows = await town.listing("conflicts")
    losers = {"asana": "external", "external": "asana"}
    return [row for row in rows if row["state"] == "open" and row[losers[row["winner"]]]["value"] == value]


async def clash(town: Town, start: str) -> tuple[str, str, str, str]:
    """Ada and Bob rename one pair at once: (issue, task, the title that lost, the one that stands)."""
    issue = town.github.new(town.places["main"].repo, title=start)
    task = await town.twin(issue)
    await town.quiet()
    ada, bob = f"{start}, says Ada", f"{start}, says Bob"
    town.github.edit(issue, title=ada, by="ada")
    town.asana.edit(task, title=bob, by="bob")
    await town.quiet()
    shown = (town.asana.view(task) or {})["title"]
    return issue, task, ada if shown == bob else bob, shown


async def test_a_value_is_restored_and_what_it_replaced_is_restored_again(shared: Town) -> None:
    town = shared
    issue, task, lost, shown = await clash(town, "Start")
    for value in (lost, shown, lost):
        [entry] = await open_entries(town, value)
        done = await town.done("conflicts", "restore", str(entry["id"]))
        assert done["state"] == "restored"
        assert {write["side"] for write in done["writes"]} == {"asana", "external"}
        assert [(town.github.view(issue) or {})["title"], (town.asana.view(task) or {})["title"]] == [
            value
        ] * 2
    said = await town.cli("conflicts", "restore", str(entry["id"]))
    assert said.code == 2
    assert "no open conflict" in said.err


async def test_a_restore_while_people_go_on_loses_nothing(shared: Town) -> None:
    town = shared
    issue, task, lost, _ = await clash(town, "Start again")
    [entry] = await open_entries(town, lost)
    restoring = asyncio.create_task(town.done("conflicts", "restore", str(entry["id"])))
    titles = [f"Said meanwhile {number}" for number in range(6)]
    for title in titles:
        town.github.edit(issue, title=title, by="ada")
        await asyncio.sleep(0.7)
    assert (await restoring)["state"] == "restored"
    await town.quiet()
    town.agree(issue, task)
    standing = (town.github.view(issue) or {})["title"]
    listed = [row[side]["value"] for row in await town.listing("conflicts") for side in ("asana", "external")]
    assert lost in (standing, *listed)
    assert titles[-1] in (standing, *listed), "the last that Ada wrote is there or in the list"
