"""What is shown of links, conflicts, parked things, deliveries and history: ``{items, next}`` each.

Shapes are fixed by the outside interface; the hub side is called by its connector's name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from sync.settings import HUB
from sync.store.links import ATTACHMENT, COMMENT
from sync.store.parking import OPEN
from sync.store.tables import Conflict, Connection, Delivery, Event, Link, Mapping, Mark, Parked
from sync.store.times import rfc3339

DEFAULT_LIMIT = 100


async def _page(
    session: AsyncSession,
    query: Select[Any],
    table: type[SQLModel],
    show: Callable[[Any], dict[str, Any]],
    limit: int,
    after: int | None,
    *,
    newest: bool = False,
) -> dict[str, Any]:
    rows, following = await _rows(session, query, table, limit, after, newest=newest)
    return {"items": [show(row) for row in rows], "next": following}


async def _rows(
    session: AsyncSession,
    query: Select[Any],
    table: type[SQLModel],
    limit: int,
    after: int | None,
    *,
    newest: bool = False,
) -> tuple[Sequence[Any], int | None]:
    """One page of rows, and the id after which the next one begins; ``newest`` goes from the other end."""
    key = col(table.id)  # type: ignore[attr-defined]
    if after is not None:
        query = query.where(key < after if newest else key > after)
    query = query.order_by(key.desc() if newest else key).limit(limit + 1)
    rows = (await session.execute(query)).scalars().all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


async def _names(session: AsyncSession) -> dict[int, Mapping]:
    """All mappings; removed ones still have links and conflicts."""
    return {row.id: row for row in (await session.execute(select(Mapping))).scalars()}


def _on(query: Select[Any], column: Any, names: dict[int, Mapping], mapping: str | None) -> Select[Any]:
    if mapping is None:
        return query
    return query.where(column.in_([row.id for row in names.values() if row.name == mapping]))


def side_word(side: str | None) -> str | None:
    """The hub side by its connector's name, as everything outside calls it."""
    return HUB if side == "hub" else side


def _half(half: dict[str, Any]) -> dict[str, Any]:
    """One side of a conflict; who made the edit is not always known."""
    return {**half, "author": half["author"] or {"id": None, "name": None}}


async def is_mapping(session: AsyncSession, name: str) -> bool:
    """Whether there is such a living mapping."""
    query = select(col(Mapping.id)).where(col(Mapping.name) == name, col(Mapping.removed_at).is_(None))
    return (await session.execute(query)).first() is not None


async def links_page(
    session: AsyncSession,
    *,
    limit: int = DEFAULT_LIMIT,
    after: int | None = None,
    mapping: str | None = None,
    newest: bool = False,
) -> dict[str, Any]:
    names = await _names(session)
    connections = {row.id: row for row in (await session.execute(select(Connection))).scalars()}
    rows, following = await _rows(
        session, _on(select(Link), col(Link.mapping_id), names, mapping), Link, limit, after, newest=newest
    )
    refs = [ref for row in rows for ref in (row.hub_ref, row.external_ref) if ref]
    marked = select(col(Mark.mapping_id), col(Mark.ref)).where(col(Mark.ref).in_(refs))
    waiting = {(mapping_id, ref) for mapping_id, ref in await session.execute(marked)}

    def show(row: Link) -> dict[str, Any]:
        owner = names[row.mapping_id]
        external = connections[owner.external_connection_id]
        return {
            "id": row.id,
            "mapping": owner.name,
            "mapping_version": row.mapping_version,
            "kind": row.kind,
            "parent": row.parent_id,
            "root": row.root or None,
            "state": row.state,
            "reason": row.reason,
            HUB: {"gid": row.hub_id or None, "url": row.hub_url or None, "title": row.hub_title or None},
            "external": {
                "connection": external.name,
                "site": external.site,
                "kind": row.external_kind or None,
                "id": row.external_id or None,
                "key": row.external_key or row.external_address or None,
                "url": row.external_url or None,
                "title": row.external_title or None,
            },
            "pending": any(
                (row.mapping_id, ref) in waiting for ref in (row.hub_ref, row.external_ref) if ref
            ),
            "made_by": row.made_by,
            "created_at": rfc3339(row.created_at),
            "last_synced_at": rfc3339(row.synced_at),
        }

    return {"items": [show(row) for row in rows], "next": following}


async def conflicts_page(
    session: AsyncSession,
    *,
    limit: int = DEFAULT_LIMIT,
    after: int | None = None,
    mapping: str | None = None,
    state: str | None = None,
    newest: bool = False,
) -> dict[str, Any]:
    names = await _names(session)

    def show(row: Conflict) -> dict[str, Any]:
        return {
            "id": row.id,
            "link": row.link_id,
            "mapping": names[row.mapping_id].name,
            "mapping_version": row.mapping_version,
            "field": row.field,
            "kind": row.kind,
            "state": row.state,
            "policy": side_word(row.policy),
            "winner": side_word(row.winner),
            "reason": row.reason,
            "detected_at": rfc3339(row.detected_at),
            HUB: _half(row.hub),
            "external": _half(row.external),
        }

    query = _on(select(Conflict), col(Conflict.mapping_id), names, mapping)
    if state is not None:
        query = query.where(col(Conflict.state) == state)
    return await _page(session, query, Conflict, show, limit, after, newest=newest)


async def parked_page(
    session: AsyncSession,
    *,
    limit: int = DEFAULT_LIMIT,
    after: int | None = None,
    mapping: str | None = None,
    state: str = OPEN,
) -> dict[str, Any]:
    """What still waits; what is ignored does not, and is told where ``state`` asks for it."""
    names = await _names(session)
    query = _on(select(Parked).where(col(Parked.state) == state), col(Parked.mapping_id), names, mapping)
    rows, following = await _rows(session, query, Parked, limit, after)
    found = select(Link).where(col(Link.id).in_([row.link_id for row in rows if row.link_id is not None]))
    ends = {row.id: row for row in (await session.execute(found)).scalars()}

    def show(row: Parked) -> dict[str, Any]:
        return {
            "id": row.id,
            "what": row.what,
            "object": _called(row, ends.get(row.link_id or 0)),
            "link": row.link_id,
            "mapping": names[row.mapping_id].name,
            "ref": row.ref,
            "field": row.field or None,
            "class": row.park_class,
            "state": row.state,
            "reason": row.reason,
            "provider_message": row.provider_message,
            "fix": row.fix,
            "attempts": row.attempts,
            "first_at": rfc3339(row.first_at),
            "last_at": rfc3339(row.last_at),
        }

    return {"items": [show(row) for row in rows], "next": following}


def _called(row: Parked, link: Link | None) -> str:
    """The object as people call it; of one without a link its address was kept when it was parked."""
    if link is not None:
        return link.external_key or link.hub_title or link.external_title or row.ref
    return row.values if row.what == "link" and isinstance(row.values, str) and row.values else row.ref


async def deliveries_page(
    session: AsyncSession, *, limit: int = DEFAULT_LIMIT, after: int | None = None, mapping: str | None = None
) -> dict[str, Any]:
    connections = {row.id: row.name for row in (await session.execute(select(Connection))).scalars()}

    def show(row: Delivery) -> dict[str, Any]:
        return {
            "id": row.id,
            "connection": connections[row.connection_id],
            "delivery": row.dedupe,
            "event": row.event or None,
            "received_at": rfc3339(row.received_at),
            "repeats": row.repeats,
            "state": row.state,
            "reason": row.reason,
        }

    query = select(Delivery)
    if mapping is not None:
        owners = [row for row in (await _names(session)).values() if row.name == mapping]
        ids = [i for row in owners for i in (row.hub_connection_id, row.external_connection_id)]
        query = query.where(col(Delivery.connection_id).in_(ids))
    return await _page(session, query, Delivery, show, limit, after)


def _shown(row: Event) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": rfc3339(row.at),
        "link": row.link_id,
        "event": row.event,
        "text": row.text,
        "field": row.field,
        "before": row.before,
        "after": row.after,
        "write_id": row.write_id,
        "delivery_id": row.delivery_id,
        "mapping_version": row.mapping_version,
        "outcome": row.outcome,
    }


async def history_page(
    session: AsyncSession,
    link_id: int | None = None,
    *,
    limit: int = DEFAULT_LIMIT,
    after: int | None = None,
    mapping: str | None = None,
    newest: bool = False,
) -> dict[str, Any]:
    """The timeline of a link and of the comments and files below it, or of all links in one; to be followed
    from the last id on."""
    query = _on(select(Event), col(Event.mapping_id), await _names(session), mapping)
    if link_id is not None:
        below = select(col(Link.id)).where(
            col(Link.parent_id) == link_id, col(Link.kind).in_([COMMENT, ATTACHMENT])
        )
        query = query.where((col(Event.link_id) == link_id) | col(Event.link_id).in_(below))
    return await _page(session, query, Event, _shown, limit, after, newest=newest)
