"""One GitHub connection, open: ties the client, the translation and the polling to the contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.base import Session
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    ParkClass,
    PauseMapping,
    ReplanNeeded,
)
from connectors.github import hooks, translate
from connectors.github.client import Client, Listed
from connectors.github.edits import CLOSING, Edit, creation, edit
from connectors.github.polling import OVERLAP_S, Position, Seen, advance, beginning, look, since_text
from connectors.github.refusals import UNREACHABLE, WRITE_ACCESS, lacking, of_container
from connectors.github.text import harmless, has_live, parted, said, with_header, with_keys
from connectors.github.translate import FIELDS, Payload, is_container, located
from connectors.github.whereabouts import Whereabouts, together
from connectors.records import (
    CLOSED,
    Account,
    Change,
    Comment,
    CommentDraft,
    Container,
    Draft,
    Fields,
    FieldSpec,
    FieldTime,
    Found,
    Json,
    Key,
    Page,
    Record,
    Ref,
    Subscribed,
    User,
    Value,
)

_VERSION_PAGES = 20


class GitHubSession(Session):
    """Made by :meth:`connectors.github.connector.GitHub.open`."""

    def __init__(self, client: Client, site: str, *, with_webhooks: bool) -> None:
        self._github = client
        self._site = site
        self._with_webhooks = with_webhooks
        self._known = Whereabouts(client, site)

    async def aclose(self) -> None:
        await self._github.aclose()

    # --- who and where -----------------------------------------------------------------------------

    async def check(self) -> Account:
        user, scopes = await self._github.account()
        return Account(
            id=str(user["id"]),
            name=str(user["login"]),
            site=self._site,
            clock_offset_s=self._github.clock_offset_s,
            missing=() if scopes is None else tuple(lacking(scopes)),
        )

    async def containers(self) -> Sequence[Container]:
        found = await self._github.repositories()
        return [translate.container(repository, str(repository["full_name"])) for repository in found]

    async def container(self, container: str) -> Container:
        with self._of_container(container):
            repository = await self._github.repository(container)
        if repository.get("has_issues") is False:
            raise PauseMapping(f"repository {container}: issues are switched off there")
        self._known.called(str(repository["full_name"]), container)
        return translate.container(repository, container)

    async def fields(self, container: str) -> Sequence[FieldSpec]:
        return FIELDS

    async def people(self, container: str) -> Sequence[User]:
        with self._of_container(container):
            return [translate.user(user) for user in await self._github.assignees(container)]

    # --- reading -----------------------------------------------------------------------------------

    async def changes(self, container: str, cursor: Json) -> Page:
        with self._of_container(container):
            if cursor is None:
                issues, comments = await together(
                    [self._github.newest_issues(container), self._github.newest_comments(container)]
                )
                start = {"issues": beginning(issues.items), "comments": beginning(comments.items)}
                return Page(changes=(), cursor=_dumped(start))
            at = {name: Position.load(stored) for name, stored in cursor.items()}
            midway = any(position.midway for position in at.values())
            changes: list[Change] = []
            if at["issues"].midway or not midway:
                before = at["issues"].seen
                new, at["issues"] = advance(at["issues"], await self._issues(container, at["issues"]))
                changes += [await self._changed(container, issue, before) for issue in new]
            if at["comments"].midway or not midway:
                listed = await self._comments(container, at["comments"])
                new, at["comments"] = advance(at["comments"], listed)
                changes += await self._commented(container, new)
        more = any(position.midway for position in at.values())
        return Page(changes=tuple(changes), cursor=_dumped(at), more=more)

    async def listing(self, container: str, cursor: Json) -> Page:
        position = Position() if cursor is None else Position.load(cursor)
        with self._of_container(container):
            new, position = advance(position, await self._issues(container, position))
        changes = tuple([await self._changed(container, issue, {}) for issue in new])
        more = position.midway
        return Page(changes=changes, cursor=position.dump() if more else None, more=more)

    async def versions(self, container: str, since: datetime) -> Mapping[str, str] | None:
        found: dict[str, str] = {}
        position = Position(since=int(since.timestamp()) - 1)
        for _ in range(_VERSION_PAGES):
            with self._of_container(container):
                new, position = advance(position, await self._issues(container, position))
            found |= {str(issue["node_id"]): str(issue["updated_at"]) for issue in new}
            if not position.midway:
                return found
        return None

    async def fetch_many(self, refs: Sequence[Ref]) -> Mapping[Ref, Found]:
        await self._known.me()
        found = await together([self._known.found(ref) for ref in refs])
        return dict(zip(refs, found, strict=True))

    async def field_times(self, ref: Ref, since: datetime) -> Sequence[FieldTime]:
        repository, number = _at(ref)
        with _of_issue():
            events = await self._github.timeline(repository, number)
        return list(translate.field_times(events, since))

    def same(self, field: str, sent: Value, read: Value) -> bool:
        return translate.same(field, sent, read)

    def through(self, text: str) -> str:
        return parted(with_keys(harmless(text), ()))[0]

    # --- writing -----------------------------------------------------------------------------------

    async def create(self, container: str, draft: Draft, key: Key) -> Record:
        await self._known.me()  # asked before the write: after it, a failure would hide the success
        with self._of_container(container, {404, 410}):
            body = creation(draft, key, await self._milestone(container, draft.fields))
            issue = await self._github.create_issue(container, body)
        if draft.fields.get("state") == CLOSED:
            # made is made: what stayed open is closed by the next plan, like any other edit
            with suppress(ConnectorError):
                issue = await self._github.edit_issue(container, int(issue["number"]), CLOSING)
        return await self._known.record(issue, container)

    async def find_created(self, container: str, key: Key, since: datetime) -> Sequence[Record]:
        me = await self._known.me()
        start = since - timedelta(seconds=OVERLAP_S)
        text, page, found = since_text(int(start.timestamp())), None, dict[Ref, Record]()
        with self._of_container(container):
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
        repository, number = _at(ref)
        await self._known.me()
        answered = dict[str, Value]()
        partly_done = False
        try:
            standing = await self._standing(repository, number, fields, expected)
            wanted = edit(fields, expected, standing, await self._milestone(repository, fields))
            async for field, value in self._edit_sets(repository, number, wanted):
                partly_done = True
                if value is not None:
                    answered[field] = value
            if wanted.patch:
                issue = await self._github.edit_issue(repository, number, wanted.patch)
                answered.clear()
            else:
                issue = await self._github.issue(repository, number)
        except ConnectorError as error:
            raise await self._explained(ref, error, partly_done=partly_done) from error
        record = await self._known.record(issue, repository)
        return replace(record, fields={**record.fields, **answered})

    async def _standing(self, repository: str, number: int, fields: Fields, expected: Record) -> str:
        """The body's source, asked for only where it tells which mentions are live already."""
        wanted, present = (str(each.get("notes") or "") for each in (fields, expected.fields))
        if not (has_live(wanted) and has_live(said(present))):
            return ""
        return str((await self._github.issue(repository, number)).get("body") or "")

    async def _milestone(self, repository: str, fields: Fields) -> int | None:
        """The number of the milestone that the fields name; it is not made where it does not exist."""
        title = str(fields.get("milestone") or "").strip()
        if not title:
            return None
        for milestone in await self._github.milestones(repository):
            if str(milestone["title"]).casefold() == title.casefold():
                return int(milestone["number"])
        raise Park(
            f"{repository} has no milestone {title!r}",
            park_class=ParkClass.REJECTED,
            field="milestone",
            fix="Make the milestone on GitHub, then retry.",
        )

    async def _edit_sets(
        self, repository: str, number: int, wanted: Edit
    ) -> AsyncIterator[tuple[str, tuple[str, ...] | None]]:
        """Add and remove elements; after each call the field and what GitHub says stands there now."""
        with _about("labels"):
            if wanted.labels_added:
                yield "labels", await self._github.add_labels(repository, number, wanted.labels_added)
            for label in wanted.labels_removed:
                yield "labels", await self._github.remove_label(repository, number, label)
        with _about("assignee"):
            if wanted.assignees_added:
                yield "assignee", await self._github.add_assignees(repository, number, wanted.assignees_added)
            if wanted.assignees_removed:
                yield (
                    "assignee",
                    await self._github.remove_assignees(repository, number, wanted.assignees_removed),
                )

    async def delete(self, ref: Ref, expected: Record) -> None:
        raise Park(
            "GitHub's REST API cannot delete issues or pull requests",
            park_class=ParkClass.NOT_SUPPORTED,
            fix="Delete it on GitHub, or choose close instead of delete in the mapping.",
        )

    # --- comments ----------------------------------------------------------------------------------

    async def comments(self, ref: Ref) -> Sequence[Comment]:
        repository, number = _at(ref)
        me = await self._known.me()
        with _of_issue():
            comments = await self._github.comments_of(repository, number)
        return [translate.comment(comment, parent=ref, me=me) for comment in comments]

    async def add_comment(self, ref: Ref, draft: CommentDraft) -> Comment:
        repository, number = _at(ref)
        me = await self._known.me()
        try:
            comment = await self._github.add_comment(repository, number, _body(draft))
        except ConnectorError as error:
            raise await self._explained(ref, error) from error
        return translate.comment(comment, parent=ref, me=me)

    async def edit_comment(self, comment: Ref, draft: CommentDraft) -> Comment:
        repository, number, id = _comment_at(comment)
        me = await self._known.me()
        parent = await self._known.ref(repository, number)
        try:
            edited = await self._github.edit_comment(repository, id, _body(draft))
        except Park as refused:
            if refused.status == 404 and not await self._comment_exists(repository, id):
                raise ReplanNeeded("the comment is gone", status=404) from refused
            raise
        return translate.comment(edited, parent=parent, me=me)

    async def delete_comment(self, comment: Ref) -> None:
        repository, _, id = _comment_at(comment)
        try:
            await self._github.delete_comment(repository, id)
        except (Park, ReplanNeeded) as refused:
            # 404 may also mean: may be seen, but not deleted
            if refused.status not in (404, 410) or await self._comment_exists(repository, id):
                raise

    # --- webhooks ----------------------------------------------------------------------------------

    async def subscribe(self, container: str, target: str, secret: str) -> Subscribed:
        if not self._with_webhooks:
            raise Park(
                "webhooks are switched off in the settings of this connection",
                park_class=ParkClass.NOT_SUPPORTED,
                fix="Set subscriptions to auto.",
            )
        return await hooks.subscribe(self._github, container, target, secret)

    async def subscription(self, container: str, id: str) -> Subscribed | None:
        return await hooks.subscription(self._github, container, id)

    async def unsubscribe(self, container: str, id: str) -> None:
        await hooks.unsubscribe(self._github, container, id)

    # --- how ---------------------------------------------------------------------------------------

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

    async def _explained(
        self, ref: Ref, error: ConnectorError, *, partly_done: bool = False
    ) -> ConnectorError:
        """What a refused write to an issue means for it."""
        if isinstance(error, Park) and error.status == 404:
            if isinstance(await self._known.found(ref), Record):
                return Park(
                    "the account may read this, but not change it",
                    park_class=ParkClass.PERMISSION,
                    field=error.field,
                    fix=WRITE_ACCESS,
                    provider_message=error.provider_message,
                    status=404,
                )
            error = ReplanNeeded("it is not there any more", status=404)
        if partly_done and not isinstance(error, Park):
            return OutcomeUnknown(f"only a part of the update is known to be done: {error.reason}")
        return error

    async def _comment_exists(self, repository: str, id: int) -> bool:
        try:
            await self._github.comment(repository, id)
        except Park as refused:
            if refused.status in (404, 410):
                return False
            raise
        return True

    @contextmanager
    def _of_container(self, container: str, statuses: Collection[int] = UNREACHABLE) -> Iterator[None]:
        if not is_container(container):
            raise PauseMapping(f"{container!r} is no repository: write owner/name")
        with of_container(container, statuses):
            yield


def _at(ref: Ref) -> tuple[str, int]:
    """Repository and number of an issue."""
    where = located(ref.address)
    if where is None:
        raise ReplanNeeded(f"nothing tells where {ref} lies")
    return where[0], where[1]


def _comment_at(ref: Ref) -> tuple[str, int, int]:
    """Repository, number of the issue, id of the comment."""
    where = located(ref.address)
    if where is None or where[2] is None:
        raise ReplanNeeded(f"nothing tells where {ref} lies")
    return where[0], where[1], where[2]


def _body(draft: CommentDraft) -> str:
    return with_header(harmless(draft.text), draft.author_name, draft.source_url)


def _dumped(positions: Mapping[str, Position]) -> Json:
    return {name: position.dump() for name, position in positions.items()}


def _etag(position: Position) -> str | None:
    return None if position.midway else position.etag


@contextmanager
def _about(field: str) -> Iterator[None]:
    """Refusals inside are about this field."""
    try:
        yield
    except Park as refused:
        refused.field = field
        raise


@contextmanager
def _of_issue() -> Iterator[None]:
    """Reading what belongs to an issue that is gone: look at the issue again."""
    try:
        yield
    except Park as refused:
        if refused.status not in (404, 410):
            raise
        raise ReplanNeeded("the issue is not there any more", status=refused.status) from refused
