"""Issues that wait for other issues. Source: docs.github.com/rest/issues/issue-dependencies.

An issue tells how many it waits for, and a list of its own which ones. Older Enterprise Servers have
neither: there the field is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.errors import Park, ParkClass
from connectors.github.client import Client
from connectors.github.fields import Payload
from connectors.github.refusals import related
from connectors.github.translate import located
from connectors.records import BLOCKED_BY, Ref, Value

_IN_A_CIRCLE = (
    "No issue can wait for itself, be it by way of others, and GitHub limits how many it waits for: take one "
    "away on one of the sides."
)


@dataclass(frozen=True, slots=True)
class Rewiring:
    """Node ids of what an issue waits for from now on, and of what it does not any more."""

    added: frozenset[str]
    removed: frozenset[str]

    @classmethod
    def between(cls, standing: Value, wanted: Value) -> Rewiring:
        before, after = (frozenset(ids if isinstance(ids, tuple) else ()) for ids in (standing, wanted))
        return cls(after - before, before - after)

    def applied(self, value: Value) -> tuple[str, ...]:
        kept = frozenset(value if isinstance(value, tuple) else ())
        return tuple(sorted(kept - self.removed | self.added))


def waits_for(issue: Payload) -> int | None:
    """How many issues it waits for, closed ones among them; None where that is not told."""
    summary = issue.get("issue_dependencies_summary")
    count = summary.get("total_blocked_by") if isinstance(summary, Mapping) else None
    return count if isinstance(count, int) else None


async def rewire(
    github: Client,
    repository: str,
    number: int,
    change: Rewiring,
    named: Mapping[str, Ref],
) -> None:
    """Make it wait for others, or no longer. Each is a call; a refused one keeps none of the others back.

    Args:
        named: where those that are added lie.

    Raises:
        Park: one of them was refused.
    """
    refusal: Park | None = None
    for blocker in await github.blockers(repository, number) if change.removed else ():
        if blocker["node_id"] in change.removed:
            await github.remove_blocker(repository, number, int(blocker["id"]))
    for id in sorted(change.added):
        try:
            await github.add_blocker(repository, number, await _database_id(github, named.get(id)))
        except Park as refused:
            refusal = refusal or refused
    if refusal is not None:
        raise related(refusal, "issue dependencies", BLOCKED_BY, _IN_A_CIRCLE) from refusal


async def _database_id(github: Client, blocker: Ref | None) -> int:
    where = located(blocker.address) if blocker is not None else None
    if where is None:
        raise Park("nothing tells where the issue lies that it waits for", park_class=ParkClass.NOT_SUPPORTED)
    return int((await github.issue(where[0], where[1]))["id"])
