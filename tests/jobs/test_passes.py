"""A pass over marks: what each kind of failure means for the object, the mapping and the connection."""

from __future__ import annotations

import asyncio

from sqlalchemy import update
from sqlmodel import col

from connectors.github.simulator import GitHubSimulator
from connectors.memory.simulator import MemorySimulator
from connectors.simulation import Fault
from sync.jobs.asked import by_hand
from sync.jobs.passing.batch import take
from sync.jobs.passing.desk import Desk
from sync.reconcile.model import Side
from sync.store import leases
from sync.store.tables import Claim, Connection, Link, Mapping, Mark, Parked, Setting, Write
from tests.jobs.conftest import Build
from tests.jobs.world import Meanwhile, World, at_desk


async def test_a_limit_rests_the_whole_connection_and_counts_no_attempt(world: World) -> None:
    _item, task = await world.paired()
    world.hub.edit(task, title="Later")
    await world.poll()
    world.external.faults.add(Fault(kind="429", method="GET", path="/items", retry_after=30))
    await world.work()
    mark = await world.the(Mark)
    assert mark.attempts == 0
    assert (mark.due_at - world.engine.now()).total_seconds() > 20
    connection = await world.the(Connection, name="other")
    assert connection.blocked_until is not None
    asked = len(world.external.journal)
    await world.look()
    assert len(world.external.journal) == asked, "a silent connection is not even polled"
    assert world.thing()["title"] == "Broken link"


async def test_an_unavailable_provider_backs_off(build: Build) -> None:
    world = await build(settings_={"max_attempts": 3})
    _item, task = await world.paired()
    world.hub.edit(task, title="In the end")
    await world.poll()
    world.external.faults.add(Fault(kind="503", method="GET", path="/items$", times=2))
    world.clock.stop()
    await world.work()
    mark = await world.the(Mark)
    assert mark.attempts == 1
    world.clock.run()
    await world.settle()
    assert world.thing()["title"] == "In the end"
    assert await world.rows(Parked) == []


async def test_one_object_that_always_fails_is_parked_and_holds_up_nobody(build: Build) -> None:
    world = await build(GitHubSimulator, settings_={"max_attempts": 3})
    first, second = (world.external.new(world.container, title=title) for title in ("one", "two"))
    await world.settle()
    one, two = sorted(world.tasks(), key=lambda gid: world.hub.view(gid)["title"])  # type: ignore[index]
    world.external.faults.add(Fault(kind="500", method="GET", path="/issues/1$", times=None))
    world.hub.edit(one, title="one!")
    world.hub.edit(two, title="two!")
    await world.settle()
    assert world.external.view(second)["title"] == "two!"  # type: ignore[index]
    entry = await world.the(Parked)
    assert (entry.what, entry.park_class) == ("link", "rejected")
    assert "failed 3 times" in entry.reason
    assert (await world.the(Link, id=entry.link_id)).state == "parked"
    world.external.faults.clear()
    assert await by_hand.retry(world.engine, entry.id, None) == 1
    await world.settle()
    assert world.external.view(first)["title"] == "one!"  # type: ignore[index]
    assert await world.rows(Parked) == []
    assert (await world.the(Link, id=entry.link_id)).state == "active"


async def test_an_object_that_is_edited_before_every_write_is_parked(build: Build) -> None:
    world = await build(settings_={"max_attempts": 3})
    item, task = await world.paired()
    drafts = iter("abcdefgh")
    interfering = Meanwhile(
        "PATCH", f"/items/{item}$", lambda: world.external.edit(item, notes=next(drafts)), times=3
    )
    world.external.faults = interfering
    world.hub.edit(task, title="Later")
    await world.poll()
    while interfering.left:
        await world.work()
    entry = await world.the(Parked)
    assert (entry.what, entry.park_class) == ("link", "rejected")
    assert "failed 3 times" in entry.reason
    assert (await world.link()).state == "parked"
    assert await world.rows(Mark) == []
    await world.settle()  # the edits that were in the way wake it
    assert world.thing()["title"] == "Later"
    assert "<body>c\n" in world.task()["notes"]
    assert await world.rows(Parked) == [], "what goes through is not parked any more"
    assert (await world.link()).state == "active"


async def test_a_refused_creation_is_parked_until_the_object_changes(world: World) -> None:
    task = world.hub.new(world.project, title="")  # the store takes no empty title
    await world.look()
    assert world.things() == []
    link = await world.link()
    entry = await world.the(Parked)
    assert (link.state, entry.what, entry.link_id) == ("parked", "link", link.id)
    assert await world.rows(Mark) == []
    world.hub.edit(task, title="A title")
    await world.settle()
    assert world.thing()["title"] == "A title"
    assert (await world.link()).state == "active"
    assert await world.rows(Parked) == []


async def test_a_container_that_is_gone_stops_the_mapping(github: World) -> None:
    _issue, task = await github.paired()
    assert isinstance(github.external, GitHubSimulator)
    github.external.delete_repo(github.container)
    await github.look()
    assert (await github.the(Mapping)).state == "active", "one bad answer proves nothing"
    for _ in range(3):
        await github.look()
    mapping = await github.the(Mapping)
    assert mapping.state == "stopped"
    assert mapping.reason
    github.hub.edit(task, title="Never written")
    before = len(github.writes())
    await github.look()
    assert len(github.writes()) == before
    assert github.hub.view(task) is not None, "absence of a container deletes nothing"


async def test_dead_credentials_rest_the_connection_until_new_ones_come(world: World) -> None:
    _item, task = await world.paired()
    assert isinstance(world.external, MemorySimulator)
    token, world.external.token = world.external.token, "revoked"
    world.hub.edit(task, title="Waits")
    await world.mark(Side.HUB, task)
    await world.work()
    assert (await world.the(Connection, name="other")).state == "needs_reauth"
    assert (await world.the(Connection, name="our-asana")).state == "ok"
    assert len(await world.rows(Mark)) == 1
    asked = len(world.external.journal)
    await world.look()
    assert len(world.external.journal) == asked, "nothing is sent with dead credentials"
    world.external.token = token
    await world.change(Connection, {"credentials": world.engine.vault.seal({"token": "old"})}, name="other")
    await world.apply()
    await world.settle()
    assert world.thing()["title"] == "Waits"
    assert (await world.the(Connection, name="other")).state == "ok"


async def test_a_poisonous_object_is_parked_after_some_tries(world: World) -> None:
    item, _ = await world.paired()
    good = world.external.new(world.container, title="Good")
    link, now = await world.link(), world.engine.now()
    async with world.engine.database.write() as session:
        session.add(
            Write(
                mapping_id=link.mapping_id,
                mapping_version=1,
                link_id=link.id,
                side="hub",
                op="update",
                fields={"title": "x"},
                plan={"title": {"made by": "nobody knows"}},
                intent_at=now,
                deadline_at=now,
            )
        )
    await world.mark(Side.EXTERNAL, item)
    for _ in range(4):
        await world.look()
        world.clock.advance(10)
    entry = await world.the(Parked)
    assert "KeyError" in entry.reason
    assert "report it" in entry.fix
    assert (await world.the(Link, id=link.id)).state == "parked"
    assert world.external.view(good) is not None
    assert len(world.tasks()) == 2, "the others went on"


async def test_a_mapping_of_another_worker_is_left_alone(world: World) -> None:
    _item, task = await world.paired()
    world.hub.edit(task, title="Not ours")
    await world.poll()
    mapping = await world.the(Mapping)
    async with world.engine.database.write() as session:
        number = await leases.take_lease(
            session, mapping.id, "somebody", world.engine.now(), world.engine.in_s(60)
        )
    assert number is not None
    await world.work()
    assert world.thing()["title"] == "Broken link"
    async with world.engine.database.write() as session:
        await leases.release_lease(session, mapping.id, "somebody", number)
    await world.work()
    assert world.thing()["title"] == "Not ours"


async def test_an_object_of_another_pass_waits(world: World) -> None:
    _item, task = await world.paired()
    link = await world.link()
    async with world.engine.database.write() as session:
        session.add(
            Claim(
                ref=link.hub_ref or "",
                owner="somebody",
                mapping_id=99,
                lease_no=1,
                until=world.engine.in_s(60),
            )
        )
    world.hub.edit(task, title="Claimed")
    await world.look()
    assert await world.waiting() == "the object is being worked on"
    world.clock.advance(61)
    await world.work()
    assert world.thing()["title"] == "Claimed"
    assert [row for row in await world.rows(Claim) if row.owner == "test" and row.mapping_id] == []


async def test_nothing_is_read_while_everything_is_paused(world: World) -> None:
    _item, task = await world.paired()
    async with world.engine.database.write() as session:
        session.add(Setting(key="paused", value=True))
    await world.mark(Side.HUB, task)
    asked = len(world.hub.journal)
    await world.work()
    assert len(world.hub.journal) == asked
    async with world.engine.database.write() as session:
        await session.merge(Setting(key="paused", value=False))
    await world.work()
    assert len(world.hub.journal) > asked


async def test_a_removed_mapping_is_left_alone(world: World) -> None:
    await world.paired()
    await world.change(Mapping, {"removed_at": world.engine.now()})
    asked = len(world.hub.journal)
    await world.work()
    assert len(world.hub.journal) == asked


async def test_what_was_done_until_a_claim_is_granted_is_seen(world: World) -> None:
    """Another batch settles and lets go between the look at the marks and the claim."""
    item, _task = await world.paired()
    world.external.edit(item, title="Later")
    await world.poll()
    link = await world.link()

    async def body(desk: Desk) -> None:
        async with world.engine.database.write() as session:
            held = Claim(
                ref=link.hub_ref or "",
                owner="another batch",
                mapping_id=link.mapping_id,
                lease_no=0,
                until=world.engine.in_s(-1),
            )
            session.add(held)
            await session.flush()
            taking = asyncio.create_task(take(desk, 15, set()))
            await asyncio.sleep(0.3)  # it has looked, and waits for this transaction
            await session.execute(update(Link).where(col(Link.id) == link.id).values(hub_title="Settled"))
        _, (unit,) = await taking
        assert unit.link is not None
        assert unit.link.hub_title == "Settled"

    await at_desk(world, body)


async def test_what_could_not_be_taken_is_left_for_the_next(world: World) -> None:
    item, _task = await world.paired()
    world.external.edit(item, title="Later")
    await world.poll()
    await world.change(Connection, {"people_at": None})
    world.hub.faults.add(Fault(kind="503", method="GET", path="users", times=None))
    world.external.faults.add(Fault(kind="503", method="GET", path="users", times=None))
    at_work: set[int] = set()

    async def body(desk: Desk) -> None:
        assert await take(desk, 15, at_work) == ([], [])

    await at_desk(world, body)
    assert at_work == set()


async def test_fields_that_were_not_told_are_asked_for_again_after_a_minute(build: Build) -> None:
    world = await build(GitHubSimulator)
    _, task = await world.paired()
    world.clock.stop()
    world.external.faults.add(Fault(kind="404", method="GET", path="/milestones$", times=None))
    before = len(world.external.journal.by("GET", "/milestones$"))
    world.clock.advance(600)
    for number in range(3):
        world.hub.edit(task, title=f"Renamed {number} times", by="ada")
        await world.look()
    assert world.thing()["title"] == "Renamed 2 times", "what was told before has to do"
    assert len(world.external.journal.by("GET", "/milestones$")) == before + 1
    world.clock.advance(61)
    world.hub.edit(task, title="Renamed later", by="ada")
    await world.look()
    assert len(world.external.journal.by("GET", "/milestones$")) == before + 2
