"""Which objects a mapping lets in. We filter ourselves: a provider's filtered listing hides who left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.records import Fields, Record, Value
from sync.reconcile.elements import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A filter. An empty part lets everything through, a filled one what has at least one of its words.

    ``labels`` and ``tags`` are two names for one thing; ``sections`` are section ids, ``authors`` user
    ids or names, ``kinds`` the kinds of Ref. Case never matters.
    """

    labels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    milestone: str | None = None


def inside(record: Record, scope: Scope, container: str, *, label_field: str = "labels") -> bool:
    """Whether the object lies in the container and satisfies the filter.

    ``label_field`` is the field that holds the labels. What the Record does not tell is no match.
    """
    sections = {place.casefold(): section for place, section in record.places.items()}
    if container.casefold() not in sections:
        return False
    labels = words(record.fields.get(label_field))
    author = (record.author.id, record.author.name) if record.author else ()
    milestone = () if scope.milestone is None else (scope.milestone,)
    return (
        _matches(scope.labels, labels)
        and _matches(scope.tags, labels)
        and _matches(scope.kinds, (record.ref.kind,))
        and _matches(scope.authors, author)
        and _matches(scope.sections, words(sections[container.casefold()]))
        and _matches(milestone, words(record.fields.get("milestone")))
    )


def fitting(fields: Fields, scope: Scope) -> Fields:
    """What a new object needs beside these fields to satisfy the filter: a label, the milestone."""
    more: dict[str, Value] = {}
    labels = words(fields.get("labels"))
    if not _matches(scope.labels, labels):
        more["labels"] = tuple(sorted((*labels, scope.labels[0])))
    if scope.milestone is not None:
        more["milestone"] = scope.milestone
    return more


def _matches(wanted: Iterable[str], found: Iterable[str]) -> bool:
    asked = {word.casefold() for word in wanted}
    return not asked or not asked.isdisjoint(word.casefold() for word in found)
