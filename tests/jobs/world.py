"""Two providers with one mapping between them, the engine that syncs them, and the people who work there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import yaml
from sqlalchemy import select
from sqlmodel import SQLModel, col

from connectors import discover
from connectors.asana.simulator import AsanaSimulator
from connectors.records import Ref
from connectors.simulation import Exchange, Fault, Faults, Simulator
from sync.configuration import Configuration, load
from sync.jobs.configuring.applying import Applied, apply
from sync.jobs.connecting.connections import refresh_people
from sync.jobs.connecting.sessions import Sessions
from sync.jobs.engine import Engine
from sync.jobs.once import work_until_quiet
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.lease import leased
from sync.jobs.passing.passes import sync_mapping
from sync.jobs.routing.route import Route, open_route
from sync.jobs.tending import upkeep
from sync.jobs.watching import polling
from sync.jobs.watching.full_pass import full_pass
from sync.jobs.watching.snapshots import Snapshots
from sync.reconcile.model import Side
from sync.settings import Settings
from sync.store import marks
from sync.store.cursors import cursors_on
from sync.store.database import Database
from sync.store.secrets import Vault
from sync.store.tables import Connection, Cursor, Link, Mapping, Mark

T = TypeVar("T", bound=SQLModel)

FAST: Map[str, Any] = {
    "allow_private_hosts": "127.0.0.1",
    "poll_seconds": 0.3,
    "http_timeout_seconds": 3.0,
    "lookup_delay_seconds": 0.3,
    "stale_seconds": 0.0,
    "join_seconds": 0.0,
    "delete_delay_seconds": 0.0,
    "backoff_max_seconds": 0.05,
    "rewake_seconds": 0.2,
}
"""Patience for tests; those that are about time set their own."""

PATIENCE_S = 20.0


class Skewed:
    """The engine's clock: real time and what a test adds to it."""

    def __init__(self) -> None:
        self.skew_s = 0.0
        self._stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self._stopped_at or datetime.now(UTC)) + timedelta(seconds=self.skew_s)

    def stop(self) -> None:
        """Time goes on by :meth:`advance` alone, however slow the machine is."""
        self._stopped_at = datetime.now(UTC)

    def run(self) -> None:
        self._stopped_at = None

    def advance(self, seconds: float) -> None:
        self.skew_s += seconds


@dataclass
class World:
    """``mapping`` is what stands in the configuration file beside the places."""

    engine: Engine
    clock: Skewed
    hub: AsanaSimulator
    external: Simulator
    urls: Map[str, str]
    project: str
    container: str
    mapping: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    woken: list[int] = field(default_factory=list)

    @classmethod
    def over(
        cls,
        settings: Settings,
        database: Database,
        hub: AsanaSimulator,
        external: Simulator,
        urls: Map[str, str],
    ) -> World:
        vault, clock, woken = Vault.from_settings(settings, create=True), Skewed(), []

        async def wake(mapping_id: int, delay_s: float) -> None:
            woken.append(mapping_id)

        engine = Engine(
            settings=settings,
            database=database,
            vault=vault,
            sessions=Sessions(settings, database, vault, None),
            owner="test",
            wake=wake,
            now=clock,
        )
        return cls(
            engine,
            clock,
            hub,
            external,
            urls,
            hub.new_container("Website"),
            external.new_container("website"),
            woken=woken,
        )

    # configuration

    def configured(self, **mapping: Any) -> dict[str, Any]:
        """The document of the configuration file."""
        self.mapping |= mapping
        return {
            "connections": [
                {"name": "our-asana", "connector": "asana", **self.hub.connection(self.urls["asana"])},
                {
                    "name": "other",
                    "connector": self.external.name,
                    **self.external.connection(self.urls[self.external.name]),
                },
            ],
            "people": [
                {"asana": f"{name}@example.com", "other": self.external.people[name].login}
                for name in ("ada", "bob")
                if hasattr(self.external.people[name], "login")
            ],
            "mappings": [
                {
                    "name": "web",
                    "connection": "other",
                    "container": self.container,
                    "asana": {"connection": "our-asana", "project": self.project},
                    **self.mapping,
                }
            ],
        }

    async def apply(self, *, dry_run: bool = False, consent: bool = True, **mapping: Any) -> Applied:
        self.document = self.configured(**mapping)
        return await self.apply_document(self.document, dry_run=dry_run, consent=consent)

    async def apply_document(
        self, document: Map[str, Any], *, dry_run: bool = False, consent: bool = True
    ) -> Applied:
        return await apply(self.engine, read(document), dry_run=dry_run, consent=consent)

    # the engine at work

    async def settle(self, *, full: bool = False) -> dict[str, Any]:
        """Poll and work until nothing is left to do."""
        async with asyncio.timeout(PATIENCE_S):
            return await work_until_quiet(self.engine, None, full=full)

    async def poll(self) -> None:
        async with self.engine.database.read() as session:
            cursors = await cursors_on(session)
        for cursor in cursors:
            await polling.poll(self.engine, cursor.id, even_if_early=True)

    async def poll_only(self, connection: str) -> None:
        """Poll one of the two sides."""
        row = await self.the(Connection, name=connection)
        for cursor in await self.rows(Cursor, connection_id=row.id):
            await polling.poll(self.engine, cursor.id, even_if_early=True)

    async def look(self) -> None:
        """Poll both sides and act once on what is due: nothing is waited for."""
        await upkeep.ensure_cursors(self.engine)
        await self.poll()
        await self.work()

    async def work(self) -> None:
        """Act once on what is due."""
        for mapping in await self.rows(Mapping):
            await sync_mapping(self.engine, mapping.id)

    async def compare(self, *, all_comments: bool = False) -> bool:
        """A full pass, and what it marked."""
        done = await full_pass(self.engine, (await self.the(Mapping)).id, all_comments=all_comments)
        await self.work()
        return done

    async def list_people(self) -> None:
        """Ask both sides who is there."""
        containers = {"our-asana": self.project, "other": self.container}
        for row in await self.rows(Connection):
            await refresh_people(self.engine, row, [containers[row.name]])

    async def mark(self, side: Side, object_id: str, **more: Any) -> None:
        """Mark an object, as if somebody had told of it."""
        now, ref = self.engine.now(), await self.ref(side, object_id)
        async with self.engine.database.write() as session:
            mapping = (await session.execute(select(Mapping))).scalars().first()
            assert mapping is not None
            mark = marks.NewMark(mapping_id=mapping.id, side=side, ref=ref, reason="test", **more)
            await marks.put(session, [mark], now)

    async def mark_gone(self, object_id: str, number: int) -> None:
        """As a verified event does that tells of a deleted issue."""
        link = await self.link()
        assert link.external_id == object_id
        await self.mark(Side.EXTERNAL, object_id, gone="deleted event")
        await self.change(Mark, {"address": f"{self.container}#{number}"}, object_id=object_id)

    async def route(self) -> Route:
        route = await open_route(self.engine, (await self.the(Mapping)).id)
        assert route is not None
        return route

    # what is stored

    async def rows(self, table: type[T], **wanted: Any) -> Sequence[T]:
        async with self.engine.database.read() as session:
            query = select(table).filter_by(**wanted).order_by(*table.__table__.primary_key)  # type: ignore[attr-defined]
            return (await session.execute(query)).scalars().all()

    async def the(self, table: type[T], **wanted: Any) -> T:
        """The only one."""
        (row,) = await self.rows(table, **wanted)
        return row

    async def change(self, table: type[T], values: Map[str, Any], **wanted: Any) -> None:
        """Set columns of all rows that match."""
        async with self.engine.database.write() as session:
            for row in (await session.execute(select(table).filter_by(**wanted))).scalars():
                for name, value in values.items():
                    setattr(row, name, value)
                session.add(row)

    async def link(self) -> Link:
        """The newest task link."""
        async with self.engine.database.read() as session:
            query = select(Link).where(col(Link.kind) == "task").order_by(col(Link.id).desc()).limit(1)
            return (await session.execute(query)).scalars().one()

    async def waiting(self) -> str:
        """Why the only mark waits."""
        return (await self.the(Mark)).reason

    # what people see

    async def ref(self, side: Side, object_id: str, kind: str = "") -> Ref:
        """As the connector names the object."""
        end = (await self.route()).end(side)
        return end.ref(kind or end.connector.capabilities.kinds[0], object_id)

    def task(self, at: int = -1) -> dict[str, Any]:
        """What a person sees of a task in the project, the newest first asked."""
        view = self.hub.view(self.tasks()[at])
        assert view is not None
        return view

    def tasks(self) -> list[str]:
        return self.hub.objects(self.project)

    def thing(self, at: int = -1) -> dict[str, Any]:
        """What a person sees of an external object."""
        view = self.external.view(self.things()[at])
        assert view is not None
        return view

    def things(self) -> list[str]:
        return self.external.objects(self.container)

    def writes(self) -> list[Exchange]:
        """What was written to both providers."""
        return [*self.hub.journal.writes(), *self.external.journal.writes()]

    async def paired(self, **fields: Any) -> tuple[str, str]:
        """An external object and its task, in step: (external id, task gid)."""
        made = self.external.new(self.container, **{"title": "Broken link", "by": "ada", **fields})
        await self.settle()
        return made, self.tasks()[-1]

    def set_snapshots(self, snapshots: Snapshots) -> None:
        """As after a restart, with an empty one."""
        self.engine = replace(self.engine, snapshots=snapshots)

    def set_now(self, **settings: Any) -> None:
        """Other settings from here on."""
        self.engine = replace(self.engine, settings=self.engine.settings.model_copy(update=settings))


class Meanwhile(Faults):
    """Something that a person does right before the provider acts on a request.

    Put in the place of a simulator's faults: ``act`` runs before the first ``times`` requests of
    ``method`` whose path contains ``path``.
    """

    def __init__(self, method: str, path: str, act: Callable[[], object], *, times: int = 1) -> None:
        super().__init__()
        self._method, self._path, self._act, self.left = method, path, act, times

    def take(self, method: str, path: str) -> Fault | None:
        if self.left and method == self._method and re.search(self._path, path):
            self.left -= 1
            self._act()
        return super().take(method, path)


def read(document: Map[str, Any]) -> Configuration:
    return load(yaml.safe_dump(dict(document)), {}, discover())


async def at_desk(world: World, body: Any) -> Any:
    """Run ``body(desk)`` with the mapping's lease."""
    route = await world.route()
    async with leased(world.engine, route.mapping.id) as lease:
        assert lease is not None
        return await body(Desk(world.engine, route, lease))
