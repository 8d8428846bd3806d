"""What the store holds, and what happens in it: every change makes an event and tells the webhooks.

Items, comments and events are kept as the JSON that the API answers and are replaced, never changed.
Quirks: the space around titles is cut, labels are sorted, an empty title is refused (422).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias

from connectors.signing import hmac_sha256_hex
from connectors.simulation import Clock, Lagging, Outbox, Outgoing, Refused

Payload: TypeAlias = Mapping[str, Any]

BOT = "sync-bot"
EMPTY: Payload = {
    "title": "",
    "notes": "",
    "state": "open",
    "assignee": [],
    "labels": [],
    "due": None,
    "custom:points": None,
    "custom:priority": None,
}


class Store:
    """Spaces with their items, and the people who work in them.

    Args:
        outbox: where webhook calls go out.
    """

    def __init__(self, clock: Clock, outbox: Outbox) -> None:
        self.people = {
            name: {"id": f"u-{name}", "name": name, "email": f"{name}@example.com"}
            for name in ("ada", "bob", BOT)
        }
        self.spaces: dict[str, Payload] = {}
        self.items: Lagging[Payload] = Lagging(clock)
        self.comments: Lagging[Payload] = Lagging(clock)
        self.attachments: Lagging[Payload] = Lagging(clock)
        self.contents: dict[str, bytes] = {}
        self.events: Lagging[Payload] = Lagging(clock)
        self.webhooks: dict[str, Payload] = {}
        self.cards: dict[str, Payload] = {}
        self.whispers: list[Payload] = []
        self._clock = clock
        self._outbox = outbox
        self._count = 0

    def author(self, by: str | None) -> Payload:
        person = self.people[by or "ada"]
        return {"id": person["id"], "name": person["name"]}

    def create(self, space: str, values: Payload, author: Payload, **extra: Any) -> Payload:
        id, now = f"i{self.next()}", self._now()
        item = {
            **EMPTY,
            **_checked({"title": "", **values}),
            "id": id,
            "space": space,
            "url": f"{self.spaces[space]['url']}/{id}",
            "author": author,
            "key": None,
            "link": None,
            **extra,
            "deleted": False,
            "created_at": now,
            "modified_at": now,
            "version": self._version(now),
        }
        self.items[id] = item
        self._happened(item, "item", author)
        return item

    def change(self, item: Payload, values: Payload, author: Payload, *, kind: str = "item") -> Payload:
        values = {name: value for name, value in _checked(values).items() if item[name] != value}
        if not values:
            return item
        now = self._now()
        after = {**item, **values, "modified_at": now, "version": self._version(now)}
        self.items[item["id"]] = after
        self._happened(after, kind, author, {name: [item[name], values[name]] for name in values})
        return after

    def delete(self, item: Payload, author: Payload) -> None:
        self.change(item, {"deleted": True}, author, kind="deleted")

    def add_comment(self, item: Payload, text: str, author: Payload) -> Payload:
        id, now = f"c{self.next()}", self._now()
        comment = {
            "id": id,
            "item": item["id"],
            "url": f"{item['url']}#{id}",
            "author": author,
            "text": text,
            "created_at": now,
            "modified_at": now,
        }
        self.comments[id] = comment
        self._happened(item, "comment", author)
        return comment

    def change_comment(self, comment: Payload, text: str) -> Payload:
        after = {**comment, "text": text, "modified_at": self._now()}
        self.comments[comment["id"]] = after
        self._happened(self.items[comment["item"]], "comment", comment["author"])
        return after

    def remove_comment(self, comment: Payload) -> None:
        del self.comments[comment["id"]]
        self._happened(self.items[comment["item"]], "comment", comment["author"])

    def remove_attachment(self, attachment: Payload) -> None:
        del self.attachments[attachment["id"]]
        self._happened(self.items[attachment["item"]], "attachment", attachment["author"])

    def add_attachment(
        self, item: Payload, name: str, content: bytes | None, url: str | None, author: Payload
    ) -> Payload:
        """A file, or where there is no content a link."""
        id, now = f"f{self.next()}", self._now()
        attachment = {
            "id": id,
            "item": item["id"],
            "name": name,
            "url": url or f"{item['url']}#{id}",
            "size": None if content is None else len(content),
            "author": author,
            "created_at": now,
        }
        self.attachments[id] = attachment
        if content is not None:
            self.contents[id] = content
        self._happened(item, "attachment", author)
        return attachment

    def _happened(self, item: Payload, kind: str, author: Payload, values: Payload | None = None) -> None:
        """Note an event and tell the webhooks. ``values``: field -> what stood there before and after."""
        event = {"kind": kind, "item": item["id"], "at": self._now(), "by": author["id"]}
        seq = self.next()
        self.events[seq] = {**event, "seq": seq, "space": item["space"], "values": values or {}}
        body = json.dumps({"id": uuid.uuid4().hex, "events": [event]}).encode()
        timestamp = str(int(self._clock.now().timestamp()))
        for hook in self.webhooks.values():
            if hook["space"] == item["space"]:
                digest = hmac_sha256_hex(hook["secret"], timestamp.encode() + b"." + body)
                headers = {"X-Memory-Timestamp": timestamp, "X-Memory-Signature": f"sha256={digest}"}
                self._outbox.put(Outgoing(target=hook["target"], body=body, headers=headers))

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="microseconds")

    def next(self) -> str:
        """A number that sorts as text in the order of counting."""
        self._count += 1
        return f"{self._count:08d}"

    def _version(self, now: str) -> str:
        return f"{now} {self.next()}"


def _checked(values: Payload) -> dict[str, Any]:
    checked = dict(values)
    if "title" in values:
        checked["title"] = values["title"].strip()
        if not checked["title"]:
            raise Refused(422, "A title is needed", errors=[{"field": "title", "code": "missing"}])
    if "labels" in values:
        checked["labels"] = sorted(values["labels"])
    return checked
