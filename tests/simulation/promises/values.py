"""Promises about fields: both sides agree, nothing is lost, nothing made up, nothing written for nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from math import inf
from typing import Any

from connectors.simulation_network import Exchange
from sync.reconcile.model import Side
from tests.simulation.air import SLOW_S
from tests.simulation.evidence import Evidence
from tests.simulation.hours import BEGINNING
from tests.simulation.memory import Edit, tokens
from tests.simulation.promises.pairs import FIELDS, Pair, held, pairs, shared
from tests.simulation.schedule import EDITS, Kind
from tests.simulation.weather import LONGEST_LAG_S

HOLE_S = 2.0 + 2 * SLOW_S
"""From our read of an object to our write of its text (``WRITE_WINDOW_SECONDS``, and the way there and back).

What a person writes into the text then is the one edit that may be lost: neither GitHub's REST API nor
Asana's stories tell what stood in a text before our write (``sync/README.md``, promise 2), but of titles
both do."""

CONTESTED_S = 400.0
"""Two choices closer than this may meet each other: a trouble lasts so long, with what follows from it."""


def converged(evidence: Evidence) -> Iterator[str]:
    """Every field that goes both ways is the same on both sides, or waits for a person."""
    waiting = {(entry["link"], entry["field"]) for entry in evidence.parked}
    waiting |= {
        (entry["link"], entry["field"])
        for entry in evidence.conflicts
        if entry["state"] == "open" and entry["winner"] is None
    }
    for pair in pairs(evidence):
        for field in shared(evidence, pair):
            values = {side: FIELDS[field](pair.seen[side]) for side in Side}
            if values[Side.HUB] != values[Side.EXTERNAL] and (pair.link, field) not in waiting:
                yield f"1: link {pair.link}: {field} differs: {values[Side.HUB]!r}, {values[Side.EXTERNAL]!r}"


def nothing_lost(evidence: Evidence) -> Iterator[str]:
    """What a person wrote is on both sides, or somebody who saw it took it away, or it is listed whole."""
    listed: dict[int, set[str]] = {}
    for entry in evidence.conflicts:
        for side in ("asana", "external"):
            value = entry[side]["value"]
            words = " ".join(value) if isinstance(value, list) else str(value)
            listed.setdefault(entry["link"], set()).update(tokens(words))
    for pair in pairs(evidence):
        edits = [edit for side in Side for edit in evidence.memory.on(side, pair.ids[side])]
        taken = {token for edit in edits for token in edit.before - edit.after}
        for edit in edits:
            ends = _heard_on(edit, edits, edit.field in shared(evidence, pair))
            there = all(edit.token in held(pair.seen[side], edit.field) for side in ends)
            found = there or edit.token in taken | listed.get(pair.link, set())
            if edit.token and not found and not _fell_into_the_hole(evidence, pair, edit):
                yield (
                    f"2: link {pair.link}: {edit.token}, written into {edit.field} on the {edit.side} side "
                    f"at {edit.at_s:.2f} s, is lost"
                )


def _heard_on(edit: Edit, edits: Iterable[Edit], both_ways: bool) -> Iterable[Side]:
    """Where an edit has to stand. A field that only goes to the hub is heard there, but for a title since
    the hub has one of its own."""
    if both_ways:
        return Side
    renamed = any(each.side is Side.HUB and each.field == edit.field == "title" for each in edits)
    return Side if edit.side is Side.EXTERNAL and not renamed else (edit.side,)


def _fell_into_the_hole(evidence: Evidence, pair: Pair, edit: Edit) -> bool:
    """Whether we wrote the text of the object right after a person did.

    What reads do not show yet nobody can know of, unless a webhook tells: then the hole is as long as that.
    """
    if edit.field != "notes":
        return False
    untold = evidence.schedule.late and not evidence.schedule.hooks
    hole_s = HOLE_S + (LONGEST_LAG_S if untold else 0)
    tool = evidence.town.tools[edit.side]
    address = tool.address(pair.ids[edit.side])
    for exchange in tool.simulator.journal.writes():
        at_s = (exchange.at - BEGINNING).total_seconds()
        same = any(each.address == address and edit.field in each.fields for each in tool.rewritten(exchange))
        if same and at_s - hole_s <= edit.at_s <= at_s:
            return True
    return False


def nothing_comes_back(evidence: Evidence) -> Iterator[str]:
    """What a person took away is not there again.

    But where they did so while nobody knew whether our write had arrived: there it seems that it had not.
    """
    for pair in pairs(evidence):
        edits = [edit for side in Side for edit in evidence.memory.on(side, pair.ids[side])]
        for field in ("title", "notes", "labels"):
            mine = [edit for edit in edits if edit.field == field]
            known = {edit.token for edit in mine}
            for side in Side:
                for token in held(pair.seen[side], field):
                    if token not in known and field != "labels":
                        yield f"3: link {pair.link}: {token} in {field} of the {side} side was never written"
            for edit in mine if field == "labels" else ():
                for token in edit.before - edit.after:
                    if _in_doubt(evidence, edit, token):
                        continue
                    if any(token in pair.seen[side]["labels"] for side in Side):
                        yield f"3: link {pair.link}: the label {token}, taken off, is there again"


def _in_doubt(evidence: Evidence, edit: Edit, token: str) -> bool:
    """Whether we had put that there, and never got the answer, or not to the whole of what was to be put."""
    tags = evidence.town.hub.workspace.tags if edit.side is Side.HUB else {}
    words = {token, *(gid for gid, tag in tags.items() if tag.name == token)}
    until = BEGINNING + timedelta(seconds=edit.at_s)
    before = [each for each in evidence.town.sides[edit.side].journal if each.at < until]
    return any(
        exchange.committed
        and any(word in str(exchange.body) for word in words)
        and (_failed(exchange) or evidence.is_unread(exchange) or _is_hidden_since(exchange, before))
        for exchange in before
    )


def _is_hidden_since(write: Exchange, exchanges: Iterable[Exchange]) -> bool:
    """Whether what was written to could not be read any more: nobody knows whether all of it was done."""
    reads = [
        each
        for each in exchanges
        if each.method == "GET" and each.at > write.at and write.path.startswith(each.path)
    ]
    return bool(reads) and all(map(_failed, reads))


def _failed(exchange: Exchange) -> bool:
    return exchange.status not in range(200, 300)


def last_choice_stands(evidence: Evidence) -> Iterator[str]:
    """A choice that nobody else made at about that time is what stands there in the end.

    Without credentials "about that time" is as long as they were missing: what was changed and changed back
    before the other side could be asked is as if it had never been changed.
    """
    if evidence.schedule.conflict != "last_modified":
        return
    revoked = any(event.kind is Kind.REVOKE for event in evidence.schedule.events)
    contested_s = inf if revoked else CONTESTED_S
    waiting = {(entry["link"], entry["field"]) for entry in evidence.parked}
    for pair in pairs(evidence):
        for field in {"state", "assignee"} & {*shared(evidence, pair)}:
            made = sorted(
                (
                    c
                    for c in evidence.memory.choices
                    for s in Side
                    if (c.side, c.object_id, c.field) == (s, pair.ids[s], field)
                ),
                key=lambda choice: choice.at_s,
            )
            if not made:
                continue
            last = made[-1]
            rivals = [c for c in made if c.side is not last.side and last.at_s - c.at_s < contested_s]
            for side in Side:
                waits = (pair.link, field) in waiting
                if not rivals and not waits and pair.seen[side][field] != last.value:
                    yield (
                        f"2: link {pair.link}: {field} was set to {last.value} at {last.at_s:.2f} s, and is "
                        f"{pair.seen[side][field]} on the {side} side"
                    )


def no_false_conflicts(evidence: Evidence) -> Iterator[str]:
    """A clash of two edits needs an edit on each side."""
    calm = not evidence.schedule.late and all(event.kind in EDITS for event in evidence.schedule.events)
    ends = {pair.link: pair.ids for pair in pairs(evidence)}
    for entry in evidence.conflicts:
        ids = ends.get(entry["link"])
        if entry["kind"] != "edit" or entry["field"] not in ("title", "notes") or ids is None:
            continue
        edited = {
            edit.side
            for side in Side
            for edit in evidence.memory.on(side, ids[side])
            if edit.field == entry["field"]
        }
        if len(edited) < 2:
            yield f"2: link {entry['link']}: a conflict about {entry['field']}, which one side alone edited"
        elif calm and _was_seen(evidence, entry, ids):
            yield f"2: link {entry['link']}: a conflict about {entry['field']}, one side of which was seen"


def _was_seen(evidence: Evidence, entry: dict[str, Any], ids: Mapping[Side, str]) -> bool:
    """Whether who wrote one of the two texts had the other one before their eyes, and took it away."""
    ends = zip(("asana", "external"), (Side.HUB, Side.EXTERNAL), strict=True)
    held = {side: tokens(str(entry[key]["value"])) for key, side in ends}
    return any(
        held[side.other] and held[side.other] <= edit.before and edit.token in held[side]
        for side in Side
        for edit in evidence.memory.on(side, ids[side])
        if edit.field == entry["field"] == "title"
    )


def nothing_twice(evidence: Evidence) -> Iterator[str]:
    """A text that was written, and that nobody has touched since, is not written again.

    Where reads show the past, an edit from before the write may be seen after it.
    """
    unseen_s = LONGEST_LAG_S if evidence.schedule.late else 1
    for side, tool in evidence.town.tools.items():
        last: dict[tuple[str, frozenset[str]], tuple[float, str]] = {}
        for exchange in tool.simulator.journal.writes():
            at_s = (exchange.at - BEGINNING).total_seconds()
            for each in tool.rewritten(exchange):
                before_s, before = last.get((each.address, each.fields), (0.0, ""))
                touched = any(
                    edit.side is side and edit.field in each.fields and before_s - unseen_s < edit.at_s < at_s
                    for edit in evidence.memory.edits
                )
                if each.text == before and tokens(each.text) and not touched:
                    yield f"5: {side}: {each.address} gets {each.text!r} again at {at_s:.1f} s"
                last[each.address, each.fields] = at_s, each.text


def only_what_was_edited(evidence: Evidence) -> Iterator[str]:
    """A text is written to a side only if a person edited it on the other one."""
    for pair in pairs(evidence):
        edited = {
            (edit.side, edit.field) for side in Side for edit in evidence.memory.on(side, pair.ids[side])
        }
        if evidence.town.external.title_in_text and (Side.EXTERNAL, "title") in edited:
            edited.add((Side.EXTERNAL, "notes"))
        for side, tool in evidence.town.tools.items():
            address = tool.address(pair.ids[side])
            for exchange in tool.simulator.journal.writes():
                for each in tool.rewritten(exchange):
                    if each.address == address and not edited & {(side.other, name) for name in each.fields}:
                        yield f"5: link {pair.link}: {each.text!r} is written to the {side} side, for nobody"
