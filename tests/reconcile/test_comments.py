"""Comments go from root to copy, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.discussions import Comment
from connectors.records import Author, Ref, Value
from sync.reconcile import plan_comments, root_url
from sync.reconcile.model import CommentAction, CommentLink, CommentStep, Side
from tests.reconcile.world import EXTERNAL, HUB, NOON, exact, ref

S = CommentStep


def url(side: Side, id: str) -> str:
    return f"https://{side}.example/1#{id}"


def at(side: Side, id: str) -> Ref:
    return ref(side, id, "comment")


def comment(side: Side, id: str, text: str = "hello", *, minute: float = 0, **given: Any) -> Comment:
    return Comment(
        ref=at(side, id),
        parent=ref(side),
        text=text,
        author=Author("7", "Ada"),
        created_at=NOON + timedelta(minutes=minute),
        url=url(side, id),
        **given,
    )


def copied(side: Side, id: str, source: str, text: str = "hello", **given: Any) -> Comment:
    """A copy of ours on ``side`` that names ``source``."""
    return comment(side, id, text, by_us=True, source_url=source, **given)


def link(
    root: str, copy: str | None, *, source: Side = HUB, root_text: str = "hello", copy_text: str = "hello"
) -> CommentLink:
    return CommentLink(
        id=1,
        source=source,
        root=at(source, root),
        copy=None if copy is None else at(source.other, copy),
        root_text=root_text,
        copy_text=copy_text,
    )


def steps(
    hub: Sequence[Comment] | None,
    external: Sequence[Comment] | None,
    links: Sequence[CommentLink] = (),
    **given: Any,
) -> tuple[CommentAction, ...]:
    return plan_comments(
        **{
            "links": links,
            "hub": hub,
            "external": external,
            "into": frozenset(Side),
            "since": None,
            "same": {HUB: exact, EXTERNAL: exact},
            **given,
        }
    )


def told(actions: Sequence[CommentAction]) -> list[tuple[CommentStep, Side, str | None, str | None]]:
    """(step, into, root id, copy id)"""
    return [
        (
            action.step,
            action.into,
            action.comment.ref.id if action.comment else None,
            action.copy.ref.id if action.copy else None,
        )
        for action in actions
    ]


# --- new ----------------------------------------------------------------------------------------------


def test_new_comments_are_copied_oldest_first() -> None:
    found = steps(
        [comment(HUB, "h2", minute=3), comment(HUB, "h1", minute=1)],
        [comment(EXTERNAL, "e1", minute=2)],
    )
    assert told(found) == [
        (S.COPY, EXTERNAL, "h1", None),
        (S.COPY, HUB, "e1", None),
        (S.COPY, EXTERNAL, "h2", None),
    ]


def test_two_equal_comments_stay_two() -> None:
    found = steps([comment(HUB, "h1"), comment(HUB, "h2")], [])
    assert [action.comment.ref.id for action in found if action.comment] == ["h1", "h2"]


def test_equal_texts_on_both_sides_are_two_comments() -> None:
    assert len(steps([comment(HUB, "h1")], [comment(EXTERNAL, "e1")])) == 2


def test_only_into_sides_that_may_be_written() -> None:
    both = [comment(HUB, "h1")], [comment(EXTERNAL, "e1")]
    assert told(steps(*both, into=frozenset({HUB}))) == [(S.COPY, HUB, "e1", None)]


def test_history_stays_out() -> None:
    found = steps(
        [comment(HUB, "old", minute=-1), comment(HUB, "new", minute=0)], [], since={HUB: NOON, EXTERNAL: NOON}
    )
    assert told(found) == [(S.COPY, EXTERNAL, "new", None)]


def test_private_comments_stay() -> None:
    assert steps([], [comment(EXTERNAL, "e1", private=True)]) == ()


def test_linked_comments_are_not_copied_again() -> None:
    assert steps([comment(HUB, "h1")], [comment(EXTERNAL, "e1")], [link("h1", "e1")]) == ()


@pytest.mark.parametrize(("hub", "external"), [(None, []), ([], None), (None, None)])
def test_nothing_is_copied_without_both_listings(
    hub: list[Comment] | None, external: list[Comment] | None
) -> None:
    if hub is not None:
        hub = [comment(HUB, "h1")]
    if external is not None:
        external = [comment(EXTERNAL, "e1")]
    assert steps(hub, external) == ()


# --- our own copies -----------------------------------------------------------------------------------


def test_a_copy_is_never_copied_back_even_if_its_root_is_gone() -> None:
    assert steps([], [copied(EXTERNAL, "e1", url(HUB, "gone"))]) == ()


def test_a_comment_of_our_own_account_without_header_is_a_persons() -> None:
    found = steps([comment(HUB, "h1", by_us=True)], [])
    assert told(found) == [(S.COPY, EXTERNAL, "h1", None)]


def test_a_header_that_a_person_wrote_proves_nothing() -> None:
    found = steps([comment(HUB, "h1")], [comment(EXTERNAL, "e1", source_url=url(HUB, "h1"))])
    assert [step for step, *_ in told(found)] == [S.COPY, S.COPY]


def test_a_copy_whose_row_was_lost_is_adopted() -> None:
    assert told(steps([comment(HUB, "h1")], [copied(EXTERNAL, "e1", url(HUB, "h1"))])) == [
        (S.SETTLE, EXTERNAL, "h1", "e1")
    ]
    assert told(steps([copied(HUB, "h1", url(EXTERNAL, "e1"))], [comment(EXTERNAL, "e1")])) == [
        (S.SETTLE, HUB, "e1", "h1")
    ]


def test_an_unfinished_link_adopts_its_copy() -> None:
    unfinished = link("h1", None)
    (found,) = steps([comment(HUB, "h1")], [copied(EXTERNAL, "e1", url(HUB, "h1"))], [unfinished])
    assert (found.step, found.link) == (S.SETTLE, unfinished)


def test_an_unfinished_link_is_copied_where_no_copy_stands() -> None:
    unfinished = link("h1", None)
    (found,) = steps([comment(HUB, "h1")], [], [unfinished])
    assert (found.step, found.link) == (S.COPY, unfinished)


def test_a_surplus_copy_stays_what_it_is() -> None:
    twice = [copied(EXTERNAL, "e0", url(HUB, "h1")), copied(EXTERNAL, "e1", url(HUB, "h1"))]
    assert steps([comment(HUB, "h1")], twice, [link("h1", "e1")]) == ()


# --- a third tool -------------------------------------------------------------------------------------

ELSEWHERE = "https://third.example/c#1"


def test_a_third_tools_comment_is_passed_on_once() -> None:
    at_hub = copied(HUB, "h1", ELSEWHERE)
    assert root_url(at_hub) == ELSEWHERE
    assert steps([at_hub], []) == ()
    found = steps([at_hub], [], foreign_roots=frozenset({ELSEWHERE}))
    assert told(found) == [(S.COPY, EXTERNAL, "h1", None)]


def test_it_is_adopted_where_the_target_has_it_already() -> None:
    pair = [copied(HUB, "h1", ELSEWHERE)], [copied(EXTERNAL, "e1", ELSEWHERE)]
    assert told(steps(*pair, foreign_roots=frozenset({ELSEWHERE}))) == [(S.SETTLE, EXTERNAL, "h1", "e1")]
    assert steps(*pair, [link("e1", "h1", source=EXTERNAL)], foreign_roots=frozenset({ELSEWHERE})) == ()


def test_an_unfinished_link_keeps_its_direction() -> None:
    pair = [copied(HUB, "h1", ELSEWHERE)], [copied(EXTERNAL, "e1", ELSEWHERE)]
    assert told(steps(*pair, [link("e1", None, source=EXTERNAL)])) == [(S.SETTLE, HUB, "e1", "h1")]


def test_it_is_not_returned_to_the_object_it_comes_from() -> None:
    """The root stands on the target, beside a surplus copy on the hub."""
    root, copy = comment(EXTERNAL, "e1"), copied(HUB, "h1", url(EXTERNAL, "e1"))
    surplus = copied(HUB, "h2", url(EXTERNAL, "e1"))
    found = steps(
        [copy, surplus],
        [root],
        [link("e1", "h1", source=EXTERNAL)],
        foreign_roots=frozenset({url(EXTERNAL, "e1")}),
    )
    assert found == ()


# --- edits and deletions ------------------------------------------------------------------------------


def test_an_edited_root_edits_its_copy() -> None:
    pair = [comment(HUB, "h1", "new")], [comment(EXTERNAL, "e1")]
    assert told(steps(*pair, [link("h1", "e1")])) == [(S.EDIT, EXTERNAL, "h1", "e1")]
    assert steps(*pair, [link("h1", "e1")], into=frozenset({HUB})) == ()


def test_provider_rewriting_is_no_edit() -> None:
    def folds(field: str, sent: Value, read: Value) -> bool:
        return field == "comments" and str(sent).casefold() == str(read).casefold()

    pair = [comment(HUB, "h1", "HELLO")], [comment(EXTERNAL, "e1", "HELLO")]
    assert steps(*pair, [link("h1", "e1")], same={HUB: folds, EXTERNAL: folds}) == ()


def test_a_root_that_became_private_is_not_carried() -> None:
    pair = [comment(HUB, "h1", "secret", private=True)], [comment(EXTERNAL, "e1")]
    assert steps(*pair, [link("h1", "e1")]) == ()


def test_a_changed_copy_is_listed_and_never_copied_back() -> None:
    pair = [comment(HUB, "h1")], [comment(EXTERNAL, "e1", "mine")]
    assert told(steps(*pair, [link("h1", "e1")])) == [(S.LIST, EXTERNAL, "h1", "e1")]


def test_a_changed_copy_is_listed_before_it_is_overwritten() -> None:
    pair = [comment(HUB, "h1", "new")], [comment(EXTERNAL, "e1", "mine")]
    assert [step for step, *_ in told(steps(*pair, [link("h1", "e1")]))] == [S.LIST, S.EDIT]


def test_a_changed_copy_is_listed_though_its_root_is_unknown() -> None:
    changed = [comment(EXTERNAL, "e1", "mine")]
    assert told(steps(None, changed, [link("h1", "e1")])) == [(S.LIST, EXTERNAL, None, "e1")]


def test_a_deleted_root_deletes_its_copy() -> None:
    copy = [comment(EXTERNAL, "e1")]
    assert told(steps([], copy, [link("h1", "e1")])) == [(S.DELETE, EXTERNAL, None, "e1")]
    assert steps([], copy, [link("h1", "e1")], into=frozenset({HUB})) == ()


def test_a_changed_copy_survives_its_root() -> None:
    found = steps([], [comment(EXTERNAL, "e1", "mine")], [link("h1", "e1")])
    assert [step for step, *_ in told(found)] == [S.LIST, S.FORGET]


def test_a_deleted_copy_is_not_the_deletion_of_its_root() -> None:
    found = steps([comment(HUB, "h1", "new")], [], [link("h1", "e1")])
    assert told(found) == [(S.LIST, EXTERNAL, "h1", None)]


def test_a_late_listing_proves_nothing_about_a_fresh_link() -> None:
    fresh = frozenset({1})
    assert steps([comment(HUB, "h1")], [], [link("h1", "e1")], fresh=fresh) == ()
    assert steps([], [comment(EXTERNAL, "e1")], [link("h1", "e1")], fresh=fresh) == ()


@pytest.mark.parametrize("copy", ["e1", None])
def test_when_both_are_gone_the_link_is_forgotten(copy: str | None) -> None:
    assert [step for step, *_ in told(steps([], [], [link("h1", copy)]))] == [S.FORGET]


def test_an_unlisted_side_decides_nothing() -> None:
    assert steps(None, [], [link("h1", None)]) == ()
    assert steps([], None, [link("h1", "e1")]) == ()
    assert steps([comment(HUB, "h1", "new")], None, [link("h1", "e1")]) == ()
    assert steps(None, [comment(EXTERNAL, "e1")], [link("h1", "e1")]) == ()


def test_settled_again_nothing_is_left() -> None:
    """Every step, done and stored, is not planned a second time."""
    hub, external = [comment(HUB, "h1", "new"), comment(HUB, "h2")], [comment(EXTERNAL, "e1", "mine")]
    before = link("h1", "e1")
    assert [step for step, *_ in told(steps(hub, external, [before]))] == [S.LIST, S.EDIT, S.COPY]
    done = replace(before, root_text="new", copy_text="new")
    copy = replace(link("h2", "e2"), id=2)
    now = [comment(EXTERNAL, "e1", "new"), copied(EXTERNAL, "e2", url(HUB, "h2"))]
    assert steps(hub, now, [done, copy]) == ()
