"""One exchange with a simulator against the published document: what departs from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from connectors.simulation import Exchange
from tests.specification.findings import Finding
from tests.specification.operations import Body, Operation, api
from tests.specification.prose import Request, documented

NOT_MODIFIED = 304
FILES = re.compile(r"/(?:assets|user-attachments|private-user-images|file-storage)/")
"""Where simulators serve the bytes of files, which providers keep at other hosts than their API."""
REFUSAL = {"asana": "ErrorResponse", "github": "basic-error"}
"""The schema of an answer whose status the operation's description omits."""


def departures(provider: str, exchange: Exchange) -> Iterator[Finding]:
    """Everything in which request and answer depart from the document.

    An answer is the provider's own where it has a status of its own; a fault's is not looked at.
    """
    if FILES.match(exchange.path):
        return
    sent = Request(
        exchange.method,
        exchange.path,
        exchange.query,
        exchange.body,
        exchange.headers.get("content-type", ""),
    )
    request, turned = documented(provider, sent)
    found = api(provider).operation(request.method, request.path)
    if found is None:
        what = f"{exchange.method} {exchange.path}"
        yield Finding(provider=provider, part="path", what=what, message="is not documented")
        return
    operation, given = found
    for form in turned:
        yield Finding(provider=provider, part="prose", what=operation.name, where=form)
    for where, message in operation.wrong_parameters("path", given):
        yield Finding(provider=provider, part="path", what=operation.name, where=where, message=message)
    for where, message in operation.wrong_parameters("query", request.query):
        yield Finding(provider=provider, part="query", what=operation.name, where=where, message=message)
    for where, message in _wrong_body(operation, request):
        yield Finding(provider=provider, part="body", what=operation.name, where=where, message=message)
    if exchange.provider_status:
        yield from _wrong_answer(provider, operation, exchange, whole="opt_fields" in request.query)


def _wrong_body(operation: Operation, request: Request) -> Iterator[tuple[str, str]]:
    media_type = request.content_type.partition(";")[0]
    if request.body is None:
        if operation.needs_body:
            yield "", "is missing"
    elif media_type not in operation.media_types:
        yield "", f"is {media_type!r}, not {list(operation.media_types) or 'empty'}"
    elif operation.body is not None:
        yield from operation.body.wrong(request.body, written=True)


def _wrong_answer(
    provider: str, operation: Operation, exchange: Exchange, *, whole: bool
) -> Iterator[Finding]:
    status, answer = exchange.provider_status, exchange.answer
    if operation.documents(status):
        body = operation.answer(status, whole=whole)
    else:
        told = str(answer.get("message", "")) if isinstance(answer, dict) else ""
        yield Finding(provider=provider, part="status", what=operation.name, status=status, message=told)
        body = _refusal(provider) if status != NOT_MODIFIED else None
    if body is not None:
        wrong = body.wrong(answer)
    else:
        wrong = iter([("", "is not empty")] if answer is not None else [])
    for where, message in wrong:
        yield Finding(
            provider=provider,
            part="answer",
            what=operation.name,
            where=where,
            message=message,
            status=status,
        )


@cache
def _refusal(provider: str) -> Body:
    return api(provider).schema(REFUSAL[provider])
