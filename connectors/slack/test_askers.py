"""Who is served: asked for again after some minutes, and never by default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import Park, RetryLater
from connectors.interactions import Refused
from connectors.slack.askers import Askers


class Desk:
    """One user, and a clock."""

    def __init__(self, **user: Any) -> None:
        self.now = datetime(2026, 5, 1, tzinfo=UTC)
        self.user: dict[str, Any] = {"id": "U1", "team_id": "T1", **user}
        self.error: Exception | None = None
        self.asked = 0
        self.askers = Askers(self._user, "T1", lambda: self.now)

    async def _user(self, id: str) -> dict[str, Any]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.user


async def test_who_becomes_a_guest_is_refused_within_minutes() -> None:
    desk = Desk()
    for _ in range(2):
        assert (await desk.askers.member("U1")).id == "U1"
        desk.now += timedelta(minutes=4)
    assert desk.asked == 1
    desk.user["is_restricted"] = True
    with pytest.raises(Refused, match="Guests"):
        await desk.askers.member("U1")


@pytest.mark.parametrize(
    ("user", "why"),
    [
        ({"team_id": "T2"}, "another organisation"),
        ({"is_stranger": True}, "another organisation"),
        ({"is_ultra_restricted": True}, "Guests"),
        ({"is_bot": True}, "people"),
        ({"deleted": True}, "people"),
    ],
)
async def test_others_are_refused(user: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        await Desk(**user).askers.member("U1")


async def test_whom_slack_does_not_show_is_of_another_organisation() -> None:
    desk = Desk()
    desk.error = Park("Slack answered", provider_message="user_not_visible")
    with pytest.raises(Refused, match="another organisation"):
        await desk.askers.member("U1")
    unanswered = Desk()
    for error in (RetryLater("no answer"), Park("Slack answered", provider_message="missing_scope")):
        unanswered.error = error
        with pytest.raises(type(error)):
            await unanswered.askers.member("U1")
