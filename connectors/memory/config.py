"""What an admin fills in: each field is one line of the form, with its title and help."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

NAME = "memory"
TITLE = "Memory"
LARGEST = 10 * 1024 * 1024
"""Bytes a file may have."""


class Settings(BaseModel):
    """How the store is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(title="Address", description="URL of the store, such as http://127.0.0.1:8700")
    store: str = Field(default="main", title="Store", description="Name of the store; GET /me tells it")


class Credentials(BaseModel):
    """Who we are to the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(title="Token", description="The token of the account that syncs")
