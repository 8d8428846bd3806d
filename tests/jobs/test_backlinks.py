"""A copy leads to its original, on both sides, and the link is no part of what is synced."""

from __future__ import annotations

import pytest

from connectors.github.body import parted
from connectors.github.simulator import GitHubSimulator
from connectors.records import Backlink
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def from_asana(world: World, notes: str = "<body>Text</body>") -> tuple[str, str]:
    """A task and the issue made for it."""
    task = world.hub.new(world.project, title="Login fails", notes=notes, by="ada")
    await world.settle()
    return task, world.things()[-1]


async def test_both_sides_link_to_each_other(github: World) -> None:
    task, issue = await from_asana(github)
    body = parted(github.thing()["notes"])
    url = (github.hub.view(task) or {})["url"]
    assert (body.text, body.backlink) == ("Text", Backlink(url, "Asana task"))
    assert "Synced with" not in github.task()["notes"], "what a person wrote is left alone"
    made = github.external.new(github.container, title="From GitHub", notes="Body", by="ada")
    await github.settle()
    assert f'Synced with <a href="{(github.external.view(made) or {})["url"]}">' in github.task()["notes"]
    assert (github.external.view(made) or {})["notes"] == "Body"
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before
    github.external.edit(issue, notes=(github.external.view(issue) or {})["notes"].replace("Text", "Text!"))
    await github.settle()
    assert (github.hub.view(task) or {})["text"] == "Text!"
    github.hub.edit(task, notes="<body>Text?</body>")
    await github.settle()
    again = parted((github.external.view(issue) or {})["notes"])
    assert (again.text, again.backlink, again.keys) == ("Text?", body.backlink, body.keys)


async def test_the_line_that_a_task_is_known_by_comes_back_with_our_next_text(github: World) -> None:
    issue = github.external.new(github.container, title="From GitHub", notes="Body", by="ada")
    await github.settle()
    (task,) = github.tasks()
    github.hub.edit(task, notes="<body>All new</body>", by="bob")
    await github.settle()
    assert "Synced with" not in github.task()["notes"], "nobody writes to a task for that alone"
    body = (github.external.view(issue) or {})["notes"]
    github.external.edit(issue, notes=body.replace("All new", "Newer"), by="ada")
    await github.settle()
    url = (github.external.view(issue) or {})["url"]
    assert f'Newer\n\nSynced with <a href="{url}">' in github.task()["notes"]


@pytest.mark.chaos
async def test_switched_off_the_lines_go_with_the_next_write_and_not_before(build: Build) -> None:
    world = await build(GitHubSimulator)
    task, issue = await from_asana(world)
    before = len(world.writes())
    await world.apply(backlinks=False)
    await world.settle(full=True)
    assert len(world.writes()) == before
    world.hub.edit(task, notes="<body>Changed</body>")
    await world.settle()
    body = parted((world.external.view(issue) or {})["notes"])
    assert (body.text, body.backlink) == ("Changed", None)
    assert body.keys, "the key stays"
    other, quiet = await from_asana(world)
    assert parted((world.external.view(quiet) or {})["notes"]).backlink is None
    await world.apply(backlinks=True)
    world.hub.edit(other, notes="<body>Shown</body>")
    await world.settle()
    assert parted((world.external.view(quiet) or {})["notes"]).backlink is not None


async def test_a_line_that_reads_like_ours_is_text_like_any_other(github: World) -> None:
    text = 'Our words:\n\nSynced with <a href="https://x.test/1">x</a> and more'
    task, issue = await from_asana(github, f"<body>{text}</body>")
    assert "Synced with" in parted((github.external.view(issue) or {})["notes"]).text
    github.hub.edit(task, title="Renamed")
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before + 1, "the title alone"
