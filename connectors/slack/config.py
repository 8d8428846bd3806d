"""What an admin fills in: each field is one line of the form, with its title and help."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

NAME = "slack"
TITLE = "Slack"
LARGEST = 1024 * 1024 * 1024
"""Bytes a file may have (https://slack.com/help/articles/201330736)."""


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
    files_url: str = Field(
        default="https://files.slack.com",
        title="Address of files",
        description="Where files are sent to and read from; leave it as it is",
    )


class SlackCredentials(BaseModel):
    """The app in the workspace. Either a bot token, or what OAuth handed out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bot_token: SecretStr | None = Field(
        default=None, title="Bot token", description="xoxb-... from the app's page OAuth & Permissions"
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
    client_id: SecretStr | None = Field(
        default=None, title="Client ID", description="From Basic Information; for tokens that are renewed"
    )
    client_secret: SecretStr | None = Field(
        default=None, title="Client secret", description="From Basic Information; for tokens that are renewed"
    )
    refresh_token: SecretStr | None = Field(
        default=None,
        title="Refresh token",
        description="xoxe-1-... of an app with token rotation; in place of a bot token that lasts",
    )
