"""Custom fields: their definitions in a project, their values on a task, and how they are written. Pure.

Values are read from ``{type}_value``: ``display_value`` is rounded and in somebody's language. Formulas
and ids are Asana's own, references lead to objects that nobody syncs: these three are read only.
https://developers.asana.com/docs/custom-fields-guide
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.asana.dates import day_or_moment, is_moment, same_date
from connectors.asana.names import elements, fold, same_elements
from connectors.errors import Park, ParkClass
from connectors.records import FieldKind, FieldSpec, Value

PREFIX = "custom:"
"""Our name of a custom field is this and its gid."""

VALUE_FIELDS = tuple(
    f"custom_fields.{name}"
    for name in (
        "resource_subtype",
        "representation_type",
        "is_value_read_only",
        "enabled",
        "text_value",
        "number_value",
        "enum_value",
        "multi_enum_values.name",
        "date_value",
        "people_value",
        "reference_value.name",
        "display_value",
    )
)
"""``opt_fields`` of the values on a task."""

SETTING_FIELDS = tuple(
    f"custom_field.{name}"
    for name in (
        "name",
        "resource_subtype",
        "representation_type",
        "is_value_read_only",
        "enum_options.name",
        "enum_options.enabled",
        "precision",
        "format",
    )
)
"""``opt_fields`` of the fields of a project."""

_KINDS = {
    "text": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "enum": FieldKind.CHOICE,
    "multi_enum": FieldKind.SET,
    "date": FieldKind.DATE,
    "people": FieldKind.PEOPLE,
    "reference": FieldKind.SET,
}
_ASANA_S_OWN = frozenset({"formula", "custom_id"})


@dataclass(frozen=True, slots=True)
class CustomField:
    """One field of a project.

    ``places`` are the decimal places of a number, None for other fields. ``spec.options`` are those that
    can be chosen.
    """

    gid: str
    type: str
    spec: FieldSpec
    places: int | None = None

    def data(self, value: Value, present: Sequence[Mapping[str, Any]]) -> Any:
        """The value as Asana takes it.

        Args:
            present: the options that stand on the task: they may stay, disabled or not.

        Raises:
            Park: an option that nobody can choose, or a field that only Asana writes.
        """
        if not self.spec.writable:
            raise self._refused(
                f"only Asana writes the field {self.spec.label}", "Map it towards Asana no more."
            )
        match self.type:
            case "enum":
                if value is not None and value not in self.spec.options and value not in _gids(present):
                    raise self._no_option(value)
            case "multi_enum":
                return [self._option(name, present) for name in elements(value)]
            case "people":
                return list(elements(value))
            case "date":
                return None if value is None else {"date_time" if is_moment(value) else "date": value}
            case "text":
                return value or None
        return value

    def offers(self, value: Value) -> bool:
        """Whether all that the value names can be chosen."""
        if self.type == "enum":
            return value is None or value in self.spec.options
        if self.type == "multi_enum":
            return {fold(name) for name in elements(value)} <= {
                fold(name) for name in self.spec.options.values()
            }
        return True

    def same(self, sent: Value, read: Value) -> bool:
        """Whether what is read can be what was sent, after Asana's own rounding."""
        match self.type:
            case "text":
                return _comparable(sent) == _comparable(read)
            case "number" if isinstance(sent, int | float) and isinstance(read, int | float):
                return abs(sent - read) <= 0.5000001 * 10.0 ** -(self.places or 0)
            case "multi_enum" | "reference":
                return same_elements(sent, read)
            case "people":
                return set(elements(sent)) == set(elements(read))
            case "date":
                return same_date(sent, read)
        return sent == read

    def _option(self, name: str, present: Sequence[Mapping[str, Any]]) -> str:
        standing = {str(option.get("name")): str(option["gid"]) for option in present}
        choices = {label: gid for gid, label in self.spec.options.items()} | standing
        for label, gid in choices.items():
            if fold(label) == fold(name):
                return gid
        raise self._no_option(name)

    def _no_option(self, value: Value) -> Park:
        names = ", ".join(self.spec.options.values()) or "none"
        return self._refused(
            f"the field {self.spec.label} has no option {value} that can be chosen; there are: {names}",
            "Add or enable the option in Asana, then retry.",
        )

    def _refused(self, reason: str, fix: str) -> Park:
        return Park(reason, park_class=ParkClass.NOT_SUPPORTED, field=self.spec.name, fix=fix)


def custom_field(row: Mapping[str, Any]) -> CustomField | None:
    """One field as read with :data:`SETTING_FIELDS`; None for a type that nobody here knows."""
    definition = row.get("custom_field")
    if not isinstance(definition, Mapping) or not isinstance(definition.get("gid"), str):
        return None
    type_ = _type(definition)
    if type_ not in _KINDS:
        return None
    options = [option for option in _rows(definition, "enum_options") if option.get("gid")]
    spec = FieldSpec(
        name=PREFIX + definition["gid"],
        kind=_KINDS[type_],
        label=str(definition.get("name") or definition["gid"]),
        writable=not _is_read_only(definition),
        options={
            str(option["gid"]): str(option.get("name") or "")
            for option in options
            if option.get("enabled", True)
        },
        times=type_ == "date",
    )
    return CustomField(
        gid=definition["gid"],
        type=type_,
        spec=spec,
        places=_places(definition) if type_ == "number" else None,
    )


def custom_values(row: Mapping[str, Any]) -> dict[str, Value]:
    """The values of a task as read with :data:`VALUE_FIELDS`, by our names of the fields."""
    values: dict[str, Value] = {}
    for given in _rows(row, "custom_fields"):
        type_ = _type(given)
        if isinstance(given.get("gid"), str) and type_ in _KINDS:
            values[PREFIX + given["gid"]] = _value(type_, given)
    return values


def fixed(row: Mapping[str, Any]) -> frozenset[str]:
    """The custom fields of a task that cannot be written there: Asana's own, and disabled ones."""
    return frozenset(
        f"{PREFIX}{given.get('gid')}"
        for given in _rows(row, "custom_fields")
        if _is_read_only(given) or given.get("enabled") is False
    )


def present_options(row: Mapping[str, Any], gid: str) -> list[Mapping[str, Any]]:
    """The options of a field that stand on a task."""
    for given in _rows(row, "custom_fields"):
        if given.get("gid") == gid:
            chosen = given.get("enum_value")
            single = [chosen] if isinstance(chosen, Mapping) else []
            return [one for one in (*single, *_rows(given, "multi_enum_values")) if one.get("gid")]
    return []


def present_people(row: Mapping[str, Any], gid: str) -> list[str]:
    """The people of a field that stand on a task."""
    given = next((given for given in _rows(row, "custom_fields") if given.get("gid") == gid), {})
    return [str(one["gid"]) for one in _rows(given, "people_value") if one.get("gid")]


def _value(type_: str, given: Mapping[str, Any]) -> Value:
    match type_:
        case "text":
            # An id such as "BUG-7" is told for people only; it is neither rounded nor translated.
            own_id = given.get("display_value") if given.get("representation_type") == "custom_id" else None
            return str(given.get("text_value") or own_id or "")
        case "number":
            number = given.get("number_value")
            return number if isinstance(number, int | float) else None
        case "enum":
            chosen = given.get("enum_value")
            return str(chosen["gid"]) if isinstance(chosen, Mapping) and chosen.get("gid") else None
        case "date":
            date = given.get("date_value")
            return (
                day_or_moment(date.get("date"), date.get("date_time")) if isinstance(date, Mapping) else None
            )
        case "people":
            return tuple(sorted({str(one["gid"]) for one in _rows(given, "people_value") if one.get("gid")}))
    listed = _rows(given, "multi_enum_values" if type_ == "multi_enum" else "reference_value")
    return tuple(sorted({str(one.get("name") or one.get("gid")) for one in listed}))


def _type(definition: Mapping[str, Any]) -> str:
    return str(definition.get("resource_subtype") or definition.get("type") or "")


def _is_read_only(definition: Mapping[str, Any]) -> bool:
    return (
        definition.get("is_value_read_only") is True
        or definition.get("representation_type") in _ASANA_S_OWN
        or _type(definition) == "reference"
    )


def _places(definition: Mapping[str, Any]) -> int:
    """Decimal places that are kept; those of a percentage count behind "%"."""
    precision = definition.get("precision")
    places = precision if isinstance(precision, int) else 6
    return places + 2 if definition.get("format") == "percentage" else places


def _rows(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = row.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _gids(rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(str(row.get("gid")) for row in rows)


def _comparable(text: Value) -> str:
    return unicodedata.normalize("NFC", str(text or "")).strip()
