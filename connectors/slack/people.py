"""Who the app is, and who and what else is in the workspace. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from connectors.records import Author, User

Payload: TypeAlias = Mapping[str, Any]

ViewOf: TypeAlias = Callable[[Iterable[Payload]], Awaitable["View"]]
"""The view with everybody and everything in it that these messages name."""

_NAMED = re.compile(r'(?:"user(?:_id)?": "|<@)([UW][A-Z0-9]+)')
_CHANNEL = re.compile(r'(?:"channel_id": "|<#)([CG][A-Z0-9]+)(?:"|\|?>)')


@dataclass(frozen=True, slots=True)
class Us:
    """Who the app is, and what the workspace is called. ``url`` ends with a slash."""

    user: str
    bot: str
    team: str
    url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What is needed to read messages: who we are, users by id, the reaction that closes a thread.

    ``channels``: names of those that messages lead to, by id. ``pictures``: addresses, by user.
    ``authors``: whether we may post under other names and pictures.
    ``outsiders``: guests, and members of other organisations.
    """

    us: Us
    users: Mapping[str, User]
    done: str
    channels: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    authors: bool = False
    outsiders: frozenset[str] = frozenset()

    @property
    def names(self) -> Mapping[str, str]:
        return {**self.channels, **{id: user.name for id, user in self.users.items()}}


def is_ours(message: Payload, us: Us) -> bool:
    """Whether the app posted it, under whatever name."""
    return message.get("bot_id") == us.bot or message.get("user") == us.user


def knowing(view: View, people: Iterable[Payload]) -> View:
    """The view with these users in it, too, as Slack tells of them."""
    people = list(people)
    return replace(
        view,
        users={**view.users, **{each.id: each for each in map(user, people)}},
        pictures={**view.pictures, **{str(each["id"]): at for each in people if (at := picture(each))}},
        outsiders=view.outsiders
        | {str(each["id"]) for each in people if is_stranger(each, view.us.team) or is_guest(each)},
    )


def strangers_in(messages: Iterable[Payload], view: View) -> list[str]:
    """Users that are author of a message, named in it, or gave it a reaction, and are not in the view."""
    found: dict[str, None] = {}
    for message in messages:
        found |= dict.fromkeys(_NAMED.findall(json.dumps(message)))
        found |= {id: None for each in message.get("reactions") or () for id in each.get("users") or ()}
    return [id for id in found if id not in view.users and id != view.us.user]


def channels_in(messages: Iterable[Payload], view: View) -> list[str]:
    """Channels that messages lead to and that have no name in the view."""
    found = dict.fromkeys(id for each in messages for id in _CHANNEL.findall(json.dumps(each)))
    return [id for id in found if id not in view.channels]


def author(message: Payload, view: View) -> Author:
    """A person of the workspace, somebody of another one, or an app."""
    id = str(message.get("user") or message.get("bot_id") or "")
    known = view.users.get(id)
    profile = message.get("user_profile") or message.get("bot_profile") or {}
    told = message.get("username") or profile.get("real_name") or profile.get("name")
    name = known.name if known else str(told or id)
    return Author(id=id, name=name, url=f"{view.us.url}team/{id}", bot=bool(message.get("bot_id")))


def user(payload: Payload) -> User:
    """Guests and people of other companies are users, too; who left is not active."""
    profile = payload.get("profile") or {}
    name = profile.get("real_name") or payload.get("real_name") or payload.get("name")
    return User(
        id=str(payload["id"]),
        name=str(name or payload["id"]),
        login=str(payload.get("name") or ""),
        email=str(profile.get("email") or ""),
        active=not payload.get("deleted"),
    )


def is_stranger(payload: Payload, team: str) -> bool:
    """A member of another organisation, in a channel that both share."""
    return bool(payload.get("is_stranger")) or payload.get("team_id", team) != team


def is_guest(payload: Payload) -> bool:
    return bool(payload.get("is_restricted") or payload.get("is_ultra_restricted"))


def picture(payload: Payload) -> str:
    """The address of a user's picture; empty where there is none that anybody may see."""
    address = str((payload.get("profile") or {}).get("image_72") or "")
    return address if address.startswith("https://") else ""
