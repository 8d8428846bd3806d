"""One GitHub connection, open: ties reading, writing, comments and webhooks to the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import BinaryIO

from connectors.base import Session
from connectors.changes import Page, Subscribed
from connectors.discussions import Attachment, Comment, CommentDraft, Content, Discussion
from connectors.errors import Park, ParkClass, PauseMapping
from connectors.github import files, hooks, translate
from connectors.github.body import composed, parted
from connectors.github.catalogue import Catalogue
from connectors.github.client import Client
from connectors.github.commenting import Commenting
from connectors.github.details import Details
from connectors.github.downloads import Downloads
from connectors.github.fields import specs
from connectors.github.history import field_times
from connectors.github.permissions import lacking_in
from connectors.github.reading import Reading
from connectors.github.refusals import lacking, lacking_of_app, of_container
from connectors.github.text import harmless
from connectors.github.whereabouts import Whereabouts, at, of_issue, together
from connectors.github.writing import Writing
from connectors.records import (
    Account,
    Container,
    Draft,
    Fields,
    FieldSpec,
    FieldTime,
    Found,
    Json,
    Key,
    Record,
    Ref,
    User,
    Value,
)


class GitHubSession(Session):
    """Made by :meth:`connectors.github.connector.GitHub.open`."""

    def __init__(
        self, client: Client, site: str, web: str, *, with_webhooks: bool, with_details: bool = False
    ) -> None:
        self._github = client
        self._web = web
        self._downloads = Downloads(client, web)
        self._site = site
        self._with_webhooks = with_webhooks
        self._catalogue = Catalogue(client)
        self._known = Whereabouts(client, site, self._catalogue)
        self._details = Details(client) if with_details else None
        self._reading = Reading(client, self._known, self._details)
        self._writing = Writing(client, self._known, self._catalogue)
        self._commenting = Commenting(client, self._known)

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
            missing=(
                *(() if scopes is None else lacking(scopes)),
                *(lacking_of_app(user["permissions"]) if "permissions" in user else ()),
                *self._catalogue.lacking(),
            ),
        )

    async def containers(self) -> Sequence[Container]:
        found = await self._github.repositories()
        return [translate.container(repository, str(repository["full_name"])) for repository in found]

    async def container(self, container: str) -> Container:
        with of_container(container):
            repository = await self._github.repository(container)
        if repository.get("has_issues") is False:
            raise PauseMapping(f"repository {container}: issues are switched off there")
        self._known.called(str(repository["full_name"]), container)
        return translate.container(repository, container)

    async def lacks(self, container: str) -> Sequence[str]:
        with of_container(container):
            return await lacking_in(self._github, container, with_webhooks=self._with_webhooks)

    async def fields(self, container: str) -> Sequence[FieldSpec]:
        return specs(await self._catalogue.anew(container), details=self._details is not None)

    async def people(self, container: str) -> Sequence[User]:
        with of_container(container):
            return [translate.user(user) for user in await self._github.assignees(container)]

    # --- reading -----------------------------------------------------------------------------------

    async def changes(self, container: str, cursor: Json) -> Page:
        return await self._reading.changes(container, cursor)

    async def listing(self, container: str, cursor: Json) -> Page:
        return await self._reading.listing(container, cursor)

    async def versions(self, container: str, since: datetime) -> Mapping[str, str] | None:
        return await self._reading.versions(container, since)

    async def fetch_many(self, refs: Sequence[Ref]) -> Mapping[Ref, Found]:
        await self._known.me()
        found = await together([self._found(ref) for ref in refs])
        return dict(zip(refs, found, strict=True))

    async def _found(self, ref: Ref) -> Found:
        found = await self._known.found(ref)
        return await self._details.of(found) if self._details and isinstance(found, Record) else found

    async def field_times(self, ref: Ref, since: datetime) -> Sequence[FieldTime]:
        repository, number = at(ref)
        with of_issue():
            events = await self._github.timeline(repository, number)
            choices = await self._catalogue.of(repository)
        return list(field_times(events, since, choices.milestones))

    def same(self, field: str, sent: Value, read: Value) -> bool:
        return translate.same(field, sent, read)

    def through(self, text: str) -> str:
        return parted(composed(harmless(text))).text

    # --- writing -----------------------------------------------------------------------------------

    async def create(self, container: str, draft: Draft, key: Key) -> Record:
        return await self._writing.create(container, draft, key)

    async def find_created(self, container: str, key: Key, since: datetime) -> Sequence[Record]:
        return await self._writing.find_created(container, key, since)

    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        return await self._writing.update(ref, fields, expected)

    async def delete(self, ref: Ref, expected: Record) -> None:
        raise Park(
            "GitHub's REST API cannot delete issues or pull requests",
            park_class=ParkClass.NOT_SUPPORTED,
            fix="Delete it on GitHub, or choose close instead of delete in the mapping.",
        )

    # --- comments ----------------------------------------------------------------------------------

    async def comments(self, ref: Ref) -> Sequence[Comment]:
        return await self._commenting.comments(ref)

    async def add_comment(self, ref: Ref, draft: CommentDraft) -> Comment:
        return await self._commenting.add(ref, draft)

    async def edit_comment(self, comment: Ref, draft: CommentDraft) -> Comment:
        return await self._commenting.edit(comment, draft)

    async def delete_comment(self, comment: Ref) -> None:
        await self._commenting.delete(comment)

    # --- files -------------------------------------------------------------------------------------

    async def attachments(self, record: Record, discussion: Discussion) -> Sequence[Attachment]:
        return list(files.attachments(record, discussion, self._web))

    async def read_attachment(self, attachment: Attachment, into: BinaryIO, limit: int) -> Content:
        return await self._downloads.read(attachment, into, limit)

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

    async def redeliver(self, container: str, id: str, since: datetime) -> int:
        return await hooks.redeliver(self._github, container, id, since)
