"""Commands about the program itself: connectors, settings, openapi."""

from __future__ import annotations

from typing import Any

import typer
from pydantic import BaseModel, SecretStr

from connectors import discover
from sync.commands.output import AsJson, emit, table
from sync.settings import Settings

app = typer.Typer()


@app.command()
def connectors(as_json: AsJson = False) -> None:
    """The connectors there are, with their settings and credentials."""
    items: list[dict[str, Any]] = [
        {
            "name": connector.name,
            "title": connector.title,
            "settings": _fields(connector.settings),
            "credentials": _fields(connector.credentials),
            "kinds": list(connector.capabilities.kinds),
            "webhooks": connector.capabilities.webhooks,
        }
        for connector in discover().values()
    ]
    rows = [
        [
            item["name"],
            item["title"],
            ", ".join(field["name"] for field in item["settings"]),
            ", ".join(field["name"] for field in item["credentials"]),
        ]
        for item in items
    ]
    columns = ["name", "title", "settings", "credentials"]
    emit({"items": items, "next": None}, as_json=as_json, show=table("connectors", columns, rows))


def _fields(model: type[BaseModel]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": info.title or name,
            "help": info.description or "",
            "required": info.is_required(),
            "secret": "Secret" in str(info.annotation),
        }
        for name, info in model.model_fields.items()
    ]


@app.command()
def settings(as_json: AsJson = False) -> None:
    """The environment variables, what they mean, and what is in force."""
    current = Settings()
    items = [
        {
            "variable": f"ASANA_SYNC_{name.upper()}",
            "value": _shown(name, getattr(current, name)),
            "set": name in current.model_fields_set,
            "help": info.description,
        }
        for name, info in Settings.model_fields.items()
    ]
    rows = [[item["variable"], item["value"], item["help"]] for item in items]
    columns = ["variable", "value", "meaning"]
    emit({"items": items, "next": None}, as_json=as_json, show=table("settings", columns, rows))


def _shown(name: str, value: object) -> str:
    """URLs of stores carry passwords."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    return _without_password(str(value)) if name.endswith("_url") else str(value)


def _without_password(url: str) -> str:
    start, found, place = url.rpartition("@")
    scheme, colon, login = start.partition("://")
    return f"{scheme}{colon}{login.partition(':')[0]}:***@{place}" if found and ":" in login else url


@app.command()
def openapi() -> None:
    """The description of the HTTP interface (OpenAPI), as JSON."""
    from sync.web.app import describe

    document = describe()
    emit(document, as_json=True, show=lambda console: None)
