"""A client of the simulated Asana, and the target of its webhooks."""

from __future__ import annotations

import json
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Api:
    """What a client sees: ``data`` of each answer."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, **query: Any) -> Any:
        return (await self.ok("GET", path, params=query))["data"]

    async def post(self, path: str, *fields: str, **data: Any) -> Any:
        return await self.write("POST", path, fields, data)

    async def put(self, path: str, *fields: str, **data: Any) -> Any:
        return await self.write("PUT", path, fields, data)

    async def write(self, method: str, path: str, fields: tuple[str, ...], data: dict[str, Any]) -> Any:
        options = {"options": {"fields": list(fields)}} if fields else {}
        return (await self.ok(method, path, json={"data": data, **options}))["data"]

    async def ok(self, method: str, path: str, **request: Any) -> Any:
        answer = await self.http.request(method, path, **request)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, **request: Any) -> int:
        answer = await self.http.request(method, path, **request)
        assert not answer.is_success
        assert answer.json()["errors"][0]["message"]
        return answer.status_code

    async def rejected(self, method: str, path: str, **data: Any) -> int:
        return await self.refused(method, path, json={"data": data})


class Receiver:
    """The target of webhooks; ``answers`` are taken first, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.echo = True
        self.secret = ""
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/hook", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        handshake = request.headers.get("x-hook-secret")
        if handshake:
            self.secret = handshake
            return Response(headers={"X-Hook-Secret": handshake} if self.echo else {})
        self.bodies.append(await request.body())
        self.signatures.append(request.headers["x-hook-signature"])
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in json.loads(body)["events"]]


def gids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["gid"] for row in rows]


async def first_token(api: Api, resource: str, token: str | None = None) -> str:
    query = {"resource": resource} | ({"sync": token} if token else {})
    answer = await api.http.get("/events", params=query)
    assert answer.status_code == 412
    assert answer.json()["errors"]
    fresh: str = answer.json()["sync"]
    return fresh
