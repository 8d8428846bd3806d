"""The one outbound client; the files below it are ``exchange``, ``fetching`` (bytes of files) and ``wire``.

A call goes to the connection's own host and nowhere else, ends within its deadline, waits for the
gate, sends no cookies and is never repeated by itself. What comes back is an :class:`Answer` or one of
the errors of :mod:`connectors.errors`:

=============================  =======================  ==========================================
answer                         to a read                to a write
=============================  =======================  ==========================================
no connection                  RetryLater               RetryLater: it was never sent
timeout, reset, 408, 5xx       RetryLater               OutcomeUnknown
2xx that is no JSON            RetryLater               OutcomeUnknown
429                            RetryLater(limited), and the gate is held
401                            PauseConnection
412                            ReplanNeeded
402                            Park(not_supported)
403, 404, 410, 451             Park(permission)
every other one                Park(rejected) with the provider's message
=============================  =======================  ==========================================
"""

from __future__ import annotations

import asyncio
import copy
import json as json_text
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, BinaryIO

import httpx

from connectors.answers import SILENCE_S, Answer, Classify, Quota, meaning, retry_after
from connectors.discussions import Content
from connectors.egress import Egress
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    ParkClass,
    PauseConnection,
    RetryLater,
)
from connectors.exchange import Exchanges, Observe, UnreadableAnswer
from connectors.fetching import Fetching, origin
from connectors.limits import Gate
from connectors.redaction import redact
from connectors.sockets import Socket, opened
from connectors.stamps import stamp
from connectors.trust import Trust
from connectors.uploads import part_of, takes_s
from connectors.wire import CheckedTransport, not_after

_MAX_REDIRECTS = 5
_DOWNLOAD_PATIENCE = 4
"""A file may take so many times as long as a call: nothing is written meanwhile."""
_READS = frozenset({"GET", "HEAD"})
_FOLLOWED_BY_READS = frozenset({301, 302, 307, 308})
_FOLLOWED_BY_WRITES = frozenset({307, 308})
"""The others let a client turn the write into a read."""


class Outbound:
    """The way out for one connection.

    Args:
        base_url: where paths start; nothing is sent to another scheme, host or port.
        gate: limits of the connection.
        timeout_s: deadline of a whole call, waiting for the gate included.
        allow: which addresses may be connected to.
        user_agent: ``asana-sync/VERSION``.
        transport: another wire than the network; it is not guarded.
        observe: told of every request: the answer's status, None where none could be read, and the seconds.
        trust: how many calls may meet dead credentials.
    """

    def __init__(
        self,
        base_url: str,
        *,
        gate: Gate,
        timeout_s: float = 30.0,
        allow: Egress,
        user_agent: str = "asana-sync/0",
        transport: httpx.AsyncBaseTransport | None = None,
        observe: Observe | None = None,
        trust: Trust | None = None,
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/"))
        if self._base.scheme not in ("http", "https") or not self._base.host or self._base.userinfo:
            raise ValueError("base_url must be http(s)://host[:port][/path] without a user")
        self._gate = gate
        self._trust = trust or Trust()
        self._timeout_s = timeout_s
        self._user_agent = user_agent
        self._headers: Mapping[str, str] = {}
        self._secrets: Sequence[str] = ()
        self._classify: Classify | None = None
        self._observe = observe or (lambda status, seconds: None)
        self._allow = allow
        self._client = httpx.AsyncClient(
            transport=transport or CheckedTransport(allow),
            # connecting and waiting for a socket end first, so that only a request under way is "unknown"
            timeout=httpx.Timeout(timeout_s, connect=timeout_s / 3, pool=timeout_s / 3),
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )
        self._exchanges = Exchanges(self._client, self._observe)

    @property
    def quota(self) -> Quota | None:
        """What the provider last said is left."""
        return self._exchanges.quota

    @property
    def clock_offset_s(self) -> float | None:
        """The provider's clock minus ours in seconds, None before the first answer with a Date."""
        return self._exchanges.clock_offset_s

    def authorised(
        self, headers: Mapping[str, str], *, secrets: Sequence[str], classify: Classify | None = None
    ) -> Outbound:
        """The same sockets and limits with these headers on every call.

        Args:
            secrets: texts that are taken out of every message.
            classify: reads the answers outside 2xx before the general table does.

        Raises:
            PauseConnection: a header that cannot be sent, such as a token with a line break.
        """
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise PauseConnection(
                    f"the credentials do not fit into the header {name}: check for stray characters"
                )
        twin = copy.copy(self)
        twin._headers = {**self._headers, **headers}
        twin._secrets = (*self._secrets, *secrets)
        twin._classify = classify
        return twin

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """One call. 2xx and the statuses in ``accept`` are answers, everything else is an error.

        Args:
            path: below ``base_url``, or a whole URL on its host (paging links).
            params: query; entries that are None are left out.
            json: body.
            form: body as ``application/x-www-form-urlencoded``, in place of ``json``.
            accept: statuses that are answers, too; accepted redirects are not followed.
        """
        write = method not in _READS
        content = None if json is None else json_text.dumps(json, allow_nan=False).encode()
        request = self._client.build_request(
            method,
            self._url(path),
            params={name: value for name, value in params.items() if value is not None} if params else None,
            content=content,
            data=form,
            headers=self._merged(headers, write, content is not None),
            extensions={"trace": not_after(time.time() + self._timeout_s)},
        )
        followed = _FOLLOWED_BY_WRITES if write else _FOLLOWED_BY_READS
        return await self._sent(request, self._timeout_s, write=write, accept=accept, followed=followed)

    async def upload(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        params: Mapping[str, Any] | None = None,
        file: tuple[str, str, BinaryIO, str] | None = None,
    ) -> Answer:
        """POST a form (``multipart/form-data``, RFC 7578); a file in it is sent as it is read.

        The deadline is later by :func:`~connectors.uploads.upload_s` of the file.

        Args:
            file: name of the part, name of the file, its bytes (from their start), their media type. A
                name of other than plain characters is sent URL-encoded.
        """
        parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in form.items()]
        timeout_s = self._timeout_s
        if file is not None:
            part, name, content, media_type = file
            timeout_s += takes_s(content)
            parts.append((part, part_of(name, content, media_type)))
        request = self._client.build_request(
            "POST",
            self._url(path),
            params=params,
            files=parts,
            headers=self._merged(None, True, False),
            extensions={"trace": not_after(time.time() + timeout_s)},
        )
        return await self._sent(request, timeout_s, write=True, accept=(), followed=frozenset())

    def socket(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """A web socket to our own host or one below it; it does not count for the limits.

        Raises:
            Park: it leads elsewhere.
            RetryLater: nobody answers.
        """
        return opened(url, self._base.host, self._allow, timeout_s=self._timeout_s)

    async def deposit(self, address: str, file: tuple[str, BinaryIO, str], *, trusted: str = "") -> str:
        """POST a file as a form to an address that is itself the permission: no credentials go with it.

        The answer's text.

        Nobody sees the file before another call shows it, so that every failure may be tried again. The
        deadline is later by :func:`~connectors.uploads.upload_s` of the file.

        Args:
            file: its name, its bytes (from their start), their media type.
            trusted: one more origin of the same provider that may be asked.
        """
        timeout_s = self._timeout_s + takes_s(file[1])
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise self._clean(Park("the address for the file cannot be read")) from error
        if origin(url) not in {origin(each) for each in (self._base, httpx.URL(trusted)) if each.host}:
            raise Park(f"files are not sent to {url.host}", park_class=ParkClass.PERMISSION)
        request = self._client.build_request(
            "POST",
            url,
            files={"file": part_of(*file)},
            headers={"user-agent": self._user_agent + stamp().text, "accept": "*/*"},
            extensions={"trace": not_after(time.time() + timeout_s)},
        )
        try:
            async with asyncio.timeout(timeout_s), self._gate.slot(write=True):
                if (permit := stamp().permit) is not None:
                    await permit()
                response = await self._client.send(request)
        except TimeoutError:
            raise self._interrupted(False, f"the file was not taken in {timeout_s:g} s") from None
        except httpx.RequestError as error:
            raise self._interrupted(False, str(error) or type(error).__name__) from error
        if response.status_code in (429, 503) and (after := retry_after(response.headers)) is not None:
            await self._gate.hold(after)
            reason = f"{url.host} asks for silence"
            raise self._clean(RetryLater(reason, after=after, limited=True, status=response.status_code))
        if response.status_code in (408, 429) or response.status_code >= 500:
            raise self._interrupted(False, f"{response.status_code} for the file")
        if not response.is_success:
            raise self._clean(Park(f"{url.host} answered {response.status_code} for the file"))
        return response.text

    async def download(
        self,
        address: str,
        into: BinaryIO,
        *,
        limit: int,
        hosts: Collection[str] = (),
        trusted: str = "",
    ) -> Content:
        """Write what lies at an address into a file; a path leads below ``base_url``.

        The credentials go to our own origin and to ``trusted``, and nowhere else: providers lead from
        there to a storage that knows nothing of them.

        Args:
            limit: in bytes.
            hosts: further hosts, with everything below them, that may be asked, over https alone.
            trusted: one more origin (``https://github.com``) of the same provider.

        Raises:
            OnlyLinked: more than ``limit`` bytes.
            Park: not there, not ours to read, or at a host that may not be asked.
            RetryLater: it did not come whole.
        """
        try:
            async with (
                asyncio.timeout(_DOWNLOAD_PATIENCE * self._timeout_s),
                self._gate.slot(write=False),
            ):
                url = httpx.URL(f"{self._base}{address}" if address.startswith("/") else address)
                fetching = Fetching(
                    client=self._client,
                    own=frozenset(origin(each) for each in (self._base, httpx.URL(trusted)) if each.host),
                    hosts=hosts,
                    credentials=self._headers,
                    user_agent=self._user_agent,
                    observe=self._observe,
                )
                return await fetching.fetch(url, into, limit)
        except TimeoutError:
            raise self._interrupted(False, "the file did not come in time") from None
        except httpx.InvalidURL as error:
            raise self._clean(Park("the file's address cannot be read")) from error
        except httpx.RequestError as error:
            raise self._interrupted(False, str(error) or type(error).__name__) from error
        except PauseConnection as error:  # the guard refuses the address; the connection itself is well
            raise self._clean(Park(error.reason, park_class=ParkClass.PERMISSION)) from error
        except ConnectorError as error:
            raise self._clean(error) from error.__cause__

    async def _sent(
        self,
        request: httpx.Request,
        timeout_s: float,
        *,
        write: bool,
        accept: Collection[int],
        followed: Collection[int],
    ) -> Answer:
        under_way = False
        try:
            async with (
                asyncio.timeout(timeout_s) as deadline,
                self._gate.slot(write=write),
                self._trust.call(write=write),
            ):
                if write and (permit := stamp().permit) is not None:
                    await permit()
                if self._client.is_closed:  # new credentials came while somebody still had the old session
                    raise self._clean(RetryLater("the connection was opened anew meanwhile", after=1))
                under_way = True
                answer = await self._follow(request, followed, accept)
                deadline.reschedule(None)
                if answer.status in accept or 200 <= answer.status < 300:
                    return answer
                # before the place is given back: whoever waits for it must know of a silence
                refused = await self._refused(answer, write)
                if isinstance(refused, PauseConnection):
                    raise refused
        except TimeoutError:
            raise self._interrupted(write and under_way, f"no answer in {timeout_s:g} s") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._interrupted(False, f"no connection: {error}") from error
        except (httpx.RequestError, UnreadableAnswer) as error:
            raise self._interrupted(write, str(error) or type(error).__name__) from error
        raise refused

    async def aclose(self) -> None:
        """Close the sockets, also those of every twin."""
        await self._client.aclose()

    def _merged(self, headers: Mapping[str, str] | None, write: bool, body: bool) -> httpx.Headers:
        merged = httpx.Headers({"accept": "application/json"})
        if body:
            merged["content-type"] = "application/json"
        merged["user-agent"] = self._user_agent + (stamp().text if write else "")
        merged.update(self._headers)
        merged.update(headers)
        return merged

    def _url(self, path: str, start: httpx.URL | None = None) -> httpx.URL:
        """The URL of a path, of a paging link or of a redirect from ``start``; only on our own host."""
        try:
            if start is not None:
                url = start.join(path)
            elif path.startswith(("http://", "https://")):
                url = httpx.URL(path)
            else:
                url = httpx.URL(f"{self._base}/{path.lstrip('/')}")
        except httpx.InvalidURL as error:
            raise self._clean(Park(f"{self._base.host} gave an address that cannot be read")) from error
        if origin(url) != origin(self._base) or url.userinfo:
            raise Park(f"{self._base.host} leads to another host ({url.host}); that is not followed")
        return url

    async def _follow(
        self, request: httpx.Request, followed: Collection[int], accept: Collection[int]
    ) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            answer = await self._exchanges.send(request)
            location = answer.headers.get("location")
            if answer.status in accept or answer.status not in followed or location is None:
                return answer
            request = self._client.build_request(
                request.method,
                self._url(location, request.url),
                content=request.content,
                headers=request.headers,
                extensions=request.extensions,
            )
        raise Park(f"{self._base.host} redirects in a circle")

    async def _refused(self, answer: Answer, write: bool) -> ConnectorError:
        """The error an answer means; the whole connection is silent where the provider asks for it."""
        error = self._classify(answer, write) if self._classify else None
        error = error or meaning(answer, write, self._base.host)
        if isinstance(error, RetryLater) and error.limited:
            await self._gate.hold(SILENCE_S if error.after is None else error.after)
        elif answer.status == 503 and (after := retry_after(answer.headers)) is not None:
            await self._gate.hold(after)
        return self._clean(error)

    def _interrupted(self, unknown: bool, what: str) -> ConnectorError:
        reason = f"{self._base.host}: {what}"
        return self._clean(OutcomeUnknown(reason) if unknown else RetryLater(reason))

    def _clean(self, error: ConnectorError) -> ConnectorError:
        error.reason = redact(error.reason, self._secrets)
        error.provider_message = redact(error.provider_message, self._secrets)
        error.args = (error.reason,)
        return error
