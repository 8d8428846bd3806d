"""Objects without a link: stay out, wait, or get a counterpart, exactly one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import Record
from sync.jobs.pairing import moved, sharing
from sync.jobs.pairing.admission import wanted
from sync.jobs.pairing.counterparts import create_counterpart, report_surplus
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import DONE, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import LEEWAY
from sync.jobs.routing.route import Route
from sync.reconcile.model import Side
from sync.store import errands, links, parking, writes
from sync.store.history import tell
from sync.store.tables import Connection, Errand, Link, Mapping, Write

log = structlog.get_logger()

_ADOPTION_LOOKS = 5
"""An object that no full pass could adopt by its key after so many looks is one like any other."""


async def meet(desk: Desk, unit: Unit, side: Side, record: Record) -> Outcome:
    """An object that no link of this mapping knows."""
    async with desk.engine.database.read() as session:
        linked = await links.by_refs(session, desk.route.mapping.id, [str(record.ref)])
        awaited = await _is_awaited(session, record)
        elsewhere = await linked_elsewhere(session, desk.route, side, record)
        had_a_link = await links.ended(session, desk.route.mapping.id, [str(record.ref)])
        undecided = await parking.undecided(session, desk.route.mapping.id, str(record.ref))
    if linked:
        return Later(0.5, "it got its link while it was read", attempt=False)
    if awaited:
        return Later(1, "it carries the key of a creation whose answer is awaited", attempt=False)
    if elsewhere or had_a_link or undecided or not wanted(desk.route, side, record):
        return DONE
    followed = await moved.came_from(desk, unit, side, record)
    if followed is not None:
        return followed
    shared = await sharing.join(desk, side, record)
    if shared is not None:
        return shared
    if record.created_by_us and record.keys:
        holders = await _holders(desk, record)
        for twin in holders:
            if await _made_twice(desk, twin, side, record):
                await report_surplus(desk, twin, record, getattr(twin, f"{side}_url"))
                return DONE
        if not holders and unit.attempts < _ADOPTION_LOOKS:
            await _ask_for_full_pass(desk)
            return Later(5, "made by us, but its link is lost: the next full pass adopts it")
    if desk.route.mapping.state == "first_sync" and record.created_at < desk.route.started(side):
        return Later(2, "waits until the first sync has matched both sides", attempt=False)
    if desk.route.mapping.full_pass_due and record.created_at < desk.engine.in_s(0) - LEEWAY:
        return Later(2, "waits until a full pass has looked for its counterpart", attempt=False)
    link = await begin(desk, side, record)
    if isinstance(link, Later):
        return link
    unit.link = link
    return await create_counterpart(desk, link, side, record)


async def _is_awaited(session: AsyncSession, record: Record) -> bool:
    """Whether the object carries the key of a creation whose answer is not known."""
    if not record.keys:
        return False
    query = select(Write).where(
        col(Write.op) == writes.CREATE, col(Write.state).in_([writes.INTENT, writes.UNKNOWN])
    )
    return any(
        record.keys & {write.plan["key"]["token"], write.plan["key"]["url"]}
        for write in (await session.execute(query)).scalars()
    )


async def linked_elsewhere(session: AsyncSession, route: Route, side: Side, record: Record) -> bool:
    """A hub object linked to an object of this connector is never created in that connector again."""
    if side is not Side.HUB:
        return False
    query = (
        select(col(Link.id))
        .join(Mapping, col(Link.mapping_id) == col(Mapping.id))
        .join(Connection, col(Mapping.external_connection_id) == col(Connection.id))
        .where(
            col(Link.hub_ref) == str(record.ref),
            col(Link.kind) == links.TASK,
            col(Link.state) != links.UNLINKED,
            col(Connection.connector) == route.end(Side.EXTERNAL).connector.name,
        )
    )
    return (await session.execute(query)).first() is not None


async def _ask_for_full_pass(desk: Desk) -> None:
    async with desk.engine.database.write() as session:
        await session.execute(
            update(Mapping).where(col(Mapping.id) == desk.route.mapping.id).values(full_pass_due=True)
        )


async def _holders(desk: Desk, record: Record) -> Sequence[Link]:
    """Living links (of any mapping) whose key the object carries: it may be just a person's copy."""
    keys = sorted(record.keys)
    query = select(Link).where(
        col(Link.kind) == links.TASK,
        col(Link.state).in_([links.ACTIVE, links.DORMANT, links.PARKED]),
        or_(col(Link.key_token).in_(keys), col(Link.hub_url).in_(keys), col(Link.external_url).in_(keys)),
    )
    async with desk.engine.database.read() as session:
        return (await session.execute(query)).scalars().all()


async def _made_twice(desk: Desk, link: Link, side: Side, record: Record) -> bool:
    """Whether a creation for that link made this object, too: one that showed itself too late."""
    if link.mapping_id != desk.route.mapping.id or Side(link.source) is side:
        return False
    query = select(Write).where(col(Write.link_id) == link.id, col(Write.op) == writes.CREATE)
    async with desk.engine.database.read() as session:
        tries = (await session.execute(query)).scalars().all()
    made_at = record.created_at - desk.route.end(side).offset
    return any(write.intent_at - LEEWAY <= made_at <= write.deadline_at + LEEWAY for write in tries)


async def _begun(session: AsyncSession, mapping_id: int, now: datetime) -> int:
    """How many creations the mapping has begun within the last hour."""
    query = select(func.count()).where(
        col(Link.mapping_id) == mapping_id,
        col(Link.kind) == links.TASK,
        col(Link.made_by) == "create",
        col(Link.created_at) > now - timedelta(hours=1),
    )
    return int((await session.execute(query)).scalar_one())


async def begin(desk: Desk, side: Side, record: Record, errand: Errand | None = None) -> Link | Later:
    """The link row of a creation to come, if nobody took the object meanwhile and the hour has room.

    One transaction counts and takes, so that units side by side do not go beyond the limit. What a
    person asks for (``errand``) is not limited.
    """
    now = desk.engine.now()
    link = Link(
        mapping_id=desk.route.mapping.id,
        mapping_version=desk.route.mapping.version,
        kind=links.TASK,
        state=links.CONFIRMING,
        source=side.value,
        key_token=links.new_key(record.ref.id),
        made_by=links.CAPTURED if errand else "create",
        created_at=now,
        looked_at=now,
    )
    links.describe(link, side, record)
    async with desk.engine.database.write() as session:
        await session.get(Mapping, link.mapping_id, with_for_update=True)  # one counts at a time
        if await links.by_refs(session, link.mapping_id, [str(record.ref)]):
            return Later(1, "another link took the object meanwhile")
        allowed = desk.route.config.limits.creates_per_hour
        if errand is None and await _begun(session, link.mapping_id, now) >= allowed:
            return Later(60, "the limit of creations an hour is reached", attempt=False, held_by="budget")
        session.add(link)
        await session.flush()
        title, what = desk.route.end(side).connector.title, record.fields.get("title", "")
        if errand is not None:
            errand.link_id = link.id
            await errands.close(session, errand, now)
            tell(session, link, "in", f"captured in {title} by {errand.person_name}: {what}", now)
        else:
            tell(session, link, "in", f"new in {title}: {what}", now)
    return link
