"""Who is mentioned on one side is mentioned on the other, if somebody mapped them; nobody else is."""

from __future__ import annotations

import pytest

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from tests.jobs.conftest import Build
from tests.jobs.world import World

ZWSP = "\u200b"


@pytest.fixture
async def github(build: Build) -> World:
    """Ada and Bob are mapped, Zoe is on GitHub alone, Mallory in Asana alone."""
    world = await build(GitHubSimulator)
    assert isinstance(world.external, GitHubSimulator)
    world.external.world.add_person("zoe", "Zoe", "zoe@example.com")
    world.hub.people = {
        **world.hub.people,
        "mallory": world.hub.workspace.add_user("Mallory Doe", "mallory@example.com"),
    }
    return world


def in_asana(hub: AsanaSimulator, name: str) -> str:
    """A mention as a person makes it in Asana."""
    return f'<a data-asana-gid="{hub.people[name].gid}"/>'


def mentioned(world: World, html: str) -> set[str]:
    """Whom Asana's rich text mentions."""
    return {name for name, user in world.hub.people.items() if f'data-asana-gid="{user.gid}"' in html}


async def test_a_mention_on_github_is_one_in_asana_and_nothing_grows(github: World) -> None:
    body = "Ask @ada or @zoe.\n\n`@bob` and bob@example.com, @acme/team\n\n| a |\n| - |\n| b |"
    issue, _task = await github.paired(notes=body)
    html = github.task()["notes"]
    assert mentioned(github, html) == {"ada"}
    assert "@Ada Lovelace" in html
    assert "@zoe" in html
    assert "@acme/team" in html
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before
    assert (github.external.view(issue) or {})["notes"] == body


async def test_an_edit_in_asana_keeps_everybody_mentioned_on_github(github: World) -> None:
    issue, task = await github.paired(notes="Ask @ada or @zoe\n\n| a |\n| - |\n| b |")
    html = github.task()["notes"]
    github.hub.edit(task, notes=html.replace("Ask", "Please ask"))
    await github.settle()
    assert github.thing()["notes"] == "Please ask @ada or @zoe\n\n| a |\n| - |\n| b |"
    github.external.edit(issue, notes="Please ask @ada, @zoe or @bob")
    await github.settle()
    assert mentioned(github, github.task()["notes"]) == {"ada", "bob"}
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before


async def test_a_mention_in_asana_is_one_on_github(github: World) -> None:
    hub = github.hub
    text = f"{in_asana(hub, 'bob')} and {in_asana(hub, 'mallory')} know. Not @zoe"
    task = hub.new(github.project, title="From Asana", notes=f"<body>{text}</body>", by="ada")
    await github.settle()
    said = github.thing()["notes"].split("\n\n")[0]
    assert said == f"@bob and @{ZWSP}Mallory Doe know. Not @{ZWSP}zoe"
    github.external.edit(github.things()[-1], notes=github.thing()["notes"].replace("know", "may know"))
    await github.settle()
    view = hub.view(task)
    assert view is not None
    assert "may know" in view["text"]
    assert mentioned(github, view["notes"]) == {"bob", "mallory"}, "whoever was mentioned there stays so"
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before


async def test_comments_mention_those_of_their_own_side(github: World) -> None:
    issue, task = await github.paired()
    comment = github.external.comment(issue, "@bob and @zoe, see", by="ada")
    github.hub.comment(task, f"<body>{in_asana(github.hub, 'ada')}, {in_asana(github.hub, 'mallory')}</body>")
    await github.settle()
    (copy,) = [each for each in github.task()["comments"] if "see" in each["text"]]
    assert mentioned(github, copy["html"]) == {"bob"}
    (copied,) = [each["text"] for each in github.thing()["comments"] if "Mallory" in each["text"]]
    assert copied.endswith(f"\n\n@ada, @{ZWSP}Mallory Doe")
    github.external.edit_comment(comment, "@ada, see")
    await github.settle(full=True)
    (copy,) = [each for each in github.task()["comments"] if "see" in each["text"]]
    assert mentioned(github, copy["html"]) == {"ada"}
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before


async def test_who_left_is_mentioned_no_more(github: World) -> None:
    github.hub.deactivate("bob")
    await github.list_people()
    await github.paired(notes="Ask @bob")
    html = github.task()["notes"]
    assert mentioned(github, html) == set()
    assert "Ask @bob" in html
