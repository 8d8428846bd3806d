"""Two web and three worker processes on PostgreSQL and a queue over TCP, as on several machines."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count

import asyncpg
import pytest
import pytest_asyncio

from connectors.simulation import Exchange, Fault, Journal
from tests import stores
from tests.e2e.machines import Machine, Machines, machines
from tests.e2e.town import Place, assert_no_overlap, assert_silence

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300), pytest.mark.chaos]

LEASE_S = 8.0
PATIENT = {"LEASE_SECONDS": str(LEASE_S), "HTTP_TIMEOUT_SECONDS": str(LEASE_S / 2)}
LOOK_S = 2.0
"""For a worker to see that a lease has ended, on a machine that does much else."""
WRITES = SLOW = 15
"""In flight at once, over all workers (``limits`` of both connectors); so many answers are slow."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> AsyncIterator[Cluster]:
    """Six mappings, all machines running. The workers start before there is a table."""
    database_url = await stores.new_database(postgres_server)
    with stores.valkey_server() as redis_url:
        folder = tmp_path_factory.mktemp("cluster")
        async with machines(folder, database_url, redis_url, **PATIENT) as made:
            for number in range(6):
                made.town.found(f"m{number}", limits={"deletes_percent": 100, "creates_per_hour": 10000})
            for role in ("worker", "worker", "worker", "web", "web"):
                await made.start(role)
            await made.town.done("apply", str(made.town.file))
            yield Cluster(made, database_url)


class Cluster(Machines):
    """The machines, and what their database says of who works."""

    def __init__(self, made: Machines, database_url: str) -> None:
        super().__init__(made.town, made.running, made.started)
        self.database_url = database_url
        self.places = list(made.town.places.values())
        self._numbers = count()

    async def asked(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Rows of the database that all share."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def holder(self, place: Place) -> Machine | None:
        """The worker that holds the mapping's lease now."""
        (row,) = await self.asked("SELECT lease_owner FROM mapping WHERE name = $1", place.name)
        pid = int(row[0].split("-")[1]) if row[0] else 0
        return next((machine for machine in self.of("worker") if machine.process.pid == pid), None)

    async def lease_number(self, place: Place) -> int:
        """It grows with every worker that takes the mapping."""
        (row,) = await self.asked("SELECT lease_no FROM mapping WHERE name = $1", place.name)
        return int(row[0])

    async def written(self) -> list[tuple[int, str]]:
        """The log of writes: what each came to."""
        return [tuple(row) for row in await self.asked("SELECT id, state FROM write ORDER BY id")]

    async def pairs(self, number: int, *places: Place) -> dict[str, str]:
        """So many new issues in each of these places, with their tasks."""
        made = {
            self.town.github.new(place.repo, title=f"Pair {next(self._numbers)}", by="ada")
            for place in places
            for _ in range(number)
        }
        found: dict[str, str] = {}

        async def linked() -> bool:
            rows = await self.town.task_links()
            found.update({row["external"]["id"]: row["asana"]["gid"] for row in rows if row["asana"]["gid"]})
            return made <= found.keys()

        await self.town.until(linked, f"{len(made)} issues have tasks")
        return {issue: found[issue] for issue in made}

    async def writing(self, place: Place, pairs: dict[str, str]) -> Machine:
        """Edit all of these while Asana answers slowly; the worker in the middle of writing them."""
        asana = self.town.asana
        asana.faults.add(Fault(kind="slow", method="PUT", path="/tasks/", seconds=0.8, times=SLOW))
        self.edit(pairs)
        await self.town.until(lambda: any(each.method == "PUT" for each in asana.journal.open), "a write")
        found = await self.holder(place)
        assert found is not None
        return found

    def edit(self, pairs: dict[str, str]) -> None:
        for issue in pairs:
            self.town.github.edit(issue, title=f"Edited {next(self._numbers)}", by="bob")

    async def agree(self, pairs: dict[str, str], within: float = 60.0) -> None:
        def same() -> bool:
            for issue, task in pairs.items():
                if (self.town.github.view(issue) or {})["title"] != (self.town.asana.view(task) or {})[
                    "title"
                ]:
                    return False
            return True

        await self.town.until(same, "both sides agree", within)


def touched(exchange: Exchange) -> str | None:
    found = re.search(r"/tasks/(\d+)|(/repos/.+?/issues/\d+)", exchange.path)
    return found[0] if found else None


def _writes_at_once(journal: Journal) -> int:
    """The most that were under way at one moment."""
    moments = [
        (moment, step)
        for each in journal
        if each.method != "GET" and each.until is not None
        for moment, step in ((each.at, 1), (each.until, -1))
    ]
    return max(accumulate(step for _, step in sorted(moments)), default=0)


async def test_mappings_are_spread_and_limits_shared(cluster: Cluster) -> None:
    town = cluster.town
    pairs = await cluster.pairs(4, *cluster.places)
    town.asana.faults.add(Fault(kind="slow", method="PUT", path="/tasks/", seconds=0.5, times=len(pairs)))
    for simulator in (town.asana, town.github):
        simulator.faults.add(Fault(kind="429", retry_after=2))
    for turn in range(3):
        cluster.edit(pairs)
        await asyncio.sleep(0.5)  # passes are under way while people go on
        for task in pairs.values():
            town.asana.edit(task, labels=[f"turn {turn}"])
    await town.quiet(120)
    for issue, task in pairs.items():
        town.agree(issue, task)
    for simulator in (town.asana, town.github):
        assert_no_overlap(simulator.journal, touched)
        assert_silence(simulator.journal)
        assert _writes_at_once(simulator.journal) <= WRITES
    assert all("write.done" in machine.log for machine in cluster.of("worker")), "each had its share"
    assert len(await town.workers()) == 3
    shown = [(await town.http.get(f"{web.url}/api/v1/links?limit=1")).json() for web in cluster.of("web")]
    assert shown[0] == shown[1]


async def test_a_killed_worker_is_replaced_within_the_lease(cluster: Cluster) -> None:
    place = cluster.places[0]
    pairs = await cluster.pairs(6, place)
    holder = await cluster.writing(place, pairs)
    held = await cluster.lease_number(place)
    await cluster.stop(holder, signal.SIGKILL)

    async def taken_over() -> bool:
        return await cluster.lease_number(place) > held

    await cluster.town.until(taken_over, "another worker has the mapping", LEASE_S + LOOK_S)
    await cluster.agree(pairs)
    await cluster.start("worker")
    await cluster.town.quiet()
    assert_no_overlap(cluster.town.asana.journal, touched)


async def test_a_worker_that_slept_beyond_its_lease_writes_nothing_more(cluster: Cluster) -> None:
    place, asana = cluster.places[1], cluster.town.asana
    pairs = await cluster.pairs(6, place)
    holder = await cluster.writing(place, pairs)
    holder.send(signal.SIGSTOP)
    await cluster.agree(pairs)
    await cluster.town.quiet()
    before, written = len(asana.journal.writes()), await cluster.written()
    holder.send(signal.SIGCONT)
    awake = datetime.now(UTC)

    async def at_work_again() -> bool:
        """Twice: whatever it was about to do when it was stopped, it has done."""
        workers = (await cluster.town.status())["instance"]["workers"]
        beats = {each["pid"]: datetime.fromisoformat(each["heartbeat_at"]) for each in workers}
        return beats.get(holder.process.pid, awake) > awake + timedelta(seconds=2)

    await cluster.town.until(at_work_again, "it goes on")
    late = [
        f"{each.method} {each.path} {each.headers['user-agent']}" for each in asana.journal.writes()[before:]
    ]
    assert late == [], "written after the lease was over"
    assert await cluster.written() == written, "what became of its writes has been found out by another"
    await cluster.agree(pairs)
    assert_no_overlap(asana.journal, touched)


async def test_a_worker_told_to_end_finishes_its_calls_and_hands_the_rest_back(cluster: Cluster) -> None:
    place, asana = cluster.places[2], cluster.town.asana
    pairs = await cluster.pairs(20, place)
    holder = await cluster.writing(place, pairs)
    said = len(holder.log)
    held = await cluster.lease_number(place)
    under_way = [each for each in asana.journal.open if each.method == "PUT"]
    assert await cluster.stop(holder) == 0
    assert under_way
    assert {each.status for each in under_way} == {200}, "calls in flight were answered"
    assert "write.unknown" not in holder.log[said:]

    async def taken_over() -> bool:
        return await cluster.lease_number(place) > held

    await cluster.town.until(taken_over, "another worker has the mapping", LOOK_S)
    await cluster.agree(pairs)
    await cluster.start("worker")
    assert_no_overlap(asana.journal, touched)


async def test_a_rolling_restart_under_load_loses_and_doubles_nothing(cluster: Cluster) -> None:
    town, place = cluster.town, cluster.places[0]
    pairs = await cluster.pairs(3, *cluster.places)
    before = len(town.github.objects(place.repo))
    made: list[str] = []

    async def people() -> None:
        while True:
            cluster.edit(pairs)
            made.append(town.github.new(place.repo, title=f"New {len(made)}", by="ada"))
            town.github.comment(made[-1], "and a remark")
            await asyncio.sleep(2)

    load = asyncio.create_task(people())
    for machine in list(cluster.running):
        said = len(machine.log)
        assert await cluster.stop(machine) in (0, -signal.SIGTERM), machine.log
        assert machine.role == "web" or "write.unknown" not in machine.log[said:]
        await cluster.start(machine.role)
    load.cancel()
    await town.quiet(120)
    for issue, task in pairs.items():
        town.agree(issue, task)
    for issue in made:
        town.agree(issue, await town.twin(issue))
    assert (
        len(town.github.objects(place.repo)) == len(town.asana.objects(place.project)) == before + len(made)
    )
    assert_no_overlap(town.asana.journal, touched)
    assert_no_overlap(town.github.journal, touched)
