"""Slack's messages to and from records. Pure.

A thread is an object: its first message. What people wrote is read alone (nobody but its author may
change a message); what we wrote has its title, its text and the link to the counterpart in blocks with
ids of their own, and the key in the message's metadata.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from connectors.errors import Park
from connectors.records import (
    CLOSED,
    OPEN,
    Author,
    Backlink,
    FieldKind,
    Fields,
    FieldSpec,
    Key,
    Record,
    Ref,
    User,
    Value,
)
from connectors.richtext import markdown, slack_blocks
from connectors.richtext.document import lines
from connectors.richtext.slack_mrkdwn import escape, mrkdwn_to_markdown
from connectors.slack.config import NAME

Payload: TypeAlias = Mapping[str, Any]

THREAD = "thread"
REPLY = "reply"
REACTIONS = "custom:reactions"
TITLE_BLOCK, NOTES_BLOCK, LINK_BLOCK = "asana-sync-title", "asana-sync-notes", "asana-sync-link"
OBJECT_EVENT = "asana_sync_object"
"""Event type of the metadata of what we create (https://docs.slack.dev/messaging/message-metadata)."""

LONGEST_TITLE = 500
_LONGEST_READ_TITLE = 250
_LONGEST_FALLBACK = 3000
_OURS_ALONE = frozenset({"title", "notes"})
_NO_OBJECT = re.compile(r"(channel|group)_|pinned_item|unpinned_item|tombstone|reminder_add|bot_(add|remove)")
_NAME = re.compile(r"[a-z0-9_+'-]{1,100}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Us:
    """Who the app is, and what the workspace is called. ``url`` ends with a slash."""

    user: str
    bot: str
    team: str
    url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What is needed to read messages: who we are, users by id, the reaction that closes a thread."""

    us: Us
    users: Mapping[str, User]
    done: str

    @property
    def names(self) -> Mapping[str, str]:
        return {id: user.name for id, user in self.users.items()}


def specs(done: str) -> tuple[FieldSpec, ...]:
    """The fields of a thread; a state only where a reaction stands for it."""
    return (
        FieldSpec(name="title", kind=FieldKind.TEXT, label="First line"),
        FieldSpec(name="notes", kind=FieldKind.MARKDOWN, label="Message"),
        *((FieldSpec(name="state", kind=FieldKind.STATE, label=f"Done (:{done}:)"),) if done else ()),
        FieldSpec(name=REACTIONS, kind=FieldKind.SET, label="Reactions"),
    )


def thread_ref(site: str, channel: str, ts: str) -> Ref:
    return Ref(NAME, site, THREAD, f"{channel}/{ts}")


def reply_ref(site: str, channel: str, ts: str, thread: str) -> Ref:
    """A reply; its address is the thread that it stands in."""
    return Ref(NAME, site, REPLY, f"{channel}/{ts}", address=f"{channel}/{thread}")


def place(ref: Ref) -> tuple[str, str]:
    """Channel and time of a message: together its identity.

    Raises:
        Park: no message has such an id.
    """
    channel, slash, ts = ref.id.partition("/")
    if not slash or not re.fullmatch(r"\d+\.\d+", ts):
        raise Park(f"{ref.id} is no message: CHANNEL/TIME is expected, such as C024BE91L/1512085950.000216")
    return channel, ts


def moment(ts: str) -> datetime:
    """The time that a message's id tells, to the microsecond: never by way of a float."""
    seconds, _, fraction = ts.partition(".")
    return _EPOCH + timedelta(seconds=int(seconds), microseconds=int(fraction.ljust(6, "0")[:6] or 0))


def ts_of(at: datetime) -> str:
    microseconds = (at - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def permalink(us: Us, channel: str, ts: str, thread: str = "") -> str:
    """As ``chat.getPermalink`` gives it."""
    link = f"{us.url}archives/{channel}/p{ts.replace('.', '')}"
    return f"{link}?thread_ts={thread}&cid={channel}" if thread and thread != ts else link


def is_object(message: Payload, us: Us) -> bool:
    """Whether a message is one: no reply, none of Slack's own remarks, nothing else that we posted."""
    if message.get("thread_ts", message["ts"]) != message["ts"]:
        return False
    if is_ours(message, us) and TITLE_BLOCK not in _blocks(message):
        return False
    return not _NO_OBJECT.match(str(message.get("subtype") or ""))


def is_tombstone(message: Payload) -> bool:
    """What stays of a deleted message whose thread has replies."""
    return message.get("subtype") == "tombstone"


def is_ours(message: Payload, us: Us) -> bool:
    return message.get("bot_id") == us.bot or message.get("user") == us.user


def record(message: Payload, channel: str, view: View) -> Record:
    """The object that begins with this message."""
    us, ts = view.us, str(message["ts"])
    ours = is_ours(message, us) and TITLE_BLOCK in _blocks(message)
    edited = str((message.get("edited") or {}).get("ts") or ts)
    payload = _key_payload(message) if is_ours(message, us) else {}
    return Record(
        ref=thread_ref(us.team, channel, ts),
        fields=_fields(message, view, ours),
        version=max(edited, ts, key=moment),
        created_at=moment(ts),
        modified_at=max(moment(edited), moment(ts)),
        places={channel: None},
        url=permalink(us, channel, ts),
        key=f"{channel}/{ts}",
        author=author(message, view),
        created_by_us=is_ours(message, us),
        keys=frozenset(str(payload[name]) for name in ("token", "url") if payload.get(name)),
        read_only=frozenset() if ours else _OURS_ALONE,
        backlink=_backlink(message) if ours else None,
    )


def _fields(message: Payload, view: View, ours: bool) -> Fields:
    reactions = tuple(sorted(reaction_names(message) - {view.done}))
    state = {"state": CLOSED if view.done in reaction_names(message) else OPEN} if view.done else {}
    if ours:
        blocks = _blocks(message)
        title = _literal(blocks.get(TITLE_BLOCK, {}))
        notes = slack_blocks.to_markdown(elements(blocks.get(NOTES_BLOCK, {})), view.names)
    else:
        notes = text_of(message, view)
        title = title_of(message, notes)
    return {"title": title, "notes": notes, **state, REACTIONS: reactions}


def text_of(message: Payload, view: View) -> str:
    """Markdown of what a message says: of its rich text, else of what else it shows."""
    parts = [
        slack_blocks.to_markdown(elements(block), view.names)
        for block in message.get("blocks") or ()
        if block.get("type") == "rich_text"
    ]
    if not any(parts):
        parts = [mrkdwn_to_markdown(str(message.get("text") or ""), view.names)]
    for attachment in message.get("attachments") or ():
        if not attachment.get("from_url"):  # a preview of a link says nothing new
            said = [str(attachment.get(name) or "") for name in ("pretext", "title", "text")]
            shown = "\n".join(filter(None, said)) or str(attachment.get("fallback") or "")
            parts.append(mrkdwn_to_markdown(shown, view.names))
    return "\n\n".join(filter(None, parts))


def title_of(message: Payload, notes: str) -> str:
    """The first line with something in it, or the name of the first file."""
    for block in markdown.tokens(notes):
        for runs in lines([block]):
            words = " ".join("".join(run.text for run in runs).split("\n")[0].split())
            if words:
                return _short(words, _LONGEST_READ_TITLE)
    files = [str(file.get("title") or file.get("name") or "") for file in message.get("files") or ()]
    return next(filter(None, files), "(no text)")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def reaction_names(message: Payload) -> frozenset[str]:
    return frozenset(str(each["name"]).partition("::")[0] for each in message.get("reactions") or ())


def reacted_by(message: Payload, name: str) -> frozenset[str]:
    """Users who gave the reaction."""
    return frozenset(
        user
        for each in message.get("reactions") or ()
        if str(each["name"]).partition("::")[0] == name
        for user in each.get("users", ())
    )


def author(message: Payload, view: View) -> Author:
    """A person of the workspace, somebody of another one, or an app."""
    id = str(message.get("user") or message.get("bot_id") or "")
    known = view.users.get(id)
    profile = message.get("user_profile") or message.get("bot_profile") or {}
    told = message.get("username") or profile.get("real_name") or profile.get("name")
    name = known.name if known else str(told or id)
    return Author(id=id, name=name, url=f"{view.us.url}team/{id}", bot=bool(message.get("bot_id")))


def user(payload: Payload) -> User:
    """Guests and people of other companies are users, too; who left is not active."""
    profile = payload.get("profile") or {}
    name = profile.get("real_name") or payload.get("real_name") or payload.get("name")
    return User(
        id=str(payload["id"]),
        name=str(name or payload["id"]),
        login=str(payload.get("name") or ""),
        email=str(profile.get("email") or ""),
        active=not payload.get("deleted"),
    )


# what we write


def new_message(fields: Fields, key: Key) -> dict[str, Any]:
    """The message of a new object, with its key.

    Raises:
        Park: there is no title.
    """
    link = Backlink(key.url, key.label) if key.backlink else None
    payload = {"token": key.token, "url": key.url}
    return {
        **content(fields.get("title"), fields.get("notes"), link),
        "metadata": {"event_type": OBJECT_EVENT, "event_payload": payload},
    }


def changed(message: Payload, fields: Fields, view: View, link: Backlink | None) -> dict[str, Any]:
    """Our message with these fields and all else as it is."""
    now = _fields(message, view, True)
    written = content(fields.get("title", now["title"]), fields.get("notes", now["notes"]), link)
    metadata = message.get("metadata")
    return {**written, "metadata": metadata} if metadata else written


def content(title: Value, notes: Value, link: Backlink | None) -> dict[str, Any]:
    """Text and blocks of our message."""
    heading = sent_title(str(title or ""))
    if not heading:
        raise Park("a message needs a first line", field="title")
    bold = {"type": "text", "text": heading, "style": {"bold": True}}
    blocks = [rich(TITLE_BLOCK, [section(bold)])]
    if text := slack_blocks.from_markdown(str(notes or "")):
        blocks.append(rich(NOTES_BLOCK, text))
    if link is not None:
        label = _short(link.label or link.url, 200)
        blocks.append(rich(LINK_BLOCK, [section({"type": "link", "url": link.url, "text": label})]))
    return {"text": escape(heading)[:_LONGEST_FALLBACK], "blocks": blocks}


def sent_title(title: str) -> str:
    """A title as it is written: one line, not too long."""
    return _short(" ".join(markdown.clean(title).split()), LONGEST_TITLE)


def rich(id: str, elements: Sequence[Payload]) -> dict[str, Any]:
    """A block of rich text that is found again by its id."""
    return {"type": "rich_text", "block_id": id, "elements": list(elements)}


def section(*elements: Payload) -> dict[str, Any]:
    """Running text of a block."""
    return {"type": "rich_text_section", "elements": list(elements)}


def _blocks(message: Payload) -> dict[str, Payload]:
    return {str(block.get("block_id")): block for block in message.get("blocks") or ()}


def block(message: Payload, id: str) -> Payload | None:
    """Our block of that id."""
    return _blocks(message).get(id)


def elements(block: Payload) -> list[dict[str, Any]]:
    return list(block.get("elements") or ())


def _literal(block: Payload) -> str:
    return "".join(
        str(element.get("text", ""))
        for section in block.get("elements", ())
        for element in section.get("elements", ())
    )


def _backlink(message: Payload) -> Backlink | None:
    for section in _blocks(message).get(LINK_BLOCK, {}).get("elements", ()):
        for element in section.get("elements", ()):
            if element.get("type") == "link":
                return Backlink(str(element["url"]), str(element.get("text") or element["url"]))
    return None


def _key_payload(message: Payload) -> Payload:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload")
    return payload if metadata.get("event_type") == OBJECT_EVENT and isinstance(payload, Mapping) else {}


def reaction_name(name: str) -> str:
    """A reaction's name as Slack takes it, with or without colons around it.

    Raises:
        Park: no reaction can have this name.
    """
    bare = name.strip().strip(":").lower()
    if not _NAME.match(bare):
        raise Park(f"there is no reaction {name!r}", field=REACTIONS, fix="use the name of an emoji")
    return bare


def same(field: str, sent: Value, read: Value) -> bool:
    """Titles are one line and cut; text goes through Slack's rich text; reactions have no order."""
    if field == "title":
        return sent_title(str(sent or "")) == sent_title(str(read or ""))
    if field in ("notes", "comments"):
        return slack_blocks.same(str(sent or ""), str(read or ""))
    if field == REACTIONS:
        return set(sent if isinstance(sent, tuple) else ()) == set(read if isinstance(read, tuple) else ())
    return sent == read


def digest(message: Payload) -> list[str]:
    """What polling compares: all of a thread's first message, and what it tells of its replies."""
    own = {
        "text": message.get("text"),
        "edited": (message.get("edited") or {}).get("ts"),
        "blocks": message.get("blocks"),
        "subtype": message.get("subtype"),
        "files": [file.get("id") for file in message.get("files") or ()],
        "reactions": sorted(
            [str(each["name"]), *each.get("users", ())] for each in message.get("reactions") or ()
        ),
    }
    text = json.dumps(own, sort_keys=True).encode()
    replies = f"{message.get('reply_count', 0)}:{message.get('latest_reply', '')}"
    return [hashlib.sha256(text).hexdigest()[:12], replies]
