"""The card of a captured task, below the object it was captured from: it follows the task.

One card a link. A new one carries a key, so that it is found again after a lost answer; changing one that
stands there may be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.base import Capabilities
from connectors.errors import Park, ReplanNeeded
from connectors.interactions import ALONE, DELETED, ENDED, Card
from connectors.records import Record, Ref
from sync.configuration import MappingConfig
from sync.jobs.capture.asked_for import was_asked_for
from sync.jobs.passing.desk import Desk
from sync.jobs.passing.ledger import fence
from sync.jobs.passing.outcome import DID, DONE, Later, Outcome
from sync.jobs.passing.unit import Unit
from sync.jobs.passing.writing import LEEWAY, Intent, close, intend, perform
from sync.jobs.routing.container_names import name_of
from sync.reconcile.model import Side
from sync.store import links, parking, writes
from sync.store.history import tell
from sync.store.tables import Link, Shown, User, Write
from sync.store.upsert import insert_into


def has_card(link: Link, config: MappingConfig, capabilities: Capabilities) -> bool:
    """Whether the task of a link is shown below its object."""
    return capabilities.cards and was_asked_for(link, config, capabilities)


async def follow(desk: Desk, unit: Unit, link: Link, task: Record) -> Outcome:
    """Bring the card in step with the task; whatever the provider refuses is parked by itself."""
    end = desk.route.end(Side.EXTERNAL)
    if not has_card(link, desk.route.config, end.connector.capabilities):
        return DONE
    for write in unit.open_writes:
        if write.op == writes.CARD and write.state in writes.OPEN:
            outcome = await _look_up(desk, unit, link, write)
            if isinstance(outcome, Later):
                return outcome
    card = await _card(desk, link, task)
    async with desk.engine.database.read() as session:
        shown = await session.get(Shown, link.id)
        parked = await parking.found(session, link.mapping_id, "card", f"link:{link.id}")
    if (shown is not None and shown.card == asdict(card)) or (parked and parked.values == asdict(card)):
        return DONE
    try:
        address = shown.address if shown is not None else ""
        try:
            await _show(desk, link, unit.refs[Side.EXTERNAL], card, address)
        except ReplanNeeded:
            if not address:
                raise
            await _show(desk, link, unit.refs[Side.EXTERNAL], card, "")  # somebody deleted it
    except Park as error:
        async with desk.engine.database.write() as session:
            await parking.park(
                session,
                mapping_id=link.mapping_id,
                link=link,
                what="card",
                ref=f"link:{link.id}",
                error=error,
                now=desk.engine.now(),
                values=asdict(card),
            )
    return DID


async def say_last(desk: Desk, link: Link, ref: Ref, state: str) -> None:
    """Task or object is no more: the card below the object says so, and offers nothing any more."""
    async with desk.engine.database.read() as session:
        shown = await session.get(Shown, link.id)
    if shown is None or shown.card["state"] == state:
        return
    card = Card(**{**shown.card, "state": state})
    with suppress(Park, ReplanNeeded):  # the write log tells why; the link ends all the same
        await _show(desk, link, ref, card, shown.address)


async def take_leave(desk: Desk, ref: Ref) -> None:
    """The card of a link that a person ended says so, and offers nothing any more."""
    query = (
        select(Link, Shown)
        .join(Shown, col(Shown.link_id) == col(Link.id))
        .where(
            col(Link.mapping_id) == desk.route.mapping.id,
            col(Link.external_ref) == str(ref),
            col(Link.state) == links.UNLINKED,
        )
    )
    async with desk.engine.database.read() as session:
        ended = (await session.execute(query)).all()
    for link, shown in ended:
        if shown.card["state"] in (DELETED, ALONE, ENDED):
            continue
        await say_last(desk, link, ref, ENDED)
        async with desk.engine.database.write() as session:  # nobody looks for lost answers of this link
            await links.unlink(session, link, link.reason, desk.engine.now())


async def _card(desk: Desk, link: Link, task: Record) -> Card:
    end, fields = desk.route.end(Side.HUB), task.fields
    async with desk.engine.database.read() as session:
        assignee = await _name(session, end.connection.id, fields.get("assignee"))
    project = await name_of(desk.engine, end.connection, end.container, desk.route.mapping.name)
    return card_of(task, project, assignee)


def card_of(task: Record, project: str, assignee: str, place: str = "") -> Card:
    """The card of a task as it was read."""
    due = task.fields.get("due")
    return Card(
        id=task.ref.id,
        title=str(task.fields.get("title") or ""),
        url=task.url,
        project=project,
        state=str(task.fields.get("state") or ""),
        assignee=assignee,
        due=str(due) if due else None,
        place=place,
    )


async def _name(session: AsyncSession, connection_id: int, user: object) -> str:
    if not isinstance(user, str):
        return ""
    query = select(col(User.name)).where(col(User.connection_id) == connection_id, col(User.user_id) == user)
    return (await session.execute(query)).scalar_one_or_none() or ""


async def _show(desk: Desk, link: Link, ref: Ref, card: Card, address: str) -> None:
    key = f"card-{link.key_token or link.id}"
    intent = Intent(
        link=link,
        side=Side.EXTERNAL,
        op=writes.CARD,
        ref=ref,
        fields=asdict(card),
        plan={"key": key, "address": address},
    )
    (write,) = await intend(desk, [intent])
    session = desk.route.end(Side.EXTERNAL).session
    stands_at = await perform(desk, write, lambda: session.show_card(ref, card, address, key))
    await _shown(desk, link, write, stands_at)


async def _look_up(desk: Desk, unit: Unit, link: Link, write: Write) -> Outcome:
    """Whether a new card arrived; a change of one is simply made again."""
    since = write.intent_at + desk.route.end(Side.EXTERNAL).offset - LEEWAY
    session = desk.route.end(Side.EXTERNAL).session
    address = write.plan["address"]
    if not address:
        address = await session.find_card(unit.refs[Side.EXTERNAL], write.plan["key"], since) or ""
        if address:
            await _shown(desk, link, write, address)
            return DONE
        certain_at = max(write.deadline_at, write.done_at or write.deadline_at) + timedelta(
            seconds=desk.engine.settings.lookup_delay_seconds
        )
        remaining = (certain_at - desk.engine.now()).total_seconds()
        if remaining > 0:
            return Later(min(2.0, remaining), "the answer to a card was lost; looking for it", attempt=False)
    await close(desk, write, writes.NOT_DONE, "looked up: it is written again")
    return DONE


async def _shown(desk: Desk, link: Link, write: Write, address: str) -> None:
    now, card = desk.engine.now(), dict(write.fields)
    async with desk.engine.database.write() as session:
        await fence(session, desk.lease)
        await _keep(session, {"link_id": link.id, "address": address, "card": card, "shown_at": now})
        stored = await session.get(Write, write.id)
        assert stored is not None
        stored.state, stored.done_at = writes.DONE, now
        session.add(stored)
        await parking.unpark(session, link.mapping_id, "card", f"link:{link.id}")
        text = "the card was brought up to date" if write.plan["address"] else "a card of the task was posted"
        tell(session, link, "write", text, now, write_id=write.id, outcome="done")


async def _keep(session: AsyncSession, row: Mapping[str, Any]) -> None:
    insert = insert_into(session, Shown).values(row)
    moved = {name: value for name, value in row.items() if name != "link_id"}
    await session.execute(insert.on_conflict_do_update(index_elements=["link_id"], set_=moved))
