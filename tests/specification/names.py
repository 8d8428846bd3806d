"""Names that a schema does not document.

JSON Schema lets further properties pass unless it is told otherwise, and the published documents
seldom do. A client that sends a parameter that nobody documents, and a simulator that answers with
one, are wrong all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.specification.schemas import Schema, marked


class Names:
    """The names that schemas allow at one place of a body; what is below is looked up when needed.

    Args:
        schemas: any of them may apply.
        components: ``components.schemas`` of the document.
    """

    def __init__(self, schemas: Sequence[Schema], components: dict[str, Schema]) -> None:
        self._components = components
        self._properties: dict[str, list[Schema]] = {}
        self._items: list[Schema] = []
        self._rest: list[Schema] = []
        self._below: dict[str | None, Names] = {}
        self.free = False
        """Any name may stand here."""
        for schema in schemas:
            self._read(schema, frozenset())
        self.free |= not self._properties and not self._rest

    def _read(self, schema: Schema, within: frozenset[str]) -> None:
        reference = schema.get("$ref")
        if reference is not None:
            name = reference.rpartition("/")[2]
            if name not in within:
                self._read(self._components[name], within | {name})
            return
        for name, one in schema.get("properties", {}).items():
            self._properties.setdefault(name, []).append(one)
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict) and rest:
            self._rest.append(rest)
        elif rest is True or rest == {}:
            self.free = True
        if "items" in schema:
            self._items.append(schema["items"])
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key, ()):
                self._read(part, within)

    def unknown(self, body: Any, *, written: bool, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
        """Where in the body, and what is wrong. ``written``: read-only properties are wrong, too."""
        if isinstance(body, dict):
            for name, value in body.items():
                below = self._under(name)
                if below is not None:
                    if written and all(marked("readOnly", one) for one in self._properties.get(name, [{}])):
                        yield _where((*path, name)), "is read-only"
                    yield from below.unknown(value, written=written, path=(*path, name))
                elif not self.free:
                    yield _where((*path, name)), "is not documented"
        elif isinstance(body, list) and (inner := self._under(None)) is not None:
            for value in body:
                yield from inner.unknown(value, written=written, path=(*path, "*"))

    def _under(self, name: str | None) -> Names | None:
        """What is known of a property, or of the items (None)."""
        if name not in self._below:
            schemas = self._items if name is None else self._properties.get(name) or self._rest
            if not schemas:
                return None
            self._below[name] = Names(schemas, self._components)
        return self._below[name]


def _where(path: tuple[str, ...]) -> str:
    return "/" + "/".join(path)
