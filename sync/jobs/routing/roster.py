"""Who is who on each pair of connections, who may be, and who is nobody: for people to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.jobs.routing import identities
from sync.jobs.routing.identities import How, Listed
from sync.jobs.routing.people import listed_people, named, users_of
from sync.reconcile.model import Side
from sync.settings import HUB
from sync.store import tables
from sync.store.tables import Connection, User

UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class Couple:
    """Two connections with a mapping between them."""

    hub: Connection
    external: Connection

    def of(self, side: Side) -> Connection:
        return self.hub if side is Side.HUB else self.external


async def couples(session: AsyncSession) -> list[Couple]:
    """Every pair of connections that some living mapping keeps in step, in order of the mappings."""
    query = select(tables.Mapping).where(col(tables.Mapping.removed_at).is_(None))
    found: dict[tuple[int, int], Couple] = {}
    for mapping in (await session.execute(query.order_by(col(tables.Mapping.id)))).scalars():
        ids = (mapping.hub_connection_id, mapping.external_connection_id)
        hub, external = [await session.get_one(Connection, each) for each in ids]
        found.setdefault(ids, Couple(hub, external))
    return list(found.values())


async def roster(session: AsyncSession, couple: Couple) -> list[dict[str, Any]]:
    """One item a person: matched ones first, then guesses, then those whom nobody is known to be."""
    people = [named(person, couple.hub, couple.external) for person in await listed_people(session)]
    everybody = [await users_of(session, couple.of(side).id) for side in Side]
    return [_item(couple, *entry) for entry in _entries(couple, everybody[0], everybody[1], people)]


def _entries(
    couple: Couple, hub: Sequence[User], external: Sequence[User], listed: Sequence[Listed]
) -> Iterator[tuple[str, User | None, User | None, str]]:
    """(what it rests on, hub user, external user, what is to be said about it)."""
    matched = identities.match(hub, external, listed)
    for pair in matched:
        left = [
            side for side, user in ((Side.HUB, pair.hub), (Side.EXTERNAL, pair.external)) if not user.active
        ]
        yield pair.how, pair.hub, pair.external, "; ".join(_left(couple, side) for side in left)
    for hub_name, external_name in listed:
        ours, theirs = identities.find(hub, hub_name), identities.find(external, external_name)
        if hub_name and external_name and (ours is None or theirs is None):
            unknown = [(hub_name, couple.hub)] if ours is None else []
            unknown += [(external_name, couple.external)] if theirs is None else []
            said = (f"{each.name} lists nobody called {name}" for name, each in unknown)
            yield How.CONFIGURED, ours, theirs, "; ".join(said)
    known = {id(user) for pair in matched for user in (pair.hub, pair.external)}
    ours_left = [
        user for user in hub if user.active and id(user) not in known and not _is_us(couple.hub, user)
    ]
    theirs_left = [
        user
        for user in external
        if user.active and id(user) not in known and not _is_us(couple.external, user)
    ]
    guessed = identities.guesses(ours_left, theirs_left)
    for guess in guessed:
        yield guess.how, guess.hub, guess.external, "they read alike; put the line under people: if it is so"
    suggested = {id(user) for guess in guessed for user in (guess.hub, guess.external)}
    for user in theirs_left:
        if id(user) not in suggested:
            yield UNMATCHED, None, user, f"nobody of {couple.hub.name} is known to be this person"
    for user in ours_left:
        if id(user) not in suggested:
            yield UNMATCHED, user, None, f"nobody of {couple.external.name} is known to be this person"


def _left(couple: Couple, side: Side) -> str:
    name = couple.of(side).name
    return f"{name} does not list them any more (deactivated, or without access): nobody is assigned there"


def _is_us(connection: Connection, user: User) -> bool:
    return user.user_id in (connection.account_id, connection.account_name)


def _item(couple: Couple, how: str, hub: User | None, external: User | None, reason: str) -> dict[str, Any]:
    return {
        "connections": {HUB: couple.hub.name, "external": couple.external.name},
        "how": str(how),
        HUB: _shown(hub),
        "external": _shown(external),
        "into": {
            HUB: _is_used(how, hub, external),
            "external": _is_used(how, external, hub),
        },
        "reason": reason,
        "line": _line(couple, hub, external) if how in (How.GUESS, UNMATCHED) else None,
    }


def _is_used(how: str, into: User | None, other: User | None) -> bool:
    """Whether somebody is assigned and mentioned on the side of ``into``."""
    return how in (How.CONFIGURED, How.EMAIL) and other is not None and into is not None and into.active


def _shown(user: User | None) -> Mapping[str, Any] | None:
    if user is None:
        return None
    return {
        "id": user.user_id,
        "name": user.name,
        "login": user.login or None,
        "email": user.email or None,
        "active": user.active,
    }


def _line(couple: Couple, hub: User | None, external: User | None) -> str:
    """The entry for the configuration file; a question mark stands for what a person has to fill in."""
    entry = {
        HUB: (hub.email or hub.user_id) if hub else "?",
        couple.external.name: (external.login or external.email or external.user_id) if external else "?",
    }
    flow = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return f"- {flow.strip()}"
