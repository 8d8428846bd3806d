"""HTML to the document tree: tolerant of everything, never losing text.

The tokeniser is one pattern because the ready ones do not serve: ``html.parser`` takes 47 s for 60 kB
of ``<a <a <a`` (Python 3.11.7; markdownify and Beautiful Soup stand on it), and lxml folds the case of
``<String>``, which people mean as text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape

from connectors.richtext.autolink import normalised
from connectors.richtext.document import (
    DEPTH,
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
    flat,
    on_one_line,
)
from connectors.richtext.runs import paragraphs

Attributes = Mapping[str, str]

_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)"
    r"|<[!?][^<>]*>"
    r"""|<(?P<close>/?)(?P<name>[A-Za-z][\w:-]*)(?P<attributes>(?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([\w:-]++)(?:\s*+=\s*+("[^"]*"|'[^']*'|[^\s"']+))?""")
_SELF_CLOSING = re.compile(r"""(?:^|[\s"'])/$""")
_MARK_OF = {
    **dict.fromkeys(("strong", "b"), "strong"),
    **dict.fromkeys(("em", "i", "cite", "dfn", "var"), "em"),
    **dict.fromkeys(("s", "del", "strike"), "s"),
    **dict.fromkeys(("u", "ins"), "u"),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), "code"),
}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol"})
_CONTAINERS = _LISTS | {"blockquote"}
_CELLS = frozenset({"td", "th"})
_SINGLE = frozenset({"p", *_HEADINGS})
"""Elements that hold running text only: any other block ends them."""
_BLOCKS = (
    _SINGLE
    | _CONTAINERS
    | _CELLS
    | {"li", "table", "tr", "thead", "tbody", "tfoot", "caption", "html", "body", "div", "section", "article"}
    | {"header", "footer", "nav", "main", "aside", "details", "summary", "center", "figure", "figcaption"}
    | {"dl", "dt", "dd", "address", "form", "fieldset"}
)
_KNOWN = (
    _BLOCKS
    | frozenset(_MARK_OF)
    | {
        "a",
        "img",
        "br",
        "hr",
        "pre",
        "input",
        "span",
        "font",
        "small",
        "big",
        "sub",
        "sup",
        "mark",
        "abbr",
        "q",
    }
    | {"time", "wbr", "ruby", "rt", "rp", "rb", "bdi", "bdo", "picture", "source", "video", "audio", "track"}
    | {"svg", "label", "button", "colgroup", "col", "head", "meta", "link"}
)


def link_address(attributes: Attributes) -> str:
    """The address of an ``<a>``; empty for an address that no Markdown link may have (javascript:)."""
    return normalised(attributes.get("href", ""))


def image(attributes: Attributes) -> Run | None:
    """An ``<img>`` as a run; None without a usable source."""
    src = normalised(attributes.get("src", ""))
    return Run(attributes.get("alt", ""), src=src) if src else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """How a dialect of HTML is read.

    ``literal_newlines``: a newline is a line break, not a space. ``unknown_as_text``: a tag that is
    no HTML is text that looks like a tag (``List<String>``), else it is dropped.
    """

    literal_newlines: bool = False
    unknown_as_text: bool = True
    link_address: Callable[[Attributes], str] = link_address
    image: Callable[[Attributes], Run | None] = image


HTML = Flavour()


def read(markup: str, flavour: Flavour = HTML) -> Document:
    """Read HTML, or anything that was meant to be HTML."""
    reader = _Reader(flavour)
    done = 0
    for match in _MARKUP.finditer(markup):
        reader.text(unescape(markup[done : match.start()]))
        done = match.end()
        if match["cdata"] is not None:
            reader.text(match["cdata"])
        elif match["name"] is None:
            continue
        elif flavour.unknown_as_text and match["name"].lower() not in _KNOWN:
            reader.text(match.group())
        elif match["close"]:
            reader.close(match["name"].lower())
        else:
            reader.open(match["name"].lower(), _attributes(match["attributes"]))
            if _SELF_CLOSING.search(match["attributes"]):
                reader.close(match["name"].lower())
    reader.text(unescape(markup[done:]))
    return reader.finish()


def _attributes(source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(source):
        bare = value[1:-1] if value[:1] in ('"', "'") else value
        found.setdefault(name.lower(), unescape(bare))
    return found


def _number(value: str) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else 1


@dataclass(slots=True)
class _Frame:
    """An open element, with the marks and links that were open around it."""

    name: str
    marks: Counter[str] = field(default_factory=Counter)
    links: int = 0
    start: int = 1
    blocks: list[Block] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    checked: bool | None = None
    rows: list[tuple[Runs, ...]] = field(default_factory=list)
    cells: list[Runs] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Take a finished block; what lies loose in a list belongs to the item before it."""
        if self.name not in _LISTS:
            self.blocks.append(block)
        elif self.items:
            self.items[-1] = Item((*self.items[-1].blocks, block), self.items[-1].checked)
        else:
            self.items.append(Item((block,)))


class _Reader:
    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        self._stack = [_Frame("")]
        self._too_deep: Counter[str] = Counter()
        self._pieces: list[Run] = []
        self._marks: Counter[str] = Counter()
        self._links: list[tuple[str, int]] = []
        self._code: list[str] | None = None
        self._language = ""

    def text(self, text: str) -> None:
        if self._code is not None:
            self._code.append(text)
        elif text:
            self._piece(text if self._flavour.literal_newlines else _with_spaces(text))

    def open(self, name: str, attributes: Attributes) -> None:
        if name == "br":
            self._line_break()
        elif self._code is not None:
            self._language = self._language or _language(attributes)
        elif name in _MARK_OF:
            self._marks[_MARK_OF[name]] += 1
        elif name == "a":
            self._links.append((self._flavour.link_address(attributes), len(self._pieces)))
        elif name == "img":
            self._image(attributes)
        elif name == "input":
            self._check(attributes)
        elif name == "hr":
            self._end_text_block()
            self._add(Rule())
        elif name == "pre":
            self._end_text_block()
            self._code, self._language = [], _language(attributes)
        elif name in _BLOCKS:
            self._open_block(name, attributes)

    def close(self, name: str) -> None:
        if name == "pre":
            self._end_code()
        elif self._code is not None:
            return
        elif name in _MARK_OF:
            self._marks[_MARK_OF[name]] = max(0, self._marks[_MARK_OF[name]] - 1)
        elif name == "a" and len(self._links) > self._stack[-1].links:
            href, before = self._links.pop()
            if href and before == len(self._pieces):
                self._pieces.append(Run(href, self._current_marks(), href))
        elif name in _BLOCKS:
            self._close_block(name)

    def finish(self) -> Document:
        self._end_code()
        self._flush()
        while len(self._stack) > 1:
            self._pop()
        return tuple(self._stack[0].blocks)

    def _current_marks(self) -> frozenset[str]:
        return frozenset(mark for mark, count in self._marks.items() if count)

    def _piece(self, text: str) -> None:
        self._pieces.append(Run(text, self._current_marks(), self._links[-1][0] if self._links else ""))

    def _line_break(self) -> None:
        if self._code is not None:
            self._code.append("\n")
        else:
            self._piece("\n")

    def _image(self, attributes: Attributes) -> None:
        run = self._flavour.image(attributes)
        if run is not None:
            href = self._links[-1][0] if self._links else ""
            self._pieces.append(Run(run.text, self._current_marks(), href or run.href, run.src))

    def _check(self, attributes: Attributes) -> None:
        frame = self._stack[-1]
        untouched = not frame.blocks and not any(piece.text.strip() for piece in self._pieces)
        if attributes.get("type") == "checkbox" and frame.name == "li" and untouched:
            frame.checked = "checked" in attributes

    def _add(self, block: Block) -> None:
        frame = self._stack[-2] if self._stack[-1].name in _SINGLE else self._stack[-1]
        frame.add(block)

    def _flush(self) -> None:
        level = _HEADINGS.get(self._stack[-1].name)
        for runs in paragraphs(self._pieces):
            self._add(Heading(level, on_one_line(runs)) if level else Paragraph(runs))
        self._pieces = []
        self._links = [(href, 0) for href, _ in self._links]

    def _end_text_block(self) -> None:
        self._flush()
        if self._stack[-1].name in _SINGLE:
            self._pop()

    def _end_code(self) -> None:
        if self._code is not None:
            text = "".join(self._code).strip("\n")
            self._code = None
            if text:
                self._add(Code(text, self._language))

    def _push(self, name: str, start: int = 1) -> None:
        self._stack.append(_Frame(name, self._marks.copy(), len(self._links), start))

    def _open_block(self, name: str, attributes: Attributes) -> None:
        self._end_text_block()
        names = [frame.name for frame in self._stack]
        if name in _SINGLE:
            self._push(name)
        elif name in _CONTAINERS:
            if sum(open_name in _CONTAINERS for open_name in names) < DEPTH:
                self._push(name, _number(attributes.get("start", "")) if name == "ol" else 1)
            else:
                self._too_deep[name] += 1
        elif name == "li" and not _LISTS.isdisjoint(names):
            self._pop_to(_LISTS)
            self._push(name)
        elif name == "table":
            if "table" in names:
                self._too_deep[name] += 1
            else:
                self._push(name)
        elif name in _CELLS | {"tr"} and "table" in names and not self._too_deep["table"]:
            self._pop_to(frozenset({"table"} if name == "tr" else {"table", "tr"}))
            if name in _CELLS and self._stack[-1].name == "table":
                self._push("tr")
            self._push(name)

    def _close_block(self, name: str) -> None:
        self._flush()
        if self._too_deep[name]:
            self._too_deep[name] -= 1
        elif any(frame.name == name for frame in self._stack):
            self._pop_to(frozenset({name}))
            self._pop()

    def _pop_to(self, names: frozenset[str]) -> None:
        while self._stack[-1].name not in names:
            self._pop()

    def _pop(self) -> None:
        """Close the innermost element and hand what it became to the one around it."""
        frame = self._stack.pop()
        self._marks = frame.marks
        del self._links[frame.links :]
        around = self._stack[-1]
        match frame.name:
            case "blockquote" if frame.blocks:
                around.add(Quote(tuple(frame.blocks)))
            case "ul" | "ol" if frame.items:
                around.add(List(tuple(frame.items), frame.name == "ol", frame.start))
            case "li":
                around.items.append(_item(frame))
            case "td" | "th":
                around.cells.append(flat(frame.blocks))
            case "tr":
                around.blocks.extend(frame.blocks)
                around.rows.append(tuple(frame.cells))
            case "table":
                for block in frame.blocks:
                    around.add(block)
                if any(frame.rows):
                    around.add(_table(frame.rows))


def _item(frame: _Frame) -> Item:
    if frame.checked is None or (frame.blocks and isinstance(frame.blocks[0], Paragraph)):
        return Item(tuple(frame.blocks), frame.checked)
    return Item((Paragraph((Run("[x]" if frame.checked else "[ ]"),)), *frame.blocks))


def _table(rows: list[tuple[Runs, ...]]) -> Table:
    width = max(len(row) for row in rows)
    return Table(tuple((*row, *((),) * (width - len(row))) for row in rows))


def _language(attributes: Attributes) -> str:
    classes = attributes.get("class", "").split()
    return next((name.removeprefix("language-") for name in classes if name.startswith("language-")), "")


def _with_spaces(text: str) -> str:
    """Text where a newline is only a space, with the indentation around it."""
    first, *others = text.split("\n")
    if not others:
        return text
    inner = [line.strip(" \t") for line in others[:-1]]
    return " ".join([first.rstrip(" \t"), *filter(None, inner), others[-1].lstrip(" \t")])
