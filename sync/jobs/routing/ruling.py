"""The field rules of a mapping: what its configuration says about the fields that both containers have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.records import FieldKind, FieldSpec
from sync.configuration import FieldConfig, MappingConfig, rule_names
from sync.reconcile.model import Mode, Policy, Rule, Side
from sync.reconcile.words import words_of

DIRECTIONS = {
    "both": frozenset(Side),
    "to_asana": frozenset({Side.HUB}),
    "from_asana": frozenset({Side.EXTERNAL}),
}
"""The words of the configuration -> the sides that are written."""

POLICIES = {
    "last_modified": Policy.LAST_MODIFIED,
    "asana": Policy.HUB,
    "external": Policy.EXTERNAL,
    "ask": Policy.ASK,
}

_DEFAULT_FIELDS = ("title", "notes", "state", "assignee", "labels")


def rules(
    config: MappingConfig, hub_fields: Sequence[FieldSpec], external_fields: Sequence[FieldSpec]
) -> tuple[Rule, ...]:
    """The rules, for the fields that there are.

    ``default`` pairs the fields of the same name. Where several external assignees meet one task
    assignee, the others become followers, and are never dropped again.
    """
    hub = {spec.name: spec for spec in hub_fields}
    external = {spec.name: spec for spec in external_fields}
    names: Sequence[str]
    if config.fields == "default":
        given = [FieldConfig(asana=name, external=name) for name in _DEFAULT_FIELDS]
        if "assignee" in external and external["assignee"].kind is FieldKind.PEOPLE:
            further = FieldConfig(asana="followers", external="assignee", direction="to_asana", mode="append")
            given.append(further)
    else:
        given = list(config.fields)
    names = rule_names(given)
    return _apart(
        [
            _rule(name, each, config, hub[each.asana], external[each.external])
            for name, each in zip(names, given, strict=True)
            if each.asana in hub and each.external in external
        ]
    )


def _rule(name: str, given: FieldConfig, config: MappingConfig, hub: FieldSpec, external: FieldSpec) -> Rule:
    specs = {Side.HUB: hub, Side.EXTERNAL: external}
    writable = frozenset(side for side, spec in specs.items() if spec.writable)
    return Rule(
        name=name,
        hub=hub.name,
        external=external.name,
        hub_kind=hub.kind,
        external_kind=external.kind,
        into=DIRECTIONS[config.direction] & DIRECTIONS[given.direction] & writable,
        mode=Mode(given.mode),
        policy=POLICIES[given.conflict or config.conflict],
        words=words_of(given.meanings, hub, external),
        times=frozenset(side for side, spec in specs.items() if spec.times),
        template=given.template,
    )


def _apart(found: Sequence[Rule]) -> tuple[Rule, ...]:
    """Sets leave those of their words alone that show a choice by another rule."""
    shown = {
        (side, rule.field(side)): frozenset(word.casefold() for word in rule.words.on(side))
        for rule in found
        for side in Side
        if (rule.kind(side), rule.kind(side.other)) == (FieldKind.SET, FieldKind.CHOICE)
    }
    return tuple(
        replace(
            rule,
            apart={side: shown[side, rule.field(side)] for side in Side if (side, rule.field(side)) in shown},
        )
        if rule.hub_kind is rule.external_kind is FieldKind.SET
        else rule
        for rule in found
    )
