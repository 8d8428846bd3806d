"""A provider's OpenAPI document: which operation a request is, and what it allows.

The document is read when it is first needed, a schema is compiled when an exchange first needs it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from tests.specification.documents import OPENAPI, document
from tests.specification.findings import Validator, errors
from tests.specification.names import Names
from tests.specification.schemas import DOCUMENT, Schema, json_schema
from tests.specification.supplement import PATHS

_JSON = "application/json"


class Body:
    """What a body must be: its schema, and the names that it documents."""

    def __init__(self, api: Api, schema: Schema) -> None:
        self._api = api
        self._schema = schema

    @cached_property
    def _validator(self) -> Validator:
        return self._api.compiled(self._schema)

    @cached_property
    def _names(self) -> Names:
        return Names([self._schema], self._api.components)

    def wrong(self, body: Any, *, written: bool = False) -> Iterator[tuple[str, str]]:
        """Where and how a body departs from it; ``written``: it is a request's."""
        yield from errors(self._validator, body)
        yield from self._names.unknown(body, written=written)


class Operation:
    """One method at one path."""

    def __init__(self, api: Api, method: str, template: str, parameters: list[Schema], said: Schema) -> None:
        self.name = f"{method} {template}"
        self._api = api
        self._said = said
        self._parameters = parameters
        self._answers: dict[tuple[int, bool], Body | None] = {}

    @cached_property
    def _schemas(self) -> dict[str, dict[str, Schema]]:
        """Schemas of the parameters, by name, in the path and in the query."""
        found: dict[str, dict[str, Schema]] = {"path": {}, "query": {}}
        for parameter in self._parameters:
            found.setdefault(parameter["in"], {})[parameter["name"]] = parameter["schema"]
        return found

    @cached_property
    def _validators(self) -> dict[str, Validator]:
        return {
            place: self._api.compiled(
                {
                    "type": "object",
                    "properties": schemas,
                    "required": [
                        each["name"]
                        for each in self._parameters
                        if each["in"] == place and each.get("required")
                    ],
                    "additionalProperties": False,
                }
            )
            for place, schemas in self._schemas.items()
        }

    @cached_property
    def body(self) -> Body | None:
        """What the request's body must be; None: there is none."""
        content = self._said.get("requestBody", {}).get("content", {})
        return Body(self._api, content[_JSON]["schema"]) if _JSON in content else None

    @property
    def media_types(self) -> Collection[str]:
        """What the request's body may be sent as; of JSON alone more is known here."""
        types: Collection[str] = self._said.get("requestBody", {}).get("content", {})
        return types

    @property
    def needs_body(self) -> bool:
        return self._said.get("requestBody", {}).get("required") is True

    def wrong_parameters(self, place: str, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Unknown, missing and unsuitable parameters; ``place`` is path or query."""
        schemas = self._schemas[place]
        values = {
            name: _value(self._api.resolved(schemas.get(name, {})), text) for name, text in given.items()
        }
        yield from errors(self._validators[place], values)

    def documents(self, status: int) -> bool:
        return str(status) in self._said["responses"]

    def answer(self, status: int, *, whole: bool = False) -> Body | None:
        """What the answer's body must be; None: it is empty.

        ``whole``: the request names the fields it wants, so that rows of a list, which are described
        as compact, may have all that the whole object has.
        """
        if (status, whole) not in self._answers:
            said = self._api.resolved(self._said["responses"][str(status)])
            schema = said.get("content", {}).get(_JSON, {}).get("schema")
            if schema is not None and whole:
                schema = self._api.whole(schema)
            self._answers[status, whole] = None if schema is None else Body(self._api, schema)
        return self._answers[status, whole]


class Api:
    """All operations of a document."""

    def __init__(self, said: Schema) -> None:
        self._said = said
        self.components: dict[str, Schema] = said["components"]["schemas"]
        self._base = urlsplit(said["servers"][0]["url"]).path.strip("/")
        self._found: dict[tuple[str, str], tuple[Operation, dict[str, str]] | None] = {}
        self._operations: dict[str, Operation] = {}
        self._templates = sorted((_steps(path), path) for path in said["paths"])
        """What is written out goes before what is a parameter: "{" sorts last."""

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        components = {name: json_schema(schema) for name, schema in self.components.items()}
        return jsonschema_rs.Registry(
            [(DOCUMENT, {"components": {"schemas": components}})], draft=jsonschema_rs.Draft202012
        )

    def compiled(self, schema: Schema) -> Validator:
        """References of the schema lead into the document."""
        return jsonschema_rs.Draft202012Validator(
            json_schema(schema), registry=self._registry, validate_formats=True
        )

    def resolved(self, said: Schema) -> Schema:
        """What a reference leads to."""
        while "$ref" in said:
            found: Any = self._said
            for step in said["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            said = found
        return said

    def whole(self, schema: Schema) -> Schema:
        """The same with the whole objects in place of the compact ones of a list (Asana)."""
        data = schema.get("properties", {}).get("data", {})
        reference = data.get("items", {}).get("$ref", "")
        name = reference.rpartition("/")[2].removesuffix("Compact") + "Response"
        if not reference.endswith("Compact") or name not in self.components:
            return schema
        rows = {**data, "items": {"$ref": f"#/components/schemas/{name}"}}
        return {**schema, "properties": {**schema["properties"], "data": rows}}

    def schema(self, name: str) -> Body:
        """A schema of the document by its name."""
        return Body(self, {"$ref": f"#/components/schemas/{name}"})

    def operation(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request, and the parameters in its path."""
        key = (method, path)
        if key not in self._found:
            self._found[key] = self._matching(method, path)
        return self._found[key]

    def _matching(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        steps = _steps(path)
        base = _steps(self._base) if self._base else ()
        if steps[: len(base)] != base:
            return None
        for template, written in self._templates:
            given = _parameters(template, steps[len(base) :])
            if given is not None and method.lower() in self._said["paths"][written]:
                return self._operation(method, written), given
        return None

    def _operation(self, method: str, template: str) -> Operation:
        name = f"{method} {template}"
        if name not in self._operations:
            shared = self._said["paths"][template].get("parameters", [])
            said = self._said["paths"][template][method.lower()]
            parameters = [self.resolved(one) for one in (*shared, *said.get("parameters", []))]
            self._operations[name] = Operation(self, method, template, parameters, said)
        return self._operations[name]


@cache
def api(provider: str) -> Api:
    """The operations of this provider, read once per process."""
    said = document(OPENAPI[provider])
    return Api({**said, "paths": {**said["paths"], **PATHS[provider]}})


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def _parameters(template: tuple[str, ...], steps: tuple[str, ...]) -> dict[str, str] | None:
    """The values of the template's parameters; None where the path is another one.

    A name at the end, such as a label's, may have slashes in it: paths are compared as decoded.
    """
    if template[-1] == "{name}" and len(steps) > len(template):
        steps = (*steps[: len(template) - 1], "/".join(steps[len(template) - 1 :]))
    if len(template) != len(steps):
        return None
    given = {}
    for wanted, step in zip(template, steps, strict=True):
        if wanted.startswith("{"):
            given[wanted[1:-1]] = step
        elif wanted != step:
            return None
    return given


def _value(schema: Schema, text: str) -> Any:
    """A parameter as the type that it shall have, the text itself where it is none."""
    match schema.get("type"):
        case "integer" if text.removeprefix("-").isdecimal():
            return int(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "array":
            return text.split(",")
    return text
