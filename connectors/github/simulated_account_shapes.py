"""How a simulated GitHub shows accounts and the app; and what all its shapes have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from connectors.github.simulated_state import Person
from connectors.github.simulated_world import World

HTML = "https://github.com"

Shape: TypeAlias = dict[str, Any]

_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def stamp(time: datetime) -> str:
    """GitHub's times: UTC, whole seconds, cut off."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(time: datetime | None) -> str | None:
    return stamp(time) if time else None


class AccountShapes:
    """``api`` tells where the world is served now."""

    def __init__(self, world: World, api: Callable[[], str], html: str = HTML) -> None:
        self.html = html
        self._world = world
        self._api = api

    def user(self, login: str) -> Shape:
        return self.account(self._world.account(login))

    def account(self, person: Person) -> Shape:
        url = f"{self._api()}/users/{quote(person.login)}"
        page = f"apps/{person.login.removesuffix('[bot]')}" if person.bot else person.login
        return {
            "login": person.login,
            "id": person.id,
            "node_id": person.node_id,
            "avatar_url": f"https://avatars.githubusercontent.com/u/{person.id}?v=4",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.html}/{page}",
            **{name: url + path for name, path in _USER_LINKS.items()},
            "type": "Organization" if person.organization else "Bot" if person.bot else "User",
            "site_admin": False,
        }

    def integration(self, permissions: Mapping[str, str]) -> Shape:
        """The app."""
        bot = next(iter(self._world.bots.values()))
        slug, since = bot.login.removesuffix("[bot]"), stamp(datetime(2024, 1, 1, tzinfo=UTC))
        return {
            "id": bot.id,
            "slug": slug,
            "node_id": f"A_{bot.id}",
            "owner": self.account(bot),
            "name": slug,
            "description": "",
            "external_url": "https://example.com",
            "html_url": f"{self.html}/apps/{slug}",
            "created_at": since,
            "updated_at": since,
            "permissions": dict(permissions),
            "events": ["issues"],
        }

    def _through(self, author: str) -> Shape | None:
        """The app by which it was made: an edit by somebody else changes nothing of that."""
        return self.integration({}) if author in self._world.bots else None

    def public(self, person: Person) -> Shape:
        """An account as everybody sees it."""
        since = stamp(datetime(2019, 5, 15, tzinfo=UTC))
        return {
            **self.account(person),
            "name": person.name,
            "email": person.email,
            **dict.fromkeys(("company", "location", "hireable", "bio", "twitter_username")),
            "blog": "",
            **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
            "created_at": since,
            "updated_at": since,
        }

    def viewer(self, person: Person) -> Shape:
        """The account that asks, as ``GET /user`` shows it."""
        private = "private_gists", "disk_usage", "collaborators", "total_private_repos", "owned_private_repos"
        return {**self.public(person), **dict.fromkeys(private, 0), "two_factor_authentication": True}
