"""What stands below the first message of a thread: replies as comments, and files. Pure.

Of what we posted ourselves only copies are comments, known by their header; our cards, notices and files
are not, so that nothing of ours ever comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.discussions import Attachment, AttachmentDraft, Comment, CommentDraft
from connectors.records import Ref
from connectors.richtext import markdown, slack_blocks
from connectors.richtext.slack_mrkdwn import escape
from connectors.slack.blocks import NOTES_BLOCK, block, elements, rich, section
from connectors.slack.config import NAME
from connectors.slack.people import Payload, Us, View, author, is_ours
from connectors.slack.places import moment, permalink, place, reply_ref
from connectors.slack.said import text_of
from connectors.slack.translate import is_tombstone

HEADER_BLOCK, FILE_BLOCK = "asana-sync-header", "asana-sync-file"
FILE = "file"
_LONGEST_NAME = 100
_LONGEST_USERNAME = 80
_REMARKS = frozenset(
    {"channel_join", "channel_leave", "reminder_add", "bot_add", "bot_remove", "huddle_thread"}
)


def comment(message: Payload, thread: Ref, view: View) -> Comment | None:
    """A reply as a comment; None for what says nothing that another side should know."""
    channel, root = place(thread)
    header = block(message, HEADER_BLOCK)
    ours = is_ours(message, view.us)
    if message.get("subtype") in _REMARKS or is_tombstone(message) or (ours and header is None):
        return None
    source = _source(header) if ours and header else None
    if source is not None:
        text = slack_blocks.to_markdown(elements(block(message, NOTES_BLOCK) or {}), view.names)
    else:
        text = text_of(message, view.names)
    if not text and message.get("files"):
        return None  # its files are told of by themselves
    ts = str(message["ts"])
    edited = (message.get("edited") or {}).get("ts")
    return Comment(
        ref=reply_ref(view.us.team, channel, ts, root),
        parent=thread,
        text=text,
        author=author(message, view),
        created_at=moment(ts),
        modified_at=moment(str(edited)) if edited else moment(ts),
        url=permalink(view.us, channel, ts, root),
        by_us=ours,
        source_url=source,
    )


def copy(draft: CommentDraft) -> dict[str, Any]:
    """The reply that is a copy: the author in bold with a link to the source, then the text."""
    name = " ".join(markdown.clean(draft.author_name).split())[:_LONGEST_NAME] or "?"
    head = {"type": "link", "url": draft.source_url, "text": name, "style": {"bold": True}}
    blocks = [rich(HEADER_BLOCK, [section(head)])]
    if text := slack_blocks.from_markdown(draft.text):
        blocks.append(rich(NOTES_BLOCK, text))
    return {"text": escape(f"{name} commented"), "blocks": blocks}


def shown_as(draft: CommentDraft, view: View) -> dict[str, str]:
    """Under whose name and picture the copy stands, where Slack lets the app say so.

    https://docs.slack.dev/messaging#authorship: with ``chat:write.customize``. The header says it as well:
    it is what makes the reply a copy, and what is left where a message is quoted elsewhere.
    """
    if not view.authors:
        return {}
    name = " ".join(markdown.clean(draft.author_name).split())[:_LONGEST_USERNAME]
    icon = view.pictures.get(draft.author_here)
    return {**({"username": name} if name else {}), **({"icon_url": icon} if icon else {})}


def _source(header: Payload) -> str | None:
    for part in elements(header):
        for element in part.get("elements", ()):
            if element.get("type") == "link":
                return str(element["url"])
    return None


def attachments(messages: Sequence[Payload], thread: Ref, view: View) -> list[Attachment]:
    """The files of a thread, oldest first; of a reply that says something below its comment.

    What has no address is left out: deleted, hidden by the workspace's plan, or kept by another organisation.
    """
    channel, root = place(thread)
    found: list[Attachment] = []
    for message in messages:
        if message["ts"] != root and (link := block(message, FILE_BLOCK)) and is_ours(message, view.us):
            found += _linked(link, message, thread, view)
        for file in message.get("files") or ():
            if file.get("mode") in ("tombstone", "hidden_by_limit") or not _url(file):
                continue
            said = message["ts"] != root and comment(message, thread, view) is not None
            below = reply_ref(view.us.team, channel, str(message["ts"]), root) if said else None
            found.append(_attachment(file, message, thread, below, view))
    return found


def _url(file: Payload) -> str:
    return str((file.get("url_private") if file.get("is_external") else file.get("permalink")) or "")


def _attachment(file: Payload, message: Payload, thread: Ref, below: Ref | None, view: View) -> Attachment:
    external = bool(file.get("is_external"))
    created = file.get("created")
    return Attachment(
        ref=Ref(
            NAME, view.us.team, FILE, str(file["id"]), address=str(file.get("url_private_download") or "")
        ),
        parent=thread,
        name=str(file.get("name") or file.get("title") or file["id"]),
        url=_url(file),
        created_at=datetime.fromtimestamp(created, UTC) if created else moment(str(message["ts"])),
        author=author({**message, "user": file.get("user") or message.get("user")}, view),
        comment=below,
        size=None if external else file.get("size"),
        is_link=external,
    )


def _linked(link: Payload, message: Payload, thread: Ref, view: View) -> list[Attachment]:
    """A link in the place of a file, in a reply of ours."""
    ref = Ref(NAME, view.us.team, FILE, f"{place(thread)[0]}/{message['ts']}")
    shown = [element for part in elements(link) for element in part.get("elements", ())]
    return [
        Attachment(
            ref=ref,
            parent=thread,
            name=str(each.get("text") or each["url"]),
            url=str(each["url"]),
            created_at=moment(str(message["ts"])),
            author=author(message, view),
            is_link=True,
        )
        for each in shown
        if each.get("type") == "link"
    ]


def link_message(draft: AttachmentDraft) -> dict[str, Any]:
    """The reply that links to a file whose bytes are not at hand."""
    target = {"type": "link", "url": draft.url, "text": draft.name}
    return {"text": escape(draft.name), "blocks": [rich(FILE_BLOCK, [section(target)])]}


def shared(file: Mapping[str, Any], draft: AttachmentDraft, size: int, thread: Ref, us: Us) -> Attachment:
    """The file that we shared a moment ago."""
    id = str(file["id"])
    return Attachment(
        ref=Ref(NAME, us.team, FILE, id, address=str(file.get("url_private_download") or "")),
        parent=thread,
        name=str(file.get("name") or draft.name),
        url=str(file.get("permalink") or f"{us.url}files/{us.user}/{id}"),
        created_at=datetime.fromtimestamp(int(file.get("created") or 0), UTC),
        size=size,
    )
