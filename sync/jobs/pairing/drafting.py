"""What a new counterpart is made with. A preview asks the same function; nothing is stored here."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.records import SECTION, Draft, Fields, Key, Record, Value
from sync.jobs.capture.wished import drafted_instead, with_wishes
from sync.jobs.pairing.backlinks import label
from sync.jobs.routing.route import Route
from sync.reconcile import draft, fitting
from sync.reconcile.model import Mode, Side
from sync.store.tables import Errand


@dataclass(frozen=True, slots=True)
class Creation:
    """What is about to be made where.

    ``instead``: what is settled of fields that a person chose. ``whole``: some are written now or never.
    """

    into: Side
    key: Key
    fields: Fields
    instead: Fields = field(default_factory=dict)
    whole: bool = False

    @property
    def draft(self) -> Draft:
        fields = dict(self.fields)
        section = fields.pop(SECTION, None)
        return Draft(fields=fields, section=None if section is None else str(section), whole=self.whole)


def creation_of(
    route: Route, token: str, side: Side, record: Record, errand: Errand | None = None
) -> Creation:
    """The counterpart of an object that stands on ``side``, to be found again by ``token``.

    Args:
        errand: a person asked for it, and chose some fields.
    """
    drafted = draft(route.rules, record, side, route.translation)
    told = record.created_by_us  # what we posted for somebody names them already
    fields: dict[str, Value] = with_wishes(errand, drafted, told=told) if errand else dict(drafted)
    if side is Side.EXTERNAL and route.landing is not None and fields.get(SECTION) is None:
        fields[SECTION] = route.landing
    fitted = fitting(fields, route.scopes[side.other])
    fields |= fitted
    only_now = {rule.field(side.other) for rule in route.rules if rule.mode is Mode.ON_CREATE}
    return Creation(
        into=side.other,
        key=Key(token, record.url, label(route, side, record), backlink=route.config.backlinks),
        fields=fields,
        instead=drafted_instead(errand, drafted) if errand else {},
        whole=errand is not None or bool(fitted) or bool(only_now & fields.keys()),
    )
