"""What is known of the workspace: who the app is there, and who else. Asked for now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.errors import Park, PauseMapping
from connectors.slack.client import Client
from connectors.slack.people import Payload, Us, View, channels_in, knowing, strangers_in
from connectors.slack.scopes import CUSTOMIZE

_KNOWN_FOR = timedelta(minutes=10)
_AT_ONCE = 20
"""So many unknown people, and channels, are asked for with one look: Slack takes about 50 a minute."""


class Workspace:
    """The view that messages are read and written with, as it was within the last minutes.

    Args:
        done: the reaction that closes a thread.
        authors: whether copies stand under the name and the picture of who wrote them, where Slack lets us.
    """

    def __init__(self, client: Client, done: str, now: Callable[[], datetime], *, authors: bool) -> None:
        self._client = client
        self._done = done
        self._now = now
        self._authors = authors
        self._view: View | None = None
        self._read_at = datetime.min.replace(tzinfo=UTC)

    async def view(self) -> View:
        """Asked before a write, so that its answer can be read."""
        if self._view is None or self._now() - self._read_at > _KNOWN_FOR:
            return await self.looked_up()
        return self._view

    async def looked_up(self) -> View:
        """As it is now."""
        answer, granted = await self._client.who_we_are()
        us = Us(answer["user_id"], answer["bot_id"], answer["team_id"], answer["url"], answer["user"])
        nobody = View(us, {}, self._done, authors=self._authors and CUSTOMIZE in granted)
        self._view = knowing(nobody, await self._client.users())
        self._read_at = self._now()
        return self._view

    async def view_of(self, messages: Iterable[Payload]) -> View:
        """The view with everybody in it whom these messages name, and every channel that they lead to.

        People join at any time, and the list need not hold those of other organisations.
        """
        messages, view = list(messages), await self.view()
        met = [await self._met(id) for id in strangers_in(messages, view)[:_AT_ONCE]]
        if met:
            view = self._view = knowing(view, met)
        named = {id: await self._called(id) for id in channels_in(messages, view)[:_AT_ONCE]}
        if named:
            view = self._view = replace(view, channels={**view.channels, **named})
        return view

    async def _met(self, id: str) -> Payload:
        try:
            return await self._client.user(id)
        except Park:  # people of other organisations need not be shown to us
            return {"id": id, "is_stranger": True}

    async def _called(self, channel: str) -> str:
        try:
            return str((await self._client.channel(channel)).get("name") or channel)
        except (Park, PauseMapping):  # a private channel that we are not in has no name for us
            return channel
