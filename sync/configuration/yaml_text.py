"""YAML as we take it: ``off`` is a word, a key stands once, and no small file becomes a large document."""

from __future__ import annotations

import re
from typing import Any

import yaml

from sync.configuration.problems import ConfigurationInvalid, Problem

LARGEST_FILE = 1024 * 1024
LARGEST_DOCUMENT = 200_000
"""Values in the document once every alias stands for what it repeats."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2 booleans only (``off`` is a word here), and a key given twice is a problem."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        seen: set[str] = set()
        for key in map(str, keys):
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} is given twice; keep one", problem_mark=node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def parse(text: str) -> dict[Any, Any]:
    """The document; an empty file is an empty one.

    Raises:
        ConfigurationInvalid: with the line where it stops making sense.
    """
    if len(text) > LARGEST_FILE:
        raise _unreadable(f"the file is larger than {LARGEST_FILE // 1024} KB: no configuration is")
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None and _size(node) > LARGEST_DOCUMENT:
                raise _unreadable("its aliases (*name) repeat too much")
            document = loader.construct_document(node) if node is not None else {}
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _unreadable(f"not readable as YAML: {_where(error)}") from None
    except RecursionError:
        raise _unreadable("nested too deeply") from None
    except (ValueError, OverflowError) as error:  # 2026-99-99 looks like a date
        raise _unreadable(f"holds a value that YAML cannot read: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _unreadable("the file must hold the keys connections, people and mappings")
    return document


def _size(root: yaml.Node) -> int:
    """Values below a node, what aliases repeat counted each time; endless where one holds itself."""
    sizes: dict[yaml.Node, int] = {}

    def of(node: yaml.Node) -> int:
        if node not in sizes:
            sizes[node] = LARGEST_DOCUMENT + 1  # what it is worth while we are inside of it
            sizes[node] = 1 + sum(of(child) for child in _children(node))
        return sizes[node]

    return of(root)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{getattr(error, 'problem', None) or error}{place}"


def _unreadable(reason: str) -> ConfigurationInvalid:
    return ConfigurationInvalid([Problem("", reason)])
