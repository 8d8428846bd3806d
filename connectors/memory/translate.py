"""The store's JSON <-> neutral records. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.changes import Change
from connectors.discussions import Attachment, Comment, CommentDraft
from connectors.memory.config import NAME
from connectors.records import (
    Author,
    FieldKind,
    Fields,
    FieldSpec,
    FieldTime,
    Gone,
    Key,
    Record,
    Ref,
    User,
    Value,
)

FIELDS = (
    FieldSpec(name="title", kind=FieldKind.TEXT, label="Title"),
    FieldSpec(name="notes", kind=FieldKind.MARKDOWN, label="Notes"),
    FieldSpec(name="state", kind=FieldKind.STATE, label="State"),
    FieldSpec(name="assignee", kind=FieldKind.PEOPLE, label="Assignees"),
    FieldSpec(name="labels", kind=FieldKind.SET, label="Labels"),
    FieldSpec(name="due", kind=FieldKind.DATE, label="Due", times=True),
    FieldSpec(name="custom:points", kind=FieldKind.NUMBER, label="Points"),
    FieldSpec(
        name="custom:priority",
        kind=FieldKind.CHOICE,
        label="Priority",
        options={"1": "Low", "2": "Normal", "3": "High"},
    ),
)
_SETS = ("assignee", "labels")
_HEADER = re.compile(r"\*\*\[(?:\\.|[^\\\]])*\]\((?P<url>\S+)\)\*\*\n\n")


def item_ref(site: str, id: str) -> Ref:
    return Ref(NAME, site, "item", id)


def record(item: Mapping[str, Any], site: str, us: str) -> Record:
    """One item as it stands in an answer; ``us`` is the id of our own account."""
    link = item["link"] or {}
    return Record(
        ref=item_ref(site, item["id"]),
        fields={spec.name: _value(spec.name, item[spec.name]) for spec in FIELDS},
        version=item["version"],
        created_at=datetime.fromisoformat(item["created_at"]),
        modified_at=datetime.fromisoformat(item["modified_at"]),
        places={item["space"]: None},
        url=item["url"],
        key=f"{item['space']}#{item['id']}",
        author=author(item["author"]),
        created_by_us=item["author"]["id"] == us,
        keys=frozenset(text for text in (item["key"], link.get("url")) if text),
    )


def new_item(fields: Fields, key: Key) -> dict[str, Any]:
    """The body that creates an item; fields that are not given start empty."""
    link = {"url": key.url, "label": key.label} if key.backlink else None
    return {**_plain(fields), "key": key.token, "link": link}


def patch(fields: Fields, expected: Fields) -> dict[str, Any]:
    """The body that changes these fields; sets by what is added to and removed from ``expected``."""
    body = _plain(fields)
    for name in _SETS:
        if name in body:
            before = _elements(expected.get(name))
            body[name] = {
                "add": [element for element in body[name] if element not in before],
                "remove": [element for element in before if element not in body[name]],
            }
    return body


def same(field: str, sent: Value, read: Value) -> bool:
    """The store cuts the space around a title and sorts labels; everything else stays as it was sent."""
    if field == "title":
        return str(sent).strip() == read
    if field in _SETS:
        return sorted(_elements(sent)) == sorted(_elements(read))
    return sent == read


def change(event: Mapping[str, Any], site: str) -> Change | None:
    """One event of the feed or of a webhook; None for kinds that are not synced."""
    if event["kind"] not in ("item", "comment", "attachment", "deleted"):
        return None
    return Change(
        ref=item_ref(site, event["item"]),
        at=datetime.fromisoformat(event["at"]),
        actor=event["by"],
        comments=event["kind"] in ("comment", "attachment"),
        gone=Gone("the store told that it was deleted") if event["kind"] == "deleted" else None,
    )


def comment_ref(site: str, item: str, id: str) -> Ref:
    return Ref(NAME, site, "comment", id, address=item)


def comment(payload: Mapping[str, Any], site: str, us: str) -> Comment:
    """One comment; the header is split off where we wrote it."""
    by_us = payload["author"]["id"] == us
    header = _HEADER.match(payload["text"]) if by_us else None
    return Comment(
        ref=comment_ref(site, payload["item"], payload["id"]),
        parent=item_ref(site, payload["item"]),
        text=payload["text"][header.end() :] if header else payload["text"],
        author=author(payload["author"]),
        created_at=datetime.fromisoformat(payload["created_at"]),
        modified_at=datetime.fromisoformat(payload["modified_at"]),
        url=payload["url"],
        by_us=by_us,
        source_url=header["url"] if header else None,
    )


def comment_text(draft: CommentDraft) -> str:
    """The header, a blank line, the text."""
    name = re.sub(r"([\\\[\]*_`<])", r"\\\1", " ".join(draft.author_name.split()))
    return f"**[{name}]({draft.source_url})**\n\n{draft.text}"


def attachment(payload: Mapping[str, Any], site: str) -> Attachment:
    """One file of an item, or a link that stands among its files."""
    return Attachment(
        ref=Ref(NAME, site, "attachment", payload["id"], address=payload["item"]),
        parent=item_ref(site, payload["item"]),
        name=payload["name"],
        url=payload["url"],
        created_at=datetime.fromisoformat(payload["created_at"]),
        author=author(payload["author"]),
        size=payload["size"],
        is_link=payload["size"] is None,
    )


def author(person: Mapping[str, Any]) -> Author:
    return Author(id=person["id"], name=person["name"])


def user(person: Mapping[str, Any]) -> User:
    return User(id=person["id"], name=person["name"], email=person["email"])


def field_time(entry: Mapping[str, Any]) -> FieldTime:
    return FieldTime(
        field=entry["field"],
        at=datetime.fromisoformat(entry["at"]),
        author=author(entry["author"]),
        has_values=True,
        before=_value(entry["field"], entry["before"]),
        after=_value(entry["field"], entry["after"]),
    )


def _value(field: str, value: Any) -> Value:
    return tuple(value) if field in _SETS else value


def _plain(fields: Fields) -> dict[str, Any]:
    return {name: list(_elements(value)) if name in _SETS else value for name, value in fields.items()}


def _elements(value: Value) -> Iterable[str]:
    return value if isinstance(value, tuple) else ()
