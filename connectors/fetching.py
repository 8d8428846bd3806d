"""Fetching the bytes of a file from a provider, and from the storage that it leads on to.

What a person wrote may name the address, so little is believed of it: the credentials go to the
provider's own origins alone, other hosts are asked only if they are listed, over https, and no more is
taken than fits.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, TypeAlias

import httpx

from connectors.answers import retry_after
from connectors.discussions import Content
from connectors.errors import ConnectorError, OnlyLinked, Park, ParkClass, RetryLater

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port."""

_MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def origin(url: httpx.URL) -> Origin:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """``own``: whom ``credentials`` are shown. ``hosts``: who else may be asked, with all below them.

    ``observe``: told of every answer's status and how many seconds it took to begin.
    """

    client: httpx.AsyncClient
    own: frozenset[Origin]
    hosts: Collection[str]
    credentials: Mapping[str, str] = field(repr=False)
    user_agent: str
    observe: Callable[[int | None, float], None]

    async def fetch(self, url: httpx.URL, into: BinaryIO, limit: int) -> Content:
        """Write at most ``limit`` bytes into a file.

        Raises:
            OnlyLinked: there are more.
            Park: not there, not ours to read, or at a host that may not be asked.
            RetryLater: not now.
            httpx.RequestError: it did not come whole.
        """
        for redirects in range(_MAX_REDIRECTS + 1):
            request = self.client.build_request("GET", url, headers=self._headers(url))
            start = time.monotonic()
            response = await self.client.send(request, stream=True)
            try:
                self.observe(response.status_code, time.monotonic() - start)
                if response.is_success:
                    return await _written(response, into, limit)
            finally:
                await response.aclose()
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or location is None:
                raise _refused(response, led_there=redirects > 0)
            url = url.join(location)
        raise Park(f"{url.host} redirects in a circle")

    def _headers(self, url: httpx.URL) -> Mapping[str, str]:
        """What is sent there; Park where nothing may be."""
        is_own = origin(url) in self.own
        listed = any(url.host == host or url.host.endswith(f".{host}") for host in self.hosts)
        if url.userinfo or not (is_own or (listed and url.scheme == "https")):
            raise Park(f"files are not fetched from {url.host}", park_class=ParkClass.PERMISSION)
        plain = {"accept": "*/*", "accept-encoding": "identity", "user-agent": self.user_agent}
        return (
            {**{name.lower(): value for name, value in self.credentials.items()}, **plain}
            if is_own
            else plain
        )


async def _written(response: httpx.Response, into: BinaryIO, limit: int) -> Content:
    """Raises OnlyLinked as soon as there is too much."""
    size, digest = 0, hashlib.sha256()
    told = response.headers.get("content-length", "")
    if told.isdecimal() and int(told) > limit:
        raise OnlyLinked(f"the file has {told} bytes, more than {limit}")
    async for part in response.aiter_bytes():
        size += len(part)
        if size > limit:
            raise OnlyLinked(f"the file has more than {limit} bytes")
        digest.update(part)
        into.write(part)
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Content(size=size, sha256=digest.hexdigest(), media_type=media_type)


def _refused(response: httpx.Response, *, led_there: bool) -> ConnectorError:
    """What a status other than 2xx means for a file: that a storage refuses us says nothing of the API.

    Where we were led carries a permission that ends after minutes: another try gets another.
    """
    status, reason = response.status_code, f"{response.url.host} answered {response.status_code} for the file"
    if status in (408, 429) or status >= 500 or (led_there and status in (401, 403)):
        return RetryLater(reason, after=retry_after(response.headers), status=status)
    return Park(reason, park_class=ParkClass.PERMISSION, status=status)
