"""Whether the rules and filters of a mapping fit the fields and options that its containers have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from typing import TypeAlias

from connectors.records import SECTION, Container, FieldKind, FieldSpec
from sync.configuration import FieldConfig, MappingConfig, Problem
from sync.jobs.routing.ruling import DIRECTIONS
from sync.reconcile.compatibility import unfit
from sync.reconcile.model import Mode
from sync.reconcile.sides import Side
from sync.reconcile.words import WORDED, found_in, options_of, without_counterpart, words_of

Fields: TypeAlias = Map[Side, Map[str, FieldSpec]]
"""Side -> name -> field."""

_NAMED = 12
"""So many options are named."""


def rule_findings(
    rule: FieldConfig, mapping: MappingConfig, path: str, fields: Fields
) -> tuple[list[Problem], list[str]]:
    """(what forbids the rule, what is worth knowing about it)."""
    names = {Side.HUB: rule.asana, Side.EXTERNAL: rule.external}
    words = {Side.HUB: "asana", Side.EXTERNAL: "external"}
    missing = [
        Problem(f"{path}.{words[side]}", f"there is no field {name!r}; known: {', '.join(fields[side])}")
        for side, name in names.items()
        if name not in fields[side]
    ]
    if missing:
        return missing, []
    hub, external = (fields[side][name] for side, name in names.items())
    into = DIRECTIONS[mapping.direction] & DIRECTIONS[rule.direction]
    found = [
        Problem(path, sentence)
        for sentence in unfit(
            hub,
            external,
            [side for side in Side if side in into],
            mode=Mode(rule.mode),
            values=bool(rule.values),
            template=bool(rule.template),
        )
    ]
    found += _unknown(rule.meanings, f"{path}.values", hub)
    found += _unknown(
        dict.fromkeys(word for others in rule.meanings.values() for word in others),
        f"{path}.values",
        external,
    )
    return found, [] if found else _unmatched(rule, into, hub, external)


def _unknown(given: Iterable[str], path: str, spec: FieldSpec) -> list[Problem]:
    return [
        Problem(path, f"{word!r} is no option of {spec.label}; known: {_listed(options_of(spec) or {})}")
        for word in given
        if spec.kind in WORDED and found_in(word, spec) is None
    ]


def _unmatched(rule: FieldConfig, into: frozenset[Side], hub: FieldSpec, external: FieldSpec) -> list[str]:
    """Options that nothing stands for, on the sides from which values go out."""
    words = words_of(rule.meanings, hub, external)
    found = []
    for side, spec, other in ((Side.HUB, hub, external), (Side.EXTERNAL, external, hub)):
        lost = without_counterpart(words, side) if side.other in into else []
        if lost:
            found.append(
                f"in {spec.label}, nothing in {other.label} stands for {', '.join(lost[:_NAMED])}"
                f"{' ...' if len(lost) > _NAMED else ''}: what has it is parked until `values` says what does"
            )
    return found


def writer_problems(mapping: MappingConfig, path: str, fields: Fields) -> list[Problem]:
    """Two rules on one field of a side: only a set, and a choice that is shown by its words, go together."""
    found: list[Problem] = []
    first: dict[tuple[Side, str], tuple[int, bool]] = {}
    for at, rule in enumerate(mapping.fields if mapping.fields != "default" else ()):
        names = {Side.HUB: rule.asana, Side.EXTERNAL: rule.external}
        for side in DIRECTIONS[rule.direction] if rule.mode != "append" else ():
            kind = _kind(fields, side, names[side])
            shown = kind is FieldKind.SET and _kind(fields, side.other, names[side.other]) is FieldKind.CHOICE
            earlier, earlier_shown = first.setdefault((side, names[side]), (at, shown))
            if earlier != at and not (kind is FieldKind.SET and (shown or earlier_shown)):
                found.append(
                    Problem(
                        f"{path}[{at}]",
                        f"{names[side]!r} is written by {path}[{earlier}] already; give one of them the "
                        "other direction, or mode: append",
                    )
                )
    return found


def _kind(fields: Fields, side: Side, name: str) -> FieldKind | None:
    return fields[side][name].kind if name in fields[side] else None


def section_problems(mapping: MappingConfig, path: str, project: Container) -> list[Problem]:
    """Sections that are not there, and a place for new tasks outside of the filter."""
    tasks = mapping.asana
    sections = FieldSpec(name=SECTION, kind=FieldKind.CHOICE, label="Section", options=project.sections)
    chosen = {f"{path}.section": tasks.section} if tasks.section else {}
    for at, given in enumerate(tasks.filter.sections):
        chosen[f"{path}.filter.sections[{at}]"] = given
    found = [
        Problem(where, f"{given!r} is no section of {project.name}; known: {_listed(sections.options)}")
        for where, given in chosen.items()
        if found_in(given, sections) is None
    ]
    allowed = {found_in(given, sections) for given in tasks.filter.sections}
    comes_in = mapping.direction != "from_asana" and mapping.create.to_asana
    if tasks.section and allowed and comes_in and found_in(tasks.section, sections) not in allowed:
        found.append(
            Problem(f"{path}.section", "new tasks would land outside of asana.filter.sections; add it there")
        )
    return found


def filter_findings(mapping: MappingConfig, path: str, fields: Fields) -> tuple[list[Problem], list[str]]:
    """(what forbids the filters by fields, what is worth knowing about them)."""
    milestone, milestones = mapping.filter.milestone, fields[Side.EXTERNAL].get("milestone")
    found = [
        *_field_problems(mapping.asana.filter.fields, f"{path}.asana.filter.fields", fields[Side.HUB]),
        *_field_problems(mapping.filter.fields, f"{path}.filter.fields", fields[Side.EXTERNAL]),
    ]
    if milestones is None or milestone is None or found_in(milestone, milestones):
        return found, []
    known = _listed(options_of(milestones) or {})
    return found, [f"there is no milestone {milestone!r} now; known: {known}"]


def _field_problems(chosen: Map[str, Sequence[str]], path: str, fields: Map[str, FieldSpec]) -> list[Problem]:
    found: list[Problem] = []
    for name, wanted in chosen.items():
        spec = fields.get(name)
        if name == SECTION:
            found.append(Problem(f"{path}.{name}", "sections have a filter of their own: sections"))
        elif spec is None:
            found.append(Problem(f"{path}.{name}", f"there is no field {name!r}; known: {', '.join(fields)}"))
        elif spec.kind not in WORDED:
            found.append(Problem(f"{path}.{name}", f"{spec.label} ({spec.kind}) cannot be filtered by words"))
        else:
            found += _unknown(wanted, f"{path}.{name}", spec)
    return found


def _listed(options: Map[str, str]) -> str:
    named = [f"{name} ({word})" if name != word else name for word, name in options.items()]
    return ", ".join(named[:_NAMED]) + (" ..." if len(named) > _NAMED else "") or "none"
