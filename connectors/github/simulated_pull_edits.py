"""What happens to pull requests alone on a simulated GitHub."""

from __future__ import annotations

from dataclasses import replace

from connectors.github.simulated_state import Issue, Repository
from connectors.github.simulated_traces import Traces


class PullEdits(Traces):
    """Drafts, reviews, checks."""

    def set_draft(self, repository: Repository, issue: Issue, actor: str, *, draft: bool) -> Issue:
        if issue.draft == draft:
            return issue
        issue = self._save(repository, replace(issue, draft=draft))
        word = "converted_to_draft" if draft else "ready_for_review"
        self._record(repository, issue, actor, "convert_to_draft" if draft else word)
        self._issue_told(repository, issue, word, actor)
        return issue

    def ask_for_review(self, repository: Repository, issue: Issue, actor: str, login: str) -> Issue:
        return self._save(repository, replace(issue, reviewers=(*issue.reviewers, login)))

    def review(self, repository: Repository, issue: Issue, actor: str, state: str) -> Issue:
        """A review answers the wish for one; it moves ``updated_at``."""
        rest = tuple(login for login in issue.reviewers if login != actor)
        return self._save(
            repository, replace(issue, reviews=(*issue.reviews, (actor, state)), reviewers=rest)
        )

    def check(self, repository: Repository, issue: Issue, name: str, conclusion: str | None) -> Issue:
        """A check of its last commit begins (None) or ends; ``updated_at`` stays."""
        return self._save(repository, replace(issue, checks={**issue.checks, name: conclusion}), bump=False)
