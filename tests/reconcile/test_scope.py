"""Which objects a mapping lets in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.records import Author
from sync.reconcile import Scope, fitting, inside
from tests.reconcile.world import EXTERNAL, record

ISSUE = record(
    EXTERNAL,
    {"labels": ("Bug", "ui"), "tags": ("T",), "milestone": "v1"},
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
        ({"tags": ("x",)}, False),
        ({"kinds": ("item",)}, True),
        ({"kinds": ("pull",)}, False),
        ({"authors": ("7",)}, True),
        ({"authors": ("ADA",)}, True),
        ({"authors": ("bob",)}, False),
        ({"sections": ("s1",)}, True),
        ({"sections": ("s2",)}, False),
        ({"milestone": "V1"}, True),
        ({"milestone": "v2"}, False),
        ({"labels": ("bug",), "kinds": ("pull",)}, False),
    ],
)
def test_every_part_must_match(wanted: dict[str, Any], answer: bool) -> None:
    assert inside(ISSUE, Scope(**wanted), "acme/website") is answer


def test_another_container_is_outside() -> None:
    assert not inside(ISSUE, Scope(), "acme/other")


def test_the_field_of_labels_is_named() -> None:
    assert inside(ISSUE, Scope(tags=("t",)), "acme/website", label_field="tags")


def test_what_is_not_told_is_no_match() -> None:
    bare = replace(ISSUE, fields={}, author=None, places={"acme/website": None})
    assert inside(bare, Scope(), "acme/website")
    for scope in (
        Scope(labels=("bug",)),
        Scope(authors=("7",)),
        Scope(sections=("S1",)),
        Scope(milestone="v1"),
    ):
        assert not inside(bare, scope, "acme/website")


def test_what_a_new_object_needs_to_be_let_in() -> None:
    scope = Scope(labels=("Bug", "crash"), milestone="v1")
    assert fitting({"labels": ("ui",)}, scope) == {"labels": ("Bug", "ui"), "milestone": "v1"}
    assert fitting({"labels": ("CRASH",)}, scope) == {"milestone": "v1"}
    assert fitting({}, Scope(kinds=("issue",))) == {}
