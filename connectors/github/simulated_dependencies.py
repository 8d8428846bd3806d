"""Endpoints of a simulated GitHub for issue dependencies.

https://docs.github.com/rest/issues/issue-dependencies
"""

from __future__ import annotations

from connectors.github.simulated_api import Call, Reply, Table, not_found
from connectors.github.simulated_state import Issue, Repository


def list_blockers(call: Call) -> Reply:
    _, issue = _offered(call)
    return call.page(call.site.world.blockers(issue), lambda each: call.site.shapes.issue(*each))


def list_blocked(call: Call) -> Reply:
    _, issue = _offered(call)
    return call.page(call.site.world.blocked(issue), lambda each: call.site.shapes.issue(*each))


def add_blocker(call: Call) -> Reply:
    """Answers the issue that waits."""
    repository, issue = _offered(call)
    blocker = _numbered(call, call.body().get("issue_id"))
    waiting = call.site.edits.block(repository, issue, call.actor, blocker)
    return Reply(call.site.shapes.issue(repository, waiting), 201)


def remove_blocker(call: Call) -> Reply:
    """Answers the issue that waited."""
    repository, issue = _offered(call)
    blocker = _numbered(call, call.number("id"))
    if blocker[1].node_id not in issue.blocked_by:
        raise not_found()
    freed = call.site.edits.unblock(repository, issue, call.actor, blocker)
    return Reply(call.site.shapes.issue(repository, freed))


_ISSUE = "{repository}/issues/{number}"
TABLE: Table = (
    ("GET", f"{_ISSUE}/dependencies/blocked_by", list_blockers),
    ("POST", f"{_ISSUE}/dependencies/blocked_by", add_blocker),
    ("DELETE", f"{_ISSUE}/dependencies/blocked_by/{{id}}", remove_blocker),
    ("GET", f"{_ISSUE}/dependencies/blocking", list_blocked),
)


def _offered(call: Call) -> tuple[Repository, Issue]:
    """The issue of the path, where there are dependencies at all."""
    if not call.site.world.dependencies:
        raise not_found()
    return call.issue()


def _numbered(call: Call, id: object) -> tuple[Repository, Issue]:
    found = call.site.world.numbered(id)
    if found is None:
        raise not_found()
    return found
