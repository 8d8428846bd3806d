"""What a new counterpart is made with. A preview asks the same function; nothing is stored here."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.records import SECTION, Draft, Fields, Key, Record, Value
from sync.jobs.backlinks import label
from sync.jobs.route import Route
from sync.reconcile import draft, fitting
from sync.reconcile.model import Side


@dataclass(frozen=True, slots=True)
class Creation:
    """What is about to be made where."""

    into: Side
    key: Key
    fields: Fields

    @property
    def draft(self) -> Draft:
        fields = dict(self.fields)
        section = fields.pop(SECTION, None)
        return Draft(fields=fields, section=None if section is None else str(section))


def creation_of(route: Route, token: str, side: Side, record: Record) -> Creation:
    """The counterpart of an object that stands on ``side``, to be found again by ``token``."""
    fields: dict[str, Value] = dict(draft(route.rules, record, side, route.translation))
    if side is Side.EXTERNAL and route.landing is not None and fields.get(SECTION) is None:
        fields[SECTION] = route.landing
    fields |= fitting(fields, route.scopes[side.other])
    return Creation(
        into=side.other,
        key=Key(token, record.url, label(route.end(side), record), backlink=route.config.backlinks),
        fields=fields,
    )
