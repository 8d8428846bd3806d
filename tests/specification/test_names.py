"""Undocumented and read-only names are found wherever a schema says what may stand there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.specification.names import Names
from tests.specification.schemas import Schema, json_schema

COMPONENTS: dict[str, Schema] = {
    "Named": {"type": "object", "properties": {"name": {"type": "string"}}},
    "Node": {"properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}},
}
NAMED = {"$ref": "#/components/schemas/Named"}
NUMBERED = {"properties": {"number": {"type": "integer", "readOnly": True}}}


@pytest.mark.parametrize(
    ("schema", "body", "found"),
    [
        (NAMED, {"name": "x"}, []),
        (NAMED, {"title": "x"}, ["/title"]),
        ({"allOf": [NAMED, NUMBERED]}, {"name": "x", "size": 1}, ["/size"]),
        ({"oneOf": [{"type": "string"}, NAMED]}, {"name": "x", "size": 1}, ["/size"]),
        ({"type": "array", "items": NAMED}, [{"name": "x"}, {"size": 1}], ["/*/size"]),
        ({"properties": {"inner": NAMED}}, {"inner": {"size": 1}}, ["/inner/size"]),
        ({"type": "object"}, {"anything": {"goes": 1}}, []),
        ({"allOf": [NAMED, {"additionalProperties": True}]}, {"size": 1}, []),
        ({"additionalProperties": NAMED}, {"any": {"size": 1}}, ["/any/size"]),
        (
            {"$ref": "#/components/schemas/Node"},
            {"children": [{"children": [{"leaf": 1}]}]},
            ["/children/*/children/*/leaf"],
        ),
    ],
)
def test_undocumented_names(schema: Schema, body: Any, found: list[str]) -> None:
    assert [where for where, _ in Names([schema], COMPONENTS).unknown(body, written=False)] == found


def test_read_only_names_are_wrong_in_requests_alone() -> None:
    names = Names([NUMBERED], COMPONENTS)
    assert list(names.unknown({"number": 1}, written=True)) == [("/number", "is read-only")]
    assert list(names.unknown({"number": 1}, written=False)) == []


def test_nullable_in_a_part_makes_the_whole_nullable() -> None:
    made = json_schema({"allOf": [NAMED, {"nullable": True, "description": "words"}]})
    assert made["anyOf"][0] == {"type": "null"}
    assert made["anyOf"][1]["allOf"][0] == {"$ref": "urn:document#/components/schemas/Named"}
