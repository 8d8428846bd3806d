"""What departs from a published document is found, whatever it is; what does not is left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.simulation import Exchange
from tests.specification.documents import required
from tests.specification.exchanges import departures
from tests.specification.findings import Finding

ISSUES = "/repos/acme/website/issues"
TASK = {"data": {"gid": "1", "name": "x"}}
DONE = "/api/1.0/tasks/1"


@pytest.fixture(autouse=True, scope="module")
def _documents() -> None:
    required()


def _found(provider: str, method: str, path: str, **said: Any) -> list[Finding]:
    query, content_type = said.pop("query", {}), said.pop("content_type", "application/json")
    headers = {"content-type": content_type}
    exchange = Exchange(at=datetime.now(UTC), method=method, path=path, query=query, headers=headers, **said)
    return list(departures(provider, exchange))


@pytest.mark.parametrize(
    ("provider", "method", "path", "said"),
    [
        (
            "asana",
            "PUT",
            DONE,
            {"body": {"data": {"completed": True}}, "provider_status": 200, "answer": TASK},
        ),
        ("asana", "GET", DONE, {"query": {"opt_fields": "name,tags.name"}}),
        ("asana", "GET", "/api/1.0/tasks", {"query": {"limit": "100", "project": "1", "offset": "x"}}),
        ("asana", "DELETE", DONE, {"provider_status": 200, "answer": {"data": {}}}),
        ("github", "GET", ISSUES, {"query": {"state": "all", "per_page": "100"}}),
        ("github", "POST", ISSUES, {"body": {"title": "x", "labels": ["bug"]}}),
        ("github", "DELETE", f"{ISSUES}/1/labels/a/b", {"provider_status": 200, "answer": []}),
        ("github", "DELETE", f"{ISSUES}/comments/1", {"provider_status": 204}),
    ],
)
def test_what_is_documented_passes(provider: str, method: str, path: str, said: dict[str, Any]) -> None:
    assert _found(provider, method, path, **said) == []


@pytest.mark.parametrize(
    ("provider", "method", "path", "said", "part", "where"),
    [
        ("asana", "GET", "/api/1.0/nowhere", {}, "path", ""),
        ("asana", "GET", "/tasks/1", {}, "path", ""),
        ("asana", "PATCH", DONE, {}, "path", ""),
        ("asana", "GET", DONE, {"query": {"colour": "red"}}, "query", ""),
        ("asana", "GET", DONE, {"query": {"opt_fields": "name,colour"}}, "query", "/opt_fields/*"),
        ("asana", "GET", "/api/1.0/tasks", {"query": {"limit": "many"}}, "query", "/limit"),
        ("asana", "PUT", DONE, {"body": {"data": {"completed": "yes"}}}, "body", "/data/completed"),
        ("asana", "PUT", DONE, {"body": {"data": {"colour": "red"}}}, "body", "/data/colour"),
        ("asana", "PUT", DONE, {"body": {"data": {"created_at": "now"}}}, "body", "/data/created_at"),
        ("asana", "PUT", DONE, {"body": {"data": {}}, "content_type": "text/plain"}, "body", ""),
        ("asana", "PUT", DONE, {}, "body", ""),
        ("asana", "DELETE", DONE, {"body": {"data": {}}}, "body", ""),
        ("asana", "GET", DONE, {"provider_status": 418, "answer": {"errors": []}}, "status", ""),
        (
            "asana",
            "GET",
            DONE,
            {"provider_status": 200, "answer": {"data": {"name": 1}}},
            "answer",
            "/data/name",
        ),
        (
            "asana",
            "GET",
            DONE,
            {"provider_status": 200, "answer": {"data": {"colour": 1}}},
            "answer",
            "/data/colour",
        ),
        ("asana", "GET", DONE, {"provider_status": 404, "answer": {"errors": {}}}, "answer", "/errors"),
        ("github", "GET", f"{ISSUES}/one", {}, "path", "/issue_number"),
        ("github", "GET", ISSUES, {"query": {"state": "odd"}}, "query", "/state"),
        ("github", "POST", ISSUES, {"body": {"body": "no title"}}, "body", ""),
        ("github", "POST", ISSUES, {"body": {"title": "x", "colour": "red"}}, "body", "/colour"),
        ("github", "DELETE", f"{ISSUES}/comments/1", {"provider_status": 204, "answer": {}}, "answer", ""),
        ("github", "GET", ISSUES, {"provider_status": 200, "answer": {}}, "answer", ""),
    ],
)
def test_what_is_not_documented_is_found(
    provider: str, method: str, path: str, said: dict[str, Any], part: str, where: str
) -> None:
    found = _found(provider, method, path, **said)
    assert {(each.part, each.where) for each in found} == {(part, where)}


def test_an_undocumented_status_must_still_look_like_a_refusal() -> None:
    found = _found("github", "GET", ISSUES, provider_status=429, answer={"message": "no", "why": "because"})
    assert [(each.part, each.status, each.where) for each in found] == [
        ("status", 429, ""),
        ("answer", 429, "/why"),
    ]


def test_the_answer_of_a_fault_is_nobody_s_and_its_request_is_ours() -> None:
    (finding,) = _found(
        "asana", "GET", DONE, query={"colour": "red"}, fault="500", status=500, answer="no JSON at all"
    )
    assert finding.part == "query"


def test_forms_that_only_the_prose_knows_are_told_and_looked_into() -> None:
    body = {"data": {"name": "x"}, "options": {"fields": ["memberships.(project|section).name", "colour"]}}
    found = _found("asana", "PUT", DONE, body=body)
    assert [each.part for each in found] == ["prose", "prose", "query"]
    assert '"colour"' in found[-1].message
    found = _found("github", "GET", "/repositories/12/issues", query={"colour": "red"})
    assert [each.part for each in found] == ["prose", "query"]


def test_rows_may_have_the_fields_that_were_asked_for() -> None:
    answer = {"data": [{"gid": "1", "html_notes": "<body/>"}]}
    said = {"provider_status": 200, "answer": answer}
    path = "/api/1.0/tasks"
    assert _found("asana", "GET", path, query={"opt_fields": "html_notes"}, **said) == []
    assert [each.where for each in _found("asana", "GET", path, **said)] == ["/data/*/html_notes"]
