"""Asana's rich text as its API treats it: refused, or rewritten.

Rules: https://developers.asana.com/docs/rich-text. XML with one ``<body>``; a tag or attribute out of
the list refuses the whole write; mentions read back with address, type and name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from connectors.asana.simulated_records import Link
from connectors.simulation import Refused

_INLINE = {"strong", "em", "u", "s", "code", "a"}
_COMMENT = _INLINE | {"body", "ol", "ul", "li", "blockquote", "pre"}
_NOTES = _COMMENT | {"h1", "h2", "hr", "img"}
_ATTRIBUTES = {
    "a": {
        "href",
        "data-asana-gid",
        "data-asana-dynamic",
        "data-asana-project",
        "data-asana-tag",
        "data-asana-accessible",
        "data-asana-type",
    },
    "img": {"data-asana-gid", "src", "alt", "style", "data-src-width", "data-src-height"},
}
_BLOCKS = {"h1", "h2", "li", "pre", "blockquote", "hr", "ul", "ol"}
_URL = re.compile(r"https?://[^\s<>]+[^\s<>.,;:!?)'\"]")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Named = Callable[[str], tuple[Link, str, str] | None]
"""gid -> the resource, its address and its name, None where there is none or no access."""


def printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _UNPRINTABLE.sub("", text)


def from_text(text: str) -> str:
    """Plain notes as rich text."""
    return f"<body>{escape(printable(text))}</body>"


def read_back(source: str, *, comment: bool, named: Named, autolink: bool = False) -> str:
    """The form in which a written ``html_notes`` or ``html_text`` is read.

    Raises:
        Refused: 400, as for any of Asana's own rules.
    """
    if re.search(r"<!DOCTYPE|<!ENTITY", source, re.IGNORECASE):
        raise _invalid("document types are not supported")
    builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
    try:
        body = ElementTree.fromstring(source, ElementTree.XMLParser(target=builder))  # noqa: S314
    except ElementTree.ParseError as error:
        raise _invalid(f"XML is invalid: {error}") from error
    if body.tag != "body":
        raise _invalid("the root element must be <body>")
    _check(body, _COMMENT if comment else _NOTES, inside=())
    for link in list(body.iter("a")):
        _expand(link, named)
    if autolink:
        _link_urls(body)
    return ElementTree.tostring(body, encoding="unicode", short_empty_elements=True).replace(
        "<body />", "<body></body>"
    )


@lru_cache(maxsize=4096)
def plain(html: str) -> str:
    """``notes`` or ``text`` of stored rich text."""
    pieces: list[str] = []
    _write(ElementTree.fromstring(html), pieces)  # noqa: S314
    return "".join(pieces).rstrip("\n")


def _check(element: ElementTree.Element, allowed: set[str], inside: tuple[str, ...]) -> None:
    tag = element.tag
    if not isinstance(tag, str):
        raise _invalid("comments and processing instructions are not supported")
    if tag not in allowed or (tag == "body" and inside):
        raise _invalid(f"unsupported tag <{tag}>")
    for attribute in element.attrib:
        if attribute not in _ATTRIBUTES.get(tag, ()):
            raise _invalid(f"unsupported attribute {attribute} on <{tag}>")
    if tag == "a" and "a" in inside:
        raise _invalid("<a> must not be nested")
    if tag in ("h1", "h2") and {"ol", "ul"} & set(inside):
        raise _invalid("headers are not supported in lists")
    if tag == "li" and inside[-1:] not in (("ol",), ("ul",)):
        raise _invalid("<li> must be in a list")
    if inside[-1:] in (("ol",), ("ul",)) and tag not in ("li", "ol", "ul"):
        raise _invalid(f"<{tag}> must not stand directly in a list")
    for child in element:
        _check(child, allowed, (*inside, tag))


def _expand(link: ElementTree.Element, named: Named) -> None:
    gid = link.get("data-asana-gid")
    found = named(gid) if gid else None
    if found is None:
        if not link.get("href"):
            raise _invalid("a link needs an href, or the gid of something that you can see")
        if gid:
            link.set("data-asana-accessible", "false")
        return
    resource, address, name = found
    link.set("href", address)
    link.set("data-asana-accessible", "true")
    link.set("data-asana-type", resource.kind)
    if link.get("data-asana-dynamic") != "false" or not "".join(link.itertext()):
        link.set("data-asana-dynamic", "true")
        for child in list(link):
            link.remove(child)
        link.text = f"@{name}" if resource.kind == "user" else name


def _link_urls(element: ElementTree.Element) -> None:
    """Bare addresses become links, except in code and links."""
    if element.tag in ("a", "code", "pre"):
        return
    for child in list(element):
        _link_urls(child)
        _link_first_url(element, child, child.tail or "")
    _link_first_url(element, None, element.text or "")


def _link_first_url(parent: ElementTree.Element, before: ElementTree.Element | None, text: str) -> None:
    """Split ``text``, which follows ``before`` in ``parent``, at its addresses."""
    index = 0 if before is None else list(parent).index(before) + 1
    pieces = _URL.split(text)
    if before is None:
        parent.text = pieces[0]
    else:
        before.tail = pieces[0]
    for offset, (url, tail) in enumerate(zip(_URL.findall(text), pieces[1:], strict=True)):
        link = ElementTree.Element("a", {"href": url})
        link.text, link.tail = url, tail
        parent.insert(index + offset, link)


def _write(element: ElementTree.Element, pieces: list[str]) -> None:
    """Append the text; blocks begin and end on a line of their own."""
    block = element.tag in _BLOCKS
    _break_line(pieces, block)
    pieces.append(element.text or "")
    for child in element:
        _write(child, pieces)
        pieces.append(child.tail or "")
    _break_line(pieces, block)


def _break_line(pieces: list[str], wanted: bool) -> None:
    last = next((piece for piece in reversed(pieces) if piece), "\n")
    if wanted and not last.endswith("\n"):
        pieces.append("\n")


def _invalid(why: str) -> Refused:
    return Refused(400, f"xml_parsing_error: {why}")
