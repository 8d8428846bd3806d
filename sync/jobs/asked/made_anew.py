"""A deleted object is made anew out of the survivor: an edit beat its deletion, and a person asks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from sync.jobs.asked.not_possible import NotPossible
from sync.jobs.engine import Engine
from sync.jobs.routing.route import Route
from sync.jobs.routing.ruling import DIRECTIONS
from sync.jobs.watching.looking import look_again
from sync.reconcile.model import Side
from sync.store import links
from sync.store.history import tell
from sync.store.tables import Conflict, Link


async def ask(session: AsyncSession, engine: Engine, route: Route, conflict: Conflict) -> None:
    """Give the survivor a link of its own, which the next pass completes; the entry follows it.

    Raises:
        NotPossible: nothing may be made there, or the survivor has another counterpart by now.
    """
    link = await session.get(Link, conflict.link_id)
    assert link is not None
    assert conflict.winner is not None
    survivor = Side(conflict.winner)
    end = route.end(survivor.other)
    if survivor.other not in DIRECTIONS[route.config.direction] or not end.connector.capabilities.creatable:
        raise NotPossible(f"the mapping makes nothing in {end.connector.title}")
    now = engine.now()
    if link.state == links.UNLINKED:
        if await links.by_refs(session, link.mapping_id, [getattr(link, f"{survivor}_ref")]):
            raise NotPossible("what is left has another counterpart by now")
        link = _half(route, link, survivor, now)
        session.add(link)
        await session.flush()
        conflict.link_id, conflict.restoring = link.id, survivor.value
        session.add(conflict)
        tell(session, link, "in", f"to be made in {end.connector.title} anew: asked for by hand", now)
    await look_again(session, link, "restore asked for", now)


def _half(route: Route, ended: Link, survivor: Side, now: datetime) -> Link:
    """A link that has the survivor's end alone."""
    link = Link(
        mapping_id=ended.mapping_id,
        mapping_version=route.mapping.version,
        kind=links.TASK,
        state=links.CONFIRMING,
        source=survivor.value,
        key_token=links.new_key(getattr(ended, f"{survivor}_id")),
        made_by=links.BY_HAND,
        created_at=now,
        looked_at=now,
    )
    links.set_end(link, survivor, links.end(ended, survivor, route.end(survivor).connection))
    for part in (f"{survivor}_url", f"{survivor}_title"):
        setattr(link, part, getattr(ended, part))
    if survivor is Side.EXTERNAL:
        link.external_key = ended.external_key
    return link
