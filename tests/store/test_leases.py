"""Who works on what: one worker a mapping, one pass an object, both fenced."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from sync.store import leases
from sync.store.database import Database
from sync.store.tables import Claim, Mapping
from tests.store.rows import a_mapping, at


async def the_mapping(database: Database) -> int:
    async with database.write() as session:
        return (await a_mapping(session)).id


async def take(database: Database, mapping_id: int, owner: str, now: float = 0) -> int | None:
    async with database.write() as session:
        return await leases.take_lease(session, mapping_id, owner, at(now), at(now + 60))


async def claim(database: Database, *refs: str, owner: str = "a", now: float = 0, lease_no: int = 1) -> bool:
    async with database.write() as session:
        hold = leases.Hold(owner, mapping_id=1, lease_no=lease_no)
        return await leases.claim(session, refs, hold, now=at(now), until=at(now + 60))


async def claimed(database: Database) -> dict[str, str]:
    async with database.read() as session:
        return {row.ref: row.owner for row in (await session.execute(select(Claim))).scalars()}


async def test_one_worker_holds_a_mapping_until_it_lets_go_or_time_is_up(database: Database) -> None:
    mapping_id = await the_mapping(database)
    assert await take(database, mapping_id, "a") == 1
    assert await take(database, mapping_id, "b", now=30) is None
    async with database.write() as session:
        await leases.release_lease(session, mapping_id, "a", 1)
    assert await take(database, mapping_id, "b", now=30) == 2
    assert await take(database, mapping_id, "c", now=91) == 3, "the number grows with every take-over"


async def test_of_many_at_once_one_wins(database: Database) -> None:
    mapping_id = await the_mapping(database)
    won = await asyncio.gather(*(take(database, mapping_id, f"w{number}") for number in range(8)))
    assert [number for number in won if number is not None] == [1]


async def test_renewing_is_fenced(database: Database) -> None:
    mapping_id = await the_mapping(database)
    number = await take(database, mapping_id, "a")
    assert number is not None
    await claim(database, "r1", lease_no=number)
    async with database.write() as session:
        assert await leases.renew_lease(session, mapping_id, "a", number, at(50), at(110))
        assert not await leases.renew_lease(session, mapping_id, "a", number + 1, at(50), at(110))
        assert not await leases.renew_lease(session, mapping_id, "b", number, at(50), at(110))
        assert not await leases.renew_lease(session, mapping_id, "a", number, at(200), at(260)), "it ran out"
    async with database.read() as session:
        assert (await session.get_one(Claim, "r1")).until == at(110), "claims go with the lease"


async def test_letting_go_too_late_touches_nothing(database: Database) -> None:
    mapping_id = await the_mapping(database)
    first = await take(database, mapping_id, "a")
    second = await take(database, mapping_id, "b", now=61)
    assert first is not None
    await claim(database, "r1", owner="b", lease_no=second or 0)
    async with database.write() as session:
        await leases.release_lease(session, mapping_id, "a", first)
    async with database.read() as session:
        assert (await session.get_one(Mapping, mapping_id)).lease_owner == "b"
    assert await claimed(database) == {"r1": "b"}


async def test_claims_are_all_or_nothing(database: Database) -> None:
    assert await claim(database, "r2", owner="b")
    assert not await claim(database, "r1", "r2", "r3")
    assert await claimed(database) == {"r2": "b"}
    assert await claim(database, "r1", "r2", "r3", now=61), "a claim whose time is up is free"
    assert set((await claimed(database)).values()) == {"a"}


async def test_each_group_is_claimed_whole_or_not_at_all(database: Database) -> None:
    await claim(database, "r4", owner="b")
    groups = [["r1", "r2"], ["r3", "r4"], ["r2", "r5"], [], ["r6"]]
    async with database.write() as session:
        granted = await leases.claim_each(session, groups, leases.Hold("a", 1, 1), now=at(0), until=at(60))
    assert granted == [True, False, False, True, True], "r4 is another's, r2 the first group's"
    assert await claimed(database) == {"r1": "a", "r2": "a", "r4": "b", "r6": "a"}


async def test_a_claim_is_not_taken_twice_under_one_lease(database: Database) -> None:
    assert await claim(database, "r1")
    assert not await claim(database, "r1"), "two units of one pass"
    assert await claim(database, "r1", lease_no=2), "left over from our own earlier lease"


async def test_giving_back_and_keeping(database: Database) -> None:
    await claim(database, "r1", "r2")
    async with database.write() as session:
        await leases.release(session, ["r1"], leases.Hold("a", 1, 1))
        await leases.release(session, [], leases.Hold("a", 1, 1))
        await leases.release(session, ["r2"], leases.Hold("b", 1, 1))
        await leases.keep_until(session, "r2", "a", at(5))
    assert await claimed(database) == {"r2": "a"}
    assert not await claim(database, "r2", owner="b", now=4)
    assert await claim(database, "r2", owner="b", now=6)


async def test_what_the_dead_held_is_free(database: Database) -> None:
    mapping_id = await the_mapping(database)
    await take(database, mapping_id, "dead")
    await claim(database, "r1", owner="dead")
    await claim(database, "r2", owner="alive")
    async with database.write() as session:
        await leases.free_after(session, lambda owner: owner == "dead")
    assert await claimed(database) == {"r2": "alive"}
    assert await take(database, mapping_id, "b") == 2
    async with database.write() as session:
        await leases.free_after(session, lambda owner: False)
