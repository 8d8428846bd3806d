"""What validation finds, and the one way in which places of a body are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

Part: TypeAlias = Literal["path", "query", "body", "status", "answer", "delivery", "prose"]
"""``prose``: only the provider's written documentation has it, not its OpenAPI document."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One departure from a published document."""

    provider: str
    part: Part
    what: str
    """The operation (``GET /tasks/{task_gid}``) or the event (``issues opened``)."""
    where: str = ""
    """A place in the body (``/data/*/user``), a parameter, or a form that the prose describes."""
    message: str = ""
    status: int = 0

    def __str__(self) -> str:
        status = f" -> {self.status}" if self.status else ""
        return f"{self.provider} {self.part}: {self.what}{status} {self.where} {self.message}"


class Validator(Protocol):
    """A compiled schema of jsonschema-rs."""

    def is_valid(self, instance: Any) -> bool: ...

    def iter_errors(self, instance: Any) -> Iterator[Any]: ...


def errors(validator: Validator, body: Any) -> Iterator[tuple[str, str]]:
    """Where a body departs from a schema, and how."""
    if not validator.is_valid(body):
        for error in validator.iter_errors(body):
            yield pointer(error.instance_path), error.message[:300]


def pointer(path: Sequence[str | int]) -> str:
    """``/data/*/user``: every index is a star."""
    return "".join("/*" if isinstance(step, int) else f"/{step}" for step in path)
