"""Files on their way out: how they stand in a form, and how much longer a call with one may take."""

from __future__ import annotations

import re
from io import SEEK_END
from typing import BinaryIO
from urllib.parse import quote

_SLOWEST = 500_000
"""Bytes a second that a way out is expected to carry: a file of 100 MB may take some minutes."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 ._()+,=@~-]+")


def upload_s(size: int) -> float:
    """So much longer may a call take that carries a file of so many bytes."""
    return size / _SLOWEST


def takes_s(content: BinaryIO) -> float:
    """As :func:`upload_s`, of a file that is open."""
    return upload_s(content.seek(0, SEEK_END))


def part_of(name: str, content: BinaryIO, media_type: str) -> tuple[str, BinaryIO, str]:
    """A file as a part of a form, from its start. A name of other than plain characters is URL-encoded."""
    content.seek(0)
    return name if _PLAIN_NAME.fullmatch(name) else quote(name), content, media_type
