"""What a task is a part of, and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.errors import Park, ParkClass, RetryLater
from connectors.records import BLOCKED_BY, PARENT
from connectors.simulation import Fault

if TYPE_CHECKING:
    from connectors.asana.conftest import Bench


def tasks(bench: Bench, *titles: str) -> list[str]:
    return [bench.simulator.new(bench.project, title=title) for title in titles]


async def test_a_task_is_put_below_another_and_taken_out(bench: Bench) -> None:
    whole, part = tasks(bench, "Whole", "Part")
    before = await bench.read(part)
    for parent in (whole, None):
        before = await bench.session.update(before.ref, {PARENT: parent}, before)
        assert before.fields[PARENT] == parent == (await bench.read(part)).fields[PARENT]
    await bench.session.update(before.ref, {PARENT: None}, before)
    assert bench.calls() == ["POST setParent"] * 2, "what stands is not written again"
    above = await bench.read(whole)
    await bench.session.update(before.ref, {PARENT: whole}, before)
    with pytest.raises(Park) as refused:
        await bench.session.update(above.ref, {PARENT: part}, above)
    assert (refused.value.field, refused.value.park_class) == (PARENT, ParkClass.REJECTED)
    assert "below itself" in refused.value.fix


async def test_dependencies_come_and_go_by_their_difference(bench: Bench) -> None:
    one, two, theirs, part = tasks(bench, "One", "Two", "A person's", "Part")
    before = await bench.read(part)
    assert before.fields[BLOCKED_BY] == ()
    first = await bench.session.update(before.ref, {BLOCKED_BY: (one,)}, before)
    bench.simulator.workspace.change_dependencies(part, None, add=[theirs])
    bench.simulator.clock.advance(120)
    bench.simulator.visible_after_s = 60
    after = await bench.session.update(before.ref, {BLOCKED_BY: (two,)}, first)
    assert after.fields[BLOCKED_BY] == (two, theirs), "confirmed, whatever a read that lags behind shows"
    bench.simulator.visible_after_s = 0
    assert (await bench.read(part)).fields[BLOCKED_BY] == (two, theirs)
    assert bench.calls() == ["POST addDependencies", "POST removeDependencies", "POST addDependencies"]


async def test_of_several_those_stand_that_asana_takes(bench: Bench) -> None:
    waits, one, part = tasks(bench, "Waits for it", "One", "Part")
    bench.simulator.workspace.change_dependencies(waits, None, add=[part])
    before = await bench.read(part)
    with pytest.raises(Park) as refused:
        await bench.session.update(before.ref, {BLOCKED_BY: tuple(sorted([waits, one]))}, before)
    assert (refused.value.field, refused.value.park_class) == (BLOCKED_BY, ParkClass.REJECTED)
    assert "wait for itself" in refused.value.fix
    assert (await bench.read(part)).fields[BLOCKED_BY] == (one,)


async def test_no_task_has_more_than_thirty(bench: Bench) -> None:
    *many, part = tasks(bench, *(f"Blocker {number}" for number in range(31)), "Part")
    before = await bench.read(part)
    with pytest.raises(Park) as refused:
        await bench.session.update(before.ref, {BLOCKED_BY: tuple(many)}, before)
    assert "thirty" in refused.value.fix
    assert len((await bench.read(part)).fields[BLOCKED_BY]) == 30  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "error"), [("403", Park), ("429", RetryLater)])
async def test_what_has_nothing_to_do_with_one_of_them_is_not_tried_one_by_one(
    bench: Bench, kind: str, error: type[Exception]
) -> None:
    one, two, part = tasks(bench, "One", "Two", "Part")
    before = await bench.read(part)
    bench.simulator.faults.add(Fault(kind=kind, method="POST", path="/addDependencies$"))  # type: ignore[arg-type]
    with pytest.raises(error):
        await bench.session.update(before.ref, {BLOCKED_BY: (one, two)}, before)
    assert bench.calls() == ["POST addDependencies"]
