"""What a pass does about the fields of one link. A preview asks the same; nothing is stored here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.records import Record
from sync.jobs.capture import own_words
from sync.jobs.capture.asked_for import was_asked_for
from sync.jobs.engine import Engine
from sync.jobs.merging import relations, restoring, reverting
from sync.jobs.merging.stamps import stamps_for
from sync.jobs.passing.past import Past
from sync.jobs.routing.route import Route
from sync.reconcile import plan_link
from sync.reconcile.model import LinkPlan, LinkView, Side
from sync.store import links
from sync.store.tables import Link
from sync.store.values import dump


async def plan_fields(
    engine: Engine, route: Route, link: Link, records: Mapping[Side, Record], past: Past
) -> tuple[LinkView, LinkPlan]:
    """The plan, and the view that it was made from; where two edits clash their times are asked for.

    Raises:
        ConnectorError: a provider did not tell when a field was edited.
    """
    linked = await relations.counterparts(engine, route, records, past)
    translation = replace(route.translation, linked=linked)
    seen = links.pairs(past.seen)
    own = own_words.kept(
        link,
        asked_for=was_asked_for(link, route.config, route.end(Side.EXTERNAL).connector.capabilities),
        rules=route.rules,
        records=records,
        seen=seen,
        translation=translation,
    )
    view = LinkView(
        hub=records[Side.HUB],
        external=records[Side.EXTERNAL],
        rules=route.rules,
        seen=seen | own,
        translation=translation,
        skip=_still_parked(route, past, records),
        into=route.into,
        tie_s=engine.settings.tie_seconds,
        titles={side: route.end(side).connector.title for side in Side},
    )
    plan = plan_link(view)
    if plan.undated:
        stamps = await stamps_for(engine, route, link, records, past.seen, plan.undated)
        view = replace(view, stamps=stamps)
        plan = plan_link(view)
    written = {write.rule for write in plan.writes}
    noted = {name: pair for name, pair in own.items() if name not in written}
    if noted:
        plan = replace(plan, settle={**noted, **plan.settle})
    if past.to_restore:
        plan = restoring.with_restored(view, plan, past.to_restore)
    if past.to_revert:
        plan = reverting.with_reverted(view, plan, past.to_revert)
    return view, plan


def _still_parked(route: Route, past: Past, records: Mapping[Side, Record]) -> frozenset[str]:
    """Rules that were parked with the very values that stand there now; other values are tried anew.

    Where the mapping's own rules were the reason, new ones are, too.
    """
    return frozenset(
        entry.field
        for entry in past.parked
        if (values := values_of(route, entry.field, records)) == entry.values
        or [*values, route.mapping.version] == entry.values
    )


_TAKEN_WITH = {"start": "due"}
"""Asana takes a start for a task that has a due date: a refused one is tried anew when that changed.

https://developers.asana.com/reference/updatetask, ``start_on``.
"""


def values_of(route: Route, name: str, records: Mapping[Side, Record]) -> list[object]:
    """What stands in a rule's fields, as it is stored; nothing where there is no such rule."""
    rule = next((rule for rule in route.rules if rule.name == name), None)
    if rule is None:
        return []
    fields = [(side, rule.field(side)) for side in Side]
    fields += [(side, _TAKEN_WITH[field]) for side, field in fields if field in _TAKEN_WITH]
    return [dump(records[side].fields.get(field)) for side, field in fields]
