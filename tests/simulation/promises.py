"""What must be true when a town has come to rest: one function a promise, over what anybody could have seen.

The numbers are those of the invariants that each one checks. A check answers in sentences; nothing is good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from math import inf
from typing import Any

from connectors.simulation_network import Exchange
from sync.reconcile.model import Side
from tests.simulation.air import SLOW_S
from tests.simulation.evidence import Evidence
from tests.simulation.hours import BEGINNING
from tests.simulation.memory import Edit, tokens
from tests.simulation.schedule import EDITS, Kind
from tests.simulation.town import Approval
from tests.simulation.weather import LONGEST_LAG_S

HOLE_S = 2.0 + 2 * SLOW_S
"""From our read of an object to our write of its text (``WRITE_WINDOW_SECONDS``, and the way there and back).

What a person writes into the text then is the one edit that may be lost: neither GitHub's REST API nor
Asana's stories tell what stood in a text before our write (``sync/README.md``, promise 2), but of titles
both do."""

_UNLISTED = frozenset({Kind.HIDE, Kind.REMOVE, Kind.RESTORE, Kind.REVOKE})
"""After these a listing may have shown a change while nobody could act on it."""

ON_ITS_WAY = timedelta(seconds=3)
"""So long a command goes on that runs beside the program: it reads at its start who asked for silence."""

LONGEST_S = 1500.0
"""Until rest, in fair weather: back-off, look-ups, deletions, and a few polls, one after the other."""

MET_DEAD = 6
"""The most calls that may meet dead credentials: the one that finds out, and five more."""

CONTESTED_S = 400.0
"""Two choices closer than this may meet each other: a trouble lasts so long, with what follows from it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two objects that stand for each other, as both are seen at the end."""

    link: int
    ids: Mapping[Side, str]
    seen: Mapping[Side, dict[str, Any]]

    def text(self, side: Side, field: str) -> str:
        return str(self.seen[side][field])


def pairs(evidence: Evidence) -> Sequence[Pair]:
    """Active links whose ends both are there."""
    found = []
    for link in evidence.links:
        if link["kind"] != "task" or link["state"] != "active":
            continue
        ids = {Side.HUB: link["asana"]["gid"], Side.EXTERNAL: link["external"]["id"]}
        seen = {side: evidence.town.sides[side].view(ids[side]) for side in Side if ids[side]}
        if len(seen) == 2 and all(seen.values()):
            found.append(Pair(link["id"], ids, {side: view for side, view in seen.items() if view}))
    return found


def broken(evidence: Evidence) -> list[str]:
    """Every promise that was broken."""
    return [*evidence.problems, *(said for check in CHECKS for said in check(evidence))]


# --- 1: both sides agree ------------------------------------------------------------------------------


def converged(evidence: Evidence) -> Iterator[str]:
    """Every field that goes both ways is the same on both sides, or waits for a person."""
    waiting = {(entry["link"], entry["field"]) for entry in evidence.parked}
    waiting |= {
        (entry["link"], entry["field"])
        for entry in evidence.conflicts
        if entry["state"] == "open" and entry["winner"] is None
    }
    for pair in pairs(evidence):
        for field in _shared(evidence, pair):
            values = {side: _FIELDS[field](pair.seen[side]) for side in Side}
            if values[Side.HUB] != values[Side.EXTERNAL] and (pair.link, field) not in waiting:
                yield f"1: link {pair.link}: {field} differs: {values[Side.HUB]!r}, {values[Side.EXTERNAL]!r}"


def _shared(evidence: Evidence, pair: Pair) -> Sequence[str]:
    """Fields that go both ways: of words only those that we may write, too."""
    tool = evidence.town.external
    ours = tool.we_word(pair.seen[Side.EXTERNAL])
    return [field for field in tool.fields if ours or field not in ("title", "notes")]


def _in_order(text: str) -> list[str]:
    words = text.replace("<", " ").replace("\n", " ").split()
    return [token for word in words for token in sorted(tokens(word)) if token.startswith("n")]


_FIELDS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "title": lambda view: view["title"],
    "notes": lambda view: _in_order(view["notes"]),
    "state": lambda view: view["state"],
    "assignee": lambda view: view["assignee"],
    "labels": lambda view: sorted(view["labels"]),
}


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
            if wanted and id not in ends[side] and id not in said:
                yield f"1: {side} {id} has no link, and nothing says why"


# --- 2, 3: nothing is lost, nothing is made up --------------------------------------------------------


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
            ends = (
                Side if edit.side is Side.EXTERNAL or edit.field in _shared(evidence, pair) else (Side.HUB,)
            )
            there = all(edit.token in _held(pair.seen[side], edit.field) for side in ends)
            found = there or edit.token in taken | listed.get(pair.link, set())
            if edit.token and not found and not _fell_into_the_hole(evidence, pair, edit):
                yield (
                    f"2: link {pair.link}: {edit.token}, written into {edit.field} on the {edit.side} side "
                    f"at {edit.at_s:.2f} s, is lost"
                )


def _fell_into_the_hole(evidence: Evidence, pair: Pair, edit: Edit) -> bool:
    """Whether we wrote the text of the object right after a person did."""
    if edit.field != "notes":
        return False
    tool = evidence.town.tools[edit.side]
    address = tool.address(pair.ids[edit.side])
    for exchange in tool.simulator.journal.writes():
        at_s = (exchange.at - BEGINNING).total_seconds()
        same = any(each.address == address and edit.field in each.fields for each in tool.rewritten(exchange))
        if same and at_s - HOLE_S <= edit.at_s <= at_s:
            return True
    return False


def _held(view: dict[str, Any], field: str) -> frozenset[str]:
    """The tokens of that field: where a title is the first line of a text it stands there, too."""
    value = view[field]
    if field == "labels":
        return frozenset(value)
    return frozenset(token for token in tokens(value) if token.startswith(field[0]))


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
                for token in _held(pair.seen[side], field):
                    if token not in known and field != "labels":
                        yield f"3: link {pair.link}: {token} in {field} of the {side} side was never written"
            for edit in mine if field == "labels" else ():
                for token in edit.before - edit.after:
                    if _in_doubt(evidence, edit, token):
                        continue
                    if any(token in pair.seen[side]["labels"] for side in Side):
                        yield f"3: link {pair.link}: the label {token}, taken off, is there again"


def _in_doubt(evidence: Evidence, edit: Edit, token: str) -> bool:
    """Whether we had put that there, and never got the answer."""
    return any(
        exchange.committed
        and exchange.status not in range(200, 300)
        and token in str(exchange.body)
        and (exchange.at - BEGINNING).total_seconds() < edit.at_s
        for exchange in evidence.town.sides[edit.side].journal.writes()
    )


def last_choice_stands(evidence: Evidence) -> Iterator[str]:
    """A choice that nobody else made at about that time is what stands there in the end."""
    if evidence.schedule.conflict != "last_modified":
        return
    waiting = {(entry["link"], entry["field"]) for entry in evidence.parked}
    for pair in pairs(evidence):
        for field in {"state", "assignee"} & {*_shared(evidence, pair)}:
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
            rivals = [c for c in made if c.side is not last.side and last.at_s - c.at_s < CONTESTED_S]
            for side in Side:
                waits = (pair.link, field) in waiting
                if not rivals and not waits and pair.seen[side][field] != last.value:
                    yield (
                        f"2: link {pair.link}: {field} was set to {last.value} at {last.at_s:.2f} s, and is "
                        f"{pair.seen[side][field]} on the {side} side"
                    )


# --- 4: one counterpart -------------------------------------------------------------------------------


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
    if not any(event.kind in (Kind.LOSE_EVENTS, Kind.EXPIRE) for event in evidence.schedule.events):
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


# --- 5, 6: at rest ------------------------------------------------------------------------------------


def at_rest(evidence: Evidence) -> Iterator[str]:
    """Another look at everything writes nothing."""
    for write in evidence.late_writes:
        yield f"6: written though nothing had changed: {write}"


# --- 10: comments -------------------------------------------------------------------------------------


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


def soon(evidence: Evidence) -> Iterator[str]:
    """Rest is not far: a few polls, and the longest that anything is waited for."""
    if evidence.rest_s > LONGEST_S:
        yield f"1: at rest only {evidence.rest_s:.0f} s after the last trouble"


def tokens_last(evidence: Evidence) -> Iterator[str]:
    """Credentials that nobody revoked go on working, whatever happened to the program.

    But where a renewal's answer is lost the new token is, too: that is said, and an admin brings another.
    A token that was used had arrived, and is kept before it is used.
    """
    if any(event.kind is Kind.REVOKE for event in evidence.schedule.events):
        return
    for side in evidence.town.dead:
        if side is not Side.HUB or not _newest_token_was_lost(evidence):
            yield f"20: the credentials of the {side} side were refused, and nobody revoked them"


def dead_left_alone(evidence: Evidence) -> Iterator[str]:
    """Credentials that were refused are not tried again and again until an admin brings others."""
    for side, simulator in evidence.town.sides.items():
        refused = 0
        for exchange in simulator.journal:
            if exchange.provider_status == (400 if "oauth_token" in exchange.path else 401):
                refused += 1
            elif exchange.status in range(200, 300) or exchange.status >= 500:  # an outage hides the cause
                refused = 0
            if refused == MET_DEAD + 1:
                at_s = (exchange.at - BEGINNING).total_seconds()
                yield f"20: {refused} calls with dead credentials on the {side} side by {at_s:.0f} s"


def _newest_token_was_lost(evidence: Evidence) -> bool:
    """Whether what Asana handed out last never came to be used, and there was trouble about then."""
    journal = evidence.town.hub.journal
    answers = [each for each in journal if "oauth_token" in each.path and each.provider_status]
    handed_out = list(takewhile(lambda exchange: exchange.provider_status == 200, answers))
    if not handed_out:
        return False
    newest = handed_out[-1]
    carried = f"Bearer {newest.answer['access_token']}"
    if any(exchange.headers.get("authorization") == carried for exchange in journal):
        return False
    return _unread(evidence, newest) or any(
        event.kind in (Kind.FAULT, Kind.OUTAGE, Kind.FREEZE) for event in evidence.schedule.events
    )


def acknowledged(evidence: Evidence) -> Iterator[str]:
    """Every webhook call that was answered 200 is in the list of deliveries, and the list adds up."""
    known = {each["delivery"] for each in evidence.deliveries}
    tool = evidence.town.external
    for sent in tool.simulator.outbox.sent:
        names = tool.receipts(sent)
        if sent.status == 200 and not any(name in each for each in known for name in names):
            yield f"22: delivery {min(names)} was acknowledged, and is not stored"
    counts = evidence.status["deliveries"]
    parts = sum(counts[name] for name in ("processed", "ignored", "parked", "queued"))
    if counts["received"] != parts or counts["received"] != len(evidence.deliveries):
        yield f"30: deliveries do not add up: {counts}, {len(evidence.deliveries)} are listed"


def limits_kept(evidence: Evidence) -> Iterator[str]:
    """After a refusal with Retry-After nobody sends before that time, but for what was on its way.

    An answer that came to a process that was killed or asleep nobody has read.
    """
    for side, simulator in evidence.town.sides.items():
        until = None
        for exchange in simulator.journal:
            at = exchange.at
            if until is not None and until[0] + ON_ITS_WAY < at < until[1]:
                yield f"17: {side}: {exchange.method} {exchange.path} though silence was asked for"
            wait = exchange.answer_headers.get("retry-after")
            if exchange.status in (429, 503) and wait is not None and not _unread(evidence, exchange):
                until = exchange.until or at, (exchange.until or at) + timedelta(seconds=float(wait))


def _unread(evidence: Evidence, exchange: Exchange) -> bool:
    at_s = (exchange.at - BEGINNING).total_seconds()
    return any(abs(at_s - death_s) < 2 for death_s in evidence.town.deaths)


def deletes_proven(evidence: Evidence) -> Iterator[str]:
    """Nothing is deleted but what a person deleted on the other side."""
    removed = {id for _, id in evidence.memory.removed}
    for link in evidence.links:
        ids = {link["asana"]["gid"], link["external"]["id"]}
        if link["kind"] == "task" and link["state"] == "unlinked" and None not in ids and not ids & removed:
            yield f"7: link {link['id']} ended though nobody deleted anything: {link['reason']}"


def polling_is_enough(evidence: Evidence) -> Iterator[str]:
    """What listings show needs no complete comparison: titles, texts and states."""
    if evidence.town.dead or any(event.kind in _UNLISTED for event in evidence.schedule.events):
        return
    kinds = {event.kind for event in evidence.schedule.events}
    all_listed = kinds <= (EDITS.keys() - evidence.town.external.unlisted) | {
        Kind.KILL,
        Kind.STOP,
        Kind.OUTAGE,
    }
    for said in evidence.early:
        comments = all_listed and said.startswith("10:")
        if comments or any(f": {field} differs" in said for field in ("title", "notes", "state")):
            yield f"13: before anything was compared: {said}"


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


def pause_holds(evidence: Evidence) -> Iterator[str]:
    """While a mapping is paused nothing is written, but for what was on its way."""
    for side, simulator in evidence.town.sides.items():
        for exchange in simulator.journal.writes():
            at_s = (exchange.at - BEGINNING).total_seconds()
            paused = any(begin + 1 < at_s < min(end, default=inf) for begin, *end in evidence.town.pauses)
            if paused and evidence.town.tools[side].is_content(exchange):
                yield f"28: {side}: {exchange.method} {exchange.path} at {at_s:.1f} s, while it was paused"


def kept_by_the_tool(evidence: Evidence) -> Iterator[str]:
    """What makes sense of the other side alone."""
    yield from evidence.town.external.broken(pairs(evidence), evidence.links)


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


def nothing_waits(evidence: Evidence) -> Iterator[str]:
    """Nothing but transient trouble happened: nothing waits for a person.

    What was made twice waits for one; but where reads show the present, nothing is made twice.
    """
    hidden = any(event.kind in _UNLISTED for event in evidence.schedule.events)
    for entry in evidence.parked:
        if entry["class"] == "ambiguous" and not evidence.schedule.late:
            yield f"15: made twice: {entry['reason']}"
        elif (
            entry["class"] != "ambiguous"
            and not (hidden and entry["class"] == "permission")
            and (entry["what"], entry["field"], entry["class"]) not in evidence.town.external.waits
        ):
            what = f"{entry['what']} {entry['field'] or ''} of link {entry['link']}"
            yield f"18: parked {what}: {entry['reason']}"


CHECKS: Sequence[Callable[[Evidence], Iterator[str]]] = (
    converged,
    all_paired,
    nothing_lost,
    nothing_comes_back,
    last_choice_stands,
    one_counterpart,
    at_rest,
    soon,
    nothing_twice,
    only_what_was_edited,
    comments_once,
    files_once,
    tokens_last,
    dead_left_alone,
    acknowledged,
    limits_kept,
    deletes_proven,
    polling_is_enough,
    no_false_conflicts,
    pause_holds,
    limit_of_deletes,
    nothing_waits,
    kept_by_the_tool,
)
