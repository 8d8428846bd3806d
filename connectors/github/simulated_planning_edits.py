"""What happens to the labels and milestones of a repository on a simulated GitHub."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.github.simulated_account_shapes import stamp
from connectors.github.simulated_state import Label, Milestone, Repository, node_id
from connectors.github.simulated_traces import Traces

_CALIFORNIA = ZoneInfo("America/Los_Angeles")


class PlanningEdits(Traces):
    """Labels and milestones."""

    def find_or_create_label(self, repository: Repository, actor: str, name: str, **looks: Any) -> Label:
        found = repository.label(name)
        if found is not None:
            return found
        label = self.world.add_label(repository, name, **looks)
        self._tell(repository, "label", "created", actor, label=label)
        return label

    def edit_label(self, repository: Repository, label: Label, actor: str, **values: Any) -> Label:
        """Change name, color, description; every issue shows it, and none of them tells."""
        edited = repository.labels[label.id] = replace(label, **values)
        changes = _was(label, edited, "name", "color", "description")
        if changes:
            self._tell(repository, "label", "edited", actor, label=edited, changes=changes)
        return edited

    def delete_label(self, repository: Repository, label: Label, actor: str) -> None:
        """It vanishes from every issue, and none of them tells."""
        del repository.labels[label.id]
        self._tell(repository, "label", "deleted", actor, label=label)

    def add_milestone(
        self,
        repository: Repository,
        actor: str,
        title: str,
        *,
        description: str | None = None,
        due_on: datetime | None = None,
    ) -> Milestone:
        now, id, due_on = self.world.clock.now(), self.world.next_id("milestone"), _midnight(due_on)
        milestone = Milestone(
            id=id,
            node_id=node_id("MI", id, repository.id),
            number=next(repository.milestone_numbers),
            title=title,
            creator=actor,
            created_at=now,
            updated_at=now,
            description=description,
            due_on=due_on,
        )
        repository.milestones[milestone.number] = milestone
        self._tell(repository, "milestone", "created", actor, milestone=milestone)
        return milestone

    def edit_milestone(
        self, repository: Repository, milestone: Milestone, actor: str, **values: Any
    ) -> Milestone:
        """Change title, description, due_on."""
        if "due_on" in values:
            values["due_on"] = _midnight(values["due_on"])
        edited = replace(milestone, **values)
        changes = _was(milestone, edited, "title", "description", "due_on")
        if not changes:
            return milestone
        edited = self._keep_milestone(repository, edited)
        self._tell(repository, "milestone", "edited", actor, milestone=edited, changes=changes)
        return edited

    def move_milestone(
        self, repository: Repository, milestone: Milestone, actor: str, state: str
    ) -> Milestone:
        """Close it or open it again."""
        if state == milestone.state:
            return milestone
        closed = self.world.clock.now() if state == "closed" else None
        milestone = self._keep_milestone(repository, replace(milestone, closed_at=closed))
        action = "closed" if closed else "opened"
        self._tell(repository, "milestone", action, actor, milestone=milestone)
        return milestone

    def delete_milestone(self, repository: Repository, milestone: Milestone, actor: str) -> None:
        """It vanishes from every issue, and none of them tells."""
        del repository.milestones[milestone.number]
        for issue in repository.issues.values():
            if issue.milestone == milestone.number:
                repository.keep(replace(issue, milestone=None))
        self._tell(repository, "milestone", "deleted", actor, milestone=milestone)

    def _label_ids(self, repository: Repository, actor: str, names: Collection[str]) -> tuple[int, ...]:
        found = (self.find_or_create_label(repository, actor, name).id for name in names)
        return tuple(dict.fromkeys(found))

    def _keep_milestone(self, repository: Repository, milestone: Milestone) -> Milestone:
        milestone = replace(milestone, updated_at=self.world.clock.now())
        repository.milestones[milestone.number] = milestone
        return milestone


def _midnight(due_on: datetime | None) -> datetime | None:
    """GitHub keeps the midnight before, in California: 07:00 or 08:00 of the day in UTC.

    https://github.com/microsoft/PowerShellForGitHub/pull/133
    """
    if due_on is None:
        return None
    day = due_on.astimezone(_CALIFORNIA).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.astimezone(UTC)


def _was(before: Any, after: Any, *names: str) -> dict[str, Any]:
    """What stood in the fields that differ, as webhooks tell it."""
    told: dict[str, Any] = {}
    for name in names:
        value = getattr(before, name)
        if value != getattr(after, name):
            told[name] = {"from": (stamp(value) if isinstance(value, datetime) else value) or ""}
    return told
