"""Block Kit for the templates: its texts, and what a form that shows a view says. Pure.

https://docs.slack.dev/reference/block-kit. What is drawn is the JSON that the product sent; a type that
``panes/slack/blocks.html`` does not know is an error, so that nothing is left out without a word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from markupsafe import Markup, escape

from connectors.richtext import slack_blocks
from connectors.richtext.slack_mrkdwn import mrkdwn_to_markdown
from sync.demo.page.panes import Form
from sync.demo.page.texts import emoji, markdown

Json: TypeAlias = Mapping[str, Any]
Names: TypeAlias = Mapping[str, str]
"""What people are called, by id."""
Entered: TypeAlias = Mapping[str, Mapping[str, Json]]
"""Block id -> action id -> the element's state, as ``view.state.values``."""

_INITIAL = {
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_date": "initial_date",
}
"""By the name in an element's state: what an element that nobody touched calls it."""


class UnknownBlock(LookupError):
    """The product sent something that the page cannot show."""


def unknown(what: str, type: str) -> NoReturn:
    """For the templates' ``else``."""
    raise UnknownBlock(f"the page cannot show a Block Kit {what} of type {type!r}: see blocks.html")


def mrkdwn(text: Json, names: Names) -> Markup:
    """A text object."""
    match text["type"]:
        case "plain_text":
            return escape(text["text"])
        case "mrkdwn":
            return markdown(emoji(mrkdwn_to_markdown(text["text"], names)))
        case other:
            unknown("text", other)


def rich_text(block: Json, names: Names) -> Markup:
    return markdown(emoji(slack_blocks.to_markdown(block["elements"], names)))


def field_name(block: Json) -> str:
    """What an input is called in the form."""
    return f"{block['block_id']}/{block['element']['action_id']}"


def filled(view: Json, entered: Entered) -> Json:
    """The view with what was entered so far in the place of what stands there at first."""
    return {**view, "blocks": [_filled(block, entered) for block in view["blocks"]]}


def _filled(block: Json, entered: Entered) -> Json:
    element = block.get("element", {})
    state = entered.get(block.get("block_id", ""), {}).get(element.get("action_id", ""))
    if state is None:
        return block
    untouched = {name: value for name, value in element.items() if name not in _INITIAL.values()}
    now = {_INITIAL[name]: value for name, value in state.items() if name in _INITIAL}
    return {**block, "element": {**untouched, **now}}


def entered(view: Json, form: Form) -> dict[str, dict[str, Json]]:
    """What stands in a form. Inputs that it does not name are left out: it may show the view as it was."""
    given: dict[str, list[str]] = {}
    for name, value in form:
        given.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return {
        block["block_id"]: {block["element"]["action_id"]: _state(block["element"], given[field_name(block)])}
        for block in view["blocks"]
        if block["type"] == "input" and field_name(block) in given
    }


def _state(element: Json, given: Sequence[str]) -> Json:
    type, first = element["type"], given[0]
    chosen = [option for option in element.get("options", ()) if option["value"] in given]
    match type:
        case "plain_text_input":
            return {"type": type, "value": first or None}
        case "static_select":
            return {"type": type, "selected_option": chosen[0] if chosen else None}
        case "external_select":
            return {"type": type, "selected_option": json.loads(first) if first else None}
        case "multi_static_select" | "checkboxes":
            return {"type": type, "selected_options": chosen}
        case "datepicker":
            return {"type": type, "selected_date": first or None}
        case _:
            unknown("element", type)
