"""Every call we make at GitHub: the only file that knows its paths and parameters.

Source: docs.github.com/rest, API version 2022-11-28.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import quote

from connectors.answers import Answer
from connectors.discussions import Content
from connectors.errors import Park, ReplanNeeded, RetryLater
from connectors.github.access import Installation
from connectors.github.calls import NOT_SERVED, PER_PAGE, Calls, Listed, object_in
from connectors.github.fields import Payload
from connectors.github.translate import instant, label_names, logins_of

_WITHOUT_PAGES = {"per_page": None}

_ISSUE = frozenset({"node_id", "number", "created_at", "updated_at"})
_COMMENT = frozenset({"node_id", "id", "created_at", "updated_at"})


Names: TypeAlias = tuple[str, ...] | None
"""What an answer says stands there now; None where it says nothing."""


class Client(Calls):
    """GitHub's REST API."""

    # --- who and where -----------------------------------------------------------------------------

    async def account(self) -> tuple[Payload, frozenset[str] | None]:
        """Our user, and the scopes of the token; None where it is a fine-grained one, or an app's."""
        if isinstance(self._calls, Installation):
            return await self._bot(self._calls), None
        answer = await self._calls.send("GET", "/user")
        scopes = answer.headers.get("x-oauth-scopes")
        known = None if scopes is None else frozenset(scope.strip() for scope in scopes.split(","))
        return object_in(answer, {"login", "id"}), known

    async def _bot(self, installation: Installation) -> Payload:
        """The user in whose name an app writes."""
        app = await installation.account()
        login = f"{app['slug']}[bot]"
        user = await self._calls.send("GET", f"/users/{quote(login, safe='')}")
        return {**object_in(user, {"login", "id"}), "permissions": app["permissions"]}

    async def repositories(self) -> Sequence[Payload]:
        """Those of our account; none where the call does not exist."""
        if isinstance(self._calls, Installation):
            return await self._whole("/installation/repositories", {}, {"full_name"}, within="repositories")
        return await self._optional("/user/repos", {"sort": "full_name"}, {"full_name"}) or ()

    async def assignees(self, repository: str) -> Sequence[Payload]:
        return await self._whole(f"/repos/{repository}/assignees", {}, {"login"})

    async def milestones(self, repository: str, *, etag: str | None = None) -> Listed:
        """All, open and closed. ``etag`` is given where the list fits on one page."""
        path, required = f"/repos/{repository}/milestones", {"number", "title"}
        listed = await self._listed(path, {"state": "all"}, required, etag=etag)
        items = list(listed.items)
        if listed.next is None:
            return listed
        while listed.next:
            listed = await self._listed(path, {}, required, page=listed.next)
            items += listed.items
        return Listed(items)

    async def issue_types(self, organisation: str) -> Sequence[Payload] | None:
        """None where the owner has none, or they are not shown to us."""
        return await self._optional(f"/orgs/{organisation}/issue-types", _WITHOUT_PAGES, {"id", "name"})

    async def issue_fields(self, organisation: str) -> Sequence[Payload] | None:
        """None where the owner has none, or they are not shown to us."""
        return await self._optional(
            f"/orgs/{organisation}/issue-fields", _WITHOUT_PAGES, {"id", "name", "data_type"}
        )

    # --- issues ------------------------------------------------------------------------------------

    async def issues(
        self, repository: str, since: str | None = None, *, page: str | None = None, etag: str | None = None
    ) -> Listed:
        """Issues and pull requests in any state, oldest update first; ``since`` filters the update."""
        params = {"state": "all", "sort": "updated", "direction": "asc", "since": since}
        return await self._listed(f"/repos/{repository}/issues", params, _ISSUE, page=page, etag=etag)

    async def newest_issues(self, repository: str) -> Listed:
        params = {"state": "all", "sort": "updated", "direction": "desc"}
        return await self._listed(f"/repos/{repository}/issues", params, _ISSUE)

    async def issues_by(
        self, repository: str, creator: str, since: str | None, *, page: str | None = None
    ) -> Listed:
        """Issues somebody made, newest first."""
        params = {
            "state": "all",
            "creator": creator,
            "sort": "created",
            "direction": "desc",
            "since": since,
        }
        return await self._listed(f"/repos/{repository}/issues", params, _ISSUE, page=page)

    async def issue(self, repository: str, number: int) -> Payload:
        """One issue; that of another repository, where it was transferred."""
        return object_in(await self._calls.send("GET", f"/repos/{repository}/issues/{number}"), _ISSUE)

    async def create_issue(self, repository: str, body: Mapping[str, Any]) -> Payload:
        return object_in(await self._write("POST", repository, "/issues", body), _ISSUE, write=True)

    async def edit_issue(self, repository: str, number: int, changes: Mapping[str, Any]) -> Payload:
        answer = await self._write("PATCH", repository, f"/issues/{number}", changes)
        return object_in(answer, _ISSUE, write=True)

    async def add_labels(self, repository: str, number: int, labels: Sequence[str]) -> Names:
        """Labels the repository does not know are made. Answers what the issue has now."""
        body = {"labels": list(labels)}
        return _labels(await self._write("POST", repository, f"/issues/{number}/labels", body))

    async def remove_label(self, repository: str, number: int, label: str) -> Names:
        """Take one label off; not there is success. Answers what the issue has now."""
        segment = quote(label, safe="").replace(".", "%2E")  # a name of dots would lead to another path
        path = f"/issues/{number}/labels/{segment}"
        return _labels(await self._write("DELETE", repository, path, accept=(404,)))

    async def add_assignees(self, repository: str, number: int, logins: Sequence[str]) -> Names:
        """Logins that cannot be assigned are left out without a word. Answers who is assigned now."""
        body = {"assignees": list(logins)}
        return _assignees(await self._write("POST", repository, f"/issues/{number}/assignees", body))

    async def remove_assignees(self, repository: str, number: int, logins: Sequence[str]) -> Names:
        """Answers who is assigned now."""
        body = {"assignees": list(logins)}
        return _assignees(await self._write("DELETE", repository, f"/issues/{number}/assignees", body))

    async def set_field(
        self, repository: str, number: int, field: int, value: str | float | list[str]
    ) -> None:
        """Of a choice the option's name, of several choices their names."""
        body = {"issue_field_values": [{"field_id": field, "value": value}]}
        await self._write("POST", repository, f"/issues/{number}/issue-field-values", body)

    async def clear_field(self, repository: str, number: int, field: int) -> None:
        """Empty already is success."""
        path = f"/issues/{number}/issue-field-values/{field}"
        await self._write("DELETE", repository, path, accept=(404,))

    async def add_sub_issue(self, repository: str, number: int, id: int) -> None:
        """Put the issue with this database id below; whatever it was below before."""
        body = {"sub_issue_id": id, "replace_parent": True}
        await self._write("POST", repository, f"/issues/{number}/sub_issues", body)

    async def remove_sub_issue(self, repository: str, number: int, id: int) -> None:
        await self._write("DELETE", repository, f"/issues/{number}/sub_issue", {"sub_issue_id": id})

    async def blockers(self, repository: str, number: int) -> Sequence[Payload]:
        """The issues that it waits for, closed ones among them."""
        return await self._whole(f"/repos/{repository}/issues/{number}/dependencies/blocked_by", {}, _ISSUE)

    async def add_blocker(self, repository: str, number: int, id: int) -> None:
        """Make it wait for the issue with this database id."""
        path = f"/issues/{number}/dependencies/blocked_by"
        await self._write("POST", repository, path, {"issue_id": id})

    async def remove_blocker(self, repository: str, number: int, id: int) -> None:
        path = f"/issues/{number}/dependencies/blocked_by/{id}"
        await self._write("DELETE", repository, path, accept=(404,))

    async def timeline(self, repository: str, number: int) -> Sequence[Payload]:
        return await self._whole(f"/repos/{repository}/issues/{number}/timeline", {}, set())

    async def issue_events(
        self, repository: str, *, page: str | None = None, etag: str | None = None
    ) -> Listed | None:
        """What was done to any issue, newest first; None where GitHub offers no such list."""
        path = f"/repos/{repository}/issues/events"
        try:
            return await self._listed(path, {}, {"id", "event"}, page=page, etag=etag)
        except (Park, RetryLater) as refused:
            if refused.status in NOT_SERVED and not getattr(refused, "limited", False):
                return None
            raise

    # --- pull requests -----------------------------------------------------------------------------

    async def pull(self, repository: str, number: int) -> Payload:
        answer = await self._calls.send("GET", f"/repos/{repository}/pulls/{number}")
        return object_in(answer, {"number", "head"})

    async def reviews(self, repository: str, number: int) -> Sequence[Payload]:
        """Oldest first."""
        return await self._whole(f"/repos/{repository}/pulls/{number}/reviews", {}, {"state"})

    async def check_runs(self, repository: str, commit: str) -> Sequence[Payload]:
        """The latest of each check; none where they are not shown to us."""
        path = f"/repos/{repository}/commits/{commit}/check-runs"
        return await self._optional(path, {}, {"status"}, within="check_runs") or ()

    async def statuses(self, repository: str, commit: str) -> Sequence[Payload]:
        """The latest of each older kind of check; none where they are not shown to us."""
        path = f"/repos/{repository}/commits/{commit}/status"
        return await self._optional(path, {}, {"state"}, within="statuses") or ()

    # --- comments ----------------------------------------------------------------------------------

    async def comments_of(self, repository: str, number: int) -> Sequence[Payload]:
        """All comments of one issue, oldest first.

        A comment deleted between two pages moves the others up, over the edge of a page. So where
        there is more than one page they are read twice: what is in either reading is there.
        """
        path = f"/repos/{repository}/issues/{number}/comments"
        comments = await self._whole(path, {}, _COMMENT)
        if len(comments) > PER_PAGE:
            comments = [*comments, *await self._whole(path, {}, _COMMENT)]
        newest = {int(comment["id"]): comment for comment in comments}
        return [newest[id] for id in sorted(newest)]

    async def comments(
        self, repository: str, since: str | None = None, *, page: str | None = None, etag: str | None = None
    ) -> Listed:
        """Comments of the whole repository, oldest update first."""
        params = {"sort": "updated", "direction": "asc", "since": since}
        path = f"/repos/{repository}/issues/comments"
        return await self._listed(path, params, _COMMENT, page=page, etag=etag)

    async def newest_comments(self, repository: str) -> Listed:
        params = {"sort": "updated", "direction": "desc"}
        return await self._listed(f"/repos/{repository}/issues/comments", params, _COMMENT)

    async def comment(self, repository: str, id: int) -> Payload:
        answer = await self._calls.send("GET", f"/repos/{repository}/issues/comments/{id}")
        return object_in(answer, _COMMENT)

    async def add_comment(self, repository: str, number: int, body: str) -> Payload:
        answer = await self._write("POST", repository, f"/issues/{number}/comments", {"body": body})
        return object_in(answer, _COMMENT, write=True)

    async def edit_comment(self, repository: str, id: int, body: str) -> Payload:
        answer = await self._write("PATCH", repository, f"/issues/comments/{id}", {"body": body})
        return object_in(answer, _COMMENT, write=True)

    async def delete_comment(self, repository: str, id: int) -> None:
        await self._write("DELETE", repository, f"/issues/comments/{id}")

    # --- files -------------------------------------------------------------------------------------

    async def rendered(self, repository: str, number: int, comment: int | None) -> str:
        """The HTML that GitHub shows of an issue's body, or of one of its comments."""
        path = f"/repos/{repository}/issues/{number if comment is None else f'comments/{comment}'}"
        headers = {"accept": "application/vnd.github.full+json"}
        answer = await self._calls.send("GET", path, headers=headers)
        return str(answer.data.get("body_html") or "") if isinstance(answer.data, Mapping) else ""

    async def download(
        self, address: str, into: BinaryIO, *, limit: int, hosts: Collection[str], trusted: str
    ) -> Content:
        return await self._calls.download(address, into, limit=limit, hosts=hosts, trusted=trusted)

    # --- webhooks ----------------------------------------------------------------------------------

    async def serves(self, path: str) -> bool:
        """Whether the account may list what is there."""
        try:
            await self._listed(path, {"per_page": 1}, set())
        except (Park, ReplanNeeded) as refused:
            if refused.status not in (403, 404, 410):
                raise
            return False
        return True

    async def hooks(self, repository: str) -> Sequence[Payload]:
        return await self._whole(f"/repos/{repository}/hooks", {}, {"id"})

    async def hook(self, repository: str, id: str) -> Payload:
        answer = await self._calls.send("GET", f"/repos/{repository}/hooks/{quote(id, safe='')}")
        return object_in(answer, {"id"})

    async def create_hook(self, repository: str, hook: Mapping[str, Any]) -> Payload:
        return object_in(await self._write("POST", repository, "/hooks", hook), {"id"}, write=True)

    async def edit_hook(self, repository: str, id: str, hook: Mapping[str, Any]) -> Payload:
        answer = await self._write("PATCH", repository, f"/hooks/{quote(id, safe='')}", hook)
        return object_in(answer, {"id"}, write=True)

    async def delete_hook(self, repository: str, id: str) -> None:
        await self._write("DELETE", repository, f"/hooks/{quote(id, safe='')}")

    async def deliveries(self, repository: str, hook: str, since: datetime) -> Sequence[Payload]:
        """The hook's log, newest first, at least as far back as that; GitHub keeps three days."""
        path = f"/repos/{repository}/hooks/{quote(hook, safe='')}/deliveries"
        needed = {"id", "guid", "delivered_at"}
        listed = await self._listed(path, {}, needed)
        items = list(listed.items)
        while listed.next and instant(items[-1]["delivered_at"]) >= since:
            listed = await self._listed(path, {}, needed, page=listed.next)
            items += listed.items
        return items

    async def redeliver(self, repository: str, hook: str, delivery: int) -> None:
        await self._write("POST", repository, f"/hooks/{quote(hook, safe='')}/deliveries/{delivery}/attempts")


def _labels(answer: Answer) -> Names:
    return label_names(answer.data) if isinstance(answer.data, list) else None


def _assignees(answer: Answer) -> Names:
    told = isinstance(answer.data, Mapping) and "assignees" in answer.data
    return logins_of(answer.data) if told else None
