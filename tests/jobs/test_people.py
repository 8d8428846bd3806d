"""Who is who: the list first, then emails, and never a guess."""

from __future__ import annotations

from sync.jobs.people import find, match
from sync.store.tables import User
from tests.jobs.conftest import Build
from tests.jobs.world import World


def user(id: str, *, login: str = "", email: str = "", active: bool = True) -> User:
    return User(connection_id=1, user_id=id, login=login, email=email, active=active)


def test_the_list_comes_before_emails_and_nobody_is_taken_twice() -> None:
    hub = [user("h1", email="ada@x.org"), user("h2", email="bob@x.org")]
    external = [user("e1", email="ADA@x.org"), user("e2", login="bob"), user("e3", email="bob@x.org")]
    assert match(hub, external, [("bob@x.org", "bob")]) == [("h2", "e2"), ("h1", "e1")]
    assert match(hub, external, []) == [("h1", "e1"), ("h2", "e3")]


def test_what_the_list_does_not_find_is_left_out() -> None:
    hub, external = [user("h1", email="ada@x.org")], [user("e1", login="ada")]
    assert match(hub, external, [("nobody@x.org", "ada"), ("ada@x.org", None), (None, None)]) == []
    assert match(hub, external, []) == [], "an equal login alone is a guess"


def test_who_left_is_not_matched_by_email() -> None:
    assert match([user("h1", email="a@x.org", active=False)], [user("e1", email="a@x.org")], []) == []


def test_a_person_is_found_by_email_login_or_id() -> None:
    users = [user("u1", login="Ada", email="ada@x.org")]
    assert {find(users, name) for name in ("ADA@X.ORG", "ada", "U1")} == {"u1"}
    assert find(users, "bob") is None


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
