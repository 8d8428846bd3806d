"""Block Kit's limits, as the simulated Slack holds to them.

https://docs.slack.dev/reference/block-kit/blocks and .../block-elements; where they say nothing, the
narrower reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.slack.simulated_workspace import Failed

_LONGEST_MARKDOWN = 12_000
_LARGEST_VIEW_BYTES = 250_000
_BLOCKS = {"message": 50, "modal": 100, "home": 100}
_TEXTS: Mapping[str, int] = {"section": 3000, "header": 150}
_VIEW_TEXTS: Mapping[str, int] = {
    "callback_id": 255,
    "external_id": 255,
    "private_metadata": 3000,
}
_KNOWN = frozenset(
    {"actions", "context", "divider", "file", "header", "image", "input", "markdown"}
) | frozenset({"rich_text", "section", "table", "video"})


def check_message(blocks: Sequence[Mapping[str, Any]]) -> None:
    """Raises Failed as ``chat.postMessage`` does."""
    _refuse(list(_problems(blocks, "message")))
    written = sum(len(_all_text(block)) for block in blocks if block.get("type") in ("rich_text", "markdown"))
    if written > _LONGEST_MARKDOWN:
        raise Failed("msg_blocks_too_long")


def check_view(view: Mapping[str, Any]) -> None:
    """Raises Failed as ``views.open`` does."""
    surface = view.get("type")
    if surface not in ("modal", "home"):
        raise Failed("invalid_arguments", response_metadata={"messages": ["[ERROR] type: modal or home"]})
    if len(json.dumps(view)) > _LARGEST_VIEW_BYTES:
        raise Failed("view_too_large")
    problems = list(_problems(view.get("blocks", ()), surface))
    for name in ("title", "submit", "close"):
        length = len(view.get(name, {}).get("text", ""))
        if length > 24 or (name == "title" and surface == "modal" and not length):
            problems.append(f"{name}: 1 to 24 characters")
    problems += [
        f"{name}: at most {most}" for name, most in _VIEW_TEXTS.items() if len(view.get(name, "")) > most
    ]
    has_input = any(block.get("type") == "input" for block in view.get("blocks", ()))
    if has_input and surface == "modal" and "submit" not in view:
        problems.append("submit: needed where there is an input block")
    _refuse(problems)


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        messages = [f"[ERROR] {each}" for each in problems]
        raise Failed("invalid_arguments", response_metadata={"messages": messages})


def _problems(blocks: Sequence[Mapping[str, Any]], surface: str) -> Iterator[str]:
    if len(blocks) > _BLOCKS[surface]:
        yield f"no more than {_BLOCKS[surface]} blocks"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id must be unique"
    for at, block in enumerate(blocks):
        for problem in _of_block(block):
            yield f"blocks/{at}: {problem}"


def _of_block(block: Mapping[str, Any]) -> Iterator[str]:
    kind = block.get("type", "")
    if kind not in _KNOWN:
        yield f"unsupported type {kind}"
    if len(block.get("block_id", "")) > 255:
        yield "block_id: at most 255"
    if kind in _TEXTS:
        yield from _text(block.get("text", {"text": "-"}), _TEXTS[kind])
    if kind == "section":
        if "text" not in block and "fields" not in block:
            yield "section: text or fields"
        if len(block.get("fields", ())) > 10:
            yield "fields: at most 10"
        for field in block.get("fields", ()):
            yield from _text(field, 2000)
        if "accessory" in block:
            yield from _of_element(block["accessory"])
    if kind == "input":
        yield from _text(block.get("label", {}), 2000)
        yield from _text(block.get("hint", {"text": "-"}), 2000)
        yield from _of_element(block.get("element", {}))
    if kind in ("actions", "context"):
        elements = block.get("elements", ())
        if not 0 < len(elements) <= (25 if kind == "actions" else 10):
            yield "elements: too many, or none"
        for element in elements:
            yield from _of_element(element)


def _of_element(element: Mapping[str, Any]) -> Iterator[str]:
    kind = element.get("type", "")
    if kind in ("mrkdwn", "plain_text"):
        yield from _text(element, 3000)
        return
    if not kind:
        yield "element: no type"
    if len(element.get("action_id", "")) > 255:
        yield "action_id: at most 255"
    if kind == "button":
        yield from _text(element.get("text", {}), 75)
        if len(element.get("value", "")) > 2000 or len(element.get("url", "")) > 3000:
            yield "button: value at most 2000, url at most 3000"
    yield from _text(element.get("placeholder", {"text": "-"}), 150)
    if len(str(element.get("initial_value", ""))) > 3000:
        yield "initial_value: at most 3000"
    if kind in ("static_select", "multi_static_select") and not (
        "options" in element or "option_groups" in element
    ):
        yield "options or option_groups"
    yield from check_options(element)


def check_options(holder: Mapping[str, Any]) -> Iterator[str]:
    """``options`` or ``option_groups`` of an element, or of an answer to ``block_suggestion``."""
    groups = holder.get("option_groups", ())
    if len(groups) > 100:
        yield "option_groups: at most 100"
    for options in [holder.get("options"), *(group.get("options") for group in groups)]:
        if options is None:
            continue
        if len(options) > 100:
            yield "options: at most 100"
        for option in options:
            yield from _text(option.get("text", {}), 75)
            if not 0 < len(option.get("value", "")) <= 150:
                yield "option value: 1 to 150"
    for group in groups:
        yield from _text(group.get("label", {}), 75)


def _text(text: Mapping[str, Any], most: int) -> Iterator[str]:
    if not 0 < len(text.get("text", "")) <= most:
        yield f"text: 1 to {most} characters"


def _all_text(node: Any) -> str:
    if isinstance(node, Mapping):
        own = node.get("text")
        return (own if isinstance(own, str) else "") + "".join(
            _all_text(value) for value in node.values() if isinstance(value, list | Mapping)
        )
    return "".join(map(_all_text, node)) if isinstance(node, list) else ""
