"""GitHub's payloads <-> neutral records: pure.

Shapes: docs.github.com/rest, "Issues", "Issue comments", "Timeline events".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.changes import Change
from connectors.discussions import Comment
from connectors.github.body import parted
from connectors.github.fields import (
    STATE_REASON,
    IssueField,
    Payload,
    fixed_on_pulls,
    values,
)
from connectors.github.text import neutral, said, storable, with_lf, without_header
from connectors.records import CLOSED, OPEN, Author, Container, Record, Ref, User, Value

CONNECTOR = "github"
ISSUE, PULL, COMMENT = "issue", "pull", "comment"

_ADDRESS = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)#(?P<number>\d+)(?:/comments/(?P<comment>\d+))?", re.ASCII)
_REPOSITORY = re.compile(r"/repos/(?P<repo>[^/]+/[^/]+?)(?:/issues/\d+)?/?$")
_NUMBER = re.compile(r"/issues/(?P<number>\d+)/?$")
_GHOST = "ghost"
"""The account GitHub shows where the real one is deleted."""


def is_container(text: str) -> bool:
    """Whether it reads like ``owner/name``."""
    return re.fullmatch(r"[\w.-]+/[\w.-]+", text, re.ASCII) is not None and ".." not in text.split("/")


def located(address: str) -> tuple[str, int, int | None] | None:
    """``owner/name#12`` or ``owner/name#12/comments/34`` -> repository, number, comment id."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not is_container(found["repo"]):
        return None
    return found["repo"], int(found["number"]), int(found["comment"]) if found["comment"] else None


def instant(text: str) -> datetime:
    """An aware UTC time of ``2026-05-01T10:00:00Z``."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def repository_of(issue: Payload) -> str:
    """``owner/name`` as GitHub calls it now."""
    found = _REPOSITORY.search(str(issue.get("repository_url") or issue.get("url") or ""))
    return found["repo"] if found else ""


def number_of(comment: Payload) -> int | None:
    """The number of the issue a comment belongs to."""
    found = _NUMBER.search(str(comment.get("issue_url") or ""))
    return int(found["number"]) if found else None


def issue_ref(issue: Payload, site: str, repository: str) -> Ref:
    """The identity of an issue, or of a pull request in its role as one."""
    kind = PULL if issue.get("pull_request") else ISSUE
    return Ref(CONNECTOR, site, kind, str(issue["node_id"]), f"{repository}#{issue['number']}")


def pull_ref(pull: Payload, site: str, repository: str) -> Ref:
    """The identity of a pull request out of its own payload; the issues API gives the same node id."""
    return Ref(CONNECTOR, site, PULL, str(pull["node_id"]), f"{repository}#{pull['number']}")


def label_names(labels: Any) -> tuple[str, ...]:
    """Names of labels, which come as objects or, in old answers, as texts."""
    return tuple(sorted({str(label if isinstance(label, str) else label["name"]) for label in labels}))


def logins_of(issue: Payload) -> tuple[str, ...]:
    """Who is assigned, in GitHub's order."""
    assignees = issue.get("assignees") or [person for person in [issue.get("assignee")] if person]
    return tuple(str(person["login"]) for person in assignees)


def record(issue: Payload, *, site: str, place: str, me: str, defined: Collection[IssueField] = ()) -> Record:
    """The snapshot of one issue or pull request.

    Args:
        place: the repository under the name by which the mapping knows it.
        me: login of our own account.
        defined: the issue fields of its organisation, as far as they are known.
    """
    ref = issue_ref(issue, site, place)
    author = author_of(issue.get("user"))
    body = parted(issue.get("body"))
    return Record(
        ref=ref,
        fields={
            "title": " ".join(str(issue.get("title") or "").split()),
            "notes": body.text,
            "state": CLOSED if issue.get("state") == "closed" else OPEN,
            "assignee": logins_of(issue),
            "labels": label_names(issue.get("labels") or ()),
            **values(issue, is_pull=ref.kind == PULL, defined=defined),
        },
        version=str(issue["updated_at"]),
        created_at=instant(issue["created_at"]),
        modified_at=instant(issue["updated_at"]),
        places={place: None},
        url=str(issue.get("html_url") or ""),
        key=f"{repository_of(issue) or place}#{issue['number']}",
        author=author,
        created_by_us=same_login(author.id, me),
        keys=body.keys,
        backlink=body.backlink,
        read_only=fixed_on_pulls(defined) if ref.kind == PULL else frozenset(),
    )


def comment(payload: Payload, *, parent: Ref, me: str) -> Comment:
    """One comment; the text below our header where our account wrote one."""
    author = author_of(payload.get("user"))
    by_us = same_login(author.id, me)
    body = with_lf(payload.get("body"))
    source_url, text = without_header(body) if by_us else (None, body)
    return Comment(
        ref=comment_ref(payload, parent),
        parent=parent,
        text=neutral(text).rstrip(),
        author=author,
        created_at=instant(payload["created_at"]),
        modified_at=instant(payload["updated_at"]),
        url=str(payload.get("html_url") or ""),
        by_us=by_us,
        source_url=source_url,
    )


def comment_ref(payload: Payload, parent: Ref) -> Ref:
    """The identity of a comment; its address leads through the issue below which it hangs."""
    issue = parent.address.partition("/comments/")[0]
    return Ref(CONNECTOR, parent.site, COMMENT, str(payload["node_id"]), f"{issue}/comments/{payload['id']}")


def commented(issue: Ref, comments: Sequence[Payload]) -> Change:
    """The hint for an issue whose comments were written or edited; those just written are named."""
    written = all(comment["created_at"] == comment["updated_at"] for comment in comments)
    return Change(
        ref=issue,
        at=max(instant(comment["updated_at"]) for comment in comments),
        comments=True,
        new_comments=tuple(comment_ref(one, issue) for one in comments) if written else (),
    )


def author_of(user: Payload | None) -> Author:
    """Who did it; a deleted account is the ghost."""
    login = str((user or {}).get("login") or _GHOST)
    return Author(
        id=login,
        name=login,
        url=str((user or {}).get("html_url") or ""),
        bot=(user or {}).get("type") == "Bot",
    )


def same_login(one: str, other: str) -> bool:
    """Logins are compared without regard to case."""
    return one.casefold() == other.casefold()


def user(payload: Payload) -> User:
    """Somebody who can be assigned."""
    login = str(payload["login"])
    return User(id=login, name=str(payload.get("name") or login), login=login)


def container(repository: Payload, id: str) -> Container:
    """A repository under the name it was asked for."""
    return Container(
        id=id,
        name=str(repository.get("full_name") or id),
        url=str(repository.get("html_url") or ""),
        public=repository.get("private") is False,
    )


def same(field: str, sent: Value, read: Value) -> bool:
    """Whether GitHub may have made ``read`` out of ``sent``."""
    if field == "title":
        return storable(str(sent or "")).split() == str(read or "").split()
    if field in ("notes", "comments"):
        return storable(with_lf(said(str(sent or "")))).strip() == with_lf(said(str(read or ""))).strip()
    if field == STATE_REASON and sent is None:  # an open issue was reopened at some time, or it was not
        return read in (None, "reopened")
    if field in ("assignee", "labels"):
        return {name.casefold() for name in names(sent)} == {name.casefold() for name in names(read)}
    return sent == read


def without(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Those names that are not among the others; GitHub compares labels and logins without case."""
    known = {name.casefold() for name in others}
    return tuple(name for name in names if name.casefold() not in known)


def names(value: Value) -> tuple[str, ...]:
    """A people or set value as a tuple without doubles, in the order given."""
    if value is None or value == "":
        return ()
    given = value if isinstance(value, tuple) else (str(value),)
    kept = dict[str, str]()
    for name in given:
        kept.setdefault(name.casefold(), name)
    return tuple(kept.values())
