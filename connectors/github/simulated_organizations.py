"""What organisations of a simulated GitHub give their issues: types, and fields with typed values.

https://docs.github.com/rest/orgs/issue-types and .../rest/orgs/issue-fields
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Given: TypeAlias = str | float | tuple[str, ...]
"""A value as the API takes it: options by name."""


@dataclass(frozen=True, kw_only=True)
class IssueType:
    id: int
    node_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class IssueField:
    """``options``: id -> name."""

    id: int
    node_id: str
    name: str
    data_type: str
    options: Mapping[int, str] = field(default_factory=dict)

    def accepts(self, value: Any) -> bool:
        """Whether the API takes this value: of a choice the name of an option."""
        match self.data_type:
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "multi_select":
                return isinstance(value, list) and set(value) <= set(self.options.values())
            case "single_select":
                return value in self.options.values()
        return isinstance(value, str)

    def shape(self, value: Given | None) -> dict[str, Any]:
        """A value on an issue."""
        shown: dict[str, Any] = {
            "issue_field_id": self.id,
            "issue_field_name": self.name,
            "node_id": self.node_id,
            "data_type": self.data_type,
            "value": None if isinstance(value, tuple) else value,
        }
        if self.data_type == "single_select":
            shown["single_select_option"] = next(iter(self._options([str(value)])), None)
        if self.data_type == "multi_select":
            shown["multi_select_options"] = self._options(value if isinstance(value, tuple) else ())
        return shown

    def _options(self, names: Iterable[str]) -> list[dict[str, Any]]:
        ids = {name: id for id, name in self.options.items()}
        return [{"id": ids[name], "name": name, "color": "gray"} for name in names if name in ids]


@dataclass(kw_only=True)
class Organization:
    """``shown`` False: the account lacks the permissions to list what there is, and reads 404."""

    types: dict[int, IssueType] = field(default_factory=dict)
    fields: dict[int, IssueField] = field(default_factory=dict)
    shown: bool = True

    def type_named(self, name: str) -> IssueType | None:
        return next((one for one in self.types.values() if one.name.lower() == name.lower()), None)
