"""What a person asks for: restore a lost value, retry, link, unlink."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.errors import ConnectorError
from connectors.records import Record, Ref
from sync.jobs.asked import made_anew
from sync.jobs.asked.not_possible import NotPossible
from sync.jobs.connecting.states import NEEDS_REAUTH
from sync.jobs.engine import Engine
from sync.jobs.merging.relations import tell_waiting
from sync.jobs.merging.unmatched import no_counterpart
from sync.jobs.passing.passes import sync_mapping
from sync.jobs.routing.route import Route, open_route
from sync.jobs.watching.looking import look_again
from sync.reconcile import carry
from sync.reconcile.elements import NAMING
from sync.reconcile.model import Side, Unmatched
from sync.reconcile.words import NoCounterpart
from sync.settings import HUB
from sync.store import conflicts, links, marks, parking, writes
from sync.store.audit import note
from sync.store.errors import StoreUnreachable
from sync.store.history import tell
from sync.store.tables import Conflict, Connection, Link, Mapping, Parked, Setting, Shown, Write
from sync.store.values import parse

_LOOK_S = 0.1


async def ask_to_restore(engine: Engine, entry: int, side: str | None) -> None:
    """Mark a conflict to be restored by the next pass; ``side`` says whose value where none won.

    Of an edit that beat a deletion it is the deleted object that is made anew.

    Raises:
        NotPossible: there is nothing to restore, or nothing on the other side stands for the value.
    """
    async with engine.database.read() as session:
        conflict = await session.get(Conflict, entry)
    anew = None
    if conflict is not None and conflict.state == "open":
        if conflict.kind == conflicts.EDIT_VS_DELETE:
            anew = await open_route(engine, conflict.mapping_id)
            if anew is None:
                raise NotPossible("the mapping was removed")
        else:
            await _check_counterpart(engine, conflict, _restored(conflict, side))
    async with engine.database.write() as session:
        conflict = await session.get(Conflict, entry)
        if conflict is None or conflict.state != "open":
            raise NotPossible(f"there is no open conflict {entry}")
        if anew is not None:
            await made_anew.ask(session, engine, anew, conflict)
            note(session, "restore", str(entry))
            return
        restored = _restored(conflict, side)
        link = await session.get(Link, conflict.link_id)
        if link is None or link.state == links.UNLINKED:
            raise NotPossible("the link has ended meanwhile")
        conflict.restoring = restored.value
        session.add(conflict)
        await look_again(session, link, "restore asked for", engine.now())
        note(session, "restore", str(entry))


def _restored(conflict: Conflict, side: str | None) -> Side:
    """Whose value is put back."""
    if conflict.field == "comments" or conflict.kind == conflicts.EDIT_VS_DELETE:
        raise NotPossible("a comment is not restored by this; its whole text is in the list")
    if side is not None:
        return Side.HUB if side == HUB else Side.EXTERNAL
    if conflict.winner is None:
        raise NotPossible(f"no side has won yet: say --side {HUB} or --side external")
    return Side(conflict.winner).other


async def _check_counterpart(engine: Engine, conflict: Conflict, side: Side) -> None:
    """Raises NotPossible: a word that stands for nothing over there, as far as that is known at once."""
    try:
        route = await open_route(engine, conflict.mapping_id)
    except ConnectorError:  # the pass finds out
        return
    rules = route.rules if route is not None else ()
    rule = next((rule for rule in rules if conflict.field in (rule.name, rule.hub, rule.external)), None)
    value = parse((conflict.hub if side is Side.HUB else conflict.external)["value"])
    if route is None or rule is None or rule.kind(side) in NAMING:
        return
    try:
        carry(rule, side.other, value, current=None, seen=None, translation=route.translation)
    except NoCounterpart as lacking:
        refusal = no_counterpart(route, rule.name, Unmatched(lacking.side, lacking.word))
        raise NotPossible(f"{refusal.reason} {refusal.fix}") from lacking


async def restore(engine: Engine, entry: int) -> None:
    """Work until both sides have what was asked for, or a person has to do something first."""
    async with engine.database.read() as session:
        conflict = await session.get(Conflict, entry)
    if conflict is None:
        return

    async def waits() -> bool:
        async with engine.database.read() as session:
            now = await session.get(Conflict, entry)
            if now is None or not now.restoring or now.state != "open":
                return False
            link = await session.get(Link, now.link_id)
            return link is not None and link.state not in (links.UNLINKED, links.PARKED)

    await work_while(engine, conflict.mapping_id, waits)


async def work_while(engine: Engine, mapping_id: int, waits: Callable[[], Awaitable[bool]]) -> None:
    """Run passes of the mapping as long as something waits that no person has to do first.

    A database that is busy with a running instance is no reason to give up what was asked for.
    """
    while True:
        with suppress(StoreUnreachable):
            if not await waits():
                return
            async with engine.database.read() as session:
                if await _waits_for_a_person(session, mapping_id):
                    return
            await sync_mapping(engine, mapping_id)
        await asyncio.sleep(_LOOK_S)


async def _waits_for_a_person(session: AsyncSession, mapping_id: int) -> bool:
    """Whether nothing of the mapping is written until somebody resumes it or renews credentials."""
    mapping, everything = await session.get(Mapping, mapping_id), await session.get(Setting, "paused")
    if mapping is None or mapping.removed_at or mapping.paused or mapping.state == "stopped":
        return True
    ids = (mapping.hub_connection_id, mapping.external_connection_id)
    rows = [row for row in [await session.get(Connection, i) for i in ids] if row is not None]
    dead = any(row.paused or row.state == NEEDS_REAUTH for row in rows)
    return dead or bool(everything and everything.value)


async def restoration(engine: Engine, entry: int, since: datetime) -> dict[str, Any]:
    """How far it is: ``{id, state, writes}``, with the writes of the entry's field since it was asked for."""
    async with engine.database.read() as session:
        conflict = await session.get(Conflict, entry)
        assert conflict is not None
        query = select(Write).where(col(Write.link_id) == conflict.link_id, col(Write.intent_at) >= since)
        rows = (await session.execute(query.order_by(col(Write.id)))).scalars().all()
    return {
        "id": entry,
        "state": conflict.state,
        "writes": [
            {"id": row.id, "side": HUB if row.side == Side.HUB else row.side, "state": row.state}
            for row in rows
            if row.op == writes.CREATE
            or any(conflict.field in (name, part.get("field")) for name, part in row.plan.items())
        ],
    }


async def retry(engine: Engine, entry: int | None, park_class: str | None) -> int:
    """Forget that these were parked and look at them again; returns how many."""
    query = select(Parked)
    query = (
        query.where(col(Parked.id) == entry)
        if entry is not None
        else query.where(col(Parked.park_class) == park_class, col(Parked.state) == parking.OPEN)
    )
    async with engine.database.write() as session:
        rows = list((await session.execute(query)).scalars())
        for row in rows:
            link = await session.get(Link, row.link_id) if row.link_id else None
            if link is not None:
                if link.state == links.PARKED:
                    link.state, link.reason, link.hidden_since = (
                        links.ACTIVE if link.hub_ref and link.external_ref else links.CONFIRMING,
                        "",
                        None,
                    )
                    session.add(link)
                await look_again(session, link, "retry asked for", engine.now())
            else:
                await _mark_loose(session, engine, row)
            await session.delete(row)
        note(session, "retry", str(entry if park_class is None else park_class))
    return len(rows)


async def _mark_loose(session: AsyncSession, engine: Engine, row: Parked) -> None:
    """An object without a link; its address was kept when it was parked."""
    mapping = await session.get(Mapping, row.mapping_id)
    if mapping is None or row.ref.count(":") < 3:
        return
    for side, connection_id in (
        (Side.HUB, mapping.hub_connection_id),
        (Side.EXTERNAL, mapping.external_connection_id),
    ):
        connection = await session.get(Connection, connection_id)
        prefix = f"{connection.connector}:{connection.site}:" if connection else ""
        if connection is None or not row.ref.startswith(prefix):
            continue
        kind, _, object_id = row.ref.removeprefix(prefix).partition(":")
        address = row.values if isinstance(row.values, str) else ""
        ref = Ref(connection.connector, connection.site, kind, object_id, address)
        mark = marks.NewMark(mapping_id=mapping.id, side=side, ref=ref, reason="retry asked for")
        await marks.put(session, [mark], engine.now())


Chosen = Callable[[Record], bool]


async def link(engine: Engine, mapping_id: int, is_external: Chosen, is_task: Chosen) -> Link:
    """Link the two objects that a person means; both must be in the mapped containers."""
    route = await open_route(engine, mapping_id)
    if route is None:
        raise NotPossible("the mapping was removed")
    external = await _find(route, Side.EXTERNAL, is_external)
    task = await _find(route, Side.HUB, is_task)
    now = engine.now()
    async with engine.database.write() as session:
        for record in (external, task):
            known = await links.by_refs(session, mapping_id, [str(record.ref)])
            if known:
                raise NotPossible(
                    f"{record.key} is linked already (link {known[str(record.ref)].id}): unlink it first"
                )
        made = Link(
            mapping_id=mapping_id,
            mapping_version=route.mapping.version,
            kind=links.TASK,
            source=Side.EXTERNAL.value,
            made_by=links.BY_HAND,
            created_at=now,
        )
        links.describe(made, Side.EXTERNAL, external)
        links.describe(made, Side.HUB, task)
        session.add(made)
        await session.flush()
        for record in (external, task):  # it may have been parked as one that belongs to several
            await parking.unpark(session, mapping_id, "link", str(record.ref))
        tell(session, made, "in", "linked by hand", now)
        await look_again(session, made, "linked by hand", engine.now())
        await tell_waiting(session, made)
        note(session, "link", str(made.id))
    await engine.wake(mapping_id, 0)
    return made


async def _find(route: Route, side: Side, chosen: Chosen) -> Record:
    end, cursor = route.end(side), None
    while True:
        page = await end.session.listing(end.container, cursor)
        for change in page.changes:
            if change.record is not None and chosen(change.record):
                return change.record
        cursor = page.cursor
        if not page.more:
            raise NotPossible(f"{end.container} in {end.connector.title} holds no such object")


async def unlink(engine: Engine, link_id: int) -> None:
    """End a link. Its row stays, so that neither end is created again for the other.

    Neither object is changed; a card below one of them is told to say so by the next pass.
    """
    async with engine.database.write() as session:
        row = await session.get(Link, link_id)
        if row is None or row.kind != links.TASK or row.state == links.UNLINKED:
            raise NotPossible(f"there is no living link {link_id}")
        row.made_by = links.BY_HAND
        session.add(row)
        await session.flush()
        await links.unlink(session, row, "unlinked by hand", engine.now())
        tell(session, row, "settle", "unlinked by hand", engine.now())
        await session.execute(
            update(Conflict)
            .where(col(Conflict.link_id) == link_id, col(Conflict.state) == "open")
            .values(state="dismissed")
        )
        note(session, "unlink", str(link_id))
        if await session.get(Shown, link_id) is not None:  # the card below the object has to say so
            await look_again(session, row, "unlinked by hand", engine.now())
    await engine.wake(row.mapping_id, 0)
