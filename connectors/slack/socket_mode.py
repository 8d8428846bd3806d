"""Socket Mode: events and what people do come over a connection that we open.

https://docs.slack.dev/apis/events-api/using-socket-mode: each envelope is acknowledged under its id, with an
answer where one is wanted; Slack ends a connection now and then and says so before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
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
    """Pass on what comes until Slack asks to connect anew.

    Raises:
        RetryLater: the connection was cut.
    """
    try:
        async for message in socket:
            envelope = _envelope(message)
            if envelope.get("type") == "disconnect":
                return
            if "envelope_id" not in envelope:
                continue
            answer = await _answered(envelope, team, hearer)
            reply = {"envelope_id": envelope["envelope_id"], **({"payload": answer} if answer else {})}
            await socket.send(json.dumps(reply))
    except ConnectionClosed as error:
        raise RetryLater("Slack closed the socket", after=0) from error


def _envelope(message: str | bytes) -> Mapping[str, Any]:
    raw = message.encode() if isinstance(message, str) else message
    try:
        envelope = parsed(raw)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, Mapping) else {}


async def _answered(envelope: Mapping[str, Any], team: str, hearer: Hearer) -> Any:
    """What is said back with the acknowledgement; what cannot be read is kept, with the reason."""
    payload = envelope.get("payload")
    body = json.dumps(payload).encode()
    digest = hashlib.sha256(body).hexdigest()
    try:
        heard = _read(str(envelope.get("type")), payload, team, digest)
    except _UNREADABLE as error:
        heard = Received(dedupe=digest, ignored=f"it cannot be read: {type(error).__name__}")
    if isinstance(heard, Interaction):
        return _said((await hearer.ask(heard)).body)
    if isinstance(heard, Received):
        await hearer.tell(Delivery(headers={"content-type": "application/json"}, body=body), heard)
    return None


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
