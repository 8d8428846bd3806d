"""What a write of ours replaced unread, as the provider's history tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.records import Author, FieldTime, Value
from sync.reconcile.unseen import Sent, is_doubtful, replaced_unseen

START = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ADA, BOT = Author("ada", "Ada"), Author("bot", "Bot")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def edit(seconds: float, before: Value, after: Value, by: Author | None = ADA, **more: Any) -> FieldTime:
    return FieldTime(
        **{
            "field": "title",
            "at": at(seconds),
            "author": by,
            "has_values": True,
            "before": before,
            "after": after,
            **more,
        }
    )


def bare(seconds: float, by: Author | None, field: str = "title") -> FieldTime:
    return FieldTime(field=field, at=at(seconds), author=by)


SENT = Sent(field="title", value="ours", known=["old", "ours"], since=at(0), until=at(4))


def same(_: str, sent: Value, read: Value) -> bool:
    return str(sent).casefold() == str(read).casefold()


@pytest.mark.parametrize(
    ("edits", "lost"),
    [
        ([edit(2, "old", "ours", BOT)], None),
        ([edit(1, "old", "Ada's"), edit(2, "Ada's", "OURS", BOT)], "Ada's"),
        ([edit(1, "old", "x"), edit(1, "x", "Ada's"), edit(1, "Ada's", "ours", BOT)], "Ada's"),
        ([edit(1, "old", "x"), edit(1, "x", "old"), edit(2, "old", "ours", BOT)], None),
        ([edit(1, "old", "Ada's")], None),
        ([edit(1, "old", "Ada's"), bare(1, BOT), edit(9, "Ada's", "ours", BOT)], None),
        ([edit(1, "old", "Ada's"), edit(2, "Ada's", "ours", BOT, field="notes")], None),
        ([edit(1, "before", "ours"), edit(2, "ours", "old"), edit(3, "old", "ours", BOT)], None),
        ([edit(1, "old", "x"), edit(2, "x", "ours", BOT), edit(3, "ours", "y"), edit(4, "y", "ours")], "x"),
        ([edit(1, "old", "x"), edit(2, "x", "ours", None)], "x"),
    ],
    ids=[
        "alone",
        "replaced",
        "the last of two",
        "taken back",
        "not arrived",
        "too late",
        "other field",
        "a person wrote the same before",
        "a person wrote the same after",
        "nobody is named",
    ],
)
def test_what_stood_there_when_our_write_came(edits: list[FieldTime], lost: str | None) -> None:
    found = replaced_unseen(SENT, edits, same, {"bot"})
    assert (found.after if found else None) == lost
    assert found is None or found.author == ADA


def test_where_nothing_tells_who_wrote_it_its_value_is_told_alone() -> None:
    found = replaced_unseen(SENT, [bare(1, ADA), edit(2, "Ada's", "ours", BOT)], same, {"bot"})
    assert found is not None
    assert (found.after, found.author, found.at) == ("Ada's", None, at(2))


@pytest.mark.parametrize(
    ("edits", "doubtful"),
    [
        ([], False),
        ([bare(2, BOT)], False),
        ([bare(2, ADA)], True),
        ([bare(2, None)], True),
        ([bare(1, BOT), bare(2, BOT)], True),
        ([bare(-30, ADA), bare(2, BOT), bare(9, ADA)], False),
        ([bare(1, ADA, "notes"), bare(2, BOT)], False),
        ([edit(1, "old", "x"), bare(2, BOT)], False),
    ],
)
def test_whether_somebody_else_may_have_edited_it(edits: list[FieldTime], doubtful: bool) -> None:
    assert is_doubtful(SENT, edits, {"bot"}) == doubtful
