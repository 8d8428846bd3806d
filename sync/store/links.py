"""The mapping table: links, their ends, and the Seen pairs of their fields."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Text, bindparam, cast, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.discussions import Comment
from connectors.records import Record, Ref
from sync.reconcile.model import Pair, Side
from sync.store.tables import Connection, Link, Seen, Write, table_of
from sync.store.upsert import insert_into, upsert
from sync.store.values import dump, parse
from sync.store.writes import NOT_DONE, OPEN

_SEEN = table_of(Seen).c

TASK = "task"
COMMENT = "comment"
ATTACHMENT = "attachment"

ACTIVE = "active"
DORMANT = "dormant"
PARKED = "parked"
CONFIRMING = "confirming"
UNLINKED = "unlinked"

CAPTURED = "capture"
"""``made_by`` of a link that a person asked for in the other tool: no filter bars it."""

BY_HAND = "hand"

SAID = "errand:"
"""How the ``root`` of a comment begins that a person wrote for the hub in another tool; an id follows."""


def is_attached(link: Link) -> bool:
    """Whether a person attached an object to a task that was there before: no key was made for that one."""
    return link.made_by == CAPTURED and not link.key_token


def new_key(source: str) -> str:
    """What the counterpart of the object with this id is made with, and found again by."""
    return f"{source}-{secrets.token_hex(4)}"


def end(link: Link, side: Side, connection: Connection) -> Ref | None:
    """The Ref of one end, None where it does not exist (yet)."""
    if getattr(link, f"{side}_ref") is None:
        return None
    return Ref(
        connector=connection.connector,
        site=connection.site,
        kind=getattr(link, f"{side}_kind"),
        id=getattr(link, f"{side}_id"),
        address=getattr(link, f"{side}_address"),
    )


def set_end(link: Link, side: Side, ref: Ref | None) -> None:
    setattr(link, f"{side}_ref", str(ref) if ref else None)
    for part in ("kind", "id", "address"):
        setattr(link, f"{side}_{part}", getattr(ref, part) if ref else "")


def describe(link: Link, side: Side, record: Record) -> None:
    """Keep what listings show of an end: address, URL, title, key, newest version."""
    set_end(link, side, record.ref)
    setattr(link, f"{side}_url", record.url)
    setattr(link, f"{side}_title", str(record.fields.get("title", "")))
    if record.version >= getattr(link, f"{side}_version"):
        setattr(link, f"{side}_version", record.version)
        setattr(link, f"{side}_at", record.modified_at)
    if side is Side.EXTERNAL:
        link.external_key = record.key


_OF_AN_END = ("ref", "kind", "id", "address", "url", "title", "version", "at", "comments_version")
_LOOKED_AT = (
    *(f"{side}_{part}" for side in Side for part in _OF_AN_END),
    *("external_key", "mapping_version", "synced_at", "looked_at", "hidden_since", "gone", "awaits"),
)
"""What a look at a link may change of it; its state is not among it."""


_KEEPING = (
    update(table_of(Link))
    .where(table_of(Link).c.id == bindparam("link_id"))
    .values({name: bindparam(f"new_{name}") for name in _LOOKED_AT})
)


async def keep(session: AsyncSession, links: Sequence[Link]) -> None:
    """Store how these links stand after a look at them."""
    if links:
        rows = [
            {"link_id": link.id} | {f"new_{name}": getattr(link, name) for name in _LOOKED_AT}
            for link in links
        ]
        await session.execute(_KEEPING, rows)


def describe_comment(link: Link, side: Side, comment: Comment) -> None:
    """Keep what listings show of one end of a comment link."""
    set_end(link, side, comment.ref)
    setattr(link, f"{side}_url", comment.url)


def describe_file(link: Link, side: Side, ref: Ref, url: str, name: str) -> None:
    """Keep what listings show of one end of an attachment link; it may be a comment."""
    set_end(link, side, ref)
    setattr(link, f"{side}_url", url)
    setattr(link, f"{side}_title", name)


_REFS: BindParameter[str] = bindparam("refs", expanding=True)
_ON_REFS = (
    col(Link.kind) == TASK,
    col(Link.state) != UNLINKED,
    or_(col(Link.hub_ref).in_(_REFS), col(Link.external_ref).in_(_REFS)),
)
_BY_REFS = select(Link).where(col(Link.mapping_id) == bindparam("mapping_id"), *_ON_REFS)
_SHARING = select(Link).where(col(Link.mapping_id) != bindparam("mapping_id"), *_ON_REFS)


async def by_refs(session: AsyncSession, mapping_id: int, refs: Iterable[str]) -> dict[str, Link]:
    """Living task links of a mapping, by either ref."""
    wanted = set(refs)
    found: dict[str, Link] = {}
    ordered = sorted(wanted)
    for at in range(0, len(ordered), 400):
        asked = {"mapping_id": mapping_id, "refs": ordered[at : at + 400]}
        for link in (await session.execute(_BY_REFS, asked)).scalars():
            for ref in (link.hub_ref, link.external_ref):
                if ref in wanted:
                    found[ref] = link
    return found


async def sharing(session: AsyncSession, mapping_id: int, refs: Collection[str]) -> Sequence[Link]:
    """Living task links of other mappings on these objects."""
    found = await session.execute(_SHARING, {"mapping_id": mapping_id, "refs": list(refs)})
    return found.scalars().all()


_SEEN_OF = select(Seen).where(col(Seen.link_id).in_(bindparam("ids", expanding=True)))


async def seen_of(session: AsyncSession, link_ids: Iterable[int]) -> dict[int, dict[str, Seen]]:
    """Seen rows by link and field."""
    found: dict[int, dict[str, Seen]] = {}
    ordered = sorted(set(link_ids))
    for at in range(0, len(ordered), 400):
        for row in (await session.execute(_SEEN_OF, {"ids": ordered[at : at + 400]})).scalars():
            found.setdefault(row.link_id, {})[row.field] = row
    return found


_SETTLED = select(
    _SEEN["link_id"], _SEEN["field"], cast(_SEEN["hub"], Text), cast(_SEEN["external"], Text)
).where(_SEEN["link_id"].in_(bindparam("ids", expanding=True)), _SEEN["settled"])


async def settled_pairs(session: AsyncSession, link_ids: Iterable[int]) -> dict[int, dict[str, Pair]]:
    """The settled pairs alone, by link and field."""
    found: dict[int, dict[str, Pair]] = {}
    ordered = sorted(set(link_ids))
    for at in range(0, len(ordered), 400):
        rows = (await session.execute(_SETTLED, {"ids": ordered[at : at + 400]})).all()
        # one document of all values: parsing them one by one takes longer than all the rest
        texts = (text or "null" for row in rows for text in row[2:])
        values = iter(json.loads(f"[{','.join(texts)}]"))
        for link_id, field, *_ in rows:
            found.setdefault(link_id, {})[field] = Pair(parse(next(values)), parse(next(values)))
    return found


def pairs(rows: Mapping[str, Seen]) -> dict[str, Pair]:
    """The settled pairs among Seen rows."""
    return {name: Pair(parse(row.hub), parse(row.external)) for name, row in rows.items() if row.settled}


_MOVED = ("hub", "external", "moved_at", "hub_read", "external_read", "settled")


@upsert(Seen)
def _settling(insert: Any) -> Any:
    moved = {name: insert.excluded[name] for name in _MOVED}
    moved |= {"hub_before": _SEEN["hub"], "external_before": _SEEN["external"]}
    return insert.on_conflict_do_update(index_elements=["link_id", "field"], set_=moved)


async def settle(session: AsyncSession, settled: Mapping[int, Mapping[str, Pair]], now: datetime) -> None:
    """Move both halves of these links' fields' Seen together; what was read before is forgotten.

    ``settled``: link id -> field -> pair.
    """
    rows = [
        {
            "link_id": link_id,
            "field": name,
            "hub": dump(pair.hub),
            "external": dump(pair.external),
            "moved_at": now,
            "hub_read": None,
            "external_read": None,
            "settled": True,
        }
        for link_id, pairs in settled.items()
        for name, pair in pairs.items()
    ]
    if rows:
        await session.execute(_settling(session), rows)


async def note_first_read(
    session: AsyncSession, link_id: int, side: Side, field: str, observed: Mapping[str, object]
) -> None:
    """Remember when a value that could not be settled was first read: {"value", "at", "by"}."""
    values = {f"{side}_read": dict(observed)}
    insert = insert_into(session, Seen).values(link_id=link_id, field=field, settled=False, **values)
    await session.execute(insert.on_conflict_do_update(index_elements=["link_id", "field"], set_=values))


async def forget_fields(session: AsyncSession, link_ids: Iterable[int], fields: Iterable[str]) -> None:
    """Drop the Seen of fields that are no longer mapped; nothing is written anywhere."""
    await session.execute(
        delete(Seen).where(col(Seen.link_id).in_(list(link_ids)), col(Seen.field).in_(list(fields)))
    )


async def comments_of(session: AsyncSession, parent_id: int) -> Sequence[Link]:
    """Living comment links below a task link, oldest first."""
    return await _below(session, parent_id, COMMENT)


async def attachments_of(session: AsyncSession, parent_id: int) -> Sequence[Link]:
    """Living attachment links below a task link, oldest first."""
    return await _below(session, parent_id, ATTACHMENT)


_BELOW = (
    select(Link)
    .where(
        col(Link.parent_id) == bindparam("parent_id"),
        col(Link.kind) == bindparam("kind"),
        col(Link.state) != UNLINKED,
    )
    .order_by(col(Link.id))
)


async def _below(session: AsyncSession, parent_id: int, kind: str) -> Sequence[Link]:
    return (await session.execute(_BELOW, {"parent_id": parent_id, "kind": kind})).scalars().all()


async def comments_known(
    session: AsyncSession, mapping_id: int, side: Side, refs: Sequence[str]
) -> frozenset[str]:
    """Those of these comments that are linked; some stand for a file."""
    ref = col(Link.hub_ref) if side is Side.HUB else col(Link.external_ref)
    query = select(ref).where(
        col(Link.mapping_id) == mapping_id, col(Link.kind).in_([COMMENT, ATTACHMENT]), ref.in_(list(refs))
    )
    return frozenset(str(row[0]) for row in await session.execute(query))


async def parents_of(
    session: AsyncSession, mapping_id: int, side: Side, comment_refs: Sequence[str]
) -> dict[str, Link]:
    """The living task links below which these comments hang, by the comments' Refs on that side."""
    ref = col(Link.hub_ref) if side is Side.HUB else col(Link.external_ref)
    query = select(ref, col(Link.parent_id)).where(
        col(Link.mapping_id) == mapping_id,
        col(Link.kind) == COMMENT,
        col(Link.state) != UNLINKED,
        ref.in_(list(comment_refs)),
    )
    parent_ids = {str(row[0]): row[1] for row in await session.execute(query)}
    parents = select(Link).where(col(Link.id).in_(list(parent_ids.values())), col(Link.state) != UNLINKED)
    by_id = {link.id: link for link in (await session.execute(parents)).scalars()}
    return {found: by_id[parent_id] for found, parent_id in parent_ids.items() if parent_id in by_id}


async def ended(session: AsyncSession, mapping_id: int, refs: Iterable[str]) -> frozenset[str]:
    """Those of these Refs that had a link of the mapping with both ends, which was ended.

    A person ended it, or a deletion did: they get no other one by themselves.
    """
    wanted = sorted(set(refs))
    found: set[str] = set()
    for at in range(0, len(wanted), 400):
        part = wanted[at : at + 400]
        query = select(col(Link.hub_ref), col(Link.external_ref)).where(
            col(Link.mapping_id) == mapping_id,
            col(Link.kind) == TASK,
            col(Link.state) == UNLINKED,
            col(Link.hub_ref).is_not(None),
            col(Link.external_ref).is_not(None),
            or_(col(Link.hub_ref).in_(part), col(Link.external_ref).in_(part)),
        )
        found.update(ref for row in await session.execute(query) for ref in row if ref)
    return frozenset(found & set(wanted))


async def still_gone(session: AsyncSession, link_ids: Collection[int]) -> frozenset[int]:
    """Which of these links live on while one of their objects is deleted."""
    query = select(col(Link.id)).where(
        col(Link.id).in_(link_ids), col(Link.state) == ACTIVE, col(Link.gone).is_not(None)
    )
    return frozenset((await session.execute(query)).scalars())


async def unlink(session: AsyncSession, link: Link, reason: str, now: datetime) -> None:
    """End a link and the links of its comments and files. Nothing is written at the providers.

    Writes whose answers were lost are closed: nobody looks at this link again.
    """
    family = select(col(Link.id)).where(or_(col(Link.id) == link.id, col(Link.parent_id) == link.id))
    await session.execute(
        update(Write)
        .where(col(Write.link_id).in_(family), col(Write.state).in_(OPEN))
        .values(state=NOT_DONE, reason="the link ended", done_at=now)
    )
    await session.execute(
        update(Link)
        .where(or_(col(Link.id) == link.id, col(Link.parent_id) == link.id))
        .values(state=UNLINKED, reason=reason, looked_at=now)
    )
    link.state, link.reason = UNLINKED, reason
