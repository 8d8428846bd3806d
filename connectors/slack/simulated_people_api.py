"""``auth.*``, ``users.*`` and ``team.*`` of the simulated Web API."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.slack.simulated_calls import Args, Method, page
from connectors.slack.simulated_workspace import (
    BOT,
    BOT_USER,
    OTHER_TEAM,
    PEOPLE,
    TEAM,
    Failed,
    Payload,
    Person,
    Workspace,
)

_BY_ID = {person.id: person for person in PEOPLE.values()}


class PeopleApi:
    """Who is there."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def methods(self) -> Mapping[str, Method]:
        return {
            "auth.test": self._auth_test,
            "team.info": self._team_info,
            "users.list": self._list,
            "users.info": self._info,
            "users.lookupByEmail": self._by_email,
            "bots.info": lambda args: {"bot": {"id": BOT, "name": "Asana Sync", "user_id": BOT_USER}},
            "emoji.list": lambda args: {"emoji": {"shipit": f"{self._workspace.base_url}/emoji/shipit.png"}},
        }

    def _auth_test(self, args: Args) -> Payload:
        return {
            "url": f"{self._workspace.base_url}/",
            "team": "Acme",
            "user": "asana-sync",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def _team_info(self, args: Args) -> Payload:
        return {"team": {"id": TEAM, "name": "Acme", "domain": "acme", "url": f"{self._workspace.base_url}/"}}

    def _list(self, args: Args) -> Payload:
        """Slack promises nobody that it lists those of other organisations."""
        listed = [shown_user(person) for person in PEOPLE.values() if not person.stranger]
        found, cursor = page(listed, args)
        return {"members": found, "response_metadata": {"next_cursor": cursor}}

    def _info(self, args: Args) -> Payload:
        person = _BY_ID.get(args.needed("user"))
        if person is None:
            raise Failed("user_not_found")
        return {"user": shown_user(person)}

    def _by_email(self, args: Args) -> Payload:
        email = args.needed("email").lower()
        found = [
            each for each in PEOPLE.values() if each.email == email and not each.guest and not each.deleted
        ]
        if not found:
            raise Failed("users_not_found")
        return {"user": shown_user(found[0])}


def shown_user(person: Person) -> Payload:
    """A user as ``users.info`` gives it; of another company there is no email."""
    return {
        "id": person.id,
        "team_id": person.team,
        "name": person.name,
        "deleted": person.deleted,
        "real_name": person.title,
        "profile": {
            "real_name": person.title,
            "display_name": person.name,
            "image_72": f"https://avatars.slack-edge.test/{person.id}_72.png",
            **({"email": person.email} if person.email and not person.stranger else {}),
            "team": person.team,
        },
        "is_bot": person.bot,
        "is_app_user": False,
        "is_restricted": person.guest,
        "is_ultra_restricted": False,
        "is_stranger": person.team == OTHER_TEAM,
        "updated": 1700000000,
    }
