"""Custom fields: how they are defined, what a task shows of them, and the history they leave.

https://developers.asana.com/docs/custom-fields-guide
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from connectors.asana.simulated_consequences import story_dates
from connectors.asana.simulated_records import Link, Task, rfc3339
from connectors.simulation import Refused

CustomValue: TypeAlias = str | float | date | tuple[str, ...] | None
"""Text, a number, an option's gid, a day or moment, or the gids of options, people or tasks."""

_STORED_AS = {"formula": "number", "custom_id": "text"}
"""Fields that Asana fills in are told by ``representation_type``; their type is that of their value."""
_LISTS = ("multi_enum", "people", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumOption:
    """One choice; it is never deleted, only disabled."""

    gid: str
    name: str
    enabled: bool = True

    def record(self) -> dict[str, Any]:
        return {
            "gid": self.gid,
            "resource_type": "enum_option",
            "name": self.name,
            "enabled": self.enabled,
            "color": "none",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """``kind``: text, number, enum, multi_enum, date, people, reference, formula or custom_id.

    ``locked``: the account may not change its values (403). ``formula`` is computed from the task's
    other values.
    """

    gid: str
    name: str
    kind: str
    options: tuple[EnumOption, ...] = ()
    precision: int = 0
    format: str = "none"
    currency_code: str | None = None
    id_prefix: str | None = None
    locked: bool = False
    formula: Callable[[Mapping[str, CustomValue]], float | None] | None = None

    @property
    def type(self) -> str:
        return _STORED_AS.get(self.kind, self.kind)

    @property
    def is_read_only(self) -> bool:
        return self.kind in _STORED_AS

    def option(self, gid: object) -> EnumOption | None:
        return next((option for option in self.options if option.gid == gid), None)

    def rounded(self, number: float) -> float:
        """As Asana keeps it; a percentage counts its places behind "%"."""
        return round(number, self.precision + (2 if self.format == "percentage" else 0))

    def definition(self) -> dict[str, Any]:
        """The field without a value, as its settings show it."""
        record: dict[str, Any] = {
            "gid": self.gid,
            "resource_type": "custom_field",
            "resource_subtype": self.type,
            "type": self.type,
            "representation_type": self.kind,
            "name": self.name,
            "is_formula_field": self.kind == "formula",
            "is_value_read_only": self.is_read_only,
        }
        if self.type in ("enum", "multi_enum"):
            record["enum_options"] = [option.record() for option in self.options]
        if self.type == "number":
            record |= {
                "precision": self.precision,
                "format": self.format,
                "currency_code": self.currency_code,
            }
        if self.kind == "custom_id":
            record["id_prefix"] = self.id_prefix
        return record

    def value_of(self, task: Task) -> CustomValue:
        """What stands there, what Asana computes included."""
        if self.kind == "formula" and self.formula is not None:
            return self.formula(task.custom)
        return task.custom.get(self.gid)

    def on(self, task: Task) -> dict[str, Any]:
        """The field with its value, as a task shows it."""
        value = self.value_of(task)
        shown = self.definition() | {"enabled": True, "display_value": self._display(task, value)}
        if self.kind == "custom_id":
            return shown | {"text_value": None}
        return shown | self._typed(value)

    def changed(self, old: CustomValue, new: CustomValue) -> tuple[str, dict[str, Any]]:
        """The story of a change: subtype and values. Of references Asana tells no values."""
        told: dict[str, Any] = {"custom_field": self.definition()}
        if self.type == "date":
            told |= {"old_date_value": _story_date(old), "new_date_value": _story_date(new)}
        elif self.type != "reference":
            told |= {f"old_{name}": value for name, value in self._typed(old).items()}
            told |= {f"new_{name}": value for name, value in self._typed(new).items()}
        return f"{self.type}_custom_field_changed", told

    def _typed(self, value: CustomValue) -> dict[str, Any]:
        """``{type}_value`` as JSON has it."""
        match self.type:
            case "enum":
                option = self.option(value)
                return {"enum_value": option.record() if option else None}
            case "multi_enum":
                return {
                    "multi_enum_values": [one.record() for one in self.options if one.gid in _gids(value)]
                }
            case "people":
                return {"people_value": [Link("user", gid) for gid in _gids(value)]}
            case "reference":
                return {"reference_value": [Link("task", gid) for gid in _gids(value)]}
            case "date":
                return {"date_value": _date_value(value)}
        return {f"{self.type}_value": value}

    def _display(self, task: Task, value: CustomValue) -> str | None:
        """For people: rounded, with the separators of a language, options by name."""
        if self.kind == "custom_id":
            return f"{self.id_prefix}-{task.gid.removeprefix('120000000000').lstrip('0')}"
        if value is None or value == ():
            return None
        if isinstance(value, tuple):
            return ", ".join(option.name for option in self.options if option.gid in value) or ", ".join(
                value
            )
        if isinstance(value, date):
            return value.strftime("%d.%m.%Y")
        if isinstance(value, str):
            option = self.option(value)
            return option.name if option else value
        factor, unit = (100, "%") if self.format == "percentage" else (1, "")
        return f"{value * factor:,.{self.precision}f}{unit}"


def empty(field: CustomField) -> CustomValue:
    """The value of a field that nobody has filled in."""
    return () if field.type in _LISTS else None


def unattached(gid: str) -> Refused:
    return Refused(400, f"custom_fields: Custom field with ID {gid} is not on given object")


def _story_date(value: CustomValue) -> dict[str, Any]:
    """Stories tell a date in the words of due dates."""
    moment = value if isinstance(value, datetime) else None
    day = value if isinstance(value, date) and moment is None else None
    return story_dates(start_on=None, due_at=moment, due_on=day)


def _gids(value: CustomValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _date_value(value: CustomValue) -> dict[str, str | None] | None:
    if isinstance(value, datetime):
        return {"date": value.date().isoformat(), "date_time": rfc3339(value)}
    return {"date": value.isoformat(), "date_time": None} if isinstance(value, date) else None
