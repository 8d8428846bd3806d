"""Objects without a link: stay out, wait, or get a counterpart, exactly one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.errors import Park, ParkClass, ReplanNeeded
from connectors.records import FieldKind, Fields, Key, Record, Ref
from sync.jobs.merging import relations, settling
from sync.jobs.merging.stamps import origin_of
from sync.jobs.merging.unmatched import asked_anew
from sync.jobs.pairing import moved, sharing
from sync.jobs.pairing.admission import wanted
from sync.jobs.pairing.creations import await_turn
from sync.jobs.pairing.drafting import creation_of
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import DID, DONE, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import Intent, close, new_writes, perform
from sync.jobs.routing.route import Route
from sync.jobs.routing.scoping import unresolved
from sync.metrics import REPAIRED
from sync.reconcile import pairs_after_create
from sync.reconcile.model import Side
from sync.store import errands, links, marks, parking, writes
from sync.store.history import tell
from sync.store.tables import Connection, Errand, Link, Mapping, Write
from sync.store.values import dump_all, parse_all

log = structlog.get_logger()

_ADOPTION_LOOKS = 5
"""An object that no full pass could adopt by its key after so many looks is one like any other."""

_LEEWAY = timedelta(minutes=2)
"""Between a provider's clock and ours, and between a call's deadline and its late effect."""

_LOOK_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0)


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
                await _report_surplus(desk, twin, record, getattr(twin, f"{side}_url"))
                return DONE
        if not holders and unit.attempts < _ADOPTION_LOOKS:
            await _ask_for_full_pass(desk)
            return Later(5, "made by us, but its link is lost: the next full pass adopts it")
    if desk.route.mapping.state == "first_sync" and record.created_at < desk.route.started(side):
        return Later(2, "waits until the first sync has matched both sides", attempt=False)
    if desk.route.mapping.full_pass_due and record.created_at < desk.engine.in_s(0) - _LEEWAY:
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
    return any(write.intent_at - _LEEWAY <= made_at <= write.deadline_at + _LEEWAY for write in tries)


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
        key_token=f"{record.ref.id}-{secrets.token_hex(4)}",
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


async def create_counterpart(desk: Desk, link: Link, side: Side, record: Record) -> Outcome:
    """Make the other end of a link that has only one. Its earlier tries were looked up before."""
    if unresolved(desk.route.config, desk.route.fields) and await asked_anew(desk, at_once=True):
        raise ReplanNeeded("the options of the fields were asked for anew: the filter names one of them")
    errand = await errand_behind(desk, link)
    creation = creation_of(desk.route, link.key_token, side, record, errand)
    end = desk.route.end(creation.into)
    turns = await desk.engine.sessions.turns(end.connection)
    await await_turn(turns, link.key_token, end.connector.title)
    intent = Intent(
        link=link,
        side=creation.into,
        op=writes.CREATE,
        fields=creation.fields,
        origin={name: origin_of(desk.route, side, record, None) for name in creation.fields},
        plan={
            "key": {"token": creation.key.token, "url": creation.key.url, "label": creation.key.label},
            "read": dump_all(record.fields),
            "instead": dump_all(creation.instead),
        },
    )
    (row,) = new_writes(desk, [intent])
    decided = Entry(link, begun=[row])
    decided.tell(
        "plan",
        f"create in {end.connector.title}: it has no counterpart there",
        now=desk.engine.now(),
        version=desk.route.mapping.version,
    )
    await desk.ledger.enter(decided)
    asked_at = desk.engine.now()
    created = await perform(
        desk, row, lambda: end.session.create(end.container, creation.draft, creation.key)
    )
    desk.engine.snapshots.keep(end.connection.id, [created], asked_at)
    created = desk.route.placed(creation.into, created)
    await attach(desk, link, row, side, record.ref, record.fields, created, base=created.fields)
    return DID


async def errand_behind(desk: Desk, link: Link) -> Errand | None:
    """The errand that a link was made for, None for those that nobody captured."""
    if link.made_by != links.CAPTURED:
        return None
    async with desk.engine.database.read() as session:
        return await errands.behind(session, link.id)


async def attach(
    desk: Desk,
    link: Link,
    row: Write,
    side: Side,
    source: Ref,
    read: Fields,
    created: Record,
    *,
    base: Fields,
) -> None:
    """The counterpart exists: complete the link and settle what was sent.

    Args:
        source: the object that it stands for.
        read: what was read of the source when the creation was planned.
        base: what the written halves become: the provider's answer, or what we sent where the
            answer was lost and the object was looked up.
    """
    now = desk.engine.now()
    base = {**base, **parse_all(row.plan.get("instead", {}))}
    settled = pairs_after_create(
        desk.route.rules,
        replace(created, fields=read),
        replace(created, fields=base),
        side,
        desk.route.translation,
    )
    links.describe(link, side.other, created)
    link.synced_at = now
    made = Entry(link, settled=dict(settled), looked_at=True)
    settling.tell_done(desk, made, row, created)
    made.put.append(
        marks.NewMark(
            mapping_id=link.mapping_id,
            side=side,
            ref=source,
            lane=marks.BACKFILL,  # those that are written from now on are told of by themselves
            comments=True,
            reason="its comments follow",
        )
    )
    made.steps.append(partial(_activate, link=link))
    await desk.ledger.enter(made)
    log.info("link.made", link=link.id, ref=str(created.ref), reason="create")


async def _activate(session: AsyncSession, link: Link) -> None:
    link.state, link.reason = links.ACTIVE, ""
    await session.execute(
        update(Link).where(col(Link.id) == link.id).values(state=link.state, reason=link.reason)
    )
    await parking.unpark(session, link.mapping_id, "link", f"link:{link.id}")
    await relations.tell_waiting(session, link)


async def confirm(desk: Desk, link: Link, row: Write, side: Side, source: Ref) -> Outcome:
    """Look for a creation whose answer was lost. *Found* counts at once, *not found* only late enough.

    ``side`` and ``source`` are the source end; it need not be there any more. DONE means that the
    caller may go on: the link is complete, or nothing was created and a new try may start.
    """
    key = Key(row.plan["key"]["token"], row.plan["key"]["url"], row.plan["key"]["label"])
    end = desk.route.end(Side(row.side))
    since = row.intent_at + end.offset - _LEEWAY
    asked_at = desk.engine.now()
    found = await end.session.find_created(end.container, key, since)
    if found:
        REPAIRED.inc()
        await _surplus(desk, link, found)
        created = desk.route.placed(Side(row.side), min(found, key=lambda candidate: candidate.created_at))
        base = {**created.fields, **_certainly_sent(desk, row)}
        await attach(desk, link, row, side, source, parse_all(row.plan["read"]), created, base=base)
        return DONE
    certain_at = max(row.deadline_at, row.done_at or row.deadline_at) + timedelta(
        seconds=desk.engine.settings.lookup_delay_seconds
    )
    if asked_at >= certain_at:
        await close(desk, row, writes.NOT_DONE, "looked up after the delay: it was not created")
        return DONE
    remaining = (certain_at - asked_at).total_seconds()
    pause = next((s for s in _LOOK_AGAIN_S if s > (asked_at - row.intent_at).total_seconds()), 15.0)
    return Later(min(pause, remaining), "the answer to a creation was lost; looking for it", attempt=False)


def _certainly_sent(desk: Desk, row: Write) -> Fields:
    """Texts that were sent: what is found may be rewritten, or edited since.

    States, sets and people are left out: some of them arrive by further calls, or not at all.
    """
    side = Side(row.side)
    texts = {
        rule.field(side)
        for rule in desk.route.rules
        if rule.kind(side) in (FieldKind.TEXT, FieldKind.MARKDOWN)
    }
    return {name: value for name, value in parse_all(row.fields).items() if name in texts}


async def _surplus(desk: Desk, link: Link, found: Sequence[Record]) -> None:
    """More than one object carries the key: say so, delete nothing."""
    oldest = min(found, key=lambda candidate: candidate.created_at)
    for extra in found:
        if extra is not oldest:
            await _report_surplus(desk, link, extra, oldest.url)


async def _report_surplus(desk: Desk, link: Link, extra: Record, kept_url: str) -> None:
    async with desk.engine.database.write() as session:
        if await parking.found(session, link.mapping_id, "link", str(extra.ref)) is not None:
            return
        await parking.park(
            session,
            mapping_id=link.mapping_id,
            link=link,
            what="link",
            ref=str(extra.ref),
            error=Park(
                f"{extra.key} was created twice for the same object.",
                park_class=ParkClass.AMBIGUOUS,
                fix=f"Keep {kept_url}, and delete {extra.url} after looking at it.",
            ),
            now=desk.engine.now(),
        )
