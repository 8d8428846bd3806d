"""What ``asana-sync people`` tells."""

from __future__ import annotations

from typing import Any

import yaml

from connectors.github.simulator import GitHubSimulator
from sync.jobs.routing.roster import couples, roster
from sync.store.tables import Setting, User
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def told(world: World) -> dict[tuple[str | None, str | None], dict[str, Any]]:
    """By (email in Asana, login on the other side)."""
    async with world.engine.database.read() as session:
        (couple,) = await couples(session)
        items = await roster(session, couple)
    return {
        ((item["asana"] or {}).get("email"), (item["external"] or {}).get("login")): item for item in items
    }


async def test_matched_guessed_unmatched_and_unknown(build: Build) -> None:
    world = await build(GitHubSimulator)
    github = world.external
    assert isinstance(github, GitHubSimulator)
    world.hub.workspace.add_user("Grace Hopper", "grace@example.com")
    world.hub.workspace.add_user("Alan Turing", "alan@example.com")
    for login in ("ghopper", "octocat"):
        github.world.add_person(login, login, f"{login}@example.com")
    entries = [
        {"asana": "ada@example.com", "other": "ada"},
        {"asana": "nobody@example.com", "github": "bob"},
    ]
    await world.change(Setting, {"value": entries}, key="people")
    await world.list_people()
    seen = await told(world)
    ada = seen["ada@example.com", "ada"]
    assert (ada["how"], ada["into"], ada["line"]) == ("configured", {"asana": True, "external": True}, None)
    assert ada["connections"] == {"asana": "our-asana", "external": "other"}
    guess = seen["grace@example.com", "ghopper"]
    assert (guess["how"], guess["into"]) == ("guess", {"asana": False, "external": False})
    assert yaml.safe_load(guess["line"]) == [{"asana": "grace@example.com", "other": "ghopper"}]
    assert seen["alan@example.com", None]["how"] == seen[None, "octocat"]["how"] == "unmatched"
    assert seen[None, "octocat"]["line"] == "- {asana: '?', other: octocat}"
    unknown = seen[None, "bob"]
    assert unknown["reason"] == "our-asana lists nobody called nobody@example.com"
    assert not unknown["into"]["asana"]
    assert not any("bot" in str(who) for who in seen), "the sync's own accounts are nobody to be matched"


async def test_the_line_of_a_guess_makes_it_true(build: Build) -> None:
    world = await build(GitHubSimulator)
    world.document["people"] = []
    await world.apply_document(world.document)
    await world.list_people()
    guesses = [item for item in (await told(world)).values() if item["how"] == "guess"]
    assert len(guesses) == 2
    issue, _ = await world.paired(assignee="ada")
    assert world.task()["assignee"] is None, "a guess is never used"
    world.document["people"] = [entry for item in guesses for entry in yaml.safe_load(item["line"])]
    await world.apply_document(world.document)
    await world.list_people()
    assert {item["how"] for item in (await told(world)).values()} == {"configured"}
    world.external.edit(issue, assignees=["bob"])
    await world.settle()
    assert world.task()["assignee"] == "bob"


async def test_who_left_is_marked(build: Build) -> None:
    world = await build(GitHubSimulator)
    world.hub.deactivate("bob")
    await world.list_people()
    bob = (await told(world))["bob@example.com", "bob"]
    assert not bob["asana"]["active"]
    assert bob["into"] == {"asana": False, "external": True}
    assert bob["reason"].startswith("our-asana does not list them any more")
    assert [row.active for row in await world.rows(User, email="bob@example.com")] == [False]
