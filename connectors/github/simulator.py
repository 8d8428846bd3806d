"""GitHub's stand-in: REST and webhooks over loopback, with the provider's quirks.

Which quirks, and where each comes from: the modules ``simulated_*`` beside this one. Further switches
are those of every simulator: ``clock``, ``faults``, ``outbox``, ``visible_after_s``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import Any, ClassVar

from starlette.routing import BaseRoute

from connectors.github import (
    simulated_app,
    simulated_dependencies,
    simulated_family,
    simulated_issues,
    simulated_planning,
    simulated_repositories,
    simulated_reviews,
    simulated_values,
)
from connectors.github.simulated_account_shapes import HTML
from connectors.github.simulated_api import Site, routes
from connectors.github.simulated_app import APP_ID, BOT_OF_APP, INSTALLATION_ID, App, private_key
from connectors.github.simulated_edits import Edits
from connectors.github.simulated_files import PATHS, Files
from connectors.github.simulated_housekeeping import OWNER, Housekeeping
from connectors.github.simulated_limits import Limits
from connectors.github.simulated_shapes import Shapes
from connectors.github.simulated_state import Comment, Issue, Repository
from connectors.github.simulated_switches import Switches
from connectors.github.simulated_webhooks import Webhooks
from connectors.github.simulated_world import World
from connectors.simulation import Clock, Exchange, Refused, Simulator

BOT = "asana-sync-bot"
TOKEN = "ghp_simulated"  # noqa: S105
WEBHOOK_SECRET = "It's a Secret to Everybody"  # noqa: S105


class GitHubSimulator(Housekeeping, Switches, Simulator):
    """People are ``ada``, ``bob`` and the bot; object ids are node ids, containers ``owner/name``."""

    name: ClassVar[str] = "github"

    def __init__(self, *, clock: Clock | None = None, enterprise: bool = False) -> None:
        super().__init__(clock=clock)
        self._prefix = "/api/v3" if enterprise else ""
        self.world = World(self.clock)
        self.people = self.world.people
        for login, person_name in (("ada", "Ada Lovelace"), ("bob", "Bob Baker"), (BOT, "Asana Sync")):
            self.world.add_person(login, person_name, f"{login}@example.com")
        self.tokens = {TOKEN: BOT}
        """Token -> login; further ones may be added."""
        self.world.add_bot(BOT_OF_APP)
        self.app_installed = App(clock=self.clock, switches=self)
        self.limits = Limits(self.clock, self.journal, self._owner_of, self)
        self.shapes = shapes = Shapes(
            self.world, self._api, "https://ghe.example.com" if enterprise else HTML
        )
        self.webhooks = Webhooks(self.clock, self.outbox, shapes, self)
        self.files = Files(self.clock, self.tokens, self, lambda: self.base_url)
        self.edits = Edits(self.world, self.webhooks.announce, self)
        self.site = Site(
            world=self.world,
            edits=self.edits,
            shapes=shapes,
            webhooks=self.webhooks,
            files=self.files,
            limits=self.limits,
            api=self._api,
            switches=self,
            app=self.app_installed,
            prefix=self._prefix,
        )

    def routes(self) -> Sequence[BaseRoute]:
        tables = (
            *simulated_issues.TABLE,
            *simulated_family.TABLE,
            *simulated_dependencies.TABLE,
            *simulated_planning.TABLE,
            *simulated_repositories.TABLE,
            *simulated_reviews.TABLE,
            *simulated_values.TABLE,
            *simulated_app.TABLE,
        )
        return [*routes(self.site, tables), *self.files.routes()]

    def admission(self, exchange: Exchange) -> Refused | None:
        return None if PATHS.match(exchange.path) else self.limits.admit(exchange)

    def refusal(self, refused: Refused) -> dict[str, Any]:
        """All but validation errors repeat their status."""
        status = {} if refused.status == 422 else {"status": str(refused.status)}
        return {"message": refused.message, **refused.extra, **status}

    def connection(self, base_url: str) -> dict[str, Any]:
        return {
            "settings": {"base_url": base_url + self._prefix, "subscriptions": "auto"},
            "credentials": {"token": TOKEN, "webhook_secret": WEBHOOK_SECRET},
        }

    def connection_as_app(self, base_url: str) -> dict[str, Any]:
        """The same by the GitHub App instead of a token."""
        credentials = {
            "app_id": str(APP_ID),
            "installation_id": str(INSTALLATION_ID),
            "private_key": private_key(),
            "webhook_secret": WEBHOOK_SECRET,
        }
        return {**self.connection(base_url), "credentials": credentials}

    # what people do to objects

    def new_container(self, name: str) -> str:
        """A repository; its owner is acme unless the name has one. A taken name gets a number behind it."""
        owner, _, repository = name.rpartition("/")
        owner = owner or OWNER
        names = chain([repository], (f"{repository}-{number}" for number in count(1)))
        free = next(free for free in names if self.world.named(f"{owner}/{free}") is None)
        return self.world.add_repository(owner, free).full_name

    def new(
        self, container: str, *, title: str, notes: str = "", by: str | None = None, **fields: Any
    ) -> str:
        """An issue, or with ``kind="pull"`` a pull request; other fields as in :meth:`edit`."""
        kind, state = fields.pop("kind", "issue"), fields.pop("state", "open")
        actor, repository = self._actor(by), self.repository(container)
        issue = self.edits.open(
            repository,
            actor,
            title=title,
            body=notes or None,
            labels=fields.pop("labels", ()),
            assignees=_assignees(fields),
            milestone=fields.pop("milestone", None),
            pull=kind == "pull",
        )
        self.edit(issue.node_id, by=actor, state=state, **fields)
        return issue.node_id

    def edit(self, object_id: str, *, by: str | None = None, **fields: Any) -> None:
        """Fields: title, notes, state ("open", "closed", for pull requests "merged"), state_reason,
        assignee or assignees (logins), labels (names), milestone (number or None), locked, draft,
        type (name or None), values (name of an issue field -> value), parent (object id or None),
        blocked_by (object ids)."""
        actor, (repository, issue) = self._actor(by), self.find(object_id)
        title, notes = fields.pop("title", None), fields.pop("notes", None)
        issue = self.edits.rewrite(repository, issue, actor, title=title, body=notes)
        if "labels" in fields:
            issue = self.edits.label(repository, issue, actor, fields.pop("labels"))
        if "assignee" in fields or "assignees" in fields:
            issue = self.edits.assign(repository, issue, actor, _assignees(fields))
        if "milestone" in fields:
            issue = self.edits.set_milestone(repository, issue, actor, fields.pop("milestone"))
        if "type" in fields:
            issue = self.edits.set_type(repository, issue, actor, self._type(repository, fields.pop("type")))
        if "values" in fields:
            issue = self.edits.set_values(
                repository, issue, actor, self._values(repository, fields.pop("values"))
            )
        if "parent" in fields:
            issue = self.edits.put_below(repository, issue, actor, self._home(fields.pop("parent")))
        if "blocked_by" in fields:
            blockers = [self.find(each) for each in fields.pop("blocked_by")]
            issue = self.edits.set_blockers(repository, issue, actor, blockers)
        if "draft" in fields:
            issue = self.edits.set_draft(repository, issue, actor, draft=fields.pop("draft"))
        if "locked" in fields:
            issue = self.edits.lock(repository, issue, actor, locked=fields.pop("locked"))
        state, reason = fields.pop("state", None), fields.pop("state_reason", None)
        if state == "merged":
            self.edits.merge(repository, issue, actor)
        elif state == "closed":
            self.edits.close(repository, issue, actor, reason)
        elif state == "open":
            self.edits.reopen(repository, issue, actor)
        if fields or state not in (None, "open", "closed", "merged"):
            raise ValueError(f"GitHub knows no {', '.join(fields) or f'state {state!r}'}")

    def convert_to_discussion(self, object_id: str, *, by: str | None = None) -> None:
        """The issue stays behind, closed and locked."""
        repository, issue = self.find(object_id)
        self.edits.convert(repository, issue, self._actor(by))

    def ask_for_review(self, object_id: str, login: str, *, by: str | None = None) -> None:
        repository, issue = self.find(object_id)
        self.edits.ask_for_review(repository, issue, self._actor(by), login)

    def review(self, object_id: str, state: str, *, by: str | None = None) -> None:
        """``state``: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED."""
        repository, issue = self.find(object_id)
        self.edits.review(repository, issue, self._actor(by), state)

    def check(self, object_id: str, name: str, conclusion: str | None) -> None:
        """A check of the pull request's last commit begins (None) or ends."""
        repository, issue = self.find(object_id)
        self.edits.check(repository, issue, name, conclusion)

    def comment(self, object_id: str, text: str, *, by: str | None = None) -> str:
        repository, issue = self.find(object_id)
        return self.edits.post(repository, issue, self._actor(by), text).node_id

    def upload(self, container: str, name: str, content: bytes) -> str:
        """A file dropped into a text that is being written: the address to put there."""
        return self.files.add(self.repository(container), name, content).url

    def attach(self, object_id: str, name: str, content: bytes, *, by: str | None = None) -> str:
        """A comment with nothing but the file; its id."""
        repository, _ = self.find(object_id)
        file = self.files.add(repository, name, content)
        return self.comment(object_id, f"{'!' if file.is_image else ''}[{name}]({file.url})", by=by)

    def edit_comment(self, comment_id: str, text: str) -> None:
        repository, comment = self.find_comment(comment_id)
        self.edits.reword(repository, comment, comment.author, text)

    def delete_comment(self, comment_id: str) -> None:
        repository, comment = self.find_comment(comment_id)
        self.edits.withdraw(repository, comment, comment.author)

    def remove(self, object_id: str, *, by: str | None = None) -> None:
        repository, issue = self.find(object_id)
        self.edits.delete(repository, issue, self._actor(by))

    def transfer(self, object_id: str, to: str, *, by: str | None = None) -> str:
        """Move an issue to another repository of the same owner; its new id."""
        repository, issue = self.find(object_id)
        return self.edits.transfer(repository, issue, self._actor(by), self.repository(to)).node_id

    def view(self, object_id: str) -> dict[str, Any] | None:
        home = self.world.home(object_id)
        issue = home[0].issues.get(home[1]) if home else None
        if home is None or issue is None:
            return None
        repository, milestone = home[0], home[0].milestones.get(issue.milestone or 0)
        organization = self.world.organization_of(repository)
        return {
            "title": issue.title,
            "notes": issue.body or "",
            "state": issue.state,
            "state_reason": issue.state_reason,
            "merged": issue.merged_at is not None,
            "assignee": issue.assignees[0] if issue.assignees else None,
            "assignees": list(issue.assignees),
            "labels": [label.name for label in repository.labels_of(issue)],
            "milestone": milestone.title if milestone else None,
            "locked": issue.locked,
            "draft": issue.draft,
            "type": organization.types[issue.type].name if issue.type else None,
            "parent": issue.parent,
            "blocked_by": list(issue.blocked_by),
            "values": {organization.fields[id].name: value for id, value in issue.values.items()},
            "comments": [
                {
                    "id": comment.node_id,
                    "text": comment.body,
                    "author": comment.author,
                    "created_at": comment.created_at,
                }
                for comment in repository.thread(issue.number)
            ],
            "created_at": issue.created_at,
            "kind": issue.kind,
            "author": issue.author,
            "container": repository.full_name,
            "number": issue.number,
            "url": self.site.shapes.page_url(repository, issue),
        }

    def objects(self, container: str) -> list[str]:
        return [issue.node_id for issue in self.repository(container).issues.values()]

    def further_field(self, container: str, name: str, options: Sequence[str] | None = None) -> str | None:
        """An issue field of the organisation."""
        kind, owner = "date" if options is None else "single_select", container.partition("/")[0]
        return f"custom:{self.new_issue_field(name, kind, options or (), owner=owner)}"

    def choices(self, container: str) -> Mapping[str, Mapping[str, str]]:
        """Labels by their name, milestones by their number, issue fields by their name."""
        repository = self.repository(container)
        fields = self.world.organization_of(repository).fields.values()
        return {
            **{field.name: {str(id): name for id, name in field.options.items()} for field in fields},
            "labels": {label.name: label.name for label in repository.labels.values()},
            "milestone": {str(number): each.title for number, each in repository.milestones.items()},
        }

    # finding

    def find(self, object_id: str) -> tuple[Repository, Issue]:
        """The living object with this node id."""
        repository, key = self.world.home(object_id) or (None, "")
        if repository is None or key not in repository.issues:
            raise KeyError(object_id)
        return repository, repository.issues[key]

    def _home(self, object_id: str | None) -> tuple[Repository, Issue] | None:
        return None if object_id is None else self.find(object_id)

    def find_comment(self, comment_id: str) -> tuple[Repository, Comment]:
        """The living comment with this node id, or this database id as text."""
        repository, key = self.world.home(comment_id) or (None, "")
        if repository is None or key not in repository.comments:
            raise KeyError(comment_id)
        return repository, repository.comments[key]

    def _owner_of(self, token: str) -> str | None:
        return self.tokens.get(token) or self.app_installed.actor(token)

    def _api(self) -> str:
        return self.base_url + self._prefix

    def _type(self, repository: Repository, name: str | None) -> int | None:
        found = self.world.organization_of(repository).type_named(name or "")
        assert found is not None or name is None, name
        return found.id if found else None

    def _values(self, repository: Repository, values: dict[str, Any]) -> dict[int, Any]:
        ids = {one.name: id for id, one in self.world.organization_of(repository).fields.items()}
        return {ids[name]: value for name, value in values.items()}


def _assignees(fields: dict[str, Any]) -> Sequence[str]:
    """Takes ``assignees`` or ``assignee`` out of the fields."""
    one = fields.pop("assignee", None)
    several: Sequence[str] = fields.pop("assignees", (one,) if one else ())
    return several
