"""How a simulated Slack calls the app: signed, answered within 3 s, repeated three times, or by socket.

https://docs.slack.dev/apis/events-api and https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from connectors.signing import hmac_sha256_hex
from connectors.simulation import Clock, Outbox, Outgoing
from connectors.slack.simulated_workspace import APP, BOT_USER, TEAM, Payload, Workspace

ANSWER_WITHIN_S = 3.0
RETRIES_AFTER_S = (0.0, 60.0, 300.0)
EVENTS_PER_HOUR = 30_000


@dataclass(kw_only=True)
class AppUrls:
    """What stands in the app's settings; empty: nothing is sent there."""

    events: str = ""
    interactivity: str = ""
    options: str = ""
    commands: str = ""

    def set_all(self, events: str, people: str) -> None:
        """One address for events, one for everything that people do."""
        self.events = events
        self.interactivity = self.options = self.commands = people


class Socket(Protocol):
    """Socket Mode, where the app uses it."""

    def put(self, type: str, payload: Payload) -> None:
        """Send, again after a while where it is not acknowledged."""

    async def ask(self, type: str, payload: Payload) -> Any:
        """Send, and give the payload of the acknowledgement: {} where it has none."""


class Sender:
    """Signs and posts. Switches: ``retries_after_s``; ``twice`` (each event comes with a second id, as in
    shared channels); ``hourly`` (events beyond that many are dropped, and ``app_rate_limited`` is sent)."""

    def __init__(self, clock: Clock, outbox: Outbox, workspace: Workspace, secret: str) -> None:
        self.urls = AppUrls()
        self.retries_after_s = RETRIES_AFTER_S
        self.twice = False
        self.hourly = EVENTS_PER_HOUR
        self.socket: Socket | None = None
        """Where the app uses Socket Mode: everything goes there."""
        self._clock = clock
        self._outbox = outbox
        self._workspace = workspace
        self._secret = secret
        self._told = 0

    def event(self, event: Payload) -> None:
        """Tell the app of something that happened."""
        self._told += 1
        if self._told == self.hourly + 1:
            minute = int(self._clock.now().timestamp()) // 60 * 60
            self._put({"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": minute})
        if self._told > self.hourly:
            return
        for _ in range(2 if self.twice else 1):
            self._put(self.envelope(event))

    def envelope(self, event: Payload) -> Payload:
        channel = self._workspace.channels.get(str(event.get("channel")), {})
        return {
            "token": "verification-token",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.next_id("Ev"),
            "event_time": int(self._clock.now().timestamp()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": bool(channel.get("is_ext_shared")),
        }

    async def verify(self, url: str) -> bool:
        """What Slack does when an admin saves the address: it must say the challenge back."""
        challenge = self._workspace.next_id("challenge")
        body = json.dumps({"type": "url_verification", "token": "verification-token", "challenge": challenge})
        status, answer = await self._post(url, body.encode(), "application/json")
        said = answer.get("challenge") if isinstance(answer, dict) else answer
        return status == 200 and said == challenge

    async def over_socket(self, type: str, payload: Payload) -> Any:
        """The app's answer over Socket Mode ({} where it has none to give), None where that is not used."""
        return None if self.socket is None else await self.socket.ask(type, payload)

    async def ask(self, url: str, form: Mapping[str, str]) -> tuple[int | None, Any]:
        """One form-encoded call whose answer counts: status and answer, (None, None) where none came."""
        return await self._post(url, urlencode(form).encode(), "application/x-www-form-urlencoded")

    def _put(self, payload: Payload) -> None:
        if self.socket is not None:
            self.socket.put("events_api", payload)
            return
        if not self.urls.events:
            return
        body = json.dumps(payload).encode()

        def again(number: int) -> dict[str, str]:
            told = {"x-slack-retry-num": str(number), "x-slack-retry-reason": "http_error"}
            return self._json(body) | told

        self._outbox.put(
            Outgoing(
                target=self.urls.events,
                body=body,
                headers=self._json(body),
                backoff=self.retries_after_s,
                again=again,
                no_more="x-slack-no-retry",
            )
        )

    async def _post(self, url: str, body: bytes, content_type: str) -> tuple[int | None, Any]:
        headers = self.signed(body) | {"content-type": content_type}
        response = await self._outbox.post(Outgoing(target=url, body=body, headers=headers))
        if response is None:
            return None, None
        try:
            return response.status_code, response.json()
        except ValueError:
            return response.status_code, response.text

    def _json(self, body: bytes) -> dict[str, str]:
        return self.signed(body) | {"content-type": "application/json"}

    def signed(self, body: bytes, *, age_s: float = 0.0) -> dict[str, str]:
        timestamp = str(int(self._clock.now().timestamp() - age_s))
        digest = hmac_sha256_hex(self._secret, f"v0:{timestamp}:".encode() + body)
        return {
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": f"v0={digest}",
        }
