"""Connectors know providers and nothing of syncing. Files here are the kit, folders are connectors."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from connectors.base import Connector


@cache
def discover() -> Mapping[str, Connector]:
    """Every folder of this package that exports ``connector``, by the connector's name."""
    found: dict[str, Connector] = {}
    for entry in pkgutil.iter_modules(__path__):
        if not entry.ispkg:
            continue
        package = importlib.import_module(f"{__name__}.{entry.name}")
        connector = getattr(package, "connector", None)
        if isinstance(connector, Connector):
            found[connector.name] = connector
    return MappingProxyType(dict(sorted(found.items())))
