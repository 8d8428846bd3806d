"""Settings and credentials of an Asana connection; titles and descriptions are what forms and CLI show."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


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

    @field_validator("base_url")
    @classmethod
    def _without_last_slash(cls, base_url: str) -> str:
        return base_url.rstrip("/")


class AsanaCredentials(BaseModel):
    """What the account proves itself with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(
        min_length=1,
        title="Personal access token",
        description="Of an account of its own for the sync, made at https://app.asana.com/0/my-apps.",
    )
