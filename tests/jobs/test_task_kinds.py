"""Tasks that are no ordinary ones: approvals, milestones, custom types, subtasks."""

from __future__ import annotations

from datetime import date

import pytest

from sync.reconcile.model import Side
from sync.store.tables import Link, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World


async def approval(world: World) -> tuple[str, str]:
    """An approval task and its counterpart: (task, external id)."""
    task = world.hub.new(world.project, title="May we ship?", kind="approval")
    await world.settle()
    return task, world.things()[-1]


def status(world: World, task: str) -> tuple[str | None, bool]:
    stored = world.hub.workspace.tasks[task]
    return stored.approval_status, stored.completed


async def test_closing_the_counterpart_approves_nothing(world: World) -> None:
    task, thing = await approval(world)
    world.external.edit(thing, state="closed", title="May we ship now?")
    await world.settle()
    assert status(world, task) == ("pending", False)
    assert world.task()["title"] == "May we ship now?"
    world.hub.edit(task, approval_status="rejected")
    await world.settle()
    assert world.thing()["state"] == "closed"
    world.external.edit(thing, state="open")
    await world.settle(full=True)
    assert status(world, task) == ("rejected", True)


async def test_deleting_the_counterpart_approves_nothing(build: Build) -> None:
    world = await build(delete={"to_asana": "complete"})
    task, thing = await approval(world)
    world.external.remove(thing)
    await world.mark(Side.EXTERNAL, thing, gone="deleted event")
    await world.settle()
    assert status(world, task) == ("pending", False)


async def test_a_milestone_stays_one(world: World) -> None:
    task = world.hub.new(world.project, title="Launch", kind="milestone", due=date(2026, 5, 1))
    await world.settle()
    world.external.edit(world.things()[-1], state="closed", title="Launched")
    await world.settle()
    view = world.task()
    assert (view["kind"], view["state"], view["title"]) == ("milestone", "closed", "Launched")
    assert world.hub.workspace.tasks[task].due_on == date(2026, 5, 1)


async def test_a_custom_type_that_decides_its_state_itself_is_parked_by_that_field(world: World) -> None:
    task = world.hub.new(world.project, title="Case 12", kind="custom")
    await world.settle()
    world.external.edit(world.things()[-1], state="closed", title="Case 13")
    await world.settle()
    assert world.task()["title"] == "Case 13"
    assert world.hub.workspace.tasks[task].completed is False
    assert (await world.the(Parked)).field == "state"


@pytest.mark.parametrize("deed", ["edit", "comment"])
async def test_what_happens_to_a_subtask_makes_nothing(world: World, deed: str) -> None:
    _, task = await world.paired()
    below = world.hub.workspace.add_task(
        world.hub.people["ada"].gid, source="web", name="Step one", parent=task
    ).gid
    if deed == "edit":
        world.hub.edit(below, title="Step two")
    else:
        world.hub.comment(below, "Done that")
    await world.settle(full=True)
    assert len(world.things()) == 1
    assert len(await world.rows(Link, kind="task")) == 1
