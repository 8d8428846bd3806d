"""Slack's messages as records. Pure.

A thread is an object: its first message. What people wrote is read alone (nobody but its author may
change a message); what we wrote (:mod:`connectors.slack.composing`) has its title, its text and the link to
the counterpart in blocks with ids of their own, and the key in the message's metadata.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from connectors.records import CLOSED, OPEN, Backlink, FieldKind, Fields, FieldSpec, Record, Value
from connectors.richtext import markdown, slack_blocks
from connectors.richtext.document import Code, Runs, lines
from connectors.slack.blocks import LINK_BLOCK, NOTES_BLOCK, TITLE_BLOCK, blocks, elements, literal
from connectors.slack.composing import OBJECT_EVENT, sent_title, short
from connectors.slack.people import Payload, Us, View, author, is_ours
from connectors.slack.places import moment, permalink, thread_ref
from connectors.slack.reactions import REACTIONS, marked_by, members_reactions
from connectors.slack.said import text_of

_LONGEST_READ_TITLE = 120
"""Characters: a line that is longer is no title, but its first sentence may be one."""
_SENTENCE = re.compile(r"\S.*?[.!?…](?=\s)")
_OURS_ALONE = frozenset({"title", "notes"})
_NO_OBJECT = re.compile(
    r"(channel|group)_|pinned_item|unpinned_item|tombstone|reminder_add|bot_(add|remove)|huddle_thread"
)


def specs(done: str) -> tuple[FieldSpec, ...]:
    """The fields of a thread; a state only where a reaction stands for it."""
    return (
        FieldSpec(name="title", kind=FieldKind.TEXT, label="First line"),
        FieldSpec(name="notes", kind=FieldKind.MARKDOWN, label="Message"),
        *((FieldSpec(name="state", kind=FieldKind.STATE, label=f"Done (:{done}:)"),) if done else ()),
        FieldSpec(name=REACTIONS, kind=FieldKind.SET, label="Reactions"),
    )


def is_object(message: Payload, us: Us) -> bool:
    """Whether a message is one: no reply, none of Slack's own remarks, nothing else that we posted."""
    if message.get("thread_ts", message["ts"]) != message["ts"]:
        return False
    if is_ours(message, us) and TITLE_BLOCK not in blocks(message):
        return False
    return not _NO_OBJECT.match(str(message.get("subtype") or ""))


def is_tombstone(message: Payload) -> bool:
    """What stays of a deleted message whose thread has replies."""
    return message.get("subtype") == "tombstone"


def record(message: Payload, channel: str, view: View) -> Record:
    """The object that begins with this message."""
    us, ts = view.us, str(message["ts"])
    ours = is_ours(message, us) and TITLE_BLOCK in blocks(message)
    edited = str((message.get("edited") or {}).get("ts") or ts)
    payload = _key_payload(message) if is_ours(message, us) else {}
    return Record(
        ref=thread_ref(us.team, channel, ts),
        fields=fields_of(message, view, ours=ours),
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
        marked_by=marked_by(message, view),
    )


def fields_of(message: Payload, view: View, *, ours: bool) -> Fields:
    """What a message says; ``ours``: in the blocks that we make."""
    given = members_reactions(message, view)
    reactions = tuple(sorted(given - {view.done}))
    state = {"state": CLOSED if view.done in given else OPEN} if view.done else {}
    if ours:
        shown = blocks(message)
        title = literal(shown.get(TITLE_BLOCK, {}))
        notes = slack_blocks.to_markdown(elements(shown.get(NOTES_BLOCK, {})), view.names)
    else:
        notes = text_of(message, view.names)
        title = title_of(message, notes)
    return {"title": title, "notes": notes, **state, REACTIONS: reactions}


def title_of(message: Payload, notes: str) -> str:
    """The first line with something in it, of a long one its first sentence; or the first file's name."""
    for words in _lines_of(notes):
        return _headline(words)
    files = [str(file.get("title") or file.get("name") or "") for file in message.get("files") or ()]
    return next(filter(None, files), "(no text)")


def in_one_line(notes: str) -> str:
    """What a text says, without its form."""
    return " ".join(_lines_of(notes))


def _lines_of(notes: str) -> Iterator[str]:
    for block in markdown.tokens(notes):
        said = [block.text] if isinstance(block, Code) else map(_plain, lines([block]))
        for line in "\n".join(said).split("\n"):
            if words := " ".join(line.split()):
                yield words


def _plain(runs: Runs) -> str:
    return "".join(run.text for run in runs)


def _headline(line: str) -> str:
    """The line, or of a long one its first sentence, or what of it is short enough, up to a word's end."""
    if len(line) <= _LONGEST_READ_TITLE:
        return line
    sentence = _SENTENCE.match(line)
    if sentence is not None and len(sentence[0]) <= _LONGEST_READ_TITLE:
        return sentence[0]
    kept = line[:_LONGEST_READ_TITLE].rpartition(" ")[0]
    return f"{kept}…" if len(kept) > _LONGEST_READ_TITLE // 2 else short(line, _LONGEST_READ_TITLE)


def _backlink(message: Payload) -> Backlink | None:
    for section in blocks(message).get(LINK_BLOCK, {}).get("elements", ()):
        for element in section.get("elements", ()):
            if element.get("type") == "link":
                return Backlink(str(element["url"]), str(element.get("text") or element["url"]))
    return None


def _key_payload(message: Payload) -> Payload:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload")
    return payload if metadata.get("event_type") == OBJECT_EVENT and isinstance(payload, Mapping) else {}


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
