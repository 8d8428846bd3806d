"""How calls to GitHub are made: pages of lists, writes below a repository that was renamed, checked answers.

Sources: docs.github.com/rest, "Using pagination in the REST API", "Best practices for using the REST API".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.access import Access
from connectors.answers import Answer
from connectors.errors import OutcomeUnknown, Park, ReplanNeeded, RetryLater
from connectors.github.fields import Payload

PER_PAGE = 100
NOT_MODIFIED = 304
NOT_SERVED = frozenset({403, 404, 405, 501})
"""Statuses of calls that not every GitHub has, or shows."""

_NEXT = re.compile(r'<([^<>]+)>\s*;[^,<]*\brel="?next"?', re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 307, 308})


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a listing; ``next`` is the URL of the page after it."""

    items: Sequence[Payload]
    next: str | None = None
    etag: str | None = None
    unchanged: bool = False


class Calls:
    """Calls with one account's credentials.

    Args:
        calls: sends with the credentials.
    """

    def __init__(self, calls: Access) -> None:
        self._calls = calls

    @property
    def clock_offset_s(self) -> float:
        """GitHub's clock minus ours, 0 while it is not known."""
        return self._calls.clock_offset_s or 0.0

    async def aclose(self) -> None:
        await self._calls.aclose()

    async def repository(self, repository: str) -> Payload:
        return object_in(await self._calls.send("GET", f"/repos/{repository}"), {"full_name"})

    async def _listed(
        self,
        path: str,
        params: Mapping[str, Any],
        required: Collection[str],
        *,
        page: str | None = None,
        etag: str | None = None,
        within: str | None = None,
    ) -> Listed:
        """One page; ``within``: the key of the answer under which the list is."""
        headers = {"if-none-match": etag} if etag else None
        if page:
            answer = await self._calls.send("GET", page, headers=headers)
        else:
            query = {"per_page": PER_PAGE, **params}
            answer = await self._calls.send(
                "GET", path, params=query, headers=headers, accept=(NOT_MODIFIED,)
            )
        if answer.status == NOT_MODIFIED:
            return Listed((), etag=etag, unchanged=True)
        rows = answer.data
        if within is not None and isinstance(rows, Mapping):
            rows = rows.get(within)
        if not isinstance(rows, list):
            raise RetryLater(f"GitHub answered {path} with something else than a list", status=answer.status)
        following = _NEXT.search(answer.headers.get("link", ""))
        return Listed(
            [checked(item, required) for item in rows],
            next=following[1] if following else None,
            etag=answer.headers.get("etag"),
        )

    async def _whole(
        self,
        path: str,
        params: Mapping[str, Any],
        required: Collection[str],
        *,
        within: str | None = None,
    ) -> Sequence[Payload]:
        """All pages of a listing."""
        listed = await self._listed(path, params, required, within=within)
        items = list(listed.items)
        while listed.next:
            listed = await self._listed(path, params, required, page=listed.next, within=within)
            items += listed.items
        return items

    async def _optional(
        self, path: str, params: Mapping[str, Any], required: Collection[str], *, within: str | None = None
    ) -> Sequence[Payload] | None:
        """A list that not every GitHub has, or shows."""
        try:
            return await self._whole(path, params, required, within=within)
        except (Park, RetryLater) as refused:
            if refused.status in NOT_SERVED:
                return None
            raise

    async def _write(
        self,
        method: str,
        repository: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: Collection[int] = (),
    ) -> Answer:
        """A call below a repository. A 301 did nothing: it is sent on to the repository's new name."""
        try:
            return await self._calls.send(method, f"/repos/{repository}{path}", json=body, accept=accept)
        except Park as refused:
            if refused.status not in _REDIRECTS:
                raise
            name = str((await self.repository(repository))["full_name"])
            if name.casefold() == repository.casefold():
                raise ReplanNeeded("it was transferred to another repository", status=301) from refused
        return await self._calls.send(method, f"/repos/{name}{path}", json=body, accept=accept)


def object_in(answer: Answer, required: Collection[str], *, write: bool = False) -> Payload:
    """The payload of an answer that is one object."""
    return checked(answer.data, required, write=write)


def checked(data: Any, required: Collection[str], *, write: bool = False) -> Payload:
    """The payload, if it has what everything else relies on."""
    if isinstance(data, Mapping) and all(data.get(name) is not None for name in required):
        return data
    reason = "GitHub's answer is not as documented"
    raise OutcomeUnknown(reason) if write else RetryLater(reason)
