"""Endpoints of a simulated GitHub for sub-issues. https://docs.github.com/rest/issues/sub-issues"""

from __future__ import annotations

from connectors.github.simulated_api import Call, Reply, Table, not_found
from connectors.github.simulated_family_edits import misplaced
from connectors.github.simulated_state import Issue, Repository
from connectors.simulation import Refused


def list_sub_issues(call: Call) -> Reply:
    _, issue = _offered(call)
    return call.page(call.site.world.below(issue), lambda each: call.site.shapes.issue(*each))


def get_parent(call: Call) -> Reply:
    _, issue = _offered(call)
    above = call.site.world.issue(issue.parent) if issue.parent else None
    if above is None:
        raise not_found()
    return Reply(call.site.shapes.issue(*above))


def add_sub_issue(call: Call) -> Reply:
    """Answers the issue above."""
    repository, parent = _offered(call)
    home, issue = _named(call)
    if issue.parent is not None and call.body().get("replace_parent") is not True:
        raise misplaced("Sub-issue may only have one parent")
    call.site.edits.put_below(home, issue, call.actor, (repository, parent))
    return Reply(call.site.shapes.issue(repository, parent), 201)


def remove_sub_issue(call: Call) -> Reply:
    """Answers the issue above."""
    repository, parent = _offered(call)
    home, issue = _named(call)
    if issue.parent != parent.node_id:
        raise not_found()
    call.site.edits.put_below(home, issue, call.actor, None)
    return Reply(call.site.shapes.issue(repository, parent))


TABLE: Table = (
    ("GET", "{repository}/issues/{number}/parent", get_parent),
    ("GET", "{repository}/issues/{number}/sub_issues", list_sub_issues),
    ("POST", "{repository}/issues/{number}/sub_issues", add_sub_issue),
    ("DELETE", "{repository}/issues/{number}/sub_issue", remove_sub_issue),
)


def _offered(call: Call) -> tuple[Repository, Issue]:
    """The issue of the path, where there are sub-issues at all."""
    if not call.site.world.sub_issues:
        raise not_found()
    return call.issue()


def _named(call: Call) -> tuple[Repository, Issue]:
    """The issue that the body names by its database id."""
    found = call.site.world.numbered(call.body().get("sub_issue_id"))
    if found is None:
        raise Refused(404, "The provided sub-issue does not exist")
    return found
