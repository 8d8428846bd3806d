"""Where review and checks of open pull requests stand: four more calls for each, so only where asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from connectors.errors import Park
from connectors.github import fields
from connectors.github.client import Client
from connectors.github.fields import CHECKS, PULL_REQUEST, REVIEW
from connectors.github.refusals import UNREACHABLE
from connectors.github.translate import located
from connectors.records import Record, Ref

_OPEN = ("draft", "open")
_AWAITED = 20
"""So many pull requests with pending checks are looked at again with each poll: nothing else tells."""


class Details:
    """Reads them, and remembers whose checks are awaited."""

    def __init__(self, client: Client) -> None:
        self._github = client
        self._awaited: defaultdict[str, dict[Ref, Record]] = defaultdict(dict)

    def awaited(self, container: str) -> Sequence[Record]:
        """Pull requests of the container whose checks were pending when they were read last."""
        return tuple(self._awaited[container].values())[:_AWAITED]

    async def of(self, record: Record) -> Record:
        """The record with its review and its checks; what is merged or closed keeps what it had."""
        where = located(record.ref.address)
        container = next(iter(record.places))
        self._awaited[container].pop(record.ref, None)
        if where is None or record.fields.get(PULL_REQUEST) not in _OPEN:
            return record
        repository, number, _ = where
        try:
            pull = await self._github.pull(repository, number)
            reviews = await self._github.reviews(repository, number)
        except Park as refused:
            if refused.status in UNREACHABLE:
                return record
            raise
        commit = str((pull.get("head") or {}).get("sha") or "")
        runs = await self._github.check_runs(repository, commit)
        statuses = await self._github.statuses(repository, commit)
        told = {REVIEW: fields.review(pull, reviews), CHECKS: fields.checks(runs, statuses)}
        detailed = replace(record, fields={**record.fields, **told})
        if told[CHECKS] == "pending":
            self._awaited[container][record.ref] = detailed
        return detailed
