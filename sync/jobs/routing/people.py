"""The people of connections: who is listed, and the translation table of a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import User as Listed
from sync.jobs.routing import identities
from sync.reconcile.model import People
from sync.store.tables import Connection, Setting, User

NOBODY = "unassigned"


async def store_users(
    session: AsyncSession, connection_id: int, users: Iterable[Listed], *, complete: bool = True
) -> None:
    """Keep what a connection lists. In a complete listing, who is missing is not active any more."""
    known = {user.user_id: user for user in await users_of(session, connection_id)}
    listed = {user.id: user for user in users}
    for user in listed.values():
        row = known.get(user.id) or User(connection_id=connection_id, user_id=user.id)
        row.name, row.login, row.email, row.active = user.name, user.login, user.email, user.active
        session.add(row)
    for user_id in known.keys() - listed.keys() if complete else ():
        known[user_id].active = False
        session.add(known[user_id])


async def people_of(
    session: AsyncSession,
    hub: Connection,
    external: Connection,
    fallback: str,
    *,
    listed: Sequence[Mapping[str, str]] | None = None,
) -> People:
    """The translation table of a mapping. ``listed``: in the place of the ``people`` in force.

    Whoever left one side is nobody there, so nobody assigns or mentions them; the other side goes on
    knowing whom they meant.
    """
    if listed is None:
        listed = await listed_people(session)
    ours, theirs = await users_of(session, hub.id), await users_of(session, external.id)
    pairs = identities.match(ours, theirs, [named(person, hub, external) for person in listed])
    pairs.reverse()  # of several entries about one person the first counts
    stand_in = None if fallback == NOBODY else identities.find(ours, fallback)
    return People(
        to_external={pair.hub.user_id: pair.external.user_id for pair in pairs if pair.external.active},
        to_hub={pair.external.user_id: pair.hub.user_id for pair in pairs if pair.hub.active},
        fallback=stand_in.user_id if stand_in is not None and stand_in.active else None,
    )


class KeptPeople:
    """The translation tables of this process: each is good until users are listed, or people named, anew."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[object, People]] = {}

    async def of(
        self,
        session: AsyncSession,
        hub: Connection,
        external: Connection,
        fallback: str,
        listed: Sequence[Mapping[str, str]],
    ) -> People:
        """As :func:`people_of`."""
        ends = hub, external
        made_of = [(end.name, end.people_at) for end in ends], fallback, listed
        kept = self._kept.get((hub.id, external.id))
        if kept is not None and kept[0] == made_of and all(end.people_at for end in ends):
            return kept[1]
        people = await people_of(session, hub, external, fallback, listed=listed)
        self._kept[hub.id, external.id] = made_of, people
        return people


async def listed_people(session: AsyncSession) -> Sequence[Mapping[str, str]]:
    """The ``people`` in force."""
    setting = await session.get(Setting, "people")
    return list(setting.value) if setting else []


_USERS = select(User).where(col(User.connection_id) == bindparam("connection_id")).order_by(col(User.id))


async def users_of(session: AsyncSession, connection_id: int) -> Sequence[User]:
    """Everybody whom a connection lists or has listed."""
    return (await session.execute(_USERS, {"connection_id": connection_id})).scalars().all()


def named(person: Mapping[str, str], hub: Connection, external: Connection) -> identities.Listed:
    """What an entry calls someone on both: by the connection's name, else by its connector's."""
    ours, theirs = (person.get(each.name) or person.get(each.connector) for each in (hub, external))
    return ours, theirs
