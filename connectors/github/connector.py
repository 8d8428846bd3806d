"""GitHub as a connector: what it is and can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from connectors.access import Access, bearer
from connectors.base import Capabilities, Connector
from connectors.changes import Delivery, Received, Secrets
from connectors.github import webhook
from connectors.github.access import HEADERS, App, Installation
from connectors.github.client import Client
from connectors.github.config import GitHubCredentials, GitHubSettings
from connectors.github.files import web_of
from connectors.github.refusals import Refusals
from connectors.github.session import GitHubSession
from connectors.github.translate import CONNECTOR, ISSUE, PULL
from connectors.http import Outbound
from connectors.tokens import Tokens


class GitHub(Connector):
    """Issues and pull requests of github.com or of a GitHub Enterprise Server."""

    name: ClassVar[str] = CONNECTOR
    title: ClassVar[str] = "GitHub"
    settings: ClassVar[type[BaseModel]] = GitHubSettings
    credentials: ClassVar[type[BaseModel]] = GitHubCredentials
    capabilities: ClassVar[Capabilities] = Capabilities(
        kinds=(ISSUE, PULL),
        creatable=(ISSUE,),
        webhooks="secret",
        attachments="texts",
        container_word="repository",
        container_example="acme/website",
    )

    def site(self, settings: BaseModel) -> str:
        host = urlsplit(self.base_url(settings)).hostname or ""
        return "github.com" if host == "api.github.com" else host

    def base_url(self, settings: BaseModel) -> str:
        return _settings(settings).base_url

    def open(
        self,
        settings: BaseModel,
        credentials: BaseModel,
        outbound: Outbound,
        tokens: Tokens | None = None,
    ) -> GitHubSession:
        if not isinstance(credentials, GitHubCredentials):
            raise TypeError("these are not the credentials of a GitHub connection")
        secret = credentials.webhook_secret
        secrets = [secret.get_secret_value()] if secret else []
        chosen = _settings(settings)
        return GitHubSession(
            Client(_access(credentials, outbound, secrets)),
            self.site(settings),
            web_of(self.base_url(settings)),
            with_webhooks=chosen.subscriptions == "auto",
            with_details=chosen.pull_request_details,
        )

    def limits(self, settings: BaseModel) -> Mapping[str, float]:
        """GitHub refuses the 101st request in flight, the 81st creation a minute, the 501st an hour.

        People's browsers and other programs of the account need some, too.
        """
        return {"reads": 50, "writes": 15, "creates_per_minute": 70, "creates_per_hour": 450}

    def receive(self, delivery: Delivery, secrets: Secrets, settings: BaseModel, now: datetime) -> Received:
        return webhook.receive(delivery, secrets, self.site(settings))


def _access(credentials: GitHubCredentials, outbound: Outbound, secrets: Sequence[str]) -> Access:
    refusals = Refusals()
    if credentials.token is not None:
        token = credentials.token.get_secret_value()
        return bearer(outbound, token, *secrets, headers=HEADERS, classify=refusals)
    if not (credentials.app_id and credentials.installation_id and credentials.private_key):
        raise TypeError("these are neither a token nor an app")
    app = App(
        id=credentials.app_id,
        installation=credentials.installation_id,
        private_key=credentials.private_key.get_secret_value(),
    )
    return Installation(outbound, app, secrets, refusals)


def _settings(settings: BaseModel) -> GitHubSettings:
    if not isinstance(settings, GitHubSettings):
        raise TypeError("these are not the settings of a GitHub connection")
    return settings


connector = GitHub()
