"""What a request may write into custom fields, and how Asana refuses the rest.

https://developers.asana.com/docs/custom-fields-guide#/writing-custom-field-values: options by gid and
never by name, lists replace, ``null`` clears.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from connectors.asana.simulated_call import Call
from connectors.asana.simulated_custom_fields import CustomField, CustomValue, empty, unattached
from connectors.asana.simulated_records import Task
from connectors.simulation import Refused

_LONGEST_TEXT = 1024


def custom_values(
    call: Call, given: Any, projects: Iterable[str], task: Task | None = None
) -> dict[str, CustomValue]:
    """The values of a request by the field's gid, checked.

    Args:
        projects: whose fields the task has.
        task: as it stands; None: it is being made.

    Raises:
        Refused: 400 not on the task, or not a value of the field; 402 not paid for; 403 locked.
    """
    if not given:
        return {}
    if not isinstance(given, dict):
        raise Refused(400, "custom_fields: Value is not an object")
    if not call.workspace.premium:
        raise Refused(402, "Custom Fields are not available for free users")
    attached = {gid for project in projects for gid in call.workspace.projects[project].custom_fields}
    standing = task.custom if task is not None else {}
    values: dict[str, CustomValue] = {}
    for gid, value in given.items():
        if gid not in attached:
            raise unattached(gid)
        field = call.workspace.custom_fields[gid]
        if field.locked or field.is_read_only:
            raise Refused(403, f"You do not have permission to change the value of custom field {gid}")
        values[gid] = _value(call, field, value, standing.get(gid))
    return values


def _value(call: Call, field: CustomField, value: Any, standing: CustomValue) -> CustomValue:
    if value is None:
        return empty(field)
    match field.kind:
        case "text":
            if isinstance(value, str) and len(value) <= _LONGEST_TEXT:
                return value or None
        case "number":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return field.rounded(value)
        case "enum":
            return _option(field, value, (standing,))
        case "multi_enum":
            if isinstance(value, list):
                stands = standing if isinstance(standing, tuple) else ()
                return tuple(dict.fromkeys(_option(field, gid, stands) for gid in value))
        case "date":
            if isinstance(value, dict) and (read := _day_or_moment(value)) is not None:
                return read
        case "people":
            if isinstance(value, list):
                return tuple(dict.fromkeys(call.user("custom_fields", ref).gid for ref in value))
        case "reference":
            if isinstance(value, list):
                return tuple(dict.fromkeys(call.answers.task_seen(gid).gid for gid in value))
    raise _invalid(field, value)


def _option(field: CustomField, gid: Any, standing: Iterable[CustomValue]) -> str:
    """A disabled option may stay and may not be chosen anew."""
    option = field.option(gid)
    if option is None or not (option.enabled or gid in standing):
        raise _invalid(field, gid)
    return option.gid


def _day_or_moment(value: dict[str, Any]) -> date | None:
    try:
        if value.get("date_time"):
            at = datetime.fromisoformat(value["date_time"])
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        return date.fromisoformat(value["date"])
    except (KeyError, TypeError, ValueError):
        return None


def _invalid(field: CustomField, value: Any) -> Refused:
    return Refused(400, f"custom_fields: Not a valid value of custom field {field.gid}: {value!r}")
