"""The tools of a town, one file each: what people do there, what goes wrong, how its promises are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.tools.asana import Asana
from tests.simulation.tools.base import Tool
from tests.simulation.tools.github import GitHub
from tests.simulation.tools.slack import Slack

__all__ = ["EXTERNAL", "Asana", "GitHub", "Slack", "Tool"]

EXTERNAL: Mapping[str, Callable[[], Tool[Any]]] = {"github": GitHub, "slack": Slack}
"""What can stand on the other side of Asana."""
