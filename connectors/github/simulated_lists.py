"""Which issues a simulated GitHub lists, and in what order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from connectors.github.simulated_api import Call
from connectors.github.simulated_state import Issue, Repository

Test: TypeAlias = Callable[[Issue], bool]


def listed(call: Call, repository: Repository) -> Sequence[Issue]:
    """Issues and pull requests; only open ones by default. ``since`` is inclusive, in whole seconds."""
    order = call.choice("sort", "created", "updated", "comments")
    direction = call.choice("direction", "desc", "asc")
    since, tests = call.time("since"), _tests(call, repository)
    found = _ordered(repository, order, call.lag_s)
    if since is not None and order == "updated":
        found = found[bisect_left(found, since, key=_updated) :]
    elif since is not None:
        found = [issue for issue in found if _updated(issue) >= since]
    if tests:
        found = [issue for issue in found if all(test(issue) for test in tests)]
    return found if direction == "asc" else found[::-1]


def _ordered(repository: Repository, order: str, lag_s: float) -> list[Issue]:
    """All issues, first to last. Lists are read page by page, so the order is kept while nothing moves."""

    def key(issue: Issue) -> tuple[Any, int]:
        if order == "comments":
            return len(repository.thread(issue.number)), issue.number
        return (_updated(issue) if order == "updated" else issue.created_at), issue.number

    if lag_s or order == "comments":
        return sorted(repository.issues.all_seen(lag_s), key=key)
    if order not in repository.orders:
        repository.orders[order] = sorted(repository.issues.values(), key=key)
    return repository.orders[order]


def _updated(issue: Issue) -> datetime:
    return issue.updated_at.replace(microsecond=0)


def _tests(call: Call, repository: Repository) -> list[Test]:
    """One for each filter of the query."""
    tests: list[Test] = []
    state = call.choice("state", "open", "closed", "all")
    if state != "all":
        tests.append(lambda issue: issue.state == state)
    creator = call.query.get("creator", "").lower()
    if creator:
        tests.append(lambda issue: issue.author.lower() == creator)
    names = [name for name in call.query.get("labels", "").split(",") if name]
    labels = [repository.label(name) for name in names]
    if labels:
        tests.append(lambda issue: all(label is not None and label.id in issue.labels for label in labels))
    if "assignee" in call.query:
        tests.append(_held(call.query["assignee"], lambda issue: issue.assignees))
    if "milestone" in call.query:
        tests.append(
            _held(call.query["milestone"], lambda issue: (issue.milestone,) if issue.milestone else ())
        )
    return tests


def _held(wanted: str, of: Callable[[Issue], Sequence[Any]]) -> Test:
    """Whether an issue holds the value; ``*`` is any, ``none`` is nothing."""
    if wanted in ("*", "none"):
        return lambda issue: bool(of(issue)) == (wanted == "*")
    return lambda issue: wanted.lower() in [str(value).lower() for value in of(issue)]
