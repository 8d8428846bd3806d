"""An end of a link that is not there any more. Absence is never deletion: only proof counts, and only late.

Gone (410, trash flag, verified deleted event) is acted on after a delay, and only if the object is
still gone then. Hidden (a bare 404 or 403) writes nothing: it is looked at again by upkeep, and
parked after a day. An edit beats a delete.
"""

from __future__ import annotations

import math
import secrets
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.errors import Park, ParkClass
from connectors.interactions import ALONE, DELETED
from connectors.records import CLOSED, FieldKind, Gone, Hidden, Record
from sync.jobs.capture import cards
from sync.jobs.merging import settling
from sync.jobs.merging.stamps import origin_of
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import Entry
from sync.jobs.passing.outcome import DONE, Halted, Later, Outcome
from sync.jobs.passing.refusals import stop
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import Intent, close, new_writes, perform
from sync.jobs.routing.ruling import DIRECTIONS
from sync.reconcile.model import Clash, Mode, Pair, Policy, Side
from sync.store import conflicts, links, parking, writes
from sync.store.history import tell
from sync.store.tables import Event, Link, Mapping, Write
from sync.store.times import parse_time, rfc3339

_HIDDEN_LOOK_S = 60.0
_HIDDEN = "not to be seen, and nothing is written:"

CLOSE_DELETED = "close_deleted"
"""The update that completes or closes the survivor of a deletion; it counts as destructive."""


async def handle(desk: Desk, unit: Unit, link: Link, side: Side) -> Outcome:
    """``side`` of the link was read and is Gone or Hidden."""
    found = unit.found[side]
    if isinstance(found, Hidden):
        return await _hidden(desk, link, side, found)
    assert isinstance(found, Gone)
    other = unit.found.get(side.other)
    if isinstance(other, Gone):
        if Side.EXTERNAL not in desk.route.held:
            await cards.say_last(desk, link, unit.refs[Side.EXTERNAL], DELETED)
        return await _end(desk, link, "both sides are gone")
    if not isinstance(other, Record):
        await _note_gone(desk, link, side, found)
        return Later(_HIDDEN_LOOK_S, "deleted on one side, not to be seen on the other", attempt=False)
    now, delay = desk.engine.now(), desk.engine.settings.delete_delay_seconds
    if not link.gone or link.gone["side"] != side.value:
        await _note_gone(desk, link, side, found)
        if delay > 0:
            return Later(delay, f"deleted ({found.proof}); acted on after {delay:g} s", attempt=False)
    elif (remaining := (parse_time(link.gone["at"]) + timedelta(seconds=delay) - now).total_seconds()) > 0:
        return Later(remaining, f"deleted ({found.proof}); acted on later", attempt=False)
    return await _act(desk, unit, link, side, found, other)


async def back_again(desk: Desk, link: Link) -> None:
    """Both ends can be seen: whatever was noted of their absence is over."""
    if not link.gone and not link.hidden_since:
        return
    async with desk.engine.database.write() as session:
        text = "not deleted any more" if link.gone else "to be seen again"
        told = bool(link.gone) or await _told_hidden(session, link)
        link.gone, link.hidden_since = None, None
        stored = await session.get(Link, link.id)
        if stored is not None:
            stored.gone, stored.hidden_since = None, None
            session.add(stored)
        if told:
            tell(session, link, "in", text, desk.engine.now())


async def _hidden(desk: Desk, link: Link, side: Side, found: Hidden) -> Outcome:
    now = desk.engine.now()
    since = link.hidden_since or now
    await _note_hidden(desk, link)
    shown = max(since, link.synced_at or since, link.created_at)
    if (now - shown).total_seconds() < desk.engine.settings.stale_seconds:
        # it may only be late; what led here must not be forgotten meanwhile
        return Later(min(5.0, desk.engine.settings.stale_seconds), found.reason, attempt=False)
    await _tell_hidden(desk, link, side, found)
    patience = desk.engine.settings.hidden_park_seconds
    if (now - since).total_seconds() >= patience:
        title = desk.route.end(side).connector.title
        async with desk.engine.database.write() as session:
            stored = await session.get(Link, link.id)
            if stored is not None:
                stored.state, stored.reason = links.PARKED, found.reason
                session.add(stored)
            await parking.park(
                session,
                mapping_id=link.mapping_id,
                link=link,
                what="link",
                ref=f"link:{link.id}",
                error=Park(
                    f"{title} has not shown the object for {patience:g} s: {found.reason}",
                    park_class=ParkClass.PERMISSION,
                    fix="Give the account access again and retry, or unlink it.",
                ),
                now=now,
            )
    return DONE


async def _note_hidden(desk: Desk, link: Link) -> None:
    if link.hidden_since:
        return
    async with desk.engine.database.write() as session:
        stored = await session.get(Link, link.id)
        if stored is not None:
            link.hidden_since = stored.hidden_since = stored.looked_at = desk.engine.now()
            session.add(stored)


async def _tell_hidden(desk: Desk, link: Link, side: Side, found: Hidden) -> None:
    """Once, and only what is not merely late."""
    text = f"{_HIDDEN} {desk.route.end(side).connector.title} does not show it ({found.reason})"
    async with desk.engine.database.write() as session:
        if not await _told_hidden(session, link):
            tell(session, link, "in", text, desk.engine.now())


async def _told_hidden(session: AsyncSession, link: Link) -> bool:
    query = select(col(Event.id)).where(
        col(Event.link_id) == link.id,
        col(Event.at) >= link.hidden_since,
        col(Event.text).startswith(_HIDDEN),
    )
    return (await session.execute(query.limit(1))).first() is not None


async def _note_gone(desk: Desk, link: Link, side: Side, found: Gone) -> None:
    now = desk.engine.now()
    link.gone = {"side": side.value, "proof": found.proof, "at": rfc3339(now)}
    async with desk.engine.database.write() as session:
        stored = await session.get(Link, link.id)
        if stored is not None:
            stored.gone = link.gone
            session.add(stored)
        title = desk.route.end(side).connector.title
        tell(session, link, "in", f"deleted in {title} ({found.proof})", now)


async def _act(desk: Desk, unit: Unit, link: Link, side: Side, found: Gone, survivor: Record) -> Outcome:
    """The delay is over and the object is still gone."""
    into = side.other
    if Side.EXTERNAL not in desk.route.held:
        below = survivor.ref if side is Side.HUB else unit.refs[side]
        await cards.say_last(desk, link, below, DELETED if side is Side.HUB else ALONE)
    if into is Side.HUB and links.is_attached(link):
        title = desk.route.end(side).connector.title
        return await _end(desk, link, f"deleted in {title}: its task was there before, and stays")
    edited = await _edited(desk, link, into, survivor)
    if edited:
        return await _edit_beats_delete(desk, link, side, survivor, edited)
    word = desk.route.config.delete.to_asana if into is Side.HUB else desk.route.config.delete.from_asana
    if word in ("ignore", "unlink"):
        return await _end(desk, link, f"deleted in {desk.route.end(side).connector.title}: {word}")
    if link.state == links.DORMANT:
        return await _end(desk, link, "deleted while it was out of scope: nothing is written")
    if into not in DIRECTIONS[desk.route.config.direction] or (
        word != "delete" and "state" in survivor.read_only
    ):
        return await _end(desk, link, "deleted on a side that may not change the other")
    if into not in desk.route.into:
        return Later(2, "a direction is paused", attempt=False, held_by="paused")
    if word != "delete" and survivor.fields.get("state") == CLOSED:
        return await _end(desk, link, "deleted on one side, closed already on the other")
    if word == "delete":
        intent = Intent(link=link, side=into, op=writes.DELETE, ref=survivor.ref)
    else:
        intent = Intent(
            link=link,
            side=into,
            op=CLOSE_DELETED,
            ref=survivor.ref,
            fields={"state": CLOSED},
            before={"state": survivor.fields.get("state")},
            origin={"state": origin_of(desk.route, into, survivor, None)},
        )
    row = await _reserved(desk, link, intent)
    session = desk.route.end(into).session
    if word == "delete":
        await perform(desk, row, lambda: session.delete(survivor.ref, survivor))
        await close(desk, row, writes.DONE)
    else:
        answer = await perform(desk, row, lambda: session.update(survivor.ref, {"state": CLOSED}, survivor))
        done = Entry(link)
        settling.tell_done(desk, done, row, answer)
        await desk.ledger.enter(done)
    return await _end(desk, link, f"deleted in {desk.route.end(side).connector.title} ({found.proof})")


async def _edited(desk: Desk, link: Link, side: Side, record: Record) -> list[str]:
    """Rules whose value on the surviving side is not the settled one, and would have gone across.

    That it was closed is none: the deletion would do the same.
    """
    async with desk.engine.database.read() as session:
        seen = links.pairs((await links.seen_of(session, [link.id])).get(link.id, {}))
    same = desk.route.end(side).session.same
    return [
        rule.name
        for rule in desk.route.rules
        if rule.name in seen
        and side.other in rule.into
        and rule.mode is not Mode.ON_CREATE
        and rule.field(side) in record.fields
        and not same(rule.field(side), seen[rule.name].of(side), record.fields[rule.field(side)])
        and not (rule.kind(side) is FieldKind.STATE and record.fields[rule.field(side)] == CLOSED)
    ]


async def _edit_beats_delete(
    desk: Desk, link: Link, side: Side, survivor: Record, edited: list[str]
) -> Outcome:
    """The survivor stays untouched, the link ends, the conflict list says so."""
    rule = next(rule for rule in desk.route.rules if rule.name == edited[0])
    value = survivor.fields[rule.field(side.other)]
    values = Pair(value, None) if side is Side.EXTERNAL else Pair(None, value)
    title = desk.route.end(side).connector.title
    clash = Clash(
        rule=rule.name,
        field=rule.field(side.other),
        kind=conflicts.EDIT_VS_DELETE,
        policy=Policy.LAST_MODIFIED,
        winner=side.other,
        values=values,
        hub_stamp=None,
        external_stamp=None,
        reason=f"deleted in {title} while it was edited on the other side: the edit wins, the link ends",
    )
    async with desk.engine.database.write() as session:
        await conflicts.keep(session, link, clash, desk.engine.now(), desk.route.mapping.version)
    return await _end(desk, link, "deleted on one side, edited on the other")


async def _reserved(desk: Desk, link: Link, intent: Intent) -> Write:
    """Commit the intent of a destructive write, if the budget has room for it.

    One transaction counts and takes, so that no number of units at work goes beyond the limit.
    Reaching it stops the mapping and lists what waits.
    """
    limits = desk.route.config.limits
    (row,) = new_writes(desk, [intent])
    async with desk.engine.database.write() as session:
        mapping = await session.get(Mapping, desk.route.mapping.id, with_for_update=True)
        assert mapping is not None
        approval = mapping.approval or {}
        approved = approval.get("approved", [])
        if link.id in approved:
            session.add(row)
            return row
        since = desk.engine.now() - timedelta(hours=1)
        if "at" in approval:  # a person looked at all that came before
            since = max(since, parse_time(approval["at"]))
        kinds = [writes.DELETE, CLOSE_DELETED]
        done = await writes.count_since(session, mapping.id, kinds, since, but=approved)
        living = (
            col(Link.mapping_id) == mapping.id,
            col(Link.kind) == links.TASK,
            col(Link.state) == links.ACTIVE,
        )
        # what is being carried out is counted already, and its link lives still
        others = col(Link.id).not_in(writes.links_since(mapping.id, kinds, since))
        active = (await session.execute(select(func.count()).where(*living, others))).scalar_one()
        share = math.ceil((active + done) * limits.deletes_percent / 100)
        allowed = min(limits.deletes, share)
        if done < allowed:
            session.add(row)
            return row
        waiting = (await session.execute(select(Link).where(*living, col(Link.gone).is_not(None)))).scalars()
        stop(
            mapping,
            f"{allowed} deletions within an hour are the limit; approve the rest or change the limits",
        )
        mapping.approval = {
            "id": secrets.token_hex(4),
            "actions": [
                {
                    "link": entry.id,
                    "external": entry.external_key,
                    "asana": entry.hub_title,
                    "gone": entry.gone,
                }
                for entry in waiting
            ],
        }
        session.add(mapping)
    raise Halted("the limit of deletions is reached", held_by="budget")


async def _end(desk: Desk, link: Link, reason: str) -> Outcome:
    now = desk.engine.now()
    async with desk.engine.database.write() as session:
        await links.unlink(session, link, reason, now)
        tell(session, link, "settle", f"the link ends: {reason}", now)
        await parking.unpark(session, link.mapping_id, "link", f"link:{link.id}")
    return DONE
