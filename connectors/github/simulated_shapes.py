"""How a simulated GitHub shows its records: the JSON of answers and webhooks.

Shapes follow GitHub's OpenAPI description and webhook schemas. ``url`` values lead to where the
simulator is served, ``html_url`` values to github.com.
"""

from __future__ import annotations

import hashlib

from connectors.github.simulated_account_shapes import Shape, stamp, stamp_or_none
from connectors.github.simulated_issue_shapes import IssueShapes
from connectors.github.simulated_state import Comment, Issue, Occurrence, Repository


def commit_of(issue: Issue) -> str:
    """The last commit of a pull request."""
    return hashlib.sha1(issue.node_id.encode(), usedforsecurity=False).hexdigest()


class Shapes(IssueShapes):
    """Records of one world as JSON objects: pull requests and histories beside all the others."""

    def pull(self, repository: Repository, issue: Issue, *, whole: bool = True) -> Shape:
        """A pull request as such; lists leave out what needs a look into git."""
        api, html = self.repository_url(repository), self.page_url(repository, issue)
        url, issue_url = f"{api}/pulls/{issue.number}", f"{api}/issues/{issue.number}"
        sha = commit_of(issue)
        links = {
            "self": url,
            "html": html,
            "issue": issue_url,
            "comments": f"{issue_url}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{api}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{api}/statuses/{sha}",
        }
        shape = {
            "url": url,
            "id": issue.pull_id,
            "node_id": issue.node_id,
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "issue_url": issue_url,
            **self._what_it_says(repository, issue),
            "merged_at": stamp_or_none(issue.merged_at),
            "merge_commit_sha": sha if issue.merged_at else None,
            "requested_reviewers": [self.user(login) for login in issue.reviewers],
            "requested_teams": [],
            **{f"{name}_url": links[name] for name in links if name not in ("self", "html", "issue")},
            "head": self._branch(repository, f"change-{issue.number}", sha),
            "base": self._branch(repository, "main", sha),
            "_links": {name: {"href": link} for name, link in links.items()},
            "auto_merge": None,
            "draft": issue.draft,
        }
        if whole:
            shape |= {
                "merged": issue.merged_at is not None,
                "mergeable": None,
                "rebaseable": None,
                "mergeable_state": "unknown",
                "merged_by": self.user(issue.merged_by) if issue.merged_by else None,
                "comments": len(repository.thread(issue.number)),
                "review_comments": 0,
                "maintainer_can_modify": False,
                **dict.fromkeys(("commits", "additions", "deletions", "changed_files"), 1),
            }
        return shape

    def occurrence(self, repository: Repository, occurrence: Occurrence) -> Shape:
        """One timeline entry that is no comment."""
        shape = {
            "id": occurrence.id,
            "node_id": occurrence.node_id,
            "url": f"{self.repository_url(repository)}/issues/events/{occurrence.id}",
            "actor": self.user(occurrence.actor),
            "event": occurrence.event,
            "commit_id": None,
            "commit_url": None,
            "created_at": stamp(occurrence.at),
            "performed_via_github_app": None,
            **occurrence.details,
        }
        if "assignee" in occurrence.details:
            shape["assignee"] = self.user(occurrence.details["assignee"])
        types = occurrence.details.keys() & {"issue_type", "prev_issue_type"}
        shape |= {name: _brief(self.type(occurrence.details[name])) for name in types}
        return shape

    def event(self, repository: Repository, occurrence: Occurrence) -> Shape:
        """The same outside the timeline: it tells who assigned, and not why an issue was closed."""
        shape = self.occurrence(repository, occurrence)
        shape.pop("state_reason", None)
        return shape | ({"assigner": self.user(occurrence.actor)} if "assignee" in shape else {})

    def commented(self, repository: Repository, comment: Comment) -> Shape:
        """A comment in its rôle as a timeline entry."""
        return {
            **self.comment(repository, comment),
            "event": "commented",
            "actor": self.user(comment.author),
        }

    def _branch(self, repository: Repository, name: str, sha: str) -> Shape:
        return {
            "label": f"{repository.owner.login}:{name}",
            "ref": name,
            "sha": sha,
            "user": self.account(repository.owner),
            "repo": self.repository(repository),
        }


def _brief(type_: Shape) -> Shape:
    """A type as the history tells of it."""
    return {name: type_[name] for name in ("id", "name", "color")}
