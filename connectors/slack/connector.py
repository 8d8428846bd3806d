"""Slack as a connector: what it is and can do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, SecretStr

from connectors.access import Access, bearer
from connectors.base import Capabilities, Connector
from connectors.changes import Delivery, Echo, Received, Secrets
from connectors.interactions import Interaction
from connectors.slack import interactivity, webhook
from connectors.slack.config import LARGEST, NAME, TITLE, SlackCredentials, SlackSettings
from connectors.slack.translate import THREAD

if TYPE_CHECKING:
    from connectors.http import Outbound
    from connectors.slack.session import SlackSession
    from connectors.tokens import Tokens


class Slack(Connector):
    """Threads of one workspace's channels."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    settings: ClassVar[type[BaseModel]] = SlackSettings
    credentials: ClassVar[type[BaseModel]] = SlackCredentials
    capabilities: ClassVar[Capabilities] = Capabilities(
        kinds=(THREAD,),
        creatable=(THREAD,),
        webhooks="app",
        clock_resolution_s=0.001,
        attachments="files",
        largest_attachment=LARGEST,
        selective=True,
        interactions=True,
        cards=True,
        container_word="channel",
        container_example="C024BE91L",
    )

    def site(self, settings: BaseModel) -> str:
        return _settings(settings).team

    def base_url(self, settings: BaseModel) -> str:
        return _settings(settings).base_url

    def open(
        self,
        settings: BaseModel,
        credentials: BaseModel,
        outbound: Outbound,
        tokens: Tokens | None = None,
    ) -> SlackSession:
        # slack-sdk brings aiohttp along: nobody waits for it who opens nothing
        from connectors.slack.client import Client
        from connectors.slack.session import SlackSession

        chosen = _settings(settings)
        client = Client(_access(_credentials(credentials), outbound), chosen.files_url)
        return SlackSession(client, chosen.team, chosen.done_reaction)

    def limits(self, settings: BaseModel) -> Mapping[str, float]:
        """Slack takes about one message a second in a channel, and a few hundred a minute in all.

        https://docs.slack.dev/apis/web-api/rate-limits
        """
        return {"reads": 10, "writes": 5, "creates_per_minute": 60, "creates_per_hour": 3000}

    def secrets(self, credentials: BaseModel) -> Secrets:
        secret = _credentials(credentials).signing_secret
        return Secrets(active=(secret.get_secret_value(),) if secret else ())

    def interaction(
        self, delivery: Delivery, credentials: BaseModel, settings: BaseModel, now: datetime
    ) -> Interaction:
        return interactivity.read(delivery, self.secrets(credentials), now)

    def receive(
        self, delivery: Delivery, secrets: Secrets, settings: BaseModel, now: datetime
    ) -> Received | Echo:
        return webhook.receive(delivery, secrets, _settings(settings).team, now)


def _access(credentials: SlackCredentials, outbound: Outbound) -> Access:
    if credentials.bot_token is None:
        raise TypeError("there is no bot token")
    return bearer(outbound, credentials.bot_token.get_secret_value(), *_others(credentials))


def _others(credentials: SlackCredentials) -> list[str]:
    given = vars(credentials).values()
    return [secret.get_secret_value() for secret in given if isinstance(secret, SecretStr)]


def _settings(settings: BaseModel) -> SlackSettings:
    if not isinstance(settings, SlackSettings):
        raise TypeError("these are not the settings of a Slack connection")
    return settings


def _credentials(credentials: BaseModel) -> SlackCredentials:
    if not isinstance(credentials, SlackCredentials):
        raise TypeError("these are not the credentials of a Slack connection")
    return credentials
