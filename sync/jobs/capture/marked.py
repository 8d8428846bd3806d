"""Objects and parts of them that people marked as the mapping's filter wants it: a mark is an errand, too."""

from __future__ import annotations

from datetime import datetime

from connectors.interactions import What
from connectors.records import Author, Fields, Record, Ref
from sync.jobs.passing.desk import Desk
from sync.jobs.routing.route import Route
from sync.reconcile import Scope
from sync.reconcile.model import Side
from sync.store import errands
from sync.store.tables import Errand
from sync.store.values import dump_all

_KEY = "mark"


def who_marked(scope: Scope, record: Record) -> Author | None:
    """Who marked it so that the filter lets it through; None where the filter asks for no such thing."""
    marked = {word.casefold(): by for word, by in record.marked_by.items()}
    words = (word.casefold() for asked in scope.fields for word in asked.words)
    return next((marked[word] for word in words if word in marked), None)


def errand_of(
    route: Route, asker: Author, mark: Ref, about: Ref, now: datetime, fields: Fields | None = None
) -> Errand:
    """That they want ``about`` captured; ``mark`` is what bears the mark. In no database yet."""
    mapping = route.mapping
    return Errand(
        connection_id=route.end(Side.EXTERNAL).connection.id,
        mapping_id=mapping.id,
        key=f"{_KEY} {mark} {mapping.id}",
        what=What.CAPTURE.value,
        ref=str(about),
        kind=about.kind,
        object_id=about.id,
        address=about.address,
        fields=dump_all(fields or {}),
        person_id=asker.id,
        person_name=asker.name,
        asked_at=now,
    )


def is_mark(errand: Errand) -> bool:
    """Whether it was asked for by a mark: nobody chose then how much of the thread comes along."""
    return errand.key.startswith(f"{_KEY} ")


def asked_by_mark(route: Route, side: Side, record: Record, now: datetime) -> Errand | None:
    """The errand of who marked the object, in no database yet; None where nobody did."""
    asker = who_marked(route.scopes[side], record)
    if asker is None or side is Side.HUB or record.created_by_us:
        return None
    return errand_of(route, asker, record.ref, record.ref, now)


async def errand_for(desk: Desk, side: Side, record: Record) -> Errand | None:
    """As :func:`asked_by_mark`, and noted."""
    errand = asked_by_mark(desk.route, side, record, desk.engine.now())
    if errand is None:
        return None
    async with desk.engine.database.write() as session:
        await errands.note(session, errand)
        return await errands.asking_for(session, desk.route.mapping.id, str(record.ref))
