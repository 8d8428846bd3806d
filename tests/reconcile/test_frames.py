"""A template puts text around the task's title, and the other side never gets it."""

from __future__ import annotations

import pytest

from connectors.records import Author, FieldKind, Value
from sync.reconcile import draft, plan_link
from sync.reconcile.frames import Frame, flaws, frame_of
from sync.reconcile.model import LinkView, Pair
from tests.reconcile.world import EXTERNAL, HUB, record, rule, stamps, translation, written

TITLE = rule(FieldKind.TEXT, name="title", hub="title", external="title", template="[{key}] {title}")
BEHIND = rule(FieldKind.TEXT, name="title", hub="title", external="title", template="{title} (#{number})")


def view(hub: Value, external: Value, seen: Pair | None, one=TITLE, key: str = "acme/web#7") -> LinkView:  # type: ignore[no-untyped-def]
    return LinkView(
        hub=record(HUB, {"title": hub}),
        external=record(EXTERNAL, {"title": external}, key=key),
        rules=(one,),
        seen={} if seen is None else {"title": seen},
        translation=translation(),
        stamps=stamps(60, 0, "title"),
    )


FRAMED = Pair("[acme/web#7] Fix login", "Fix login")


def test_the_frame_of_an_object() -> None:
    issue = record(EXTERNAL, {}, key="acme/web#7", author=Author("1", "Ada"))
    assert frame_of("{author}: {title} ({number}, {key})", issue) == Frame("Ada: ", " (7, acme/web#7)")
    assert frame_of("{author}{title}{number}", record(EXTERNAL, {}, key="4711")) == Frame("", "4711")


def test_a_new_task_is_framed_and_a_new_object_is_not() -> None:
    issue = record(EXTERNAL, {"title": "Fix login"}, key="acme/web#7")
    assert draft((TITLE,), issue, EXTERNAL, translation()) == {"title": "[acme/web#7] Fix login"}
    task = record(HUB, {"title": "Fix login"})
    assert draft((TITLE,), task, HUB, translation()) == {"title": "Fix login"}


@pytest.mark.parametrize(
    ("hub", "external", "meant"),
    [
        ("[acme/web#7] Fix logout", "Fix login", {EXTERNAL: "Fix logout"}),
        ("[acme/web#7] Fix login", "Fix signup", {HUB: "[acme/web#7] Fix signup"}),
        ("Fix login", "Fix login", {}),  # the frame was taken off
        ("[acme/web#7 Fix login", "Fix login", {}),  # or spoilt
        ("[acme/web#7]Fix login", "Fix login", {}),
        ("Fix logout", "Fix login", {EXTERNAL: "Fix logout"}),  # taken off, and another title given
        ("a Fix login", "Fix login", {EXTERNAL: "a Fix login"}),  # no rest of the frame: part of the title
        ("urgent: Fix login", "Fix login", {EXTERNAL: "urgent: Fix login"}),
    ],
)
def test_the_frame_stays_on_the_task(hub: Value, external: Value, meant: object) -> None:
    assert written(plan_link(view(hub, external, FRAMED))) == meant


def test_a_task_without_frame_gets_it_with_the_next_title_from_outside() -> None:
    bare = Pair("Fix login", "Fix login")
    assert written(plan_link(view("Fix login", "Fix login", bare))) == {}
    assert written(plan_link(view("Fix login", "New", bare))) == {HUB: "[acme/web#7] New"}


def test_a_renamed_repository_does_not_make_the_old_frame_a_title() -> None:
    moved = view("[acme/web#7] Fix logout", "Fix login", FRAMED, key="acme/site#7")
    assert written(plan_link(moved)) == {EXTERNAL: "Fix logout"}


def test_the_first_comparison_sees_the_bare_title() -> None:
    for hub in ("[acme/web#7] Fix login", "Fix login"):
        plan = plan_link(view(hub, "Fix login", None))
        assert (plan.writes, plan.clashes, set(plan.settle)) == ((), (), {"title"})


def test_a_frame_behind_the_title() -> None:
    seen = Pair("Fix login (#7)", "Fix login")
    assert written(plan_link(view("Fix logout (#7)", "Fix login", seen, BEHIND))) == {EXTERNAL: "Fix logout"}
    assert written(plan_link(view("Fix login", "Fix login", seen, BEHIND))) == {}


def test_an_empty_title_has_no_frame() -> None:
    assert written(plan_link(view("[acme/web#7] x", "", Pair("[acme/web#7] x", "x")))) == {HUB: ""}
    assert written(plan_link(view("new", "", Pair("", "")))) == {EXTERNAL: "new"}


def test_what_is_wrong_with_a_template() -> None:
    assert flaws("[{key}] {title} {author} {number}") == []
    assert flaws("[{key}]") == ["must contain {title} exactly once"]
    assert flaws("{title} {title}") == ["must contain {title} exactly once"]
    (flaw,) = flaws("{name} {title}")
    assert "there is no {name}; known: {key}, {title}" in flaw
