"""What is done about one unit, in order: lost answers, absence, staleness, scope, fields, comments, files."""

from __future__ import annotations

from connectors.records import Found, Gone, Moved, Record, Within
from sync.jobs.capture import capturing, cards, errands
from sync.jobs.capture.wished import rests
from sync.jobs.files import attachments
from sync.jobs.merging.fields import sync_fields
from sync.jobs.merging.settling import Written
from sync.jobs.pairing import absence, admission, counterparts, moved, newcomers
from sync.jobs.passing import recovery, staleness
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import DID, DONE, Done, Later, Outcome
from sync.jobs.passing.past import Past, pasts_of
from sync.jobs.passing.reading import read
from sync.jobs.passing.unit import Unit, ends
from sync.jobs.routing.route import TOLD_LATE
from sync.jobs.threads import comments
from sync.jobs.threads.discussions import Discussions
from sync.jobs.watching.looking import look_again
from sync.reconcile.model import Side
from sync.store import links, parking
from sync.store.history import tell
from sync.store.tables import Link

_PAUSED_S = 30.0
"""What waits for a direction is not listed again and again: ``resume`` makes it due at once."""


async def work(desk: Desk, unit: Unit) -> Outcome:
    """Bring one unit in step, or say when to look again."""
    if unit.read_at is None or staleness.too_old(desk, unit):
        await read(desk, [unit])
    if any(isinstance(found, Moved) for found in unit.found.values()):
        await _follow(desk, unit)
    link = unit.link
    if link is None:
        return await _newcomer(desk, unit)
    outcome = await recovery.resolve(desk, unit, link)
    if isinstance(outcome, Later):
        return outcome
    if unit.open_writes:
        unit.past = None
    if len(ends(desk, link)) < 2:
        return await _half(desk, unit, link)
    if len(unit.refs) < 2:
        unit.refs = ends(desk, link)
        await read(desk, [unit])
    for side in Side:
        if not isinstance(unit.found.get(side), Record):
            return await absence.handle(desk, unit, link, side)
    await absence.back_again(desk, link)
    return await _pair(desk, unit, link)


async def _newcomer(desk: Desk, unit: Unit) -> Outcome:
    (side,) = unit.refs
    record = unit.found.get(side)
    if unit.unread and record is not None:
        async with desk.engine.database.write() as session:
            await parking.unpark(session, desk.route.mapping.id, "link", str(unit.refs[side]))
    outcome: Outcome = DONE
    if desk.route.end(side).connector.capabilities.cards:
        await cards.take_leave(desk, unit.refs[side])
    errand = await capturing.asked(desk, side, unit.refs[side])
    if errand is not None:
        return await capturing.carry_out(desk, unit, record, errand)
    if isinstance(record, Record):
        outcome = await newcomers.meet(desk, unit, side, record)
    elif isinstance(record, Within):
        outcome = await capturing.of_part(desk, record)
    return outcome if isinstance(outcome, Later) else staleness.doubtful(desk, unit, outcome)


async def _half(desk: Desk, unit: Unit, link: Link) -> Outcome:
    """A link that has only its source: make the other end, unless the source went away."""
    side = Side(link.source)
    found = unit.found.get(side)
    if isinstance(found, Record):
        asked_for = link.made_by in (links.CAPTURED, links.BY_HAND)
        if not asked_for and not admission.wanted(desk.route, side, found):
            return await _give_up(desk, link, "its source left the filter before it was created")
        return await counterparts.create_counterpart(desk, link, side, found)
    if isinstance(found, Gone):
        return await _give_up(desk, link, "its source was deleted before it was created")
    settings = desk.engine.settings
    # nothing was made of it yet: if it comes back it is new; but what a person asked for is waited for
    wait_s = settings.hidden_park_seconds if link.made_by == links.CAPTURED else settings.delete_delay_seconds
    age_s = (desk.engine.now() - link.created_at).total_seconds()
    if unit.attempts < staleness.LOOKS or age_s < wait_s:
        return Later(staleness.look_again_s(unit.attempts), "its source cannot be seen now")
    return await _give_up(desk, link, "its source could not be seen any more before it was created")


async def _give_up(desk: Desk, link: Link, reason: str) -> Outcome:
    async with desk.engine.database.write() as session:
        await links.unlink(session, link, reason, desk.engine.now())
        await parking.unpark(session, link.mapping_id, "link", f"link:{link.id}")
    return DID


async def _pair(desk: Desk, unit: Unit, link: Link) -> Outcome:
    past = unit.past or await _past(desk, link)
    records = _records(unit)
    stale = staleness.shows_the_past(desk, link, past, records)
    if stale:
        most = max(1.0, desk.engine.settings.stale_seconds)
        return Later(min(staleness.look_again_s(unit.attempts), most), stale)
    errand = await counterparts.errand_behind(desk, link)
    asked_for = await errands.carry_out(desk, unit, link)
    if asked_for is DID:
        records = _records(unit)
    dormant = rests(errand, link) or admission.left(desk.route, records, captured=errand is not None)
    if dormant or link.state != links.PARKED:
        await _set_state(desk, link, links.DORMANT if dormant else links.ACTIVE, dormant)
    since = capturing.comments_since(desk.route, errand)
    discussions = Discussions(desk.route, unit.refs, since)
    if dormant:
        lost = await comments.look_up(desk, unit, link)
        if isinstance(lost, Done):
            lost = await attachments.look_up(desk, unit, link, records, discussions)
        if isinstance(lost, Done):
            lost = await cards.follow(desk, unit, link, records[Side.HUB])
        if isinstance(lost, Done) and isinstance(asked_for, Later):
            return asked_for
        return lost if isinstance(lost, Later) else staleness.doubtful(desk, unit, lost)
    work = Written(
        route=desk.route,
        read=records,
        good_until=staleness.good_until(desk, unit),
        presumed=frozenset(unit.presumed),
        listed=frozenset(unit.listed),
        behind=staleness.behind(desk, unit, [*unit.marks, *unit.waiting], TOLD_LATE),
        attempts=unit.attempts,
    )
    outcome = await sync_fields(desk, link, past, work)
    unit.told = work.told
    if isinstance(outcome, Later):
        return outcome
    did = outcome.did
    if unit.comment_sides and desk.route.copies_comments():
        await desk.ledger.enter(unit.told)
        unit.told = Entry()
        outcome = await comments.sync_comments(desk, unit, link, discussions)
        if isinstance(outcome, Later):
            return outcome
        did = did or outcome.did
    outcome = await attachments.sync_attachments(desk, unit, link, records, discussions)
    if isinstance(outcome, Later):
        return outcome
    did = did or outcome.did
    outcome = await cards.follow(desk, unit, link, work.answered.get(Side.HUB, records[Side.HUB]))
    if isinstance(outcome, Later):
        return outcome
    if isinstance(asked_for, Later):
        return asked_for
    did = did or outcome.did
    if unit.comment_sides and desk.route.mapping.paused_directions:
        reason = "a direction is paused: its comments and files wait"
        return Later(_PAUSED_S, reason, attempt=False, held_by="paused")
    if link.state == links.PARKED:  # until now it was not known whether its trouble is over
        await _set_state(desk, link, links.ACTIVE, "")
    return staleness.doubtful(desk, unit, Done(did=did))


def _records(unit: Unit) -> dict[Side, Record]:
    records: dict[Side, Record] = {}
    for side in Side:
        found = unit.found[side]
        assert isinstance(found, Record)
        records[side] = found
    return records


async def _set_state(desk: Desk, link: Link, state: str, reason: str) -> None:
    if link.state == state and link.reason == reason:
        return
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        stored = await session.get(Link, link.id)
        if stored is not None:
            if stored.state != state:
                text, version = f"{state}: {reason}" if reason else state, desk.route.mapping.version
                tell(session, stored, "settle", text, now, version=version)
            if (stored.state, state) == (links.DORMANT, links.ACTIVE):
                await look_again(session, stored, "it is in step again", now)
            if stored.state == links.PARKED:
                await parking.unpark(session, link.mapping_id, "link", f"link:{link.id}")
            stored.state, stored.reason, stored.looked_at = state, reason, now
            session.add(stored)
    link.state, link.reason = state, reason


async def _past(desk: Desk, link: Link) -> Past:
    async with desk.engine.database.read() as session:
        return (await pasts_of(session, desk.engine, [link]))[link.id]


async def _follow(desk: Desk, unit: Unit) -> None:
    """An object lives on under another identity: the link goes with it."""
    for side, found in list(unit.found.items()):
        if not isinstance(found, Moved):
            continue
        unit.refs[side] = found.to
        if unit.link is not None:
            await moved.follow(desk, unit.link, side, found.to)
        unit.found.pop(side)
    again: dict[Side, Found] = {}
    unit.found, unit.past = again, None
    await read(desk, [unit])
