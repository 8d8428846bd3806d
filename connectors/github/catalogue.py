"""What issues can hold: milestones of their repository, types and issue fields of the organisation."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from connectors.errors import RetryLater
from connectors.github.client import Client
from connectors.github.fields import Choices, Payload, issue_fields, issue_types, milestones, unheard_of
from connectors.github.refusals import of_container
from connectors.github.translate import repository_of

_GOOD_FOR_S = 300.0


@dataclass(slots=True)
class _Kept:
    """``etag``: of the milestones. ``until``: after that GitHub is asked again."""

    choices: Choices = field(default_factory=Choices)
    etag: str | None = None
    until: float = float("-inf")
    known: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Offered:
    """One list of an organisation; None: it has none, or does not show it to us."""

    rows: Sequence[Payload] | None = None
    until: float = float("-inf")


class Catalogue:
    """Asked once in five minutes for each repository; an unchanged answer costs nothing of the quota.

    What organisations have may be missing there, in older Enterprise Servers, or for lack of a permission:
    everything else goes on without it.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._github = client
        self._clock = clock
        self._kept: defaultdict[str, _Kept] = defaultdict(_Kept)
        self._offered: defaultdict[tuple[str, str], _Offered] = defaultdict(_Offered)
        self._unnamed: set[str] = set()

    async def of(self, repository: str) -> Choices:
        """What can be chosen there.

        Raises:
            RetryLater: GitHub does not answer, and nothing was learnt before.
            PauseMapping: the repository cannot be reached.
        """
        kept = self._kept[repository.casefold()]
        async with kept.asking:
            if self._clock() >= kept.until:
                try:
                    await self._ask(repository, kept)
                except RetryLater:
                    if not kept.known:
                        raise
        return kept.choices

    async def anew(self, repository: str) -> Choices:
        """The same, as it is now."""
        self._kept[repository.casefold()].until = float("-inf")
        return await self.of(repository)

    def known(self, repository: str) -> Choices:
        """What was learnt until now, without asking."""
        return self._kept[repository.casefold()].choices

    def note(self, issue: Payload, repository: str) -> None:
        """Ask again before long where an issue holds what nobody told of."""
        kept = self._kept[repository.casefold()]
        if not kept.known or not (missing := unheard_of(issue, kept.choices)):
            return
        owner = (repository_of(issue) or repository).partition("/")[0]
        if "milestone" in missing:
            kept.until, kept.etag = float("-inf"), None
        for what in missing & {"types", "fields"}:
            if self._offered[owner.casefold(), what].rows is None:
                self._unnamed.add(
                    f"{owner}: issues have {_WORDS[what]}, but the account cannot read the list of "
                    f"them. {_COSTS[what]}"
                )
            else:
                kept.until = self._offered[owner.casefold(), what].until = float("-inf")

    def lacking(self) -> Sequence[str]:
        """What issues hold and cannot be synced, because the organisation's lists are not shown to us."""
        return sorted(self._unnamed)

    async def _ask(self, repository: str, kept: _Kept) -> None:
        with of_container(repository):
            listed = await self._github.milestones(repository, etag=kept.etag)
        choices = kept.choices
        if not listed.unchanged:
            choices = replace(choices, milestones=milestones(listed.items))
        owner = repository.partition("/")[0]
        types = await self._of_owner(owner, "types", self._github.issue_types)
        fields = await self._of_owner(owner, "fields", self._github.issue_fields)
        kept.choices = replace(choices, types=issue_types(types), fields=issue_fields(fields))
        kept.etag, kept.known, kept.until = listed.etag, True, self._clock() + _GOOD_FOR_S

    async def _of_owner(
        self, owner: str, what: str, ask: Callable[[str], Awaitable[Sequence[Payload] | None]]
    ) -> Sequence[Payload]:
        offered = self._offered[owner.casefold(), what]
        if self._clock() >= offered.until:
            with suppress(RetryLater):
                offered.rows = await ask(owner)
                offered.until = self._clock() + (_GOOD_FOR_S if offered.rows else _NOTHING_GOOD_FOR_S)
        return offered.rows or ()


_NOTHING_GOOD_FOR_S = 3600.0
"""Most organisations have no issue fields, and people have neither: they are not asked often."""
_WORDS = {"types": "types", "fields": "issue fields"}
_COSTS = {
    "types": "Give it the organisation permission Issue Types: read, or the type cannot be synced.",
    "fields": "Give it the organisation permission Issue Fields: read, or they cannot be synced.",
}
