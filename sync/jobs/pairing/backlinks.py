"""What an object shows of its counterpart."""

from __future__ import annotations

from connectors.records import Backlink, Record
from sync.jobs.routing.route import End, Route


def label(end: End, record: Record) -> str:
    """How a link to the object reads: ``acme/website#12``; where its key is a mere id, ``Asana task``."""
    return f"{end.connector.title} {record.ref.kind}" if record.key == record.ref.id else record.key


def backlink(route: Route, counterpart: End, record: Record) -> Backlink | None:
    """The link to show on the other side, as the mapping wants it."""
    return Backlink(record.url, label(counterpart, record)) if route.config.backlinks else None
