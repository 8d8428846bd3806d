"""Asana's fields beyond text and people, over both simulators: dates, custom fields, sections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from structlog.typing import EventDict

from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Fault
from sync.store.tables import Conflict, Mapping, Parked
from tests.jobs.conftest import Build
from tests.jobs.world import World


@dataclass(frozen=True)
class Paired:
    """An issue and its task, and the custom fields of the task."""

    world: World
    issue: str
    task: str
    priority: str
    high: str
    points: str

    def task_view(self) -> dict[str, Any]:
        view = self.world.hub.view(self.task)
        assert view is not None
        return view

    def set_values(self, **values: Any) -> None:
        """A person changes some fields of the issue."""
        self.world.external.edit(self.issue, values={**self.issue_view()["values"], **values})

    def issue_view(self) -> dict[str, Any]:
        view = self.world.external.view(self.issue)
        assert view is not None
        return view


def pairs(world: World) -> dict[str, Any]:
    """Rules: the due date, two custom fields and the section with fields of the issue."""
    github = world.external
    assert isinstance(github, GitHubSimulator)
    day = github.new_issue_field("Target", "date")
    urgency = github.new_issue_field("Urgency", "single_select", ["Low", "High"])
    effort = github.new_issue_field("Effort", "number")
    stage = github.new_issue_field("Stage", "single_select", ["In progress", "Shipped"])
    priority = world.hub.new_field(world.project, "Priority", "enum", ["Low", "High"])
    points = world.hub.new_field(world.project, "Points", "number", precision=1)
    return {
        "fields": [
            {"asana": "title", "external": "title"},
            {"asana": "due", "external": f"custom:{day}"},
            {"asana": f"custom:{priority.gid}", "external": f"custom:{urgency}"},
            {"asana": f"custom:{points.gid}", "external": f"custom:{effort}"},
            {"asana": "section", "external": f"custom:{stage}", "values": {"Done": "Shipped"}},
        ]
    }


@pytest.fixture
async def paired(build: Build) -> Paired:
    world = await build(GitHubSimulator, prepare=pairs)
    issue, task = await world.paired(values={"Urgency": "Low", "Effort": 3, "Stage": "In progress"})
    priority, points = world.hub.workspace.custom_fields.values()
    return Paired(world, issue, task, priority.gid, priority.options[1].gid, points.gid)


async def test_a_new_task_holds_all_of_them(paired: Paired) -> None:
    view = paired.task_view()
    assert view["custom"][paired.points] == 3
    assert view["custom"][paired.priority] not in (None, paired.high)
    assert view["section"] == "In progress"


async def test_a_due_date_that_is_moved_in_asana_arrives(paired: Paired) -> None:
    world = paired.world
    world.hub.edit(paired.task, due=date(2026, 5, 1))
    await world.settle()
    assert paired.issue_view()["values"]["Target"] == "2026-05-01"
    world.hub.edit(paired.task, due=datetime(2026, 5, 8, 22, 30, tzinfo=UTC))
    await world.settle()
    assert paired.issue_view()["values"]["Target"] == "2026-05-08"
    paired.set_values(Target="2026-05-09")
    await world.settle()
    assert paired.task_view()["due"] == datetime(2026, 5, 9, 22, 30, tzinfo=UTC), "the hour stays"
    await _nothing_more(world)


async def test_an_option_that_is_chosen_in_asana_arrives_and_comes_back(paired: Paired) -> None:
    world = paired.world
    world.hub.edit(paired.task, custom={paired.priority: paired.high, paired.points: 5.0})
    await world.settle()
    values = paired.issue_view()["values"]
    assert (values["Urgency"], values["Effort"]) == ("High", 5)
    paired.set_values(Urgency="Low", Effort=2.25)
    await world.settle()
    custom = paired.task_view()["custom"]
    assert custom[paired.priority] != paired.high
    assert custom[paired.points] == pytest.approx(2.2, abs=0.1), "Asana rounds"
    assert paired.issue_view()["values"]["Effort"] == 2.25, "and that is no edit"
    await _nothing_more(world)


async def test_a_task_that_is_moved_takes_its_issue_along_and_back(paired: Paired) -> None:
    world = paired.world
    world.hub.edit(paired.task, section="Done")
    await world.settle()
    assert paired.issue_view()["values"]["Stage"] == "Shipped"
    paired.set_values(Stage="In progress")
    await world.settle()
    assert paired.task_view()["section"] == "In progress"
    await _nothing_more(world)


async def test_a_task_whose_issue_says_nothing_takes_it_along_when_it_is_moved(paired: Paired) -> None:
    world = paired.world
    issue = world.external.new(world.container, title="No stage yet", by="ada")
    await world.settle()
    (task,) = [gid for gid in world.tasks() if gid != paired.task]
    world.hub.edit(task, section="Done")
    await world.settle()
    view = world.external.view(issue)
    assert view is not None
    assert view["values"]["Stage"] == "Shipped"
    await _nothing_more(world)


async def test_a_value_that_asana_refuses_waits_and_the_task_is_made(paired: Paired) -> None:
    world = paired.world
    world.hub.faults.add(Fault(kind="403", method="POST", path="/tasks$"))
    world.external.new(world.container, title="Made all the same", by="ada", values={"Effort": 5})
    await world.settle()
    assert await world.rows(Parked) == []
    (task,) = [gid for gid in world.tasks() if gid != paired.task]
    view = world.hub.view(task)
    assert view is not None
    assert (view["title"], view["custom"][paired.points]) == ("Made all the same", 5)
    await _nothing_more(world)


async def test_an_issue_without_a_stage_lands_where_new_tasks_do_and_stays_there(paired: Paired) -> None:
    world = paired.world
    world.external.new(world.container, title="No stage yet", by="ada")
    await world.settle()
    assert await world.rows(Parked) == []
    paired.set_values(Stage=None)
    await world.settle()
    assert await world.rows(Parked) == []
    assert paired.task_view()["section"] == "In progress", "cleared is no section to move to"
    assert len(world.tasks()) == 2
    await _nothing_more(world)


async def test_of_two_edits_the_later_one_wins_by_asana_s_history(paired: Paired) -> None:
    """Nothing but the story tells when the due date was moved: the task was changed again since.

    The title is changed, too: values leave the time of an issue alone.
    """
    world = paired.world
    world.hub.edit(paired.task, due=date(2026, 5, 1), by="ada")
    for simulator in (world.hub, world.external):
        simulator.clock.advance(10)
    paired.set_values(Target="2026-05-09")
    world.external.edit(paired.issue, title="Renamed")
    for simulator in (world.hub, world.external):
        simulator.clock.advance(10)
    world.hub.edit(paired.task, custom={paired.points: 8.0}, by="bob")
    await world.settle()
    assert paired.issue_view()["values"]["Target"] == "2026-05-09"
    assert paired.task_view()["due"] == date(2026, 5, 9)
    conflict = await world.the(Conflict)
    assert (conflict.field, conflict.winner) == ("due", "external")
    await _nothing_more(world)


async def test_an_archived_project_stops_the_mapping_with_its_reason(
    paired: Paired, told: list[EventDict]
) -> None:
    world = paired.world
    world.hub.archive(world.project)
    for _ in range(5):
        await world.poll()
    mapping = await world.the(Mapping)
    assert mapping.state == "stopped"
    assert "archived" in mapping.reason
    assert [line["mapping"] for line in told if line["event"] == "mapping.paused"] == ["web"], "once"


async def test_other_projects_dependencies_and_kinds_are_left_alone(paired: Paired) -> None:
    world = paired.world
    elsewhere, first = world.hub.new_container("Elsewhere"), world.hub.new(world.project, title="First this")
    world.hub.add_to_project(paired.task, elsewhere)
    world.hub.workspace.change_dependencies(paired.task, None, add=[first])
    world.hub.edit(paired.task, resource_subtype="milestone")
    world.external.edit(paired.issue, title="Renamed")
    paired.set_values(Target="2026-05-09")
    await world.settle()
    task = world.hub.workspace.tasks[paired.task]
    assert (task.name, task.due_on, task.resource_subtype) == ("Renamed", date(2026, 5, 9), "milestone")
    assert task.dependencies == (first,)
    assert set(task.places) == {world.project, elsewhere}


async def test_a_field_that_is_locked_is_parked_and_the_rest_goes_through(paired: Paired) -> None:
    world = paired.world
    field = world.hub.workspace.custom_fields[paired.points]
    world.hub.workspace.lock(field.gid)
    world.external.edit(paired.issue, title="Renamed")
    paired.set_values(Effort=8)
    await world.settle()
    assert paired.task_view()["title"] == "Renamed"
    parked = await world.the(Parked)
    assert (parked.what, parked.field, parked.park_class) == ("field", f"custom:{field.gid}", "permission")


async def _nothing_more(world: World) -> None:
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before
