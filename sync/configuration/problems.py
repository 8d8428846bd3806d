"""What is wrong with a configuration: each problem with its path, and what would be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at ``path``, and what would be right."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigurationInvalid(Exception):
    """The file cannot be applied; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


def shape_problems(error: ValidationError, model: type[BaseModel], value: Any, path: str) -> list[Problem]:
    """What pydantic found, in words that name no value: values may be credentials."""
    return [
        Problem(
            path + place(value, item["loc"]),
            unknown_key(item["loc"][-1], _keys_at(model, item["loc"][:-1]))
            if item["type"] == "extra_forbidden"
            else _sentence(item),
        )
        for item in error.errors(include_url=False, include_input=False)
    ]


def place(value: Any, location: Sequence[int | str]) -> str:
    """``.asana.filter.tags[0]``, without the names pydantic gives to the members of a union."""
    path, at = "", value
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            at = at[part] if isinstance(at, list) and part < len(at) else None
        elif isinstance(at, dict):
            path += f".{part}"
            at = at.get(part)
    return path


def unknown_key(key: object, known: Sequence[str]) -> str:
    near = get_close_matches(str(key), known, n=1)
    return "is not a key here; " + (
        f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
    )


def none_such(what: str, name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    return f"there is no {what} {name!r}; {hint}"


def twice(names: Mapping[str, str], key: str = "name") -> list[Problem]:
    """Every path whose name stands at an earlier one, too."""
    seen: set[str] = set()
    problems: list[Problem] = []
    for path, name in names.items():
        if name in seen:
            problems.append(Problem(path, f"{name!r} is given twice; every {key} must be unique"))
        seen.add(name)
    return problems


def _keys_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The keys that the model at this place has."""
    for part in location:
        field = model.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field is not None else None
        model = inner or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, (_model_in(part) for part in get_args(annotation))), None)


def _sentence(item: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "missing":
        return "is missing; it is required"
    if kind == "literal_error":
        return f"must be one of {context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "must be a map of keys and values"
    if kind in ("tuple_type", "list_type"):
        return "must be a list"
    if kind == "string_type":
        return "must be a text; put it in quotes"
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]
