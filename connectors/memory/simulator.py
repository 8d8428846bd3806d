"""The store itself: a small JSON API over loopback, with sequence numbers, ``If-Match`` and signed webhooks.

Items, comments and events are kept as the JSON that the API answers and are replaced, never changed.
Quirks: the space around titles is cut, labels are sorted, an empty title is refused (422).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.memory.config import LARGEST, NAME
from connectors.signing import hmac_sha256_hex
from connectors.simulation import Clock, Lagging, Outgoing, Refused, Simulator
from connectors.simulation_forms import is_form, read_form

Payload: TypeAlias = Mapping[str, Any]
Call: TypeAlias = Callable[[Request, str, Payload], Any]
"""(request, id of the caller, body) -> what is answered as JSON."""

BOT = "sync-bot"
_EMPTY: Payload = {
    "title": "",
    "notes": "",
    "state": "open",
    "assignee": [],
    "labels": [],
    "due": None,
    "custom:points": None,
    "custom:priority": None,
}


class MemorySimulator(Simulator):
    """The store, and the people who work in it."""

    name: ClassVar[str] = NAME

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock=clock)
        self.people = {
            name: {"id": f"u-{name}", "name": name, "email": f"{name}@example.com"}
            for name in ("ada", "bob", BOT)
        }
        self.token = f"mem-{uuid.uuid4().hex}"
        self._spaces: dict[str, Payload] = {}
        self._items: Lagging[Payload] = Lagging(self.clock)
        self._comments: Lagging[Payload] = Lagging(self.clock)
        self._attachments: Lagging[Payload] = Lagging(self.clock)
        self._contents: dict[str, bytes] = {}
        self._events: Lagging[Payload] = Lagging(self.clock)
        self.webhooks: dict[str, Payload] = {}
        self.cards: dict[str, Payload] = {}
        self.whispers: list[Payload] = []
        self._count = 0

    def connection(self, base_url: str) -> dict[str, Any]:
        return {
            "settings": {"base_url": base_url, "store": "main"},
            "credentials": {"token": self.token},
        }

    # what people do

    def new_container(self, name: str) -> str:
        self._spaces[name] = {"id": name, "name": name, "url": f"{self.base_url}/ui/{name}"}
        return name

    def new(
        self, container: str, *, title: str, notes: str = "", by: str | None = None, **fields: Any
    ) -> str:
        values = self._as_sent({"title": title, "notes": notes, **fields})
        return str(self._create(container, values, self._author(by))["id"])

    def edit(self, object_id: str, *, by: str | None = None, **fields: Any) -> None:
        self._change(self._items[object_id], self._as_sent(fields), self._author(by))

    def comment(self, object_id: str, text: str, *, by: str | None = None) -> str:
        return str(self._add_comment(self._items[object_id], text, self._author(by))["id"])

    def edit_comment(self, comment_id: str, text: str) -> None:
        self._change_comment(self._comments[comment_id], text)

    def delete_comment(self, comment_id: str) -> None:
        self._remove_comment(self._comments[comment_id])

    def attach(self, object_id: str, name: str, content: bytes, *, by: str | None = None) -> str:
        return str(self._add_attachment(self._items[object_id], name, content, None, self._author(by))["id"])

    def detach(self, attachment_id: str) -> None:
        """A person removes a file."""
        attachment = self._attachments[attachment_id]
        del self._attachments[attachment_id]
        self._happened(self._items[attachment["item"]], "attachment", attachment["author"])

    def ask(self, do: str, space: str, *, by: str = "ada", **more: Any) -> tuple[bytes, dict[str, str]]:
        """A request of a person, as it is sent: body and headers. ``more`` as in ``interactions.py``."""
        person = {"id": self.people[by]["id"], "name": self.people[by]["name"]}
        document = {"id": uuid.uuid4().hex, "do": do, "person": person, "space": space, **more}
        body, timestamp = json.dumps(document).encode(), str(int(self.clock.now().timestamp()))
        digest = hmac_sha256_hex(self.token, timestamp.encode() + b"." + body)
        return body, {"X-Memory-Timestamp": timestamp, "X-Memory-Signature": f"sha256={digest}"}

    def remove(self, object_id: str, *, by: str | None = None) -> None:
        self._delete(self._items[object_id], self._author(by))

    def view(self, object_id: str) -> dict[str, Any] | None:
        item = self._items.get(object_id)
        if item is None or item["deleted"]:
            return None
        names = {person["id"]: name for name, person in self.people.items()}
        comments = [
            {"id": comment["id"], "text": comment["text"], "author": comment["author"]["name"]}
            for comment in self._comments.values()
            if comment["item"] == object_id
        ]
        attachments = [
            {name: file[name] for name in ("id", "name", "url")} | {"content": self._contents.get(file["id"])}
            for file in self._attachments.values()
            if file["item"] == object_id
        ]
        assignees = [names[id] for id in item["assignee"]]
        return {
            **item,
            "assignee": assignees[0] if assignees else None,
            "assignees": assignees,
            "comments": comments,
            "attachments": attachments,
        }

    def objects(self, container: str) -> list[str]:
        living = (item for item in self._items.values() if not item["deleted"])
        return [item["id"] for item in living if item["space"] == container]

    def _author(self, by: str | None) -> Payload:
        person = self.people[by or "ada"]
        return {"id": person["id"], "name": person["name"]}

    def _as_sent(self, fields: Payload) -> Payload:
        """Fields as a person gives them, with one assignee or several by name, as the API takes them."""
        given = fields.get("assignee") or ()
        ids = [self.people[name]["id"] for name in ([given] if isinstance(given, str) else given)]
        values = {name: value for name, value in fields.items() if name in _EMPTY}
        return {**values, "assignee": ids} if "assignee" in fields else values

    # what then happens in the store

    def _create(self, space: str, values: Payload, author: Payload, **extra: Any) -> Payload:
        id, now = f"i{self._next()}", self._now()
        item = {
            **_EMPTY,
            **_checked({"title": "", **values}),
            "id": id,
            "space": space,
            "url": f"{self.base_url}/ui/{space}/{id}",
            "author": author,
            "key": None,
            "link": None,
            **extra,
            "deleted": False,
            "created_at": now,
            "modified_at": now,
            "version": self._version(now),
        }
        self._items[id] = item
        self._happened(item, "item", author)
        return item

    def _change(self, item: Payload, values: Payload, author: Payload, *, kind: str = "item") -> Payload:
        values = {name: value for name, value in _checked(values).items() if item[name] != value}
        if not values:
            return item
        now = self._now()
        after = {**item, **values, "modified_at": now, "version": self._version(now)}
        self._items[item["id"]] = after
        self._happened(after, kind, author, {name: [item[name], values[name]] for name in values})
        return after

    def _delete(self, item: Payload, author: Payload) -> None:
        self._change(item, {"deleted": True}, author, kind="deleted")

    def _add_comment(self, item: Payload, text: str, author: Payload) -> Payload:
        id, now = f"c{self._next()}", self._now()
        comment = {
            "id": id,
            "item": item["id"],
            "url": f"{item['url']}#{id}",
            "author": author,
            "text": text,
            "created_at": now,
            "modified_at": now,
        }
        self._comments[id] = comment
        self._happened(item, "comment", author)
        return comment

    def _change_comment(self, comment: Payload, text: str) -> Payload:
        after = {**comment, "text": text, "modified_at": self._now()}
        self._comments[comment["id"]] = after
        self._happened(self._items[comment["item"]], "comment", comment["author"])
        return after

    def _remove_comment(self, comment: Payload) -> None:
        del self._comments[comment["id"]]
        self._happened(self._items[comment["item"]], "comment", comment["author"])

    def _add_attachment(
        self, item: Payload, name: str, content: bytes | None, url: str | None, author: Payload
    ) -> Payload:
        """A file, or where there is no content a link."""
        id, now = f"f{self._next()}", self._now()
        attachment = {
            "id": id,
            "item": item["id"],
            "name": name,
            "url": url or f"{item['url']}#{id}",
            "size": None if content is None else len(content),
            "author": author,
            "created_at": now,
        }
        self._attachments[id] = attachment
        if content is not None:
            self._contents[id] = content
        self._happened(item, "attachment", author)
        return attachment

    def _happened(self, item: Payload, kind: str, author: Payload, values: Payload | None = None) -> None:
        """Note an event and tell the webhooks. ``values``: field -> what stood there before and after."""
        event = {"kind": kind, "item": item["id"], "at": self._now(), "by": author["id"]}
        seq = self._next()
        self._events[seq] = {**event, "seq": seq, "space": item["space"], "values": values or {}}
        body = json.dumps({"id": uuid.uuid4().hex, "events": [event]}).encode()
        timestamp = str(int(self.clock.now().timestamp()))
        for hook in self.webhooks.values():
            if hook["space"] == item["space"]:
                digest = hmac_sha256_hex(hook["secret"], timestamp.encode() + b"." + body)
                headers = {"X-Memory-Timestamp": timestamp, "X-Memory-Signature": f"sha256={digest}"}
                self.outbox.put(Outgoing(target=hook["target"], body=body, headers=headers))

    def _now(self) -> str:
        return self.clock.now().isoformat(timespec="microseconds")

    def _next(self) -> str:
        """A number that sorts as text in the order of counting."""
        self._count += 1
        return f"{self._count:08d}"

    def _version(self, now: str) -> str:
        return f"{now} {self._next()}"

    # the API

    def routes(self) -> Sequence[BaseRoute]:
        calls: Sequence[tuple[str, str, Call]] = (
            ("GET", "/me", lambda request, us, body: {**self.people[us], "store": "main"}),
            ("GET", "/spaces", lambda request, us, body: {"spaces": list(self._spaces.values())}),
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
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(401, "Unknown token")
        raw = await request.body()
        body = read_form(request.headers, raw) if is_form(request.headers) else json.loads(raw or b"{}")
        answer = call(request, BOT, body)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    def _space(self, request: Request) -> Payload:
        if request.path_params["space"] not in self._spaces:
            raise Refused(404, "No such space")
        return self._spaces[request.path_params["space"]]

    def _item(self, request: Request) -> Payload:
        """The item itself, for writes: they are not behind."""
        item = self._items.get(request.path_params["id"])
        if item is None or item["deleted"]:
            raise Refused(404 if item is None else 410, "No such item")
        if request.headers.get("if-match", item["version"]) != item["version"]:
            raise Refused(412, "Somebody changed the item")
        return item

    def _comment(self, request: Request) -> Payload:
        comment = self._comments.get(request.path_params["id"])
        if comment is None:
            raise Refused(410, "No such comment")
        return comment

    def _seen(self, records: Lagging[Payload], **wanted: Any) -> list[Payload]:
        """What readers see now of those with these values."""
        seen = records.all_seen(self.visible_after_s)
        return [record for record in seen if all(record[name] == wanted[name] for name in wanted)]

    def _get_people(self, request: Request, us: str, body: Payload) -> Payload:
        self._space(request)
        return {"people": list(self.people.values())}

    def _get_items(self, request: Request, us: str, body: Payload) -> Payload:
        wanted = {"key": request.query_params["key"]} if "key" in request.query_params else {}
        items = self._seen(self._items, space=self._space(request)["id"], deleted=False, **wanted)
        return _page("items", items, request)

    def _get_items_by_id(self, request: Request, us: str, body: Payload) -> Payload:
        ids = request.query_params.get("ids", "").split(",")
        found = [item for item in self._seen(self._items) if item["id"] in ids]
        return {
            "items": [item for item in found if not item["deleted"]],
            "deleted": [item["id"] for item in found if item["deleted"]],
        }

    def _post_item(self, request: Request, us: str, body: Payload) -> Payload:
        space = self._space(request)["id"]
        for item in self._items.values():
            if body.get("key") and (item["space"], item["key"]) == (space, body["key"]):
                return item
        values = {name: value for name, value in body.items() if name in _EMPTY}
        return self._create(space, values, self._author(us), key=body.get("key"), link=body.get("link"))

    def _patch_item(self, request: Request, us: str, body: Payload) -> Payload:
        item = self._item(request)
        values = {name: value for name, value in body.items() if name in _EMPTY}
        for name in {"labels", "assignee"} & set(values):
            kept = [element for element in item[name] if element not in values[name]["remove"]]
            values[name] = [*kept, *(each for each in values[name]["add"] if each not in kept)]
        return self._change(item, values, self._author(us))

    def _delete_item(self, request: Request, us: str, body: Payload) -> None:
        self._delete(self._item(request), self._author(us))

    def _get_changes(self, request: Request, us: str, body: Payload) -> Payload:
        events = self._seen(self._events, space=self._space(request)["id"])
        present = events[-1]["seq"] if events else "0"
        if "after" not in request.query_params:
            return {"changes": [], "next": present, "more": False}
        page = _page("changes", events, request, by="seq")
        return {"changes": page["changes"], "next": page["next"] or present, "more": page["next"] is not None}

    def _get_history(self, request: Request, us: str, body: Payload) -> Payload:
        since = datetime.fromisoformat(request.query_params["since"])
        names = {person["id"]: person["name"] for person in self.people.values()}
        return {
            "history": [
                {"field": field, "at": event["at"], "before": before, "after": after}
                | {"author": {"id": event["by"], "name": names[event["by"]]}}
                for event in self._seen(self._events, item=request.path_params["id"], kind="item")
                for field, (before, after) in event["values"].items()
                if datetime.fromisoformat(event["at"]) >= since
            ]
        }

    def _get_comments(self, request: Request, us: str, body: Payload) -> Payload:
        return _page("comments", self._seen(self._comments, item=request.path_params["id"]), request)

    def _post_comment(self, request: Request, us: str, body: Payload) -> Payload:
        return self._add_comment(self._item(request), body["text"], self._author(us))

    def _patch_comment(self, request: Request, us: str, body: Payload) -> Payload:
        return self._change_comment(self._comment(request), body["text"])

    def _delete_comment(self, request: Request, us: str, body: Payload) -> None:
        self._remove_comment(self._comment(request))

    def _get_attachments(self, request: Request, us: str, body: Payload) -> Payload:
        return {"attachments": self._seen(self._attachments, item=request.path_params["id"])}

    def _post_attachment(self, request: Request, us: str, body: Payload) -> Payload:
        content = body["file"].content if "file" in body else None
        if content is not None and len(content) > LARGEST:
            raise Refused(413, "The file is too large")
        item = self._item(request)
        return self._add_attachment(item, body["name"], content, body.get("url"), self._author(us))

    def _get_content(self, request: Request, us: str, body: Payload) -> Response:
        id = request.path_params["id"]
        if id not in self._attachments or id not in self._contents:
            raise Refused(404, "No such file")
        return Response(self._contents[id], media_type="application/octet-stream")

    def _put_card(self, request: Request, us: str, body: Payload) -> None:
        self.cards[self._item(request)["id"]] = body

    def _post_whisper(self, request: Request, us: str, body: Payload) -> None:
        self.whispers.append({**body, "item": self._item(request)["id"]})

    def _get_webhooks(self, request: Request, us: str, body: Payload) -> Payload:
        space = self._space(request)["id"]
        hooks = (hook for hook in self.webhooks.values() if hook["space"] == space)
        return {"webhooks": [{"id": hook["id"], "target": hook["target"]} for hook in hooks]}

    def _post_webhook(self, request: Request, us: str, body: Payload) -> Payload:
        id = f"w{self._next()}"
        target, secret = body["target"], body["secret"]
        space = self._space(request)["id"]
        self.webhooks[id] = {"id": id, "space": space, "target": target, "secret": secret}
        return {"id": id, "target": target}

    def _delete_webhook(self, request: Request, us: str, body: Payload) -> None:
        if self.webhooks.pop(request.path_params["id"], None) is None:
            raise Refused(410, "No such webhook")


def _page(name: str, records: Iterable[Payload], request: Request, *, by: str = "id") -> dict[str, Any]:
    """At most ``limit`` records whose ``by`` is greater than ``after``; ``next`` is null at the end."""
    after, limit = request.query_params.get("after", ""), int(request.query_params.get("limit", "50"))
    left = sorted((record for record in records if record[by] > after), key=lambda record: str(record[by]))
    return {name: left[:limit], "next": left[limit - 1][by] if len(left) > limit else None}


def _checked(values: Payload) -> dict[str, Any]:
    checked = dict(values)
    if "title" in values:
        checked["title"] = values["title"].strip()
        if not checked["title"]:
            raise Refused(422, "A title is needed", errors=[{"field": "title", "code": "missing"}])
    if "labels" in values:
        checked["labels"] = sorted(values["labels"])
    return checked
