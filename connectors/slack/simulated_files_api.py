"""Files of the simulated Slack: the three steps of an upload, and downloads behind the token.

https://docs.slack.dev/messaging/working-with-files
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.simulation import Refused
from connectors.simulation_forms import Upload, is_form, read_form
from connectors.slack.simulated_calls import Args, Method
from connectors.slack.simulated_workspace import Failed, Payload, Workspace, message_id

_LOGIN_PAGE = "<!DOCTYPE html><title>Sign in | Slack</title>"


class FilesApi:
    """``files.*``. ``known``: whether a token may read files."""

    def __init__(self, workspace: Workspace, known: Callable[[str], bool]) -> None:
        self._workspace = workspace
        self._known = known
        self._announced: dict[str, tuple[str, int]] = {}
        self._sent: dict[str, bytes] = {}

    def methods(self) -> Mapping[str, Method]:
        return {
            "files.getUploadURLExternal": self._announce,
            "files.completeUploadExternal": self._complete,
            "files.info": self._info,
            "files.delete": self._delete,
        }

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/upload/v1/{id}", self._take, methods=["POST"]),
            Route("/files-pri/{place}/{name:path}", self._give, methods=["GET"]),
        ]

    def _announce(self, args: Args) -> Payload:
        name, length = args.needed("filename"), args.number("length", 0)
        if length <= 0:
            raise Failed("invalid_arguments")
        id = self._workspace.next_id("F")
        self._announced[id] = (name, length)
        return {"file_id": id, "upload_url": f"{self._workspace.base_url}/upload/v1/{id}"}

    async def _take(self, request: Request) -> Response:
        """The bytes, raw or as a form; the address is the permission, and works for one file."""
        id, raw = request.path_params["id"], await request.body()
        content = raw
        if is_form(request.headers):
            files = [each for each in read_form(request.headers, raw).values() if isinstance(each, Upload)]
            content = files[0].content if files else b""
        if id not in self._announced or id in self._sent:
            raise Refused(404, "no such upload")
        if len(content) != self._announced[id][1]:
            raise Refused(400, "wrong length")
        self._sent[id] = content
        return PlainTextResponse(f"OK - {len(content)}")

    def _complete(self, args: Args) -> Payload:
        """Shares the files in a channel or thread, as one message of the app."""
        files: Any = args.data("files")
        shared: list[Payload] = []
        for each in files or ():
            if each.get("id") not in self._sent:
                raise Failed("file_not_found")
            name, _ = self._announced[each["id"]]
            shared.append(
                self._workspace.new_file(
                    name,
                    self._sent.pop(each["id"]),
                    self._workspace.app,
                    title=each.get("title", ""),
                    id=each["id"],
                )
            )
        if not shared:
            raise Failed("no_files")
        if channel := args.text("channel_id"):
            if channel not in self._workspace.channels:
                raise Failed("channel_not_found")
            message: Payload = {"text": args.text("initial_comment"), "files": shared}
            if thread := args.text("thread_ts"):
                if message_id(channel, thread) not in self._workspace.messages:
                    raise Failed("thread_not_found")
                message["thread_ts"] = thread
            self._workspace.post(channel, self._workspace.app, message)
        return {"files": shared}

    def _info(self, args: Args) -> Payload:
        file = self._workspace.files.get(args.needed("file"))
        if file is None:
            raise Failed("file_not_found")
        return {"file": file}

    def _delete(self, args: Args) -> Payload:
        file = self._workspace.files.get(args.needed("file"))
        if file is None:
            raise Failed("file_not_found")
        if file["user"] != self._workspace.app.id:
            raise Failed("cant_delete_file")
        self._workspace.remove_file(file["id"])
        return {}

    async def _give(self, request: Request) -> Response:
        """Without a token that may read it, there is a page to sign in: 200, and HTML."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._known(token):
            return Response(_LOGIN_PAGE, media_type="text/html")
        id = request.path_params["place"].partition("-")[2]
        if id not in self._workspace.files:
            raise Refused(404, "file_deleted")
        file = self._workspace.files[id]
        return Response(self._workspace.contents[id], media_type=file["mimetype"])
