"""Who is who on two connections: by the configured list first, then by email."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from connectors.records import User as Listed
from sync.reconcile.model import People
from sync.store.tables import Connection, Setting, User

NOBODY = "unassigned"


async def store_users(session: AsyncSession, connection_id: int, users: Iterable[Listed]) -> None:
    """Replace what a connection lists."""
    await session.execute(delete(User).where(col(User.connection_id) == connection_id))
    unique = {user.id: user for user in users}
    session.add_all(
        User(
            connection_id=connection_id,
            user_id=user.id,
            name=user.name,
            login=user.login,
            email=user.email,
            active=user.active,
        )
        for user in unique.values()
    )


async def people_of(
    session: AsyncSession,
    hub: Connection,
    external: Connection,
    fallback: str,
    *,
    listed: Sequence[Mapping[str, str]] | None = None,
) -> People:
    """The translation table of a mapping. ``listed``: in the place of the ``people`` in force."""
    if listed is None:
        setting = await session.get(Setting, "people")
        listed = setting.value if setting else []
    rows = (
        await session.execute(select(User).where(col(User.connection_id).in_([hub.id, external.id])))
    ).scalars()
    users: dict[int, list[User]] = {hub.id: [], external.id: []}
    for row in rows:
        users[row.connection_id].append(row)
    pairs = match(
        users[hub.id],
        users[external.id],
        [(_named(person, hub), _named(person, external)) for person in listed],
    )
    return People(
        to_external=dict(pairs),
        to_hub={external_id: hub_id for hub_id, external_id in reversed(pairs)},
        fallback=None if fallback == NOBODY else find(users[hub.id], fallback),
    )


def _named(person: Mapping[str, str], connection: Connection) -> str | None:
    """What a ``people`` entry calls someone on a connection: by its name, else by its connector's."""
    return person.get(connection.name) or person.get(connection.connector)


def match(
    hub: list[User], external: list[User], listed: Iterable[tuple[str | None, str | None]]
) -> list[tuple[str, str]]:
    """(hub user id, external user id), configured ones first; guesses by login are not made."""
    pairs: list[tuple[str, str]] = []
    for hub_name, external_name in listed:
        if hub_name and external_name:
            hub_id = find(hub, hub_name)
            external_id = find(external, external_name)
            if hub_id and external_id:
                pairs.append((hub_id, external_id))
    taken_hub = {hub_id for hub_id, _ in pairs}
    taken_external = {external_id for _, external_id in pairs}
    by_email = {user.email.casefold(): user.user_id for user in hub if user.email and user.active}
    for user in external:
        hub_id = by_email.get(user.email.casefold()) if user.email else None
        if hub_id and hub_id not in taken_hub and user.user_id not in taken_external:
            pairs.append((hub_id, user.user_id))
    return pairs


def find(users: list[User], name: str) -> str | None:
    """The id of the user whom this email, login or id means."""
    wanted = name.casefold()
    for user in users:
        if wanted in (user.email.casefold(), user.login.casefold(), user.user_id.casefold()):
            return user.user_id
    return None
