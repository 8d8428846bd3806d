"""Mistakes that others made, each as a patch that puts it into the program.

They live here alone; the product has no switch for any of them. The numbers are those of the list in
``planted.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from connectors.errors import ConnectorError
from connectors.github import edits
from connectors.records import FieldKind, Gone, Hidden
from connectors.renewal import OAuth
from sync.jobs.merging import fields, settling
from sync.jobs.pairing import absence, counterparts
from sync.jobs.passing import permits, reading
from sync.jobs.passing.lease import Lease
from sync.jobs.passing.outcome import DONE
from sync.jobs.passing.writing import close
from sync.jobs.receiving import intake
from sync.jobs.receiving.intake import Reply
from sync.jobs.tending import upkeep
from sync.jobs.threads import comments
from sync.jobs.watching import full_pass, polling
from sync.jobs.watching.news import marks_for
from sync.reconcile import merge, plan
from sync.reconcile.model import FieldWrite, Pair, Rule, Side
from sync.store import links, marks, writes
from sync.store.tables import Mark
from tests.simulation import program
from tests.simulation.program import Program

HUB, EXTERNAL = Side.HUB, Side.EXTERNAL


def a_job_has_the_id_of_its_mapping(patch: pytest.MonkeyPatch) -> None:
    """1: whatever rings while the job runs, or within an hour after it, is swallowed."""
    rung: dict[int, float] = {}

    async def once(engine: Any, mapping_id: int) -> None:
        now = asyncio.get_running_loop().time()
        if now - rung.get(mapping_id, -3600.0) >= 3600.0:
            rung[mapping_id] = now
            await real(engine, mapping_id)

    real = program.sync_mapping
    patch.setattr(program, "sync_mapping", once)


def acknowledges_first(patch: pytest.MonkeyPatch) -> None:
    store, kept = intake.Intake.take_in, set()

    async def take_in(self: Any, connection: str, key: str, headers: Any, body: bytes) -> Reply:
        if "x-hook-secret" in {name.lower() for name in headers}:
            return await store(self, connection, key, headers, body)

        async def later() -> None:
            await asyncio.sleep(0.5)
            await store(self, connection, key, headers, body)

        kept.add(asyncio.create_task(later()))
        return Reply(200)

    patch.setattr(intake.Intake, "take_in", take_in)


def no_marker(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(edits, "composed", lambda text, keys=(), backlink=None: text)


def no_look_up(patch: pytest.MonkeyPatch) -> None:
    async def confirm(desk: Any, link: Any, row: Any, side: Any, source: Any) -> Any:
        await close(desk, row, writes.NOT_DONE, "not looked up")
        return DONE

    patch.setattr(counterparts, "confirm", confirm)


def base_before_write(patch: pytest.MonkeyPatch) -> None:
    decided = fields._decided

    def early(desk: Any, link: Any, records: Any, view: Any, plan: Any, past: Any) -> Any:
        entry = decided(desk, link, records, view, plan, past)
        for write in plan.writes:
            other = records[write.side.other].fields[write.field]
            pair = Pair(write.value, other) if write.side is HUB else Pair(other, write.value)
            entry.settled[write.rule] = pair
        return entry

    patch.setattr(fields, "_decided", early)


def gap_is_delete(patch: pytest.MonkeyPatch) -> None:
    put = marks.put

    async def gone(session: Any, found: Any, now: Any) -> Any:
        told = [
            replace(each, gone="not listed") if "complete listing" in each.reason else each for each in found
        ]
        return await put(session, told, now)

    patch.setattr(full_pass.marks, "put", gone)
    forbidden_is_delete(patch)


def forbidden_is_delete(patch: pytest.MonkeyPatch) -> None:
    believed = reading._believed

    def gullible(unit: Any, side: Side, found: Any) -> Any:
        answer = believed(unit, side, found)
        return Gone("403") if isinstance(answer, Hidden) else answer

    patch.setattr(reading, "_believed", gullible)


def share_alone(patch: pytest.MonkeyPatch) -> None:
    """13: only a share of all objects is the limit."""
    reserved = absence._reserved

    async def in_percent(desk: Any, link: Any, intent: Any) -> Any:
        config = desk.route.config
        limits = config.limits.model_copy(update={"deletes": 1_000_000})
        route = replace(desk.route, config=config.model_copy(update={"limits": limits}))
        return await reserved(replace(desk, route=route), link, intent)

    patch.setattr(absence, "_reserved", in_percent)


def cache_of_one_life(patch: pytest.MonkeyPatch) -> None:
    by_refs = links.by_refs

    async def forgetful(session: Any, mapping_id: int, refs: Any) -> Any:
        found = await by_refs(session, mapping_id, refs)
        return {ref: link for ref, link in found.items() if link.created_at >= _BORN[0]}

    patch.setattr(links, "by_refs", forgetful)
    start = Program.start

    def born(self: Program) -> Any:
        _BORN[:] = [self.engine.now()]
        return start(self)

    patch.setattr(Program, "start", born)


_BORN: list[Any] = []


def done_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    async def forgetful(thread: Any, comment: Any, row: Any) -> None:
        await close(thread.desk, row, writes.NOT_DONE, "forgotten")

    plan = comments.plan_comments

    def blind(**given: Any) -> Any:
        known = {str(link.copy) for link in given["links"]}
        for side in ("hub", "external"):
            given[side] = [each for each in given[side] if not each.by_us or str(each.ref) in known]
        return plan(**given)

    patch.setattr(comments, "_resolve", forgetful)
    patch.setattr(comments, "plan_comments", blind)


def cursor_first(patch: pytest.MonkeyPatch) -> None:
    """3: the cursor is saved, what it stands behind some time later."""
    store, kept = polling._store, set()

    async def apart(engine: Any, connection: Any, cursor: Any, page: Any, began: Any, *, ends: bool) -> bool:
        moved = await store(engine, connection, cursor, replace(page, changes=()), began, ends=ends)

        async def later() -> None:
            await asyncio.sleep(50)
            routes = await polling._listening(engine, connection, cursor.container)
            async with engine.database.write() as session:
                for route, side in routes:
                    await marks.put(
                        session, await marks_for(session, route, side, page.changes), engine.now()
                    )

        if moved and page.changes:
            kept.add(asyncio.create_task(later()))
        return moved

    patch.setattr(polling, "_store", apart)


def echo_is_news(patch: pytest.MonkeyPatch) -> None:
    """6: a call with an id that is new is a change, whether or not anything is different."""
    planned = fields.plan_fields

    async def again(engine: Any, route: Any, link: Any, records: Any, past: Any) -> Any:
        view, plan = await planned(engine, route, link, records, past)
        if not plan.writes and past.seen:
            title = records[HUB].fields["title"]
            plan = replace(
                plan,
                writes=(
                    FieldWrite(
                        side=EXTERNAL,
                        rule="title",
                        field="title",
                        value=title,
                        before=title,
                        reason="a call came",
                    ),
                ),
            )
        return view, plan

    patch.setattr(fields, "plan_fields", again)


def raw_texts(patch: pytest.MonkeyPatch) -> None:
    """7: what was sent is compared with what is read, letter by letter."""

    def equal(rule: Rule, side: Side, sent: Any, read: Any, translation: Any) -> bool:
        return bool(sent == read)

    def sent(self: Any, write: FieldWrite) -> Any:
        return write.value

    def letters(rule: Rule, into: Side, value: Any, **given: Any) -> Any:
        return value if rule.kind(into) is FieldKind.MARKDOWN else carry(rule, into, value, **given)

    carry = merge.carry
    for module in (merge, plan):
        patch.setattr(module, "equal", equal)
        patch.setattr(module, "carry", letters)
    patch.setattr(settling.Written, "own_half", sent)


def last_write_wins(patch: pytest.MonkeyPatch) -> None:
    """8: the object that was changed last is the truth about all of its fields."""

    def later(field: Any, seen: Any) -> list[Side]:
        hub, external = field.view.hub.modified_at, field.view.external.modified_at
        return [HUB if hub >= external else EXTERNAL]

    patch.setattr(plan, "_movers", later)


def base_stays(patch: pytest.MonkeyPatch) -> None:
    """10: after our own write the base is what it was before."""
    patch.setattr(settling, "halves", lambda route, work: ({}, {}))


def whole_thread_again(patch: pytest.MonkeyPatch) -> None:
    """16: where one of several comments is refused, all of them are sent once more."""
    do, done = comments.do, dict[int, list[Any]]()

    async def all_again(thread: Any, action: Any) -> None:
        try:
            await do(thread, action)
        except ConnectorError:
            for earlier in done.pop(id(thread), []):
                await do(thread, earlier)
            raise
        done.setdefault(id(thread), []).append(action)

    patch.setattr(comments, "do", all_again)


def starts_are_attempts(patch: pytest.MonkeyPatch) -> None:
    """17: each start of the program counts as an attempt, and five are the end."""
    begin = upkeep.bury_the_dead

    async def counting(engine: Any) -> None:
        await begin(engine)
        async with engine.database.write() as session:
            await session.execute(update(Mark).values(attempts=Mark.attempts + 1))
            await session.execute(delete(Mark).where(col(Mark.attempts) >= 5))

    patch.setattr(upkeep, "bury_the_dead", counting)


def token_used_first(patch: pytest.MonkeyPatch) -> None:
    """18: whoever renewed the tokens uses them, and stores them some time later."""
    kept = set()

    async def renewed(self: OAuth) -> Any:
        stored = await self._tokens.read()
        if stored is not None and self._is_good(stored):
            return stored
        issued = await self._handed_out(stored)

        async def later() -> None:
            await asyncio.sleep(1)
            async with self._tokens.alone():
                await self._tokens.keep(issued)

        kept.add(asyncio.create_task(later()))
        return issued

    patch.setattr(OAuth, "_renewed", renewed)


def lease_taken_once(patch: pytest.MonkeyPatch) -> None:
    """19: whoever took a mapping holds it until the pass is over, whoever holds it meanwhile."""
    forbidden = permits.Permits._forbidden

    def whoever_holds_it(self: Any, mapping: Any, *others: Any) -> str:
        holder = replace(self.lease, number=mapping.lease_no)
        return forbidden(permits.Permits(self.engine, self.route, holder), mapping, *others)

    patch.setattr(permits.Permits, "_forbidden", whoever_holds_it)
    patch.setattr(Lease, "covers", lambda self, seconds: True)


def mapping_read_once(patch: pytest.MonkeyPatch) -> None:
    """20: what a pass may do is asked when it begins."""

    async def as_it_began(self: Any, sides: Sequence[Side]) -> list[str]:
        connections = {side: self.route.end(side).connection for side in Side}
        return [self._forbidden(self.route.mapping, connections[side], side, False) for side in sides]

    patch.setattr(permits.Permits, "_read", as_it_began)
