"""Which objects a mapping lets in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.records import Author
from sync.reconcile import Scope, fitting, inside
from sync.reconcile.scope import FieldScope
from tests.reconcile.world import EXTERNAL, record

ISSUE = record(
    EXTERNAL,
    {
        "labels": ("Bug", "ui"),
        "tags": ("T",),
        "milestone": "v1",
        "title": "#Bug: the foot",
        "notes": "The footer is\nbroken",
    },
    places={"Acme/Website": "S1"},
    author=Author("7", "Ada"),
)


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        ({}, True),
        ({"labels": ("bug",)}, True),
        ({"labels": ("other", "UI")}, True),
        ({"labels": ("other",)}, False),
        ({"tags": ("ui",)}, True),
        ({"labels": ("bug",), "tags": ("x",)}, False),
        ({"tags": ("x",)}, False),
        ({"kinds": ("item",)}, True),
        ({"kinds": ("pull",)}, False),
        ({"authors": ("7",)}, True),
        ({"authors": ("ADA",)}, True),
        ({"authors": ("bob",)}, False),
        ({"keywords": ("urgent", "footer  IS broken")}, True),
        ({"keywords": ("#bug",)}, True),
        ({"keywords": ("footers", "bug#", "broken.", "oot")}, False),
        ({"sections": ("s1",)}, True),
        ({"sections": ("s2",)}, False),
        ({"fields": (FieldScope("milestone", ("V1", "v3")),)}, True),
        ({"fields": (FieldScope("milestone", ("v2",)),)}, False),
        ({"labels": ("bug",), "kinds": ("pull",)}, False),
    ],
)
def test_every_part_must_match(wanted: dict[str, Any], answer: bool) -> None:
    assert inside(ISSUE, Scope(**wanted), "acme/website") is answer


def test_another_container_is_outside() -> None:
    assert not inside(ISSUE, Scope(), "acme/other")


def test_what_is_not_told_is_no_match() -> None:
    bare = replace(ISSUE, fields={}, author=None, places={"acme/website": None})
    assert inside(bare, Scope(), "acme/website")
    for scope in (
        Scope(labels=("bug",)),
        Scope(authors=("7",)),
        Scope(sections=("S1",)),
        Scope(fields=(FieldScope("milestone", ("v1",)),)),
    ):
        assert not inside(bare, scope, "acme/website")


def test_what_a_new_object_needs_to_be_let_in() -> None:
    scope = Scope(labels=("Bug", "crash"), fields=(FieldScope("milestone", ("1", "2")),))
    assert fitting({"labels": ("ui",)}, scope) == {"labels": ("Bug", "ui"), "milestone": "1"}
    assert fitting({"labels": ("CRASH",), "milestone": "2"}, scope) == {}
    assert fitting({}, Scope(kinds=("issue",))) == {}
    task = Scope(sections=("s1", "s2"), tags=("team",), fields=(FieldScope("custom:1", ("Web",), many=True),))
    assert fitting({}, task) == {"section": "s1", "labels": ("team",), "custom:1": ("Web",)}
    assert fitting({"section": "s2", "labels": ("a",), "custom:1": ("App",)}, task) == {
        "labels": ("a", "team"),
        "custom:1": ("App", "Web"),
    }
    assert fitting({"labels": ("ui",)}, Scope(labels=("bug",), tags=("t",))) == {"labels": ("bug", "t", "ui")}
