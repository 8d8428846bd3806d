"""Asana's payloads, read and written: notes with their last line, tasks, stories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.asana import history, notes, stories, translate
from connectors.discussions import CommentDraft
from connectors.errors import Park, RetryLater

SITE = "1200000000000001"
NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)
URL = "https://github.com/acme/website/issues/12"
LINE = f'Synced with <a href="{URL}">acme/website#12</a>'


class TestNotes:
    @pytest.mark.parametrize(
        ("html", "text"),
        [
            (f"<body>{LINE}</body>", "<body></body>"),
            (f"<body>Text\n\n{LINE}</body>", "<body>Text</body>"),
            (f"<body>Text\n\n{LINE}\n</body>\n", "<body>Text</body>"),
            (f"<body><ul><li>one</li></ul>{LINE}</body>", "<body><ul><li>one</li></ul></body>"),
            (f"<body>Text\n{LINE}\n\nWritten below</body>", "<body>Text\n\nWritten below</body>"),
            (
                f"<body>Text\n\n{LINE}<ul><li>below</li></ul></body>",
                "<body>Text\n\n<ul><li>below</li></ul></body>",
            ),
        ],
    )
    def test_line_is_no_part_of_the_text(self, html: str, text: str) -> None:
        assert notes.split(html) == (text, notes.Backlink(URL, "acme/website#12"))

    @pytest.mark.parametrize(
        "html",
        [
            "<body></body>",
            "<body>Synced with care</body>",
            f"<body>It is {LINE}</body>",
            f"<body>{LINE} since May</body>",
            f"<body><strong>Note</strong>{LINE}</body>",
            '<body>Synced with <a href="">nothing</a></body>',
            f'<body>Synced with the notes at <a href="{URL}">this page</a></body>',
        ],
    )
    def test_other_lines_are_text(self, html: str) -> None:
        assert notes.split(html) == (html, None)

    @pytest.mark.parametrize(
        ("html", "text"),
        [
            (f"<body>{LINE} since May</body>", "<body>since May</body>"),
            (f"<body>Text\n\n{LINE}, and\nmore</body>", "<body>Text\n\n, and\nmore</body>"),
            (f"<body>{LINE} quoted\n\n{LINE}</body>", f"<body>{LINE} quoted</body>"),
            (f"<body>Fails since May {LINE}</body>", "<body>Fails since May</body>"),
            (f"<body>One\nFails {LINE} since May</body>", "<body>One\nFails\n\nsince May</body>"),
        ],
    )
    def test_what_is_typed_beside_the_line_of_our_own_task_is_text(self, html: str, text: str) -> None:
        assert notes.split(html, ours=True) == (text, notes.Backlink(URL, "acme/website#12"))

    def test_last_line_counts(self) -> None:
        quoted = 'Synced with <a href="https://example.com/">another</a>'
        html, backlink = notes.split(f"<body>{quoted}\n\n{LINE}</body>")
        assert (html, backlink) == (f"<body>{quoted}</body>", notes.Backlink(URL, "acme/website#12"))

    def test_asana_may_add_attributes_and_escapes(self) -> None:
        line = "Synced with <a data-asana-dynamic='false' href='https://x.example/?a=1&amp;b=2'>a &amp; b</a>"
        assert notes.split(f"<body>{line}</body>")[1] == notes.Backlink("https://x.example/?a=1&b=2", "a & b")

    @pytest.mark.parametrize("shown", [URL, f'<a href="{URL}">{URL}</a>'])
    def test_plain_line_is_known_again(self, shown: str) -> None:
        sent = notes.Backlink(URL, "acme/website#12").plain()
        html = f"<body>Text\n\n{sent}</body>".replace(URL, shown)
        assert notes.split(html) == ("<body>Text</body>", notes.Backlink(URL, "acme/website#12"))

    @pytest.mark.parametrize("label", ['a<b>&"c"', "two\nlines", "bell\x07", "\ud800"])
    def test_compose_and_split_agree(self, label: str) -> None:
        backlink = notes.Backlink('https://x.example/?a="1"&b=<2>', label)
        html, read = notes.split(notes.compose("<body>Text\n</body>", backlink))
        assert html == "<body>Text</body>"
        assert read == notes.Backlink(backlink.url, notes.one_line(label))

    def test_compose_without_line(self) -> None:
        assert notes.compose("<body>Text</body>", None) == "<body>Text</body>"


class TestTranslate:
    def test_missing_keys_are_unknown_not_empty(self) -> None:
        record = translate.record({"gid": "7", "modified_at": "2026-05-01T10:00:00Z"}, SITE, "1")
        assert record.fields == {}
        assert record.version == "2026-05-01T10:00:00.000Z"
        assert (record.created_at, record.author, record.places) == (NOW, None, {})

    def test_row_without_any_time_cannot_be_used(self) -> None:
        with pytest.raises(RetryLater):
            translate.record({"gid": "7"}, SITE, "1")

    def test_places_keys_and_parent(self) -> None:
        record = translate.record(
            {
                "gid": "7",
                "modified_at": "2026-05-01T12:00:00.000+02:00",
                "html_notes": f"<body>{LINE}</body>",
                "external": {"gid": "asana-sync:k1", "data": ""},
                "memberships": [
                    {"project": {"gid": "20"}, "section": {"gid": "21"}},
                    {"project": {"gid": "30"}, "section": None},
                    {"project": None},
                ],
                "parent": {"gid": "6"},
                "created_by": {"gid": "1"},
                "resource_subtype": "approval",
                "tags": [{"gid": "1", "name": "b"}, {"gid": "2", "name": "A"}, {"gid": "3"}],
                "followers": [{"gid": "5"}, {"gid": "4"}],
                "assignee": None,
            },
            SITE,
            "1",
        )
        assert record.keys == {URL, "k1"}
        assert record.places == {"20": "21", "30": None}
        assert record.created_by_us
        assert record.read_only == {"state"}
        assert record.modified_at == NOW
        assert dict(record.fields) == {
            "notes": "",
            "labels": ("A", "b"),
            "followers": ("4", "5"),
            "assignee": None,
            "parent": "6",
        }

    def test_unknown_field_is_parked_by_name(self) -> None:
        with pytest.raises(Park) as refused:
            translate.data({"title": "x", "severity": "2026-05-01"})
        assert refused.value.field == "severity"

    @pytest.mark.parametrize("title", ["", " \n", "\x07", None])
    def test_task_needs_a_name(self, title: str | None) -> None:
        with pytest.raises(Park) as refused:
            translate.data({"title": title})
        assert refused.value.field == "title"

    @pytest.mark.parametrize(
        ("field", "sent", "read", "same"),
        [
            ("title", "a  b\n", "a b", True),
            ("title", "e\u0301", "\xe9", True),
            ("title", "a", "b", False),
            ("labels", ("Bug",), ("bug",), True),
            ("labels", ("bug",), (), False),
            ("followers", ("1", "2"), ("2", "1"), True),
            ("assignee", None, None, True),
            ("assignee", "1", None, False),
            ("state", "open", "closed", False),
            ("notes", "text", "text\n", True),
        ],
    )
    def test_same(self, field: str, sent: Any, read: Any, same: bool) -> None:
        assert translate.same(field, sent, read) is same


class TestStories:
    def test_header_is_read_back_from_our_comments_only(self) -> None:
        html = stories.html_text(CommentDraft(text="Works **now**.", author_name="ada <3", source_url=URL))
        row = {
            "gid": "9",
            "html_text": html,
            "created_by": {"gid": "1"},
            "created_at": "2026-05-01T10:00:00Z",
        }
        ours = stories.comment(row, "7", SITE, account="1")
        assert (ours.text.strip(), ours.source_url, ours.by_us) == ("Works **now**.", URL, True)
        theirs = stories.comment(row, "7", SITE, account="2")
        assert theirs.by_us is False
        assert "ada" in theirs.text
        assert ours.modified_at is None
        assert ours.parent == translate.task_ref(SITE, "7")

    def test_header_with_asana_s_attributes(self) -> None:
        html = f'<body><a data-asana-dynamic="false" href="{URL}"><strong>ada</strong></a>\n\nHi</body>'
        row = {"gid": "9", "html_text": html, "created_by": {"gid": "1"}}
        comment = stories.comment(row, "7", SITE, account="1")
        assert (comment.text.strip(), comment.source_url) == ("Hi", URL)

    def test_comment_without_html_or_author(self) -> None:
        comment = stories.comment({"gid": "9", "text": "1 < 2"}, "7", SITE, account="1")
        assert comment.author.name == "Asana"
        assert "1" in comment.text
        assert comment.source_url is None

    @pytest.mark.parametrize(
        ("row", "is_comment"),
        [
            ({"type": "comment"}, True),
            ({"type": "system", "resource_subtype": "comment_added"}, False),
            ({"resource_subtype": "comment_added"}, True),
            ({}, False),
        ],
    )
    def test_is_comment(self, row: dict[str, str], is_comment: bool) -> None:
        assert stories.is_comment(row) is is_comment

    def test_history(self) -> None:
        def row(subtype: str, minute: int, **values: Any) -> dict[str, Any]:
            at = f"2026-05-01T10:{minute:02}:00.000Z"
            return {"gid": str(minute), "resource_subtype": subtype, "created_at": at, **values}

        times = history.field_times(
            [
                row("name_changed", 2, old_name="a", new_name="b", created_by={"gid": "1", "name": "Ada"}),
                row("marked_complete", 1),
                row("marked_incomplete", 3),
                row("section_changed", 4, old_section={"gid": "1"}, new_section={"gid": "2"}),
                row("assigned", 5),
                row("name_changed", 6),
                row("comment_added", 7),
                {"resource_subtype": "assigned"},
                row("notes_changed", 0),
            ],
            NOW.replace(minute=1),
        )
        assert [(time.field, time.has_values, time.before, time.after) for time in times] == [
            ("state", True, "open", "closed"),
            ("title", True, "a", "b"),
            ("state", True, "closed", "open"),
            ("section", True, "1", "2"),
            ("assignee", False, None, None),
            ("title", False, None, None),
        ]
