"""Objects that a person wants a task for, or attached to one: no filter bars them, nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.errors import Park
from connectors.interactions import What
from connectors.records import Found, Record, Ref, Within
from sync.jobs.capture.errands import refuse, tell
from sync.jobs.pairing import counterparts, newcomers
from sync.jobs.pairing.admission import wanted, who_marked
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.outcome import DID, DONE, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.routing.route import Route
from sync.jobs.watching.looking import look_again
from sync.reconcile.model import Pair, Side
from sync.store import errands, history, links, marks
from sync.store.tables import Errand, Link
from sync.store.values import dump_all

_LOOKS = 4
"""So often is an object looked for that a person asked about, at growing intervals."""


async def asked(desk: Desk, side: Side, ref: Ref) -> Errand | None:
    """The errand that wants this object linked, if there is one."""
    if side is Side.HUB or not desk.route.end(side).connector.capabilities.interactions:
        return None
    async with desk.engine.database.read() as session:
        return await errands.asking_for(session, desk.route.mapping.id, str(ref))


def comments_since(route: Route, errand: Errand | None) -> Mapping[Side, datetime] | None:
    """From when on comments are copied: of what was captured the whole thread, if that was asked for."""
    if errand is None:
        return route.comments_since
    since = {side: errand.asked_at + route.end(side).offset for side in Side}
    return since | {Side.EXTERNAL: datetime.min.replace(tzinfo=UTC)} if errand.whole_thread else since


async def of_part(desk: Desk, part: Within) -> Outcome:
    """A part that people marked as the mapping's filter wants it: the whole becomes a task, by its title."""
    asker = who_marked(desk.route, Side.EXTERNAL, part.record)
    if asker is None or not wanted(desk.route, Side.EXTERNAL, part.record):
        return DONE
    now, route = desk.engine.now(), desk.route
    errand = Errand(
        connection_id=route.end(Side.EXTERNAL).connection.id,
        mapping_id=route.mapping.id,
        key=f"mark {part.record.ref} {route.mapping.id}",
        what=What.CAPTURE.value,
        ref=str(part.whole),
        kind=part.whole.kind,
        object_id=part.whole.id,
        address=part.whole.address,
        fields=dump_all({"title": part.record.fields["title"]}),
        person_id=asker.id,
        person_name=asker.name,
        asked_at=now,
    )
    mark = marks.NewMark(
        mapping_id=route.mapping.id,
        side=Side.EXTERNAL,
        ref=part.whole,
        comments=True,
        reason=f"{asker.name} marked a part of it",
    )
    async with desk.engine.database.write() as session:
        living = await links.by_refs(session, route.mapping.id, [str(part.whole)])
        if living or await links.ended(session, route.mapping.id, [str(part.whole)]):
            return DONE
        await errands.note(session, errand)
        await marks.put(session, [mark], now)
    return DID


async def carry_out(desk: Desk, unit: Unit, found: Found | None, errand: Errand) -> Outcome:
    """Make the task, or the link to the one that was chosen; what cannot be done is told to who asked."""
    if not isinstance(found, Record):
        if unit.attempts < _LOOKS:
            return Later(2.0**unit.attempts, "what a person wants a task for cannot be seen yet")
        reason = getattr(found, "reason", "") or "it is deleted"
        await refuse(desk, unit, errand, f"the app does not see it ({reason})")
        return DONE
    async with desk.engine.database.read() as session:
        if await links.by_refs(session, desk.route.mapping.id, [str(found.ref)]):
            return Later(0.5, "it got its link while it was read", attempt=False)
    if errand.what == What.ATTACH:
        return await _attach(desk, unit, found, errand)
    link = await newcomers.begin(desk, Side.EXTERNAL, found, errand)
    if isinstance(link, Later):
        return link
    unit.link = link
    try:
        return await counterparts.create_counterpart(desk, link, Side.EXTERNAL, found)
    except Park as error:
        await tell(desk, unit, errand, error.reason)
        raise


async def _attach(desk: Desk, unit: Unit, record: Record, errand: Errand) -> Outcome:
    """Link it as both stand: an edit from now on crosses, what they hold today does not."""
    end = desk.route.end(Side.HUB)
    ref = end.ref(end.connector.capabilities.kinds[0], errand.task)
    task = (await end.session.fetch_many([ref])).get(ref)
    if not isinstance(task, Record) or not end.holds(task):
        await refuse(desk, unit, errand, "the task is not in that project any more")
        return DID
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        taken = await links.by_refs(session, desk.route.mapping.id, [str(task.ref)])
        if not taken:
            link = await _linked(session, desk, record, desk.route.placed(Side.HUB, task), now)
            errand.link_id = link.id
            await errands.close(session, errand, now)
            history.tell(session, link, "in", f"attached by {errand.person_name}", now)
            await look_again(session, link, "attached by hand", now)
    if taken:
        await refuse(desk, unit, errand, "the task is linked to something else already")
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
