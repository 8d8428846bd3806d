"""Answers that the simulated Asana does not give: short ones, refusals, calls that are not served."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connectors.base import Session
from connectors.discussions import CommentDraft
from connectors.errors import ConnectorError, OutcomeUnknown, Park, PauseMapping, RetryLater
from connectors.records import Draft, Gone, Hidden, Key, Record, Ref

if TYPE_CHECKING:
    from connectors.asana.conftest import Opened

SITE = "12"
TASK = Ref("asana", SITE, "task", "7")
URL = "https://github.com/acme/website/issues/12"
KEY = Key(token="k1", url=URL, label="acme/website#12")
ROW: dict[str, Any] = {
    "gid": "7",
    "name": "old",
    "html_notes": "<body></body>",
    "completed": False,
    "assignee": None,
    "followers": [],
    "tags": [],
    "memberships": [{"project": {"gid": "20"}, "section": {"gid": "21"}}],
    "created_at": "2026-05-01T09:00:00.000Z",
    "modified_at": "2026-05-01T09:00:00.000Z",
    "created_by": {"gid": "1"},
}
NEWER = {**ROW, "name": "new", "modified_at": "2026-05-01T10:00:00.000Z"}


def _data(data: Any, status: int = 200, **more: Any) -> tuple[int, Any]:
    return status, {"data": data, **more}


async def _expected(session: Session) -> Record:
    found = (await session.fetch_many([TASK]))[TASK]
    assert isinstance(found, Record)
    return found


class TestWritesAnsweredInShort:
    async def test_task_is_read_back(self, scripted: Opened) -> None:
        session, _ = scripted(
            {"GET tasks/7": [_data(ROW), _data(NEWER)], "PUT tasks/7": [_data({"gid": "7"})]}
        )
        after = await session.update(TASK, {"title": "new"}, await _expected(session))
        assert after.fields["title"] == "new"

    @pytest.mark.parametrize("read", [_data(ROW), (404, None), (503, None)])
    async def test_task_that_cannot_be_read_back_is_unknown(
        self, scripted: Opened, read: tuple[int, Any]
    ) -> None:
        session, _ = scripted({"GET tasks/7": [_data(ROW), read], "PUT tasks/7": [_data({"gid": "7"})]})
        expected = await _expected(session)
        with pytest.raises(OutcomeUnknown):
            await session.update(TASK, {"title": "new"}, expected)

    async def test_created_without_an_object_is_unknown(self, scripted: Opened) -> None:
        session, _ = scripted({"POST tasks": [_data({}, 201)]})
        with pytest.raises(OutcomeUnknown):
            await session.create("20", Draft(fields={"title": "new"}), KEY)

    async def test_comment_is_read_back(self, scripted: Opened) -> None:
        story = {
            "gid": "9",
            "html_text": "<body>x</body>",
            "created_at": ROW["created_at"],
            "created_by": None,
        }
        session, _ = scripted(
            {"POST tasks/7/stories": [_data({"gid": "9"}, 201)], "GET stories/9": [_data(story)]}
        )
        comment = await session.add_comment(TASK, CommentDraft(text="x", author_name="y", source_url=URL))
        assert comment.text == "x"

    @pytest.mark.parametrize("read", [(404, None), (503, None)])
    async def test_comment_that_cannot_be_read_back_is_unknown(
        self, scripted: Opened, read: tuple[int, Any]
    ) -> None:
        session, _ = scripted({"POST tasks/7/stories": [_data({"gid": "9"}, 201)], "GET stories/9": [read]})
        with pytest.raises(OutcomeUnknown):
            await session.add_comment(TASK, CommentDraft(text="x", author_name="y", source_url=URL))


class TestRefusals:
    @pytest.mark.parametrize(
        "message",
        ["html_notes: Value is not valid", "xml_parsing_error: unsupported tag <x>", "XML is invalid"],
    )
    async def test_rich_text_is_sent_plain_once(self, scripted: Opened, message: str) -> None:
        session, asana = scripted({"POST tasks": [(400, message), _data(ROW, 201)]})
        await session.create("20", Draft(fields={"title": "x", "notes": "**a**"}), KEY)
        rich, plain = (body["data"] for body in asana.calls("POST tasks"))
        assert "<strong>a</strong>" in rich["html_notes"]
        assert plain["notes"] == f"**a**\n\nSynced with acme/website#12 {URL}"
        assert "html_notes" not in plain

    async def test_a_value_that_is_refused_keeps_no_task_away(self, scripted: Opened) -> None:
        session, asana = scripted({"POST tasks": [(400, "assignee: Not a user"), _data(ROW, 201)]})
        await session.create("20", Draft(fields={"title": "x", "assignee": "12", "due": "2026-12-01"}), KEY)
        _, without = (body["data"] for body in asana.calls("POST tasks"))
        assert without.keys() == {"name", "html_notes", "projects"}

    async def test_plain_text_that_is_refused_too_is_parked(self, scripted: Opened) -> None:
        session, asana = scripted({"POST tasks": [(400, "notes: Too long")]})
        with pytest.raises(Park) as refused:
            await session.create("20", Draft(fields={"title": "x"}), KEY)
        assert refused.value.field == "notes"
        assert refused.value.provider_message == "notes: Too long"
        assert len(asana.calls("POST tasks")) == 2

    @pytest.mark.parametrize(
        ("message", "field"),
        [
            ("assignee: Not a user in Organization: 12", "assignee"),
            ("Cannot write completed here", "state"),
            ("name: Too long; assignee: Not a user", None),
            ("Your project has a name", None),
            ("", None),
        ],
    )
    async def test_field_at_fault(self, scripted: Opened, message: str, field: str | None) -> None:
        session, _ = scripted({"GET tasks/7": [_data(ROW)], "PUT tasks/7": [(400, message)]})
        expected = await _expected(session)
        with pytest.raises(Park) as refused:
            await session.update(TASK, {"title": "new", "state": "closed"}, expected)
        assert refused.value.field == field

    async def test_tag_that_may_not_be_made(self, scripted: Opened) -> None:
        session, _ = scripted({"GET tags": [_data([])], "POST tags": [(403, "Forbidden")]})
        with pytest.raises(Park) as refused:
            await session.create("20", Draft(fields={"title": "x", "labels": ("bug",)}), KEY)
        assert refused.value.field == "labels"

    async def test_tag_that_was_deleted_meanwhile(self, scripted: Opened) -> None:
        session, asana = scripted(
            {
                "GET tasks/7": [_data(ROW)],
                "GET tags": [_data([{"gid": "1", "name": "bug"}]), _data([{"gid": "2", "name": "Bug"}])],
                "POST tasks/7/addTag": [(404, "tag: Unknown object: 1"), _data({})],
            }
        )
        after = await session.update(TASK, {"labels": ("bug",)}, await _expected(session))
        assert after.fields["labels"] == ("bug",)
        assert [body["data"]["tag"] for body in asana.calls("POST tasks/7/addTag")] == ["1", "2"]

    async def test_project_that_went_away_pauses_the_mapping(self, scripted: Opened) -> None:
        draft = Draft(fields={"title": "x"})
        project = _data({"gid": "20"})
        session, _ = scripted(
            {"POST tasks": [(404, "project: Unknown object: 20")], "GET projects/20": [(404, None)]}
        )
        with pytest.raises(PauseMapping):
            await session.create("20", draft, KEY)
        session, _ = scripted({"POST tasks": [(403, "Forbidden")], "GET projects/20": [project]})
        with pytest.raises(Park):
            await session.create("20", draft, KEY)

    @pytest.mark.parametrize(("answer", "section"), [(_data({}), "22"), ((503, None), "21")])
    async def test_section_that_is_not_taken_at_once(
        self, scripted: Opened, answer: tuple[int, Any], section: str
    ) -> None:
        session, asana = scripted({"POST tasks": [_data(ROW, 201)], "POST sections/22/addTask": [answer]})
        record = await session.create("20", Draft(fields={"title": "x"}, section="22"), KEY)
        assert record.places == {"20": section}
        assert asana.calls("POST sections/22/addTask") == [{"data": {"task": "7"}}]


class TestReads:
    async def test_gone_and_hidden(self, scripted: Opened) -> None:
        session, _ = scripted({"GET tasks/7": [(410, None)], "GET tasks/8": [(403, "Forbidden")]})
        other = Ref("asana", SITE, "task", "8")
        assert await session.fetch_many([TASK, other]) == {
            TASK: Gone("Asana answered 410"),
            other: Hidden("Asana answered 403: Forbidden"),
        }

    @pytest.mark.parametrize("data", [None, [], {"data": []}, {"data": {"name": "no gid"}}])
    async def test_answer_that_is_no_task(self, scripted: Opened, data: Any) -> None:
        session, _ = scripted({"GET tasks/7": [(200, data)]})
        with pytest.raises(RetryLater):
            await session.fetch_many([TASK])

    @pytest.mark.parametrize("data", [None, {"data": {}}])
    async def test_answer_that_is_no_list(self, scripted: Opened, data: Any) -> None:
        session, _ = scripted({"GET users": [(200, data)]})
        with pytest.raises(RetryLater):
            await session.people("20")

    @pytest.mark.parametrize(("author", "found"), [(None, 1), ({"gid": "1"}, 1), ({"gid": "2"}, 0)])
    async def test_key_on_a_task_of_unknown_author_counts(
        self, scripted: Opened, author: Any, found: int
    ) -> None:
        line = f'<body>Synced with <a href="{URL}">x</a></body>'
        row = {**ROW, "html_notes": line, "created_by": author}
        next_page = {"offset": "o2"}
        session, asana = scripted({"GET tasks": [_data([ROW], next_page=next_page), _data([row])]})
        since = datetime(2026, 5, 1, 10, tzinfo=UTC)
        assert len(await session.find_created("20", KEY, since)) == found
        assert [query.get("offset") for query in asana.calls("GET tasks")] == [None, "o2"]

    async def test_what_cannot_be_listed_is_said(self, scripted: Opened) -> None:
        session, _ = scripted({"GET users": [(403, "Forbidden")], "GET tags": [_data([])]})
        missing = (await session.check()).missing
        assert [sentence.split()[0] for sentence in missing] == ["users", "webhooks"]

    async def test_project_that_cannot_be_listed_for_another_reason(self, scripted: Opened) -> None:
        session, _ = scripted(
            {"GET tasks": [(400, "truncated data set")], "GET projects/20": [_data({"gid": "20"})]}
        )
        with pytest.raises(Park) as refused:
            await session.listing("20", None)
        assert refused.value.provider_message == "truncated data set"

    async def test_token_is_in_no_error(self, scripted: Opened) -> None:
        session, _ = scripted({"GET tasks/7": [(500, "failed for 1/1:secret-token")]})
        with pytest.raises(ConnectorError) as error:
            await session.fetch_many([TASK])
        assert "secret-token" not in f"{error.value!r} {error.value.reason} {error.value.provider_message}"


START = {"since": "2026-05-01T10:00:00Z", "sync": "s1"}


class TestPolling:
    @pytest.mark.parametrize("status", [403, 404, 405, 501])
    async def test_events_not_served_are_left_for_a_day(self, scripted: Opened, status: int) -> None:
        session, asana = scripted(
            {
                "GET projects/20": [_data({"gid": "20"})],
                "GET events": [(status, None)],
                "GET tasks": [_data([])],
            }
        )
        page = await session.changes("20", None)
        page = await session.changes("20", page.cursor)
        assert len(asana.calls("GET events")) == 1
        assert not page.lost
        cursor = {**page.cursor, "no_events_until": "2026-05-01T09:59:59Z"}
        await session.changes("20", cursor)
        assert len(asana.calls("GET events")) == 2

    async def test_events_that_end_to_be_served_are_lost(self, scripted: Opened) -> None:
        session, _ = scripted({"GET events": [(501, None)], "GET tasks": [_data([])]})
        assert (await session.changes("20", START)).lost

    async def test_limit_is_no_reason_to_go_on_without_events(self, scripted: Opened) -> None:
        session, _ = scripted({"GET events": [(429, None)], "GET tasks": [_data([])]})
        with pytest.raises(RetryLater) as limited:
            await session.changes("20", START)
        assert limited.value.limited

    @pytest.mark.parametrize(
        ("story", "kind"),
        [
            (_data({"gid": "9", "target": {"gid": "7"}}), "task"),
            ((404, None), "comment"),
            ((503, None), "comment"),
        ],
    )
    async def test_comment_event_without_its_task(
        self, scripted: Opened, story: tuple[int, Any], kind: str
    ) -> None:
        resource = {"gid": "9", "resource_type": "story", "resource_subtype": "comment_added"}
        event = {"resource": resource, "action": "changed", "user": {"gid": "5"}, "parent": None}
        session, _ = scripted(
            {
                "GET events": [_data([event], sync="s2", has_more=False)],
                "GET tasks": [_data([])],
                "GET stories/9": [story],
            }
        )
        (change,) = (await session.changes("20", START)).changes
        assert (change.ref.kind, change.comments, change.actor) == (kind, True, "5")

    async def test_offset_that_expires_restarts_the_listing_once(self, scripted: Opened) -> None:
        more = {"offset": "o2"}
        session, asana = scripted(
            {
                "GET tasks": [
                    _data([ROW], next_page=more),
                    (400, "offset: expired"),
                    _data([ROW], next_page=more),
                    _data([{**ROW, "gid": "8"}]),
                ],
                "GET events": [_data([], sync="s2", has_more=False)],
            }
        )
        page = await session.changes("20", START)
        assert [change.ref.id for change in page.changes] == ["7", "8"]
        assert [query.get("offset") for query in asana.calls("GET tasks")] == [None, "o2", None, "o2"]
        page_1, stale = _data([ROW], next_page=more), (400, "offset: expired")
        broken, _ = scripted({"GET tasks": [page_1, stale, page_1, stale]})
        with pytest.raises(RetryLater):
            await broken.changes("20", START)

    async def test_long_listing_goes_on_in_the_next_call(self, scripted: Opened) -> None:
        pages = [_data([{**ROW, "gid": f"{n}"}], next_page={"offset": f"o{n}"}) for n in range(7)]
        session, asana = scripted(
            {"GET tasks": [*pages, _data([])], "GET events": [_data([], sync="s2", has_more=False)]}
        )
        first = await session.changes("20", START)
        assert (len(first.changes), first.more) == (5, True)
        assert asana.calls("GET events") == []
        second = await session.changes("20", first.cursor)
        assert (len(second.changes), second.more, second.cursor["sync"]) == (2, False, "s2")

    async def test_time_is_asana_s(self, scripted: Opened) -> None:
        session, asana = scripted(
            {"GET tasks": [_data([])], "GET events": [_data([], sync="s2", has_more=False)]}
        )
        page = await session.changes("20", {"since": "2026-05-01T09:00:00Z", "sync": "s1"})
        assert datetime.fromisoformat(page.cursor["since"]) == datetime(2026, 5, 1, 10, tzinfo=UTC)
        assert asana.calls("GET tasks")[0]["modified_since"] == "2026-05-01T08:58:00.000Z"

    async def test_project_that_went_away(self, scripted: Opened) -> None:
        session, _ = scripted({"GET tasks": [(403, "Forbidden")]})
        with pytest.raises(PauseMapping):
            await session.changes("20", START)
