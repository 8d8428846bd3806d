"""The store's JSON API: sequence numbers, ``If-Match``, pages by key, forms with files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.memory.config import LARGEST
from connectors.memory.simulated_store import BOT, EMPTY, Payload, Store
from connectors.simulation import Lagging, Refused
from connectors.simulation_forms import is_form, read_form

Call: TypeAlias = Callable[[Request, str, Payload], Any]
"""(request, id of the caller, body) -> what is answered as JSON."""


class Api:
    """Endpoints over the store.

    Args:
        token: what callers have to show now.
        lag_s: how far readers are behind now, in seconds.
    """

    def __init__(self, store: Store, token: Callable[[], str], lag_s: Callable[[], float]) -> None:
        self._store = store
        self._token = token
        self._lag_s = lag_s

    def routes(self) -> Sequence[BaseRoute]:
        calls: Sequence[tuple[str, str, Call]] = (
            ("GET", "/me", lambda request, us, body: {**self._store.people[us], "store": "main"}),
            ("GET", "/spaces", lambda request, us, body: {"spaces": list(self._store.spaces.values())}),
            ("GET", "/spaces/{space}", lambda request, us, body: self._space(request)),
            ("GET", "/spaces/{space}/people", self._get_people),
            ("GET", "/spaces/{space}/items", self._get_items),
            ("POST", "/spaces/{space}/items", self._post_item),
            ("GET", "/spaces/{space}/changes", self._get_changes),
            ("GET", "/spaces/{space}/webhooks", self._get_webhooks),
            ("POST", "/spaces/{space}/webhooks", self._post_webhook),
            ("DELETE", "/webhooks/{id}", self._delete_webhook),
            ("GET", "/items", self._get_items_by_id),
            ("PATCH", "/items/{id}", self._patch_item),
            ("DELETE", "/items/{id}", self._delete_item),
            ("GET", "/items/{id}/history", self._get_history),
            ("GET", "/items/{id}/attachments", self._get_attachments),
            ("POST", "/items/{id}/attachments", self._post_attachment),
            ("GET", "/attachments/{id}/content", self._get_content),
            ("PUT", "/items/{id}/card", self._put_card),
            ("POST", "/items/{id}/whispers", self._post_whisper),
            ("GET", "/items/{id}/comments", self._get_comments),
            ("POST", "/items/{id}/comments", self._post_comment),
            ("PATCH", "/comments/{id}", self._patch_comment),
            ("DELETE", "/comments/{id}", self._delete_comment),
        )
        return [Route(path, partial(self._answer, call), methods=[method]) for method, path, call in calls]

    async def _answer(self, call: Call, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self._token()}":
            raise Refused(401, "Unknown token")
        raw = await request.body()
        body = read_form(request.headers, raw) if is_form(request.headers) else json.loads(raw or b"{}")
        answer = call(request, BOT, body)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    def _space(self, request: Request) -> Payload:
        if request.path_params["space"] not in self._store.spaces:
            raise Refused(404, "No such space")
        return self._store.spaces[request.path_params["space"]]

    def _item(self, request: Request) -> Payload:
        """The item itself, for writes: they are not behind."""
        item = self._store.items.get(request.path_params["id"])
        if item is None or item["deleted"]:
            raise Refused(404 if item is None else 410, "No such item")
        if request.headers.get("if-match", item["version"]) != item["version"]:
            raise Refused(412, "Somebody changed the item")
        return item

    def _comment(self, request: Request) -> Payload:
        comment = self._store.comments.get(request.path_params["id"])
        if comment is None:
            raise Refused(410, "No such comment")
        return comment

    def _seen(self, records: Lagging[Payload], **wanted: Any) -> list[Payload]:
        """What readers see now of those with these values."""
        seen = records.all_seen(self._lag_s())
        return [record for record in seen if all(record[name] == wanted[name] for name in wanted)]

    def _get_people(self, request: Request, us: str, body: Payload) -> Payload:
        self._space(request)
        return {"people": list(self._store.people.values())}

    def _get_items(self, request: Request, us: str, body: Payload) -> Payload:
        wanted = {"key": request.query_params["key"]} if "key" in request.query_params else {}
        items = self._seen(self._store.items, space=self._space(request)["id"], deleted=False, **wanted)
        return _page("items", items, request)

    def _get_items_by_id(self, request: Request, us: str, body: Payload) -> Payload:
        ids = request.query_params.get("ids", "").split(",")
        found = [item for item in self._seen(self._store.items) if item["id"] in ids]
        return {
            "items": [item for item in found if not item["deleted"]],
            "deleted": [item["id"] for item in found if item["deleted"]],
        }

    def _post_item(self, request: Request, us: str, body: Payload) -> Payload:
        space = self._space(request)["id"]
        for item in self._store.items.values():
            if body.get("key") and (item["space"], item["key"]) == (space, body["key"]):
                return item
        values = {name: value for name, value in body.items() if name in EMPTY}
        return self._store.create(
            space, values, self._store.author(us), key=body.get("key"), link=body.get("link")
        )

    def _patch_item(self, request: Request, us: str, body: Payload) -> Payload:
        item = self._item(request)
        values = {name: value for name, value in body.items() if name in EMPTY}
        for name in {"labels", "assignee"} & set(values):
            kept = [element for element in item[name] if element not in values[name]["remove"]]
            values[name] = [*kept, *(each for each in values[name]["add"] if each not in kept)]
        return self._store.change(item, values, self._store.author(us))

    def _delete_item(self, request: Request, us: str, body: Payload) -> None:
        self._store.delete(self._item(request), self._store.author(us))

    def _get_changes(self, request: Request, us: str, body: Payload) -> Payload:
        events = self._seen(self._store.events, space=self._space(request)["id"])
        present = events[-1]["seq"] if events else "0"
        if "after" not in request.query_params:
            return {"changes": [], "next": present, "more": False}
        page = _page("changes", events, request, by="seq")
        return {"changes": page["changes"], "next": page["next"] or present, "more": page["next"] is not None}

    def _get_history(self, request: Request, us: str, body: Payload) -> Payload:
        since = datetime.fromisoformat(request.query_params["since"])
        names = {person["id"]: person["name"] for person in self._store.people.values()}
        return {
            "history": [
                {"field": field, "at": event["at"], "before": before, "after": after}
                | {"author": {"id": event["by"], "name": names[event["by"]]}}
                for event in self._seen(self._store.events, item=request.path_params["id"], kind="item")
                for field, (before, after) in event["values"].items()
                if datetime.fromisoformat(event["at"]) >= since
            ]
        }

    def _get_comments(self, request: Request, us: str, body: Payload) -> Payload:
        return _page("comments", self._seen(self._store.comments, item=request.path_params["id"]), request)

    def _post_comment(self, request: Request, us: str, body: Payload) -> Payload:
        return self._store.add_comment(self._item(request), body["text"], self._store.author(us))

    def _patch_comment(self, request: Request, us: str, body: Payload) -> Payload:
        return self._store.change_comment(self._comment(request), body["text"])

    def _delete_comment(self, request: Request, us: str, body: Payload) -> None:
        self._store.remove_comment(self._comment(request))

    def _get_attachments(self, request: Request, us: str, body: Payload) -> Payload:
        return {"attachments": self._seen(self._store.attachments, item=request.path_params["id"])}

    def _post_attachment(self, request: Request, us: str, body: Payload) -> Payload:
        content = body["file"].content if "file" in body else None
        if content is not None and len(content) > LARGEST:
            raise Refused(413, "The file is too large")
        item = self._item(request)
        return self._store.add_attachment(
            item, body["name"], content, body.get("url"), self._store.author(us)
        )

    def _get_content(self, request: Request, us: str, body: Payload) -> Response:
        id = request.path_params["id"]
        if id not in self._store.attachments or id not in self._store.contents:
            raise Refused(404, "No such file")
        return Response(self._store.contents[id], media_type="application/octet-stream")

    def _put_card(self, request: Request, us: str, body: Payload) -> None:
        self._store.cards[self._item(request)["id"]] = body

    def _post_whisper(self, request: Request, us: str, body: Payload) -> None:
        self._store.whispers.append({**body, "item": self._item(request)["id"]})

    def _get_webhooks(self, request: Request, us: str, body: Payload) -> Payload:
        space = self._space(request)["id"]
        hooks = (hook for hook in self._store.webhooks.values() if hook["space"] == space)
        return {"webhooks": [{"id": hook["id"], "target": hook["target"]} for hook in hooks]}

    def _post_webhook(self, request: Request, us: str, body: Payload) -> Payload:
        id = f"w{self._store.next()}"
        target, secret = body["target"], body["secret"]
        space = self._space(request)["id"]
        self._store.webhooks[id] = {"id": id, "space": space, "target": target, "secret": secret}
        return {"id": id, "target": target}

    def _delete_webhook(self, request: Request, us: str, body: Payload) -> None:
        if self._store.webhooks.pop(request.path_params["id"], None) is None:
            raise Refused(410, "No such webhook")


def _page(name: str, records: Iterable[Payload], request: Request, *, by: str = "id") -> dict[str, Any]:
    """At most ``limit`` records whose ``by`` is greater than ``after``; ``next`` is null at the end."""
    after, limit = request.query_params.get("after", ""), int(request.query_params.get("limit", "50"))
    left = sorted((record for record in records if record[by] > after), key=lambda record: str(record[by]))
    return {name: left[:limit], "next": left[limit - 1][by] if len(left) > limit else None}
