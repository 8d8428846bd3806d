"""The traces that every edit on a simulated GitHub leaves: the record, its timeline, its webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from connectors.github.simulated_state import (
    Happening,
    Issue,
    Label,
    Milestone,
    Occurrence,
    Repository,
    node_id,
)
from connectors.github.simulated_switches import Switches
from connectors.github.simulated_world import World

ASSIGNEES_MAX = 10


class Traces:
    """What all kinds of edits have in common."""

    def __init__(self, world: World, announce: Callable[[Happening], None], switches: Switches) -> None:
        self.world = world
        self.announce = announce
        self.switches = switches

    def _save(self, repository: Repository, issue: Issue, *, bump: bool = True) -> Issue:
        if bump:
            issue = replace(issue, updated_at=self.world.clock.now())
        repository.keep(issue)
        return issue

    def _assignable(self, logins: Iterable[str]) -> tuple[str, ...]:
        known = {login.lower(): login for login, person in self.world.people.items() if not person.left}
        found = (known[login.lower()] for login in logins if login.lower() in known)
        return tuple(dict.fromkeys(found))[:ASSIGNEES_MAX]

    def _label_told(
        self, repository: Repository, issue: Issue, actor: str, label: Label, action: str
    ) -> None:
        self._record(repository, issue, actor, action, label={"name": label.name, "color": label.color})
        self._issue_told(repository, issue, action, actor, label=label)

    def _assignee_told(
        self, repository: Repository, issue: Issue, actor: str, login: str, action: str
    ) -> None:
        self._record(repository, issue, actor, action, assignee=login)
        self._issue_told(repository, issue, action, actor, assignee=login)

    def _milestone_told(
        self, repository: Repository, issue: Issue, actor: str, milestone: Milestone, action: str
    ) -> None:
        self._record(repository, issue, actor, action, milestone={"title": milestone.title})
        self._issue_told(repository, issue, action, actor, milestone=milestone)

    def _record(self, repository: Repository, issue: Issue, actor: str, event: str, **details: Any) -> None:
        id = self.world.next_id("event")
        repository.timelines[issue.number].append(
            Occurrence(
                id=id,
                node_id=node_id("LE", id, repository.id),
                event=event,
                actor=actor,
                at=self.world.clock.now(),
                details=details,
            )
        )

    def _issue_told(self, repository: Repository, issue: Issue, action: str, actor: str, **rest: Any) -> None:
        event = "issues" if issue.pull_id is None else "pull_request"
        self._tell(repository, event, action, actor, issue=issue, **rest)

    def _tell(self, repository: Repository, event: str, action: str, actor: str, **rest: Any) -> None:
        self.announce(Happening(repository=repository, event=event, action=action, actor=actor, **rest))
