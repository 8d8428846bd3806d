"""From the text of a file to its connections, people and mappings, and all that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from connectors.base import Connector
from sync.configuration import rules
from sync.configuration.problems import ConfigurationInvalid, Problem, shape_problems, unknown_key
from sync.configuration.shapes import ConnectionConfig, ExternalFilter, Identifier, MappingConfig
from sync.configuration.yaml_text import parse

M = TypeVar("M", bound=BaseModel)

_KEYS = ("connections", "people", "mappings")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PERSON = TypeAdapter(dict[str, Identifier])


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file asks for.

    ``connections`` and ``mappings`` go by their path in the file. Where there are ``problems``, only
    what is sound is here, so that the providers can be asked about it before the file is refused.
    """

    connections: Mapping[str, ConnectionConfig]
    people: Sequence[Mapping[str, str]]
    mappings: Mapping[str, MappingConfig]
    problems: Sequence[Problem] = ()


def load(text: str, environ: Mapping[str, str], connectors: Mapping[str, Connector]) -> Configuration:
    """Read a file that has to be right.

    Raises:
        ConfigurationInvalid: with every problem that can be seen without asking a provider.
    """
    configuration = read(text, environ, connectors)
    if configuration.problems:
        raise ConfigurationInvalid(configuration.problems)
    return configuration


def read(text: str, environ: Mapping[str, str], connectors: Mapping[str, Connector]) -> Configuration:
    """Read what is right in a file, and list what is not.

    Raises:
        ConfigurationInvalid: it is no YAML at all.
    """
    problems: list[Problem] = []
    document = parse(text)
    problems += [Problem(str(key), unknown_key(key, _KEYS)) for key in document if key not in _KEYS]
    parts = {key: _list(_expand(document.get(key), environ, key, problems), key, problems) for key in _KEYS}
    connections = _read_each(parts["connections"], ConnectionConfig, problems)
    mappings = _read_each(parts["mappings"], MappingConfig, problems)
    people = _people(parts["people"], problems)
    names = {
        path: str(item["name"])
        for path, item in parts["connections"].items()
        if isinstance(item, dict) and "name" in item
    }
    problems += rules.of_connections(connections, connectors)
    problems += rules.of_people(people, set(names.values()) | connectors.keys())
    problems += rules.of_mappings(mappings, connections, list(names.values()), connectors)
    mappings = _with_defaults(mappings, connections, connectors)
    problems.sort(key=lambda problem: _order(problem.path))
    return Configuration(
        connections=MappingProxyType(_sound(connections, problems)),
        people=list(people.values()),
        mappings=MappingProxyType(_sound(mappings, problems)),
        problems=tuple(problems),
    )


def _with_defaults(
    mappings: Mapping[str, MappingConfig],
    connections: Mapping[str, ConnectionConfig],
    connectors: Mapping[str, Connector],
) -> dict[str, MappingConfig]:
    """Where most objects are mere talk, none becomes a task, or comes of one, unless the file says so.

    A filter says which objects become tasks.
    """
    used = {config.name: connectors.get(config.connector) for config in connections.values()}
    found: dict[str, MappingConfig] = {}
    for path, mapping in mappings.items():
        connector = used.get(mapping.connection)
        if connector is not None and connector.capabilities.selective:
            told = {name: getattr(mapping.create, name) for name in mapping.create.model_fields_set}
            filtered = mapping.filter != ExternalFilter()
            create = mapping.create.model_copy(update={"to_asana": filtered, "from_asana": False, **told})
            mapping = mapping.model_copy(update={"create": create})
        found[path] = mapping
    return found


def _order(path: str) -> tuple[int, list[int]]:
    """As in the file: ``mappings[10]`` after ``mappings[9]``."""
    part = next((at for at, key in enumerate(_KEYS) if path.startswith(key)), -1)
    return part, [int(number) for number in re.findall(r"\[(\d+)\]", path)[:1]]


def _expand(value: Any, environ: Mapping[str, str], path: str, problems: list[Problem]) -> Any:
    """Replace ``${NAME}`` in every text by the environment's value."""
    if isinstance(value, dict):
        return {key: _expand(item, environ, f"{path}.{key}", problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, environ, f"{path}[{at}]", problems) for at, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    problems += [
        Problem(path, f"the environment variable {name} is not set; export it first")
        for name in dict.fromkeys(_VARIABLE.findall(value))
        if name not in environ
    ]
    return _VARIABLE.sub(lambda match: environ.get(match[1], match[0]), value)


def _list(value: Any, key: str, problems: list[Problem]) -> dict[str, Any]:
    """The entries of one part by their path; left out or empty is none."""
    if value is None:
        return {}
    if not isinstance(value, list):
        problems.append(Problem(key, "must be a list: each entry begins with '- '"))
        return {}
    return {f"{key}[{at}]": item for at, item in enumerate(value)}


def _read_each(items: Mapping[str, Any], model: type[M], problems: list[Problem]) -> dict[str, M]:
    found: dict[str, M] = {}
    for path, item in items.items():
        try:
            found[path] = model.model_validate(item)
        except ValidationError as error:
            problems += shape_problems(error, model, item, path)
    return found


def _people(items: Mapping[str, Any], problems: list[Problem]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path, item in items.items():
        try:
            found[path] = _PERSON.validate_python(item)
        except ValidationError:
            problems.append(Problem(path, "must be a map of connection names to a user's email, login or id"))
    return found


def _sound(items: Mapping[str, M], problems: Sequence[Problem]) -> dict[str, M]:
    return {
        path: item
        for path, item in items.items()
        if not any(problem.path == path or problem.path.startswith(f"{path}.") for problem in problems)
    }
