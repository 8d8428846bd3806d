"""Promises about the program: it comes to rest, does as it is told, and loses nothing that it took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from math import inf

from sync.reconcile.model import Side
from tests.simulation.evidence import Evidence
from tests.simulation.hours import BEGINNING
from tests.simulation.schedule import EDITS, Kind

_UNLISTED = frozenset({Kind.HIDE, Kind.REMOVE, Kind.RESTORE, Kind.REVOKE})
"""After these a listing may have shown a change while nobody could act on it."""

ON_ITS_WAY = timedelta(seconds=3)
"""So long goes on what was under way when silence was asked for."""

LONGEST_S = 1500.0
"""Until rest, in fair weather: back-off, look-ups, deletions, and a few polls, one after the other."""

MET_DEAD = 6
"""The most calls that may meet dead credentials: the one that finds out, and five more."""


def at_rest(evidence: Evidence) -> Iterator[str]:
    """Another look at everything writes nothing."""
    for write in evidence.late_writes:
        yield f"6: written though nothing had changed: {write}"


def soon(evidence: Evidence) -> Iterator[str]:
    """Rest is not far: a few polls, and the longest that anything is waited for."""
    if evidence.rest_s > LONGEST_S:
        yield f"1: at rest only {evidence.rest_s:.0f} s after the last trouble"


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


def pause_holds(evidence: Evidence) -> Iterator[str]:
    """While a mapping is paused nothing is written, but for what was on its way."""
    for side, simulator in evidence.town.sides.items():
        for exchange in simulator.journal.writes():
            at_s = (exchange.at - BEGINNING).total_seconds()
            paused = any(begin + 1 < at_s < min(end, default=inf) for begin, *end in evidence.town.pauses)
            if paused and evidence.town.tools[side].is_content(exchange):
                yield f"28: {side}: {exchange.method} {exchange.path} at {at_s:.1f} s, while it was paused"


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
    return evidence.is_unread(newest) or any(
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

    An answer that came to a process that was killed or asleep nobody has read. A command that runs beside
    the program reads at its start who asked for silence. Nor does a process that slept know of it until it
    looks again: here no two of them share a gate.
    """
    for side, simulator in evidence.town.sides.items():
        until = None
        for exchange in simulator.journal:
            at = exchange.at
            early = until is not None and until[0] + ON_ITS_WAY < at < until[1]
            if early and not _by_who_cannot_know(evidence, asked_at=until[0], at=at):
                yield f"17: {side}: {exchange.method} {exchange.path} though silence was asked for"
            wait = exchange.answer_headers.get("retry-after")
            if exchange.status in (429, 503) and wait is not None and not evidence.is_unread(exchange):
                until = exchange.until or at, (exchange.until or at) + timedelta(seconds=float(wait))


def _by_who_cannot_know(evidence: Evidence, *, asked_at: datetime, at: datetime) -> bool:
    asked_s, at_s = ((each - BEGINNING).total_seconds() for each in (asked_at, at))
    on_its_way_s = ON_ITS_WAY.total_seconds()
    return any(begin <= asked_s and at_s <= end for begin, end in evidence.town.applied) or any(
        fell <= asked_s <= woke <= at_s <= woke + on_its_way_s for fell, woke in evidence.town.naps
    )


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
