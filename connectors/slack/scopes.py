"""What the app must be allowed to do, and what goes without it. Pure.

https://docs.slack.dev/reference/scopes
"""

from __future__ import annotations

from collections.abc import Mapping

CUSTOMIZE = "chat:write.customize"

NEEDED: Mapping[str, str] = {
    "channels:history": "messages of public channels are not read",
    "channels:join": "the app cannot enter public channels by itself",
    "channels:read": "public channels are not listed",
    "chat:write": "nothing can be written",
    CUSTOMIZE: "copied comments stand under the app's name, with the author in the text",
    "commands": "there is neither the shortcut nor the command /asana",
    "files:read": "files are not copied to Asana",
    "files:write": "files are not copied from Asana",
    "groups:history": "messages of private channels are not read",
    "groups:read": "private channels are not listed",
    "reactions:read": "reactions, and with them the state, are not read",
    "reactions:write": "the state cannot be shown as a reaction",
    "users:read": "authors have no names",
    "users:read.email": "people are not recognised by their email",
}
"""Scope of the bot -> what is not possible without it."""


def missing(granted: frozenset[str]) -> tuple[str, ...]:
    """One sentence for each scope that the token lacks; none where Slack does not tell its scopes."""
    if not granted:
        return ()
    return tuple(
        f"{why}: add the scope {name} to the app and install it again"
        for name, why in NEEDED.items()
        if name not in granted
    )
