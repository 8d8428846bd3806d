"""Settings and credentials of a GitHub connection; titles and descriptions are what forms and CLI show."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


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

    @field_validator("base_url")
    @classmethod
    def _without_last_slash(cls, base_url: str) -> str:
        return base_url.rstrip("/")


class GitHubCredentials(BaseModel):
    """What the account proves itself with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(
        min_length=1,
        title="Access token",
        description=(
            "Fine-grained: Issues, Pull requests and Webhooks read and write, Metadata read. "
            "Classic: scope repo, or public_repo and admin:repo_hook."
        ),
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Webhook secret",
        description="Signs webhook calls. Leave it out and one is generated.",
    )

    @field_validator("token", "webhook_secret", mode="before")
    @classmethod
    def _without_space_around(cls, secret: Any) -> Any:
        return secret.strip() if isinstance(secret, str) else secret

    @field_validator("webhook_secret")
    @classmethod
    def _empty_is_none(cls, secret: SecretStr | None) -> SecretStr | None:
        return secret if secret and secret.get_secret_value() else None
