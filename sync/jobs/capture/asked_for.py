"""Whether somebody asked for the task of a link: captured or marked the object, where most is talk. Pure."""

from __future__ import annotations

from connectors.base import Capabilities
from sync.configuration import MappingConfig
from sync.configuration.shapes import ExternalFilter
from sync.reconcile.model import Side
from sync.store import links
from sync.store.tables import Link


def was_asked_for(link: Link, config: MappingConfig, capabilities: Capabilities) -> bool:
    marked = capabilities.selective and config.filter != ExternalFilter()
    return link.made_by == links.CAPTURED or (
        marked and link.made_by == "create" and link.source == Side.EXTERNAL
    )
