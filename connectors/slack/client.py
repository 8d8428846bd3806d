"""The only file that knows Slack's methods: slack-sdk's client, over our own way out.

The SDK's own transport, and with it its automatic repetition of calls, is not used at all: gate, egress
guard, deadlines, redaction and the meaning of failures are those of :mod:`connectors.http`.
"""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping
from typing import Any, BinaryIO, TypeAlias

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from connectors.access import Access, through
from connectors.answers import Answer
from connectors.discussions import Content
from connectors.errors import RetryLater
from connectors.http import Outbound
from connectors.slack.refusals import meaning

Payload: TypeAlias = dict[str, Any]

PAGE = 200
"""Messages of a page; Slack asks for no more (https://docs.slack.dev/apis/web-api/pagination)."""
_READS = (
    "list",
    "info",
    "history",
    "replies",
    "members",
    "test",
    "get",
    "getPermalink",
    "getUploadURLExternal",
)
"""Last words of the methods that change nothing. They go out as GET, and may be tried again."""


class WebClient(AsyncWebClient):
    """The SDK's methods over our own way out."""

    def __init__(self, access: Access) -> None:
        super().__init__(retry_handlers=[])
        self.access = access

    async def api_call(  # type: ignore[override]  # the SDK's own types are looser
        self,
        api_method: str,
        *,
        http_verb: str = "POST",
        files: Any = None,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        headers: Any = None,
        auth: Any = None,
    ) -> AsyncSlackResponse:
        """One call.

        Raises:
            ConnectorError: as :mod:`connectors.http`, and what an answer without ``ok`` means.
        """
        write = api_method.rpartition(".")[2] not in _READS
        given = {**(params or {}), **(data or {})}

        async def call(outbound: Outbound) -> Answer:
            if not write:
                query = _flat({**given, **(json or {})})
                answer = await outbound.send("GET", f"/{api_method}", params=query)
            elif json is not None:
                body = {name: value for name, value in json.items() if value is not None}
                answer = await outbound.send("POST", f"/{api_method}", json=body)
            else:
                answer = await outbound.send("POST", f"/{api_method}", form=_flat(given))
            payload = answer.data if isinstance(answer.data, dict) else {}
            if payload.get("ok") is not True:
                raise meaning(payload, write=write)
            return answer

        answer = await through(self.access, call)
        return AsyncSlackResponse(
            client=self,
            http_verb="POST" if write else "GET",
            api_url=api_method,
            req_args={},
            data=answer.data,
            headers=dict(answer.headers),
            status_code=answer.status,
        )


def _flat(given: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as forms and queries hold them."""
    return {
        name: value if isinstance(value, str) else json_text.dumps(value)
        for name, value in given.items()
        if value is not None
    }


class Client:
    """One app in one workspace; answers are Slack's own JSON."""

    def __init__(self, access: Access, files_url: str) -> None:
        self._web = WebClient(access)
        self._files_url = files_url

    @property
    def clock_offset_s(self) -> float:
        return self._web.access.clock_offset_s or 0.0

    async def who_we_are(self) -> tuple[Payload, frozenset[str]]:
        """``auth.test``, and the scopes that the token has."""
        response = await self._web.auth_test()
        scopes = str(response.headers.get("x-oauth-scopes", ""))
        return _payload(response), frozenset(filter(None, scopes.replace(" ", "").split(",")))

    async def users(self) -> list[Payload]:
        return await self._all("members", lambda cursor: self._web.users_list(cursor=cursor, limit=PAGE))

    async def user(self, id: str) -> Payload:
        return dict(_payload(await self._web.users_info(user=id))["user"])

    async def channels(self) -> list[Payload]:
        """Those that are not archived, public ones and private ones that the app is in."""
        return await self._all(
            "channels",
            lambda cursor: self._web.conversations_list(
                cursor=cursor, limit=PAGE, exclude_archived=True, types="public_channel,private_channel"
            ),
        )

    async def channel(self, channel: str) -> Payload:
        return dict(_payload(await self._web.conversations_info(channel=channel))["channel"])

    async def join(self, channel: str) -> None:
        await self._web.conversations_join(channel=channel)

    async def history(
        self,
        channel: str,
        *,
        oldest: str | None = None,
        latest: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> tuple[list[Payload], str]:
        """Messages of the channel, newest first, both ends included; and the cursor of the next page."""
        answer = _payload(
            await self._web.conversations_history(
                channel=channel,
                oldest=oldest,
                latest=latest,
                inclusive=True,
                cursor=cursor or None,
                limit=limit,
                include_all_metadata=True,
            )
        )
        return list(answer["messages"]), _next(answer)

    async def newest(self, channel: str, *, oldest: str, latest: str, limit: int = PAGE) -> list[Payload]:
        """The first messages between, newest first; none only where no page has one.

        Pages may be shorter than asked for, even empty (https://docs.slack.dev/apis/web-api/pagination).
        """
        bounds: dict[str, Any] = {"oldest": oldest, "latest": latest, "limit": limit}
        messages, following = await self.history(channel, **bounds)
        while following and not messages:
            messages, following = await self.history(channel, cursor=following, **bounds)
        return messages

    async def thread(self, channel: str, ts: str) -> list[Payload]:
        """The first message of a thread and all replies, oldest first."""
        found: dict[str, Payload] = {}
        cursor: str | None = None
        while True:
            answer = _payload(
                await self._web.conversations_replies(
                    channel=channel, ts=ts, cursor=cursor, limit=PAGE, include_all_metadata=True
                )
            )
            found |= {each["ts"]: each for each in answer["messages"]}
            cursor = _next(answer)
            if not cursor:
                return [found[each] for each in sorted(found, key=float)]

    async def post(self, channel: str, message: Payload) -> Payload:
        """Post one message; it as it stands there."""
        answer = _payload(await self._web.chat_postMessage(channel=channel, **_quiet(message)))
        return {**answer["message"], "ts": answer["ts"]}

    async def update(self, channel: str, ts: str, message: Payload) -> Payload:
        answer = _payload(await self._web.chat_update(channel=channel, ts=ts, **message))
        return {**answer["message"], "ts": answer["ts"]}

    async def open_view(self, trigger: str, view: Payload) -> Payload:
        """Show a modal to the person whose trigger it is, within 3 s of it; the view with its id."""
        return dict(_payload(await self._web.views_open(trigger_id=trigger, view=view))["view"])

    async def update_view(self, id: str, view: Payload) -> None:
        await self._web.views_update(view_id=id, view=view)

    async def whisper(self, channel: str, user: str, message: Payload, thread: str = "") -> None:
        """What this person alone sees, until the next reload."""
        await self._web.chat_postEphemeral(channel=channel, user=user, thread_ts=thread or None, **message)

    async def delete(self, channel: str, ts: str) -> None:
        await self._web.chat_delete(channel=channel, ts=ts)

    async def react(self, channel: str, ts: str, name: str) -> None:
        await self._web.reactions_add(channel=channel, timestamp=ts, name=name)

    async def unreact(self, channel: str, ts: str, name: str) -> None:
        await self._web.reactions_remove(channel=channel, timestamp=ts, name=name)

    async def download(self, url: str, into: BinaryIO, limit: int) -> Content:
        return await self._web.access.download(url, into, limit=limit, trusted=self._files_url)

    async def upload(self, name: str, size: int, content: BinaryIO, media_type: str) -> str:
        """Bring bytes to Slack, where nobody sees them yet; the id of the file."""
        place = _payload(await self._web.files_getUploadURLExternal(filename=name, length=size))
        taken = await self._web.access.deposit(
            place["upload_url"], (name, content, media_type), trusted=self._files_url
        )
        if not taken.startswith("OK"):
            raise RetryLater("Slack did not say that it took the file")
        return str(place["file_id"])

    async def share(self, file: str, name: str, channel: str, thread: str) -> Payload:
        """Show an uploaded file in a thread."""
        answer = _payload(
            await self._web.files_completeUploadExternal(
                files=[{"id": file, "title": name}], channel_id=channel, thread_ts=thread
            )
        )
        return dict(answer["files"][0])

    async def file(self, id: str) -> Payload:
        return dict(_payload(await self._web.files_info(file=id))["file"])

    async def aclose(self) -> None:
        await self._web.access.aclose()

    async def _all(self, name: str, page: Any) -> list[Payload]:
        found: list[Payload] = []
        cursor: str | None = None
        while True:
            answer = _payload(await page(cursor))
            found += answer[name]
            cursor = _next(answer)
            if not cursor:
                return found


def _payload(response: AsyncSlackResponse) -> Payload:
    assert isinstance(response.data, dict)
    return response.data


def _next(answer: Payload) -> str:
    return str((answer.get("response_metadata") or {}).get("next_cursor") or "")


def _quiet(message: Payload) -> Payload:
    """Nothing in it is turned into a link, a mention or a preview by Slack itself."""
    return {**message, "unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}


async def socket_url(access: Access) -> str:
    """Where Socket Mode waits for us for some seconds; ``access`` with an app-level token."""
    response = await WebClient(access).api_call("apps.connections.open")
    return str(_payload(response)["url"])
