"""Socket Mode: events and what people do come over a connection that we open.

https://docs.slack.dev/apis/events-api/using-socket-mode: each envelope is acknowledged under its id, with an
answer where one is wanted; Slack ends a connection now and then and says so before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed

from connectors.answers import parsed
from connectors.changes import Delivery, Echo, Received
from connectors.errors import RetryLater
from connectors.interactions import Hearer, Interaction
from connectors.slack import interactivity, webhook
from connectors.sockets import Socket

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


async def listen(socket: Socket, team: str, hearer: Hearer) -> None:
    """Pass on what comes until Slack asks to connect anew. Nobody waits while somebody else is answered.

    Raises:
        RetryLater: the connection was cut.
    """
    cut: ConnectionClosed | None = None
    async with asyncio.TaskGroup() as answering:
        try:
            async for message in socket:
                envelope = _envelope(message)
                if envelope.get("type") == "disconnect":
                    return
                if "envelope_id" not in envelope:
                    continue
                heard, delivery = _heard(envelope, team)
                if isinstance(heard, Interaction):
                    answering.create_task(_answer(socket, envelope, heard, hearer))
                    continue
                if isinstance(heard, Received):
                    await hearer.tell(delivery, heard)
                await _acknowledge(socket, envelope, None)
        except ConnectionClosed as error:
            cut = error
    if cut is not None:
        raise RetryLater("Slack closed the socket", after=0) from cut


async def _answer(
    socket: Socket, envelope: Mapping[str, Any], interaction: Interaction, hearer: Hearer
) -> None:
    """A request that nothing was done about is not acknowledged: Slack tells the person to try again."""
    answer = await hearer.ask(interaction)
    if answer.status < 400:
        with suppress(ConnectionClosed):  # who reads notices it, too
            await _acknowledge(socket, envelope, _said(answer.body))


async def _acknowledge(socket: Socket, envelope: Mapping[str, Any], payload: Any) -> None:
    reply = {"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})}
    await socket.send(json.dumps(reply))


def _envelope(message: str | bytes) -> Mapping[str, Any]:
    raw = message.encode() if isinstance(message, str) else message
    try:
        envelope = parsed(raw)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, Mapping) else {}


def _heard(envelope: Mapping[str, Any], team: str) -> tuple[Received | Echo | Interaction, Delivery]:
    """What an envelope holds, and as it is kept; what cannot be read is kept with the reason."""
    payload = envelope.get("payload")
    body = json.dumps(payload).encode()
    digest = hashlib.sha256(body).hexdigest()
    delivery = Delivery(headers={"content-type": "application/json"}, body=body)
    try:
        return _read(str(envelope.get("type")), payload, team, digest), delivery
    except _UNREADABLE as error:
        return Received(dedupe=digest, ignored=f"it cannot be read: {type(error).__name__}"), delivery


def _read(kind: str, payload: Any, team: str, digest: str) -> Received | Echo | Interaction:
    if not isinstance(payload, dict):
        raise TypeError("no object")
    if kind == "interactive":
        return interactivity.of_payload(payload)
    if kind == "slash_commands":
        return interactivity.of_command(payload)
    return webhook.read(payload, team, digest)


def _said(body: bytes) -> Any:
    """The answer as the acknowledgement holds it: JSON, or a text."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return {"text": body.decode(errors="replace")}
