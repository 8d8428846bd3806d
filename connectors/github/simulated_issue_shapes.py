"""How a simulated GitHub shows issues and comments."""

from __future__ import annotations

from typing import Any

from connectors.github.simulated_account_shapes import Shape, stamp, stamp_or_none
from connectors.github.simulated_repository_shapes import RepositoryShapes
from connectors.github.simulated_state import Comment, Issue, Repository

_REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


class IssueShapes(RepositoryShapes):
    """Issues, and pull requests in their rôle as issues."""

    def issue(self, repository: Repository, issue: Issue, *, related: bool = True) -> Shape:
        """``related``: with what tells of its sub-issues and of the issue above, as the REST API does."""
        url = f"{self.repository_url(repository)}/issues/{issue.number}"
        shape = {
            "url": url,
            "repository_url": self.repository_url(repository),
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": self.page_url(repository, issue),
            "id": issue.id,
            "node_id": issue.node_id,
            **self._what_it_says(repository, issue),
            "comments": len(repository.thread(issue.number)),
            "performed_via_github_app": self._through(issue.author),
            "reactions": _no_reactions(url),
            "timeline_url": f"{url}/timeline",
            "state_reason": issue.state_reason,
            **self._of_organization(repository, issue),
        }
        if related and issue.pull_id is None and self._world.sub_issues:
            shape |= self._family(issue)
        if related and issue.pull_id is None and self._world.dependencies:
            shape["issue_dependencies_summary"] = self._dependencies(issue)
        if issue.pull_id is not None:
            html = self.page_url(repository, issue)
            shape["draft"] = issue.draft
            shape["pull_request"] = {
                "url": f"{self.repository_url(repository)}/pulls/{issue.number}",
                "html_url": html,
                "diff_url": f"{html}.diff",
                "patch_url": f"{html}.patch",
                "merged_at": stamp_or_none(issue.merged_at),
            }
        return shape

    def _family(self, issue: Issue) -> Shape:
        """The address of the issue above stands on sub-issues alone."""
        below = [other.state for _, other in self._world.below(issue)]
        done = below.count("closed")
        shape: Shape = {
            "sub_issues_summary": {
                "total": len(below),
                "completed": done,
                "percent_completed": 100 * done // len(below) if below else 0,
            }
        }
        above = self._world.issue(issue.parent) if issue.parent else None
        if above is not None:
            repository, parent = above
            shape["parent_issue_url"] = f"{self.repository_url(repository)}/issues/{parent.number}"
        return shape

    def _dependencies(self, issue: Issue) -> Shape:
        """Those that are closed count in the totals alone."""
        blockers = [other.state for _, other in self._world.blockers(issue)]
        blocked = [other.state for _, other in self._world.blocked(issue)]
        return {
            "blocked_by": blockers.count("open"),
            "total_blocked_by": len(blockers),
            "blocking": blocked.count("open"),
            "total_blocking": len(blocked),
        }

    def type(self, id: int) -> Shape:
        """An issue type."""
        found = next(one.types[id] for one in self._world.organizations.values() if id in one.types)
        return {
            "id": found.id,
            "node_id": found.node_id,
            "name": found.name,
            "description": None,
            "color": "gray",
            "is_enabled": True,
        }

    def field_values(self, repository: Repository, issue: Issue) -> list[Shape]:
        """What the organisation's issue fields hold on an issue; empty ones are left out."""
        defined = self._world.organization_of(repository).fields
        return [defined[id].shape(value) for id, value in issue.values.items() if id in defined]

    def _of_organization(self, repository: Repository, issue: Issue) -> Shape:
        """Keys that only issues of organisations with types or issue fields have."""
        offered, shape = self._world.organization_of(repository), dict[str, Any]()
        if offered.types and issue.pull_id is None:
            shape["type"] = self.type(issue.type) if issue.type is not None else None
        if offered.fields and issue.pull_id is None:
            shape["issue_field_values"] = self.field_values(repository, issue)
        return shape

    def comment(self, repository: Repository, comment: Comment) -> Shape:
        api = self.repository_url(repository)
        url = f"{api}/issues/comments/{comment.id}"
        return {
            "url": url,
            "html_url": f"{self.page_url(repository, comment)}#issuecomment-{comment.id}",
            "issue_url": f"{api}/issues/{comment.number}",
            "id": comment.id,
            "node_id": comment.node_id,
            "user": self.user(comment.author),
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at),
            "author_association": "MEMBER",
            "body": comment.body,
            "reactions": _no_reactions(url),
            "performed_via_github_app": self._through(comment.author),
        }

    def _what_it_says(self, repository: Repository, issue: Issue) -> Shape:
        """What an issue and a pull request show alike."""
        milestone = repository.milestones.get(issue.milestone or 0)
        people = [self.user(login) for login in issue.assignees]
        return {
            "number": issue.number,
            "state": issue.state,
            "locked": issue.locked,
            "title": issue.title,
            "user": self.user(issue.author),
            "body": issue.body,
            "labels": [self.label(repository, label) for label in repository.labels_of(issue)],
            "assignee": people[0] if people else None,
            "assignees": people,
            "milestone": self.milestone(repository, milestone) if milestone else None,
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": stamp_or_none(issue.closed_at),
            "author_association": "MEMBER",
            "active_lock_reason": None,
        }


def _no_reactions(url: str) -> Shape:
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)}
