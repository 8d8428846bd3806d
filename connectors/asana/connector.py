"""Asana under the connector contract: tasks of projects, comments, tags, people, webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import BinaryIO, ClassVar

from pydantic import BaseModel

from connectors.access import Access, bearer
from connectors.asana import files, history, stories, translate, webhook
from connectors.asana.client import Asana
from connectors.asana.config import AsanaCredentials, AsanaSettings
from connectors.asana.custom_fields import PREFIX
from connectors.asana.permissions import lacking_in, lacking_of
from connectors.asana.polling import Polling
from connectors.asana.projects import Projects
from connectors.asana.subscriptions import Subscriptions
from connectors.asana.tasks import Tasks
from connectors.asana.translate import NAME, Row
from connectors.base import Capabilities, Connector, Session
from connectors.changes import Delivery, Handshake, Page, Received, Secrets, Subscribed
from connectors.consent import App
from connectors.discussions import Attachment, AttachmentDraft, Comment, CommentDraft, Content, Discussion
from connectors.errors import ConnectorError, OutcomeUnknown, PauseConnection
from connectors.http import Outbound
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
from connectors.renewal import OAuth
from connectors.richtext import asana_html
from connectors.tokens import OwnTokens, Tokens

_FEATURES = {
    "users": "users cannot be listed (users:read): people are matched by the `people` list alone",
    "tags": "tags cannot be listed (tags:read): labels are not synced",
    "webhooks": "webhooks cannot be listed (webhooks:read): changes are found by polling",
}
"""What the account cannot list -> which permission is missing and what that costs."""


class AsanaSession(Session):
    """One account in one workspace."""

    def __init__(
        self,
        asana: Asana,
        workspace: str,
        *,
        webhooks: bool = True,
        tokens: Tokens | None = None,
    ) -> None:
        """``tokens``: those of OAuth, with which Asana keeps hidden keys for us."""
        self._asana = asana
        self._tokens = tokens
        self._workspace = workspace
        self._needed = [path for path in _FEATURES if webhooks or path != "webhooks"]
        self._projects = Projects(asana)
        self._tasks = Tasks(asana, workspace, self._projects, hides_keys=tokens is not None)
        self._polling = Polling(asana, workspace, self._projects, self._tasks.record)
        self._subscriptions = Subscriptions(asana)

    async def check(self) -> Account:
        me = await self._asana.me()
        workspaces = [workspace.get("gid") for workspace in me.get("workspaces") or ()]
        if workspaces and self._workspace not in workspaces:
            raise PauseConnection(f"the account is not a member of the workspace {self._workspace}")
        return Account(
            id=me["gid"],
            name=me.get("name") or me["gid"],
            site=self._workspace,
            clock_offset_s=self._asana.clock_offset_s,
            missing=(
                *[_FEATURES[path] for path in self._needed if not await self._asana.serves(path)],
                *lacking_of(await self._granted()),
            ),
        )

    async def _granted(self) -> str:
        issued = await self._tokens.read() if self._tokens is not None else None
        return issued.scope if issued is not None else ""

    async def containers(self) -> Sequence[Container]:
        return [_container(row) for row in await self._asana.projects()]

    async def container(self, container: str) -> Container:
        self._projects.forget()  # whoever asks for the container wants to know it as it is
        project = await self._projects.in_use(container)
        return _container(project.row, project.sections)

    async def lacks(self, container: str) -> Sequence[str]:
        account = await self._tasks.account()
        return [sentence async for sentence in lacking_in(self._asana, container, account)]

    async def fields(self, container: str) -> Sequence[FieldSpec]:
        self._projects.forget()  # who asks has kept what was told before
        return (await self._projects.of(container)).specs

    async def people(self, container: str) -> Sequence[User]:
        return [
            User(id=row["gid"], name=row.get("name") or row["gid"], email=row.get("email") or "")
            for row in await self._asana.users()
        ]

    async def changes(self, container: str, cursor: Json) -> Page:
        return await self._polling.changes(container, cursor)

    async def listing(self, container: str, cursor: Json) -> Page:
        return await self._polling.listing(container, cursor)

    async def recent(self, container: str, text: str, limit: int) -> Sequence[Record]:
        return await self._polling.recent(container, text, limit)

    async def versions(self, container: str, since: datetime) -> Mapping[str, str] | None:
        return await self._polling.versions(container, since)

    async def fetch_many(self, refs: Sequence[Ref]) -> Mapping[Ref, Found]:
        await self._tasks.account()
        found = await asyncio.gather(*(self._tasks.found(ref) for ref in refs), return_exceptions=True)
        answers: dict[Ref, Found] = {}
        for ref, answer in zip(refs, found, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            answers[ref] = answer
        return answers

    async def create(self, container: str, draft: Draft, key: Key) -> Record:
        return await self._tasks.create(container, draft, key)

    async def find_created(self, container: str, key: Key, since: datetime) -> Sequence[Record]:
        return await self._tasks.find_created(container, key, since)

    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        return await self._tasks.update(ref, fields, expected)

    async def delete(self, ref: Ref, expected: Record) -> None:
        await self._tasks.delete(ref)

    async def comments(self, ref: Ref) -> Sequence[Comment]:
        return (await self.discussion(ref)).comments

    async def discussion(self, ref: Ref) -> Discussion:
        account = await self._tasks.account()
        rows = await self._asana.stories(ref.id)
        told = [row for row in rows if stories.is_comment(row)]
        comments = [stories.comment(row, ref.id, self._workspace, account) for row in told]
        comments.sort(key=lambda comment: (comment.created_at, len(comment.ref.id), comment.ref.id))
        return Discussion(comments=tuple(comments), uploads=files.uploads(rows))

    async def attachments(self, record: Record, discussion: Discussion) -> Sequence[Attachment]:
        if not discussion.uploads:
            return ()
        task, text = record.ref.id, str(record.fields.get("notes") or "")
        rows = [row for row in await self._asana.attachments(task) if not files.is_inline(row, text)]
        found = [files.attachment(row, task, self._workspace, discussion.uploads) for row in rows]
        return sorted(found, key=lambda attachment: (attachment.created_at, attachment.ref.id))

    async def read_attachment(self, attachment: Attachment, into: BinaryIO, limit: int) -> Content:
        return await self._asana.download(attachment.ref.id, into, limit)

    async def add_attachment(self, ref: Ref, draft: AttachmentDraft, content: BinaryIO | None) -> Attachment:
        row = await self._asana.attach(ref.id, draft, content)
        return files.attachment(row, ref.id, self._workspace, ())

    async def add_comment(self, ref: Ref, draft: CommentDraft) -> Comment:
        account = await self._tasks.account()
        row = await self._asana.post_story(ref.id, stories.html_text(draft))
        return stories.comment(await self._story(row), ref.id, self._workspace, account)

    async def edit_comment(self, comment: Ref, draft: CommentDraft) -> Comment:
        account = await self._tasks.account()
        row = await self._story(await self._asana.edit_story(comment.id, stories.html_text(draft)))
        task = (row.get("target") or {}).get("gid") or comment.address
        return stories.comment(row, task, self._workspace, account)

    async def delete_comment(self, comment: Ref) -> None:
        await self._asana.delete_story(comment.id)

    async def field_times(self, ref: Ref, since: datetime) -> Sequence[FieldTime]:
        return history.field_times(await self._asana.history(ref.id), since)

    def same(self, field: str, sent: Value, read: Value) -> bool:
        custom = self._projects.custom_field(field.removeprefix(PREFIX)) if field.startswith(PREFIX) else None
        return custom.same(sent, read) if custom is not None else translate.same(field, sent, read)

    def through(self, text: str) -> str:
        return asana_html.to_markdown(asana_html.from_markdown(text))

    async def subscribe(self, container: str, target: str, secret: str) -> Subscribed:
        return await self._subscriptions.subscribe(container, target, secret)

    async def subscription(self, container: str, id: str) -> Subscribed | None:
        return await self._subscriptions.subscription(id)

    async def unsubscribe(self, container: str, id: str) -> None:
        await self._subscriptions.unsubscribe(id)

    async def aclose(self) -> None:
        await self._asana.aclose()

    async def _story(self, written: Row) -> Row:
        """The comment out of a write's answer; read again where Asana answered in short."""
        if written.keys() >= {"html_text", "created_at", "created_by"}:
            return written
        try:
            row = await self._asana.story(written["gid"])
        except ConnectorError as error:
            raise OutcomeUnknown(f"written, but not read back: {error.reason}") from error
        if row is None:
            raise OutcomeUnknown("written, but not visible")
        return row


def _container(row: Row, sections: Mapping[str, str] | None = None) -> Container:
    return Container(
        id=row["gid"],
        name=row.get("name") or row["gid"],
        url=row.get("permalink_url") or f"https://app.asana.com/0/{row['gid']}/list",
        sections=sections or {},
    )


class AsanaConnector(Connector):
    """The hub."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = "Asana"
    settings: ClassVar[type[BaseModel]] = AsanaSettings
    credentials: ClassVar[type[BaseModel]] = AsanaCredentials
    capabilities: ClassVar[Capabilities] = Capabilities(
        clock_resolution_s=0.001,
        kinds=(translate.TASK,),
        creatable=(translate.TASK,),
        webhooks="handshake",
        attachments="files",
        largest_attachment=files.LARGEST,
        sections=True,
        hidden_key=False,
        container_word="project",
        container_example="1200000000000002",
    )

    def site(self, settings: BaseModel) -> str:
        return AsanaSettings.model_validate(settings).workspace

    def base_url(self, settings: BaseModel) -> str:
        return AsanaSettings.model_validate(settings).base_url

    def open(
        self,
        settings: BaseModel,
        credentials: BaseModel,
        outbound: Outbound,
        tokens: Tokens | None = None,
    ) -> Session:
        chosen = AsanaSettings.model_validate(settings)
        given = AsanaCredentials.model_validate(credentials)
        access: Access
        shared: Tokens | None = None
        if (app := self.app(settings, credentials)) is not None:
            refresh, shared = "", tokens or OwnTokens()
            if given.refresh_token:
                refresh = given.refresh_token.get_secret_value()
            access = OAuth(outbound, app, refresh, shared)
        else:
            assert given.token is not None, "the credentials have one or the other"
            access = bearer(outbound, given.token.get_secret_value())
        client = Asana(access, chosen.workspace)
        return AsanaSession(
            client,
            chosen.workspace,
            webhooks=chosen.subscriptions == "auto",
            tokens=shared,
        )

    def app(self, settings: BaseModel, credentials: BaseModel) -> App | None:
        given = AsanaCredentials.model_validate(credentials)
        if given.client_id is None or given.client_secret is None:
            return None
        chosen = AsanaSettings.model_validate(settings)
        return App(
            provider=self.title,
            authorize_url=chosen.authorize_url,
            token_url=chosen.token_url,
            client_id=given.client_id,
            client_secret=given.client_secret.get_secret_value(),
            shows_code_at="urn:ietf:wg:oauth:2.0:oob",
        )

    def limits(self, settings: BaseModel) -> Mapping[str, float]:
        # In flight, by https://developers.asana.com/docs/rate-limits. The requests a minute depend on
        # the plan and Asana does not tell them: its 429 governs.
        return {"reads": 50, "writes": 15}

    def receive(
        self, delivery: Delivery, secrets: Secrets, settings: BaseModel, now: datetime
    ) -> Received | Handshake:
        return webhook.receive(delivery, secrets, self.site(settings))


connector = AsanaConnector()
