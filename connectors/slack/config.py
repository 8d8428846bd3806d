"""What an admin fills in: each field is one line of the form, with its title and help."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

NAME = "slack"
TITLE = "Slack"
LARGEST = 1024 * 1024 * 1024
"""Bytes a file may have (https://slack.com/help/articles/201330736)."""

LANDS_AT = "https://localhost/"
"""Where a browser ends that nobody waits for: Slack sends it to https alone, and the address has the code."""


class SlackSettings(BaseModel):
    """How the workspace is reached, and what its messages mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(
        default="https://slack.com/api",
        title="Address",
        description="Where the Web API is; leave it as it is, unless the workspace is on GovSlack",
    )
    team: str = Field(
        title="Workspace",
        description="Id of the workspace, such as T024BE7LD: the first part of its address in a browser",
    )
    mode: Literal["http", "socket"] = Field(
        default="http",
        title="Events",
        description="http: Slack calls PUBLIC_URL; socket: we keep a connection open (Socket Mode), "
        "which needs no address that Slack can reach",
    )
    done_reaction: str = Field(
        default="white_check_mark",
        title="Reaction for done",
        description="A thread whose first message has this reaction is closed; empty: threads have no state",
    )
    show_authors: bool = Field(
        default=True,
        title="Show authors",
        description="Copied comments stand under the name and, of people who are matched, the picture of "
        "their author, beside the sign APP; off: under the app's own name",
    )
    files_url: str = Field(
        default="https://files.slack.com",
        title="Address of files",
        description="Where files are sent to and read from; leave it as it is",
    )

    @property
    def authorize_url(self) -> str:
        """Where a person of the workspace authorises the app (https://docs.slack.dev/authentication/installing-with-oauth)."""
        address = urlsplit(self.base_url)
        return f"{address.scheme}://{address.netloc}/oauth/v2/authorize"

    @property
    def token_url(self) -> str:
        """Where tokens are handed out (https://docs.slack.dev/reference/methods/oauth.v2.access)."""
        return f"{self.base_url.rstrip('/')}/oauth.v2.access"


class SlackCredentials(BaseModel):
    """The app in the workspace: with a token that lasts, or with one that is renewed (token rotation)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bot_token: SecretStr | None = Field(
        default=None,
        title="Bot token",
        description="xoxb-... from the app's page OAuth & Permissions. Leave it out for token rotation.",
    )
    client_id: str | None = Field(
        default=None,
        pattern=r"^[0-9A-Za-z._-]+$",
        title="Client ID",
        description="From Basic Information, for token rotation: then asana-sync authorize gets the tokens.",
        coerce_numbers_to_str=True,
    )
    client_secret: SecretStr | None = Field(
        default=None, title="Client secret", description="From Basic Information, for token rotation"
    )
    refresh_token: SecretStr | None = Field(
        default=None,
        title="Refresh token",
        description="Leave it out: asana-sync authorize gets one. Or xoxe-1-... that the app has already.",
    )
    signing_secret: SecretStr | None = Field(
        default=None,
        title="Signing secret",
        description="From the app's page Basic Information; needed where Slack calls us",
    )
    app_token: SecretStr | None = Field(
        default=None,
        title="App-level token",
        description="xapp-... with connections:write, from Basic Information; needed for Socket Mode",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        app = (self.client_id, self.client_secret)
        if (self.bot_token is None) == (None in app) or (
            self.bot_token is not None and any((*app, self.refresh_token))
        ):
            raise ValueError("give bot_token, or client_id and client_secret for token rotation")
        return self
