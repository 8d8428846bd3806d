"""Writing the first message of a thread: posted with a key, found again by it, changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.errors import ConnectorError, OutcomeUnknown, Park, ParkClass, ReplanNeeded
from connectors.records import Draft, Fields, Key, Record, Ref
from connectors.slack import composing, reactions, translate
from connectors.slack.client import Client, Payload
from connectors.slack.people import View, ViewOf, is_ours
from connectors.slack.places import place, ts_of

_MARGIN = timedelta(minutes=1)
"""Clocks differ: what we created is looked for from so long before."""


async def create(client: Client, channel: str, draft: Draft, key: Key, view: View) -> Record:
    """Raises OutcomeUnknown where the message is there and lacks a reaction: it is found by its key."""
    wanted = reactions.due({"ts": ""}, draft.fields, view)
    message = await client.post(channel, composing.new_message(draft.fields, key))
    try:
        message = await _reacted(client, channel, message, wanted, view)
    except ConnectorError as error:
        raise OutcomeUnknown(error.reason, provider_message=error.provider_message) from error
    return translate.record(message, channel, view)


async def find_created(
    client: Client, channel: str, key: Key, since: datetime, view: View
) -> Sequence[Record]:
    """Our messages with the key, of all that came since."""
    oldest = ts_of(since - _MARGIN)
    found: list[Record] = []
    following: str | None = None
    while True:
        messages, following = await client.history(channel, oldest=oldest, cursor=following)
        found += [
            record
            for each in messages
            if translate.is_object(each, view.us)
            and (record := translate.record(each, channel, view)).created_by_us
            and key.token in record.keys
        ]
        if not following:
            return found


async def update(client: Client, ref: Ref, fields: Fields, expected: Record, view_of: ViewOf) -> Record:
    """The message itself is changed whole, so that it is read once more before; reactions come last.

    Raises:
        Park: it is a person's, or the reaction of somebody else stands in the way.
        ReplanNeeded: it is gone.
    """
    channel, ts = place(ref)
    message = await _now(client, channel, ts)
    view = await view_of([message])
    texts = {name: value for name, value in fields.items() if name in ("title", "notes")}
    if texts and not is_ours(message, view.us):
        raise Park(
            "Slack lets nobody change a message but its author",
            park_class=ParkClass.PERMISSION,
            field=min(texts),
        )
    due = reactions.due(message, fields, view)
    if due.in_the_way is not None:  # our own goes first: when theirs follows, nobody looks for ours
        await _reacted(client, channel, message, replace(due, add=()), view)
        raise due.in_the_way
    if texts:
        said = translate.fields_of(message, view, ours=True)
        written = composing.changed(message, said, texts, expected.backlink)
        message = {**message, **await client.update(channel, ts, written)}
    return translate.record(await _reacted(client, channel, message, due, view), channel, view)


async def _now(client: Client, channel: str, ts: str) -> Payload:
    messages = await client.newest(channel, oldest=ts, latest=ts, limit=1)
    if not messages or translate.is_tombstone(messages[0]):
        raise ReplanNeeded("the message is gone")
    return messages[0]


async def _reacted(client: Client, channel: str, message: Payload, due: reactions.Due, view: View) -> Payload:
    """The message with its reactions as they shall be."""
    for name in due.add:
        await client.react(channel, message["ts"], name)
    for name in due.remove:
        await client.unreact(channel, message["ts"], name)
    return {**message, "reactions": reactions.after(message, due, view.us)} if due else message
