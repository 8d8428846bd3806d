"""The provider itself: a small store over loopback HTTP, and what the people do who work in it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.routing import BaseRoute

from connectors.memory.config import NAME
from connectors.memory.simulated_api import Api
from connectors.memory.simulated_store import EMPTY, Payload, Store
from connectors.signing import hmac_sha256_hex
from connectors.simulation import Clock, Simulator


class MemorySimulator(Simulator):
    """The store, and the people who work in it."""

    name: ClassVar[str] = NAME

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock=clock)
        self.token = f"mem-{uuid.uuid4().hex}"
        self._store = Store(self.clock, self.outbox)
        self.people = self._store.people
        self.webhooks = self._store.webhooks
        self.cards = self._store.cards
        self.whispers = self._store.whispers

    def routes(self) -> Sequence[BaseRoute]:
        return Api(self._store, lambda: self.token, lambda: self.visible_after_s).routes()

    def connection(self, base_url: str) -> dict[str, Any]:
        return {
            "settings": {"base_url": base_url, "store": "main"},
            "credentials": {"token": self.token},
        }

    # what people do

    def new_container(self, name: str) -> str:
        self._store.spaces[name] = {"id": name, "name": name, "url": f"{self.base_url}/ui/{name}"}
        return name

    def new(
        self, container: str, *, title: str, notes: str = "", by: str | None = None, **fields: Any
    ) -> str:
        values = self._as_sent({"title": title, "notes": notes, **fields})
        return str(self._store.create(container, values, self._store.author(by))["id"])

    def edit(self, object_id: str, *, by: str | None = None, **fields: Any) -> None:
        self._store.change(self._store.items[object_id], self._as_sent(fields), self._store.author(by))

    def comment(self, object_id: str, text: str, *, by: str | None = None) -> str:
        return str(self._store.add_comment(self._store.items[object_id], text, self._store.author(by))["id"])

    def edit_comment(self, comment_id: str, text: str) -> None:
        self._store.change_comment(self._store.comments[comment_id], text)

    def delete_comment(self, comment_id: str) -> None:
        self._store.remove_comment(self._store.comments[comment_id])

    def attach(self, object_id: str, name: str, content: bytes, *, by: str | None = None) -> str:
        return str(
            self._store.add_attachment(
                self._store.items[object_id], name, content, None, self._store.author(by)
            )["id"]
        )

    def detach(self, attachment_id: str) -> None:
        """A person removes a file."""
        self._store.remove_attachment(self._store.attachments[attachment_id])

    def ask(self, do: str, space: str, *, by: str = "ada", **more: Any) -> tuple[bytes, dict[str, str]]:
        """A request of a person, as it is sent: body and headers. ``more`` as in ``interactions.py``."""
        person = {"id": self.people[by]["id"], "name": self.people[by]["name"]}
        document = {"id": uuid.uuid4().hex, "do": do, "person": person, "space": space, **more}
        body, timestamp = json.dumps(document).encode(), str(int(self.clock.now().timestamp()))
        digest = hmac_sha256_hex(self.token, timestamp.encode() + b"." + body)
        return body, {"X-Memory-Timestamp": timestamp, "X-Memory-Signature": f"sha256={digest}"}

    def remove(self, object_id: str, *, by: str | None = None) -> None:
        self._store.delete(self._store.items[object_id], self._store.author(by))

    def view(self, object_id: str) -> dict[str, Any] | None:
        item = self._store.items.get(object_id)
        if item is None or item["deleted"]:
            return None
        names = {person["id"]: name for name, person in self.people.items()}
        comments = [
            {"id": comment["id"], "text": comment["text"], "author": comment["author"]["name"]}
            for comment in self._store.comments.values()
            if comment["item"] == object_id
        ]
        attachments = [
            {name: file[name] for name in ("id", "name", "url")}
            | {"content": self._store.contents.get(file["id"])}
            for file in self._store.attachments.values()
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
        living = (item for item in self._store.items.values() if not item["deleted"])
        return [item["id"] for item in living if item["space"] == container]

    def _as_sent(self, fields: Payload) -> Payload:
        """Fields as a person gives them, with one assignee or several by name, as the API takes them."""
        given = fields.get("assignee") or ()
        ids = [self.people[name]["id"] for name in ([given] if isinstance(given, str) else given)]
        values = {name: value for name, value in fields.items() if name in EMPTY}
        return {**values, "assignee": ids} if "assignee" in fields else values
