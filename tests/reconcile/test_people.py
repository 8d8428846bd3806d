"""One person, several people, and those whom nobody mapped, in all combinations."""

from __future__ import annotations

import pytest

from connectors.records import FieldKind, Value
from sync.reconcile import carry, plan_link
from sync.reconcile.model import Pair, Side
from tests.reconcile.world import EXTERNAL, HUB, look, rule, stamps, translation, written

ONE_ONE = rule(FieldKind.PERSON)
ONE_MANY = rule((FieldKind.PERSON, FieldKind.PEOPLE))
MANY_ONE = rule((FieldKind.PEOPLE, FieldKind.PERSON))
MANY_MANY = rule(FieldKind.PEOPLE)


@pytest.mark.parametrize(
    ("into", "value", "current", "fallback", "meant"),
    [
        (EXTERNAL, "ada", None, None, "ada_x"),
        (EXTERNAL, "ada", "zed", None, "ada_x"),
        (EXTERNAL, None, "ada_x", None, None),
        (EXTERNAL, "nia", "ada_x", None, None),  # unmapped there: unassigned, not the one before
        (EXTERNAL, None, "zed", None, "zed"),  # whom only that side knows stays
        (EXTERNAL, "nia", "zed", None, "zed"),
        (EXTERNAL, "fay", "zed", "fay", "zed"),  # zed is shown as fay
        (EXTERNAL, "fay", "ada_x", "fay", "fay_x"),
        (HUB, "zed", "ada", None, None),
        (HUB, "zed", "ada", "fay", "fay"),
        (HUB, "zed", "nia", "fay", "fay"),
        (HUB, None, "ada", "fay", None),
        (HUB, None, "nia", "fay", "nia"),
    ],
)
def test_one_to_one(into: Side, value: Value, current: Value, fallback: str | None, meant: Value) -> None:
    who = translation(fallback=fallback)
    assert carry(ONE_ONE, into, value, current=current, seen=None, translation=who) == meant


@pytest.mark.parametrize(
    ("value", "current", "meant"),
    [
        ("ada", (), ("ada_x",)),
        ("ada", ("bob_x",), ("ada_x",)),
        ("ada", ("zed", "bob_x", "kim_x"), ("zed", "ada_x", "kim_x")),
        ("kim", ("bob_x", "zed", "kim_x"), ("kim_x", "zed")),
        ("ada", ("zed",), ("ada_x", "zed")),
        (None, ("zed", "bob_x", "kim_x"), ("zed", "kim_x")),
        (None, ("zed",), ("zed",)),
        ("nia", ("zed", "bob_x"), ("zed",)),
        ("bob", ("zed", "bob_x", "kim_x"), ("zed", "bob_x", "kim_x")),
    ],
)
def test_one_to_many_replaces_the_first_mapped(value: Value, current: Value, meant: Value) -> None:
    assert carry(ONE_MANY, EXTERNAL, value, current=current, seen=None, translation=translation()) == meant


def test_the_one_who_was_settled_makes_room_even_if_the_provider_sorts() -> None:
    seen = Pair("kim", ("ada_x", "kim_x"))
    carried = carry(
        ONE_MANY, EXTERNAL, "bob", current=("ada_x", "kim_x"), seen=seen, translation=translation()
    )
    assert carried == ("ada_x", "bob_x")


def test_nobody_makes_room_where_nobody_was_settled() -> None:
    seen = Pair("nia", ("bob_x",))
    for value, meant in ((None, ("bob_x",)), ("ada", ("ada_x", "bob_x"))):
        carried = carry(ONE_MANY, EXTERNAL, value, current=("bob_x",), seen=seen, translation=translation())
        assert carried == meant


def test_in_an_edited_list_the_first_mapped_makes_room() -> None:
    seen = Pair("ada", ("ada_x",))
    carried = carry(ONE_MANY, EXTERNAL, "bob", current=("kim_x", "zed"), seen=seen, translation=translation())
    assert carried == ("bob_x", "zed")


@pytest.mark.parametrize(
    ("value", "fallback", "meant"),
    [
        (("zed", "bob_x", "ada_x"), "fay", "bob"),
        (("zed",), "fay", "fay"),
        (("zed",), None, None),
        ((), "fay", None),
    ],
)
def test_many_to_one_takes_the_first_mapped(value: Value, fallback: str | None, meant: Value) -> None:
    who = translation(fallback=fallback)
    assert carry(ONE_MANY, HUB, value, current="ada", seen=None, translation=who) == meant


def test_many_to_one_keeps_the_settled_one_where_the_provider_sorts() -> None:
    seen = Pair("kim", ("ada_x", "kim_x"))
    grown = ("ada_x", "bob_x", "kim_x")
    assert carry(ONE_MANY, HUB, grown, current="kim", seen=seen, translation=translation()) == "kim"
    shrunk = ("ada_x", "bob_x")
    assert carry(ONE_MANY, HUB, shrunk, current="kim", seen=seen, translation=translation()) == "ada"


def test_many_to_one_follows_the_first_where_order_has_meaning() -> None:
    seen = Pair("bob", ("bob_x",))
    value = ("ada_x", "bob_x")
    assert carry(ONE_MANY, HUB, value, current="bob", seen=seen, translation=translation()) == "ada"


def test_one_external_into_many_on_the_hub_uses_the_fallback() -> None:
    who = translation(fallback="fay")
    assert carry(MANY_ONE, HUB, "zed", current=("ada", "nia"), seen=None, translation=who) == ("fay", "nia")
    assert carry(MANY_ONE, EXTERNAL, ("nia", "bob"), current="ada_x", seen=None, translation=who) == "bob_x"


def test_many_to_many_by_element() -> None:
    carried = carry(
        MANY_MANY,
        EXTERNAL,
        ("bob", "nia", "ada"),
        current=("zed", "kim_x", "ada_x"),
        seen=None,
        translation=translation(),
    )
    assert carried == ("zed", "ada_x", "bob_x")


# --- in a plan ----------------------------------------------------------------------------------------


def test_an_unmapped_assignee_is_not_sent_back() -> None:
    """zed takes over outside: the hub shows nobody; a later look writes nothing."""
    plan = plan_link(look(ONE_ONE, "ada", "zed", Pair("ada", "ada_x")))
    assert written(plan) == {HUB: None}
    assert plan_link(look(ONE_ONE, None, "zed", Pair(None, "zed"))).writes == ()


def test_further_assignees_stay_when_the_hub_reassigns() -> None:
    plan = plan_link(look(ONE_MANY, "bob", ("ada_x", "kim_x", "zed"), Pair("ada", ("ada_x", "kim_x", "zed"))))
    assert written(plan) == {EXTERNAL: ("bob_x", "kim_x", "zed")}


def test_somebody_further_is_added_while_the_hub_reassigns_and_nothing_clashes() -> None:
    plan = plan_link(look(ONE_MANY, "bob", ("ada_x", "zed"), Pair("ada", ("ada_x",))))
    assert written(plan) == {EXTERNAL: ("bob_x", "zed")}
    assert plan.clashes == ()
    mirrored = plan_link(look(MANY_ONE, ("ada", "nia"), "bob_x", Pair(("ada",), "ada_x")))
    assert written(mirrored) == {HUB: ("bob", "nia")}


def test_only_somebody_further_is_added() -> None:
    plan = plan_link(look(ONE_MANY, "ada", ("ada_x", "zed"), Pair("ada", ("ada_x",))))
    assert (plan.writes, dict(plan.settle)) == ((), {"f": Pair("ada", ("ada_x", "zed"))})


def test_two_reassignments_clash() -> None:
    view = look(ONE_MANY, "bob", ("kim_x",), Pair("ada", ("ada_x",)), stamps=stamps(0, 60))
    plan = plan_link(view)
    assert written(plan) == {HUB: "kim"}
    assert plan.clashes[0].values == Pair("bob", ("kim_x",))


def test_two_edits_of_which_the_other_side_sees_nothing_still_clash() -> None:
    """An unmapped assignee on the hub and a fallback outside: neither is lost in silence."""
    view = look(
        ONE_MANY,
        "kim",
        ("zed",),
        Pair("nia", ()),
        stamps=stamps(60, 0),
        translation=translation(fallback="fay"),
    )
    plan = plan_link(view)
    assert written(plan) == {EXTERNAL: ("kim_x", "zed")}
    assert len(plan.clashes) == 1


def test_nobody_on_the_hub_and_a_stranger_outside_agree() -> None:
    plan = plan_link(look(ONE_ONE, None, "zed"))
    assert (plan.writes, plan.clashes, dict(plan.settle)) == ((), (), {"f": Pair(None, "zed")})


def test_the_fallback_is_assigned_on_first_sync() -> None:
    plan = plan_link(look(ONE_ONE, None, "zed", translation=translation(fallback="fay")))
    assert written(plan) == {HUB: "fay"}


def test_a_list_of_strangers_gives_way_on_first_sync() -> None:
    plan = plan_link(look(ONE_MANY, "ada", ("zed",)))
    assert written(plan) == {EXTERNAL: ("ada_x", "zed")}
    assert plan.clashes == ()


def test_clearing_the_assignee_takes_only_the_assignee_out() -> None:
    plan = plan_link(look(ONE_MANY, None, ("ada_x", "bob_x"), Pair("ada", ("ada_x", "bob_x"))))
    assert written(plan) == {EXTERNAL: ("bob_x",)}


def test_another_order_of_a_list_is_no_edit() -> None:
    plan = plan_link(look(ONE_MANY, "ada", ("bob_x", "ada_x"), Pair("ada", ("ada_x", "bob_x"))))
    assert (plan.writes, dict(plan.settle)) == ((), {})
