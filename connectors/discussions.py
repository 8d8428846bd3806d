"""The neutral words for what hangs below an object: comments and files. Frozen, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.records import Author, Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment of an object, ``text`` without our header.

    ``source_url`` is the link in our header: it is the key of a copy and only trusted where
    ``by_us``. ``modified_at`` is None where the provider tells no time of an edit.
    """

    ref: Ref
    parent: Ref
    text: str
    author: Author
    created_at: datetime
    url: str
    modified_at: datetime | None = None
    by_us: bool = False
    source_url: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDraft:
    """A copy to be made, headed by ``author_name`` in bold with a link to ``source_url``.

    ``author_here``: the author's id on the side that is written, "" where nobody there is known to be them.
    """

    text: str
    author_name: str
    source_url: str
    author_here: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The provider's history tells that somebody added a file, or that it came with a copied object."""

    at: datetime
    author: Author | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussion:
    """What was said and added below one object: all its comments, oldest first, and what is told of files."""

    comments: tuple[Comment, ...] = ()
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file of an object.

    ``url`` leads a person to it for good, if only behind a login: never an address that ends within
    minutes or that is itself the permission. It is the key of a copy that is a link. ``comment`` is
    the comment it hangs below. ``size`` in bytes, None where it is not told. ``is_link``: it is kept
    elsewhere, and there are no bytes to read.
    """

    ref: Ref
    parent: Ref
    name: str
    url: str
    created_at: datetime
    author: Author | None = None
    comment: Ref | None = None
    size: int | None = None
    is_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentDraft:
    """A file to be added. Where its bytes are not at hand, a link named ``name`` to ``url`` is added."""

    name: str
    url: str
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a file was found to hold when it was read: bytes, SHA-256 in hex, media type (RFC 9110 8.3)."""

    size: int
    sha256: str
    media_type: str = ""
