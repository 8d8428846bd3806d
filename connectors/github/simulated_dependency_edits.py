"""Making an issue on a simulated GitHub wait for others. No time moves by it.

That circles are refused, that fifty is the most, and that ``updated_at`` stays is not in the REST reference:
it is the worse case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.github.simulated_family_edits import misplaced
from connectors.github.simulated_state import Issue, Repository
from connectors.github.simulated_traces import Traces

MOST_BLOCKERS = 50


class DependencyEdits(Traces):
    """Which issue waits for which."""

    def block(
        self, repository: Repository, issue: Issue, actor: str, blocker: tuple[Repository, Issue]
    ) -> Issue:
        """Make it wait for another one.

        Raises:
            Refused: it waits for it already, for too many, or that one waits for it.
        """
        other = blocker[1]
        if other.node_id in issue.blocked_by:
            raise misplaced("The issue is blocked by this issue already")
        if issue.pull_id is not None or other.pull_id is not None:
            raise misplaced("Only issues have dependencies")
        if issue.node_id == other.node_id or issue.node_id in self._awaited_by(other):
            raise misplaced("An issue cannot be blocked by itself")
        if len(issue.blocked_by) >= MOST_BLOCKERS:
            raise misplaced(f"An issue can be blocked by {MOST_BLOCKERS} issues at most")
        self.world.waiting[other.node_id].add(issue.node_id)
        return self._rewired(
            repository, issue, actor, blocker, (*issue.blocked_by, other.node_id), action="added"
        )

    def unblock(
        self, repository: Repository, issue: Issue, actor: str, blocker: tuple[Repository, Issue]
    ) -> Issue:
        kept = tuple(node for node in issue.blocked_by if node != blocker[1].node_id)
        return self._rewired(repository, issue, actor, blocker, kept, action="removed")

    def set_blockers(
        self,
        repository: Repository,
        issue: Issue,
        actor: str,
        blockers: Sequence[tuple[Repository, Issue]],
    ) -> Issue:
        """Make it wait for these alone."""
        wanted = [other.node_id for _, other in blockers]
        for home in self.world.blockers(issue):
            if home[1].node_id not in wanted:
                issue = self.unblock(repository, issue, actor, home)
        for home in blockers:
            if home[1].node_id not in issue.blocked_by:
                issue = self.block(repository, issue, actor, home)
        return issue

    def _awaited_by(self, issue: Issue) -> set[str]:
        """Node ids of all that it waits for, be it by way of others."""
        found: set[str] = set()
        ahead = [issue]
        while ahead:
            for _, other in self.world.blockers(ahead.pop()):
                if other.node_id not in found:
                    found.add(other.node_id)
                    ahead.append(other)
        return found

    def _rewired(
        self,
        repository: Repository,
        issue: Issue,
        actor: str,
        blocker: tuple[Repository, Issue],
        blocked_by: tuple[str, ...],
        *,
        action: str,
    ) -> Issue:
        """It is told where either of the two lies."""
        issue = self._save(repository, replace(issue, blocked_by=blocked_by), bump=False)
        waiting, awaited = {"blocked_issue": (repository, issue)}, {"blocking_issue": blocker}
        event = "issue_dependencies"
        self._tell(repository, event, f"blocked_by_{action}", actor, family=waiting | awaited)
        self._tell(blocker[0], event, f"blocking_{action}", actor, family=awaited | waiting)
        return issue
