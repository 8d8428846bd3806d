"""What must hold between the parts of a configuration, each problem with its path."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pydantic import ValidationError

from connectors.base import Connector
from sync.configuration.problems import Problem, none_such, shape_problems, twice
from sync.configuration.shapes import ConnectionConfig, ExternalFilter, FieldConfig, HubFilter, MappingConfig
from sync.reconcile.frames import flaws
from sync.reconcile.words import plain
from sync.settings import HUB


def of_connections(
    connections: Mapping[str, ConnectionConfig], connectors: Mapping[str, Connector]
) -> list[Problem]:
    problems = twice({f"{path}.name": config.name for path, config in connections.items()})
    for path, config in connections.items():
        connector = connectors.get(config.connector)
        if connector is None:
            problems.append(
                Problem(f"{path}.connector", none_such("connector", config.connector, list(connectors)))
            )
            continue
        for part, model in (("settings", connector.settings), ("credentials", connector.credentials)):
            given = getattr(config, part)
            try:
                model.model_validate(given)
            except ValidationError as error:
                problems += shape_problems(error, model, given, f"{path}.{part}")
    return problems


def of_people(people: Mapping[str, Mapping[str, str]], known: Collection[str]) -> list[Problem]:
    problems = [
        Problem(f"{path}.{key}", none_such("connection or connector", key, sorted(known)))
        for path, person in people.items()
        for key in person
        if key not in known
    ]
    names = {
        f"{path}.{key}": f"{key}: {name}" for path, person in people.items() for key, name in person.items()
    }
    return problems + twice(names, key="user")


def of_mappings(
    mappings: Mapping[str, MappingConfig],
    connections: Mapping[str, ConnectionConfig],
    known: Sequence[str],
    connectors: Mapping[str, Connector],
) -> list[Problem]:
    """``known``: names of all connections in the file, those with problems included."""
    problems = twice({f"{path}.name": mapping.name for path, mapping in mappings.items()})
    by_name = {config.name: config for config in connections.values()}
    for path, mapping in mappings.items():
        for key, name in (("connection", mapping.connection), ("asana.connection", mapping.asana.connection)):
            if name not in known:
                problems.append(Problem(f"{path}.{key}", none_such("connection", name, known)))
        hub, external = by_name.get(mapping.asana.connection), by_name.get(mapping.connection)
        if hub is not None and hub.connector != HUB:
            problems.append(
                Problem(f"{path}.asana.connection", f"must be a connection of the connector {HUB!r}")
            )
        if external is not None and external.connector == HUB:
            problems.append(
                Problem(f"{path}.connection", f"must be a connection of another connector than {HUB!r}")
            )
        elif external is not None and external.connector in connectors:
            problems += _of_external(path, mapping, connectors[external.connector])
        if not mapping.asana.project.strip():
            problems.append(Problem(f"{path}.asana.project", "must be the id of a project"))
        if mapping.fields != "default":
            problems += of_fields(f"{path}.fields", mapping.fields)
    return problems + _overlaps(mappings, by_name)


def _of_external(path: str, mapping: MappingConfig, connector: Connector) -> list[Problem]:
    able = connector.capabilities
    problems = [
        Problem(
            f"{path}.filter.kinds[{at}]",
            f"{kind!r} is no kind of {connector.title}; known: {', '.join(able.kinds)}",
        )
        for at, kind in enumerate(mapping.filter.kinds)
        if kind.casefold() not in able.kinds
    ]
    if not mapping.container.strip():
        problems.append(
            Problem(f"{path}.container", f"must name a {able.container_word}, like {able.container_example}")
        )
    return problems


_INTO = {"both": ("asana", "external"), "to_asana": ("asana",), "from_asana": ("external",)}


def of_fields(path: str, fields: Sequence[FieldConfig]) -> list[Problem]:
    """Field rules: one writer for each field of each side; ``append`` only adds and may come on top."""
    problems: list[Problem] = []
    writers: dict[tuple[str, str], int] = {}
    pairs: set[tuple[str, str]] = set()
    for at, rule in enumerate(fields):
        where = f"{path}[{at}]"
        if (rule.asana, rule.external) in pairs:
            problems.append(Problem(where, "pairs the same two fields as a rule above; keep one"))
            continue
        pairs.add((rule.asana, rule.external))
        problems += [Problem(f"{where}.template", flaw) for flaw in flaws(rule.template) if rule.template]
        if rule.template and rule.values:
            problems.append(Problem(f"{where}.template", "cannot be used together with values"))
        for side in _INTO[rule.direction] if rule.mode != "append" else ():
            field = getattr(rule, side)
            first = writers.setdefault((side, field), at)
            if first != at and not _may_be_a_set(field):
                problems.append(
                    Problem(
                        f"{where}.{side}",
                        f"{field!r} is written by {path}[{first}] already; give one of them the other "
                        "direction, or mode: append",
                    )
                )
    return problems


def _may_be_a_set(field: str) -> bool:
    """Whether two rules may write it: what kind it is, and whether they go together, is asked for later."""
    return field == "labels" or field.startswith("custom:")


def _overlaps(
    mappings: Mapping[str, MappingConfig], by_name: Mapping[str, ConnectionConfig]
) -> list[Problem]:
    """Two mappings of one connector and one project: no task goes out twice, no object comes in twice."""
    problems: list[Problem] = []
    earlier: list[tuple[str, MappingConfig]] = []
    for path, mapping in mappings.items():
        external = by_name.get(mapping.connection)
        if external is None:
            continue
        for connector, other in earlier:
            if connector != external.connector or other.asana.project != mapping.asana.project:
                continue
            if (
                _goes_out(mapping)
                and _goes_out(other)
                and not _disjoint(mapping.asana.filter, other.asana.filter)
            ):
                problems.append(
                    Problem(
                        f"{path}.asana.filter",
                        f"lets out the same tasks as mapping {other.name!r}: give both different sections, "
                        "or set create.from_asana: false in one",
                    )
                )
            place = (mapping.connection, mapping.container.casefold())
            if place == (other.connection, other.container.casefold()) and (
                _covers(mapping.filter, other.filter) or _covers(other.filter, mapping.filter)
            ):
                problems.append(
                    Problem(
                        f"{path}.container",
                        f"mapping {other.name!r} brings the same objects of it into this project; give both "
                        "filters of which none includes the other",
                    )
                )
        earlier.append((external.connector, mapping))
    return problems


def _goes_out(mapping: MappingConfig) -> bool:
    return (
        mapping.direction != "to_asana" and mapping.create.from_asana and mapping.match.mode != "match_only"
    )


def _disjoint(one: HubFilter, two: HubFilter) -> bool:
    """Whether no task is in sections of both; sections told by name here and by id there may be the same."""
    here, there = ({plain(section) for section in each.sections} for each in (one, two))
    named_alike = len({section.isdigit() for section in here | there}) == 1
    return bool(here and there and named_alike and not here & there)


def _covers(wide: ExternalFilter, narrow: ExternalFilter) -> bool:
    """Whether all that the one lets in is let in by the other, too."""
    parts = [(wide.labels, narrow.labels), (wide.kinds, narrow.kinds), (wide.authors, narrow.authors)]
    parts.append((wide.keywords, narrow.keywords))
    parts.append((_listed(wide.milestone), _listed(narrow.milestone)))
    parts += [(words, narrow.fields.get(name, ())) for name, words in wide.fields.items()]
    folded = [({plain(word) for word in w}, {plain(word) for word in n}) for w, n in parts]
    return all(not w or (n and n <= w) for w, n in folded)


def _listed(word: str | None) -> tuple[str, ...]:
    return () if word is None else (word,)
