"""Labels are tags of the workspace: names people type -> gids Asana wants."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from connectors.asana import notes
from connectors.asana.client import Asana
from connectors.asana.names import fold
from connectors.asana.translate import Row
from connectors.errors import OutcomeUnknown, RetryLater


class Tags:
    """The workspace's tags by name, case aside; read when first needed, and again before one is made."""

    def __init__(self, asana: Asana) -> None:
        self._asana = asana
        self._gids: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def gids(self, names: Iterable[str]) -> dict[str, str]:
        """Name -> gid, making the tags that the workspace lacks."""
        wanted = {fold(name): name for name in names if fold(name)}
        async with self._lock:
            if not wanted.keys() <= self._gids.keys():
                self._gids = _oldest_by_name(await self._asana.tags())
            for folded, name in wanted.items():
                if folded not in self._gids:
                    self._gids[folded] = await self._made(name)
            return {name: self._gids[folded] for folded, name in wanted.items()}

    def forget(self) -> None:
        """Somebody deleted a tag that we remember."""
        self._gids = {}

    async def _made(self, name: str) -> str:
        try:
            return str((await self._asana.create_tag(notes.one_line(name)))["gid"])
        except OutcomeUnknown as error:
            # The tag may be there, the task is untouched: the next look finds the tag by its name.
            raise RetryLater(error.reason, status=error.status) from error


def _oldest_by_name(rows: Iterable[Row]) -> dict[str, str]:
    """Asana allows several tags of one name: the first listed is ours."""
    gids: dict[str, str] = {}
    for row in rows:
        if row.get("name"):
            gids.setdefault(fold(row["name"]), row["gid"])
    return gids
