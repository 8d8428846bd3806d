"""One webhook that a simulator sent against the published document: what departs from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import jsonschema_rs

from connectors.simulation import Sent
from tests.specification.documents import GITHUB_WEBHOOKS, document
from tests.specification.findings import Finding, Validator, errors
from tests.specification.operations import Body, api

_BASE = "urn:webhooks"


def departures(provider: str, sent: Sent) -> Iterator[Finding]:
    """Everything in which a webhook departs from the document."""
    wrong = {"asana": _asana, "github": _github}[provider](sent)
    for what, where, message in wrong:
        yield Finding(provider=provider, part="delivery", what=what, where=where, message=message)


def _asana(sent: Sent) -> Iterator[tuple[str, str, str]]:
    """Asana's document knows the events one by one; what is around them its prose tells."""
    if "X-Hook-Secret" in sent.headers:
        if sent.body:
            yield "handshake", "", "has a body"
        return
    body = json.loads(sent.body)
    if set(body) != {"events"}:
        yield "delivery", "", f"has {sorted(body)}, not events alone"
    for event in body.get("events", ()):
        for where, message in _asana_event().wrong(event):
            yield f"{event['resource']['resource_type']} {event['action']}", where, message


def _github(sent: Sent) -> Iterator[tuple[str, str, str]]:
    text = sent.body.decode()
    if sent.headers["Content-Type"] != "application/json":
        text = parse_qs(text)["payload"][0]
    payload = json.loads(text)
    event, action = sent.headers["X-GitHub-Event"], payload.get("action")
    validator = _github_event(f"{event}${action or 'event'}")
    what = f"{event} {action}" if action else event
    if validator is None:
        yield what, "", "is not documented"
        return
    for where, message in errors(validator, payload):
        yield what, where, message


@cache
def _asana_event() -> Body:
    return api("asana").schema("EventResponse")


@cache
def _github_schemas() -> tuple[Any, jsonschema_rs.Registry]:
    said = document(GITHUB_WEBHOOKS)
    return said, jsonschema_rs.Registry([(_BASE, said)], draft=jsonschema_rs.Draft7)


@cache
def _github_event(name: str) -> Validator | None:
    said, registry = _github_schemas()
    if name not in said["definitions"]:
        return None
    return jsonschema_rs.Draft7Validator(
        {"$ref": f"{_BASE}#/definitions/{name}"}, registry=registry, validate_formats=True
    )
