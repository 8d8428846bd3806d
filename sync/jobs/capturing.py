"""Objects that a person wants a task for, or attached to one: no filter bars them, nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.interactions import What
from connectors.records import Record
from sync.jobs import newcomers
from sync.jobs.desk import Desk
from sync.jobs.looking import look_again
from sync.jobs.outcome import DID, Later, Outcome
from sync.jobs.route import Route
from sync.jobs.unit import Unit
from sync.reconcile.model import Pair, Side
from sync.store import errands, links
from sync.store.history import tell
from sync.store.tables import Errand, Link

log = structlog.get_logger()


async def asked(desk: Desk, side: Side, record: Record) -> Errand | None:
    """The errand that wants this object linked, if there is one."""
    if side is Side.HUB:
        return None
    async with desk.engine.database.read() as session:
        return await errands.asking_for(session, desk.route.mapping.id, str(record.ref))


def comments_since(route: Route, errand: Errand | None) -> Mapping[Side, datetime] | None:
    """From when on comments are copied: of what was captured the whole thread, if that was asked for."""
    if errand is None:
        return route.comments_since
    since = {side: errand.asked_at + route.end(side).offset for side in Side}
    return since | {Side.EXTERNAL: datetime.min.replace(tzinfo=UTC)} if errand.whole_thread else since


async def capture(desk: Desk, unit: Unit, record: Record, errand: Errand) -> Outcome:
    """Make the task, or the link to the one that was chosen."""
    async with desk.engine.database.read() as session:
        if await links.by_refs(session, desk.route.mapping.id, [str(record.ref)]):
            return Later(0.5, "it got its link while it was read", attempt=False)
    if errand.what == What.ATTACH:
        return await _attach(desk, record, errand)
    link = await newcomers.begin(desk, Side.EXTERNAL, record, errand)
    if isinstance(link, Later):
        return link
    unit.link = link
    return await newcomers.create_counterpart(desk, link, Side.EXTERNAL, record)


async def _attach(desk: Desk, record: Record, errand: Errand) -> Outcome:
    """Link it as both stand: an edit from now on crosses, what they hold today does not."""
    end = desk.route.end(Side.HUB)
    ref = end.ref(end.connector.capabilities.kinds[0], errand.task)
    task = (await end.session.fetch_many([ref])).get(ref)
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        if not isinstance(task, Record) or not end.holds(task):
            await errands.close(session, errand, now, refused="the task is not in that project any more")
            return DID
        if await links.by_refs(session, desk.route.mapping.id, [str(task.ref)]):
            await errands.close(session, errand, now, refused="the task is linked to something else already")
            return DID
        link = await _linked(session, desk, record, desk.route.placed(Side.HUB, task), now)
        errand.link_id = link.id
        await errands.close(session, errand, now)
        tell(session, link, "in", f"attached by {errand.person_name}", now)
        await look_again(session, link, "attached by hand", now)
    log.info("link.made", link=link.id, ref=str(task.ref), reason="attach")
    return DID


async def _linked(session: AsyncSession, desk: Desk, record: Record, task: Record, now: datetime) -> Link:
    link = Link(
        mapping_id=desk.route.mapping.id,
        mapping_version=desk.route.mapping.version,
        kind=links.TASK,
        state=links.ACTIVE,
        source=Side.EXTERNAL.value,
        made_by=links.CAPTURED,
        created_at=now,
    )
    links.describe(link, Side.EXTERNAL, record)
    links.describe(link, Side.HUB, task)
    session.add(link)
    await session.flush()
    as_they_stand = {
        rule.name: Pair(task.fields[rule.hub], record.fields[rule.external])
        for rule in desk.route.rules
        if rule.hub in task.fields and rule.external in record.fields
    }
    await links.settle(session, {link.id: as_they_stand}, now)
    return link
