"""Two web and three worker processes on PostgreSQL and a queue over TCP, as on several machines."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from itertools import count

import asyncpg
import pytest
import pytest_asyncio

from connectors.simulation import Exchange, Fault
from tests import stores
from tests.e2e.machines import Machine, Machines, machines
from tests.e2e.town import Place, assert_no_overlap, assert_silence

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300), pytest.mark.chaos]

LEASE_S = 6.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> AsyncIterator[Cluster]:
    """Six mappings, all machines running. The workers start before there is a table."""
    database_url = await stores.new_database(postgres_server)
    with stores.valkey_server() as redis_url:
        folder = tmp_path_factory.mktemp("cluster")
        async with machines(folder, database_url, redis_url, LEASE_SECONDS=str(LEASE_S)) as made:
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

    async def holder(self, place: Place) -> Machine | None:
        """The worker that holds the mapping's lease now."""
        connection = await asyncpg.connect(self.database_url)
        owner = await connection.fetchval("SELECT lease_owner FROM mapping WHERE name = $1", place.name)
        await connection.close()
        pid = int(owner.split("-")[1]) if owner else 0
        return next((machine for machine in self.of("worker") if machine.process.pid == pid), None)

    async def pairs(self, place: Place, number: int) -> dict[str, str]:
        """New issues with their tasks."""
        github = self.town.github
        made = [github.new(place.repo, title=f"Pair {next(self._numbers)}", by="ada") for _ in range(number)]
        return {issue: await self.town.twin(issue) for issue in made}

    async def writing(self, place: Place, pairs: dict[str, str]) -> Machine:
        """Edit all of these while Asana answers slowly; the worker in the middle of writing them."""
        asana = self.town.asana
        asana.faults.add(Fault(kind="slow", method="PUT", path="/tasks/", seconds=0.8, times=len(pairs)))
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


def _object(exchange: Exchange) -> str | None:
    found = re.search(r"/tasks/(\d+)|(/repos/.+?/issues/\d+)", exchange.path)
    return found[0] if found else None


async def test_mappings_are_spread_and_limits_shared(cluster: Cluster) -> None:
    town = cluster.town
    pairs = {place.name: await cluster.pairs(place, 3) for place in cluster.places}
    for simulator in (town.asana, town.github):
        simulator.faults.add(Fault(kind="429", retry_after=2))
    for turn in range(3):
        for several in pairs.values():
            cluster.edit(several)
        await asyncio.sleep(0.5)
        for several in pairs.values():
            for task in several.values():
                town.asana.edit(task, labels=[f"turn {turn}"])
    await town.quiet()
    for several in pairs.values():
        for issue, task in several.items():
            town.agree(issue, task)
    for simulator in (town.asana, town.github):
        assert_no_overlap(simulator.journal, _object)
        assert_silence(simulator.journal)
    assert all("write.done" in machine.log for machine in cluster.of("worker")), "each had its share"
    assert len(await town.workers()) == 3
    shown = [(await town.http.get(f"{web.url}/api/v1/links?limit=1")).json() for web in cluster.of("web")]
    assert shown[0] == shown[1]


async def test_a_killed_worker_is_replaced_within_the_lease(cluster: Cluster) -> None:
    place = cluster.places[0]
    pairs = await cluster.pairs(place, 6)
    holder = await cluster.writing(place, pairs)
    await cluster.stop(holder, signal.SIGKILL)
    await cluster.agree(pairs, within=LEASE_S + 20)
    await cluster.start("worker")
    await cluster.town.quiet()
    assert_no_overlap(cluster.town.asana.journal, _object)


async def test_a_worker_that_slept_beyond_its_lease_writes_nothing_more(cluster: Cluster) -> None:
    place, asana = cluster.places[1], cluster.town.asana
    pairs = await cluster.pairs(place, 20)
    holder = await cluster.writing(place, pairs)
    holder.send(signal.SIGSTOP)
    started = asyncio.get_running_loop().time()
    await cluster.agree(pairs, within=LEASE_S + 30)
    assert asyncio.get_running_loop().time() - started > 1
    await cluster.town.quiet()
    said, before = len(holder.log), len(asana.journal.writes())
    holder.send(signal.SIGCONT)
    await asyncio.sleep(3)
    late = [each.path for each in asana.journal.writes()[before:]]
    assert late == [], f"written after the lease was over: {late}"
    assert "write.done" not in holder.log[said:].replace('write.done", "outcome": "not_done', "")
    await cluster.agree(pairs)
    assert_no_overlap(asana.journal, _object)


async def test_a_worker_told_to_end_finishes_its_calls_and_hands_the_rest_back(cluster: Cluster) -> None:
    place, asana = cluster.places[2], cluster.town.asana
    pairs = await cluster.pairs(place, 30)
    holder = await cluster.writing(place, pairs)
    said = len(holder.log)
    under_way = [each for each in asana.journal.open if each.method == "PUT"]
    started = asyncio.get_running_loop().time()
    assert await cluster.stop(holder) == 0
    assert asyncio.get_running_loop().time() - started < 15
    assert under_way
    assert all(each.committed for each in under_way), "calls in flight came to their end"
    assert "write.unknown" not in holder.log[said:]
    await cluster.agree(pairs, within=30)
    await cluster.start("worker")
    assert_no_overlap(asana.journal, _object)


async def test_a_rolling_restart_under_load_loses_and_doubles_nothing(cluster: Cluster) -> None:
    town = cluster.town
    pairs = {place.name: await cluster.pairs(place, 3) for place in cluster.places}
    before = len(town.github.objects(cluster.places[0].repo))
    made: list[str] = []

    async def people() -> None:
        while True:
            for several in pairs.values():
                cluster.edit(several)
            made.append(town.github.new(cluster.places[0].repo, title=f"New {len(made)}", by="ada"))
            town.github.comment(made[-1], "and a remark")
            await asyncio.sleep(2)

    load = asyncio.create_task(people())
    for machine in list(cluster.running):
        assert await cluster.stop(machine) in (0, -signal.SIGTERM), machine.log
        await cluster.start(machine.role)
    load.cancel()
    await town.quiet(120)
    for several in pairs.values():
        for issue, task in several.items():
            town.agree(issue, task)
    for issue in made:
        town.agree(issue, await town.twin(issue))
    place = cluster.places[0]
    assert (
        len(town.github.objects(place.repo)) == len(town.asana.objects(place.project)) == before + len(made)
    )
    assert_no_overlap(town.asana.journal, _object)
    assert_no_overlap(town.github.journal, _object)
