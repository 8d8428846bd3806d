"""The one outbound client: httpx is imported here, and for the bytes of files in ``fetching.py``, alone.

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
import re
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from statistics import median
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import quote

import httpx

from connectors.answers import (
    SILENCE_S,
    Answer,
    Classify,
    Quota,
    http_date,
    meaning,
    parsed,
    quota,
    retry_after,
)
from connectors.egress import Egress
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    ParkClass,
    PauseConnection,
    RetryLater,
)
from connectors.fetching import Fetching, origin
from connectors.limits import Gate, LocalGate, OpenGate
from connectors.records import Content
from connectors.redaction import redact

__all__ = [
    "Answer",
    "Classify",
    "Egress",
    "Gate",
    "LocalGate",
    "OpenGate",
    "Outbound",
    "Quota",
    "notify",
    "redact",
    "stamped",
]

_MAX_BODY = 32 * 1024 * 1024
_MAX_REDIRECTS = 5
_DOWNLOAD_PATIENCE = 4
"""A file may take so many times as long as a call: nothing is written meanwhile."""
_CLOCK_SAMPLES = 31
_KEEP_ALIVE_S = 4.0
"""Below the 5 s after which common servers close: a write on a socket that closes just then is "unknown"."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 ._()+,=@~-]+")
_READS = frozenset({"GET", "HEAD"})
_ABOUT_TO_SEND = (".send_request_headers.started", ".send_request_body.started")
"""Events of httpcore (its extension "trace")."""
_FOLLOWED_BY_READS = frozenset({301, 302, 307, 308})
_FOLLOWED_BY_WRITES = frozenset({307, 308})
"""The others let a client turn the write into a read."""

Permit: TypeAlias = Callable[[], Awaitable[None]]
"""Raises where a write must not be sent now."""

Observe: TypeAlias = Callable[[int | None, float], None]


@dataclass(frozen=True, slots=True)
class _Stamp:
    text: str = ""
    permit: Permit | None = None


_stamp: ContextVar[_Stamp] = ContextVar("stamp", default=_Stamp())  # noqa: B039 (frozen)


@contextmanager
def stamped(write_id: str, mapping: str, permit: Permit | None = None) -> Iterator[None]:
    """Writes inside carry these two in their User-Agent, so that a provider's log leads back to the reason.

    Args:
        write_id: id of the write in the write log.
        mapping: ``ID@VERSION`` of the mapping.
        permit: asked right before each write is sent, after any waiting for the limits; what it raises
            is raised from ``send``, and that write was not sent.
    """
    token = _stamp.set(_Stamp(f" (write={write_id}; mapping={mapping})", permit))
    try:
        yield
    finally:
        _stamp.reset(token)


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
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/"))
        if self._base.scheme not in ("http", "https") or not self._base.host or self._base.userinfo:
            raise ValueError("base_url must be http(s)://host[:port][/path] without a user")
        self._gate = gate
        self._timeout_s = timeout_s
        self._user_agent = user_agent
        self._headers: Mapping[str, str] = {}
        self._secrets: Sequence[str] = ()
        self._classify: Classify | None = None
        self._observed = _Observed()
        self._observe = observe or (lambda status, seconds: None)
        self._client = httpx.AsyncClient(
            transport=transport or _CheckedTransport(allow),
            # connecting and waiting for a socket end first, so that only a request under way is "unknown"
            timeout=httpx.Timeout(timeout_s, connect=timeout_s / 3, pool=timeout_s / 3),
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    @property
    def quota(self) -> Quota | None:
        """What the provider last said is left."""
        return self._observed.quota

    @property
    def clock_offset_s(self) -> float | None:
        """The provider's clock minus ours in seconds, None before the first answer with a Date."""
        offsets = self._observed.offsets
        return median(offsets) if offsets else None

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
            extensions={"trace": _not_after(time.time() + self._timeout_s)},
        )
        followed = _FOLLOWED_BY_WRITES if write else _FOLLOWED_BY_READS
        return await self._sent(request, write=write, accept=accept, followed=followed)

    async def upload(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        params: Mapping[str, Any] | None = None,
        file: tuple[str, str, BinaryIO, str] | None = None,
    ) -> Answer:
        """POST a form (``multipart/form-data``, RFC 7578); a file in it is sent as it is read.

        Args:
            file: name of the part, name of the file, its bytes (from their start), their media type. A
                name of other than plain characters is sent URL-encoded.
        """
        parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in form.items()]
        if file is not None:
            part, name, content, media_type = file
            content.seek(0)
            parts.append((part, (name if _PLAIN_NAME.fullmatch(name) else quote(name), content, media_type)))
        request = self._client.build_request(
            "POST",
            self._url(path),
            params=params,
            files=parts,
            headers=self._merged(None, True, False),
            extensions={"trace": _not_after(time.time() + self._timeout_s)},
        )
        return await self._sent(request, write=True, accept=(), followed=frozenset())

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
        self, request: httpx.Request, *, write: bool, accept: Collection[int], followed: Collection[int]
    ) -> Answer:
        under_way = False
        try:
            async with asyncio.timeout(self._timeout_s) as deadline, self._gate.slot(write=write):
                if write and (permit := _stamp.get().permit) is not None:
                    await permit()
                under_way = True
                answer = await self._follow(request, followed, accept)
                deadline.reschedule(None)
                if answer.status in accept or 200 <= answer.status < 300:
                    return answer
                # before the place is given back: whoever waits for it must know of a silence
                refused = await self._refused(answer, write)
        except TimeoutError:
            raise self._interrupted(write and under_way, f"no answer in {self._timeout_s:g} s") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._interrupted(False, f"no connection: {error}") from error
        except (httpx.RequestError, _UnreadableAnswer) as error:
            raise self._interrupted(write, str(error) or type(error).__name__) from error
        raise refused

    async def aclose(self) -> None:
        """Close the sockets, also those of every twin."""
        await self._client.aclose()

    def _merged(self, headers: Mapping[str, str] | None, write: bool, body: bool) -> httpx.Headers:
        merged = httpx.Headers({"accept": "application/json"})
        if body:
            merged["content-type"] = "application/json"
        merged["user-agent"] = self._user_agent + (_stamp.get().text if write else "")
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
            answer = await self._exchange(request)
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

    async def _exchange(self, request: httpx.Request) -> Answer:
        """Send one request and read its answer whole, and tell who observes."""
        status, start = None, time.monotonic()
        try:
            answer = await self._answer_to(request)
            status = answer.status
        finally:
            self._observe(status, time.monotonic() - start)
        return answer

    async def _answer_to(self, request: httpx.Request) -> Answer:
        """Send one request and read its answer whole.

        Raises:
            httpx.RequestError: as httpx does.
            _UnreadableAnswer: too large, or 2xx without JSON.
        """
        sent_at, start = datetime.now(UTC), time.monotonic()
        response = await self._client.send(request, stream=True)
        try:
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._observed.note(headers, sent_at, time.monotonic() - start)
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MAX_BODY:
                    raise _UnreadableAnswer("the answer is too large")
        finally:
            await response.aclose()
        try:
            data = parsed(bytes(body))
        except ValueError:
            if response.is_success:
                raise _UnreadableAnswer("the answer is not JSON") from None
            data = None
        return Answer(response.status_code, headers, data)

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


async def notify(url: str, document: Any, *, allow: Egress, user_agent: str, timeout_s: float = 10.0) -> None:
    """POST a JSON document to an address that is no provider's; what is answered does not matter.

    Raises:
        RetryLater: it was not taken: no answer, or one that is not 2xx.
    """
    async with httpx.AsyncClient(
        transport=_CheckedTransport(allow), timeout=timeout_s, trust_env=False
    ) as client:
        try:
            answer = await client.post(url, json=document, headers={"User-Agent": user_agent})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RetryLater(f"no answer: {type(error).__name__}") from error
        except PauseConnection as error:  # the guard refuses the address
            raise RetryLater(error.reason) from error
    if not answer.is_success:
        raise RetryLater(f"answered with {answer.status_code}")


def _not_after(deadline: float) -> Callable[[str, object], Awaitable[None]]:
    """Looks at the clock right before bytes are sent; Unix time, which leases are measured by, too.

    A process that was stopped (SIGSTOP, a suspended machine) goes on where it was, and may send before
    any timer is looked at: long after its permit was good.
    """

    async def trace(event: str, _: object) -> None:
        if event.endswith(_ABOUT_TO_SEND) and time.time() > deadline:
            raise TimeoutError

    return trace


class _UnreadableAnswer(Exception):
    """Bytes came, but nothing that can be worked with."""


class _Observed:
    """What answers tell on the side: quota and clock."""

    def __init__(self) -> None:
        self.quota: Quota | None = None
        self.offsets: deque[float] = deque(maxlen=_CLOCK_SAMPLES)

    def note(self, headers: Mapping[str, str], sent_at: datetime, took_s: float) -> None:
        self.quota = quota(headers, sent_at) or self.quota
        date = http_date(headers.get("date", ""))
        if date is not None:
            # Date is cut to whole seconds: half a second later is the best guess.
            self.offsets.append((date - sent_at).total_seconds() + 0.5 - took_s / 2)


class _CheckedTransport(httpx.AsyncBaseTransport):
    """Connects to an address the guard has checked; Host, SNI and certificate keep the name."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._wire = httpx.AsyncHTTPTransport(
            verify=_tls(), limits=httpx.Limits(max_connections=100, keepalive_expiry=_KEEP_ALIVE_S)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            addresses = await self._egress.addresses(request.url.host, origin(request.url)[2])
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{request.url.host} is not known: {error}") from error
        timeouts = dict(request.extensions["timeout"])
        timeouts["connect"] /= len(addresses)
        extensions = {**request.extensions, "timeout": timeouts, "sni_hostname": request.url.host}
        failure: httpx.TransportError = httpx.ConnectError("no address")
        for address in addresses:
            url = request.url.copy_with(host=address)
            attempt = httpx.Request(
                request.method, url, headers=request.headers, stream=request.stream, extensions=extensions
            )
            try:
                return await self._wire.handle_async_request(attempt)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        await self._wire.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """Loading the certificate store takes longer than most calls: once a process."""
    return httpx.create_ssl_context()
