"""Field values as JSON holds them and back: a tuple is a list in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.records import Fields, Value


def dump(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def parse(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(value)
    return value  # type: ignore[no-any-return]


def dump_all(fields: Fields) -> dict[str, Any]:
    return {name: dump(value) for name, value in fields.items()}


def parse_all(fields: Mapping[str, Any]) -> dict[str, Value]:
    return {name: parse(value) for name, value in fields.items()}
