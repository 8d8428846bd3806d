"""Modals of a simulated Slack: opened with a trigger that ends, stacked, updated under a hash.

https://docs.slack.dev/surfaces/modals
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.simulation import Clock
from connectors.slack.simulated_blocks import check_view
from connectors.slack.simulated_calls import Args, Method
from connectors.slack.simulated_workspace import APP, BOT, TEAM, Failed, Payload, Workspace

TRIGGER_LIVES = timedelta(seconds=3)
_LARGEST_STACK = 3
_KEPT = ("type", "title", "submit", "close", "blocks", "callback_id", "private_metadata", "external_id")


@dataclass(slots=True)
class _Trigger:
    user: str
    until: datetime
    view: str | None
    used: bool = False


class Views:
    """What is open at whom. ``open``: view id -> view, in order of opening; ``homes``: by user."""

    def __init__(self, clock: Clock, workspace: Workspace) -> None:
        self.open: dict[str, Payload] = {}
        self.homes: dict[str, Payload] = {}
        self._clock = clock
        self._workspace = workspace
        self._triggers: dict[str, _Trigger] = {}

    def trigger(self, user: str, view: str | None = None) -> str:
        """A trigger id; it lives 3 s and works once."""
        id = self._workspace.next_id("trigger.")
        self._triggers[id] = _Trigger(user, self._clock.now() + TRIGGER_LIVES, view)
        return id

    def of(self, user: str) -> list[Payload]:
        """The open views of a user, the one on top last."""
        return [view for view in self.open.values() if view["user"] == user]

    def close(self, view_id: str) -> None:
        self.open.pop(view_id, None)

    def clear(self, view_id: str) -> None:
        """Close the whole stack that the view is in."""
        root = self.open[view_id]["root_view_id"]
        self.open = {id: view for id, view in self.open.items() if view["root_view_id"] != root}

    def methods(self) -> Mapping[str, Method]:
        return {
            "views.open": self._open,
            "views.push": self._push,
            "views.update": self._update,
            "views.publish": self._publish,
        }

    def put(self, user: str, view: Mapping[str, Any], *, above: str | None = None) -> Payload:
        """A new view on the screen of a user."""
        check_view(view)
        id = self._workspace.next_id("V")
        root = self.open[above]["root_view_id"] if above else id
        self.open[id] = {
            **_shown(view),
            "id": id,
            "user": user,
            "team_id": TEAM,
            "app_id": APP,
            "bot_id": BOT,
            "previous_view_id": above,
            "root_view_id": root,
            "state": {"values": {}},
            "hash": self._workspace.next_id("hash."),
        }
        return self.open[id]

    def replace(self, view_id: str, view: Mapping[str, Any]) -> Payload:
        """Another content; what was typed into blocks that stay, stays."""
        check_view(view)
        kept = {name: value for name, value in self.open[view_id].items() if name not in _KEPT}
        self.open[view_id] = {**kept, **_shown(view), "hash": self._workspace.next_id("hash.")}
        return self.open[view_id]

    def _pulled(self, args: Args) -> _Trigger:
        trigger = self._triggers.get(args.needed("trigger_id"))
        if trigger is None:
            raise Failed("invalid_trigger_id")
        if trigger.used:
            raise Failed("exchanged_trigger_id")
        if self._clock.now() >= trigger.until:
            raise Failed("expired_trigger_id")
        trigger.used = True
        return trigger

    def _open(self, args: Args) -> Payload:
        view = self._view(args)
        return {"view": outside(self.put(self._pulled(args).user, view))}

    def _push(self, args: Args) -> Payload:
        view = self._view(args)
        trigger = self._pulled(args)
        if trigger.view is None or trigger.view not in self.open:
            raise Failed("not_found")
        root = self.open[trigger.view]["root_view_id"]
        if sum(each["root_view_id"] == root for each in self.open.values()) >= _LARGEST_STACK:
            raise Failed("push_limit_reached")
        return {"view": outside(self.put(trigger.user, view, above=trigger.view))}

    def _update(self, args: Args) -> Payload:
        external = args.text("external_id")
        by_external = (id for id, view in self.open.items() if external and view["external_id"] == external)
        id = args.text("view_id") or next(by_external, "")
        if id not in self.open:
            raise Failed("not_found")
        if args.text("hash") and args.text("hash") != self.open[id]["hash"]:
            raise Failed("hash_conflict")
        return {"view": outside(self.replace(id, self._view(args)))}

    def _publish(self, args: Args) -> Payload:
        view, user = self._view(args), args.needed("user_id")
        check_view(view)
        self.homes[user] = {**_shown(view), "id": self._workspace.next_id("V"), "user": user}
        return {"view": outside(self.homes[user])}

    def _view(self, args: Args) -> Mapping[str, Any]:
        view = args.data("view")
        if not isinstance(view, Mapping):
            raise Failed("invalid_arguments")
        return view


def outside(view: Payload) -> Payload:
    """As it stands in answers and payloads."""
    return {name: value for name, value in view.items() if name != "user"}


def _shown(view: Mapping[str, Any]) -> Payload:
    return {
        name: view.get(name, "" if name in ("callback_id", "private_metadata", "external_id") else None)
        for name in _KEPT
        if name in view or name in ("callback_id", "private_metadata", "external_id")
    }
