"""The endpoints of attachments. Here only tasks have some, at Asana projects and their briefs, too.

https://developers.asana.com/reference/attachments
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.asana.simulated_call import Call
from connectors.asana.simulated_records import Attachment
from connectors.asana.simulated_sight import checked_gid
from connectors.asana.simulated_task_values import typed
from connectors.asana.simulated_workspace import Workspace
from connectors.simulation import Refused
from connectors.simulation_forms import Upload

DOWNLOADABLE = timedelta(minutes=2)
"""Life of a ``download_url``."""
LARGEST = 100 * 1024 * 1024


def list_attachments(call: Call) -> Response:
    task = call.answers.task_seen(call.query("parent") or "")
    seen = call.workspace.attachments.all_seen(call.answers.lag_s)
    gids = [attachment.gid for attachment in seen if attachment.task == task.gid]

    def find(gid: str) -> dict[str, Any] | None:
        attachment = call.workspace.attachments.seen(gid, call.answers.lag_s)
        return _record(call, attachment) if attachment else None

    return call.listing("attachment", lambda: gids, find)


def create_attachment(call: Call) -> Response:
    """A file, or with ``resource_subtype`` external a link. Answered 200, for so it is published."""
    task = call.answers.task_seen(typed("parent", call.needed("parent"), str))
    name, content, url = _given(call)
    attachment = call.workspace.attach(task.gid, call.me, name, content=content, url=url, source="api")
    return call.object("attachment", _record(call, attachment))


def get_attachment(call: Call) -> Response:
    return call.object("attachment", _record(call, _attachment(call)))


def delete_attachment(call: Call) -> Response:
    call.workspace.detach(_attachment(call).gid, call.me)
    return call.empty()


def downloads(workspace: Workspace) -> Route:
    """Where ``download_url`` leads: whoever has the address can read, as long as it lives."""

    async def download(request: Request) -> Response:
        attachment = workspace.attachments.get(request.path_params["attachment"])
        if attachment is None or attachment.content is None:
            raise Refused(404, "Not Found")
        if workspace.now() > datetime.fromtimestamp(float(request.query_params.get("expires", 0)), UTC):
            raise Refused(403, "Request has expired")
        return Response(attachment.content, media_type="application/octet-stream")

    return Route("/assets/{attachment}", download, methods=["GET"])


def _given(call: Call) -> tuple[str, bytes | None, str | None]:
    """Name, content and address."""
    match call.data.get("resource_subtype", "asana"):
        case "external":
            return typed("name", call.needed("name"), str), None, typed("url", call.needed("url"), str)
        case "asana":
            file = typed("file", call.needed("file"), Upload)
        case other:
            raise Refused(400, f"resource_subtype: Not a valid value: {other}")
    if len(file.content) > LARGEST:
        raise Refused(413, "The file is larger than 100MB")
    return file.name, file.content, None


def _record(call: Call, attachment: Attachment) -> dict[str, Any]:
    url = None
    if attachment.content is not None:
        until = (call.workspace.now() + DOWNLOADABLE).timestamp()
        base = call.request.url.replace(path=f"/assets/{attachment.gid}", query=f"expires={until:.3f}")
        url = str(base)
    return call.answers.attachment(attachment) | {"download_url": url}


def _attachment(call: Call) -> Attachment:
    gid = checked_gid("attachment", call.path("attachment"))
    attachment = call.workspace.attachments.seen(gid, call.answers.lag_s)
    if attachment is None:
        raise Refused(404, f"attachment: Unknown object: {gid}")
    call.answers.task_seen(attachment.task)
    return attachment
