"""Connectors know providers and nothing of syncing. Files here are the kit, folders are connectors.

A connector may also live in a ``connectors/`` folder elsewhere on the Python path.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from connectors.base import Connector

__path__ = pkgutil.extend_path(__path__, __name__)


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
