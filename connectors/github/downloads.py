"""Reading files that stand in texts: with the account's own right, and else by what GitHub shows of them.

A classic token reads them as a person does. A fine-grained one is answered 404 in private repositories;
but where it may read the issue, the rendered text shows its images under addresses that carry the
permission with them for five minutes. Other files than images have no such way.
"""

from __future__ import annotations

from typing import BinaryIO

from connectors.discussions import Attachment, Content
from connectors.errors import Park, ParkClass
from connectors.github.client import Client
from connectors.github.files import HOSTS, signed_address
from connectors.github.translate import located

_FIX = "Give the connection a classic token with the scope repo, or add the file by hand."


class Downloads:
    """``web``: origin of the pages that people see."""

    def __init__(self, client: Client, web: str) -> None:
        self._github = client
        self._web = web

    async def read(self, attachment: Attachment, into: BinaryIO, limit: int) -> Content:
        """
        Raises:
            OnlyLinked: more than ``limit`` bytes.
            Park: the account may not read it.
        """
        try:
            return await self._download(attachment.url, attachment, into, limit)
        except Park as refused:
            if refused.park_class is not ParkClass.PERMISSION:
                raise
            address = signed_address(await self._rendered(attachment), attachment)
            if address is None:
                refused.fix = _FIX
                raise
        into.seek(0)
        into.truncate()
        return await self._download(address, attachment, into, limit)

    async def _download(self, address: str, attachment: Attachment, into: BinaryIO, limit: int) -> Content:
        content = await self._github.download(address, into, limit=limit, hosts=HOSTS, trusted=self._web)
        if content.media_type == "text/html" and not attachment.name.endswith((".html", ".htm")):
            raise Park("a page came instead of the file", park_class=ParkClass.PERMISSION)
        return content

    async def _rendered(self, attachment: Attachment) -> str:
        """HTML of the text that the file stands in."""
        where = located(attachment.ref.address)
        if where is None:
            return ""
        repository, number, comment = where
        try:
            return await self._github.rendered(repository, number, comment)
        except Park:
            return ""
