"""Which fields can be paired: what each kind may be written into, and what else a rule asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.records import FieldKind, FieldSpec
from sync.reconcile.elements import COLLECTIONS, NAMING
from sync.reconcile.model import Mode
from sync.reconcile.sides import Side
from sync.reconcile.words import WORDED

WRITTEN_INTO: Mapping[FieldKind, tuple[FieldKind, ...]] = {
    FieldKind.TEXT: (FieldKind.TEXT,),
    FieldKind.MARKDOWN: (FieldKind.MARKDOWN,),
    FieldKind.STATE: (FieldKind.STATE, FieldKind.CHOICE, FieldKind.TEXT),
    FieldKind.CHOICE: (FieldKind.CHOICE, FieldKind.STATE, FieldKind.SET, FieldKind.TEXT),
    FieldKind.SET: (FieldKind.SET, FieldKind.CHOICE),
    FieldKind.NUMBER: (FieldKind.NUMBER, FieldKind.TEXT),
    FieldKind.DATE: (FieldKind.DATE, FieldKind.TEXT),
    FieldKind.PERSON: (FieldKind.PERSON, FieldKind.PEOPLE),
    FieldKind.PEOPLE: (FieldKind.PEOPLE, FieldKind.PERSON),
    FieldKind.OBJECT: (FieldKind.OBJECT,),
    FieldKind.OBJECTS: (FieldKind.OBJECTS,),
}
"""Kind -> the kinds of the other side that its values can be carried into."""

_DIRECTION = {Side.HUB: "to_asana", Side.EXTERNAL: "from_asana"}


def unfit(
    hub: FieldSpec,
    external: FieldSpec,
    into: Iterable[Side],
    *,
    mode: Mode = Mode.OVERWRITE,
    values: bool = False,
    template: bool = False,
) -> list[str]:
    """Why a rule cannot pair these two fields, a sentence each.

    Args:
        into: the sides that the rule writes.
        values, template: whether it has a value map, a template.
    """
    specs = {Side.HUB: hub, Side.EXTERNAL: external}
    into = list(into)
    barred = [side for side in into if not _may(specs, side)]
    found = [_barred(specs, side) for side in barred]
    if not barred and into and not any(specs[side].writable for side in into):
        found.append(f"{_named(specs[into[0]])} can only be read; give the rule the other direction")
    if mode is Mode.APPEND and any(specs[side].kind not in COLLECTIONS for side in into):
        found.append("append adds to sets and lists of people; for one value use overwrite or if_empty")
    if mode is Mode.ON_CREATE and hub.kind in NAMING:
        found.append("the objects that are named may get their counterparts later: use overwrite or if_empty")
    if values and not {hub.kind, external.kind} <= WORDED:
        found.append(f"values pair words, and {_named(hub)} and {_named(external)} are not made of words")
    if template and not hub.kind is external.kind is FieldKind.TEXT:
        found.append("a template is for two text fields, such as the titles")
    return found


def _may(specs: Mapping[Side, FieldSpec], into: Side) -> bool:
    return specs[into].kind in WRITTEN_INTO[specs[into.other].kind]


def _barred(specs: Mapping[Side, FieldSpec], into: Side) -> str:
    """What cannot be written, and what could be."""
    source, target = specs[into.other], specs[into]
    if _may(specs, into.other):
        way = f"; the other way it can: direction: {_DIRECTION[into.other]}"
    else:
        way = f"; it goes into {', '.join(WRITTEN_INTO[source.kind])}"
    return f"{_named(source)} cannot be written into {_named(target)}{way}"


def _named(spec: FieldSpec) -> str:
    return f"{spec.label or spec.name} ({spec.kind})"
