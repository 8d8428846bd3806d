"""What changed in a project since the last look, and its complete listing.

``/tasks?modified_since=`` carries the tasks, new comments included (they move ``modified_at``).
``/events`` adds what it does not show: deletions, edited and deleted comments, moves between sections.
Both are needed, and events may fail: they are at most once, and the listing goes on without them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field, ValidationError

from connectors.answers import Answer
from connectors.asana.addresses import task_in
from connectors.asana.client import Asana, StaleOffset
from connectors.asana.dates import moment, timestamp
from connectors.asana.events import changes_of, edits_of, kind_of, latest_edits, with_events
from connectors.asana.projects import Projects
from connectors.asana.translate import COMMENT, Row, task_ref
from connectors.changes import Change, Page
from connectors.errors import RetryLater
from connectors.records import FieldTime, Json, Record, Ref

OVERLAP = timedelta(minutes=2)
"""Listings look back this far behind the last look: writes may show late."""

_PAGES = 5
_EVENT_PAGES = 5
_VERSION_PAGES = 20
_REMEMBERED = 2_000
_TOLD_AGAIN = timedelta(seconds=20)
"""So long an event is told again: what it shows may be understood only with what comes after it."""
_RECENT = timedelta(days=30)
_RECENT_PAGES = 3
_EVENTS_AGAIN = timedelta(days=1)
"""Where Asana serves no events, they are asked for again after this time."""


class _Round(BaseModel):
    """A listing under way. ``until`` is Asana's clock at its first page."""

    since: datetime
    until: datetime
    offset: str | None
    seen: dict[str, str]


class _Position(BaseModel):
    """The cursor.

    ``since``: everything before is known. ``seen``: gid -> digest of the tasks that the last listing
    showed, which the overlap shows again. ``no_events_until``: events are not served. ``told_since``:
    events from before were lost. ``edits``: the latest events about single fields.
    """

    since: datetime
    sync: str | None = None
    no_events_until: datetime | None = None
    told_since: datetime | None = None
    seen: dict[str, str] = Field(default_factory=dict)
    edits: list[Row] = Field(default_factory=list)
    round: _Round | None = None

    @property
    def tells_all(self) -> bool:
        """Whether events tell who edited what about the time of the latest writes."""
        if self.no_events_until is not None:
            return False
        return self.told_since is None or self.since - self.told_since > OVERLAP


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """``more``: there are more events to read. ``lost``: some will never be. ``edits`` as of a Page."""

    changes: Sequence[Change] = ()
    more: bool = False
    lost: bool = False
    edits: Mapping[Ref, Sequence[FieldTime]] | None = None


class Polling:
    """Cursors of projects.

    Args:
        record: makes the Record of a task's row.
    """

    def __init__(
        self, asana: Asana, site: str, projects: Projects, record: Callable[[Row], Awaitable[Record]]
    ) -> None:
        self._asana = asana
        self._site = site
        self._projects = projects
        self._record = record

    async def changes(self, project: str, cursor: Json) -> Page:
        """The next changes; a new cursor starts now, without history."""
        fields = (await self._projects.in_use(project)).task_fields
        if cursor is None:
            return await self._start(project, lost=False)
        try:
            position = _Position.model_validate(cursor)
        except ValidationError:
            return await self._start(project, lost=True)
        listed, went_back = await self._listed(project, fields, position)
        if position.round is not None:
            return Page(changes=tuple(listed), cursor=position.model_dump(mode="json"), more=True)
        told = await self._told(project, position)
        return Page(
            changes=with_events(listed, told.changes),
            cursor=position.model_dump(mode="json"),
            more=told.more,
            lost=told.lost or went_back,
            edits=told.edits,
        )

    async def listing(self, project: str, cursor: Json) -> Page:
        """One page of all tasks. An expired offset is a RetryLater: the listing has to start again."""
        fields = (await self._projects.in_use(project)).task_fields
        page = await self._asana.tasks(project, fields, offset=cursor)
        changes = [await self._change(row, comments=False) for row in page.rows]
        return Page(changes=tuple(changes), cursor=page.next, more=page.next is not None)

    async def recent(self, project: str, text: str, limit: int) -> Sequence[Record]:
        """Tasks whose name contains the text: of the last month, and if those are few, of the first pages.

        Of an address the task that it names, however old it is.
        """
        fields, wanted = (await self._projects.of(project)).task_fields, text.casefold().strip()
        if (named := task_in(text)) is not None:
            row = await self._asana.task(named, fields)
            record = None if isinstance(row, Answer) else await self._record(row)
            return [record] if record is not None and project in record.places else []
        found: dict[Ref, Record] = {}
        for since in (datetime.now(UTC) - _RECENT, None):
            offset = None
            for _ in range(_RECENT_PAGES):
                page = await self._asana.tasks(project, fields, modified_since=since, offset=offset)
                for row in page.rows:
                    if wanted in str(row.get("name") or "").casefold():
                        record = await self._record(row)
                        found[record.ref] = record
                offset = page.next
                if offset is None:
                    break
            if len(found) >= limit:
                break
        return sorted(found.values(), key=lambda record: record.version, reverse=True)[:limit]

    async def versions(self, project: str, since: datetime) -> Mapping[str, str] | None:
        """As the contract says; of at most ``_VERSION_PAGES`` pages."""
        found: dict[str, str] = {}
        offset = None
        for _ in range(_VERSION_PAGES):
            page = await self._asana.modified(project, since, offset)
            for row in page.rows:
                modified_at = moment(row.get("modified_at"))
                if modified_at is None:
                    return None
                found[row["gid"]] = timestamp(modified_at)
            offset = page.next
            if offset is None:
                return found
        return None

    async def _start(self, project: str, *, lost: bool) -> Page:
        _, at = await self._asana.project(project)
        if at is None:
            raise RetryLater("Asana's answer does not tell its time")
        position = _Position(since=at)
        await self._told(project, position)
        return Page(changes=(), cursor=position.model_dump(mode="json"), lost=lost)

    async def _listed(
        self, project: str, fields: Sequence[str], position: _Position
    ) -> tuple[list[Change], bool]:
        """New or changed tasks of some pages; moves ``position``. Also: whether Asana's clock went back."""
        found: list[Change] = []
        restarted = False
        for _ in range(_PAGES):
            under_way = position.round
            since = under_way.since if under_way else position.since - OVERLAP
            offset = under_way.offset if under_way else None
            try:
                page = await self._asana.tasks(project, fields, modified_since=since, offset=offset)
            except StaleOffset:
                if under_way is None or restarted:
                    raise
                under_way.offset, restarted = None, True
                continue
            if under_way is None:
                under_way = _Round(since=since, until=page.at or position.since, offset=None, seen={})
                position.round = under_way
            for row in page.rows:
                digest = _digest(row)
                if digest not in (position.seen.get(row["gid"]), under_way.seen.get(row["gid"])):
                    found.append(await self._change(row, comments=True))
                if len(under_way.seen) < _REMEMBERED:
                    under_way.seen[row["gid"]] = digest
            under_way.offset = page.next
            if page.next is None:
                # also after one answer with a time that was ahead: what it led past is found by a full pass
                went_back = under_way.until < position.since - OVERLAP
                position.since, position.seen, position.round = under_way.until, under_way.seen, None
                return found, went_back
        return found, False

    async def _told(self, project: str, position: _Position) -> _Told:
        """What events tell; moves ``position``."""
        if position.no_events_until is not None and position.since < position.no_events_until:
            return _Told()
        rows: list[Row] = []
        more = lost = False
        for _ in range(_EVENT_PAGES):
            try:
                events = await self._asana.events(project, position.sync)
            except RetryLater as error:
                if error.limited and not rows:
                    raise
                break  # the listing stands, and a token that was used must not be used again
            if events is None:
                lost = position.sync is not None
                position.sync, position.no_events_until = None, position.since + _EVENTS_AGAIN
                break
            if events.expired and position.sync is not None:
                lost, position.told_since = True, position.since
            position.sync, position.no_events_until, more = events.token, None, events.more
            rows.extend(events.rows)
            if not more:
                break
        if any(kind_of(row) not in ("task", "story") for row in rows):
            self._projects.forget()  # the project itself, a section or a custom field was changed
        before, position.edits = position.edits, latest_edits([*position.edits, *rows], _TOLD_AGAIN)
        changes, _ = changes_of(rows, self._site)
        new = edits_of(rows, self._site)
        edits = {ref: edits for ref, edits in edits_of([*before, *rows], self._site).items() if ref in new}
        return _Told(
            changes=[await self._of_task(change) for change in changes],
            more=more,
            lost=lost,
            edits=edits if position.tells_all else None,
        )

    async def _change(self, row: Row, *, comments: bool) -> Change:
        record = await self._record(row)
        return Change(ref=record.ref, at=record.modified_at, record=record, comments=comments)

    async def _of_task(self, change: Change) -> Change:
        """Some events of comments do not name the task."""
        if change.ref.kind != COMMENT:
            return change
        try:
            story = await self._asana.story(change.ref.id)
        except RetryLater:
            return change  # the events are read and will not come again
        target = (story or {}).get("target") or {}
        if not target.get("gid"):
            return change
        return Change(
            ref=task_ref(self._site, target["gid"]), at=change.at, actor=change.actor, comments=True
        )


def _digest(row: Row) -> str:
    """Moves and tags leave ``modified_at`` alone: the whole row is compared."""
    return hashlib.blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=8).hexdigest()
