"""Putting an issue below another one on a simulated GitHub. No time moves by it.

https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/adding-sub-issues: a hundred
sub-issues of one issue, eight levels. That ``updated_at`` stays is not documented: it is the worse case.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.github.simulated_state import Issue, Repository
from connectors.github.simulated_traces import Traces
from connectors.simulation import Refused

MOST_BELOW, MOST_LEVELS = 100, 8


class FamilyEdits(Traces):
    """Sub-issues."""

    def put_below(
        self, repository: Repository, issue: Issue, actor: str, parent: tuple[Repository, Issue] | None
    ) -> Issue:
        """Make it a sub-issue of ``parent`` alone, or with None an issue of its own.

        Raises:
            Refused: it cannot lie there.
        """
        if issue.parent == (parent[1].node_id if parent else None):
            return issue
        if parent is not None:
            self._check(repository, issue, *parent)
        if issue.parent is not None:
            self.world.children[issue.parent].remove(issue.node_id)
            before = self.world.issue(issue.parent)
            issue = self._save(repository, replace(issue, parent=None), bump=False)
            if before is not None:
                self._moved(repository, issue, actor, before, "removed")
        if parent is not None:
            issue = self._save(repository, replace(issue, parent=parent[1].node_id), bump=False)
            self.world.children[parent[1].node_id].append(issue.node_id)
            self._moved(repository, issue, actor, parent, "added")
        return issue

    def _check(self, repository: Repository, issue: Issue, home: Repository, parent: Issue) -> None:
        if home.owner != repository.owner or parent.pull_id is not None or issue.pull_id is not None:
            raise misplaced("Sub-issues must be issues of the same owner")
        above = [parent, *self.world.above(parent)]
        if issue.node_id in [each.node_id for each in above]:
            raise misplaced("Sub-issue cannot be an ancestor of its parent")
        if len(above) + self._height(issue) > MOST_LEVELS:
            raise misplaced(f"Sub-issues cannot be nested deeper than {MOST_LEVELS} levels")
        if len(self.world.below(parent)) >= MOST_BELOW:
            raise misplaced(f"Parent cannot have more than {MOST_BELOW} sub-issues")

    def _height(self, issue: Issue) -> int:
        return max((1 + self._height(below) for _, below in self.world.below(issue)), default=0)

    def _moved(
        self,
        repository: Repository,
        issue: Issue,
        actor: str,
        parent: tuple[Repository, Issue],
        action: str,
    ) -> None:
        """Both issues remember it, and it is told where either lies."""
        whole, part = {"parent_issue": parent}, {"sub_issue": (repository, issue)}
        self._record(repository, issue, actor, f"parent_issue_{action}", parent_issue=None)
        self._record(*parent, actor, f"sub_issue_{action}", sub_issue=None)
        self._tell(repository, "sub_issues", f"parent_issue_{action}", actor, family=part | whole)
        self._tell(parent[0], "sub_issues", f"sub_issue_{action}", actor, family=whole | part)


def misplaced(message: str) -> Refused:
    return Refused(422, message, errors=[message])
