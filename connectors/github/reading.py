"""What lists of a repository tell: changes since a poll, everything there is, versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.changes import Change, Page
from connectors.github import translate
from connectors.github.calls import Listed
from connectors.github.client import Client
from connectors.github.details import Details
from connectors.github.field_history import Heard, heard_of
from connectors.github.fields import Payload
from connectors.github.polling import Position, Seen, advance, beginning, look, since_text
from connectors.github.refusals import of_container
from connectors.github.whereabouts import Whereabouts, together
from connectors.records import Json

_VERSION_PAGES = 20


class Reading:
    """Reads lists of one connection."""

    def __init__(self, client: Client, known: Whereabouts, details: Details | None) -> None:
        self._github = client
        self._known = known
        self._details = details

    async def changes(self, container: str, cursor: Json) -> Page:
        with of_container(container):
            if cursor is None:
                issues, comments = await together(
                    [self._github.newest_issues(container), self._github.newest_comments(container)]
                )
                start = {"issues": beginning(issues.items), "comments": beginning(comments.items)}
                return Page(changes=(), cursor=_dumped(start, Heard()), edits={})
            at = {name: Position.load(cursor[name]) for name in ("issues", "comments")}
            heard, edits = Heard.load(cursor.get("events")), None
            midway = any(position.midway for position in at.values())
            changes: list[Change] = []
            if at["issues"].midway or not midway:
                before = at["issues"].seen
                new, at["issues"] = advance(at["issues"], await self._issues(container, at["issues"]))
                changes += await self._detailed(
                    container, [await self._changed(container, issue, before) for issue in new]
                )
            if at["comments"].midway or not midway:
                listed = await self._comments(container, at["comments"])
                new, at["comments"] = advance(at["comments"], listed)
                changes += await self._commented(container, new)
            more = any(position.midway for position in at.values())
            if not more:
                edits, heard = await heard_of(self._github, self._known, container, heard)
        return Page(changes=tuple(changes), cursor=_dumped(at, heard), more=more, edits=edits)

    async def listing(self, container: str, cursor: Json) -> Page:
        position = Position() if cursor is None else Position.load(cursor)
        with of_container(container):
            new, position = advance(position, await self._issues(container, position))
        changes = tuple([await self._changed(container, issue, {}) for issue in new])
        more = position.midway
        return Page(changes=changes, cursor=position.dump() if more else None, more=more)

    async def versions(self, container: str, since: datetime) -> Mapping[str, str] | None:
        found: dict[str, str] = {}
        position = Position(since=int(since.timestamp()) - 1)
        for _ in range(_VERSION_PAGES):
            with of_container(container):
                new, position = advance(position, await self._issues(container, position))
            found |= {str(issue["node_id"]): str(issue["updated_at"]) for issue in new}
            if not position.midway:
                return found
        return None

    async def _issues(self, container: str, position: Position) -> Listed:
        return await self._github.issues(
            container, since_text(position.start), page=position.page, etag=_etag(position)
        )

    async def _comments(self, container: str, position: Position) -> Listed:
        return await self._github.comments(
            container, since_text(position.start), page=position.page, etag=_etag(position)
        )

    async def _changed(self, container: str, issue: Payload, before: Mapping[str, Seen]) -> Change:
        """The hint for a listed issue. Fewer comments than before: a deletion, which no list shows."""
        record = await self._known.listed(issue, container)
        known = before.get(record.ref.id)
        comments = known is not None and known.comments > look(issue).comments
        return Change(ref=record.ref, at=record.modified_at, record=record, comments=comments)

    async def _detailed(self, container: str, changes: Sequence[Change]) -> Sequence[Change]:
        """With reviews and checks of pull requests; also of those whose checks were pending at last."""
        if self._details is None:
            return changes
        told = {change.ref for change in changes}
        awaited = [
            Change(ref=record.ref, at=record.modified_at, record=record)
            for record in self._details.awaited(container)
            if record.ref not in told
        ]
        records = await together([self._details.of(c.record) for c in (*changes, *awaited) if c.record])
        return [
            replace(change, record=record)
            for change, record in zip((*changes, *awaited), records, strict=True)
        ]

    async def _commented(self, container: str, comments: Sequence[Payload]) -> list[Change]:
        """One hint for each issue with new or changed comments."""
        by_issue = defaultdict[int, list[Payload]](list)
        for comment in comments:
            number = translate.number_of(comment)
            if number is not None:
                by_issue[number].append(comment)
        refs = await together([self._known.visible_ref(container, number) for number in by_issue])
        return [
            translate.commented(ref, told)
            for ref, told in zip(refs, by_issue.values(), strict=True)
            if ref is not None
        ]


def _dumped(positions: Mapping[str, Position], heard: Heard) -> Json:
    return {name: position.dump() for name, position in positions.items()} | {"events": heard.dump()}


def _etag(position: Position) -> str | None:
    return None if position.midway else position.etag
