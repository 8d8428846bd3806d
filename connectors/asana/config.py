"""Settings and credentials of an Asana connection; titles and descriptions are what forms and CLI show."""

from __future__ import annotations

from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class AsanaSettings(BaseModel):
    """Where the workspace is."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    base_url: str = Field(
        default="https://app.asana.com/api/1.0",
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        title="API address",
        description="Start of every API address. Asana has one for everybody: leave it as it is.",
    )
    workspace: str = Field(
        pattern=r"^[0-9A-Za-z_-]+$",
        max_length=64,
        title="Workspace",
        description="Id of the workspace or organisation: `gid` in https://app.asana.com/api/1.0/workspaces.",
    )
    subscriptions: Literal["auto", "off"] = Field(
        default="auto",
        title="Webhooks",
        description="auto: one webhook for each synced project. off: polling only.",
    )

    @property
    def token_url(self) -> str:
        """Where OAuth tokens are handed out: on the API's host, outside of the API."""
        return self._beside("oauth_token")

    @property
    def authorize_url(self) -> str:
        """Where an account authorises an app."""
        return self._beside("oauth_authorize")

    def _beside(self, name: str) -> str:
        address = urlsplit(self.base_url)
        return f"{address.scheme}://{address.netloc}/-/{name}"

    @field_validator("base_url")
    @classmethod
    def _without_last_slash(cls, base_url: str) -> str:
        return base_url.rstrip("/")


class AsanaCredentials(BaseModel):
    """What the account proves itself with: a token of its own, or an OAuth app that it has authorised."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr | None = Field(
        default=None,
        title="Personal access token",
        description=(
            "Of an account of its own for the sync, made at https://app.asana.com/0/my-apps. "
            "Leave it out for an OAuth app."
        ),
    )
    client_id: str | None = Field(
        default=None,
        pattern=r"^[0-9A-Za-z_-]+$",
        title="Client ID",
        description="Of the OAuth app that is used instead of a token.",
    )
    client_secret: SecretStr | None = Field(
        default=None,
        title="Client secret",
        description="Of the OAuth app.",
    )
    refresh_token: SecretStr | None = Field(
        default=None,
        title="Refresh token",
        description="Leave it out: asana-sync authorize gets one. Or what Asana gave the app elsewhere.",
    )

    @field_validator("token", "client_secret", "refresh_token", mode="before")
    @classmethod
    def _without_space_around(cls, secret: Any) -> Any:
        return (secret.strip() or None) if isinstance(secret, str) else secret

    @field_validator("client_id", mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        return (str(given).strip() or None) if isinstance(given, str | int) else given

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        app = (self.client_id, self.client_secret)
        if (self.token is None) == (None in app) or (
            self.token is not None and any((*app, self.refresh_token))
        ):
            raise ValueError("give a token, or client_id and client_secret of an OAuth app")
        return self
