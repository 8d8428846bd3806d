"""The two ends of a link."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """The two ends of a link."""

    HUB = "hub"
    EXTERNAL = "external"

    @property
    def other(self) -> Side:
        return Side.EXTERNAL if self is Side.HUB else Side.HUB
