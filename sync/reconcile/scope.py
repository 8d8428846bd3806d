"""Which objects a mapping lets in. We filter ourselves: a provider's filtered listing hides who left."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.records import SECTION, Fields, Record, Value
from sync.reconcile.elements import words


@dataclass(frozen=True, slots=True)
class FieldScope:
    """A field that must hold one of these words; ``many`` tells that it holds several at once."""

    field: str
    words: tuple[str, ...]
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A filter. An empty part lets everything through, a filled one what has at least one of its words.

    ``labels`` and ``tags`` are two names for one thing; ``sections`` are section ids, ``authors`` user
    ids or names, ``kinds`` the kinds of Ref; ``keywords`` stand as whole words in title or notes. Case never
    matters.
    """

    labels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fields: tuple[FieldScope, ...] = ()


def inside(record: Record, scope: Scope, container: str) -> bool:
    """Whether the object lies in the container and satisfies the filter.

    What the Record does not tell is no match.
    """
    sections = {place.casefold(): section for place, section in record.places.items()}
    if container.casefold() not in sections:
        return False
    author = (record.author.id, record.author.name) if record.author else ()
    return (
        _matches(scope.kinds, (record.ref.kind,))
        and _matches(scope.authors, author)
        and _says(record, scope.keywords)
        and _matches(scope.sections, words(sections[container.casefold()]))
        and all(_matches(asked.words, words(record.fields.get(asked.field))) for asked in _asked(scope))
    )


def fitting(fields: Fields, scope: Scope) -> Fields:
    """What a new object needs beside these fields to satisfy the filter: a label, a section, an option."""
    more: dict[str, Value] = {}
    if not _matches(scope.sections, words(fields.get(SECTION))):
        more[SECTION] = scope.sections[0]
    for asked in _asked(scope):
        here = words(more.get(asked.field, fields.get(asked.field)))
        if not _matches(asked.words, here):
            more[asked.field] = tuple(sorted((*here, asked.words[0]))) if asked.many else asked.words[0]
    return more


def _asked(scope: Scope) -> tuple[FieldScope, ...]:
    return (
        FieldScope("labels", scope.labels, many=True),
        FieldScope("labels", scope.tags, many=True),
        *scope.fields,
    )


def _says(record: Record, keywords: Iterable[str]) -> bool:
    sought = [r"\s+".join(map(re.escape, word.casefold().split())) for word in keywords]
    said = "\n".join(str(record.fields.get(name) or "") for name in ("title", "notes")).casefold()
    return not sought or any(re.search(rf"(?<!\w){word}(?!\w)", said) for word in sought)


def _matches(wanted: Iterable[str], found: Iterable[str]) -> bool:
    asked = {word.casefold() for word in wanted}
    return not asked or not asked.isdisjoint(word.casefold() for word in found)
