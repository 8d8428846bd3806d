"""Webhooks at the providers: made, adopted, made anew, removed with the mapping."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault, serve_app
from sync.jobs.receiving import subscriptions
from sync.jobs.receiving.intake import Intake
from sync.jobs.tending import upkeep
from sync.store.tables import Connection, Delivery, Mapping, Subscription
from tests.jobs.conftest import Build
from tests.jobs.world import World


def hooks(world: World) -> list[str]:
    """Targets of the webhooks that stand at the external store."""
    return [hook["target"] for hook in world.external.webhooks.values()]  # type: ignore[attr-defined]


async def test_webhooks_only_where_somebody_can_reach_us(world: World) -> None:
    await subscriptions.keep(world.engine)
    assert await world.rows(Subscription) == []


async def test_created_checked_lost_and_made_anew(build: Build) -> None:
    world = await build(settings_={"public_url": "http://127.0.0.1:1/"})
    connection = await world.the(Connection, name="other")
    await subscriptions.keep(world.engine)
    row = await world.the(Subscription, connection_id=connection.id)
    assert row.state == "active"
    assert row.target == f"http://127.0.0.1:1/webhooks/other/{row.key}"
    assert hooks(world) == [row.target]
    assert len(row.key) == 32
    assert len(world.engine.vault.open(row.secret)["secret"]) == 64
    asked = len(world.external.journal)
    await subscriptions.keep(world.engine)
    assert len(world.external.journal) == asked, "checked seldom"

    world.clock.advance(subscriptions.CHECK_S + 1)
    await subscriptions.keep(world.engine)
    again = await world.the(Subscription, connection_id=connection.id)
    assert (again.id, again.state) == (row.id, "active")
    assert again.checked_at is not None
    assert row.checked_at is not None
    assert again.checked_at > row.checked_at

    world.external.webhooks.clear()  # type: ignore[attr-defined]
    world.clock.advance(subscriptions.CHECK_S + 1)
    await subscriptions.keep(world.engine)
    rows = await world.rows(Subscription, connection_id=connection.id)
    assert [entry.state for entry in rows] == ["dead", "active"]
    assert rows[0].reason == "the provider removed it"
    assert rows[1].key != rows[0].key
    assert hooks(world) == [rows[1].target]
    world.clock.advance(subscriptions.CHECK_S + 1)
    await subscriptions.retry_dead(world.engine)
    left = await world.rows(Subscription, connection_id=connection.id)
    assert [entry.state for entry in left] == ["active"]


async def test_removed_with_the_mapping(build: Build) -> None:
    world = await build(settings_={"public_url": "http://127.0.0.1:1"})
    connection = await world.the(Connection, name="other")
    await subscriptions.keep(world.engine)
    assert len(hooks(world)) == 1
    await world.change(Mapping, {"removed_at": world.engine.now()})
    world.external.faults.add(Fault(kind="503", method="DELETE", path="/webhooks/"))
    await subscriptions.keep(world.engine)
    assert await world.rows(Subscription, connection_id=connection.id) == []


async def test_a_refused_webhook_is_dead_and_said(build: Build) -> None:
    world = await build(settings_={"public_url": "http://127.0.0.1:1"})
    connection = await world.the(Connection, name="other")
    world.external.faults.add(Fault(kind="500", method="POST", path="/webhooks"))
    await subscriptions.keep(world.engine)
    row = await world.the(Subscription, connection_id=connection.id)
    assert (row.state, bool(row.reason)) == ("dead", True)
    await subscriptions.keep(world.engine)
    assert len(await world.rows(Subscription, connection_id=connection.id)) == 1, "not asked every second"
    world.clock.advance(31)
    await subscriptions.keep(world.engine)
    assert len(hooks(world)) == 1


async def test_another_public_address_makes_other_webhooks(build: Build) -> None:
    world = await build(settings_={"public_url": "http://127.0.0.1:1"})
    await subscriptions.keep(world.engine)
    world.set_now(public_url="http://127.0.0.1:2")
    await subscriptions.keep(world.engine)
    (address,) = hooks(world)
    assert address.startswith("http://127.0.0.1:2/webhooks/other/")


async def test_another_configured_secret_makes_another_webhook(build: Build) -> None:
    world = await build(GitHubSimulator, settings_={"public_url": "http://127.0.0.1:1"})
    await subscriptions.keep(world.engine)
    connection = await world.the(Connection, name="other")
    before = await world.the(Subscription, connection_id=connection.id)
    document = deepcopy(world.document)
    document["connections"][1]["credentials"]["webhook_secret"] = "chosen by an admin"
    await world.apply_document(document)
    await subscriptions.keep(world.engine)
    await subscriptions.keep(world.engine)
    row = await world.the(Subscription, connection_id=connection.id)
    assert (row.state, row.remote_id != before.remote_id) == ("active", True)
    assert [call.method for call in world.writes() if "/hooks" in call.path] == ["POST", "DELETE", "POST"]
    assert world.engine.vault.open(row.secret)["secret"] == "chosen by an admin"


async def test_a_check_that_fails_is_repeated(build: Build) -> None:
    world = await build(settings_={"public_url": "http://127.0.0.1:1"})
    connection = await world.the(Connection, name="other")
    await subscriptions.keep(world.engine)
    world.clock.advance(subscriptions.CHECK_S + 1)
    world.external.faults.add(Fault(kind="503", method="GET", path="/webhooks"))
    await subscriptions.keep(world.engine)
    row = await world.the(Subscription, connection_id=connection.id)
    assert (row.state, bool(row.reason)) == ("active", True)
    world.clock.advance(31)
    await subscriptions.keep(world.engine)
    assert (await world.the(Subscription, connection_id=connection.id)).reason == ""


async def test_one_that_was_never_completed_is_given_up(build: Build) -> None:
    world = await build(settings_={"public_url": "http://127.0.0.1:1"})
    connection = await world.the(Connection, name="other")
    async with world.engine.database.write() as session:
        session.add(
            Subscription(
                connection_id=connection.id,
                container=world.container,
                key="k",
                state="creating",
                target="http://127.0.0.1:1/webhooks/other/k",
                created_at=world.engine.now(),
                next_at=world.engine.now(),
            )
        )
    world.clock.advance(1)
    await subscriptions.keep(world.engine)
    row = (await world.rows(Subscription, connection_id=connection.id))[0]
    assert (row.state, "not completed" in row.reason) == ("dead", True)


async def test_dead_credentials_make_no_webhook(build: Build) -> None:
    world = await build(settings_={"public_url": "http://127.0.0.1:1"})
    world.external.token = "revoked"  # type: ignore[attr-defined]
    await subscriptions.keep(world.engine)
    assert (await world.the(Connection, name="other")).state == "needs_reauth"
    asked = len(world.external.journal)
    await subscriptions.keep(world.engine)
    assert len(world.external.journal) == asked


@asynccontextmanager
async def reachable(worlds: list[World]) -> AsyncIterator[str]:
    """The address of a web side that passes every call on to the world; without one it answers 503."""

    async def pass_on(request: Request) -> Response:
        if not worlds:
            return Response("away", 503)
        async with Intake(worlds[0].engine) as intake:
            reply = await intake.take_in(
                request.path_params["connection"],
                request.path_params["key"],
                dict(request.headers),
                await request.body(),
            )
        return Response(reply.text, reply.status, dict(reply.headers))

    app = Starlette(routes=[Route("/webhooks/{connection}/{key}", pass_on, methods=["POST"])])
    async with serve_app(app) as url:
        yield url


async def keep(world: World, *, after_s: float = 0) -> None:
    """Look after the webhooks, and let what they have to tell be told."""
    world.clock.advance(after_s)
    await subscriptions.keep(world.engine)
    await world.external.outbox.idle()


async def told_to_nobody(build: Build, url: str, worlds: list[World]) -> World:
    """A world with an issue of which GitHub's only webhook could tell nobody yet."""
    world = await build(GitHubSimulator, settings_={"public_url": url})
    worlds.append(world)
    await keep(world)
    worlds.clear()
    world.external.new(world.container, title="Told to nobody", by="ada")
    await world.external.outbox.idle()
    return world


def asked_again(world: World) -> int:
    return sum(each.path.endswith("/attempts") for each in world.external.journal)


async def test_what_github_could_not_deliver_is_asked_for_again_once(build: Build) -> None:
    async with reachable(worlds := list[World]()) as url:
        world = await told_to_nobody(build, url, worlds)
        worlds.append(world)
        for _ in range(2):
            await keep(world, after_s=subscriptions.CHECK_S + 1)
        await world.work()
        assert world.task()["title"] == "Told to nobody", "without a poll"
        assert asked_again(world) == 1
        world.external.faults.add(Fault(kind="404", path="/deliveries", times=None))
        world.clock.advance(subscriptions.CHECK_S + 1)
        await subscriptions.keep(world.engine)
        github = await world.the(Connection, name="other")
        assert (await world.the(Subscription, connection_id=github.id)).reason == "", "the log is optional"


async def test_a_call_that_fails_once_more_is_not_asked_for_a_third_time(build: Build) -> None:
    """GitHub keeps the log for three days: whoever is away for long would be called over and over."""
    async with reachable(worlds := list[World]()) as url:
        world = await told_to_nobody(build, url, worlds)
        for _ in range(3):
            await keep(world, after_s=subscriptions.CHECK_S + 1)
        assert asked_again(world) == 1


async def test_one_that_was_switched_off_is_made_anew_and_is_the_only_one(build: Build) -> None:
    async with reachable(worlds := list[World]()) as url:
        world = await build(GitHubSimulator, settings_={"public_url": url})
        worlds.append(world)
        await subscriptions.keep(world.engine)
        there = world.external.webhooks.hooks  # type: ignore[attr-defined]
        (first,) = there.values()
        first.active = False
        world.clock.advance(subscriptions.CHECK_S + 1)
        await subscriptions.keep(world.engine)
        (second,) = there.values()
        assert second.active
        assert second.url != first.url
        github = await world.the(Connection, name="other")
        states = [row.state for row in await world.rows(Subscription, connection_id=github.id)]
        assert states == ["dead", "active"]


async def test_both_webhooks_make_it_faster(build: Build) -> None:
    """With the handshake of Asana, over a web side that passes every call on."""
    async with reachable(worlds := list[World]()) as url:
        world = await build(settings_={"public_url": url})
        worlds.append(world)
        await upkeep.round_of(world.engine)
        assert {row.state for row in await world.rows(Subscription)} == {"active"}
        asana = await world.the(Connection, name="our-asana")
        held = await world.the(Subscription, connection_id=asana.id)
        assert world.engine.vault.open(held.secret)["secret"]
        item = world.external.new(world.container, title="Told at once")
        await world.external.outbox.idle()
        await world.work()
        assert world.task()["title"] == "Told at once"
        world.hub.edit(world.tasks()[0], title="Told back", by="ada")
        await world.hub.outbox.idle()
        await world.work()
        view = world.external.view(item)
        assert view is not None
        assert view["title"] == "Told back"
        assert {row.state for row in await world.rows(Delivery)} <= {"processed", "ignored"}
