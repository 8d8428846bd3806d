"""What people ask for in the store: one signed JSON document a request, one JSON document as the answer.

``{"id", "do", "person": {"id", "name", "guest"}, "space", "item"?, "place"?, "task"?, "text"?, "fields"?,
"whole_thread"?, "in_step"?}``; ``do`` is ``look`` (what there is to choose from) or what shall be done:
``capture``, ``attach``, ``change``, ``comment``. A wish that is not granted: 422, ``{"reason", "field"}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from connectors.answers import parsed
from connectors.changes import Delivery, Secrets
from connectors.errors import Unreadable
from connectors.interactions import Answer, Clerk, Interaction, Person, Refused, What, Wish
from connectors.memory import webhook
from connectors.memory.translate import item_ref

LOOK = "look"


def read(delivery: Delivery, secret: str, now: datetime) -> Interaction:
    """One request.

    Raises:
        BadSignature: not signed with the secret, or too old.
        Unreadable: signed, but not what the store documents.
    """
    webhook.verify(delivery, Secrets(active=(secret,)), now)
    try:
        body = parsed(delivery.body)
        kind = str(body["do"])
        if kind != LOOK:
            What(kind)
        for name in ("id", "space"):
            str(body[name])
        _person(body)
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"unexpected body: {type(error).__name__}") from error
    return Interaction(kind=kind, payload=body)


async def answer(interaction: Interaction, clerk: Clerk, site: str) -> Answer:
    """What there is to choose from, or that the wish was taken."""
    asked = interaction.payload
    try:
        if interaction.kind == LOOK:
            return _json(await _choices(asked, clerk))
        await clerk.take(
            Wish(
                key=str(asked["id"]),
                what=What(interaction.kind),
                by=_person(asked),
                container=str(asked["space"]),
                about=item_ref(site, str(asked.get("item", ""))),
                place=str(asked.get("place", "")),
                task=str(asked.get("task", "")),
                fields=asked.get("fields") or {},
                text=str(asked.get("text", "")),
                whole_thread=bool(asked.get("whole_thread", True)),
                in_step=bool(asked.get("in_step", True)),
            )
        )
    except Refused as refusal:
        return _json({"reason": refusal.reason, "field": refusal.field}, status=422)
    return _json({"taken": True})


async def _choices(asked: dict[str, Any], clerk: Clerk) -> dict[str, Any]:
    space, text = str(asked["space"]), str(asked.get("text", ""))
    if "place" not in asked:
        return {"places": [asdict(place) for place in await clerk.places(space, text)]}
    form = await clerk.form(space, str(asked["place"]))
    return {
        "sections": dict(form.sections),
        "fields": [spec.name for spec in form.fields],
        "people": [asdict(user) for user in await clerk.people(space, form.place.id, text)],
        "tasks": [asdict(card) for card in await clerk.tasks(space, text)],
        "mine": [asdict(card) for card in await clerk.tasks(space, assignee=_person(asked))],
    }


def _person(body: dict[str, Any]) -> Person:
    given = body["person"]
    guest = "Guests cannot ask for tasks." if given.get("guest") else ""
    return Person(id=str(given["id"]), name=str(given["name"]), outsider=guest)


def _json(document: dict[str, Any], status: int = 200) -> Answer:
    headers = {"content-type": "application/json"}
    return Answer(status=status, headers=headers, body=json.dumps(document).encode())
