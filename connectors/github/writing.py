"""Making and changing issues and pull requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import ConnectorError, OutcomeUnknown, Park
from connectors.github.catalogue import Catalogue
from connectors.github.client import Client
from connectors.github.dependencies import Rewiring, rewire
from connectors.github.edits import Edit, creation, edit
from connectors.github.field_edits import are_chosen, reason_of
from connectors.github.fields import Choices, Payload
from connectors.github.parents import put_below
from connectors.github.polling import OVERLAP_S, since_text
from connectors.github.refusals import of_container
from connectors.github.text import has_live, said
from connectors.github.whereabouts import Whereabouts, at
from connectors.records import BLOCKED_BY, CLOSED, PARENT, Draft, Fields, Key, Record, Ref, Value

_BESIDE = {"labels": "labels", "assignee": "assignees", "milestone": "milestone"}
"""Fields that an issue can be made without, and their parameters."""


class Writing:
    """Writes to objects of one connection."""

    def __init__(self, client: Client, known: Whereabouts, catalogue: Catalogue) -> None:
        self._github = client
        self._known = known
        self._catalogue = catalogue

    async def create(self, container: str, draft: Draft, key: Key) -> Record:
        await self._known.me()  # asked before the write: after it, a failure would hide the success
        with of_container(container, {404, 410}):
            body = creation(draft, key, await self._choices(container, draft.fields))
            issue = await self._made(container, body, whole=draft.whole)
        if draft.fields.get("state") == CLOSED:
            # made is made: what stayed open is closed by the next plan, like any other edit
            with suppress(ConnectorError):
                issue = await self._github.edit_issue(
                    container, int(issue["number"]), reason_of(draft.fields)
                )
        return await self._known.record(issue, container)

    async def _made(self, container: str, body: Mapping[str, Any], *, whole: bool) -> Payload:
        """One field that GitHub refuses keeps no issue away: it is written by itself, and waits alone."""
        try:
            return await self._github.create_issue(container, body)
        except Park as refusal:
            name = _BESIDE.get(refusal.field or "")
            if whole or name not in body:
                raise
            return await self._github.create_issue(
                container, {key: value for key, value in body.items() if key != name}
            )

    async def find_created(self, container: str, key: Key, since: datetime) -> Sequence[Record]:
        me = await self._known.me()
        start = since - timedelta(seconds=OVERLAP_S)
        text, page, found = since_text(int(start.timestamp())), None, dict[Ref, Record]()
        with of_container(container):
            while True:
                listed = await self._github.issues_by(container, me, text, page=page)
                records = [await self._known.record(issue, container) for issue in listed.items]
                found |= {
                    record.ref: record
                    for record in records
                    if key.token in record.keys and record.created_by_us
                }
                page = listed.next
                if page is None or (records and records[-1].created_at < start):
                    return list(found.values())

    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        repository, number = at(ref)
        await self._known.me()
        answered = dict[str, Value]()
        rewiring = Rewiring.between(expected.fields.get(BLOCKED_BY), fields.get(BLOCKED_BY))
        issue: Payload | None = None
        partly_done = untold = False
        try:
            standing = await self._standing(repository, number, fields, expected)
            wanted = edit(fields, expected, await self._choices(repository, fields), standing)
            if wanted.patch:  # it overwrites whole values: nearest to the reading; elements of sets can wait
                issue = await self._github.edit_issue(repository, number, wanted.patch)
                partly_done = True
            async for told in self._edit_one_by_one(repository, number, wanted):
                partly_done, untold = True, untold or not told
                answered |= told
            if PARENT in fields:
                parent = None if fields[PARENT] is None else str(fields[PARENT])
                with _about(PARENT):
                    await put_below(self._github, repository, number, parent, expected.named)
                partly_done = True
                answered[PARENT] = parent
            if BLOCKED_BY in fields:
                with _about(BLOCKED_BY):
                    await rewire(self._github, repository, number, rewiring, expected.named)
                partly_done = True
            record = await self._as_it_is(repository, number, issue, expected, untold=untold)
        except ConnectorError as error:
            error = await self._known.explained(ref, error)
            if partly_done and not isinstance(error, Park):
                error = OutcomeUnknown(f"only a part of the update is known to be done: {error.reason}")
            raise error from None
        if BLOCKED_BY in fields:  # each was confirmed: a list that lags behind would show the old ones
            read = record.fields.get(BLOCKED_BY, expected.fields.get(BLOCKED_BY))
            answered[BLOCKED_BY] = rewiring.applied(read)
        return replace(record, fields={**record.fields, **answered})

    async def _as_it_is(
        self, repository: str, number: int, issue: Payload | None, expected: Record, *, untold: bool
    ) -> Record:
        """The issue after the last call, which answered ``issue`` or nothing whole.

        Where each call told what it did, that is known if the rest cannot be read now.

        Args:
            untold: whether one told nothing.
        """
        if issue is None or untold:
            try:
                issue = await self._read_back(repository, number, after=issue)
            except ConnectorError:
                if untold:
                    raise
                return expected
        return await self._known.record(issue, repository)

    async def _read_back(self, repository: str, number: int, after: Payload | None) -> Payload:
        """The issue as it is now, not as it was before that answer."""
        issue = await self._github.issue(repository, number)
        if after is not None and str(issue["updated_at"]) < str(after["updated_at"]):
            raise OutcomeUnknown("written, but reading it back shows the state before")
        return issue

    async def _choices(self, repository: str, fields: Fields) -> Choices:
        return await self._catalogue.of(repository) if are_chosen(fields) else Choices()

    async def _standing(self, repository: str, number: int, fields: Fields, expected: Record) -> str:
        """The body's source, asked for only where it tells which mentions are live already."""
        wanted, present = (str(each.get("notes") or "") for each in (fields, expected.fields))
        if not (has_live(wanted) and has_live(said(present))):
            return ""
        return str((await self._github.issue(repository, number)).get("body") or "")

    async def _edit_one_by_one(self, repository: str, number: int, wanted: Edit) -> AsyncIterator[Fields]:
        """What has calls of its own; after each one, what GitHub says stands there now."""
        github = self._github
        with _about("labels"):
            if wanted.labels_added:
                yield _told("labels", await github.add_labels(repository, number, wanted.labels_added))
            for label in wanted.labels_removed:
                yield _told("labels", await github.remove_label(repository, number, label))
        with _about("assignee"):
            if logins := wanted.assignees_added:
                yield _told("assignee", await github.add_assignees(repository, number, logins))
            if logins := wanted.assignees_removed:
                yield _told("assignee", await github.remove_assignees(repository, number, logins))
        for name, id, value in wanted.values:
            with _about(name):
                if value is None:
                    await github.clear_field(repository, number, id)
                else:
                    await github.set_field(repository, number, id, value)
                yield {}


def _told(field: str, value: tuple[str, ...] | None) -> Fields:
    return {} if value is None else {field: value}


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Refusals inside are about this field."""
    try:
        yield
    except Park as refused:
        refused.field = field
        raise
