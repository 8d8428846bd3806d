"""Operations that a reduced document leaves out, as the whole one has them."""

from __future__ import annotations

from typing import Any

_CHOICES = {
    "visibility": ["all", "public", "private"],
    "type": ["all", "owner", "public", "private", "member"],
    "sort": ["created", "updated", "pushed", "full_name"],
    "direction": ["asc", "desc"],
}

_COMMIT = [
    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in ("owner", "repo", "ref")
]
_PAGES = [{"$ref": f"#/components/parameters/{name}"} for name in ("per-page", "page")]


def _answer(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"content": {"application/json": {"schema": schema}}}


_CHECK_RUN = {
    "type": "object",
    "required": ["id", "name", "head_sha", "status", "conclusion"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "head_sha": {"type": "string"},
        "status": {"enum": ["queued", "in_progress", "completed", "waiting", "requested", "pending"]},
        "conclusion": {
            "enum": [
                "success",
                "failure",
                "neutral",
                "cancelled",
                "skipped",
                "timed_out",
                "action_required",
                None,
            ]
        },
    },
}
"""https://docs.github.com/rest/checks/runs"""
_STATUS = {
    "type": "object",
    "required": ["state"],
    "properties": {"state": {"enum": ["error", "failure", "pending", "success"]}},
}
"""https://docs.github.com/rest/commits/statuses"""

PATHS: dict[str, dict[str, Any]] = {
    "asana": {},
    "github": {
        "/repos/{owner}/{repo}/commits/{ref}/check-runs": {
            "get": {
                "parameters": [*_COMMIT, *_PAGES],
                "responses": {
                    "200": _answer(
                        {
                            "total_count": {"type": "integer"},
                            "check_runs": {"type": "array", "items": _CHECK_RUN},
                        }
                    ),
                    "404": {"$ref": "#/components/responses/not_found"},
                },
            }
        },
        "/repos/{owner}/{repo}/commits/{ref}/status": {
            "get": {
                "parameters": [*_COMMIT, *_PAGES],
                "responses": {
                    "200": _answer(
                        {
                            "state": {"type": "string"},
                            "statuses": {"type": "array", "items": _STATUS},
                            "sha": {"type": "string"},
                            "total_count": {"type": "integer"},
                        }
                    ),
                    "404": {"$ref": "#/components/responses/not_found"},
                },
            }
        },
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
