"""The manifest from which Slack makes the app in one step. Pure.

https://docs.slack.dev/reference/app-manifest. The app is the company's own, internal one: the narrow limits
of ``conversations.history`` for apps that are sold elsewhere do not apply to it.
"""

from __future__ import annotations

from typing import Any

from connectors.slack.config import LANDS_AT
from connectors.slack.interactivity import CREATE
from connectors.slack.scopes import NEEDED

EVENTS = (
    "message.channels",
    "message.groups",
    "reaction_added",
    "reaction_removed",
)
"""Events of the bot (https://docs.slack.dev/reference/events)."""


def manifest(events: str, interactions: str, *, rotation: bool = False) -> dict[str, Any]:
    """What an admin gives to Slack.

    Args:
        events, interactions: where it shall call; where these are empty the app uses Socket Mode.
        rotation: tokens end after 12 hours and are renewed; Slack does not let it be switched off again
            (https://docs.slack.dev/authentication/using-token-rotation).
    """
    socket = not events
    command = {
        "command": "/asana",
        "description": "Create, find and link Asana tasks",
        "usage_hint": "new TITLE | search TEXT | mine | link URL | help",
        "should_escape": False,
        **({} if socket else {"url": interactions}),
    }
    shortcut = {
        "name": "Create Asana task",
        "type": "message",
        "callback_id": CREATE,
        "description": "Make a task of this message, and keep both in step",
    }
    interactivity: dict[str, Any] = {"is_enabled": True}
    subscriptions: dict[str, Any] = {"bot_events": list(EVENTS)}
    if not socket:
        interactivity |= {"request_url": interactions, "message_menu_options_url": interactions}
        subscriptions |= {"request_url": events}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Asana Sync",
            "description": "Turns messages into Asana tasks and keeps threads in step with them",
            "background_color": "#273347",
        },
        "features": {
            "bot_user": {"display_name": "asana-sync", "always_online": True},
            "shortcuts": [shortcut],
            "slash_commands": [command],
        },
        "oauth_config": {
            **({"redirect_urls": [interactions or LANDS_AT]} if interactions or rotation else {}),
            "scopes": {"bot": sorted(NEEDED)},
        },
        "settings": {
            "event_subscriptions": subscriptions,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": rotation,
        },
    }
