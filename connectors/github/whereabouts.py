"""Who we are and where things lie: repositories are renamed, issues transferred, comments name numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from connectors.errors import ConnectorError, Park, ParkClass, ReplanNeeded
from connectors.github import translate
from connectors.github.catalogue import Catalogue
from connectors.github.client import Client
from connectors.github.dependencies import waits_for
from connectors.github.fields import Payload
from connectors.github.parents import parent_of, tells_parent
from connectors.github.refusals import UNREACHABLE, WRITE_ACCESS
from connectors.github.translate import located
from connectors.records import BLOCKED_BY, PARENT, Found, Gone, Hidden, Moved, Record, Ref

T = TypeVar("T")

_KNOWN_NUMBERS = 20_000
"""How many numbers of issues are remembered; then all are forgotten."""


class Whereabouts:
    """What one session has learnt. None of it is needed again: each look-up asks GitHub where it must."""

    def __init__(self, client: Client, site: str, catalogue: Catalogue) -> None:
        self._github = client
        self._site = site
        self._catalogue = catalogue
        self._me: str | None = None
        self._asked_as: dict[str, str] = {}
        """Repository as GitHub calls it, case folded -> as the mapping calls it, be it a former name."""
        self._refs: dict[tuple[str, int], Ref] = {}

    async def me(self) -> str:
        """Our own login, asked once."""
        if self._me is None:
            self._me = str((await self._github.account())[0]["login"])
        return self._me

    def called(self, name: str, container: str) -> None:
        """The mapping's ``container`` is what GitHub calls ``name``."""
        self._asked_as[name.casefold()] = container

    async def record(self, issue: Payload, asked: str) -> Record:
        """The record of an issue asked for in this repository, placed as the mapping calls it."""
        name = translate.repository_of(issue) or asked
        place = self._asked_as.get(name.casefold(), asked)
        self._catalogue.note(issue, place)
        defined = self._catalogue.known(place).fields
        record = translate.record(issue, site=self._site, place=place, me=await self.me(), defined=defined)
        record = await self._with_blockers(await self._with_parent(record, issue), issue)
        if len(self._refs) >= _KNOWN_NUMBERS:
            self._refs.clear()
        self._refs[asked.casefold(), int(issue["number"])] = record.ref
        return record

    async def _with_parent(self, record: Record, issue: Payload) -> Record:
        """With the identity of the issue above; it stays unknown where that is not told, or not visible."""
        if not tells_parent(issue):
            return record
        above, parent = parent_of(issue), None
        if above is not None:
            repository, number = above
            called = self._asked_as.get(repository.casefold(), repository)
            parent = await self.visible_ref(called, number)
            if parent is None:
                return record
        return replace(record, fields={**record.fields, PARENT: parent.id if parent else None})

    async def _with_blockers(self, record: Record, issue: Payload) -> Record:
        """With the identities of the issues that it waits for: a call where there are any."""
        count = waits_for(issue)
        if count is None or record.ref.kind != translate.ISSUE:
            return record
        blockers: Sequence[Payload] = ()
        if count:
            try:
                blockers = await self._github.blockers(*at(record.ref))
            except Park as refused:
                if refused.status in UNREACHABLE:
                    return record
                raise
        ids = tuple(sorted(str(blocker["node_id"]) for blocker in blockers))
        return replace(record, fields={**record.fields, BLOCKED_BY: ids})

    async def listed(self, issue: Payload, container: str) -> Record:
        """The record of an issue out of this container's own listing."""
        self.called(translate.repository_of(issue) or container, container)
        return await self.record(issue, container)

    def event_ref(self, event: Payload, container: str) -> Ref | None:
        """The issue that an event of this container's own list is about; None where that is gone."""
        issue = event.get("issue")
        return translate.issue_ref(issue, self._site, container) if issue else None

    async def ref(self, repository: str, number: int) -> Ref:
        """The identity behind a number."""
        known = self._refs.get((repository.casefold(), number))
        return known or (await self.record(await self._github.issue(repository, number), repository)).ref

    async def visible_ref(self, repository: str, number: int) -> Ref | None:
        """As :meth:`ref`, None where the issue cannot be reached."""
        try:
            return await self.ref(repository, number)
        except Park as refused:
            if refused.status in UNREACHABLE:
                return None
            raise

    async def found(self, ref: Ref) -> Found:
        """Read one object where it was last, and see whether it is still itself and still there."""
        where = located(ref.address)
        if where is None:
            return Hidden("nothing tells where it lies")
        asked, number, _ = where
        try:
            issue = await self._github.issue(asked, number)
        except Park as refused:
            if refused.status == 410:
                return Gone("410")
            if refused.status in UNREACHABLE:
                return Hidden(refused.reason)
            raise
        now_in = translate.repository_of(issue) or asked
        if not await self._is_same_repository(asked, now_in):
            record = await self.record(issue, now_in)
            return record if record.ref.id == ref.id else Moved(record.ref)
        record = await self.record(issue, asked)
        return record if record.ref.id == ref.id else Hidden(f"{ref.address} is another object now")

    async def explained(self, ref: Ref, error: ConnectorError) -> ConnectorError:
        """What a refused write to an issue means for it: 404 may be its absence, or a lack of rights."""
        if not isinstance(error, Park) or error.status != 404:
            return error
        if not isinstance(await self.found(ref), Record):
            return ReplanNeeded("it is not there any more", status=404)
        return Park(
            "the account may read this, but not change it",
            park_class=ParkClass.PERMISSION,
            field=error.field,
            fix=WRITE_ACCESS,
            provider_message=error.provider_message,
            status=404,
        )

    async def _is_same_repository(self, asked: str, now_in: str) -> bool:
        """Whether an object asked for in one repository and found in another shows a renamed one."""
        known = self._asked_as.get(now_in.casefold(), now_in)
        if asked.casefold() in (now_in.casefold(), known.casefold()):
            return True
        try:
            repository = await self._github.repository(asked)
        except Park as refused:
            if refused.status in UNREACHABLE:
                return False
            raise
        if str(repository["full_name"]).casefold() != now_in.casefold():
            return False
        self._asked_as.setdefault(now_in.casefold(), asked)
        return True


def at(ref: Ref) -> tuple[str, int]:
    """Repository and number of an issue."""
    where = located(ref.address)
    if where is None:
        raise ReplanNeeded(f"nothing tells where {ref} lies")
    return where[0], where[1]


@contextmanager
def of_issue() -> Iterator[None]:
    """Reading what belongs to an issue that is gone: look at the issue again."""
    try:
        yield
    except Park as refused:
        if refused.status not in (404, 410):
            raise
        raise ReplanNeeded("the issue is not there any more", status=refused.status) from refused


async def together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order. All calls have ended when the first error is raised."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    done = list[T]()
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done
