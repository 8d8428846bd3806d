"""``opt_fields``: which fields of an object, and of those below it, an answer shall have.

https://developers.asana.com/docs/inputoutput-options
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

Tree: TypeAlias = dict[str, Any]
"""Wanted fields, by name, each with the tree wanted below it."""


def wanted(fields: Iterable[str]) -> Tree:
    """``["a", "b.c", "this.(d|e).f"]`` as a tree."""
    tree: Tree = {}
    for field in fields:
        for path in _ungrouped(field.strip()):
            branch = tree
            for name in path.removeprefix("this.").split("."):
                branch = branch.setdefault(name, {}) if name else branch
    return tree


def _ungrouped(path: str) -> list[str]:
    group = re.search(r"\(([^()]*)\)", path)
    if group is None:
        return [path]
    alternatives = group.group(1).split("|")
    return [
        done
        for word in alternatives
        for done in _ungrouped(path[: group.start()] + word + path[group.end() :])
    ]
