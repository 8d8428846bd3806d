"""How tasks stand to each other: above and below, and which one waits for which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connectors.asana.simulated_consequences import union
from connectors.asana.simulated_events import changed
from connectors.asana.simulated_state import State
from connectors.simulation import Refused

MOST_LEVELS = 5
MOST_DEPENDENCIES = 30
"""Of one task, in both directions together."""


class Relations(State):
    """Each method is one action of one user, see :mod:`connectors.asana.simulated_workspace`."""

    def set_parent(self, gid: str, by: str | None, parent: str | None) -> None:
        """It stays in its projects, and ``modified_at``, which no move to another place moves, stays, too.

        Raises:
            Refused: a task under itself, or deeper than Asana allows.
        """
        before, now = self.tasks[gid], self.now()
        above = [parent] if parent else []
        while above and (upper := self.tasks[above[-1]].parent):
            above.append(upper)
        if gid in above or len(above) + (self._levels_below(gid) if parent else 0) > MOST_LEVELS:
            raise Refused(400, "parent: Subtasks can be at most five levels deep, and not below themselves")
        self.tasks[gid] = task = replace(before, parent=parent, touched_at=now)
        if parent and gid not in self.children[parent]:
            self.children[parent].append(gid)
        events = [self.event(by, "changed", self.link(task), task, change=changed("parent"))]
        for action, other, audience in (("removed", before.parent, before), ("added", parent, task)):
            if other:
                link = self.task_link(other)
                events.append(self.event(by, action, self.link(task), audience, parent=link))
        self.log.record(events)

    def _awaited_by(self, gid: str) -> set[str]:
        """All that the task waits for, be it by way of others."""
        found: set[str] = set()
        ahead = [gid]
        while ahead:
            further = set(self.tasks[ahead.pop()].dependencies) - found
            found |= further
            ahead += further
        return found

    def _levels_below(self, gid: str) -> int:
        parts = [each for each in self.children[gid] if self.tasks[each].parent == gid]
        return max((1 + self._levels_below(each) for each in parts), default=0)

    def change_dependencies(
        self, gid: str, by: str | None, *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Make the task wait for others, or no longer. That circles are refused is not documented.

        Raises:
            Refused: one of the tasks has 30 of both directions already, or waits for this one.
        """
        before, now, dropped = self.tasks[gid], self.now(), frozenset(remove)
        kept = tuple(one for one in before.dependencies if one not in dropped)
        new = union(kept, add)
        if any(one == gid or gid in self._awaited_by(one) for one in new if one not in kept):
            raise Refused(400, "dependencies: A task cannot depend on itself")
        for task, added in ((gid, len(new) - len(kept)), *((one, 1) for one in new if one not in kept)):
            if len(self.tasks[task].dependencies) + len(self.dependents(task)) + added > MOST_DEPENDENCIES:
                raise Refused(400, "A task can have at most 30 dependents and dependencies combined")
        self.tasks[gid] = task_now = replace(before, dependencies=new, modified_at=now, touched_at=now)
        for one in new:
            if gid not in self.waiting[one]:
                self.waiting[one].append(gid)
        change = changed("dependencies")
        self.log.record([self.event(by, "changed", self.link(task_now), task_now, change=change)])
