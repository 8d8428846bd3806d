"""Several requests in one: done in any order, each counted, answered together.

https://developers.asana.com/docs/batch-requests
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.types import Message, Scope

from connectors.asana.simulated_call import Call
from connectors.simulation import Refused

MOST_ACTIONS = 10

Admit = Callable[[str, Sequence[str]], Refused | None]
"""(authorization, methods of the actions) -> why none of them is done."""


class Batch:
    """The endpoint."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit

    async def __call__(self, call: Call) -> Response:
        actions = call.needed("actions")
        if not isinstance(actions, list) or not 1 <= len(actions) <= MOST_ACTIONS:
            raise Refused(400, f"actions: There must be between 1 and {MOST_ACTIONS} of them")
        methods = [str(action.get("method", "")).upper() for action in actions]
        refused = self._admit(call.request.headers["authorization"], methods)
        if refused is not None:
            raise refused
        answers: list[dict[str, Any]] = [{} for _ in actions]
        for number in random.sample(range(len(actions)), len(actions)):
            answers[number] = await _done(call, methods[number], actions[number])
        return JSONResponse({"data": answers})


async def _done(call: Call, method: str, action: dict[str, Any]) -> dict[str, Any]:
    """One action: options become query or body, as they would stand in a request of its own."""
    data, options = action.get("data") or {}, action.get("options") or {}
    fields = options.get("fields") or []
    reads = method in ("GET", "DELETE")
    query = {**(data if reads else {}), **({"opt_fields": ",".join(fields)} if fields else {})}
    outer = call.request.scope
    scope: Scope = {
        "type": "http",
        "asgi": outer["asgi"],
        "http_version": "1.1",
        "scheme": outer["scheme"],
        "server": outer["server"],
        "client": outer["client"],
        "method": method,
        "root_path": "",
        "path": f"/api/1.0{action.get('relative_path', '')}",
        "query_string": urlencode(query).encode(),
        "headers": [
            (b"host", call.request.headers["host"].encode()),
            (b"authorization", call.request.headers["authorization"].encode()),
        ],
    }
    body = b"" if reads else json.dumps({"data": data}).encode()
    answered: dict[str, Any] = {"headers": {}}

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered["status_code"] = message["status"]
            location = [value.decode() for name, value in message["headers"] if name.lower() == b"location"]
            answered["headers"] = {"location": location[0]} if location else {}
        else:
            answered["body"] = json.loads(message["body"])

    await call.request.app(scope, receive, send)
    return answered
