"""Changing a task: one PUT for what stands in it, a move, a call for each element that comes or goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from connectors.asana import notes, translate
from connectors.asana.client import Asana
from connectors.asana.custom_fields import (
    PREFIX,
    VALUE_FIELDS,
    CustomField,
    custom_values,
    present_options,
)
from connectors.asana.dates import date_data
from connectors.asana.names import elements, fold
from connectors.asana.projects import Projects
from connectors.asana.refusals import custom_named
from connectors.asana.tags import Tags
from connectors.asana.translate import Row
from connectors.errors import ConnectorError, OutcomeUnknown, Park, ParkClass, ReplanNeeded
from connectors.records import BLOCKED_BY, PARENT, FieldKind, Fields, Record, Ref, Value
from connectors.richtext import asana_html

Call: TypeAlias = tuple[str | None, Callable[[], Awaitable[Row | None]]]
"""(the field at fault if it is refused, the call)."""

ALL_FIELDS = translate.TASK_FIELDS + VALUE_FIELDS
"""``opt_fields`` of a task that is read or written by itself."""

_LISTS = frozenset({FieldKind.SET, FieldKind.PEOPLE})
_REFUSED = 400
_IN_A_CIRCLE = (
    "No task can wait for itself, be it by way of others, and a task has thirty dependencies and dependents "
    "at most: take one away on one of the sides."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to come to a set and what has to go; names are compared case aside."""

    field: str
    added: Collection[str] = ()
    removed: Collection[str] = ()

    @classmethod
    def between(cls, field: str, fields: Fields, expected: Record) -> Difference:
        if field not in fields:
            return cls(field)
        wanted = {fold(name): name for name in elements(fields[field])}
        present = {fold(name): name for name in elements(expected.fields.get(field))}
        return cls(
            field,
            added=[name for key, name in wanted.items() if key and key not in present],
            removed=[key for key in present if key not in wanted],
        )

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def applied(self, value: Value) -> tuple[str, ...]:
        """The set after the difference."""
        kept = {key: name for name in elements(value) if (key := fold(name)) not in self.removed}
        return tuple(sorted({**{fold(name): name for name in self.added}, **kept}.values()))


class Edits:
    """The calls that change a task of one workspace."""

    def __init__(self, asana: Asana, projects: Projects, tags: Tags) -> None:
        self._asana = asana
        self._projects = projects
        self._tags = tags

    async def learn(self, fields: Fields, projects: Collection[str]) -> None:
        """Read what writing these fields needs to know of the task's projects: before anything is written.

        A section or option that is not known may be new: then the projects are read once more.
        """
        custom = [name for name in fields if name.startswith(PREFIX)]
        section = fields.get("section")

        def enough() -> bool:
            known = section is None or self._projects.project_of(str(section)) is not None
            found = {name: self._projects.custom_field(name.removeprefix(PREFIX)) for name in custom}
            return known and all(
                field is not None and field.offers(fields[name]) for name, field in found.items()
            )

        await self._projects.learn(projects, enough)
        if not enough():
            self._projects.forget()
            await self._projects.learn(projects, enough)

    def data(self, fields: Fields, expected: Record | None, row: Row | None) -> dict[str, Any]:
        """The payload of the plain fields.

        Args:
            expected: the task as it stands; None: it is being made.
            row: the same as Asana's, where fields need it.

        Raises:
            Park: a value that Asana would refuse, or do something else with.
        """
        written = translate.data(fields) | date_data(fields, expected.fields if expected else {})
        custom = {name: value for name, value in fields.items() if name.startswith(PREFIX)}
        if custom:
            written["custom_fields"] = {
                field.gid: self._custom(field, value, expected, row)
                for name, value in custom.items()
                for field in [self._field(name)]
            }
        return written

    def needs_row(self, fields: Fields) -> bool:
        """Whether a field is replaced whole and must be put together from what stands there now."""
        return "notes" in fields or any(
            self._field(name).spec.kind in _LISTS for name in fields if name.startswith(PREFIX)
        )

    def _field(self, name: str) -> CustomField:
        field = self._projects.custom_field(name.removeprefix(PREFIX))
        if field is None:
            reason = f"none of the synced projects has the custom field {name.removeprefix(PREFIX)}"
            fix = "Add the field to the project in Asana, or take it out of the mapping."
            raise Park(reason, park_class=ParkClass.NOT_SUPPORTED, field=name, fix=fix)
        return field

    def _custom(self, field: CustomField, value: Value, expected: Record | None, row: Row | None) -> Any:
        """Lists replace what stands there: they are written as that, with the difference to ``expected``."""
        name = field.spec.name
        if field.spec.kind in _LISTS and expected is not None and row is not None:
            difference = Difference.between(name, {name: value}, expected)
            value = difference.applied(custom_values(row).get(name))
        return field.data(value, present_options(row or {}, field.gid))

    def move(self, ref: Ref, fields: Fields, expected: Record) -> tuple[list[Call], dict[str, str | None]]:
        """The call that moves the task, and where it lies then.

        Raises:
            Park: no section at all, or one of a project that nobody asked for.
            ReplanNeeded: the task is not in the section's project any more; moving would add it again.
        """
        section = fields.get("section")
        if section is None and "section" in fields:
            reason = "a task in a project always lies in a section"
            raise Park(reason, park_class=ParkClass.NOT_SUPPORTED, field="section")
        if section is None:
            return [], {}
        project = self._projects.project_of(str(section))
        if project is None:
            raise Park(f"none of the synced projects has the section {section}", field="section")
        if project not in expected.places:
            raise ReplanNeeded("the task is no longer in the section's project")
        call: Call = ("section", partial(self._asana.move_to_section, ref.id, str(section)))
        return [call] if expected.places[project] != section else [], {project: str(section)}

    def add_tags(self, ref: Ref, names: Collection[str]) -> list[Call]:
        return [("labels", partial(self._add_tag, ref, name)) for name in names]

    def remove_tags(self, row: Row, removed: Collection[str]) -> list[Call]:
        """By the tags on the task: Asana allows several of one name."""
        return [
            ("labels", partial(self._asana.change_set, row["gid"], "removeTag", {"tag": tag["gid"]}))
            for tag in row.get("tags") or ()
            if fold(tag.get("name") or "") in removed
        ]

    def change_followers(self, ref: Ref, followers: Difference) -> list[Call]:
        return [
            ("followers", partial(self._asana.change_set, ref.id, call, {"followers": sorted(gids)}))
            for call, gids in (("addFollowers", followers.added), ("removeFollowers", followers.removed))
            if gids
        ]

    def change_dependencies(self, ref: Ref, awaited: Difference) -> list[Call]:
        """What is waited for no longer goes first: a task can have thirty."""
        return [
            (BLOCKED_BY, partial(self._change_dependencies, ref, call, sorted(gids)))
            for call, gids in (("removeDependencies", awaited.removed), ("addDependencies", awaited.added))
            if gids
        ]

    def set_parent(self, ref: Ref, fields: Fields, expected: Record) -> list[Call]:
        parent = fields.get(PARENT)
        if PARENT not in fields or parent == expected.fields.get(PARENT):
            return []
        return [(PARENT, partial(self._set_parent, ref, None if parent is None else str(parent)))]

    def put(self, ref: Ref, data: Row) -> Call:
        return None, partial(self._asana.update_task, ref.id, data, ALL_FIELDS)

    async def in_order(self, calls: Sequence[Call], fields: Fields) -> list[Row | None]:
        """Make the calls one after the other; what each one answered.

        Raises:
            Park: naming the field, where one is refused.
            OutcomeUnknown: where one after the first does not go through.
        """
        answers: list[Row | None] = []
        for number, (field, call) in enumerate(calls):
            try:
                answers.append(await call())
            except Park as refusal:
                self._projects.forget()  # an option or a section may be gone
                refusal.field = refusal.field or field or custom_named(refusal.provider_message, fields)
                raise
            except OutcomeUnknown:
                raise
            except ConnectorError as error:
                if number == 0:
                    raise
                reason = f"a part of the update went through, the next did not: {error.reason}"
                raise OutcomeUnknown(reason, status=error.status) from error
        return answers

    async def _change_dependencies(self, ref: Ref, call: str, gids: Sequence[str]) -> None:
        """One call for all; where Asana refuses them together, those are made that it takes alone.

        Raises:
            Park: one of them is refused.
        """
        try:
            await self._asana.change_set(ref.id, call, {"dependencies": gids})
        except Park as refusal:
            if refusal.status != _REFUSED:
                raise
            refusal.fix = _IN_A_CIRCLE
            if len(gids) > 1:
                for gid in gids:
                    with suppress(Park):
                        await self._asana.change_set(ref.id, call, {"dependencies": [gid]})
            raise

    async def _set_parent(self, ref: Ref, parent: str | None) -> None:
        """Raises Park: also where Asana's message does not say what is wrong with the place."""
        try:
            await self._asana.set_parent(ref.id, parent)
        except Park as refusal:
            if refusal.status == _REFUSED:
                refusal.fix = (
                    "A task cannot lie below itself, and subtasks go five levels deep at most: move it, or "
                    "what is above it, on one of the sides."
                )
            raise

    async def _add_tag(self, ref: Ref, name: str) -> None:
        [gid] = await self.tag_gids([name])
        try:
            await self._asana.change_set(ref.id, "addTag", {"tag": gid})
        except Park:
            self._tags.forget()
            [again] = await self.tag_gids([name])
            if again == gid:
                raise
            await self._asana.change_set(ref.id, "addTag", {"tag": again})

    async def tag_gids(self, names: Collection[str]) -> list[str]:
        try:
            return list((await self._tags.gids(names)).values())
        except Park as refusal:
            refusal.field = "labels"
            raise

    def forget_tags(self) -> None:
        """Somebody deleted a tag that we remember."""
        self._tags.forget()


def html_notes(text: Value, row: Row, *, ours: bool, key: notes.Backlink | None = None) -> str:
    """New notes over those that stand there: with their last line, in their own words where they may stay.

    ``key``: the line of a task that is known by nothing else; where somebody took it away it comes back.
    """
    present, backlink = notes.split(translate.html_of(row), ours=ours)
    return notes.compose(asana_html.from_markdown(str(text or ""), present=present), backlink or key)


def with_sets(record: Record, *differences: Difference) -> Record:
    """Asana confirmed each element: a read that lags behind would show the old ones."""
    sets = {each.field: each.applied(record.fields.get(each.field)) for each in differences if each}
    return replace(record, fields={**record.fields, **sets})
