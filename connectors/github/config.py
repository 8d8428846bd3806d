"""Settings and credentials of a GitHub connection; titles and descriptions are what forms and CLI show."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class GitHubSettings(BaseModel):
    """Which GitHub it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(
        default="https://api.github.com",
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        title="API address",
        description="https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise Server.",
    )
    subscriptions: Literal["auto", "off"] = Field(
        default="auto",
        title="Webhooks",
        description="auto: one webhook for each synced repository. off: polling only.",
    )
    pull_request_details: bool = Field(
        default=False,
        title="Reviews and checks",
        description=(
            "Also read where the review and the checks of pull requests stand, for the fields "
            "custom:review and custom:checks. It costs four further requests for each one that changed."
        ),
    )

    @field_validator("base_url")
    @classmethod
    def _without_last_slash(cls, base_url: str) -> str:
        return base_url.rstrip("/")


class GitHubCredentials(BaseModel):
    """What the account proves itself with: a token, or a GitHub App installed at the organisation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr | None = Field(
        default=None,
        title="Access token",
        description=(
            "Fine-grained: Issues, Pull requests and Webhooks read and write, Metadata read. "
            "Classic: scope repo, or public_repo and admin:repo_hook. Leave it out for a GitHub App."
        ),
    )
    app_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9.]+$",
        title="App ID",
        description="Of the GitHub App that is used instead of a token: its App ID or client ID.",
    )
    installation_id: str | None = Field(
        default=None,
        pattern=r"^[0-9]+$",
        title="Installation ID",
        description="The number at the end of the address of the app's installation.",
    )
    private_key: SecretStr | None = Field(
        default=None,
        title="Private key",
        description="The PEM file that the app's settings page gave, whole.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Webhook secret",
        description="Signs webhook calls. Leave it out and one is generated.",
    )

    @field_validator("token", "private_key", "webhook_secret", mode="before")
    @classmethod
    def _without_space_around(cls, secret: Any) -> Any:
        return (secret.strip() or None) if isinstance(secret, str) else secret

    @field_validator("app_id", "installation_id", mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        return (str(given).strip() or None) if isinstance(given, str | int) else given

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        of_app = (self.app_id, self.installation_id, self.private_key)
        if (self.token is None) == (None in of_app) or (self.token is not None and any(of_app)):
            raise ValueError("give either a token, or app_id, installation_id and private_key together")
        return self
