"""The state of connections: do the credentials work, is it the pinned account, what time is it there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import structlog
from sqlalchemy import select, update
from sqlmodel import col

from connectors.errors import ConnectorError, PauseConnection, RetryLater
from connectors.records import Account
from sync.jobs.connecting.states import NEEDS_REAUTH, OK, UNREACHABLE
from sync.jobs.engine import Engine
from sync.jobs.routing.people import store_users
from sync.store.tables import Connection, Mapping
from sync.store.times import rfc3339

log = structlog.get_logger()


async def examine(engine: Engine, mapping_id: int) -> None:
    """A call was refused as unauthorised: find out whose credentials are dead, with one call each.

    Of many calls that are refused at once, the first one asks for all.
    """
    refused_at = engine.now()
    async with engine.sessions.examining:
        async with engine.database.read() as session:
            mapping = await session.get(Mapping, mapping_id)
            if mapping is None:
                return
            rows = [
                await session.get(Connection, connection_id)
                for connection_id in (mapping.hub_connection_id, mapping.external_connection_id)
            ]
        for row in rows:
            if row is None or row.state == NEEDS_REAUTH:
                continue
            if row.checked_at is None or row.checked_at < refused_at:
                await check(engine, row)


async def check(engine: Engine, connection: Connection) -> Account | None:
    """Ask who we are and keep what is learnt; None where it is not known now."""
    async with engine.database.write() as store:
        await store.execute(
            update(Connection).where(col(Connection.id) == connection.id).values(checked_at=engine.now())
        )
    try:
        session = await engine.sessions.get(connection)
        account = await session.check()
        if connection.account_id and account.id != connection.account_id:
            raise PauseConnection(
                f"the credentials belong to {account.name}, not to {connection.account_name}"
            )
    except PauseConnection as error:
        await note(engine, connection, NEEDS_REAUTH, error.reason)
        return None
    except RetryLater as error:
        if not error.limited:
            await note(engine, connection, UNREACHABLE, error.reason)
        return None
    except ConnectorError as error:
        await note(engine, connection, UNREACHABLE, error.reason)
        return None
    finally:
        engine.sessions.refused.discard(connection.id)
    await _keep(engine, connection.id, account)
    return account


async def lacks(engine: Engine, connection: Connection, container: str) -> list[str]:
    """What the account may not do in one container, in sentences; also that it cannot see it."""
    try:
        return list(await (await engine.sessions.get(connection)).lacks(container))
    except ConnectorError as error:
        return [f"{error.reason}."]


async def note(engine: Engine, connection: Connection, state: str, reason: str) -> None:
    """Keep the state of a connection, as it was when its provider was asked.

    A dead one stays dead until its credentials change; what the ones before met says nothing of the new.
    """
    async with engine.database.write() as session:
        row = await session.get(Connection, connection.id)
        if row is None or (row.state == state and row.reason == reason):
            return
        if row.state == NEEDS_REAUTH and state != NEEDS_REAUTH:
            return
        if state == NEEDS_REAUTH and row.credentials != connection.credentials:
            return
        row.state, row.reason = state, reason
        session.add(row)
        name = row.name
    if state == OK:
        log.info("connection.ok", connection=name)
    else:
        log.warning("mapping.paused", connection=name, reason=f"{state}: {reason}" if reason else state)


async def _keep(engine: Engine, connection_id: int, account: Account) -> None:
    async with engine.database.write() as session:
        row = await session.get(Connection, connection_id)
        if row is None:
            return
        row.account_id, row.account_name = account.id, account.name
        row.missing = list(account.missing)
        row.clock_offset_s = account.clock_offset_s
        row.state, row.reason = OK, ""
        session.add(row)


async def observe(engine: Engine) -> None:
    """Keep what answers told on the side: quota left, and the clock."""
    async with engine.database.read() as session:
        rows = (
            (await session.execute(select(Connection).where(col(Connection.removed_at).is_(None))))
            .scalars()
            .all()
        )
    for row in rows:
        outbound = await engine.sessions.outbound(row)
        quota, offset = outbound.quota, outbound.clock_offset_s
        seen = (
            {"limit": quota.limit, "remaining": quota.remaining, "reset_at": rfc3339(quota.reset_at)}
            if quota
            else row.quota
        )
        known = row.clock_offset_s if offset is None else offset
        if seen == row.quota and abs(known - row.clock_offset_s) < 0.5:
            continue
        async with engine.database.write() as session:
            stored = await session.get(Connection, row.id)
            if stored is not None:
                stored.quota, stored.clock_offset_s = seen, known
                session.add(stored)


async def refresh_people(engine: Engine, connection: Connection, containers: Sequence[str]) -> None:
    """Read who can be assigned in these containers; one that shows nobody is passed over."""
    session = await engine.sessions.get(connection)
    users, complete = [], bool(containers)
    for container in containers:
        try:
            users += list(await session.people(container))
        except (PauseConnection, RetryLater):
            raise
        except ConnectorError as error:
            complete = False
            log.warning("poll.done", connection=connection.name, reason=f"people: {error.reason}")
    async with engine.database.write() as store:
        if users:
            await store_users(store, connection.id, users, complete=complete)
        await store.execute(
            update(Connection).where(col(Connection.id) == connection.id).values(people_at=engine.now())
        )


async def meet_people(engine: Engine, connections: Iterable[Connection]) -> bool:
    """List the users of connections where that was not done yet; whether there was any.

    Whoever is not known when an object is first looked at would be left out there for good.
    """
    new = [connection for connection in connections if connection.people_at is None]
    if new:
        mapped = await containers(engine)
        for connection in new:
            await refresh_people(engine, connection, sorted(mapped.get(connection.id, set())))
    return bool(new)


async def containers(engine: Engine) -> dict[int, set[str]]:
    """Connection id -> containers of its living mappings."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    query = select(Mapping).where(col(Mapping.removed_at).is_(None))
    async with engine.database.read() as session:
        for mapping in (await session.execute(query)).scalars():
            found[mapping.hub_connection_id].add(mapping.hub_container)
            found[mapping.external_connection_id].add(mapping.external_container)
    return dict(found)
