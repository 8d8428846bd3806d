"""Who asks for something in Slack, and who is not served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.interactions import Person, Refused
from connectors.slack.people import Payload


@dataclass(slots=True)
class Askers:
    """People of one workspace, ``team``, as Slack vouches for them; each is asked for once."""

    user: Callable[[str], Awaitable[Mapping[str, Any]]]
    team: str
    _known: dict[str, Person] = field(default_factory=dict)

    async def member(self, id: str) -> Person:
        """The person with this id.

        Raises:
            Refused: a guest, or somebody of another organisation; the reason is for them.
        """
        if id not in self._known:
            self._known[id] = person_of(await self.user(id), self.team)
        person = self._known[id]
        if person.outsider:
            raise Refused(person.outsider)
        return person


def person_of(user: Payload, team: str) -> Person:
    """A user as ``users.info`` tells of it (https://docs.slack.dev/reference/objects/user-object)."""
    profile = user.get("profile") or {}
    name = profile.get("real_name") or user.get("real_name") or user.get("name") or user["id"]
    outsider = ""
    if user.get("is_stranger") or user.get("team_id", team) != team:
        outsider = "Only members of this workspace can do that: you belong to another organisation."
    elif user.get("is_restricted") or user.get("is_ultra_restricted"):
        outsider = "Guests cannot do that: ask a member of this workspace."
    elif user.get("deleted") or user.get("is_bot"):
        outsider = "Only people of this workspace can do that."
    return Person(id=str(user["id"]), name=str(name), outsider=outsider)
