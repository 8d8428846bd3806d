"""One workspace, open: threads of channels, their replies and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from io import SEEK_END
from typing import BinaryIO

from connectors.base import Session
from connectors.changes import Change, Page, Subscribed
from connectors.discussions import Attachment, AttachmentDraft, Comment, CommentDraft, Content, Discussion
from connectors.errors import (
    OnlyLinked,
    Park,
    ParkClass,
    PauseConnection,
    PauseMapping,
    ReplanNeeded,
)
from connectors.http import Outbound
from connectors.interactions import Answer, Card, Clerk, Hearer, Interaction
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
from connectors.slack import card as cards
from connectors.slack import polling, reading, replies, scopes, socket_mode, translate, writing
from connectors.slack.askers import Askers
from connectors.slack.client import Client, Payload, socket_url
from connectors.slack.config import NAME
from connectors.slack.counter import Counter
from connectors.slack.frontdesk import FrontDesk
from connectors.slack.interactivity import COMMAND
from connectors.slack.people import Us, View
from connectors.slack.places import THREAD, place
from connectors.slack.refusals import NOT_IN_CHANNEL
from connectors.slack.texts import escaped
from connectors.slack.workspace import Workspace


class SlackSession(Session):
    """One app in one workspace."""

    def __init__(
        self,
        client: Client,
        team: str,
        done: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        authors: bool = False,
        sockets: Outbound | None = None,
    ) -> None:
        self._client = client
        self._team = team
        self._done = done
        self._sockets = sockets
        self._workspace = Workspace(client, done, now, authors=authors)
        askers = Askers(client.user, team, now)
        self._front = FrontDesk(client, team, askers, self._workspace.view)
        self._counter = Counter(client, team, askers)

    async def check(self) -> Account:
        answer, granted = await self._client.who_we_are()
        if answer["team_id"] != self._team:
            raise PauseConnection(
                f"the token is for the workspace {answer['team']} ({answer['team_id']}), and settings.team "
                f"is {self._team}: correct it, or install the app there"
            )
        return Account(
            id=answer["user_id"],
            name=f"{answer['user']} in {answer['team']}",
            site=answer["team_id"],
            clock_offset_s=self._client.clock_offset_s,
            missing=scopes.missing(granted),
        )

    async def containers(self) -> Sequence[Container]:
        view = await self._workspace.view()
        return [_container(each, view.us) for each in await self._client.channels()]

    async def container(self, container: str) -> Container:
        view = await self._workspace.view()
        return _container(await self._client.channel(container), view.us)

    async def lacks(self, container: str) -> Sequence[str]:
        channel = await self._client.channel(container)
        if not channel.get("is_member"):
            return ["the app is not in the channel and sees nothing of it: type /invite @asana-sync there"]
        return ()

    async def fields(self, container: str) -> Sequence[FieldSpec]:
        return translate.specs(self._done)

    async def people(self, container: str) -> Sequence[User]:
        view = await self._workspace.looked_up()
        return [user for user in view.users.values() if user.active]

    async def changes(self, container: str, cursor: Json) -> Page:
        position = polling.Position.from_json(cursor)
        read = partial(
            self._client.history,
            container,
            oldest=position.since if cursor else None,
            cursor=position.next_page,
        )
        try:
            messages, following = await read()
        except PauseMapping as refusal:
            if cursor is not None or refusal.provider_message != NOT_IN_CHANNEL:
                raise  # whom people put out of a channel does not come back by itself
            await self._client.join(container)
            messages, following = await read()
        view = await self._workspace.view_of(messages)
        return polling.page(position, messages, following, container, view, first=cursor is None)

    async def listing(self, container: str, cursor: Json) -> Page:
        messages, following = await self._client.history(container, cursor=cursor)
        view = await self._workspace.view_of(messages)
        records = [
            translate.record(each, container, view) for each in messages if translate.is_object(each, view.us)
        ]
        changes = tuple(Change(ref=each.ref, at=each.modified_at, record=each) for each in records)
        return Page(changes=changes, cursor=following, more=bool(following))

    async def fetch_many(self, refs: Sequence[Ref]) -> Mapping[Ref, Found]:
        return await reading.fetch_many(self._client, refs, self._workspace.view_of)

    async def create(self, container: str, draft: Draft, key: Key) -> Record:
        return await writing.create(self._client, container, draft, key, await self._workspace.view())

    async def find_created(self, container: str, key: Key, since: datetime) -> Sequence[Record]:
        view = await self._workspace.view()
        return await writing.find_created(self._client, container, key, since, view)

    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        return await writing.update(self._client, ref, fields, expected, self._workspace.view_of)

    async def delete(self, ref: Ref, expected: Record) -> None:
        await self._delete(ref)

    async def comments(self, ref: Ref) -> Sequence[Comment]:
        thread = await self._client.thread(*place(ref))
        return self._comments(thread, ref, await self._workspace.view_of(thread))

    async def add_comment(self, ref: Ref, draft: CommentDraft) -> Comment:
        view = await self._workspace.view()
        channel, ts = place(ref)
        message = {**replies.copy(draft), **replies.shown_as(draft, view), "thread_ts": ts}
        return self._comment(await self._client.post(channel, message), ref, view)

    async def edit_comment(self, comment: Ref, draft: CommentDraft) -> Comment:
        view = await self._workspace.view()
        channel, ts = place(comment)
        thread = Ref(NAME, self._team, THREAD, comment.address)
        message = await self._client.update(channel, ts, replies.copy(draft))
        return self._comment(message, thread, view)

    async def delete_comment(self, comment: Ref) -> None:
        await self._delete(comment)

    async def discussion(self, ref: Ref) -> Discussion:
        return Discussion(comments=tuple(await self.comments(ref)))

    async def attachments(self, record: Record, discussion: Discussion) -> Sequence[Attachment]:
        view = await self._workspace.view()
        thread = await self._client.thread(*place(record.ref))
        told = {comment.ref for comment in discussion.comments}
        found = replies.attachments(await reading.with_files(self._client, thread), record.ref, view)
        return [each for each in found if each.comment is None or each.comment in told]

    async def read_attachment(self, attachment: Attachment, into: BinaryIO, limit: int) -> Content:
        if attachment.is_link or not attachment.ref.address:
            raise OnlyLinked("Slack has no bytes of it")
        content = await self._client.download(attachment.ref.address, into, limit)
        if content.media_type.startswith("text/html") and not attachment.name.endswith((".html", ".htm")):
            raise Park(
                "Slack showed a page to sign in instead of the file",
                park_class=ParkClass.PERMISSION,
                fix="add the scope files:read to the app and install it again",
            )
        return content

    async def add_attachment(self, ref: Ref, draft: AttachmentDraft, content: BinaryIO | None) -> Attachment:
        view = await self._workspace.view()
        channel, ts = place(ref)
        if content is None:
            message = await self._client.post(channel, {**replies.link_message(draft), "thread_ts": ts})
            (added,) = replies.attachments([message], ref, view)
            return added
        size = content.seek(0, SEEK_END)
        file = await self._client.upload(draft.name, size, content, draft.media_type)
        answer = await self._client.share(file, draft.name, channel, ts)
        return replies.shared(answer, draft, size, ref, view.us)

    async def field_times(self, ref: Ref, since: datetime) -> Sequence[FieldTime]:
        return ()

    def same(self, field: str, sent: Value, read: Value) -> bool:
        return translate.same(field, sent, read)

    async def subscribe(self, container: str, target: str, secret: str) -> Subscribed:
        """The address stands in the app's settings; what a channel needs is that the app is in it."""
        channel = await self._client.channel(container)
        if not channel.get("is_member"):
            await self._client.join(container)
        return Subscribed(id=target, target=target, active=True)

    async def subscription(self, container: str, id: str) -> Subscribed | None:
        channel = await self._client.channel(container)
        return Subscribed(id=id, target=id, active=True) if channel.get("is_member") else None

    async def unsubscribe(self, container: str, id: str) -> None:
        """The app stays in the channel: people put it there, and the address serves them all."""

    async def interact(self, interaction: Interaction, clerk: Clerk) -> Answer:
        if interaction.kind == COMMAND:
            return await self._counter.answer(interaction.payload, clerk)
        return await self._front.answer(interaction, clerk)

    async def show_card(self, ref: Ref, card: Card, shown: str, key: str) -> str:
        channel, ts = place(ref)
        message = cards.message(card, key)
        if shown:
            await self._client.update(channel, shown, message)
            return shown
        return str((await self._client.post(channel, {**message, "thread_ts": ts}))["ts"])

    async def find_card(self, ref: Ref, key: str, since: datetime) -> str | None:
        thread = await self._client.thread(*place(ref))
        return next((str(each["ts"]) for each in thread if cards.key_of(each) == key), None)

    async def whisper(self, ref: Ref, person: str, text: str) -> None:
        channel, ts = place(ref)
        await self._client.whisper(channel, person, {"text": escaped(text)}, ts)

    async def listen(self, hearer: Hearer) -> None:
        if self._sockets is None:
            raise PauseConnection("Socket Mode needs an app-level token: add app_token to the credentials")
        url = await socket_url(self._sockets)
        async with self._sockets.socket(url) as socket:
            await socket_mode.listen(socket, self._team, hearer)

    async def aclose(self) -> None:
        await self._client.aclose()

    # within

    async def _delete(self, ref: Ref) -> None:
        try:
            await self._client.delete(*place(ref))
        except ReplanNeeded:
            return  # already gone

    def _comments(self, thread: Sequence[Payload], ref: Ref, view: View) -> list[Comment]:
        _, root = place(ref)
        found = (replies.comment(each, ref, view) for each in thread if each["ts"] != root)
        return [comment for comment in found if comment is not None]

    def _comment(self, message: Payload, thread: Ref, view: View) -> Comment:
        comment = replies.comment(message, thread, view)
        assert comment is not None, "what we post has a header"
        return comment


def _container(channel: Payload, us: Us) -> Container:
    if not channel.get("name"):
        raise PauseMapping("this is no channel")
    url = f"{us.url}archives/{channel['id']}"
    return Container(id=channel["id"], name=f"#{channel['name']}", url=url)
