"""Reading many threads with few calls: one page of a channel's history shows all that lie close together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from connectors.errors import Park
from connectors.records import Found, Gone, Hidden, Ref, Within
from connectors.slack import translate
from connectors.slack.client import PAGE, Client, Payload
from connectors.slack.people import View, ViewOf, is_ours
from connectors.slack.places import ANY, place, thread_ref

_DELETED = Gone("Slack shows that the message was deleted")
_ABSENT = Hidden("the message is not there: deleted, or older than the workspace keeps messages")


async def fetch_many(client: Client, refs: Sequence[Ref], view_of: ViewOf) -> Mapping[Ref, Found]:
    """Every ref with what it is now; of channels that cannot be seen Hidden with the reason."""
    by_channel: dict[str, dict[str, Ref]] = defaultdict(dict)
    for ref in refs:
        channel, ts = place(ref)
        by_channel[channel][ts] = ref
    found: dict[Ref, Found] = {}
    for channel, wanted in by_channel.items():
        messages = await _messages(client, channel, list(wanted))
        for ts, ref in wanted.items():
            if ts not in messages and ref.address == ANY and (reply := await _reply(client, channel, ts)):
                messages[ts] = reply
        view = await view_of(messages.values())
        found |= {ref: _found(messages.get(ts), channel, view) for ts, ref in wanted.items()}
    return found


async def with_files(client: Client, messages: Sequence[Payload]) -> list[Payload]:
    """The messages with all that the app may know of their files.

    Of a file from another organisation a message tells the id alone, and ``files.info`` the rest:
    https://docs.slack.dev/reference/objects/file-object (``file_access``).
    """
    return [
        {**message, "files": [await _file(client, file) for file in message.get("files") or ()]}
        for message in messages
    ]


async def _file(client: Client, file: Payload) -> Payload:
    if file.get("file_access") != "check_file_info":
        return file
    with suppress(Park):  # it is gone, or kept from us
        return await client.file(str(file["id"]))
    return file


async def _reply(client: Client, channel: str, ts: str) -> Payload | None:
    """The history of a channel leaves replies out."""
    with suppress(Park):
        return next((each for each in await client.thread(channel, ts) if each["ts"] == ts), None)
    return None


async def _messages(client: Client, channel: str, wanted: list[str]) -> dict[str, Payload]:
    """From the newest backwards: each page begins at a message that is wanted."""
    left = sorted(wanted, key=float)
    seen: dict[str, Payload] = {}
    while left:
        limit = 1 if len(left) == 1 else PAGE
        messages = await client.newest(channel, oldest=left[0], latest=left[-1], limit=limit)
        seen |= {str(each["ts"]): each for each in messages}
        reached = min((float(each["ts"]) for each in messages), default=0.0)
        left = [ts for ts in left[:-1] if float(ts) < reached]
    return seen


def _found(message: Payload | None, channel: str, view: View) -> Found:
    if message is None:
        return _ABSENT
    if translate.is_tombstone(message):
        return _DELETED
    record = translate.record(message, channel, view)
    if translate.is_object(message, view.us):
        return record
    thread = str(message.get("thread_ts") or message["ts"])
    if thread == message["ts"] or is_ours(message, view.us):
        return Hidden("the message is no thread of its own")
    whole = thread_ref(view.us.team, channel, thread)
    return Within("the message is a reply in a thread", record, whole)
