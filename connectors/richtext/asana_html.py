"""Asana's rich text (``html_notes``, ``html_text``) from and to Markdown.

Source of the rules: https://developers.asana.com/docs/rich-text and the announcement of its newer tags,
https://forum.asana.com/t/113434. The text is XML with one ``<body>``; a tag or attribute outside the
allowed ones refuses the whole write. There are no ``<p>`` and ``<br>``: newlines count. What gets lost
is listed in this folder's README.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import chain, groupby
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
    fold,
    lines,
    plain,
)
from connectors.richtext.html_reader import Attributes, Flavour, link_address, read
from connectors.richtext.markdown_runs import means_itself
from connectors.richtext.markdown_writer import write
from connectors.richtext.runs import paragraphs

_APP = "https://app.asana.com"
_PROFILE = f"{_APP}/0/profile/"
_OF_PROFILE = re.compile(rf"{re.escape(_APP)}/(?:0|1/[0-9]+)/profile/([0-9]+)/?(?:[?#].*)?")
"""Both forms of Asana's addresses: what a mention reads back with is not documented."""
ASSET = f"{_APP}/app/asana/-/get_asset?asset_id="
"""What an image in the text becomes a link to, its id behind it."""
_BOXES = {False: "☐", True: "☑"}
_RULE = "———"
_HOST = re.compile(r"[\w.:-]+\Z")
_BARE_LINK = re.compile(r'<a href="(?:mailto:|http://)?([^"]*)">\1</a>')
_USER = re.compile(rf'(<a data-asana-gid="[0-9]+" href="{_PROFILE}[0-9]+">).*?</a>', re.DOTALL)
_LIST_SEAM = re.compile("</(ul|ol)><\\1>")
_GID = re.compile(r"[0-9]+\Z")


def from_markdown(text: str, *, comment: bool = False, present: str = "") -> str:
    """Asana's rich text of a Markdown text: well-formed XML within the allowed tags, for any input.

    Args:
        text: GitHub-flavoured Markdown.
        comment: comments allow neither headings nor rules.
        present: the rich text that stands in Asana now. Mentions, links to objects and images in it
            which the Markdown still has stay what they are, be it only as text: the other side has no
            user for everybody. Beside those only what :mod:`.mentions` calls one becomes a mention.
    """
    objects = _objects(present)
    writer = _Writer(comment, objects, mentions.mentioned(text), _people(objects))
    return f"<body>{writer.blocks(markdown.tokens(text), top=True)}</body>"


def to_markdown(html: str) -> str:
    """Markdown of a rich text as Asana returns it, with mentions expanded and any attributes."""
    html = markdown.clean(html)
    text = html.removeprefix("<body>").removesuffix("</body>")
    return text if means_itself(text) else write(_with_tasks(read(html, _FLAVOUR)))


def same(sent_markdown: str, read_markdown: str, *, comment: bool = False) -> bool:
    """Whether what was read back can be what was sent, after the losses of the dialect.

    Asana may link bare addresses by itself, and an editor may join lists that stand side by side. It
    shows users under their own names, and keeps the mentions that stood there.
    """
    found = from_markdown(read_markdown, comment=comment)
    sent = from_markdown(sent_markdown, comment=comment, present=found if _PROFILE in found else "")
    return sent == found or _loosely(sent) == _loosely(found)


def _loosely(html: str) -> str:
    return _BARE_LINK.sub(r"\1", _USER.sub(r"\1</a>", _LIST_SEAM.sub("", html)))


def _link_address(attributes: Attributes) -> str:
    gid, href = attributes.get("data-asana-gid", ""), link_address(attributes)
    if not _GID.match(gid):
        return href
    profile = _OF_PROFILE.fullmatch(href)
    if attributes.get("data-asana-type") == "user" or (profile is not None and profile[1] == gid):
        return mentions.address(gid)
    return href or f"{_APP}/0/0/{gid}/f"


def _image(attributes: Attributes) -> Run | None:
    """An image as a link that stays: its ``src`` ends within minutes."""
    gid, alt = attributes.get("data-asana-gid", ""), attributes.get("alt", "").strip()
    name = "image" if not alt or "://" in alt else alt
    return Run(name, href=ASSET + gid if _GID.match(gid) else "")


_FLAVOUR = Flavour(literal_newlines=True, unknown_as_text=False, link_address=_link_address, image=_image)


def _objects(html: str) -> dict[tuple[str, str], str]:
    """The mentions and images of a rich text: (address, label) as Markdown has them -> gid."""

    def marked_address(attributes: Attributes) -> str:
        gid = attributes.get("data-asana-gid", "")
        dynamic = attributes.get("data-asana-dynamic") != "false" and _GID.match(gid)
        return f"{gid} {_link_address(attributes)}" if dynamic else ""

    def marked_image(attributes: Attributes) -> Run | None:
        run = _image(attributes)
        return run and replace(run, href=f"{attributes['data-asana-gid']} {run.href}" if run.href else "")

    marked = replace(_FLAVOUR, link_address=marked_address, image=marked_image)
    found: dict[tuple[str, str], str] = {}
    for runs in lines(read(markdown.clean(html), marked)):
        for href, group in groupby(runs, key=lambda run: run.href):
            gid, _, address = href.partition(" ")
            if address:
                found[address, plain(list(group))] = gid
    return found


def _people(objects: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Label -> gid of the users among the objects."""
    return {label: gid for (href, label), gid in objects.items() if label and href == mentions.address(gid)}


@dataclass(frozen=True, slots=True)
class _Writer:
    comment: bool
    objects: Mapping[tuple[str, str], str]
    mentioned: Collection[str]
    people: Mapping[str, str]

    def blocks(self, blocks: Sequence[Block], *, top: bool) -> str:
        """Text is set apart from text by a blank line; elements stand in lines of their own anyway."""
        written = ""
        after_text = False
        for number, block in enumerate(blocks):
            inner, is_text = self._block(block, top=top)
            if number and (is_text or after_text):
                nested_list = isinstance(block, List) and not top
                written += "\n\n" if is_text and after_text else "" if nested_list else "\n"
            written += inner
            after_text = is_text
        return written

    def _block(self, block: Block, *, top: bool) -> tuple[str, bool]:
        """What a block becomes, and whether that is bare text."""
        headings = top and not self.comment
        match block:
            case Paragraph(runs):
                return self._runs(runs), True
            case Heading(level, runs) if level <= 2 and headings:
                return f"<h{level}>{self._runs(runs)}</h{level}>", False
            case Heading(_, runs):
                return self._runs(_bold(runs)), True
            case List(items, ordered):
                tag = "ol" if ordered else "ul"
                return f"<{tag}>{''.join(map(self._item, items))}</{tag}>", False
            case Quote(inner):
                return f"<blockquote>{self.blocks(inner, top=False)}</blockquote>", False
            case Code(text):
                return f"<pre>{escape(text, quote=False)}</pre>", False
            case Table(rows):
                return "\n".join(" | ".join(map(self._runs, row)).strip() for row in rows), True
            case Rule():
                return ("<hr/>", False) if headings else (_RULE, True)

    def _item(self, item: Item) -> str:
        box = "" if item.checked is None else f"{_BOXES[item.checked]} "
        return f"<li>{box}{self.blocks(item.blocks, top=False)}</li>"

    def _runs(self, runs: Runs) -> str:
        reachable = (self._reachable(run) for run in runs)
        return fold(list(chain.from_iterable(map(self._named, reachable))), self._leaf, self._wrap)

    def _reachable(self, run: Run) -> Run:
        """The run with a link that Asana accepts, or none; an image becomes a link to it."""
        if mentions.user_of(run.href) in self.mentioned:
            return run
        href = next((address for address in (run.href, run.src) if _is_web(address)), "")
        return Run(run.text or (run.src and "image"), run.marks, href)

    def _named(self, run: Run) -> Sequence[Run]:
        """The run cut at the names of people whom the present text mentions."""
        if not self.people or run.href or "code" in run.marks:
            return (run,)
        names = "|".join(re.escape(label) for label in sorted(self.people, key=len, reverse=True))
        pieces = re.split(rf"({names})(?!\w)", run.text)
        return [
            replace(run, text=text, href=mentions.address(self.people[text]) if number % 2 else "")
            for number, text in enumerate(pieces)
            if text
        ]

    def _leaf(self, run: Run) -> str:
        text = escape(run.text, quote=False)
        return f"<code>{text}</code>" if "code" in run.marks else text

    def _wrap(self, layer: str, runs: Sequence[Run], inner: str) -> str:
        if layer != "href":
            return f"<{layer}>{inner}</{layer}>"
        href, label = runs[0].href, plain(runs)
        user = mentions.user_of(href)
        if user is not None:
            start = f'<a data-asana-gid="{user}" href="{_PROFILE}{user}">'
            return f"{start}{inner}</a>" if _GID.match(user) else inner
        gid = self.objects.get((href, label))
        if gid and href.startswith(ASSET) and not self.comment:
            return f'<img data-asana-gid="{gid}"/>'
        if gid:
            return f'<a data-asana-gid="{gid}" href="{escape(href)}">{inner}</a>'
        # Asana would put the object's name in place of a label of our own.
        own_label = ' data-asana-dynamic="false"' if href.startswith(f"{_APP}/") and label != href else ""
        return f'<a{own_label} href="{escape(href)}">{inner}</a>'


def _bold(runs: Runs) -> Runs:
    return tuple(replace(run, marks=run.marks | {"strong"}) for run in runs)


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    is_host = _HOST.match(parts.hostname or "") is not None
    return parts.scheme == "mailto" or (parts.scheme in ("http", "https") and is_host)


def _with_tasks(blocks: Document) -> Document:
    """Items that begin with a box are tasks."""
    return tuple(_with_tasks_inside(block) for block in blocks)


def _with_tasks_inside(block: Block) -> Block:
    match block:
        case Quote(inner):
            return Quote(_with_tasks(inner))
        case List(items):
            return replace(block, items=tuple(_task(Item(_with_tasks(item.blocks))) for item in items))
        case _:
            return block


def _task(item: Item) -> Item:
    if not item.blocks or not isinstance(item.blocks[0], Paragraph):
        return item
    first, *others = item.blocks[0].runs
    for checked, box in _BOXES.items():
        text = first.text.removeprefix(f"{box} ")
        if text != first.text and not text[:1].isspace() and not first.marks and not first.href:
            unboxed = paragraphs([replace(first, text=text), *others])
            return Item((*map(Paragraph, unboxed), *item.blocks[1:]), checked) if unboxed else item
    return item
