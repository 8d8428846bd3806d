"""The configuration file: shapes, reading, and every problem at once with its path.

Pure: text and environment in, :class:`Configuration` or :class:`ConfigurationInvalid` out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from connectors.base import Connector
from sync.settings import HUB

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Identifier = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Direction = Literal["both", "to_asana", "from_asana"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConnectionConfig(_Strict):
    """One account of a connector."""

    name: Name
    connector: str
    settings: dict[str, Any] = {}
    credentials: dict[str, Any] = Field(default={}, repr=False)


class ExternalFilter(_Strict):
    """Which external objects come in; an empty list lets everything through."""

    labels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    milestone: str | None = None


class HubFilter(_Strict):
    """Which tasks go out; an empty list lets everything through."""

    sections: tuple[Identifier, ...] = ()
    tags: tuple[str, ...] = ()


class HubEnd(_Strict):
    connection: str
    project: Identifier
    section: Identifier | None = None
    filter: HubFilter = HubFilter()


class BothWays(_Strict):
    to_asana: bool = True
    from_asana: bool = True


class Comments(BothWays):
    history: bool = False


class Match(_Strict):
    mode: Literal["create", "match_then_create", "match_only"] = "create"
    key: Literal["title"] = "title"


class FieldConfig(_Strict):
    """One pair of fields that is kept in step."""

    asana: str
    external: str
    direction: Direction = "both"
    values: dict[str, str] = {}
    mode: Literal["overwrite", "if_empty", "on_create", "append"] = "overwrite"
    conflict: Literal["last_modified", "asana", "external", "ask"] | None = None


class DeletePolicy(_Strict):
    to_asana: Literal["ignore", "unlink", "complete", "close", "delete"] = "complete"
    from_asana: Literal["ignore", "unlink", "complete", "close", "delete"] = "close"


class PeoplePolicy(_Strict):
    fallback: str = "unassigned"


class Limits(_Strict):
    deletes: int = Field(10, ge=0)
    deletes_percent: float = Field(5, ge=0, le=100)
    creates_per_hour: int = Field(200, ge=0)


class MappingConfig(_Strict):
    """Two containers kept in step."""

    name: Name
    connection: str
    container: Identifier
    filter: ExternalFilter = ExternalFilter()
    asana: HubEnd
    direction: Direction = "both"
    create: BothWays = BothWays()
    since: Literal["now", "all"] | date | datetime = "now"
    match: Match = Match()
    fields: Literal["default"] | tuple[FieldConfig, ...] = "default"
    comments: Comments = Comments()
    attachments: BothWays = BothWays()
    backlinks: bool = True
    conflict: Literal["last_modified", "asana", "external", "ask"] = "last_modified"
    delete: DeletePolicy = DeletePolicy()
    people: PeoplePolicy = PeoplePolicy()
    limits: Limits = Limits()


class Configuration(_Strict):
    """The whole file. ``people`` entries map connector or connection names to user ids, logins or emails."""

    connections: tuple[ConnectionConfig, ...] = ()
    people: tuple[dict[str, Identifier], ...] = ()
    mappings: tuple[MappingConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at ``path``, and what would be right."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigurationInvalid(Exception):
    """The file cannot be applied; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class _Loader(yaml.SafeLoader):
    """YAML 1.2 booleans only (``off`` is a word here), and a key given twice is a problem."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.MarkedYAMLError(
                problem=f"key {twice[0]!r} is given twice; keep one", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def load(text: str, environ: Mapping[str, str], connectors: Mapping[str, Connector]) -> Configuration:
    """Read a configuration file.

    Raises:
        ConfigurationInvalid: with every problem that can be seen without asking a provider.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationInvalid([Problem("", f"not readable as YAML: {_where(error)}")]) from None
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ConfigurationInvalid(
            [Problem("", "the file must hold the keys connections, people and mappings")]
        )
    problems: list[Problem] = []
    document = _expand(document, environ, "", problems)
    try:
        configuration = Configuration.model_validate(document)
    except ValidationError as error:
        problems += [Problem(_path(document, item["loc"]), _sentence(item)) for item in error.errors()]
        raise ConfigurationInvalid(problems) from None
    problems += _connection_problems(configuration, connectors)
    problems += _mapping_problems(configuration, connectors)
    if problems:
        raise ConfigurationInvalid(problems)
    return configuration


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{getattr(error, 'problem', None) or error}{place}"


def _expand(value: Any, environ: Mapping[str, str], path: str, problems: list[Problem]) -> Any:
    """Replace ``${NAME}`` in every text by the environment's value."""
    if isinstance(value, dict):
        return {
            key: _expand(item, environ, f"{path}.{key}" if path else str(key), problems)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_expand(item, environ, f"{path}[{at}]", problems) for at, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    for name in _VARIABLE.findall(value):
        if name not in environ:
            problems.append(Problem(path, f"the environment variable {name} is not set; export it first"))
    return _VARIABLE.sub(lambda match: environ.get(match[1], ""), value)


def _path(document: Any, location: tuple[int | str, ...]) -> str:
    """``mappings[0].asana.project``, leaving out the names pydantic gives to union members."""
    path, at = "", document
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            at = at[part] if isinstance(at, list) and part < len(at) else None
        elif isinstance(at, dict) or not path:
            path += f".{part}" if path else part
            at = at.get(part) if isinstance(at, dict) else None
        elif at is None:
            path += f".{part}"
    return path


def _sentence(item: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "missing":
        return "is missing; it is required"
    if kind == "extra_forbidden":
        return "is not a key here; remove it or check its spelling"
    if kind == "literal_error":
        return f"must be one of {context['expected']}"
    if kind == "string_pattern_mismatch":
        return "must start with a letter or digit and hold only letters, digits, '.', '_' and '-'"
    message = str(item["msg"])
    return message[0].lower() + message[1:]


def _connection_problems(configuration: Configuration, connectors: Mapping[str, Connector]) -> list[Problem]:
    problems: list[Problem] = []
    problems += _twice("connections", [connection.name for connection in configuration.connections])
    for at, connection in enumerate(configuration.connections):
        path = f"connections[{at}]"
        connector = connectors.get(connection.connector)
        if connector is None:
            known = ", ".join(connectors)
            problems.append(
                Problem(
                    f"{path}.connector", f"there is no connector {connection.connector!r}; known: {known}"
                )
            )
            continue
        for part, model in (("settings", connector.settings), ("credentials", connector.credentials)):
            given = getattr(connection, part)
            try:
                model.model_validate(given)
            except ValidationError as error:
                problems += [
                    Problem(f"{path}.{part}{_path(given, ('', *item['loc']))}", _sentence(item))
                    for item in error.errors()
                ]
            problems += [
                Problem(
                    f"{path}.{part}.{key}",
                    f"is not a key here; known: {', '.join(model.model_fields) or 'none'}",
                )
                for key in given
                if key not in model.model_fields and model.model_config.get("extra") != "forbid"
            ]
    return problems


def _mapping_problems(configuration: Configuration, connectors: Mapping[str, Connector]) -> list[Problem]:
    problems = _twice("mappings", [mapping.name for mapping in configuration.mappings])
    by_name = {connection.name: connection for connection in configuration.connections}
    for at, mapping in enumerate(configuration.mappings):
        path = f"mappings[{at}]"
        external, hub = by_name.get(mapping.connection), by_name.get(mapping.asana.connection)
        known = ", ".join(by_name) or "none"
        if external is None:
            problems.append(
                Problem(
                    f"{path}.connection", f"there is no connection {mapping.connection!r}; known: {known}"
                )
            )
        if hub is None:
            problems.append(
                Problem(
                    f"{path}.asana.connection",
                    f"there is no connection {mapping.asana.connection!r}; known: {known}",
                )
            )
        elif hub.connector != HUB:
            problems.append(
                Problem(f"{path}.asana.connection", f"must be a connection of the connector {HUB!r}")
            )
        if external is not None and external.connector in connectors:
            problems += _external_problems(path, mapping, connectors[external.connector])
        if mapping.fields != "default":
            problems += _field_problems(path, mapping.fields)
    problems += _overlaps(configuration, by_name)
    known_names = set(by_name) | set(connectors)
    for at, person in enumerate(configuration.people):
        problems += [
            Problem(f"people[{at}].{key}", f"is no connection or connector; known: {known}")
            for key in person
            if key not in known_names
            for known in [", ".join(sorted(known_names))]
        ]
    return problems


def _external_problems(path: str, mapping: MappingConfig, connector: Connector) -> list[Problem]:
    kinds = connector.capabilities.kinds
    problems = [
        Problem(
            f"{path}.filter.kinds[{at}]",
            f"{kind!r} is no kind of {connector.title}; known: {', '.join(kinds)}",
        )
        for at, kind in enumerate(mapping.filter.kinds)
        if kind not in kinds
    ]
    if not mapping.container.strip():
        example = connector.capabilities.container_example
        problems.append(
            Problem(
                f"{path}.container", f"must name a {connector.capabilities.container_word}, like {example}"
            )
        )
    return problems


def _field_problems(path: str, fields: tuple[FieldConfig, ...]) -> list[Problem]:
    problems = _twice(f"{path}.fields", [field.asana for field in fields], key="asana")
    for at, rule in enumerate(fields):
        if len(set(rule.values.values())) != len(rule.values):
            problems.append(
                Problem(
                    f"{path}.fields[{at}].values",
                    "two Asana values lead to the same external value; pair them one to one",
                )
            )
    return problems


def _overlaps(configuration: Configuration, by_name: Mapping[str, ConnectionConfig]) -> list[Problem]:
    """Two mappings of one connector into one project: no task may go out twice."""
    problems: list[Problem] = []
    seen: dict[tuple[str, str, str], list[tuple[int, MappingConfig]]] = {}
    for at, mapping in enumerate(configuration.mappings):
        external = by_name.get(mapping.connection)
        if external is None or mapping.direction == "to_asana" or not mapping.create.from_asana:
            continue
        place = (external.connector, mapping.asana.connection, mapping.asana.project)
        for _, other in seen.get(place, []):
            if not _disjoint(mapping.asana.filter, other.asana.filter):
                problems.append(
                    Problem(
                        f"mappings[{at}].asana.filter",
                        f"lets out the same tasks as mapping {other.name!r}: give both different sections, "
                        "or set create.from_asana: false in one",
                    )
                )
        seen.setdefault(place, []).append((at, mapping))
    return problems


def _disjoint(one: HubFilter, two: HubFilter) -> bool:
    return bool(one.sections and two.sections and not set(one.sections) & set(two.sections))


def _twice(path: str, names: list[str], *, key: str = "name") -> list[Problem]:
    return [
        Problem(f"{path}[{at}].{key}", f"{name!r} is given twice; every {key} must be unique")
        for at, name in enumerate(names)
        if name in names[:at]
    ]


def plain_credentials(connector: Connector, credentials: Mapping[str, Any]) -> dict[str, Any]:
    """Credentials as the vault seals them: validated, secrets as plain text, unset ones left out."""
    model = connector.credentials.model_validate(dict(credentials))
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name in connector.credentials.model_fields
        if (value := getattr(model, name)) is not None
    }
