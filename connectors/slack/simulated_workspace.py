"""A simulated workspace: people, channels, messages, reactions, files, and the events they make.

Messages are kept as the JSON that the Web API answers, and are replaced, never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from connectors.simulation import Clock, Lagging

Payload: TypeAlias = dict[str, Any]

TEAM = "T0ACME00001"
OTHER_TEAM = "T0OTHER0001"
APP = "A0SYNC00001"
BOT_USER = "U0SYNCBOT01"
BOT = "B0SYNC00001"
SLACKBOT = "USLACKBOT"
TOMBSTONE = "This message was deleted."


class Failed(Exception):
    """An answer ``{"ok": false, "error": ...}``, with the status 200 as Slack gives it."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra


@dataclass(frozen=True, slots=True)
class Person:
    """One user. ``guest``, ``stranger`` (of another company, by Slack Connect) or ``deleted``."""

    id: str
    name: str
    title: str
    email: str
    guest: bool = False
    stranger: bool = False
    deleted: bool = False
    bot: bool = False

    @property
    def team(self) -> str:
        return OTHER_TEAM if self.stranger else TEAM


PEOPLE: Mapping[str, Person] = {
    person.name: person
    for person in (
        Person("U0ADA000001", "ada", "Ada Lovelace", "ada@example.com"),
        Person("U0BOB000001", "bob", "Bob Kahn", "bob@example.com"),
        Person("U0GUS000001", "gus", "Gus Guest", "gus@example.com", guest=True),
        Person("U0EVE000001", "eve", "Eve Elsewhere", "", stranger=True),
        Person("U0DEN000001", "den", "Den Departed", "den@example.com", deleted=True),
        Person(BOT_USER, "asana-sync", "Asana Sync", "", bot=True),
    )
}


def message_id(channel: str, ts: str) -> str:
    return f"{channel}/{ts}"


class Workspace:
    """What is in it, and what people and apps do there. ``tell`` is given each inner event."""

    def __init__(self, clock: Clock, address: Callable[[], str] = lambda: "") -> None:
        self.channels: dict[str, Payload] = {}
        self.messages: Lagging[Payload] = Lagging(clock)
        self.files: dict[str, Payload] = {}
        self.contents: dict[str, bytes] = {}
        self.whispers: list[Payload] = []
        """Ephemeral messages: seen by ``user`` alone, and kept nowhere."""
        self.tell: Callable[[Payload], None] = lambda event: None
        self.app = PEOPLE["asana-sync"]
        self._clock = clock
        self._address = address
        self._last = 0
        self._count = 0

    @property
    def base_url(self) -> str:
        """Where the workspace is served."""
        return self._address()

    def next_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}0{self._count:09d}"

    def next_ts(self) -> str:
        """Microseconds that no other message has; cut to ten thousandths they often end in zeros."""
        now = int(self._clock.now().timestamp() * 10_000) * 100
        self._last = max(now, self._last + 100)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def new_channel(self, name: str) -> str:
        id = self.next_id("C")
        self.channels[id] = {
            "id": id,
            "name": name,
            "is_channel": True,
            "is_private": False,
            "is_archived": False,
            "is_member": True,
            "is_ext_shared": False,
            "created": int(self._clock.now().timestamp()),
            "creator": PEOPLE["ada"].id,
            "topic": {"value": ""},
            "purpose": {"value": ""},
        }
        return id

    def message(self, channel: str, ts: str) -> Payload:
        """The message as it is now."""
        if channel not in self.channels:
            raise Failed("channel_not_found")
        found = self.messages.get(message_id(channel, ts))
        if found is None:
            raise Failed("message_not_found")
        return found

    def in_channel(self, channel: str, lag_s: float = 0.0) -> list[Payload]:
        """What readers see, oldest first."""
        seen = (each for each in self.messages.all_seen(lag_s) if each["channel"] == channel)
        return sorted(seen, key=lambda message: str(message["ts"]))

    def replies(self, channel: str, ts: str, lag_s: float = 0.0) -> list[Payload]:
        return [
            each
            for each in self.in_channel(channel, lag_s)
            if each.get("thread_ts") == ts and each["ts"] != ts
        ]

    # what people and apps do

    def post(self, channel: str, author: Person, message: Payload, *, broadcast: bool = False) -> Payload:
        """A new message: ``text``, ``blocks``, ``files``, ``thread_ts``, ``metadata`` ..."""
        ts = self.next_ts()
        posted = {
            "type": "message",
            "user": author.id,
            "team": author.team,
            **({"bot_id": BOT, "app_id": APP} if author.bot else {}),
            **message,
            "channel": channel,
            "ts": ts,
        }
        if broadcast:
            posted["subtype"] = "thread_broadcast"
        elif message.get("files"):
            posted["subtype"] = "file_share"
        self.messages[message_id(channel, ts)] = posted
        if thread := message.get("thread_ts"):
            self._count_replies(channel, thread)
        self._tell_message(posted)
        return posted

    def change(self, message: Payload, by: Person, values: Payload, *, edited: bool = True) -> Payload:
        """Another text, other blocks; not ``edited``: something else about it, such as an unfurled link."""
        after = {**message, **values}
        if edited:
            after["edited"] = {"user": by.id, "ts": self.next_ts()}
        self._replace(after)
        self._tell_changed(message, after)
        return after

    def delete(self, message: Payload) -> None:
        """The first message of a thread that has replies leaves a tombstone."""
        id = message_id(message["channel"], message["ts"])
        if message.get("reply_count"):
            tombstone = {
                name: value
                for name, value in message.items()
                if name
                in ("type", "channel", "ts", "thread_ts", "reply_count", "latest_reply", "reply_users")
            }
            tombstone |= {"subtype": "tombstone", "user": SLACKBOT, "text": TOMBSTONE, "hidden": True}
            self._replace(tombstone)
            self._tell_changed(message, tombstone)
            return
        del self.messages[id]
        thread = message.get("thread_ts")
        if thread and thread != message["ts"]:
            self._count_replies(message["channel"], thread)
        self._tell(
            message["channel"],
            {
                "type": "message",
                "subtype": "message_deleted",
                "hidden": True,
                "deleted_ts": message["ts"],
                "previous_message": shown(message),
            },
        )

    def whisper(self, channel: str, user: str, message: Payload) -> str:
        """A message that one person alone sees; its time."""
        ts = self.next_ts()
        self.whispers.append({**message, "channel": channel, "user": user, "ts": ts})
        return ts

    def react(self, message: Payload, name: str, by: Person) -> None:
        reactions = {each["name"]: each["users"] for each in message.get("reactions", ())}
        if by.id in reactions.get(name, ()):
            raise Failed("already_reacted")
        self._set_reactions(message, {**reactions, name: [*reactions.get(name, ()), by.id]})
        self._tell_reaction("reaction_added", message, name, by)

    def unreact(self, message: Payload, name: str, by: Person) -> None:
        reactions = {each["name"]: each["users"] for each in message.get("reactions", ())}
        if by.id not in reactions.get(name, ()):
            raise Failed("no_reaction")
        users = [user for user in reactions[name] if user != by.id]
        self._set_reactions(message, {**reactions, name: users})
        self._tell_reaction("reaction_removed", message, name, by)

    def new_file(self, name: str, content: bytes, by: Person, *, title: str = "", id: str = "") -> Payload:
        id = id or self.next_id("F")
        self.contents[id] = content
        path = f"{self.base_url}/files-pri/{TEAM}-{id}"
        self.files[id] = {
            "id": id,
            "created": int(self._clock.now().timestamp()),
            "name": name,
            "title": title or name,
            "mimetype": "image/png" if name.endswith(".png") else "application/octet-stream",
            "filetype": name.rpartition(".")[2],
            "user": by.id,
            "size": len(content),
            "mode": "hosted",
            "is_external": False,
            "url_private": f"{path}/{name}",
            "url_private_download": f"{path}/download/{name}",
            "permalink": f"{self.base_url}/files/{by.id}/{id}/{name}",
        }
        return self.files[id]

    def remove_file(self, id: str) -> None:
        """It stands as a tombstone in the messages that showed it."""
        del self.files[id], self.contents[id]
        for message in self.messages.values():
            if any(file["id"] == id for file in message.get("files", ())):
                files = [
                    {"id": id, "mode": "tombstone"} if file["id"] == id else file for file in message["files"]
                ]
                self._replace({**message, "files": files})

    # what then happens

    def _replace(self, message: Payload) -> None:
        self.messages[message_id(message["channel"], message["ts"])] = message

    def _set_reactions(self, message: Payload, reactions: Mapping[str, Sequence[str]]) -> None:
        listed = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in reactions.items()
            if users
        ]
        rest = {name: value for name, value in message.items() if name != "reactions"}
        self._replace({**rest, "reactions": listed} if listed else rest)

    def _count_replies(self, channel: str, thread: str) -> None:
        root = self.messages.get(message_id(channel, thread))
        if root is None:
            return
        replies = self.replies(channel, thread)
        counts: Payload = {"thread_ts": thread, "reply_count": len(replies)}
        if replies:
            users = list(dict.fromkeys(each["user"] for each in replies))
            counts |= {"latest_reply": replies[-1]["ts"], "reply_users": users}
        else:
            root = {name: value for name, value in root.items() if name != "latest_reply"}
        self._replace({**root, **counts})

    def _tell_message(self, message: Payload) -> None:
        event = shown(message)
        if "bot_id" in event:
            event.pop("user", None)  # our own posts come back without one
        self._tell(message["channel"], {**event, "event_ts": message["ts"]}, ts=message["ts"])

    def _tell_changed(self, before: Payload, after: Payload) -> None:
        self._tell(
            after["channel"],
            {
                "type": "message",
                "subtype": "message_changed",
                "hidden": True,
                "message": shown(after),
                "previous_message": shown(before),
            },
        )

    def _tell_reaction(self, type: str, message: Payload, name: str, by: Person) -> None:
        item = {"type": "message", "channel": message["channel"], "ts": message["ts"]}
        self.tell(
            {
                "type": type,
                "user": by.id,
                "reaction": name,
                "item": item,
                "item_user": message["user"],
                "event_ts": self.next_ts(),
            }
        )

    def _tell(self, channel: str, event: Payload, ts: str | None = None) -> None:
        ts = ts or self.next_ts()
        self.tell({"event_ts": ts, **event, "ts": ts, "channel": channel, "channel_type": "channel"})


def shown(message: Payload, *, metadata: bool = False) -> Payload:
    """As it stands in answers and events; metadata only for who asks for it."""
    hidden = {"channel"} if metadata else {"channel", "metadata"}
    return {name: value for name, value in message.items() if name not in hidden}
