"""Slack's rich text blocks from and to Markdown; messages without them are read by :mod:`.slack_mrkdwn`.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block. What is written is structure, not
markup: a text element is shown as it stands, so no text can ping a channel or end its own quoting. What
gets lost is listed in this folder's README.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from connectors.richtext import markdown, mentions
from connectors.richtext.document import (
    Block,
    Code,
    Document,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Run,
    Runs,
    Table,
)
from connectors.richtext.markdown_writer import write
from connectors.richtext.runs import paragraphs

Element: TypeAlias = dict[str, Any]
Names: TypeAlias = Mapping[str, str]
"""Name of each user, by id."""

LONGEST = 11_000
"""Characters that are written; a message takes 12,000 with its title or header."""
_MORE = " …"
_STYLES = {"bold": "strong", "italic": "em", "strike": "s", "underline": "u", "code": "code"}
_MARKS = {"strong": "bold", "em": "italic", "s": "strike", "code": "code"}
_BOXES = {False: "☐ ", True: "☑ "}
_RULE = "———"
_DEEPEST = 8
_EMOJI = re.compile(r"(?<![\w:]):([a-z][a-z0-9_+-]{0,98}):(?![\w:])")
_USER = re.compile(r"[UW][A-Z0-9]+\Z")


def from_markdown(text: str) -> list[Element]:
    """The elements of one ``rich_text`` block, at most :data:`LONGEST` characters in all.

    Only what :mod:`.mentions` calls a mention becomes one. Empty for an empty text.
    """
    writer = _Writer(mentions.mentioned(text))
    elements = writer.blocks(markdown.tokens(text))
    return list(_cut(elements, LONGEST))


def to_markdown(elements: Sequence[Element], names: Names) -> str:
    """Markdown of the elements of a ``rich_text`` block."""
    return write(document(elements, names))


def same(sent_markdown: str, read_markdown: str) -> bool:
    """Whether what was read back can be what was sent, after the losses of the dialect."""
    sent, read = mentions.unlabelled(sent_markdown), mentions.unlabelled(read_markdown)
    if sent == read:
        return True
    written = from_markdown(sent)
    return written == from_markdown(read) or from_markdown(to_markdown(written, {})) == from_markdown(read)


def document(elements: Sequence[Element], names: Names) -> Document:
    """What the elements mean; unknown kinds are left out."""
    found: list[Block] = []
    stack: list[tuple[int, Element]] = []
    for element in elements:
        kind = element.get("type")
        if kind == "rich_text_list":
            stack.append((int(element.get("indent", 0)), element))
            continue
        found += _lists(stack, names)
        stack = []
        inner = element.get("elements", ())
        if kind == "rich_text_section":
            found += map(Paragraph, paragraphs(_pieces(inner, names)))
        elif kind == "rich_text_quote":
            quoted = tuple(map(Paragraph, paragraphs(_pieces(inner, names))))
            found += [Quote(quoted)] if quoted else []
        elif kind == "rich_text_preformatted":
            code = "".join(run.text for run in _pieces(inner, names)).strip("\n")
            found += [Code(code)] if code.strip() else []
    return (*found, *_lists(stack, names))


def _lists(run: Sequence[tuple[int, Element]], names: Names) -> list[Block]:
    """Lists that follow each other; a deeper one belongs to the last item before it."""
    found: list[Block] = []
    at = 0
    while at < len(run):
        indent, element = run[at]
        end = at + 1
        while end < len(run) and run[end][0] > indent:
            end += 1
        items = [
            Item(tuple(map(Paragraph, paragraphs(_pieces(section.get("elements", ()), names)))))
            for section in element.get("elements", ())
        ]
        deeper = _lists(run[at + 1 : end], names)
        if deeper and items:
            items[-1] = Item((*items[-1].blocks, *deeper))
        start = int(element.get("offset", 0)) + 1
        ordered = element.get("style") == "ordered"
        if items:
            found.append(List(tuple(map(_task, items)), ordered, start if ordered else 1))
        at = end
    return found


def _task(item: Item) -> Item:
    """Items that begin with a box are tasks."""
    if not item.blocks or not isinstance(item.blocks[0], Paragraph):
        return item
    first, *others = item.blocks[0].runs
    for checked, box in _BOXES.items():
        text = first.text.removeprefix(box)
        if text != first.text and not first.marks and not first.href:
            unboxed = paragraphs([replace(first, text=text), *others])
            return Item((*map(Paragraph, unboxed), *item.blocks[1:]), checked) if unboxed else item
    return item


def _pieces(elements: Sequence[Element], names: Names) -> Iterator[Run]:
    for element in elements:
        style = element.get("style")
        styled = style if isinstance(style, Mapping) else {}
        marks = frozenset(mark for name, mark in _STYLES.items() if styled.get(name))
        match element.get("type"):
            case "text":
                yield Run(markdown.clean(str(element.get("text", ""))), marks)
            case "link":
                address = str(element.get("url", ""))
                label = markdown.clean(str(element.get("text") or address))
                yield Run(label, marks, address if is_web(address) else "")
            case "user":
                user = str(element.get("user_id", ""))
                yield Run(f"@{names.get(user, user)}", marks - {"code"}, mentions.address(user))
            case "usergroup":
                yield Run(f"@{element.get('usergroup_id', 'group')}", marks)
            case "channel":
                channel = str(element.get("channel_id", ""))
                yield Run(f"#{names.get(channel, channel)}", marks)
            case "broadcast":
                yield Run(f"@{element.get('range', 'channel')}", marks)
            case "emoji":
                yield Run(_emoji(element), marks)
            case "date":
                yield Run(str(element.get("fallback") or element.get("timestamp", "")), marks)
            case "color":
                yield Run(str(element.get("value", "")), marks)


def _emoji(element: Element) -> str:
    """The character, of the workspace's own ones the name."""
    points = str(element.get("unicode") or "").split("-")
    try:
        return "".join(chr(int(point, 16)) for point in points)
    except (ValueError, OverflowError):
        return f":{element.get('name', '')}:"


class _Writer:
    def __init__(self, mentioned: frozenset[str]) -> None:
        self._mentioned = mentioned

    def blocks(self, blocks: Sequence[Block]) -> list[Element]:
        """Text stands in sections, a blank line between its blocks; everything else is an element."""
        found: list[Element] = []
        text: list[Element] = []
        for block in blocks:
            shown = self._text(block)
            if shown is None:
                found += self._sections(text, last=False) + self._structure(block, 0)
                text = []
                continue
            text += [_text("\n\n"), *shown] if text else shown
        return found + self._sections(text, last=True)

    def _sections(self, elements: list[Element], *, last: bool) -> list[Element]:
        if not elements:
            return []
        return [_section([*elements, *([] if last else [_text("\n")])])]

    def _text(self, block: Block) -> list[Element] | None:
        """What is text of a section; None for what is an element of its own."""
        match block:
            case Paragraph(runs):
                return self._runs(runs)
            case Heading(_, runs):
                return self._runs(tuple(replace(run, marks=run.marks | {"strong"}) for run in runs))
            case Rule():
                return [_text(_RULE)]
            case Table(rows):
                return self._joined(
                    [self._joined([self._runs(cell) for cell in row], " | ") for row in rows], "\n"
                )
            case _:
                return None

    def _structure(self, block: Block, indent: int) -> list[Element]:
        match block:
            case Code(text):
                return [{"type": "rich_text_preformatted", "elements": [_text(text or " ")]}]
            case Quote(inner):
                return [{"type": "rich_text_quote", "elements": self._flat(inner) or [_text(" ")]}]
            case List():
                return self._list(block, indent)
            case _:
                return []

    def _list(self, block: List, indent: int) -> list[Element]:
        """One element for each stretch of items without a list in between."""
        found: list[Element] = []
        sections: list[Element] = []
        number = block.start
        first = number

        def close() -> None:
            nonlocal sections
            if sections:
                offset = {"offset": first - 1} if block.ordered and first > 1 else {}
                style = "ordered" if block.ordered else "bullet"
                found.append(
                    {"type": "rich_text_list", "style": style, "indent": indent, "elements": sections}
                    | offset
                )
            sections = []

        for item in block.items:
            box = [] if item.checked is None else [_text(_BOXES[item.checked])]
            own = [each for each in item.blocks if not isinstance(each, List)]
            sections.append(_section([*box, *self._flat(own)] or [_text(" ")]))
            number += 1
            deeper = [each for each in item.blocks if isinstance(each, List)]
            if deeper:
                close()
                first = number
                for each in deeper:
                    found += self._list(each, min(indent + 1, _DEEPEST))
        close()
        return found

    def _flat(self, blocks: Sequence[Block]) -> list[Element]:
        """Blocks in a place that holds running text alone."""
        parts: list[list[Element]] = []
        for block in blocks:
            shown = self._text(block)
            if shown is None:
                match block:
                    case Code(text):
                        shown = [{**_text(text), "style": {"code": True}}] if text else []
                    case Quote(inner):
                        shown = self._flat(inner)
                    case List(items):
                        shown = self._joined(
                            [[_text("• "), *self._flat(item.blocks)] for item in items], "\n"
                        )
                    case _:
                        shown = []
            parts.append(shown)
        return self._joined([part for part in parts if part], "\n\n")

    def _joined(self, parts: Sequence[list[Element]], between: str) -> list[Element]:
        found: list[Element] = []
        for part in parts:
            found += ([_text(between)] if found else []) + part
        return found

    def _runs(self, runs: Runs) -> list[Element]:
        return [element for run in runs for element in self._run(run)]

    def _run(self, run: Run) -> Iterator[Element]:
        style = {_MARKS[mark]: True for mark in sorted(run.marks) if mark in _MARKS}
        styled: Element = {"style": style} if style else {}
        user = mentions.user_of(run.href)
        if user is not None and user in self._mentioned and _USER.match(user):
            yield {"type": "user", "user_id": user, **styled}
            return
        address = next((each for each in (run.href, run.src) if is_web(each)), "")
        if address:
            label = run.text or "image"
            text = {} if label == address else {"text": label}
            yield {"type": "link", "url": address, **text, **styled}
            return
        yield from _with_emoji(run.text, styled)


def _with_emoji(text: str, styled: Element) -> Iterator[Element]:
    at = 0
    for emoji in _EMOJI.finditer(text) if "code" not in styled.get("style", {}) else ():
        if emoji.start() > at:
            yield {**_text(text[at : emoji.start()]), **styled}
        yield {"type": "emoji", "name": emoji[1], **styled}
        at = emoji.end()
    if text[at:]:
        yield {**_text(text[at:]), **styled}


def _cut(elements: Sequence[Element], room: int) -> Iterator[Element]:
    """As much of the elements as there is room for; what is cut ends with an ellipsis."""
    for element in elements:
        size = _size(element)
        if size <= room:
            room -= size
            yield element
            continue
        shortened = _shortened(element, room - len(_MORE))
        if shortened is not None:
            yield shortened
        return


def _shortened(element: Element, room: int) -> Element | None:
    if room <= 0:
        return None
    if "elements" not in element:
        if element["type"] != "text":
            return _text(_MORE)
        return {**element, "text": element["text"][:room].rstrip() + _MORE}
    kept: list[Element] = []
    for inner in element["elements"]:
        size = _size(inner)
        if size <= room:
            kept.append(inner)
            room -= size
            continue
        shortened = _shortened(inner, room)
        if shortened is not None:
            kept.append(shortened)
        break
    return {**element, "elements": kept} if kept else None


def _size(element: Element) -> int:
    if "elements" in element:
        return sum(map(_size, element["elements"]))
    return len(element.get("text", "")) + len(element.get("url", "")) + len(element.get("name", ""))


def _section(elements: list[Element]) -> Element:
    return {"type": "rich_text_section", "elements": elements}


def _text(text: str) -> Element:
    return {"type": "text", "text": text}


def is_web(address: str) -> bool:
    """Whether Slack takes it as the address of a link."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    return (parts.scheme in ("http", "https") and bool(host)) or (
        parts.scheme == "mailto" and bool(parts.path)
    )
