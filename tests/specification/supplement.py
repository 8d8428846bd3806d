"""Operations that a reduced document leaves out, as the whole one has them."""

from __future__ import annotations

from typing import Any

_CHOICES = {
    "visibility": ["all", "public", "private"],
    "type": ["all", "owner", "public", "private", "member"],
    "sort": ["created", "updated", "pushed", "full_name"],
    "direction": ["asc", "desc"],
}

PATHS: dict[str, dict[str, Any]] = {
    "asana": {},
    "github": {
        "/user/repos": {
            "get": {
                "parameters": [
                    *({"$ref": f"#/components/parameters/{name}"} for name in ("per-page", "page")),
                    {"name": "affiliation", "in": "query", "schema": {"type": "string"}},
                    *(
                        {"name": name, "in": "query", "schema": {"type": "string", "enum": choices}}
                        for name, choices in _CHOICES.items()
                    ),
                    *(
                        {"name": name, "in": "query", "schema": {"type": "string", "format": "date-time"}}
                        for name in ("since", "before")
                    ),
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/repository"},
                                }
                            }
                        }
                    },
                    "304": {"$ref": "#/components/responses/not_modified"},
                    "401": {"$ref": "#/components/responses/requires_authentication"},
                    "403": {"$ref": "#/components/responses/forbidden"},
                    "422": {"$ref": "#/components/responses/validation_failed"},
                },
            }
        },
    },
}
"""By provider and path. https://docs.github.com/rest/repos/repos"""
