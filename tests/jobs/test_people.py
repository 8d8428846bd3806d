"""Who is who: the list first, then emails, and never a guess."""

from __future__ import annotations

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.records import User as Listed
from sync.jobs.routing.identities import How, Match, find, guesses, match
from sync.jobs.routing.people import store_users
from sync.store.tables import Connection, Parked, User
from tests.jobs.conftest import Build
from tests.jobs.world import World


def user(id: str, *, name: str = "", login: str = "", email: str = "", active: bool = True) -> User:
    return User(connection_id=1, user_id=id, name=name, login=login, email=email, active=active)


def ids(pairs: list[Match]) -> list[tuple[str, str]]:
    return [(pair.hub.user_id, pair.external.user_id) for pair in pairs]


def test_the_list_comes_before_emails_and_nobody_is_taken_twice() -> None:
    hub = [user("h1", email="ada@x.org"), user("h2", email="bob@x.org")]
    external = [user("e1", email="ADA@x.org"), user("e2", login="bob"), user("e3", email="bob@x.org")]
    found = match(hub, external, [("bob@x.org", "bob")])
    assert ids(found) == [("h2", "e2"), ("h1", "e1")]
    assert [pair.how for pair in found] == [How.CONFIGURED, How.EMAIL]
    assert ids(match(hub, external, [])) == [("h1", "e1"), ("h2", "e3")]


def test_what_the_list_does_not_find_is_left_out() -> None:
    hub, external = [user("h1", email="ada@x.org")], [user("e1", login="ada")]
    assert match(hub, external, [("nobody@x.org", "ada"), ("ada@x.org", None), (None, None)]) == []
    assert match(hub, external, []) == [], "an equal login alone is a guess"


def test_who_left_is_not_matched_by_email() -> None:
    assert match([user("h1", email="a@x.org", active=False)], [user("e1", email="a@x.org")], []) == []
    assert match([user("h1", email="a@x.org")], [user("e1", email="a@x.org", active=False)], []) == []


def test_a_person_is_found_by_email_login_or_id() -> None:
    users = [user("u1", login="Ada", email="ada@x.org")]
    for name in ("ADA@X.ORG", "ada", "U1"):
        assert find(users, name) is users[0]
    assert find(users, "bob") is None
    assert find([user("u2")], "") is None, "nobody has no name"


def test_of_two_accounts_of_one_name_the_active_one_is_meant() -> None:
    users = [user("old", email="ada@x.org", active=False), user("new", email="ada@x.org")]
    assert find(users, "ada@x.org") is users[1]


@pytest.mark.parametrize(
    "login",
    ["ada-lovelace", "adalovelace", "lovelace.ada", "ALovelace", "adal", "alovelace42", "Ada_Lovelace"],
)
def test_logins_that_read_like_a_name_are_guessed(login: str) -> None:
    hub = [user("h1", name="Áda Lovelace", email="countess@x.org"), user("h2", name="Bob Stone")]
    assert ids(guesses(hub, [user("e1", login=login)])) == [("h1", "e1")]


def test_a_guess_needs_to_be_the_only_one() -> None:
    hub = [user("h1", name="Ada Lovelace"), user("h2", email="adalovelace@x.org")]
    assert guesses(hub, [user("e1", login="adalovelace")]) == []
    assert guesses(hub, [user("e1", login="babbage")]) == []


async def test_who_is_not_listed_any_more_is_known_but_not_active(world: World) -> None:
    row = await world.the(Connection, name="other")

    async def listed(*names: str, complete: bool = True) -> dict[str, bool]:
        async with world.engine.database.write() as session:
            users = [Listed(id=name, name=name) for name in names]
            await store_users(session, row.id, users, complete=complete)
        everybody = await world.rows(User, connection_id=row.id)
        return {each.user_id: each.active for each in everybody if each.user_id in ("x", "y")}

    assert await listed("x", "y") == {"x": True, "y": True}
    assert await listed("x", complete=False) == {"x": True, "y": True}, "a part of the list proves nothing"
    assert await listed("x") == {"x": True, "y": False}
    assert await listed("x", "y") == {"x": True, "y": True}


async def test_who_left_asana_is_not_assigned_and_comes_back_with_the_account(build: Build) -> None:
    world = await build(GitHubSimulator)
    world.hub.deactivate("bob")
    await world.list_people()
    issue, _task = await world.paired(assignee="bob")
    assert world.task()["assignee"] is None
    world.external.edit(issue, assignees=["bob", "ada"])
    await world.settle()
    assert world.task()["assignee"] == "ada", "the first one who is somebody in Asana"
    assert (await world.rows(Parked)) == []
    world.hub.deactivate("bob", active=True)
    await world.list_people()
    await world.paired(title="Another", assignee="bob")
    assert world.task()["assignee"] == "bob"


async def test_who_left_github_stays_the_assignee_of_the_task(build: Build) -> None:
    world = await build(GitHubSimulator)
    issue, task = await world.paired(assignee="bob")
    assert isinstance(world.external, GitHubSimulator)
    world.external.leave("bob")
    await world.list_people()
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before, "what people are is no edit"
    world.hub.edit(task, title="Renamed", assignee="ada")
    await world.settle()
    world.hub.edit(task, assignee="bob")
    await world.settle()
    assert (world.external.view(issue) or {})["assignees"] == [], "not shown as the work of somebody else"
    assert world.task()["assignee"] == "bob"
    assert (await world.rows(Parked)) == []


async def test_assignees_cross_and_the_fallback_stands_in(build: Build) -> None:
    world: World = await build(people={"fallback": "bob@example.com"})
    item = world.external.new(world.container, title="For ada", assignee="ada")
    world.external.new(world.container, title="For the robot", assignee="sync-bot")
    await world.settle()
    seen = {world.task(at)["title"]: world.task(at)["assignee"] for at in range(2)}
    assert seen["For ada"] == "ada"
    assert seen["For the robot"] in ("bob", "Sync Bot", "bot")
    world.external.edit(item, assignee=["bob", "ada"])
    await world.settle()
    view = next(world.task(at) for at in range(2) if world.task(at)["title"] == "For ada")
    assert view["assignee"] == "ada" or "ada" in view["followers"]
    thing = world.external.view(item)
    assert thing is not None
    assert sorted(thing["assignees"]) == ["ada", "bob"]


async def test_further_assignees_follow_the_task_and_nobody_is_dropped_on_the_way_back(build: Build) -> None:
    people = {"asana": "followers", "external": "assignee", "mode": "append", "direction": "to_asana"}
    fields = [{"asana": name, "external": name} for name in ("title", "assignee")]
    world = await build(GitHubSimulator, fields=[*fields, people])
    _, task = await world.paired(assignees=["ada", "bob"])
    assert (world.task()["assignee"], "bob" in world.task()["followers"]) == ("ada", True)
    world.hub.edit(task, title="Renamed", by="ada")
    await world.settle()
    assert world.thing()["assignees"] == ["ada", "bob"]
    world.hub.edit(task, assignee="bob", by="ada")
    await world.settle()
    assert world.thing()["assignees"] == ["bob"]
    assert {"ada", "bob"} <= set(world.task()["followers"]), "who follows a task goes on following it"
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before
