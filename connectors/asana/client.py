"""Asana's REST API: the only file that knows its addresses and envelopes.

Calls and answers as documented at https://developers.asana.com/reference; nothing is retried here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from connectors.access import Access
from connectors.answers import Answer, http_date, provider_message
from connectors.asana.custom_fields import SETTING_FIELDS
from connectors.asana.dates import timestamp
from connectors.asana.files import ATTACHMENT_FIELDS, DOWNLOAD_FIELDS, FILE_HOSTS
from connectors.asana.history import HISTORY_FIELDS
from connectors.asana.refusals import field_named
from connectors.asana.stories import COMMENT_FIELDS
from connectors.asana.translate import Row
from connectors.discussions import AttachmentDraft, Content
from connectors.errors import OnlyLinked, OutcomeUnknown, Park, PauseMapping, RetryLater

PAGE = 100
"""Rows of a page; more is refused, and without a limit long listings end silently at about 1000."""

_UNSEEN = frozenset({403, 404, 410, 451})
_GONE = frozenset({404, 410})
_NOT_SERVED = frozenset({402, 403, 404, 405, 501})
_NOT_AN_ID = 400
_MAX_PAGES = 10_000

_WEBHOOK_FIELDS = ("active", "target", "last_success_at", "last_failure_at", "last_failure_content")
_WEBHOOK_FILTERS = tuple(
    {"resource_type": type_, "action": action}
    for type_, actions in (
        ("task", ("added", "changed", "removed", "deleted", "undeleted")),
        ("story", ("added", "changed", "removed", "undeleted")),
    )
    for action in actions
)


class StaleOffset(RetryLater):
    """Asana does not know the page's offset any more: the listing starts again."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One page. ``at`` is Asana's clock when it answered, None where it did not say."""

    rows: Sequence[Row]
    next: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Events:
    """One page of events. ``token`` leads on; ``expired``: the token given is not known (any more)."""

    rows: Sequence[Row]
    token: str | None
    more: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook at Asana; the secret is told once, when it is made."""

    row: Row
    secret: str | None = None


class Asana:
    """The calls, each returning the rows of ``data``.

    Args:
        outbound: carries the credentials of this connection.
        workspace: gid of the workspace.
    """

    def __init__(self, outbound: Access, workspace: str) -> None:
        self._outbound = outbound
        self._workspace = workspace

    @property
    def clock_offset_s(self) -> float:
        """Asana's clock minus ours, in seconds; 0 before the first answer."""
        return self._outbound.clock_offset_s or 0.0

    async def aclose(self) -> None:
        await self._outbound.aclose()

    # account and workspace

    async def me(self) -> Row:
        return _object(await self._get("users/me", ("name", "email", "workspaces.name")))

    async def serves(self, path: str) -> bool:
        """Whether the account may list ``path`` in the workspace."""
        return await self.status(path, workspace=self._workspace) not in _NOT_SERVED

    async def status(self, path: str, **query: Any) -> int:
        """How Asana answers a listing of one row: 200, or what says that it serves none."""
        return (await self._get(path, accept=_NOT_SERVED, limit=1, **query)).status

    async def users(self) -> list[Row]:
        return await self._all("users", ("name", "email"), workspace=self._workspace)

    async def projects(self) -> list[Row]:
        fields = ("name", "permalink_url")
        return await self._all("projects", fields, workspace=self._workspace, archived="false")

    async def tags(self) -> list[Row]:
        return await self._all("tags", ("name",), workspace=self._workspace)

    async def create_tag(self, name: str) -> Row:
        data = {"name": name, "workspace": self._workspace}
        return _object(await self._write("POST", "tags", data, ("name",)), write=True)

    # project

    async def project(self, gid: str) -> tuple[Row, datetime | None]:
        """The project, and Asana's clock.

        Raises:
            PauseMapping: gone, or not visible to the account.
        """
        accept = _UNSEEN | {_NOT_AN_ID}
        fields = ("name", "permalink_url", "archived")
        answer = await self._get(_path("projects", gid), fields, accept=accept)
        if answer.status in accept:
            raise _unseen_project(gid, answer)
        return _object(answer), _clock(answer)

    async def access_level(self, project: str, user: str) -> str | None:
        """admin, editor, commenter or viewer; None for who is no member by themselves, or not told."""
        path = _path("projects", project, "project_memberships")
        rows = await self._all(path, ("access_level",), accept=_NOT_SERVED, user=user)
        return next((row["access_level"] for row in rows if row.get("access_level")), None)

    async def sections(self, project: str) -> list[Row]:
        return await self._all(_path("projects", project, "sections"), ("name",))

    async def custom_field_settings(self, project: str) -> list[Row]:
        """The project's custom fields; none where the plan, or the account, has none."""
        path = _path("projects", project, "custom_field_settings")
        return await self._all(path, SETTING_FIELDS, accept=_NOT_SERVED)

    async def tasks(
        self,
        project: str,
        fields: Sequence[str],
        *,
        modified_since: datetime | None = None,
        offset: str | None = None,
    ) -> Rows:
        """One page of the project's tasks, completed ones and those of any section included.

        Raises:
            PauseMapping: the project is gone, or not visible to the account.
            StaleOffset: the offset has expired.
        """
        answer = await self._get(
            "tasks",
            fields,
            accept=_UNSEEN | {_NOT_AN_ID},
            project=project,
            modified_since=timestamp(modified_since) if modified_since else None,
            limit=PAGE,
            offset=offset,
        )
        if answer.status in _UNSEEN:
            raise _unseen_project(project, answer)
        if answer.status == _NOT_AN_ID:
            message = provider_message(answer.data)
            if offset is not None:
                raise StaleOffset("the listing must start again", provider_message=message, status=400)
            await self.project(project)
            raise Park(f"Asana cannot list the project: {message}", provider_message=message, status=400)
        return _rows(answer)

    async def modified(self, project: str, since: datetime, offset: str | None = None) -> Rows:
        """One page of the project's tasks that changed since then: their gid and ``modified_at`` alone."""
        return _rows(
            await self._get(
                "tasks",
                ("modified_at",),
                project=project,
                modified_since=timestamp(since),
                limit=PAGE,
                offset=offset,
            )
        )

    async def events(self, project: str, token: str | None) -> Events | None:
        """Events since the token, at most 100; None where Asana serves none."""
        answer = await self._get("events", accept=_NOT_SERVED | {412}, resource=project, sync=token)
        if answer.status in _NOT_SERVED:
            return None
        body = answer.data if isinstance(answer.data, Mapping) else {}
        fresh = body.get("sync")
        if answer.status == 412:
            return Events((), fresh, expired=True)
        return Events(_list(answer), fresh or token, more=body.get("has_more") is True)

    # task

    async def task(self, gid: str, fields: Sequence[str]) -> Row | Answer:
        """The task, or the answer that refuses to show it."""
        accept = _UNSEEN | {_NOT_AN_ID}
        answer = await self._get(_path("tasks", gid), fields, accept=accept)
        return answer if answer.status in accept else _object(answer)

    async def create_task(self, data: Row, fields: Sequence[str]) -> Row:
        return _object(await self._write_task("POST", "tasks", data, fields), write=True)

    async def update_task(self, gid: str, data: Row, fields: Sequence[str]) -> Row:
        return _object(await self._write_task("PUT", _path("tasks", gid), data, fields), write=True)

    async def delete_task(self, gid: str) -> None:
        await self._outbound.send("DELETE", _path("tasks", gid), accept=_GONE)

    async def change_set(self, gid: str, call: str, data: Row) -> None:
        """``call``: addTag, removeTag, addFollowers, removeFollowers, addDependencies, removeDependencies."""
        await self._write("POST", _path("tasks", gid, call), data)

    async def move_to_section(self, gid: str, section: str) -> None:
        await self._write("POST", _path("sections", section, "addTask"), {"task": gid})

    async def set_parent(self, gid: str, parent: str | None) -> None:
        """Make it a subtask, or with None a task of its own; its projects stay."""
        await self._write("POST", _path("tasks", gid, "setParent"), {"parent": parent})

    # stories

    async def stories(self, task: str) -> list[Row]:
        return await self._all(_path("tasks", task, "stories"), COMMENT_FIELDS)

    async def history(self, task: str) -> list[Row]:
        return await self._all(_path("tasks", task, "stories"), HISTORY_FIELDS)

    async def story(self, gid: str) -> Row | None:
        """The story, None where it cannot be seen."""
        answer = await self._get(_path("stories", gid), COMMENT_FIELDS, accept=_UNSEEN)
        return None if answer.status in _UNSEEN else _object(answer)

    async def post_story(self, task: str, html: str) -> Row:
        path = _path("tasks", task, "stories")
        return _object(await self._write("POST", path, {"html_text": html}, COMMENT_FIELDS), write=True)

    async def edit_story(self, gid: str, html: str) -> Row:
        path = _path("stories", gid)
        return _object(await self._write("PUT", path, {"html_text": html}, COMMENT_FIELDS), write=True)

    async def delete_story(self, gid: str) -> None:
        await self._outbound.send("DELETE", _path("stories", gid), accept=_GONE)

    # attachments

    async def attachments(self, task: str) -> list[Row]:
        """Inline images of the notes among them."""
        return await self._all("attachments", ATTACHMENT_FIELDS, parent=task)

    async def download(self, gid: str, into: BinaryIO, limit: int) -> Content:
        """
        Raises:
            OnlyLinked: larger than ``limit``, or Asana has no bytes of it.
        """
        row = _object(await self._get(_path("attachments", gid), DOWNLOAD_FIELDS))
        address = row.get("download_url")
        if not isinstance(address, str):
            raise OnlyLinked("Asana has no bytes of this attachment")
        return await self._outbound.download(address, into, limit=limit, hosts=FILE_HOSTS)

    async def attach(self, task: str, draft: AttachmentDraft, content: BinaryIO | None) -> Row:
        """Upload a file, or without content attach a link."""
        form, file = {"parent": task}, None
        if content is None:
            form |= {"resource_subtype": "external", "name": draft.name, "url": draft.url}
        else:
            file = ("file", draft.name, content, draft.media_type)
        params = {"opt_fields": ",".join(ATTACHMENT_FIELDS)}
        return _object(await self._outbound.upload("attachments", form, params=params, file=file), write=True)

    # webhooks

    async def webhooks(self, project: str) -> list[Row]:
        return await self._all("webhooks", _WEBHOOK_FIELDS, workspace=self._workspace, resource=project)

    async def webhook(self, gid: str) -> Row | None:
        answer = await self._get(_path("webhooks", gid), _WEBHOOK_FIELDS, accept=_UNSEEN)
        return None if answer.status in _UNSEEN else _object(answer)

    async def create_webhook(self, project: str, target: str) -> Hook:
        """Asana calls ``target`` with the secret while this call is under way, and waits for the echo."""
        data = {"resource": project, "target": target, "filters": _WEBHOOK_FILTERS}
        answer = await self._write("POST", "webhooks", data, _WEBHOOK_FIELDS)
        secret = answer.data.get("X-Hook-Secret") if isinstance(answer.data, Mapping) else None
        return Hook(_object(answer, write=True), secret)

    async def delete_webhook(self, gid: str) -> None:
        await self._outbound.send("DELETE", _path("webhooks", gid), accept=_GONE)

    # envelope

    async def _get(
        self, path: str, fields: Sequence[str] = (), *, accept: Collection[int] = (), **query: Any
    ) -> Answer:
        params = {"opt_fields": ",".join(fields) or None, **query}
        return await self._outbound.send("GET", path, params=params, accept=accept)

    async def _all(
        self, path: str, fields: Sequence[str], *, accept: Collection[int] = (), **query: Any
    ) -> list[Row]:
        """Every page of a listing; one that is answered with a status in ``accept`` is empty."""
        found: list[Row] = []
        offset = None
        for _ in range(_MAX_PAGES):
            answer = await self._get(path, fields, accept=accept, limit=PAGE, offset=offset, **query)
            if answer.status in accept:
                return []
            page = _rows(answer)
            found.extend(page.rows)
            offset = page.next
            if offset is None:
                return found
        raise RetryLater(f"Asana's listing of {path} does not end")

    async def _write(self, method: str, path: str, data: Row, fields: Sequence[str] = ()) -> Answer:
        body = {"data": data, "options": {"fields": fields}} if fields else {"data": data}
        return await self._outbound.send(method, path, json=body)

    async def _write_task(self, method: str, path: str, data: Row, fields: Sequence[str]) -> Answer:
        """A write whose refusal names the field at fault, where Asana does."""
        try:
            return await self._write(method, path, data, fields)
        except Park as refusal:
            refusal.field = field_named(refusal.provider_message)
            raise


def _path(*parts: str) -> str:
    return "/".join(quote(part, safe="") for part in parts)


def _object(answer: Answer, *, write: bool = False) -> Row:
    data = answer.data.get("data") if isinstance(answer.data, Mapping) else None
    if isinstance(data, Mapping) and isinstance(data.get("gid"), str):
        return data
    unreadable = "Asana's answer has no object in it"
    raise OutcomeUnknown(unreadable) if write else RetryLater(unreadable)


def _list(answer: Answer) -> list[Row]:
    data = answer.data.get("data") if isinstance(answer.data, Mapping) else None
    if not isinstance(data, list):
        raise RetryLater("Asana's answer has no list in it")
    return [row for row in data if isinstance(row, Mapping)]


def _rows(answer: Answer) -> Rows:
    rows = [row for row in _list(answer) if isinstance(row.get("gid"), str)]
    next_page = answer.data.get("next_page")
    offset = next_page.get("offset") if isinstance(next_page, Mapping) else None
    return Rows(rows, offset or None, _clock(answer))


def _clock(answer: Answer) -> datetime | None:
    return http_date(answer.headers.get("date", ""))


def _unseen_project(gid: str, answer: Answer) -> PauseMapping:
    return PauseMapping(
        f"the Asana project {gid} does not exist, or the account may not see it",
        provider_message=provider_message(answer.data),
        status=answer.status,
    )
