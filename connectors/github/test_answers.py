"""Answers that no simulator gives, scripted one by one: what each means for the caller."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from connectors.answers import Answer
from connectors.discussions import CommentDraft
from connectors.egress import Egress
from connectors.errors import OutcomeUnknown, Park, ParkClass, ReplanNeeded, RetryLater
from connectors.github import connector, translate
from connectors.github.config import GitHubCredentials, GitHubSettings
from connectors.github.polling import Position
from connectors.github.refusals import Refusals
from connectors.github.session import GitHubSession
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.records import Key, Record, Ref

REPOSITORY = "acme/website"
KEY = Key("k1", "https://app.asana.com/0/1/2", "Task")
DATE = "Sun, 09 Sep 2001 01:46:40 GMT"
COMMENT = CommentDraft(text="Hi @bob", author_name="Ada", source_url="https://app.asana.com/0/1/2/3")


def scripted(answers: list[httpx.Response]) -> tuple[GitHubSession, list[httpx.Request]]:
    """A session whose calls get these answers one after the other, and the calls."""
    calls: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return answers[len(calls) - 1]

    outbound = Outbound(
        "https://api.github.com", gate=OpenGate(), allow=Egress([]), transport=httpx.MockTransport(answer)
    )
    return connector.open(GitHubSettings(), GitHubCredentials(token=SecretStr("t")), outbound), calls


ME = httpx.Response(200, json={"id": 1, "login": "sync"})
AT = "2026-05-01T10:00:00Z"
ISSUE = {
    "node_id": "I_1",
    "number": 12,
    "title": "T",
    "created_at": AT,
    "updated_at": AT,
    "repository_url": "https://api.github.com/repos/acme/website",
}
REF = Ref("github", "github.com", "issue", "I_1", "acme/website#12")
EXPECTED = Record(
    ref=REF,
    fields={"title": "T", "labels": ("bug",)},
    version=AT,
    created_at=datetime(2026, 5, 1, tzinfo=UTC),
    modified_at=datetime(2026, 5, 1, tzinfo=UTC),
    places={REPOSITORY: None},
    url="",
    key="acme/website#12",
)


async def test_comments_of_what_cannot_be_seen_are_passed_over() -> None:
    url = "https://api.github.com/repos/acme/website/issues"
    comments = [
        {"node_id": "IC_1", "id": 1, "created_at": AT, "updated_at": AT, "issue_url": f"{url}/7"},
        {"node_id": "IC_2", "id": 2, "created_at": AT, "updated_at": AT, "issue_url": f"{url}/8"},
        {"node_id": "IC_3", "id": 3, "created_at": AT, "updated_at": AT},
    ]
    empty = Position().dump()
    session, _ = scripted(
        [
            httpx.Response(200, json=[]),
            httpx.Response(200, json=comments),
            httpx.Response(404, json={}),
            httpx.Response(451, json={}),
            httpx.Response(404, json={}),
        ]
    )
    page = await session.changes(REPOSITORY, {"issues": empty, "comments": empty})
    assert (page.changes, page.edits) == ((), None), "and there is no list of events"
    redirected = httpx.Response(422, json={"message": "no"})
    session, _ = scripted([httpx.Response(200, json=[]), httpx.Response(200, json=comments[:1]), redirected])
    with pytest.raises(Park):
        await session.changes(REPOSITORY, {"issues": empty, "comments": empty})


async def test_a_write_that_is_answered_301_goes_to_the_new_name() -> None:
    renamed = {**ISSUE, "repository_url": "https://api.github.com/repos/acme/site"}
    session, calls = scripted(
        [
            ME,
            httpx.Response(301, headers={"location": "https://api.github.com/repositories/1/issues/12"}),
            httpx.Response(200, json={"full_name": "acme/site"}),
            httpx.Response(200, json=renamed),
        ]
    )
    changed = await session.update(REF, {"title": "New"}, EXPECTED)
    assert changed.places == {REPOSITORY: None}
    assert [(call.method, call.url.path) for call in calls[1:]] == [
        ("PATCH", "/repos/acme/website/issues/12"),
        ("GET", "/repos/acme/website"),
        ("PATCH", "/repos/acme/site/issues/12"),
    ]


async def test_a_write_to_a_transferred_issue_is_planned_anew() -> None:
    session, _ = scripted([ME, httpx.Response(301), httpx.Response(200, json={"full_name": "ACME/website"})])
    with pytest.raises(ReplanNeeded):
        await session.update(REF, {"title": "New"}, EXPECTED)


async def test_404_to_a_write_of_what_can_be_read_is_a_lack_of_rights() -> None:
    session, _ = scripted([ME, httpx.Response(404, json={}), httpx.Response(200, json=ISSUE)])
    with pytest.raises(Park) as refused:
        await session.update(REF, {"title": "New"}, EXPECTED)
    assert refused.value.park_class is ParkClass.PERMISSION


NO = httpx.Response(422, json={"message": "no"})
FORBIDDEN = httpx.Response(403, json={"message": "no"})
ELSEWHERE = {**ISSUE, "repository_url": "https://api.github.com/repos/acme/app"}


async def test_a_transfer_out_of_a_repository_that_is_gone_now() -> None:
    session, _ = scripted([ME, httpx.Response(200, json=ELSEWHERE), httpx.Response(404, json={})])
    found = (await session.fetch_many([REF]))[REF]
    assert isinstance(found, Record)  # the same node id: it has only left
    assert (found.ref.address, found.places) == ("acme/app#12", {"acme/app": None})


@pytest.mark.parametrize("answers", [[NO], [httpx.Response(200, json=ELSEWHERE), NO]])
async def test_other_refusals_of_reads_are_told(answers: list[httpx.Response]) -> None:
    session, _ = scripted([ME, *answers])
    with pytest.raises(Park):
        await session.fetch_many([REF])


async def test_refusals_about_children_are_told() -> None:
    comment = Ref("github", "github.com", "comment", "IC_1", "acme/website#12/comments/34")
    session, _ = scripted([FORBIDDEN])
    with pytest.raises(Park):
        await session.field_times(REF, EXPECTED.created_at)
    existing = httpx.Response(200, json={"node_id": "IC_1", "id": 34, "created_at": AT, "updated_at": AT})
    session, _ = scripted([httpx.Response(404, json={}), existing])
    with pytest.raises(Park):  # it is there, so 404 means that it is not ours to delete
        await session.delete_comment(comment)
    session, _ = scripted([httpx.Response(404, json={}), NO])
    with pytest.raises(Park):
        await session.delete_comment(comment)
    session, _ = scripted([ME, httpx.Response(200, json=ISSUE), FORBIDDEN])
    with pytest.raises(Park):
        await session.edit_comment(comment, COMMENT)
    for call in ("subscription", "unsubscribe"):
        session, _ = scripted([FORBIDDEN])
        with pytest.raises(Park):
            await getattr(session, call)(REPOSITORY, "5")


async def test_tokens_that_cannot_list_repositories() -> None:
    for status in (403, 404, 405, 501):
        session, _ = scripted([httpx.Response(status, json={})])
        assert await session.containers() == []
    session, _ = scripted([httpx.Response(500, json={})])
    with pytest.raises(RetryLater):
        await session.containers()


async def test_refused_values_do_not_pause_the_container() -> None:
    session, _ = scripted([NO])
    with pytest.raises(Park):
        await session.container(REPOSITORY)


async def test_text_is_known_beforehand() -> None:
    session, _ = scripted([])
    assert session.through("cc @bob\r\n\n<!-- asana-sync:x -->  ") == "cc @bob\n\n<!-- asana-sync:x -->"


@pytest.mark.parametrize("label", [".", "..", "a/b", "50%"])
async def test_labels_never_lead_to_another_path(label: str) -> None:
    session, calls = scripted([ME, httpx.Response(204), httpx.Response(200, json=ISSUE)])
    expected = replace(EXPECTED, fields={"labels": (label,)})
    await session.update(REF, {"labels": ()}, expected)
    path = calls[1].url.raw_path.decode()
    assert path.count("/") == "/repos/acme/website/issues/12/labels/x".count("/")
    assert unquote(path.rpartition("/")[2]) == label
    assert not path.endswith(".")


@pytest.mark.parametrize("data", [{}, [], {"node_id": None}, None])
async def test_an_answer_of_another_shape(data: Any) -> None:
    session, _ = scripted([ME, httpx.Response(200, json=data)])
    with pytest.raises(RetryLater):
        await session.fetch_many([REF])
    session, _ = scripted([ME, httpx.Response(201, json=data)])
    with pytest.raises(OutcomeUnknown):
        await session.add_comment(REF, COMMENT)


async def test_a_list_that_is_none() -> None:
    session, _ = scripted([httpx.Response(200, json={"message": "?"})])
    with pytest.raises(RetryLater):
        await session.listing(REPOSITORY, None)


@pytest.mark.parametrize(
    ("headers", "message", "after"),
    [
        ({"retry-after": "7"}, "wait", 7.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000090", "date": DATE}, "API limit", 90.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1", "date": DATE}, "API limit", 1.0),
        ({"x-ratelimit-remaining": "0"}, "API limit", 60.0),
        ({}, "You have exceeded a secondary rate limit.", 60.0),
        ({}, "You have triggered an abuse detection mechanism.", 60.0),
    ],
)
@pytest.mark.parametrize("status", [403, 429])
async def test_limits(status: int, headers: dict[str, str], message: str, after: float) -> None:
    session, _ = scripted([httpx.Response(status, headers=headers, json={"message": message})])
    with pytest.raises(RetryLater) as limited:
        await session.check()
    assert (limited.value.limited, limited.value.after) == (True, after)


@pytest.mark.parametrize(
    ("headers", "fix"),
    [
        ({"x-accepted-github-permissions": "issues=write"}, "issues=write"),
        ({"x-accepted-oauth-scopes": "repo"}, "repo"),
        ({}, "write access"),
    ],
)
async def test_a_missing_permission_is_named(headers: dict[str, str], fix: str) -> None:
    answer = httpx.Response(403, headers=headers, json={"message": "Resource not accessible"})
    session, _ = scripted([ME, answer])
    with pytest.raises(Park) as refused:
        await session.add_comment(REF, COMMENT)
    assert fix in refused.value.fix


@pytest.mark.parametrize(
    ("errors", "field"),
    [
        ([{"resource": "Issue", "field": "body", "code": "too_long"}], "notes"),
        ([{"resource": "Issue", "field": "assignees", "code": "invalid"}], "assignee"),
        ([{"resource": "Label", "field": "name", "code": "invalid"}], "labels"),
        (["text", {"field": "else"}], None),
        ("text", None),
    ],
)
async def test_the_refused_field(errors: Any, field: str | None) -> None:
    answer = httpx.Response(422, json={"message": "Validation Failed", "errors": errors})
    session, _ = scripted([ME, answer])
    with pytest.raises(Park) as refused:
        await session.update(REF, {"title": "New", "notes": "New"}, EXPECTED)
    assert refused.value.field == field


async def test_a_hook_made_by_somebody_else_meanwhile() -> None:
    hook = {"id": 5, "config": {"url": "https://sync.test/a"}, "active": False}
    exists = {"message": "Validation Failed", "errors": ["Hook already exists on this repository"]}
    session, calls = scripted(
        [
            httpx.Response(200, json=[]),
            httpx.Response(422, json=exists),
            httpx.Response(200, json=[hook]),
            httpx.Response(200, json={**hook, "active": True}),
        ]
    )
    subscribed = await session.subscribe(REPOSITORY, "https://sync.test/a", "s")
    assert (subscribed.id, subscribed.active, calls[-1].method) == ("5", True, "PATCH")
    refused = httpx.Response(422, json={"message": "url is not reachable"})
    none = httpx.Response(200, json=[])
    session, _ = scripted([none, refused, none] * 3)
    with pytest.raises(Park):
        await session.subscribe(REPOSITORY, "https://sync.test/a", "s")


def test_old_and_sparse_payloads() -> None:
    sparse = {**ISSUE, "labels": ["b", {"name": "a"}], "assignee": {"login": "ada"}, "body": "x\r\ny  \r\n"}
    record = translate.record(sparse, site="github.com", place="acme/website", me="SYNC")
    assert record.fields == {
        "title": "T",
        "notes": "x\ny",
        "state": "open",
        "assignee": ("ada",),
        "labels": ("a", "b"),
        "milestone": None,
        "due": None,
        "custom:state_reason": None,
        "custom:pull_request": None,
    }
    assert record.author is not None
    assert (record.author.id, record.created_by_us) == ("ghost", False)
    assert translate.instant("2026-05-01T12:00:00") == datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_what_github_makes_of_values() -> None:
    assert translate.same("title", " a  b", "a b")
    assert translate.same("notes", "a\r\nb\n", "a\nb")
    assert translate.same("labels", ("Bug", "a"), ("a", "bug"))
    assert translate.same("assignee", None, ())
    assert not translate.same("assignee", "ada", ("bob",))
    assert not translate.same("state", "open", "closed")
    assert translate.names(("a", "B", "A", "c")) == ("a", "B", "c")


def test_settings_of_another_connector() -> None:
    outbound = Outbound("https://api.github.com", gate=OpenGate(), allow=Egress([]))
    with pytest.raises(TypeError):
        connector.site(Foreign())
    with pytest.raises(TypeError):
        connector.open(GitHubSettings(), Foreign(), outbound)


class Foreign(BaseModel):
    """Of no connector of ours."""


def test_silence_without_a_time_grows_while_it_is_not_enough() -> None:
    now = [1000.0]
    refusals = Refusals(clock=lambda: now[0])

    def silence() -> float:
        refused = refusals(Answer(403, {}, {"message": "You have exceeded a secondary rate limit."}), True)
        assert isinstance(refused, RetryLater)
        return refused.after or 0

    assert silence() == 60
    now[0] += 5
    assert silence() == 55, "what was under way together counts as one"
    for expected in (120, 240, 480):
        now[0] += silence() + 1
        assert silence() == expected
    now[0] += 2000
    assert silence() == 60, "a quiet time is the end of it"
