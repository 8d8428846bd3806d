"""Slack as a connector: what it is and can do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, SecretStr

from connectors.access import Access, bearer
from connectors.base import Capabilities, Connector
from connectors.changes import Delivery, Echo, Received, Secrets
from connectors.consent import App
from connectors.interactions import Interaction
from connectors.records import Json
from connectors.renewal import OAuth
from connectors.slack import interactivity, webhook
from connectors.slack.config import LANDS_AT, LARGEST, NAME, TITLE, SlackCredentials, SlackSettings
from connectors.slack.places import THREAD
from connectors.slack.refusals import no_tokens
from connectors.slack.scopes import NEEDED
from connectors.tokens import OwnTokens, Tokens

if TYPE_CHECKING:
    from connectors.http import Outbound
    from connectors.slack.session import SlackSession


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

        chosen, given = _settings(settings), _credentials(credentials)
        access: Access
        if (app := self.app(settings, credentials)) is not None:
            access = OAuth(outbound, app, _shown(given.refresh_token), tokens or OwnTokens())
        else:
            access = bearer(outbound, _shown(given.bot_token), *_others(given))
        client = Client(access, chosen.files_url)
        way = bearer(outbound, _shown(given.app_token), *_others(given)) if given.app_token else None
        return SlackSession(
            client, chosen.team, chosen.done_reaction, authors=chosen.show_authors, sockets=way
        )

    def app(self, settings: BaseModel, credentials: BaseModel) -> App | None:
        chosen, given = _settings(settings), _credentials(credentials)
        if given.client_id is None:
            return None
        return App(
            provider=self.title,
            authorize_url=chosen.authorize_url,
            token_url=chosen.token_url,
            client_id=given.client_id,
            client_secret=_shown(given.client_secret),
            shows_code_at=LANDS_AT,
            scope=",".join(sorted(NEEDED)),
            proves=False,
            refusal=no_tokens,
        )

    def listens(self, settings: BaseModel) -> bool:
        return _settings(settings).mode == "socket"

    def limits(self, settings: BaseModel) -> Mapping[str, float]:
        """Slack takes about one message a second in a channel, and a few hundred a minute in all.

        https://docs.slack.dev/apis/web-api/rate-limits
        """
        return {"reads": 10, "writes": 5, "creates_per_minute": 60, "creates_per_hour": 3000}

    def manifest(self, events: str, interactions: str, *, authorised: bool = False) -> Json:
        from connectors.slack.manifest import manifest

        return manifest(events, interactions, rotation=authorised)

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


def _others(credentials: SlackCredentials) -> list[str]:
    given = vars(credentials).values()
    return [secret.get_secret_value() for secret in given if isinstance(secret, SecretStr)]


def _shown(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _settings(settings: BaseModel) -> SlackSettings:
    if not isinstance(settings, SlackSettings):
        raise TypeError("these are not the settings of a Slack connection")
    return settings


def _credentials(credentials: BaseModel) -> SlackCredentials:
    if not isinstance(credentials, SlackCredentials):
        raise TypeError("these are not the credentials of a Slack connection")
    return credentials
