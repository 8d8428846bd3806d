"""Issues below other issues. Source: docs.github.com/rest/issues/sub-issues.

A call of its own, which older Enterprise Servers do not have: without it issues tell no parent.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.errors import Park, ParkClass
from connectors.github.client import Client
from connectors.github.fields import Payload
from connectors.github.refusals import related
from connectors.github.translate import located, number_of, repository_of
from connectors.records import PARENT, Ref

_MISPLACED = (
    "An issue cannot lie below itself, sub-issues go eight levels deep at most, an issue has a hundred of "
    "them at most, and all belong to one owner: move it, or what is above it, on one of the sides."
)


def parent_of(issue: Payload) -> tuple[str, int] | None:
    """Repository and number of the issue above it."""
    url = str(issue.get("parent_issue_url") or "")
    number = number_of({"issue_url": url})
    return (repository_of({"url": url}), number) if url and number is not None else None


def tells_parent(issue: Payload) -> bool:
    """Whether the payload says what is above it, be it nothing."""
    return "parent_issue_url" in issue or "sub_issues_summary" in issue


async def put_below(
    github: Client, repository: str, number: int, parent: str | None, named: Mapping[str, Ref]
) -> None:
    """Make it a sub-issue of the one with this node id alone, or with None an issue of its own.

    Args:
        named: where that one lies.

    Raises:
        Park: GitHub does not allow that place, or has no sub-issues.
    """
    issue = await github.issue(repository, number)
    try:
        if parent is not None:
            above = located(named[parent].address) if parent in named else None
            if above is None:
                raise Park(f"nothing tells where {parent} lies", park_class=ParkClass.NOT_SUPPORTED)
            await github.add_sub_issue(above[0], above[1], int(issue["id"]))
        elif (standing := parent_of(issue)) is not None:
            await github.remove_sub_issue(*standing, int(issue["id"]))
    except Park as refused:
        raise related(refused, "sub-issues", PARENT, _MISPLACED) from refused
