"""What people and programs do on a simulated GitHub, with the traces it leaves.

Every edit moves the record, writes the timeline where GitHub keeps one (never for bodies) and
announces itself, once per label, assignee or state, for the webhooks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from connectors.github.simulated_dependency_edits import DependencyEdits
from connectors.github.simulated_family_edits import FamilyEdits
from connectors.github.simulated_planning_edits import PlanningEdits
from connectors.github.simulated_pull_edits import PullEdits
from connectors.github.simulated_state import (
    Comment,
    Issue,
    Repository,
    node_id,
)

K = TypeVar("K")


class Edits(PlanningEdits, PullEdits, FamilyEdits, DependencyEdits):
    """The one way to change a :class:`World`."""

    # issues

    def open(
        self,
        repository: Repository,
        actor: str,
        *,
        title: str,
        body: str | None,
        labels: Collection[str] = (),
        assignees: Iterable[str] = (),
        milestone: int | None = None,
        pull: bool = False,
        type: int | None = None,
        values: Mapping[int, Any] | None = None,
    ) -> Issue:
        """``opened`` shows the whole issue; one event for each label, assignee and milestone follows."""
        now, id = self.world.clock.now(), self.world.next_id("issue")
        pull_id = self.world.next_id("pull") if pull else None
        issue = Issue(
            id=id,
            node_id=node_id("PR", pull_id, repository.id) if pull_id else node_id("I", id, repository.id),
            number=next(repository.numbers),
            title=title,
            body=body,
            author=actor,
            created_at=now,
            updated_at=now,
            labels=self._label_ids(repository, actor, labels),
            assignees=self._assignable(assignees),
            milestone=milestone,
            pull_id=pull_id,
            type=type,
            values=values or {},
        )
        repository.keep(issue)
        self.world.place(issue.node_id, repository, str(issue.number))
        self.world.place(f"issue:{id}", repository, str(issue.number))
        self._issue_told(repository, issue, "opened", actor)
        for label in repository.labels_of(issue):
            self._label_told(repository, issue, actor, label, "labeled")
        for login in issue.assignees:
            self._assignee_told(repository, issue, actor, login, "assigned")
        if milestone is not None:
            self._milestone_told(repository, issue, actor, repository.milestones[milestone], "milestoned")
        return issue

    def rewrite(
        self,
        repository: Repository,
        issue: Issue,
        actor: str,
        *,
        title: str | None = None,
        body: str | None = None,
    ) -> Issue:
        """Change title and body where given; one ``edited`` names what stood there before."""
        before = issue
        if title is not None and title != issue.title:
            self._record(repository, issue, actor, "renamed", rename={"from": issue.title, "to": title})
            issue = replace(issue, title=title)
        if body is not None and body != (issue.body or ""):
            issue = replace(issue, body=body)
        if issue is before:
            return before
        changes: dict[str, Any] = {}
        if issue.title != before.title:
            changes["title"] = {"from": before.title}
        if issue.body != before.body:
            changes["body"] = {"from": before.body or ""}
        issue = self._save(repository, issue)
        self._issue_told(repository, issue, "edited", actor, changes=changes)
        return issue

    def close(self, repository: Repository, issue: Issue, actor: str, reason: str | None = None) -> Issue:
        if issue.state == "closed":
            return issue
        reason = None if issue.pull_id else reason or "completed"
        issue = replace(
            issue,
            state="closed",
            state_reason=reason,
            closed_at=self.world.clock.now(),
            closed_by=actor,
        )
        issue = self._save(repository, issue)
        self._record(repository, issue, actor, "closed", state_reason=reason)
        self._issue_told(repository, issue, "closed", actor)
        return issue

    def reopen(self, repository: Repository, issue: Issue, actor: str) -> Issue:
        if issue.state == "open":
            return issue
        reason = None if issue.pull_id else "reopened"
        issue = replace(issue, state="open", state_reason=reason, closed_at=None, closed_by=None)
        issue = self._save(repository, issue)
        self._record(repository, issue, actor, "reopened", state_reason=reason)
        self._issue_told(repository, issue, "reopened", actor)
        return issue

    def merge(self, repository: Repository, issue: Issue, actor: str) -> Issue:
        """Merge an open pull request: it is closed, too."""
        if issue.pull_id is None or issue.state == "closed":
            raise ValueError("only an open pull request can be merged")
        self._record(repository, issue, actor, "merged")
        merged = replace(issue, merged_at=self.world.clock.now(), merged_by=actor)
        return self.close(repository, merged, actor)

    def label(self, repository: Repository, issue: Issue, actor: str, names: Collection[str]) -> Issue:
        """Make these the labels; what does not exist yet is created, as GitHub does."""
        wanted = self._label_ids(repository, actor, names)
        for id in _difference(wanted, issue.labels):
            issue = replace(issue, labels=(*issue.labels, id))
            issue = self._save(repository, issue, bump=self.switches.labels_bump_updated)
            self._label_told(repository, issue, actor, repository.labels[id], "labeled")
        for label in repository.labels_of(issue):
            if label.id not in wanted:
                issue = replace(issue, labels=tuple(id for id in issue.labels if id != label.id))
                issue = self._save(repository, issue, bump=self.switches.labels_bump_updated)
                self._label_told(repository, issue, actor, label, "unlabeled")
        return issue

    def assign(self, repository: Repository, issue: Issue, actor: str, logins: Iterable[str]) -> Issue:
        """Make these the assignees; unknown ones and those after the tenth are silently ignored."""
        wanted = self._assignable(logins)
        for login in _difference(wanted, issue.assignees):
            issue = self._save(repository, replace(issue, assignees=(*issue.assignees, login)))
            self._assignee_told(repository, issue, actor, login, "assigned")
        for login in _difference(issue.assignees, wanted):
            rest = tuple(other for other in issue.assignees if other != login)
            issue = self._save(repository, replace(issue, assignees=rest))
            self._assignee_told(repository, issue, actor, login, "unassigned")
        return issue

    def set_milestone(self, repository: Repository, issue: Issue, actor: str, number: int | None) -> Issue:
        if issue.milestone == number:
            return issue
        action = "demilestoned" if number is None else "milestoned"
        milestone = repository.milestones[number if number is not None else issue.milestone or 0]
        issue = self._save(repository, replace(issue, milestone=number))
        self._milestone_told(repository, issue, actor, milestone, action)
        return issue

    def set_type(self, repository: Repository, issue: Issue, actor: str, type: int | None) -> Issue:
        """Leaves ``updated_at`` alone."""
        if issue.type == type:
            return issue
        event = "removed" if type is None else "added" if issue.type is None else "changed"
        told = {"issue_type": issue.type if type is None else type}
        told |= {"prev_issue_type": issue.type} if event == "changed" else {}
        issue = self._save(repository, replace(issue, type=type), bump=False)
        self._record(repository, issue, actor, f"issue_type_{event}", **told)
        return issue

    def set_values(
        self, repository: Repository, issue: Issue, actor: str, values: Mapping[int, Any]
    ) -> Issue:
        """What the issue fields of the organisation hold; leaves ``updated_at`` alone."""
        if dict(issue.values) == dict(values):
            return issue
        return self._save(repository, replace(issue, values=dict(values)), bump=False)

    def lock(self, repository: Repository, issue: Issue, actor: str, *, locked: bool = True) -> Issue:
        """Only those with write access may comment from now on."""
        if issue.locked == locked:
            return issue
        issue = self._save(repository, replace(issue, locked=locked))
        word = "locked" if locked else "unlocked"
        self._record(repository, issue, actor, word, **({"lock_reason": None} if locked else {}))
        self._issue_told(repository, issue, word, actor)
        return issue

    def convert(self, repository: Repository, issue: Issue, actor: str) -> Issue:
        """Make a discussion of an issue: it stays, closed and locked, and only its timeline says so.

        https://github.com/dessant/lock-threads/issues/24, https://github.com/github/docs/pull/35065
        """
        issue = self.lock(repository, self.close(repository, issue, actor), actor)
        self._record(repository, issue, actor, "converted_to_discussion")
        return issue

    def delete(self, repository: Repository, issue: Issue, actor: str) -> None:
        if issue.pull_id is not None:
            raise ValueError("GitHub cannot delete pull requests")
        for comment in repository.thread(issue.number):
            del repository.comments[str(comment.id)]
        repository.drop(issue)
        repository.deleted.add(issue.number)
        self._issue_told(repository, issue, "deleted", actor)

    def transfer(self, repository: Repository, issue: Issue, actor: str, target: Repository) -> Issue:
        """Move an issue: other id, node id and number; labels and milestone where the target has the name.

        Comments keep their ids. Two deliveries tell it: ``transferred`` here, ``opened`` there.
        https://docs.github.com/issues/tracking-your-work-with-issues/transferring-an-issue-to-another-repository
        """
        if issue.pull_id is not None or target.owner != repository.owner or target is repository:
            raise ValueError("only issues move, and only to another repository of the same owner")
        id, milestone = self.world.next_id("issue"), repository.milestones.get(issue.milestone or 0)
        titles = {other.title: other.number for other in target.milestones.values()}
        names = [target.label(label.name) for label in repository.labels_of(issue)]
        moved = replace(
            issue,
            id=id,
            node_id=node_id("I", id, target.id),
            number=next(target.numbers),
            labels=tuple(label.id for label in names if label),
            milestone=titles.get(milestone.title) if milestone else None,
            updated_at=self.world.clock.now(),
        )
        target.keep(moved)
        if moved.parent is not None:
            self.world.children[moved.parent].append(moved.node_id)
        for blocker in moved.blocked_by:
            self.world.waiting[blocker].add(moved.node_id)
        self.world.place(moved.node_id, target, str(moved.number))
        self.world.place(f"issue:{id}", target, str(moved.number))
        target.timelines[moved.number] = [*repository.timelines.pop(issue.number, [])]
        self._record(target, moved, actor, "transferred")
        for comment in repository.thread(issue.number):
            del repository.comments[str(comment.id)]
            target.comments[str(comment.id)] = replace(comment, number=moved.number)
            target.threads[moved.number].append(comment.id)
            self.world.place(comment.node_id, target, str(comment.id))
        repository.drop(issue)
        repository.moved[issue.number] = (target, moved.number)
        self._issue_told(repository, issue, "transferred", actor, other=("new", target, moved))
        self._issue_told(target, moved, "opened", actor, other=("old", repository, issue))
        return moved

    # comments

    def post(self, repository: Repository, issue: Issue, actor: str, body: str) -> Comment:
        """A comment moves its issue's ``updated_at``; its later edits and deletion do not."""
        now, id = self.world.clock.now(), self.world.next_id("comment")
        comment = Comment(
            id=id,
            node_id=node_id("IC", id, repository.id),
            number=issue.number,
            kind=issue.kind,
            author=actor,
            body=body,
            created_at=now,
            updated_at=now,
        )
        repository.comments[str(id)] = comment
        repository.threads[issue.number].append(id)
        self.world.place(comment.node_id, repository, str(id))
        self.world.place(str(id), repository, str(id))
        issue = self._save(repository, issue)
        self._tell(repository, "issue_comment", "created", actor, issue=issue, comment=comment)
        return comment

    def reword(self, repository: Repository, comment: Comment, actor: str, body: str) -> Comment:
        if body == comment.body:
            return comment
        changes = {"body": {"from": comment.body}}
        comment = replace(comment, body=body, updated_at=self.world.clock.now())
        repository.comments[str(comment.id)] = comment
        issue = repository.issues[str(comment.number)]
        self._tell(
            repository, "issue_comment", "edited", actor, issue=issue, comment=comment, changes=changes
        )
        return comment

    def withdraw(self, repository: Repository, comment: Comment, actor: str) -> None:
        del repository.comments[str(comment.id)]
        issue = repository.issues[str(comment.number)]
        self._tell(repository, "issue_comment", "deleted", actor, issue=issue, comment=comment)


def _difference(these: Iterable[K], those: Collection[K]) -> list[K]:
    return [one for one in these if one not in those]
