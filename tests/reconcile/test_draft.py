"""Making a counterpart, and what is settled afterwards."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connectors.records import FieldKind, Value
from sync.reconcile import draft, left_by_us, pairs_after_create, plan_link
from sync.reconcile.model import LinkView, Mode, Pair
from tests.reconcile.world import EXTERNAL, HUB, record, rule, translation

TITLE = rule(FieldKind.TEXT, name="title", hub="title", external="title")
STATE = rule(FieldKind.STATE, name="state", hub="state", external="state")
LABELS = rule(FieldKind.SET, name="labels", hub="labels", external="labels")
WHO = rule((FieldKind.PERSON, FieldKind.PEOPLE), name="assignee", hub="assignee", external="assignee")
FURTHER = rule(
    FieldKind.PEOPLE,
    name="further",
    hub="followers",
    external="assignee",
    mode=Mode.APPEND,
    into=frozenset({HUB}),
)
FOLLOWERS = rule(FieldKind.PEOPLE, name="followers", hub="followers", external="watchers")


def test_the_draft_holds_every_field_that_may_be_written() -> None:
    origin = rule(
        FieldKind.TEXT,
        name="origin",
        hub="origin",
        external="title",
        mode=Mode.ON_CREATE,
        into=frozenset({HUB}),
    )
    outward = rule(FieldKind.TEXT, name="out", hub="out", external="title", into=frozenset({EXTERNAL}))
    issue = record(
        EXTERNAL,
        {"title": "T", "state": "closed", "labels": ("b", "a"), "assignee": ("zed", "ada_x", "bob_x")},
    )
    made = draft(
        (TITLE, STATE, LABELS, WHO, FURTHER, origin, outward, FOLLOWERS), issue, EXTERNAL, translation()
    )
    assert made == {
        "title": "T",
        "state": "closed",
        "labels": ("a", "b"),
        "assignee": "ada",
        "followers": ("bob",),
        "origin": "T",
    }


def test_appended_people_join_those_of_another_rule() -> None:
    issue = record(EXTERNAL, {"assignee": ("ada_x", "bob_x"), "watchers": ("kim_x", "bob_x")})
    made = draft((FOLLOWERS, FURTHER), issue, EXTERNAL, translation())
    assert made == {"followers": ("kim", "bob")}


def test_what_came_back_is_settled() -> None:
    task = record(HUB, {"title": "whole title", "state": "open", "labels": ("A",), "assignee": "nia"})
    issue = record(EXTERNAL, {"title": "whole", "state": "open", "labels": ("a",), "assignee": ()})
    pairs = pairs_after_create((TITLE, STATE, LABELS, WHO), task, issue, HUB, translation())
    assert pairs == {
        "title": Pair("whole title", "whole"),
        "state": Pair("open", "open"),
        "labels": Pair(("A",), ("a",)),
        "assignee": Pair("nia", ()),
    }


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        ({"state": "closed"}, {"state": "open"}),
        ({"labels": ("a", "b")}, {"labels": ("b",)}),
        ({"labels": ("a",)}, {"labels": ()}),
        ({"assignee": "ada"}, {"assignee": ()}),
        ({"title": "T"}, {"title": ""}),
    ],
)
def test_what_did_not_arrive_is_written_by_the_next_plan(
    given: Mapping[str, Value], answered: Mapping[str, Value]
) -> None:
    rules = (TITLE, STATE, LABELS, WHO)
    task, issue = record(HUB, given), record(EXTERNAL, answered)
    plan = plan_link(
        LinkView(
            hub=task,
            external=issue,
            rules=rules,
            seen=pairs_after_create(rules, task, issue, HUB, translation()),
            translation=translation(),
        )
    )
    (write,) = plan.writes
    (name,) = given
    assert (write.side, write.field) == (EXTERNAL, name)
    assert plan.clashes == ()


def test_a_label_on_top_is_an_edit_of_the_new_object() -> None:
    """A mapping's filter asks for it, or the provider adds it by itself: it belongs on both sides."""
    task, issue = record(HUB, {"labels": ("a",)}), record(EXTERNAL, {"labels": ("A", "bug")})
    pairs = pairs_after_create((LABELS,), task, issue, HUB, translation())
    assert pairs == {"labels": Pair(("a",), ("A",))}
    plan = plan_link(
        LinkView(hub=task, external=issue, rules=(LABELS,), seen=pairs, translation=translation())
    )
    assert [(write.side, write.value) for write in plan.writes] == [(HUB, ("a", "bug"))]


@pytest.mark.parametrize(
    ("kind", "sent", "found", "left"),
    [
        (FieldKind.TEXT, "short", "edited", "short"),
        (FieldKind.STATE, "open", "closed", "open"),
        (FieldKind.STATE, "closed", "open", "open"),
        (FieldKind.PEOPLE, (), ("ada",), ()),
        (FieldKind.PEOPLE, ("ada",), (), ()),
        (FieldKind.SET, ("a",), ("a", "b"), ("a",)),
        (FieldKind.SET, ("a", "c"), ("a", "b"), ("a", "b")),
        (FieldKind.DATE, None, "2026-01-05", None),
        (FieldKind.DATE, "2026-01-05", "2026-01-06", "2026-01-06"),
    ],
)
def test_what_people_did_before_a_lost_creation_was_found_is_an_edit(
    kind: FieldKind, sent: Value, found: Value, left: Value
) -> None:
    """What may not have arrived is none: the next plan writes it."""
    assert left_by_us(kind, sent, found) == left


def test_a_rewritten_label_is_not_sent_back() -> None:
    task, issue = record(HUB, {"labels": ("long label",)}), record(EXTERNAL, {"labels": ("long",)})
    pairs = pairs_after_create((LABELS,), task, issue, HUB, translation())
    assert pairs == {"labels": Pair(("long label",), ("long",))}


def test_further_people_that_did_not_arrive_are_written_by_the_next_plan() -> None:
    issue = record(EXTERNAL, {"assignee": ("ada_x", "bob_x")})
    task = record(HUB, {"followers": ()})
    assert pairs_after_create((FURTHER,), issue, task, EXTERNAL, translation()) == {"further": Pair((), ())}


def test_what_the_draft_did_not_hold_is_settled_as_it_stands() -> None:
    inward = rule(FieldKind.CHOICE, name="c", hub="section", external="column", into=frozenset({HUB}))
    task, issue = record(HUB, {"section": "s1"}), record(EXTERNAL, {"column": "new"})
    assert pairs_after_create((inward,), task, issue, HUB, translation()) == {"c": Pair("s1", "new")}


def test_unknown_fields_are_not_settled() -> None:
    task, issue = record(HUB, {"title": "T"}), record(EXTERNAL, {"state": "open"})
    assert pairs_after_create((TITLE, STATE), task, issue, HUB, translation()) == {}
