"""The only file that knows URLs. Answers are the store's own JSON; errors are the contract's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import quote

from connectors.discussions import AttachmentDraft, Content
from connectors.errors import PauseMapping, ReplanNeeded
from connectors.http import Outbound

Payload: TypeAlias = dict[str, Any]

PAGE = 50
_MISSING = (404,)
_GONE = (404, 410)


class Client:
    """One account of one store."""

    def __init__(self, outbound: Outbound, token: str) -> None:
        self.outbound = outbound.authorised({"Authorization": f"Bearer {token}"}, secrets=[token])

    async def me(self) -> Payload:
        return await self._get("/me")

    async def spaces(self) -> Sequence[Payload]:
        return list((await self._get("/spaces"))["spaces"])

    async def space(self, space: str) -> Payload:
        return await self._in_space(space, "")

    async def people(self, space: str) -> Sequence[Payload]:
        return list((await self._in_space(space, "/people"))["people"])

    async def items(self, space: str, after: str | None, key: str | None = None) -> Payload:
        """Items in order of creation, one page: ``{"items", "next"}``; ``next`` is null at the end."""
        return await self._in_space(space, "/items", {"after": after, "key": key, "limit": PAGE})

    async def changes(self, space: str, after: str | None) -> Payload:
        """``{"changes", "next", "more"}``; without ``after`` none, and ``next`` is the present."""
        return await self._in_space(space, "/changes", {"after": after, "limit": PAGE})

    async def items_by_id(self, ids: Sequence[str]) -> Payload:
        """``{"items", "deleted"}``; ids that we may not see are in neither. At most PAGE ids."""
        return await self._get("/items", {"ids": ",".join(ids)})

    async def create(self, space: str, item: Payload) -> Payload:
        """Repeated with the same ``key``, the store answers the item it made the first time."""
        return await self._write("POST", f"/spaces/{_quoted(space)}/items", item)

    async def change(self, id: str, patch: Payload, version: str) -> Payload:
        return await self._write("PATCH", f"/items/{_quoted(id)}", patch, {"If-Match": version})

    async def delete(self, id: str, version: str) -> None:
        headers = {"If-Match": version}
        await self.outbound.send("DELETE", f"/items/{_quoted(id)}", headers=headers, accept=_GONE)

    async def history(self, id: str, since: datetime) -> Sequence[Payload]:
        path = f"/items/{_quoted(id)}/history"
        return list((await self._get(path, {"since": since.isoformat()}))["history"])

    async def comments(self, id: str) -> Sequence[Payload]:
        found: list[Payload] = []
        after = None
        while True:
            page = await self._get(f"/items/{_quoted(id)}/comments", {"after": after, "limit": PAGE})
            found += page["comments"]
            after = page["next"]
            if after is None:
                return found

    async def add_comment(self, id: str, text: str) -> Payload:
        return await self._write("POST", f"/items/{_quoted(id)}/comments", {"text": text})

    async def edit_comment(self, id: str, text: str) -> Payload:
        return await self._write("PATCH", f"/comments/{_quoted(id)}", {"text": text})

    async def delete_comment(self, id: str) -> None:
        await self.outbound.send("DELETE", f"/comments/{_quoted(id)}", accept=_GONE)

    async def attachments(self, id: str) -> Sequence[Payload]:
        return list((await self._get(f"/items/{_quoted(id)}/attachments"))["attachments"])

    async def download(self, id: str, into: BinaryIO, limit: int) -> Content:
        return await self.outbound.download(f"/attachments/{_quoted(id)}/content", into, limit=limit)

    async def attach(self, id: str, draft: AttachmentDraft, content: BinaryIO | None) -> Payload:
        form = {"name": draft.name} if content else {"name": draft.name, "url": draft.url}
        file = ("file", draft.name, content, draft.media_type) if content else None
        path = f"/items/{_quoted(id)}/attachments"
        payload: Payload = (await self.outbound.upload(path, form, file=file)).data
        return payload

    async def put_card(self, id: str, card: Payload) -> None:
        await self._write("PUT", f"/items/{_quoted(id)}/card", card)

    async def whisper(self, id: str, person: str, text: str) -> None:
        await self._write("POST", f"/items/{_quoted(id)}/whispers", {"to": person, "text": text})

    async def webhooks(self, space: str) -> Sequence[Payload]:
        return list((await self._in_space(space, "/webhooks"))["webhooks"])

    async def add_webhook(self, space: str, target: str, secret: str) -> Payload:
        path = f"/spaces/{_quoted(space)}/webhooks"
        return await self._write("POST", path, {"target": target, "secret": secret})

    async def delete_webhook(self, id: str) -> None:
        await self.outbound.send("DELETE", f"/webhooks/{_quoted(id)}", accept=_GONE)

    async def _get(self, path: str, params: Mapping[str, Any] | None = None) -> Payload:
        payload: Payload = (await self.outbound.send("GET", path, params=params)).data
        return payload

    async def _in_space(self, space: str, path: str, params: Mapping[str, Any] | None = None) -> Payload:
        url = f"/spaces/{_quoted(space)}{path}"
        answer = await self.outbound.send("GET", url, params=params, accept=_MISSING)
        if answer.status in _MISSING:
            raise PauseMapping(f"the space {space} does not exist or is not ours", status=answer.status)
        payload: Payload = answer.data
        return payload

    async def _write(
        self, method: str, path: str, body: Payload, headers: Mapping[str, str] | None = None
    ) -> Payload:
        answer = await self.outbound.send(method, path, json=body, headers=headers, accept=_GONE)
        if answer.status in _GONE:
            raise ReplanNeeded("it is gone", status=answer.status)
        payload: Payload = answer.data
        return payload


def _quoted(id: str) -> str:
    return quote(id, safe="")
