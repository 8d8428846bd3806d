"""What projects are made of: their sections and custom fields, remembered for some minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.asana.client import Asana
from connectors.asana.custom_fields import VALUE_FIELDS, CustomField, custom_field, present_options
from connectors.asana.translate import FIELDS, TASK_FIELDS, Row
from connectors.errors import PauseMapping
from connectors.records import FieldKind, FieldSpec

KEPT_S = 300.0
"""What people rename or add shows after this time, unless a task shows it before."""


@dataclass(frozen=True, slots=True)
class Project:
    """``sections``: names by id, in order; ``custom``: fields by id."""

    row: Row
    sections: Mapping[str, str]
    custom: Mapping[str, CustomField]

    @property
    def specs(self) -> list[FieldSpec]:
        section = FieldSpec(name="section", kind=FieldKind.CHOICE, label="Section", options=self.sections)
        return [*FIELDS, section, *(field.spec for field in self.custom.values())]


class Projects:
    """The projects that somebody asked for.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, asana: Asana, clock: Callable[[], float] = time.monotonic) -> None:
        self._asana = asana
        self._clock = clock
        self._known: dict[str, tuple[Project, float]] = {}
        self._met: set[str] = set()
        self._reading = asyncio.Lock()

    @property
    def task_fields(self) -> tuple[str, ...]:
        """``opt_fields`` of a task. Values cost quota: they are asked for where a project has such fields."""
        has_custom = any(project.custom for project, _ in self._known.values())
        return TASK_FIELDS + VALUE_FIELDS if has_custom else TASK_FIELDS

    async def of(self, gid: str) -> Project:
        """The project as it was some minutes ago at most.

        Raises:
            PauseMapping: gone, not visible to the account, or archived.
        """
        async with self._reading:
            known = self._known.get(gid)
            if known is None or self._clock() - known[1] >= KEPT_S:
                at = self._clock()
                self._known[gid] = known = (await self._read(gid), at)
        return known[0]

    def custom_field(self, gid: str) -> CustomField | None:
        """The field, if one of the projects has it."""
        return next(
            (project.custom[gid] for project, _ in self._known.values() if gid in project.custom), None
        )

    def project_of(self, section: str) -> str | None:
        """The project that has the section."""
        return next((gid for gid, (project, _) in self._known.items() if section in project.sections), None)

    def forget(self) -> None:
        """Something here was refused, or changed: what is remembered may be out of date."""
        self._known = {gid: (project, float("-inf")) for gid, (project, _) in self._known.items()}

    def meet(self, row: Row) -> bool:
        """Whether a task shows a section or an option for the first time, made since the project was read."""
        new = self._unknown(row) - self._met
        if new:
            self._met |= new
            self.forget()
        return bool(new)

    async def _read(self, gid: str) -> Project:
        (row, _), sections, settings = await asyncio.gather(
            self._asana.project(gid), self._asana.sections(gid), self._asana.custom_field_settings(gid)
        )
        if row.get("archived") is True:
            name = row.get("name") or gid
            raise PauseMapping(
                f"the Asana project {name} is archived: bring it back, then resume the mapping"
            )
        fields = [field for setting in settings if (field := custom_field(setting)) is not None]
        return Project(
            row,
            {section["gid"]: section.get("name") or "" for section in sections},
            {field.gid: field for field in fields},
        )

    def _unknown(self, row: Row) -> set[str]:
        found: set[str] = set()
        for membership in row.get("memberships") or ():
            project = (membership.get("project") or {}).get("gid")
            section = (membership.get("section") or {}).get("gid")
            known = self._known.get(str(project))
            if known is not None and section and section not in known[0].sections:
                found.add(section)
        for project, _ in self._known.values():
            for gid, field in project.custom.items():
                found |= {str(option["gid"]) for option in present_options(row, gid)} - field.known
        return found
