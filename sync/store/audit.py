"""Who did what: one line for every change an admin makes, by whatever way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from sync.store.tables import Audit


def note(session: AsyncSession, action: str, target: str = "", **detail: Any) -> None:
    session.add(Audit(at=datetime.now(UTC), action=action, target=target, detail=detail))
