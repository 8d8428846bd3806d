"""``/asana``: what was typed. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

HELP = """*/asana new* TITLE – a task, and a message with its card here
*/asana search* TEXT – tasks by name
*/asana mine* – your open tasks
*/asana link* ADDRESS – a message here that follows a task
*/asana help* – this list
Or choose *Create Asana task* in the menu of any message."""

_NEEDS_TEXT = ("new", "search", "link")
_WITHOUT = ("mine", "help")
_BRACKETS = re.compile(r"<(?:(?P<link>https?://[^<>|\s]+)|[@#!](?P<id>[^<>|\s]+))(?:\|(?P<name>[^<>]*))?>")
_ESCAPES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


@dataclass(frozen=True, slots=True)
class Command:
    """One of ``new search mine link help``, and what follows it."""

    word: str
    text: str = ""


def parse(text: str) -> Command:
    """Whatever cannot be understood is a wish for help."""
    word, _, rest = text.strip().partition(" ")
    word, rest = word.casefold(), _said(rest)
    if word in _NEEDS_TEXT and rest:
        return Command(word, rest)
    if word in _WITHOUT and (word == "help" or not rest):
        return Command(word)
    return Command("help")


def _said(text: str) -> str:
    """As it was typed: Slack escapes three characters, and puts links and mentions into brackets."""
    shown = _BRACKETS.sub(lambda found: found["link"] or found["name"] or found["id"], text)
    return re.sub(r"&(?:lt|gt|amp);", lambda found: _ESCAPES[found[0]], shown).strip()
