"""Reading and writing tasks, so that a lost answer never makes a second one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from connectors.answers import provider_message
from connectors.asana import notes, translate
from connectors.asana.client import Asana
from connectors.asana.polling import OVERLAP
from connectors.asana.tags import Tags
from connectors.asana.translate import Row
from connectors.errors import ConnectorError, OutcomeUnknown, Park, ParkClass, RetryLater
from connectors.http import Answer
from connectors.records import Draft, Fields, Found, Gone, Hidden, Key, Record, Ref, Value
from connectors.richtext import asana_html, mentions

_Call: TypeAlias = tuple[str | None, Callable[[], Awaitable[Row | None]]]
"""(the field at fault if it is refused, the call)."""

_WHOLE = frozenset(
    {"name", "html_notes", "completed", "assignee", "followers", "tags", "memberships", "modified_at"}
)
"""What the answer to a write carries if Asana gave all that we asked for."""


class Tasks:
    """The tasks of one workspace."""

    def __init__(self, asana: Asana, site: str) -> None:
        self._asana = asana
        self._site = site
        self._tags = Tags(asana)
        self._account = ""

    async def account(self) -> str:
        """Our own user id."""
        if not self._account:
            self._account = str((await self._asana.me())["gid"])
        return self._account

    async def record(self, row: Row) -> Record:
        return translate.record(row, self._site, await self.account())

    async def found(self, ref: Ref) -> Found:
        """The task now. Trashed, private and removed tasks look alike (404): only an event proves more."""
        if ref.kind != translate.TASK:
            return Hidden("comments are read with their task")
        row = await self._asana.task(ref.id)
        if not isinstance(row, Answer):
            return await self.record(row)
        if row.status == 410:
            return Gone("Asana answered 410")
        return Hidden(f"Asana answered {row.status}: {provider_message(row.data) or 'not visible'}")

    async def find_created(self, project: str, key: Key, since: datetime) -> Sequence[Record]:
        """Tasks of the project that carry the key and are not known to be made by somebody else."""
        # ``since`` may be by our clock or by Asana's: look from the earlier one.
        since += timedelta(seconds=min(self._asana.clock_offset_s, 0.0)) - OVERLAP
        found: dict[Ref, Record] = {}
        offset = None
        while True:
            page = await self._asana.tasks(project, modified_since=since, offset=offset)
            for row in page.rows:
                record = await self.record(row)
                ours = record.created_by_us or record.author is None
                if ours and record.keys & {key.url, key.token}:
                    found[record.ref] = record
            offset = page.next
            if offset is None:
                return list(found.values())

    async def create(self, project: str, draft: Draft, key: Key) -> Record:
        """Make the task; the back-link in its notes is the key."""
        await self.account()  # a read that could fail: not after the write
        text = str(draft.fields.get("notes") or "")
        labels = translate.names(draft.fields.get("labels"))
        backlink = notes.Backlink(key.url, key.label)
        data = translate.data(draft.fields) | {"projects": [project]}
        data["html_notes"] = notes.compose(asana_html.from_markdown(text), backlink)
        if followers := translate.names(draft.fields.get("followers")):
            data["followers"] = followers
        if labels:
            data["tags"] = await self._tag_gids(labels)
        if draft.section is not None:
            data["memberships"] = [{"project": project, "section": draft.section}]
        try:
            row = await self._asana.create_task(data)
        except Park as refusal:
            # Nothing was made. Once more, where there is another way to say it.
            if refusal.park_class is ParkClass.PERMISSION and refusal.field is None:
                await self._asana.project(project)  # PauseMapping where the project is the reason
                raise
            if refusal.field == "notes":
                del data["html_notes"]
                named = mentions.translated(text, {})
                data["notes"] = "\n\n".join(part for part in (named, backlink.plain()) if part)
            elif refusal.field == "labels" and labels:
                self._tags.forget()
                data["tags"] = await self._tag_gids(labels)
            else:
                raise
            row = await self._asana.create_task(data)
        record = await self._written(row)
        if draft.section is not None and record.places.get(project) != draft.section:
            record = await self._moved(record, project, draft.section)
        return record

    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        """Change these fields: a call for each tag that comes or goes, at last one PUT for the plain ones.

        Raises:
            OutcomeUnknown: also where an earlier call went through and a later one did not.
        """
        if "state" in fields and "state" in expected.read_only:
            reason = "completing or reopening an approval decides it: that is left to people in Asana"
            raise Park(reason, park_class=ParkClass.NOT_SUPPORTED, field="state")
        await self.account()
        data = translate.data(fields)
        labels = _Difference.between("labels", fields, expected)
        followers = _Difference.between("followers", fields, expected)
        calls = [*self._tag_calls(ref, labels.added), *self._follower_calls(ref, followers)]
        if "notes" in fields or labels.removed:
            row = await self._current(ref, expected)
            calls += self._untag_calls(row, labels.removed)
            if "notes" in fields:
                present, backlink = notes.split(translate.html_of(row))
                html = asana_html.from_markdown(str(fields["notes"] or ""), present=present)
                data["html_notes"] = notes.compose(html, backlink)
        if data:
            calls.append((None, partial(self._asana.update_task, ref.id, data)))
        answer = await _in_order(calls)
        if answer is not None:
            now = await self._written(answer, newer_than=expected.version)
        else:
            now = await self._read_back(ref.id)
            now = now if now.version >= expected.version else expected  # a read that lags behind
        # Asana confirmed each element: a read that lags behind would show the old ones.
        sets = {
            difference.field: difference.applied(now.fields.get(difference.field))
            for difference in (labels, followers)
            if difference
        }
        return replace(now, fields={**now.fields, **sets})

    async def delete(self, ref: Ref) -> None:
        """Move the task to our trash, from where a person can bring it back for 30 days."""
        await self._asana.delete_task(ref.id)

    async def _current(self, ref: Ref, expected: Record) -> Row:
        """The task as a write starts from it: at least as new as ``expected``.

        Raises:
            RetryLater: Asana shows an older state, or (yet) nothing.
        """
        row = await self._asana.task(ref.id)
        if isinstance(row, Answer):
            raise RetryLater(f"the task is not visible: Asana answered {row.status}", status=row.status)
        if (await self.record(row)).version < expected.version:
            raise RetryLater("Asana shows the task as it was before")
        return row

    def _tag_calls(self, ref: Ref, names: Collection[str]) -> list[_Call]:
        return [("labels", partial(self._add_tag, ref, name)) for name in names]

    def _untag_calls(self, row: Row, removed: Collection[str]) -> list[_Call]:
        """By the tags on the task: Asana allows several of one name."""
        return [
            ("labels", partial(self._asana.change_set, row["gid"], "removeTag", {"tag": tag["gid"]}))
            for tag in row.get("tags") or ()
            if translate.fold(tag.get("name") or "") in removed
        ]

    def _follower_calls(self, ref: Ref, followers: _Difference) -> list[_Call]:
        return [
            ("followers", partial(self._asana.change_set, ref.id, call, {"followers": sorted(gids)}))
            for call, gids in (("addFollowers", followers.added), ("removeFollowers", followers.removed))
            if gids
        ]

    async def _add_tag(self, ref: Ref, name: str) -> None:
        [gid] = await self._tag_gids([name])
        try:
            await self._asana.change_set(ref.id, "addTag", {"tag": gid})
        except Park:
            self._tags.forget()
            [again] = await self._tag_gids([name])
            if again == gid:
                raise
            await self._asana.change_set(ref.id, "addTag", {"tag": again})

    async def _tag_gids(self, names: Collection[str]) -> list[str]:
        try:
            return list((await self._tags.gids(names)).values())
        except Park as refusal:
            refusal.field = "labels"
            raise

    async def _moved(self, record: Record, project: str, section: str) -> Record:
        """The new task in its section, where Asana did not put it there at once."""
        try:
            await self._asana.move_to_section(record.ref.id, section)
        except ConnectorError:
            # The task is made: one in the wrong section is better than a second one. ``places`` tells.
            return record
        return replace(record, places={**record.places, project: section})

    async def _written(self, row: Row, newer_than: str = "") -> Record:
        """The task out of a write's answer; read again where Asana answered in short."""
        if row.keys() >= _WHOLE:
            return await self.record(row)
        record = await self._read_back(row["gid"])
        if record.version <= newer_than:
            raise OutcomeUnknown("written, but reading it back shows the state before")
        return record

    async def _read_back(self, gid: str) -> Record:
        try:
            row = await self._asana.task(gid)
        except ConnectorError as error:
            raise OutcomeUnknown(f"written, but not read back: {error.reason}") from error
        if isinstance(row, Answer):
            raise OutcomeUnknown(f"written, but not visible: Asana answered {row.status}")
        return await self.record(row)


@dataclass(frozen=True, slots=True)
class _Difference:
    """What has to come to a set and what has to go; names are compared case aside."""

    field: str
    added: Collection[str] = ()
    removed: Collection[str] = ()

    @classmethod
    def between(cls, field: str, fields: Fields, expected: Record) -> _Difference:
        if field not in fields:
            return cls(field)
        wanted = {translate.fold(name): name for name in translate.names(fields[field])}
        present = {translate.fold(name): name for name in translate.names(expected.fields.get(field))}
        return cls(
            field,
            added=[name for key, name in wanted.items() if key and key not in present],
            removed=[key for key in present if key not in wanted],
        )

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def applied(self, value: Value) -> tuple[str, ...]:
        """The set after the difference."""
        kept = {
            key: name for name in translate.names(value) if (key := translate.fold(name)) not in self.removed
        }
        return tuple(sorted({**{translate.fold(name): name for name in self.added}, **kept}.values()))


async def _in_order(calls: Sequence[_Call]) -> Row | None:
    """Make the calls one after the other; what the last one answered.

    Raises:
        Park: naming the field, where one is refused.
        OutcomeUnknown: where one after the first does not go through.
    """
    answer: Row | None = None
    for number, (field, call) in enumerate(calls):
        try:
            answer = await call()
        except Park as refusal:
            refusal.field = refusal.field or field
            raise
        except OutcomeUnknown:
            raise
        except ConnectorError as error:
            if number == 0:
                raise
            reason = f"a part of the update went through, the next did not: {error.reason}"
            raise OutcomeUnknown(reason, status=error.status) from error
    return answer
