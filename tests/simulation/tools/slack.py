"""Slack, as the other side of a town: messages that somebody marks become tasks, and are talked about there.

Who marks a message wants a task for it; who takes the mark away lets the two sleep. Nobody but its author
changes a message: what people wrote is theirs, what we posted is ours.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from connectors.records import CLOSED
from connectors.simulation import Exchange, Sent
from connectors.slack.blocks import NOTES_BLOCK, TITLE_BLOCK
from connectors.slack.interactivity import COMPLETE
from connectors.slack.simulator import SlackSimulator
from sync.reconcile.model import Side
from tests.simulation.memory import File
from tests.simulation.schedule import Kind
from tests.simulation.tools.base import Otherwise, Rewriting, Tool, View

if TYPE_CHECKING:
    from tests.simulation.promises import Pair

MARK = "ticket"


class Slack(Tool[SlackSimulator]):
    connection: ClassVar[str] = "our-slack"
    methods: ClassVar[tuple[str | None, ...]] = (None, "GET", "POST", "POST", "GET", "POST")
    fields: ClassVar[Sequence[str]] = ("title", "notes", "state")
    mapping: ClassVar[Mapping[str, Any]] = {
        "filter": {"fields": {"custom:reactions": [MARK]}},
        "create": {"to_asana": True, "from_asana": True},
    }
    settings: ClassVar[Mapping[str, Any]] = {"hidden_park_seconds": 600.0}
    """A message that is merely not there any more, nobody knows why, waits for a person after ten minutes."""
    title_in_text: ClassVar[bool] = True
    unlisted: ClassVar[frozenset[Kind]] = frozenset({Kind.WITHDRAW, Kind.REWORD})

    waits: ClassVar[frozenset[tuple[str, str, str]]] = frozenset({("field", "state", "permission")})
    """The reaction for done that somebody else gave: we cannot take it away."""

    def __init__(self) -> None:
        super().__init__(SlackSimulator())
        self._marked: set[str] = set()
        """Messages that somebody marked, at whatever time."""

    # people

    def new(self, container: str, title: str, notes: str, by: str, way: int) -> str:
        """One of four says something that nobody wants a task for."""
        made = super().new(container, title, notes, by, way)
        if way % 4:
            self._mark(made, self._view(made), by)
        return made

    def otherwise(self, kind: Kind) -> Otherwise | None:
        ways = {Kind.LABEL: self._mark, Kind.UNLABEL: self._unmark, Kind.ASSIGN: _nothing}
        return ways.get(kind)

    def people_word(self, view: View) -> bool:
        return not view["message"].get("bot_id")

    def _mark(self, object_id: str, view: View, by: str) -> str | None:
        if by in view["reactions"].get(MARK, ()):
            return None
        self._marked.add(object_id)
        self.simulator.edit(object_id, reactions=[*_given(view, by), MARK], by=by)
        return f"marks {view['title']!r} ({object_id})"

    def _unmark(self, object_id: str, view: View, by: str) -> str | None:
        if by not in view["reactions"].get(MARK, ()):
            return None
        self.simulator.edit(object_id, reactions=[n for n in _given(view, by) if n != MARK], by=by)
        return f"takes the mark off {view['title']!r} ({object_id})"

    def _view(self, object_id: str) -> View:
        view = self.simulator.view(object_id)
        assert view is not None
        return view

    # the app

    def install(self, public_url: str) -> None:
        self.simulator.install(f"{public_url}/webhooks/{self.connection}/app")

    def person(self, name: str) -> str:
        return self.simulator.people[name].id

    # trouble

    def revoke(self, known: Mapping[str, str]) -> dict[str, str]:
        self.simulator.api.token = f"xoxb-{secrets.token_hex(16)}"
        return {**known, "bot_token": self.simulator.api.token}

    def hide(self, container: str, pick: int) -> str:
        self.simulator.workspace.channels[container]["is_member"] = False
        return "takes the app out of the channel"

    def show(self, container: str) -> None:
        self.simulator.workspace.channels[container]["is_member"] = True

    # what is promised

    def we_word(self, view: View) -> bool:
        return not self.people_word(view)

    def is_wanted(self, view: View) -> bool:
        return MARK in view["reactions"]

    def rewritten(self, exchange: Exchange) -> Iterator[Rewriting]:
        """A message is written whole, title and text."""
        body = exchange.body if isinstance(exchange.body, dict) else {}
        blocks = {block.get("block_id"): block for block in body.get("blocks") or ()}
        if exchange.path.endswith("/chat.update") and TITLE_BLOCK in blocks:
            said = json.dumps([blocks.get(TITLE_BLOCK), blocks.get(NOTES_BLOCK)])
            yield Rewriting(f"{body['channel']}/{body['ts']}", frozenset({"title", "notes"}), said)

    def is_content(self, exchange: Exchange) -> bool:
        return not exchange.path.endswith("/conversations.join")

    def copies(self, view: View, file: File) -> int:
        inside = [each for each in view["attachments"] if each["name"] == file.name]
        return sum(each["content"] == file.content for each in inside)

    def receipts(self, sent: Sent) -> frozenset[str]:
        """Messages are known by their time: each workspace that shares the channel is told of them."""
        told = json.loads(sent.body)
        event = told.get("event", {})
        message = ":".join(str(event.get(name, "")) for name in ("channel", "ts", "subtype"))
        return frozenset(filter(None, [told.get("event_id"), message]))

    def broken(self, pairs: Sequence[Pair], links: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        yield from self._talk_stays_talk(links)
        yield from self._ended_cards_offer_nothing(links)
        for pair in pairs:
            yield from _card_follows(pair)

    def _talk_stays_talk(self, links: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Nothing that people say becomes a task unless somebody marked it."""
        for link in links:
            said = link["external"]["id"]
            view = self.simulator.view(said) if said else None
            if link["kind"] == "task" and view and self.people_word(view) and said not in self._marked:
                yield f"3: link {link['id']}: a task was made of {view['title']!r}, which nobody marked"

    def _ended_cards_offer_nothing(self, links: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Below what is linked no more no card has buttons."""
        ended = [link["external"]["id"] for link in links if link["state"] == "unlinked"]
        held = {link["external"]["id"] for link in links if link["state"] != "unlinked"}
        for object_id in ended:
            channel, _, ts = (object_id or "").partition("/")
            for reply in self.simulator.workspace.replies(channel, ts) if object_id not in held else ():
                if _is_card(reply) and COMPLETE in json.dumps(reply["blocks"]):
                    yield f"1: the card of {object_id}, which is linked no more, has buttons"


def _card_follows(pair: Pair) -> Iterator[str]:
    """Below what somebody marked stands one card: it says what the task is called, and whether it is done."""
    task, message = (pair.seen[side] for side in Side)
    cards = [each["message"] for each in message["comments"] if _is_card(each["message"])]
    if len(cards) != (0 if message["message"].get("bot_id") else 1):
        yield f"4: link {pair.link}: {len(cards)} cards stand in the thread"
    for card in cards:
        done = COMPLETE not in json.dumps(card["blocks"])
        if task["title"] not in card["text"] or done != (task["state"] == CLOSED):
            yield f"1: link {pair.link}: the card says {card['text']!r}, done: {done}; the task differs"


def _is_card(message: View) -> bool:
    return any(block.get("block_id") == "task" for block in message.get("blocks", ()))


def _given(view: View, by: str) -> list[str]:
    return [name for name, users in view["reactions"].items() if by in users]


def _nothing(object_id: str, view: View, by: str) -> str | None:
    return None
