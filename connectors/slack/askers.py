"""Who asks for something in Slack, and who is not served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.errors import Park
from connectors.interactions import Person, Refused
from connectors.slack.people import Payload, is_guest, is_stranger

_VOUCHED_FOR = timedelta(minutes=5)
_NOT_SHOWN = frozenset({"user_not_visible", "user_not_found"})
_STRANGER = "Only members of this workspace can do that: you belong to another organisation."


@dataclass(slots=True)
class Askers:
    """People of one workspace, ``team``, as Slack vouched for them within the last minutes.

    ``user``: what ``users.info`` tells. ``now``: aware UTC.
    """

    user: Callable[[str], Awaitable[Mapping[str, Any]]]
    team: str
    now: Callable[[], datetime]
    _known: dict[str, tuple[datetime, Person]] = field(default_factory=dict)

    async def member(self, id: str) -> Person:
        """The person with this id.

        Raises:
            Refused: a guest, or somebody of another organisation; the reason is for them.
        """
        now = self.now()
        if id not in self._known or self._known[id][0] < now:
            self._known[id] = now + _VOUCHED_FOR, await self._asked_for(id)
        person = self._known[id][1]
        if person.outsider:
            raise Refused(person.outsider)
        return person

    async def _asked_for(self, id: str) -> Person:
        try:
            return person_of(await self.user(id), self.team)
        except Park as refusal:  # people of other organisations need not be shown to us
            if refusal.provider_message not in _NOT_SHOWN:
                raise
            return Person(id=id, name=id, outsider=_STRANGER)


def person_of(user: Payload, team: str) -> Person:
    """A user as ``users.info`` tells of it (https://docs.slack.dev/reference/objects/user-object)."""
    profile = user.get("profile") or {}
    name = profile.get("real_name") or user.get("real_name") or user.get("name") or user["id"]
    outsider = ""
    if is_stranger(user, team):
        outsider = _STRANGER
    elif is_guest(user):
        outsider = "Guests cannot do that: ask a member of this workspace."
    elif user.get("deleted") or user.get("is_bot"):
        outsider = "Only people of this workspace can do that."
    return Person(id=str(user["id"]), name=str(name), outsider=outsider)
