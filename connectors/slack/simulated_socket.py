"""Socket Mode of a simulated Slack: a few sockets, each envelope to one of them, again until acknowledged.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.slack.simulated_calls import Args, Method
from connectors.slack.simulated_workspace import APP, Failed, Payload, Workspace

MOST_SOCKETS = 10
_ANSWER_WITHIN_S = 3.0


class SocketMode:
    """``received``: envelopes that were acknowledged, with their answers."""

    def __init__(self, workspace: Workspace) -> None:
        self.received: list[tuple[Payload, Any]] = []
        self.opened = 0
        """How many sockets were opened so far."""
        self._workspace = workspace
        self._tickets: set[str] = set()
        self._open: list[asyncio.Queue[Payload | None]] = []
        self._waiting: deque[Payload] = deque()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def methods(self) -> Mapping[str, Method]:
        return {"apps.connections.open": self._ticket}

    def put(self, type: str, payload: Payload) -> None:
        """Send; while no socket is open it waits for one."""
        self._idle.clear()
        self._send(self._envelope(type, payload))

    async def ask(self, type: str, payload: Payload) -> Any:
        """Send, and give the payload of the acknowledgement: {} where it has none, or came too late."""
        envelope = self._envelope(type, payload)
        answer = asyncio.get_running_loop().create_future()
        self._answers[envelope["envelope_id"]] = answer
        self._send(envelope)
        try:
            return await asyncio.wait_for(answer, _ANSWER_WITHIN_S) or {}
        except TimeoutError:
            return {}

    async def idle(self) -> None:
        """Until everything that was put is acknowledged."""
        await self._idle.wait()

    def disconnect(self) -> None:
        """Ask every client to connect anew, and close."""
        for queue in self._open:
            queue.put_nowait({"type": "disconnect", "reason": "refresh_requested"})
            queue.put_nowait(None)

    async def serve(self, socket: WebSocket) -> None:
        """One socket, until it ends; what it did not acknowledge goes out again."""
        await socket.accept()
        if socket.query_params.get("ticket") not in self._tickets or len(self._open) >= MOST_SOCKETS:
            await socket.close()
            return
        self._tickets.discard(socket.query_params["ticket"])
        queue: asyncio.Queue[Payload | None] = asyncio.Queue()
        sent: dict[str, Payload] = {}
        self._open.append(queue)
        self.opened += 1
        hello = {"type": "hello", "num_connections": len(self._open), "connection_info": {"app_id": APP}}
        queue.put_nowait(hello)
        while self._waiting:
            queue.put_nowait(self._waiting.popleft())
        hearing = asyncio.create_task(self._hear(socket, sent, queue))
        try:
            while (envelope := await queue.get()) is not None:
                if "envelope_id" in envelope:
                    sent[envelope["envelope_id"]] = envelope
                await socket.send_json(envelope)
            await socket.close()
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client is gone
        finally:
            self._open.remove(queue)
            hearing.cancel()
            left = [queue.get_nowait() for _ in range(queue.qsize())]
            for each in (*sent.values(), *(each for each in left if each and "envelope_id" in each)):
                self._send(
                    {**each, "retry_attempt": each.get("retry_attempt", 0) + 1, "retry_reason": "timeout"}
                )

    async def _hear(
        self, socket: WebSocket, sent: dict[str, Payload], queue: asyncio.Queue[Payload | None]
    ) -> None:
        try:
            while True:
                reply = await socket.receive_json()
                envelope = sent.pop(reply.get("envelope_id"), None)
                if envelope is None:
                    continue
                self.received.append((envelope, reply.get("payload")))
                answer = self._answers.pop(envelope["envelope_id"], None)
                if answer is not None and not answer.done():
                    answer.set_result(reply.get("payload"))
                if not sent and queue.empty() and not self._waiting:
                    self._idle.set()
        except (WebSocketDisconnect, RuntimeError):
            queue.put_nowait(None)

    def _envelope(self, type: str, payload: Payload) -> Payload:
        return {
            "envelope_id": self._workspace.next_id("envelope-"),
            "type": type,
            "payload": payload,
            "accepts_response_payload": type != "events_api",
        }

    def _send(self, envelope: Payload) -> None:
        if self._open:
            self._open[0].put_nowait(envelope)
        else:
            self._waiting.append(envelope)

    def _ticket(self, args: Args) -> Payload:
        if len(self._open) >= MOST_SOCKETS:
            raise Failed("too_many_websockets")
        ticket = self._workspace.next_id("ticket")
        self._tickets.add(ticket)
        address = self._workspace.base_url.replace("http", "ws", 1)
        return {"url": f"{address}/link/?ticket={ticket}&app_id={APP}"}
