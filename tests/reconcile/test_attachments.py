"""What is done about files: each is copied once, and nothing is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.discussions import Attachment, Content
from connectors.records import Ref
from sync.reconcile.attachments import (
    AttachmentLink,
    AttachmentStep,
    file_name,
    plan_attachments,
    told,
)
from sync.reconcile.model import Side

HUB, EXTERNAL = Side.HUB, Side.EXTERNAL
BOTH = frozenset(Side)
START = datetime(2026, 5, 1, tzinfo=UTC)


def file(name: str, *, minute: int = 0) -> Attachment:
    return Attachment(
        ref=Ref("any", "site", "attachment", name),
        parent=Ref("any", "site", "task", "1"),
        name=name,
        url=f"https://example.com/{name}",
        created_at=START + timedelta(minutes=minute),
    )


A, B, C = file("a", minute=1), file("b", minute=2), file("c", minute=3)
KNOWN = AttachmentLink(1, EXTERNAL, A.ref, B.ref, settled=True)
CONFIRMING = replace(KNOWN, copy=None, settled=False)


def plan(
    hub: Sequence[Attachment] | None,
    external: Sequence[Attachment] | None,
    *links: AttachmentLink,
    into: frozenset[Side] = BOTH,
    fresh: frozenset[int] = frozenset(),
) -> list[tuple[AttachmentStep, Side, Attachment | None]]:
    listed = {side: files for side, files in ((HUB, hub), (EXTERNAL, external)) if files is not None}
    actions = plan_attachments(links=links, listed=listed, into=into, fresh=fresh)
    return [(action.step, action.into, action.root) for action in actions]


def test_new_files_go_across_oldest_first() -> None:
    assert plan([C, A], [B]) == [
        (AttachmentStep.COPY, EXTERNAL, A),
        (AttachmentStep.COPY, HUB, B),
        (AttachmentStep.COPY, EXTERNAL, C),
    ]


def test_nothing_goes_where_nothing_may_be_added() -> None:
    assert plan([A], [B], into=frozenset({HUB})) == [(AttachmentStep.COPY, HUB, B)]
    assert plan([A], [B], CONFIRMING, into=frozenset()) == []


def test_root_and_copy_are_left_alone() -> None:
    assert plan([B], [A], KNOWN) == []


def test_a_deleted_copy_is_not_made_again() -> None:
    assert plan([], [A], KNOWN) == []


def test_a_deleted_root_leaves_its_copy_which_is_told_once() -> None:
    assert plan([B], [], KNOWN) == [(AttachmentStep.KEEP, HUB, None)]
    assert plan([B], [], replace(KNOWN, alone=True)) == []


def test_a_late_listing_says_nothing_of_what_was_just_made() -> None:
    assert plan([B], [], KNOWN, fresh=frozenset({1})) == []


def test_one_that_was_not_copied_yet_is_copied_or_forgotten() -> None:
    assert plan([], [A], CONFIRMING) == [(AttachmentStep.COPY, HUB, A)]
    assert plan([], [], CONFIRMING) == [(AttachmentStep.FORGET, HUB, None)]


def test_a_side_that_was_not_listed_is_unknown() -> None:
    assert plan([B], None, KNOWN) == []
    assert plan([B], None, CONFIRMING) == [(AttachmentStep.COPY, EXTERNAL, B)]


@pytest.mark.parametrize(
    ("name", "media_type", "called"),
    [
        ("A look", "image/png", "A look.png"),
        ("look.jpeg", "image/png", "look.jpeg"),
        ("look", "", "look"),
        ("look", "nothing/known", "look"),
    ],
)
def test_names_tell_what_a_file_is(name: str, media_type: str, called: str) -> None:
    assert file_name(name, Content(size=1, sha256="", media_type=media_type)) == called


def test_a_link_stands_for_a_file() -> None:
    assert told(A) == "attached [a](https://example.com/a)"
    assert told(replace(A, name="*a* @bob")) == "attached [\\*a\\* @bob](https://example.com/a)"
