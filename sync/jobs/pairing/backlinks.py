"""What an object shows of its counterpart."""

from __future__ import annotations

from connectors.records import Backlink, Record
from sync.jobs.pairing.admission import who_marked
from sync.jobs.routing.route import Route
from sync.reconcile.model import Side


def label(route: Route, side: Side, record: Record) -> str:
    """How a link to the object reads: ``acme/website#12``; where its key is a mere id, ``Asana task``.

    Where somebody marked the object for the mapping's filter, the link names them.
    """
    title, by = route.end(side).connector.title, who_marked(route, side, record)
    shown = f"{title} {record.ref.kind}" if record.key == record.ref.id else record.key
    return f"{shown}, captured by {by.name}" if by and not record.created_by_us else shown


def backlink(route: Route, side: Side, record: Record) -> Backlink | None:
    """The link to the object on that side which the other side shows, as the mapping wants it."""
    return Backlink(record.url, label(route, side, record)) if route.config.backlinks else None
