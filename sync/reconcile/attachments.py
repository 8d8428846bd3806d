"""What to do about the files of one object. Pure.

A file has one **root**, the one a person added, and a copy on the other side: its bytes, or where those
cannot be had a link. A copy stands for its root once and for all: files do not change, so there is
nothing to follow. A root that is removed leaves its copy, and a copy that is removed is not made
again: what somebody took away is not put back, and what somebody still reads is not taken away.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from connectors.discussions import Attachment, Content
from connectors.records import Ref
from connectors.richtext.document import Paragraph, Run
from connectors.richtext.markdown_writer import write
from sync.reconcile.model import Side


class AttachmentStep(StrEnum):
    """``keep``: the root is gone, its copy stays. ``forget``: it went before it was copied."""

    COPY = "copy"
    KEEP = "keep"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class AttachmentLink:
    """A file that is known.

    ``settled``: nothing is left to be copied. ``alone``: its root is known to be gone.
    """

    id: int
    source: Side
    root: Ref
    copy: Ref | None
    settled: bool
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentAction:
    """One step; ``root`` is there for a copy, ``link`` for a file that is known."""

    step: AttachmentStep
    into: Side
    root: Attachment | None = None
    link: AttachmentLink | None = None


def plan_attachments(
    *,
    links: Sequence[AttachmentLink],
    listed: Mapping[Side, Sequence[Attachment]],
    into: Collection[Side],
    fresh: Collection[int] = (),
) -> tuple[AttachmentAction, ...]:
    """The steps that bring the copies in step with their roots, oldest file first.

    Args:
        links: the files of this object that are known already.
        listed: the files of each side that was listed, complete; nothing is decided about another's.
        into: sides that files may be added to.
        fresh: ids of links made so recently that a late listing may not show them.
    """
    known = {ref for link in links for ref in (link.root, link.copy)}
    there = {attachment.ref: attachment for files in listed.values() for attachment in files}
    actions = [
        AttachmentAction(
            step=AttachmentStep.COPY if link.root in there else AttachmentStep.FORGET,
            into=link.source.other,
            root=there.get(link.root),
            link=link,
        )
        for link in links
        if not link.settled and link.source in listed and link.source.other in into
    ]
    actions += [
        AttachmentAction(step=AttachmentStep.KEEP, into=link.source.other, link=link)
        for link in links
        if link.settled
        and not link.alone
        and link.id not in fresh
        and link.source in listed
        and link.root not in there
    ]
    actions += [
        AttachmentAction(step=AttachmentStep.COPY, into=side.other, root=attachment)
        for side, files in listed.items()
        for attachment in files
        if side.other in into and attachment.ref not in known
    ]
    return tuple(sorted(actions, key=_age))


def _age(action: AttachmentAction) -> tuple[bool, float]:
    root = action.root
    return (root is not None, root.created_at.timestamp() if root else 0.0)


def file_name(name: str, content: Content) -> str:
    """The name with an ending that tells what it is: texts often call an image just that."""
    if PurePosixPath(name).suffix or not content.media_type:
        return name
    return name + (mimetypes.guess_extension(content.media_type) or "")


def told(root: Attachment) -> str:
    """Markdown of the comment that stands for a file where none can be added."""
    return write((Paragraph((Run("attached "), Run(root.name, href=root.url))),))
