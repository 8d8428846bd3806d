"""The filters of a mapping, in the words of what its containers have."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence

from connectors.records import SECTION, FieldKind, FieldSpec
from sync.configuration import MappingConfig
from sync.reconcile.scope import FieldScope, Scope
from sync.reconcile.sides import Side
from sync.reconcile.words import found_in


def scopes(config: MappingConfig, fields: Map[Side, Sequence[FieldSpec]]) -> dict[Side, Scope]:
    """Both filters. Options are called by id or name; a name that is no option (yet) lets nothing through."""
    hub = {spec.name: spec for spec in fields[Side.HUB]}
    external = {spec.name: spec for spec in fields[Side.EXTERNAL]}
    tasks, objects = config.asana.filter, config.filter
    chosen = dict(objects.fields)
    if objects.milestone is not None:
        chosen["milestone"] = (objects.milestone,)
    return {
        Side.HUB: Scope(
            sections=tuple(meant(section, hub.get(SECTION)) for section in tasks.sections),
            tags=tasks.tags,
            fields=_fields(tasks.fields, hub),
        ),
        Side.EXTERNAL: Scope(
            labels=objects.labels,
            kinds=objects.kinds,
            authors=objects.authors,
            keywords=objects.keywords,
            fields=_fields(chosen, external),
        ),
    }


def _fields(chosen: Map[str, Sequence[str]], specs: Map[str, FieldSpec]) -> tuple[FieldScope, ...]:
    return tuple(
        FieldScope(
            name,
            tuple(meant(word, specs.get(name)) for word in wanted),
            many=name in specs and specs[name].kind is FieldKind.SET,
        )
        for name, wanted in chosen.items()
    )


def unresolved(config: MappingConfig, fields: Map[Side, Sequence[FieldSpec]]) -> bool:
    """Whether a filter names an option that there is not: a milestone that somebody may be making."""
    milestone = () if config.filter.milestone is None else (config.filter.milestone,)
    chosen = {
        Side.HUB: {SECTION: config.asana.filter.sections, **config.asana.filter.fields},
        Side.EXTERNAL: {"milestone": milestone, **config.filter.fields},
    }
    return any(
        found_in(word, spec) is None
        for side, specs in fields.items()
        for spec in specs
        for word in chosen[side].get(spec.name, ())
    )


def meant(word: str, spec: FieldSpec | None) -> str:
    """The option that an id or a name means, as records hold it."""
    found = found_in(word, spec) if spec is not None else None
    return word if found is None else found
