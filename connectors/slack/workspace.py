"""What is known of the workspace: who the app is there, and who else. Asked for now and then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from connectors.slack.client import Client
from connectors.slack.people import Us, View, is_guest, is_stranger, picture, user
from connectors.slack.scopes import CUSTOMIZE

_KNOWN_FOR = timedelta(minutes=10)


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
        people = await self._client.users()
        self._view = View(
            us,
            {each.id: each for each in map(user, people)},
            self._done,
            pictures={str(each["id"]): shown for each in people if (shown := picture(each))},
            authors=self._authors and CUSTOMIZE in granted,
            outsiders=frozenset(
                str(each["id"]) for each in people if is_stranger(each, us.team) or is_guest(each)
            ),
        )
        self._read_at = self._now()
        return self._view
