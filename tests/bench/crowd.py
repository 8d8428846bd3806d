"""Many pairs of an issue and its task, put into the simulators' state directly: nobody is told of them.

As in a place that people have used for a month: each was touched 30 s before the one made ahead of it,
the first an hour ago. Every text names the pair's number; each tenth has formatted notes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

from connectors.asana.simulated_records import Task, rfc3339
from connectors.github.simulated_account_shapes import stamp
from connectors.github.simulated_state import Issue, node_id
from tests.e2e.town import Place, Town

Known: TypeAlias = tuple[str, str | None, str, int, str]
"""A pair for the process that links it: task and its version, issue, its number and version."""

FORMATTED_EACH = 10
_APART = timedelta(seconds=30)
_NEWEST = timedelta(hours=1)
_NOTES = (
    (
        "Seen again as **case NUMBER**, [here](https://example.com/NUMBER).",
        'Seen again as <strong>case NUMBER</strong>, <a href="https://example.com/NUMBER">here</a>.',
    ),
    ("Seen again as case NUMBER. Ask the team first.",) * 2,
)
"""Of the samples: as GitHub has them, and as Asana."""


def word(at: int) -> str:
    """A pair's number as its texts have it."""
    return f"{at:07}"


def sample_of(at: int) -> int:
    """The pair that looks like this one but for its number: 0 is formatted, 1 is plain."""
    return int(at % FORMATTED_EACH > 0)


class Crowd:
    """The pairs of one place."""

    def __init__(self, made: Town, place: Place) -> None:
        self._github, self._asana = made.github, made.asana
        self._place = place
        self._repository = made.github.repository(place.repo)
        self._newest = made.github.clock.now() - _NEWEST
        self._samples: list[tuple[Issue, Task]] = []
        self._pairs: list[Known] = []

    def grow(self, number: int) -> dict[str, Any]:
        """Add pairs until there are so many: ``pairs`` the new ones, ``first`` the number of the first."""
        if not self._samples:
            self._samples = [self._sample(at, *notes) for at, notes in enumerate(_NOTES)]
        first = len(self._pairs)
        self._pairs += [self._add(at) for at in range(first, number)]
        return {"samples": self._pairs[:2], "first": first, "pairs": self._pairs[first:]}

    @property
    def issues(self) -> list[str]:
        return [issue for _, _, issue, _, _ in self._pairs]

    def _sample(self, at: int, markdown: str, html: str) -> tuple[Issue, Task]:
        """Made as people do, so that it has all that such an object has."""
        title = f"Object {word(at)}"
        body, rich = (text.replace("NUMBER", word(at)) for text in (markdown, html))
        issue = self._github.new(self._place.repo, title=title, notes=body, by="ada")
        task = self._asana.new(self._place.project, title=title, notes=rich, by="ada")
        return self._github.find(issue)[1], self._asana.workspace.tasks[task]

    def _add(self, at: int) -> Known:
        """The samples are the first two pairs: they are only made older."""
        issue, task = self._samples[sample_of(at)]
        old, new, touched = word(sample_of(at)), word(at), self._newest - at * _APART
        if at >= len(self._samples):
            id, number = self._github.world.next_id("issue"), next(self._repository.numbers)
            issue = replace(issue, id=id, node_id=node_id("I", id, self._repository.id), number=number)
            task = replace(task, gid=self._asana.workspace.mint())
        issue = replace(
            issue,
            title=issue.title.replace(old, new),
            body=(issue.body or "").replace(old, new),
            created_at=touched,
            updated_at=touched,
        )
        task = replace(
            task,
            name=task.name.replace(old, new),
            html_notes=task.html_notes.replace(old, new),
            created_at=touched,
            modified_at=touched,
            touched_at=touched,
        )
        self._repository.keep(issue)
        self._github.world.place(issue.node_id, self._repository, str(issue.number))
        self._asana.workspace.tasks[task.gid] = task
        return task.gid, rfc3339(touched), issue.node_id, issue.number, stamp(touched)
