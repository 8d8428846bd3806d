"""Environment -> one typed object, read once at the start of a process and handed on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

_ADDRESS = r"^$|^https?://[^\s/?#]+"

HUB = "asana"
"""The connector that every mapping has on its hub side."""


class Settings(BaseSettings):
    """Every variable has the prefix ``ASANA_SYNC_``. Durations are seconds; decimals are allowed."""

    model_config = SettingsConfigDict(
        env_prefix="ASANA_SYNC_", env_ignore_empty=True, frozen=True, extra="ignore", allow_inf_nan=False
    )

    data_dir: Path = Field(
        Path("data"), description="Folder of the embedded stores, the key and instance.json"
    )
    database_url: str = Field(
        "",
        pattern=r"^$|^(postgres|postgresql|postgresql\+asyncpg|sqlite\+aiosqlite)://",
        description="PostgreSQL URL; empty: SQLite in the data folder",
    )
    redis_url: str = Field(
        "",
        pattern=r"^$|^(redis|rediss|unix)://",
        description="Redis or Valkey URL; empty: an embedded Valkey",
    )
    host: str = Field("127.0.0.1", description="Address the web side listens on")
    port: int = Field(8000, ge=0, le=65535, description="Port the web side listens on; 0: a free one")
    public_url: str = Field(
        "",
        pattern=_ADDRESS,
        description="How providers reach the web side, by https; empty: polling only",
    )
    secret_key: SecretStr = Field(SecretStr(""), description="Fernet keys, newest first, comma-separated")
    secret_key_file: Path | None = Field(
        None, description="File with the keys; default: secret.key in the data folder"
    )
    secrets_dir: Path | None = Field(
        None,
        description="Folder of files that stand in for variables that are not set: asana_sync_database_url",
    )
    allow_private_hosts: str = Field(
        "", description="Hosts, host:port or CIDR that may be private, comma-separated"
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: str = Field("json", pattern="^(json|text)$", description="json or text")
    alert_url: str = Field(
        "", pattern=_ADDRESS, description="Receives one JSON POST per change to needs attention"
    )

    poll_seconds: float = Field(60, gt=0, description="Between two polls of a container")
    full_pass_seconds: float = Field(21600, gt=0, description="Between two complete comparisons")
    audit_seconds: float = Field(
        60, ge=0, description="Between two looks whether a few pairs still agree; 0: never"
    )
    rewake_seconds: float = Field(30, gt=0, description="Between two looks for forgotten work")
    lease_seconds: float = Field(60, gt=0, description="How long a worker holds a mapping without renewing")
    http_timeout_seconds: float = Field(30, gt=0, description="Hard deadline of one call")
    lookup_delay_seconds: float = Field(
        60, ge=0, description="After a lost creation's deadline until not found counts"
    )
    stale_seconds: float = Field(60, ge=0, description="How long our own write may hide behind a stale read")
    write_window_seconds: float = Field(
        2, gt=0, description="A record older than this is read again before a write"
    )
    tie_seconds: float = Field(
        2, ge=0, description="Edits closer than this count as simultaneous: the hub wins"
    )
    join_seconds: float = Field(2, ge=0, description="Further marks of one object within this are joined")
    delete_delay_seconds: float = Field(600, ge=0, description="Between proof of a deletion and acting on it")
    hidden_park_seconds: float = Field(
        86400, ge=0, description="How long an object may be hidden before it is parked"
    )
    backoff_max_seconds: float = Field(300, gt=0, description="Longest wait between two tries")
    max_attempts: int = Field(8, ge=1, description="Tries before something that fails is parked")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the files that containers get their secrets in."""
        folder = os.environ.get("ASANA_SYNC_SECRETS_DIR", "")
        if not folder or not Path(folder).is_dir():  # the image names one, whether secrets are mounted or not
            return init_settings, env_settings
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=folder)

    @model_validator(mode="after")
    def _webhooks_come_by_https(self) -> Settings:
        url = urlsplit(self.public_url)
        named = {entry.rpartition(":")[0] or entry for entry in self.private_hosts} | set(self.private_hosts)
        if url.scheme == "http" and not (url.hostname in named or _is_near(url.hostname or "", named)):
            raise ValueError(
                "ASANA_SYNC_PUBLIC_URL: it must begin with https://, or lead to this machine or a host "
                "in ASANA_SYNC_ALLOW_PRIVATE_HOSTS"
            )
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy wants it, with an async driver."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{(self.data_dir / 'asana-sync.db').resolve()}"
        scheme, _, rest = self.database_url.partition("://")
        return f"postgresql+asyncpg://{rest}" if scheme in {"postgres", "postgresql"} else self.database_url

    @property
    def embedded_redis(self) -> bool:
        return not self.redis_url

    @property
    def private_hosts(self) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.allow_private_hosts.split(",") if part.strip())


def _is_near(host: str, listed: Iterable[str]) -> bool:
    """Whether it is an address of this machine, or lies in one of the networks."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or any(address in network for network in _networks(listed))


def _networks(listed: Iterable[str]) -> Iterator[IPv4Network | IPv6Network]:
    for entry in listed:
        with suppress(ValueError):
            yield ip_network(entry, strict=False)
