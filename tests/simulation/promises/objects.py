"""Promises about whole objects, their comments and files: each has one counterpart, and goes only with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sync.reconcile.model import Side
from tests.simulation.evidence import Evidence
from tests.simulation.memory import tokens
from tests.simulation.promises.pairs import pairs
from tests.simulation.town import Approval


def all_paired(evidence: Evidence) -> Iterator[str]:
    """Every object has a counterpart, or there is a reason that was said."""
    said = {entry["ref"].rpartition(":")[2] for entry in evidence.parked}
    ends: dict[Side, dict[str, str]] = {side: {} for side in Side}
    for link in evidence.links:
        if link["kind"] == "task":
            for side, id in ((Side.HUB, link["asana"]["gid"]), (Side.EXTERNAL, link["external"]["id"])):
                if id:
                    ends[side][id] = f"{link['state']}: {link['reason']}"
    for side, simulator in evidence.town.sides.items():
        for id in simulator.objects(evidence.town.containers[side]):
            view = simulator.view(id)
            wanted = view is not None and evidence.town.tools[side].is_wanted(view)
            if (side, id) in evidence.town.misdated:
                continue  # nobody can know that it is not older than the mapping
            if wanted and id not in ends[side] and id not in said:
                yield f"1: {side} {id} has no link, and nothing says why"


def one_counterpart(evidence: Evidence) -> Iterator[str]:
    """No object was made twice, and no two links share one."""
    said = {entry["ref"].rpartition(":")[2] for entry in evidence.parked if entry["class"] == "ambiguous"}
    living: dict[Side, list[str]] = {}
    for side, simulator in evidence.town.sides.items():
        living[side] = [id for id in simulator.objects(evidence.town.containers[side]) if id not in said]
    for key, side in (("asana", Side.HUB), ("external", Side.EXTERNAL)):
        ids = Counter(
            link[key]["gid" if side is Side.HUB else "id"]
            for link in evidence.links
            if link["kind"] == "task" and link["state"] != "unlinked"
        )
        for id, number in ids.items():
            if id and number > 1:
                yield f"4: {number} links hold {side} {id}"
    linked = {id for pair in pairs(evidence) for id in pair.ids.values()}
    linked |= _unproven(evidence) | _resting(evidence)
    gone = evidence.memory.removed
    for side in Side:
        surplus = [id for id in living[side] if id not in linked and (side, id) not in evidence.memory.born]
        ended = {
            link["asana"]["gid"] if side is Side.HUB else link["external"]["id"]
            for link in evidence.links
            if link["kind"] == "task" and link["state"] == "unlinked"
        }
        for id in surplus:
            if id not in ended or not gone:
                yield f"4: {side} {id} was made by us, and stands for nothing"


def _unproven(evidence: Evidence) -> set[str]:
    """Copies of what was deleted where Asana told nobody: a bare 404 is no proof, and their links wait."""
    if not any(event.ends_positions for event in evidence.schedule.events):
        return set()
    return {
        link["external"]["id"]
        for link in evidence.links
        if link["state"] == "active" and (Side.HUB, link["asana"]["gid"]) in evidence.memory.removed
    }


def _resting(evidence: Evidence) -> set[str]:
    """Ends of links that sleep, or wait for a person: what stands there is known to stand for something."""
    return {
        id
        for link in evidence.links
        if link["kind"] == "task" and link["state"] in ("dormant", "parked")
        for id in (link["asana"]["gid"], link["external"]["id"])
    }


def deletes_proven(evidence: Evidence) -> Iterator[str]:
    """Nothing is deleted but what a person deleted on the other side."""
    removed = {id for _, id in evidence.memory.removed}
    for link in evidence.links:
        ids = {link["asana"]["gid"], link["external"]["id"]}
        if link["kind"] == "task" and link["state"] == "unlinked" and None not in ids and not ids & removed:
            yield f"7: link {link['id']} ended though nobody deleted anything: {link['reason']}"


def limit_of_deletes(evidence: Evidence) -> Iterator[str]:
    """Never more objects are closed because of deletions than the limit allows, and admins since."""
    by_hand = {choice.object_id for choice in evidence.memory.choices if choice.field == "state"}
    survivors = set()
    for link in evidence.links:
        ends = {(Side.HUB, link["asana"]["gid"]), (Side.EXTERNAL, link["external"]["id"])}
        if link["kind"] == "task" and ends & evidence.memory.removed and not {id for _, id in ends} & by_hand:
            survivors |= ends - evidence.memory.removed
    allowed = evidence.schedule.deletes
    for approval in [*evidence.town.approvals, Approval(0, evidence.town.closed())]:
        carried = len(survivors & approval.closed)
        if carried > allowed:
            yield f"9: {carried} deletions were carried over, {allowed} may be"
        allowed += approval.number


def comments_once(evidence: Evidence) -> Iterator[str]:
    """Every comment is on both sides exactly once, as its author last wrote it."""
    waiting = {entry["link"] for entry in evidence.parked if entry["what"] == "comment"}
    roots = {(said.side, said.object_id): [] for said in evidence.memory.said}  # type: ignore[var-annotated]
    for said in evidence.memory.said:
        roots[said.side, said.object_id].append(said)
    for pair in pairs(evidence):
        if pair.link in waiting:
            continue
        wanted = Counter(
            said.token
            for side in Side
            for said in roots.get((side, pair.ids[side]), ())
            if not said.withdrawn
        )
        for side in Side:
            found = Counter(
                token
                for comment in pair.seen[side]["comments"]
                for token in tokens(comment["text"])
                if token.startswith("c")
            )
            if found != wanted:
                yield (
                    f"10: link {pair.link}: comments of the {side} side are {dict(found - wanted)} too many, "
                    f"{dict(wanted - found)} missing"
                )


def files_once(evidence: Evidence) -> Iterator[str]:
    """Every file is on both sides once."""
    for pair in pairs(evidence):
        for file in evidence.memory.files:
            if (file.side, file.object_id) != (file.side, pair.ids[file.side]):
                continue
            for side, tool in evidence.town.tools.items():
                copies = tool.copies(pair.seen[side], file)
                if copies != 1:
                    yield f"11: link {pair.link}: {file.name} is {copies} times on the {side} side"


def kept_by_the_tool(evidence: Evidence) -> Iterator[str]:
    """What makes sense of the other side alone."""
    yield from evidence.town.external.broken(pairs(evidence), evidence.links)
