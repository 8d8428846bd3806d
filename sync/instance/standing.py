"""How everything stands, told the same by the command line and the web side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sync import __version__
from sync.instance.folder import Instance, running
from sync.settings import Settings
from sync.store.database import Database
from sync.store.status import last_start, status


async def standing(
    database: Database, settings: Settings, *, here: Instance | None = None, now: datetime | None = None
) -> dict[str, Any]:
    """The status, with the ``up`` that runs in the data folder; ``here`` is who asks where none does."""
    instance = running(settings.data_dir) or here
    now = now or datetime.now(UTC)
    async with database.read() as session:
        return await status(
            session,
            version=__version__,
            now=now,
            instance={
                "id": str(instance.pid) if instance else None,
                "url": instance.url if instance else None,
            },
            since=await last_start(session, now),
        )
