"""Tokens that providers hand out, sealed, and whose turn it is to renew them.

They are found by a digest of the configured credentials, not by the connection: what is checked before
it is applied is in no row yet, and other credentials are other tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sync.store.tables import Token
from sync.store.upsert import insert_into


def key_of(connector: str, credentials: Mapping[str, Any]) -> str:
    """What the tokens of these credentials are found by."""
    document = json.dumps([connector, credentials], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


async def find(session: AsyncSession, key: str) -> Token | None:
    """What was kept for the credentials; None, or without anything sealed: nothing yet."""
    return await session.get(Token, key)


async def take_turn(
    session: AsyncSession, key: str, connection: str, owner: str, now: datetime, until: datetime
) -> bool:
    """Whether the owner may renew them now; the turn of one who died ends by itself."""
    insert = insert_into(session, Token).values(key=key, connection=connection, sealed="", changed_at=now)
    await session.execute(insert.on_conflict_do_nothing())
    statement = (
        update(Token)
        .where(col(Token.key) == key, or_(col(Token.turn_until).is_(None), col(Token.turn_until) < now))
        .values(connection=connection, turn_owner=owner, turn_until=until)
        .returning(col(Token.key))
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def give_back(session: AsyncSession, key: str, owner: str) -> None:
    """End the owner's turn."""
    await session.execute(
        update(Token)
        .where(col(Token.key) == key, col(Token.turn_owner) == owner)
        .values(turn_owner=None, turn_until=None)
    )


async def keep(
    session: AsyncSession, key: str, owner: str, *, sealed: str, until: datetime, now: datetime
) -> bool:
    """Put new tokens in the place of the old; False where the turn is another's by now."""
    statement = (
        update(Token)
        .where(col(Token.key) == key, col(Token.turn_owner) == owner)
        .values(sealed=sealed, until=until, changed_at=now)
        .returning(col(Token.key))
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def clear(session: AsyncSession, used: Collection[str], before: datetime) -> None:
    """Drop tokens of credentials that no connection has, unless they changed after that time."""
    await session.execute(delete(Token).where(col(Token.key).not_in(used), col(Token.changed_at) < before))
