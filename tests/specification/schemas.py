"""Schemas of OpenAPI 3.0 said the JSON Schema way."""

from __future__ import annotations

from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

DOCUMENT = "urn:document"
"""What references lead into."""

_ONE = ("items", "not", "additionalProperties")
_SEVERAL = ("allOf", "anyOf", "oneOf")
_PLAIN = (
    "type", "enum", "format", "pattern", "required", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
    "minProperties", "maxProperties",
)  # fmt: skip


def json_schema(schema: Schema) -> Schema:
    """The same without what validates nothing; ``nullable`` becomes the type null.

    Asana marks references that may be null in a part of their ``allOf``. What stands beside ``$ref``
    has no meaning in OpenAPI 3.0.
    """
    if "$ref" in schema:
        return {"$ref": DOCUMENT + schema["$ref"]}
    made: Schema = {key: schema[key] for key in _PLAIN if key in schema}
    if "properties" in schema:
        made["properties"] = {name: json_schema(one) for name, one in schema["properties"].items()}
    for key in _ONE:
        if key in schema:
            inner = schema[key]
            made[key] = json_schema(inner) if isinstance(inner, dict) else inner
    for key in _SEVERAL:
        if key in schema:
            made[key] = [json_schema(part) for part in schema[key]]
    return {"anyOf": [{"type": "null"}, made]} if marked("nullable", schema) else made


def marked(word: str, schema: Schema) -> bool:
    """Whether the schema, or a part of its ``allOf``, carries this mark."""
    return schema.get(word) is True or any(part.get(word) is True for part in schema.get("allOf", ()))
