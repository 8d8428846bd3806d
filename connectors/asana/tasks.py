"""Reading and writing tasks, so that a lost answer never makes a second one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.answers import Answer, provider_message
from connectors.asana import notes, translate
from connectors.asana.client import Asana
from connectors.asana.dates import DATE_FIELDS
from connectors.asana.edits import ALL_FIELDS, Difference, Edits, html_notes, with_sets
from connectors.asana.names import elements
from connectors.asana.polling import OVERLAP
from connectors.asana.projects import Projects
from connectors.asana.refusals import custom_named
from connectors.asana.tags import Tags
from connectors.asana.translate import EXTERNAL_PREFIX, Row
from connectors.errors import ConnectorError, OutcomeUnknown, Park, ParkClass, RetryLater
from connectors.records import BLOCKED_BY, PARENT, Draft, Fields, Found, Gone, Hidden, Key, Record, Ref
from connectors.richtext import asana_html, mentions

_WHOLE = frozenset(
    {"name", "html_notes", "completed", "assignee", "followers", "tags", "memberships", "modified_at"}
)
"""What the answer to a write carries if Asana gave all that we asked for."""
_ANSWERED = frozenset({*DATE_FIELDS, "custom_fields"})
"""What it carries if that was written."""
_NEEDED = frozenset({"name", "html_notes", "notes", "projects", "external", "memberships"})
"""What a task is made with where Asana refuses the rest."""


class Tasks:
    """The tasks of one workspace.

    Args:
        hides_keys: whether Asana keeps ``external`` data for us, as it does with OAuth alone.
    """

    def __init__(self, asana: Asana, site: str, projects: Projects, *, hides_keys: bool = False) -> None:
        self._asana = asana
        self._site = site
        self._projects = projects
        self._hides_keys = hides_keys
        self._edits = Edits(asana, projects, Tags(asana))
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
        row = await self._asana.task(ref.id, ALL_FIELDS)
        if not isinstance(row, Answer):
            return await self.record(row)
        if row.status == 410:
            return Gone("Asana answered 410")
        return Hidden(f"Asana answered {row.status}: {provider_message(row.data) or 'not visible'}")

    async def find_created(self, project: str, key: Key, since: datetime) -> Sequence[Record]:
        """Tasks of the project that carry the key and are not known to be made by somebody else."""
        if self._hides_keys:
            row = await self._asana.task(f"external:{EXTERNAL_PREFIX}{key.token}", ALL_FIELDS)
            if not isinstance(row, Answer):
                return [await self.record(row)]
        # ``since`` may be by our clock or by Asana's: look from the earlier one.
        since += timedelta(seconds=min(self._asana.clock_offset_s, 0.0)) - OVERLAP
        found: dict[Ref, Record] = {}
        fields = (await self._projects.of(project)).task_fields
        offset = None
        while True:
            page = await self._asana.tasks(project, fields, modified_since=since, offset=offset)
            for row in page.rows:
                record = await self.record(row)
                ours = record.created_by_us or record.author is None
                if ours and record.keys & {key.url, key.token}:
                    found[record.ref] = record
            offset = page.next
            if offset is None:
                return list(found.values())

    async def create(self, project: str, draft: Draft, key: Key) -> Record:
        """Make the task. Its key is hidden in ``external`` where Asana keeps that, else the back-link."""
        await self.account()  # reads that could fail: not after the write
        await self._edits.learn(draft.fields, [project])
        text = str(draft.fields.get("notes") or "")
        section = draft.fields.get("section") or draft.section
        labels = elements(draft.fields.get("labels"))
        backlink = notes.Backlink(key.url, key.label) if key.backlink or not self._hides_keys else None
        data = self._new(draft.fields, whole=draft.whole) | {"projects": [project]}
        data["html_notes"] = notes.compose(asana_html.from_markdown(text), backlink)
        if self._hides_keys:
            data["external"] = {"gid": f"{EXTERNAL_PREFIX}{key.token}", "data": key.url}
        if followers := elements(draft.fields.get("followers")):
            data["followers"] = followers
        if labels:
            data["tags"] = await self._edits.tag_gids(labels)
        if section is not None:
            data["memberships"] = [{"project": project, "section": section}]
        try:
            row = await self._asana.create_task(data, ALL_FIELDS)
        except Park as refusal:
            # Nothing was made. Once more, where there is another way to say it.
            refusal.field = refusal.field or custom_named(refusal.provider_message, draft.fields)
            if refusal.park_class is ParkClass.PERMISSION and refusal.field is None:
                await self._asana.project(project)  # PauseMapping where the project is the reason
            if refusal.field == "notes":
                del data["html_notes"]
                line = backlink.plain() if backlink else ""
                data["notes"] = "\n\n".join(part for part in (mentions.translated(text, {}), line) if part)
            elif refusal.field == "labels" and labels:
                self._edits.forget_tags()
                data["tags"] = await self._edits.tag_gids(labels)
            else:
                self._projects.forget()
                if draft.whole or data.keys() <= _NEEDED:
                    raise
                # one value that is refused keeps no task away: each is written by itself, and waits alone
                data = {name: value for name, value in data.items() if name in _NEEDED}
            row = await self._asana.create_task(data, ALL_FIELDS)
        record = await self._written(row)
        if section is not None and record.places.get(project) != section:
            record = await self._moved(record, project, str(section))
        return record

    def _new(self, fields: Fields, *, whole: bool) -> dict[str, Any]:
        """The payload of those fields that can be written; the others wait, each by itself."""
        try:
            data = self._edits.data(fields, None, None)
        except Park as refusal:
            if whole or refusal.field not in fields:
                raise
            others = {name: value for name, value in fields.items() if name != refusal.field}
            return self._new(others, whole=False)
        # what has no value needs none: a field that nobody may write refuses even that
        if custom := data.pop("custom_fields", {}):
            data["custom_fields"] = {gid: value for gid, value in custom.items() if value is not None}
        return data

    async def update(self, ref: Ref, fields: Fields, expected: Record) -> Record:
        """Change these fields, and leave alone what they do not name.

        Raises:
            OutcomeUnknown: also where an earlier call went through and a later one did not.
        """
        _check_writable(fields, expected)
        await self.account()
        await self._edits.learn(fields, expected.places)
        moves, places = self._edits.move(ref, fields, expected)
        labels, followers, awaited = (
            Difference.between(name, fields, expected) for name in ("labels", "followers", BLOCKED_BY)
        )
        row = None
        if labels.removed or self._edits.needs_row(fields):
            row = await self._current(ref, expected)
        data = self._edits.data(fields, expected, row)
        if row is not None and "notes" in fields:
            ours, shown = expected.created_by_us, expected.backlink
            key = notes.Backlink(shown.url, shown.label) if ours and shown and not self._hides_keys else None
            data["html_notes"] = html_notes(fields["notes"], row, ours=ours, key=key)
        # What overwrites a whole value comes first, nearest to the reading; elements of sets can wait.
        calls = [self._edits.put(ref, data)] if data else []
        calls += [*moves, *self._edits.set_parent(ref, fields, expected)]
        calls += [*self._edits.add_tags(ref, labels.added), *self._edits.change_followers(ref, followers)]
        calls += self._edits.remove_tags(row, labels.removed) if row is not None else []
        calls += self._edits.change_dependencies(ref, awaited)
        answers = await self._edits.in_order(calls, fields)
        if data and answers[0] is not None:
            now = await self._written(answers[0], newer_than=expected.version, also=data)
        else:
            now = await self._as_it_is(ref, expected)
        confirmed = {PARENT: fields[PARENT]} if PARENT in fields else {}
        now = replace(now, places={**now.places, **places}, fields={**now.fields, **confirmed})
        return with_sets(now, labels, followers, awaited)

    async def _as_it_is(self, ref: Ref, expected: Record) -> Record:
        """After calls that all were confirmed: what they did is known, if the rest cannot be read now."""
        try:
            now = await self._read_back(ref.id)
        except OutcomeUnknown:
            return expected
        return now if now.version >= expected.version else expected  # a read that lags behind

    async def delete(self, ref: Ref) -> None:
        """Move the task to our trash, from where a person can bring it back for 30 days."""
        await self._asana.delete_task(ref.id)

    async def _current(self, ref: Ref, expected: Record) -> Row:
        """The task as a write starts from it: at least as new as ``expected``.

        Raises:
            RetryLater: Asana shows an older state, or (yet) nothing.
        """
        row = await self._asana.task(ref.id, ALL_FIELDS)
        if isinstance(row, Answer):
            raise RetryLater(f"the task is not visible: Asana answered {row.status}", status=row.status)
        if (await self.record(row)).version < expected.version:
            raise RetryLater("Asana shows the task as it was before")
        return row

    async def _moved(self, record: Record, project: str, section: str) -> Record:
        """The new task in its section, where Asana did not put it there at once."""
        try:
            await self._asana.move_to_section(record.ref.id, section)
        except ConnectorError:
            # The task is made: one in the wrong section is better than a second one. ``places`` tells.
            return record
        return replace(record, places={**record.places, project: section})

    async def _written(self, row: Row, newer_than: str = "", also: Collection[str] = ()) -> Record:
        """The task out of a write's answer; read again where Asana answered in short.

        Args:
            also: parameters that were written.
        """
        if row.keys() >= _WHOLE | (_ANSWERED & set(also)):
            return await self.record(row)
        record = await self._read_back(row["gid"])
        if record.version <= newer_than:
            raise OutcomeUnknown("written, but reading it back shows the state before")
        return record

    async def _read_back(self, gid: str) -> Record:
        try:
            row = await self._asana.task(gid, ALL_FIELDS)
        except ConnectorError as error:
            raise OutcomeUnknown(f"written, but not read back: {error.reason}") from error
        if isinstance(row, Answer):
            raise OutcomeUnknown(f"written, but not visible: Asana answered {row.status}")
        return await self.record(row)


def _check_writable(fields: Fields, expected: Record) -> None:
    """Raises Park: a field that this very task keeps to itself."""
    if "state" in fields and "state" in expected.read_only:
        reason = "completing or reopening an approval decides it: that is left to people in Asana"
        raise Park(reason, park_class=ParkClass.NOT_SUPPORTED, field="state")
    if fields.get("start") is not None and "start" in expected.read_only:
        reason = "a milestone is a single moment: it has a due date and no start"
        raise Park(reason, park_class=ParkClass.NOT_SUPPORTED, field="start")
