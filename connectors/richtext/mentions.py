"""Mentions in neutral Markdown: ``[@Ada Lovelace](user:1200)``, a link to a user id of that provider.

A connector reads its provider's mentions into this form and writes them out of it. On the way to the
other side :func:`translated` puts the other side's user ids in, and takes away every mention of somebody
whom nobody mapped. Only exactly this spelling is a mention, and only :func:`translated` lets one pass:
whatever else in a stranger's text leads to ``user:`` is an address that no provider accepts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from connectors.richtext.prose import Change, outside_code

_MENTION = re.compile(r"\[(?P<label>(?:\\[^\w\s]|[^\\\[\]\n`<>])*)\]\(user:(?P<id>[\w.~%+-]+)\)", re.ASCII)
_SCHEME = "user:"
_LOOK = 200
"""Characters behind a mention that matter to whoever writes it."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One mention in its place: ``before`` it the piece written last, ``after`` it some of the source."""

    user: str
    label: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"[{self.label}]({address(self.user)})"


def address(user: str) -> str:
    """What a mention links to."""
    return _SCHEME + quote(user, safe="")


def user_of(href: str) -> str | None:
    """The user id behind the address of a mention; None for any other address."""
    return unquote(href.removeprefix(_SCHEME)) if href.startswith(_SCHEME) else None


def _as_it_is(piece: str) -> str:
    return piece


def rewritten(text: str, write: Callable[[Mention], str], between: Change = _as_it_is) -> str:
    """The text outside code with what ``write`` makes of it in the place of every mention.

    ``between`` makes the new source of what stands around them.
    """
    if between is _as_it_is and f"]({_SCHEME}" not in text:
        return text

    def piecewise(piece: str) -> str:
        written, at = [""], 0
        for found in _MENTION.finditer(piece):
            written.append(between(piece[at : found.start()]))
            at = found.end()
            before = written[-1] or written[-2]
            mention = Mention(unquote(found["id"]), found["label"], before, piece[at : at + _LOOK])
            written.append(write(mention))
        return "".join([*written, between(piece[at:])])

    return outside_code(text, piecewise)


def mentioned(text: str) -> frozenset[str]:
    """The ids of all users whom the text mentions."""
    found = set[str]()

    def note(mention: Mention) -> str:
        found.add(mention.user)
        return str(mention)

    rewritten(text, note)
    return frozenset(found)


def translated(text: str, known: Mapping[str, str]) -> str:
    """The text for the other side: mentions of known users with their id there, of all others as text.

    Args:
        known: user id here -> user id there; ids are compared without regard to case.
    """
    folded = {here.casefold(): there for here, there in known.items()}

    def carried(mention: Mention) -> str:
        there = folded.get(mention.user.casefold())
        return mention.label if there is None else str(Mention(there, mention.label))

    return rewritten(text, carried)


def unlabelled(text: str) -> str:
    """The text with mentions that say only who is meant: each side shows its own name for a user."""
    return rewritten(text, lambda mention: str(Mention(mention.user, "@")))
