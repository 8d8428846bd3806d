"""What people and programs do on a simulated GitHub, with the traces it leaves.

Every edit moves the record, writes the timeline where GitHub keeps one (never for bodies) and
announces itself, once per label, assignee or state, for the webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connectors.github.simulated_shapes import stamp
from connectors.github.simulated_state import (
    Comment,
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
_CALIFORNIA = ZoneInfo("America/Los_Angeles")

K = TypeVar("K")


class Edits:
    """The one way to change a :class:`World`."""

    def __init__(self, world: World, announce: Callable[[Happening], None], switches: Switches) -> None:
        self.world = world
        self.announce = announce
        self.switches = switches

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
        issue = self._save(repository, replace(issue, type=type), bump=False)
        self._record(repository, issue, actor, f"issue_type_{event}")
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
        self.world.place(moved.node_id, target, str(moved.number))
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

    # labels and milestones of a repository

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

    # traces

    def _save(self, repository: Repository, issue: Issue, *, bump: bool = True) -> Issue:
        if bump:
            issue = replace(issue, updated_at=self.world.clock.now())
        repository.keep(issue)
        return issue

    def _keep_milestone(self, repository: Repository, milestone: Milestone) -> Milestone:
        milestone = replace(milestone, updated_at=self.world.clock.now())
        repository.milestones[milestone.number] = milestone
        return milestone

    def _label_ids(self, repository: Repository, actor: str, names: Collection[str]) -> tuple[int, ...]:
        found = (self.find_or_create_label(repository, actor, name).id for name in names)
        return tuple(dict.fromkeys(found))

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


def _difference(these: Iterable[K], those: Collection[K]) -> list[K]:
    return [one for one in these if one not in those]
