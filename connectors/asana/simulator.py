"""A stand-in of Asana: https://developers.asana.com, as far as the connector uses it.

Switches (beside those of :class:`connectors.simulation.Simulator`):

==============================  ========================================================================
``requests_per_minute``         per token, in windows of ten seconds; refused requests count
``cost_per_minute``             rows and deep fields that a token may read; None: not counted
``reads_in_flight`` 50,
``writes_in_flight`` 15         one more gets 429
``oauth``                       the bot comes with an OAuth app, not with a personal token: ``external``
                                is kept; ``oauth_app.lives_s``, ``.rotates``, ``.revoke()``
``workspace.premium``           False: custom fields and search are 402
``workspace.utc_offset``        time zone of the account: the day of a ``due_at`` is told in it
``autolink``                    bare addresses in rich text read back as links
``rules``                       called with (simulator, task) after each write of a task by the API
``workspace.log.after_s``,
``.lost``, ``.token_life_s``    events late, lost; life of sync tokens
``hooks.backoff_s``,
``.allow_loopback_targets``     webhooks repeated; localhost refused as at Asana
``pages.life_s``                life of a page's offset
==============================  ========================================================================
"""

from __future__ import annotations

import inspect
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from connectors.asana import simulated_richtext as richtext
from connectors.asana.simulated_answers import Answers
from connectors.asana.simulated_api import Endpoint, routes
from connectors.asana.simulated_attachment_api import downloads
from connectors.asana.simulated_batch_api import Batch
from connectors.asana.simulated_call import Call, Pages, Token, read_body
from connectors.asana.simulated_custom_fields import CustomField
from connectors.asana.simulated_hooks import Hooks
from connectors.asana.simulated_limits import CostLimit
from connectors.asana.simulated_oauth import OAuthServer
from connectors.asana.simulated_records import Task, User
from connectors.asana.simulated_search_api import Search
from connectors.asana.simulated_sight import APP
from connectors.asana.simulated_wording import Wording
from connectors.asana.simulated_workspace import Workspace
from connectors.simulation import Clock, Exchange, RateLimit, Refused, Simulator

WINDOW_S = 10.0


class AsanaSimulator(Wording, Simulator):
    """One workspace with the people ada, bob and the bot."""

    name: ClassVar[str] = "asana"

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock=clock)
        self.workspace = Workspace(self.clock, "Example")
        self.people: Mapping[str, User] = {
            name: self.workspace.add_user(full_name, f"{name}@example.com")
            for name, full_name in (("ada", "Ada Lovelace"), ("bob", "Bob Stone"), ("bot", "Sync Bot"))
        }
        self.token = f"2/{self.people['bot'].gid}/{secrets.token_hex(16)}"
        self.tokens: dict[str, Token] = {self.token: Token(self.people["bot"].gid)}
        """Credentials that work: add to them, or take away."""
        self.oauth_app = OAuthServer(self.clock, self.people["bot"].gid)
        self.oauth = False
        self.hooks = Hooks(self.clock, self.outbox)
        self.pages = Pages(self.clock)
        self.requests_per_minute = 60_000
        self.cost_per_minute: float | None = None
        self.reads_in_flight, self.writes_in_flight = 50, 15
        self.autolink = False
        self.rules: list[Callable[[AsanaSimulator, str], None]] = []
        self._minute = RateLimit(self.clock, limit=1, window_s=WINDOW_S)
        self._cost = CostLimit(self.clock)
        self.workspace.log.listeners.append(self.hooks.tell)

    # the provider

    def routes(self) -> Sequence[BaseRoute]:
        further: list[tuple[str, str, Endpoint]] = [
            ("GET", "/workspaces/{workspace}/tasks/search", Search(RateLimit(self.clock, limit=1))),
            ("POST", "/batch", Batch(self._admit_actions)),
        ]
        return [
            *routes(self._served, self.hooks, further),
            downloads(self.workspace),
            *self.oauth_app.routes(),
        ]

    def refusal(self, refused: Refused) -> dict[str, Any]:
        help_ = f"For more information on API status codes and how to handle them, read the docs: {APP}/docs"
        error = {"message": refused.message}
        if refused.status != 412:
            error["help"] = help_
        if refused.status == 500:
            error["phrase"] = "6 sad squid snuggle softly"
        return {"errors": [error], **refused.extra}

    def admission(self, exchange: Exchange) -> Refused | None:
        token = exchange.headers.get("authorization", "")
        self._minute.limit = max(1, round(self.requests_per_minute * WINDOW_S / 60))
        wait = self._minute.take(token)
        if wait is None:
            wait = self._cost.wait(token, self.cost_per_minute)
        read = exchange.method == "GET"
        busy = sum(
            (other.method == "GET") == read and other.headers.get("authorization", "") == token
            for other in self.journal.open
        )
        if wait is None and busy > (self.reads_in_flight if read else self.writes_in_flight):
            wait = 1.0
        return None if wait is None else _too_many(wait)

    def _admit_actions(self, authorization: str, methods: Sequence[str]) -> Refused | None:
        """Each action of a batch counts like a request, also those that are refused with the others."""
        waits = [wait for _ in methods if (wait := self._minute.take(authorization)) is not None]
        reads = sum(method == "GET" for method in methods)
        if reads > self.reads_in_flight or len(methods) - reads > self.writes_in_flight:
            waits.append(1.0)
        return _too_many(max(waits)) if waits else None

    def _served(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            authorization = request.headers.get("authorization", "")
            token = self._token(authorization.removeprefix("Bearer "))
            data, tree = await read_body(request)
            call = Call(
                request=request,
                workspace=self.workspace,
                pages=self.pages,
                token=token,
                data=data,
                tree=tree,
                lag_s=self.visible_after_s,
                autolink=self.autolink,
                charge=lambda cost: self._cost.charge(authorization, self.cost_per_minute, cost),
            )
            answered = endpoint(call)
            response = await answered if inspect.isawaitable(answered) else answered
            task = call.made or request.path_params.get("task") or data.get("task")
            if request.method != "GET" and isinstance(task, str):
                for rule in self.rules:
                    rule(self, task)
            return response

        return serve

    def _token(self, secret: str) -> Token:
        """Raises Refused: not a credential, or one that has ended."""
        if (user := self.oauth_app.user_of(secret)) is not None:
            return Token(user, oauth=True)
        if secret not in self.tokens:
            raise Refused(401, "Not Authorized")
        return self.tokens[secret]

    def connection(self, base_url: str) -> dict[str, Any]:
        return {
            "settings": {"base_url": f"{base_url}/api/1.0", "workspace": self.workspace.gid},
            "credentials": self.oauth_app.credentials() if self.oauth else {"token": self.token},
        }

    # people

    def new_container(self, name: str) -> str:
        """A project with the sections Untitled section, Backlog, In progress, Done; its gid."""
        return self.workspace.add_project(name, ("Backlog", "In progress", "Done")).gid

    def new(
        self, container: str, *, title: str, notes: str = "", by: str | None = None, **fields: Any
    ) -> str:
        """A new task; also ``section`` (gid or name), ``state``, ``followers``, ``parent``, ``kind``, and
        ``due``, ``start`` and ``custom`` as in :meth:`edit`."""
        kind = {"resource_subtype": fields["kind"]} if fields.get("kind") else {}
        task = self.workspace.add_task(
            self._gid(by),
            source="web",
            places=[(container, self._section(container, fields.get("section")))],
            followers=[self._user(name) for name in fields.get("followers", ())],
            tags=[self._label(name) for name in fields.get("labels", ())],
            **kind,
            **self._values(
                title=title, notes=notes, **_without(fields, "kind", "section", "followers", "labels")
            ),
        )
        return task.gid

    def edit(self, object_id: str, *, by: str | None = None, **fields: Any) -> None:
        """Also ``followers``, ``parent`` (gid or None), ``due`` and ``start`` (a date, a datetime, or None),
        ``custom`` (values by the gid of the custom field) and other fields of a task by Asana's names.

        ``by="system"`` is nobody, as where a rule acts.
        """
        who, workspace = self._gid(by), self.workspace
        values = self._values(**_without(fields, "labels", "followers", "section", "parent"))
        workspace.change(object_id, who, source="web", **values)
        for field, name, gid_of in (("labels", "tags", self._label), ("followers", "followers", self._user)):
            if field in fields:
                new, old = [gid_of(one) for one in fields[field]], getattr(workspace.tasks[object_id], name)
                add, remove = [g for g in new if g not in old], [g for g in old if g not in new]
                workspace.change_set(object_id, who, name, add=add, remove=remove, source="web")
        if "parent" in fields:
            workspace.set_parent(object_id, who, fields["parent"])
        if "section" in fields:
            for project in workspace.tasks[object_id].places:
                section = self._section(project, fields["section"])
                if section is not None:
                    workspace.add_to_project(object_id, who, project, section, source="web")

    def comment(self, object_id: str, text: str, *, by: str | None = None) -> str:
        html = self._rich(text, comment=True)
        return self.workspace.add_comment(object_id, self._gid(by), html, source="web").gid

    def edit_comment(self, comment_id: str, text: str) -> None:
        author = self.workspace.stories[comment_id].created_by
        self.workspace.edit_comment(comment_id, self._rich(text, comment=True), author)

    def delete_comment(self, comment_id: str) -> None:
        self.workspace.delete_comment(comment_id, self.workspace.stories[comment_id].created_by)

    def attach(self, object_id: str, name: str, content: bytes, *, by: str | None = None) -> str:
        return self.workspace.attach(
            object_id, self._gid(by), name, content=content, url=None, source="web"
        ).gid

    def attach_from(self, object_id: str, host: str, name: str, url: str, *, by: str | None = None) -> str:
        """A person attaches what lies at ``dropbox``, ``gdrive``, ``vimeo``, ... or a link (``external``)."""
        return self.workspace.attach(
            object_id, self._gid(by), name, content=None, url=url, source="web", host=host
        ).gid

    def detach(self, attachment_id: str, *, by: str | None = None) -> None:
        """A person removes an attachment."""
        self.workspace.detach(attachment_id, self._gid(by))

    def remove(self, object_id: str, *, by: str | None = None) -> None:
        """Into the trash."""
        self.workspace.trash(object_id, self._gid(by))

    def restore(self, object_id: str, *, by: str | None = None) -> None:
        """Out of the trash."""
        self.workspace.trash(object_id, self._gid(by), trashed=False)

    def hide(self, object_id: str, *, hidden: bool = True) -> None:
        """Take a task or project out of the bot's sight: no event tells of it."""
        workspace = self.workspace
        if object_id in workspace.projects:
            workspace.projects[object_id] = replace(workspace.projects[object_id], private=hidden)
        else:
            workspace.tasks[object_id] = replace(workspace.tasks[object_id], private=hidden)

    def archive(self, container: str, *, archived: bool = True, by: str | None = None) -> None:
        """Put a project away, or bring it back."""
        self.workspace.archive(container, self._gid(by), archived=archived)

    def new_field(
        self, container: str, name: str, kind: str, options: Sequence[str] = (), **more: Any
    ) -> CustomField:
        """A custom field of the project; see :class:`CustomField`."""
        return self.workspace.add_custom_field([container], name, kind, options, **more)

    def deactivate(self, name: str, *, active: bool = False) -> None:
        """Take a person's seat in the workspace, or give it back; their tasks stay theirs."""
        users, gid = self.workspace.users, self.people[name].gid
        users[gid] = replace(users[gid], active=active)

    def add_to_project(self, object_id: str, project: str, *, by: str | None = None) -> None:
        self.workspace.add_to_project(object_id, self._gid(by), project, None, source="web")

    def remove_from_project(self, object_id: str, project: str, *, by: str | None = None) -> None:
        self.workspace.remove_from_project(object_id, self._gid(by), project, source="web")

    def view(self, object_id: str) -> dict[str, Any] | None:
        """``notes`` and each comment's ``html`` are rich text; people by their name here, else in full."""
        task = self.workspace.tasks.get(object_id)
        if task is None or task.trashed:
            return None
        workspace = self.workspace
        stories = [s for gid in workspace.stories_of[object_id] if (s := workspace.stories.get(gid))]
        sections = {gid: workspace.sections[place.section].name for gid, place in task.places.items()}
        return {
            "title": task.name,
            "notes": task.html_notes,
            "text": richtext.plain(task.html_notes),
            "state": "closed" if task.completed else "open",
            "assignee": self._person(task.assignee),
            "followers": [self._person(gid) for gid in task.followers],
            "labels": sorted(workspace.tags[gid].name for gid in task.tags),
            "kind": task.resource_subtype,
            "due": task.due_at or task.due_on,
            "start": task.start_at or task.start_on,
            "custom": {field.gid: field.value_of(task) for field in workspace.fields_on(task)},
            "section": next(iter(sections.values()), None),
            "sections": sections,
            "parent": task.parent,
            "created_at": task.created_at,
            "modified_at": task.modified_at,
            "author": self._person(task.created_by),
            "url": Answers(workspace, "", 0).task(task)["permalink_url"],
            "attachments": [
                {"id": file.gid, "name": file.name, "content": file.content, "url": file.url}
                for file in workspace.attachments.values()
                if file.task == object_id
            ],
            "comments": [
                {
                    "id": story.gid,
                    "text": story.text,
                    "html": story.html_text,
                    "author": self._person(story.created_by),
                    "edited": story.is_edited,
                    "created_at": story.created_at,
                }
                for story in stories
                if story.is_comment
            ],
        }

    def objects(self, container: str) -> list[str]:
        return [task.gid for task in self.workspace.tasks.values() if _lives_in(task, container)]

    def choices(self, container: str) -> Mapping[str, Mapping[str, str]]:
        """Sections by their gid, tags by their name."""
        workspace = self.workspace
        return {
            "section": {gid: workspace.sections[gid].name for gid in workspace.projects[container].sections},
            "labels": {tag.name: tag.name for tag in workspace.tags.values()},
        }


def _too_many(wait_s: float) -> Refused:
    retry = {"Retry-After": str(max(1, math.ceil(wait_s)))}
    return Refused(429, "You have made too many requests recently. Please, be chill.", retry)


def _lives_in(task: Task, project: str) -> bool:
    return project in task.places and not task.trashed


def _without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
