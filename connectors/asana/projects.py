"""What projects are made of: their sections and custom fields, remembered for some minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from connectors.asana.client import Asana
from connectors.asana.custom_fields import VALUE_FIELDS, CustomField, custom_field
from connectors.asana.translate import FIELDS, TASK_FIELDS, Row
from connectors.errors import PauseMapping
from connectors.records import FieldKind, FieldSpec

KEPT_S = 300.0
"""What people rename or add shows after this time, or as soon as somebody needs it."""


@dataclass(frozen=True, slots=True)
class Project:
    """``sections``: names by id, in order; ``custom``: fields by id."""

    row: Row
    sections: Mapping[str, str]
    custom: Mapping[str, CustomField]

    @property
    def specs(self) -> list[FieldSpec]:
        """The fields of its tasks."""
        section = FieldSpec(name="section", kind=FieldKind.CHOICE, label="Section", options=self.sections)
        return [*FIELDS, section, *(field.spec for field in self.custom.values())]

    @property
    def task_fields(self) -> tuple[str, ...]:
        """``opt_fields`` of its listing. Values cost quota in every row: only where there are such fields."""
        return TASK_FIELDS + VALUE_FIELDS if self.custom else TASK_FIELDS


class Projects:
    """The projects that somebody asked for.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, asana: Asana, clock: Callable[[], float] = time.monotonic) -> None:
        self._asana = asana
        self._clock = clock
        self._known: dict[str, tuple[Project, float]] = {}
        self._reading = asyncio.Lock()

    async def of(self, gid: str) -> Project:
        """The project as it was some minutes ago at most.

        Raises:
            PauseMapping: gone, or not visible to the account.
        """
        async with self._reading:
            known = self._known.get(gid)
            if known is None or self._clock() - known[1] >= KEPT_S:
                at = self._clock()
                self._known[gid] = known = (await self._read(gid), at)
        return known[0]

    async def in_use(self, gid: str) -> Project:
        """The same of a project that people work in.

        Raises:
            PauseMapping: gone, not visible to the account, or archived.
        """
        project = await self.of(gid)
        if project.row.get("archived") is True:
            self.forget()
            name = project.row.get("name") or gid
            raise PauseMapping(f"the Asana project {name} is archived: restore it, then resume the mapping")
        return project

    async def learn(self, gids: Iterable[str], enough: Callable[[], bool]) -> None:
        """Read projects until that is enough; one that cannot be seen tells nothing."""
        for gid in gids:
            if enough():
                return
            try:
                await self.of(gid)
            except PauseMapping:
                continue

    def custom_field(self, gid: str) -> CustomField | None:
        """The field, if one of the known projects has it."""
        return next(
            (project.custom[gid] for project, _ in self._known.values() if gid in project.custom), None
        )

    def project_of(self, section: str) -> str | None:
        """The project that has the section, if it is known."""
        return next((gid for gid, (project, _) in self._known.items() if section in project.sections), None)

    def forget(self) -> None:
        """Something was refused, or changed: what is remembered may be out of date."""
        self._known = {gid: (project, float("-inf")) for gid, (project, _) in self._known.items()}

    async def _read(self, gid: str) -> Project:
        row, _ = await self._asana.project(gid)  # by itself: where there is none, this call says so
        sections, settings = await asyncio.gather(
            self._asana.sections(gid), self._asana.custom_field_settings(gid)
        )
        fields = [field for setting in settings if (field := custom_field(setting)) is not None]
        return Project(
            row,
            {section["gid"]: section.get("name") or "" for section in sections},
            {field.gid: field for field in fields},
        )
