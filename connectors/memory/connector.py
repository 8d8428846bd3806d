"""Ties client, translation and webhook to the contract; decides nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO, ClassVar

from pydantic import BaseModel

from connectors.base import Capabilities, Connector, Session
from connectors.changes import Change, Delivery, Page, Received, Secrets, Subscribed
from connectors.discussions import Attachment, AttachmentDraft, Comment, CommentDraft, Content, Discussion
from connectors.errors import OnlyLinked
from connectors.http import Outbound
from connectors.interactions import Answer, Card, Clerk, Interaction
from connectors.memory import interactions, translate, webhook
from connectors.memory.client import PAGE, Client
from connectors.memory.config import LARGEST, NAME, TITLE, Credentials, Settings
from connectors.records import (
    Account,
    Container,
    Draft,
    Fields,
    FieldSpec,
    FieldTime,
    Found,
    Gone,
    Hidden,
    Json,
    Key,
    Record,
    Ref,
    User,
    Value,
)
from connectors.tokens import Tokens


class MemorySession(Session):
    """One store, open."""

    def __init__(self, client: Client, site: str) -> None:
        self._client = client
        self._site = site
        self._us: str | None = None

    async def check(self) -> Account:
        me = await self._client.me()
        offset = self._client.outbound.clock_offset_s or 0.0
        return Account(id=me["id"], name=me["name"], site=me["store"], clock_offset_s=offset)

    async def containers(self) -> Sequence[Container]:
        return [_container(space) for space in await self._client.spaces()]

    async def container(self, container: str) -> Container:
        return _container(await self._client.space(container))

    async def fields(self, container: str) -> Sequence[FieldSpec]:
        return translate.FIELDS

    async def people(self, container: str) -> Sequence[User]:
        return [translate.user(person) for person in await self._client.people(container)]

    async def changes(self, container: str, cursor: Json) -> Page:
        page = await self._client.changes(container, cursor)
        changes = (translate.change(event, self._site) for event in page["changes"])
        return Page(changes=tuple(filter(None, changes)), cursor=page["next"], more=page["more"])

    async def listing(self, container: str, cursor: Json) -> Page:
        us = await self._our_id()
        page = await self._client.items(container, cursor)
        records = [translate.record(item, self._site, us) for item in page["items"]]
        changes = tuple(Change(ref=each.ref, at=each.modified_at, record=each) for each in records)
        return Page(changes=changes, cursor=page["next"], more=page["next"] is not None)

    async def fetch_many(self, refs: Sequence[Ref]) -> Mapping[Ref, Found]:
        us = await self._our_id()
        found: dict[Ref, Found] = {ref: Hidden("the store does not show it") for ref in refs}
        for start in range(0, len(refs), PAGE):
            answer = await self._client.items_by_id([ref.id for ref in refs[start : start + PAGE]])
            for id in answer["deleted"]:
                found[translate.item_ref(self._site, id)] = Gone("the store lists it as deleted")
            for item in answer["items"]:
                record = translate.record(item, self._site, us)
                found[record.ref] = record
        return found

    async def create(self, container: str, draft: Draft, key: Key) -> Record:
        us = await self._our_id()
        item = await self._client.create(container, translate.new_item(draft.fields, key))
        return translate.record(item, self._site, us)

    async def find_created(self, container: str, key: Key, since: datetime) -> Sequence[Record]:
        us = await self._our_id()
        page = await self._client.items(container, None, key.token)
        records = [translate.record(item, self._site, us) for item in page["items"]]
        return [record for record in records if record.created_by_us and record.created_at >= since]

    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        us = await self._our_id()
        patch = translate.patch(fields, expected.fields)
        item = await self._client.change(ref.id, patch, expected.version)
        return translate.record(item, self._site, us)

    async def delete(self, ref: Ref, expected: Record) -> None:
        await self._client.delete(ref.id, expected.version)

    async def comments(self, ref: Ref) -> Sequence[Comment]:
        us = await self._our_id()
        payloads = await self._client.comments(ref.id)
        return [translate.comment(payload, self._site, us) for payload in payloads]

    async def add_comment(self, ref: Ref, draft: CommentDraft) -> Comment:
        us = await self._our_id()
        payload = await self._client.add_comment(ref.id, translate.comment_text(draft))
        return translate.comment(payload, self._site, us)

    async def edit_comment(self, comment: Ref, draft: CommentDraft) -> Comment:
        us = await self._our_id()
        payload = await self._client.edit_comment(comment.id, translate.comment_text(draft))
        return translate.comment(payload, self._site, us)

    async def delete_comment(self, comment: Ref) -> None:
        await self._client.delete_comment(comment.id)

    async def attachments(self, record: Record, discussion: Discussion) -> Sequence[Attachment]:
        payloads = await self._client.attachments(record.ref.id)
        return [translate.attachment(payload, self._site) for payload in payloads]

    async def read_attachment(self, attachment: Attachment, into: BinaryIO, limit: int) -> Content:
        if attachment.is_link:
            raise OnlyLinked("the store has no bytes of it")
        return await self._client.download(attachment.ref.id, into, limit)

    async def add_attachment(self, ref: Ref, draft: AttachmentDraft, content: BinaryIO | None) -> Attachment:
        return translate.attachment(await self._client.attach(ref.id, draft, content), self._site)

    async def field_times(self, ref: Ref, since: datetime) -> Sequence[FieldTime]:
        return [translate.field_time(entry) for entry in await self._client.history(ref.id, since)]

    def same(self, field: str, sent: Value, read: Value) -> bool:
        return translate.same(field, sent, read)

    async def subscribe(self, container: str, target: str, secret: str) -> Subscribed:
        for hook in await self._client.webhooks(container):
            if hook["target"] == target:  # the store tells no secret, so an old one cannot be adopted
                await self._client.delete_webhook(hook["id"])
        hook = await self._client.add_webhook(container, target, secret)
        return Subscribed(id=hook["id"], target=target, active=True, secret=secret)

    async def subscription(self, container: str, id: str) -> Subscribed | None:
        hooks = {hook["id"]: hook for hook in await self._client.webhooks(container)}
        if id not in hooks:
            return None
        return Subscribed(id=id, target=hooks[id]["target"], active=True)

    async def unsubscribe(self, container: str, id: str) -> None:
        await self._client.delete_webhook(id)

    async def interact(self, interaction: Interaction, clerk: Clerk) -> Answer:
        return await interactions.answer(interaction, clerk, self._site)

    async def show_card(self, ref: Ref, card: Card, shown: str, key: str) -> str:
        await self._client.put_card(ref.id, asdict(card))
        return ref.id

    async def find_card(self, ref: Ref, key: str, since: datetime) -> str | None:
        return ref.id  # an item has one place for a card

    async def whisper(self, ref: Ref, person: str, text: str) -> None:
        await self._client.whisper(ref.id, person, text)

    async def aclose(self) -> None:
        await self._client.outbound.aclose()

    async def _our_id(self) -> str:
        """Asked for before a write, so that no failure comes between a write and its answer."""
        if self._us is None:
            self._us = str((await self._client.me())["id"])
        return self._us


class MemoryConnector(Connector):
    """The store as a connector."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    settings: ClassVar[type[BaseModel]] = Settings
    credentials: ClassVar[type[BaseModel]] = Credentials
    capabilities: ClassVar[Capabilities] = Capabilities(
        clock_resolution_s=0.001,
        kinds=("item",),
        creatable=("item",),
        webhooks="secret",
        exact_create=True,
        preconditions=True,
        attachments="files",
        largest_attachment=LARGEST,
        interactions=True,
        cards=True,
        container_word="space",
        container_example="inbox",
    )

    def site(self, settings: BaseModel) -> str:
        return _settings(settings).store

    def base_url(self, settings: BaseModel) -> str:
        return _settings(settings).base_url

    def open(
        self,
        settings: BaseModel,
        credentials: BaseModel,
        outbound: Outbound,
        tokens: Tokens | None = None,
    ) -> Session:
        token = Credentials.model_validate(credentials).token.get_secret_value()
        return MemorySession(Client(outbound, token), self.site(settings))

    def limits(self, settings: BaseModel) -> Mapping[str, float]:
        return {"reads": 20, "writes": 10, "per_minute": 6000}

    def receive(self, delivery: Delivery, secrets: Secrets, settings: BaseModel, now: datetime) -> Received:
        return webhook.read(delivery, secrets, self.site(settings), now)

    def interaction(
        self, delivery: Delivery, credentials: BaseModel, settings: BaseModel, now: datetime
    ) -> Interaction:
        token = Credentials.model_validate(credentials).token.get_secret_value()
        return interactions.read(delivery, token, now)


def _settings(settings: BaseModel) -> Settings:
    return Settings.model_validate(settings)


def _container(space: Mapping[str, Any]) -> Container:
    return Container(id=space["id"], name=space["name"], url=space["url"])
