"""Endpoints of a simulated GitHub for issues: lists, fields, labels, assignees, comments, timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.github.simulated_account_shapes import Shape
from connectors.github.simulated_api import Call, Reply, Table, invalid, not_found, sort
from connectors.github.simulated_lists import listed
from connectors.github.simulated_state import Comment, Issue, Repository
from connectors.github.simulated_values import checked_values
from connectors.simulation import Refused

TITLE_MAX, BODY_MAX, LABELS_MAX, LABEL_MAX = 256, 65_536, 100, 50


def list_issues(call: Call) -> Reply:
    repository = call.repository()
    return call.page(listed(call, repository), lambda issue: call.site.shapes.issue(repository, issue))


def get_issue(call: Call) -> Reply:
    repository, issue = call.issue()
    return Reply(_whole(call, repository, issue))


def create_issue(call: Call) -> Reply:
    repository, body = call.repository(), call.body()
    if not repository.has_issues:
        raise Refused(410, "Issues has been disabled in this repository.")
    if body.get("title") is None:
        raise invalid("title", code="missing_field")
    privileged = body if call.site.switches.push_access else {}
    issue = call.site.edits.open(
        repository,
        call.actor,
        title=_title(body["title"]),
        body=_text(body.get("body"), "Issue"),
        labels=_label_names(Call.names_in(privileged, "labels")),
        assignees=_logins(privileged),
        milestone=_milestone(repository, privileged.get("milestone")),
        type=_type(call, repository, privileged.get("type")),
        values=checked_values(
            call.site.world.organization_of(repository), privileged.get("issue_field_values")
        ),
    )
    shape = _whole(call, repository, issue)
    return Reply(shape, 201, {"Location": shape["url"]})


def update_issue(call: Call) -> Reply:
    """Only the keys given change; lists replace. Nothing changes where one value is refused."""
    repository, issue = call.issue()
    body, edits, actor = call.body(), call.site.edits, call.actor
    privileged = body if call.site.switches.push_access else {}
    state, reason = body.get("state"), body.get("state_reason")
    if state not in (None, "open", "closed"):
        raise invalid("state")
    if reason not in (None, "completed", "not_planned", "duplicate", "reopened"):
        raise invalid("state_reason")
    if state == "open" and issue.merged_at:
        raise invalid("state", resource="PullRequest")
    title = None if body.get("title") is None else _title(body["title"])
    text = _text(body.get("body") or "", "Issue") if "body" in body else None
    labels = _label_names(Call.names_in(privileged, "labels"))
    milestone = _milestone(repository, privileged.get("milestone"))
    type_ = _type(call, repository, privileged.get("type"))

    issue = edits.rewrite(repository, issue, actor, title=title, body=text)
    if "labels" in privileged:
        issue = edits.label(repository, issue, actor, labels)
    if "assignees" in privileged or "assignee" in privileged:
        issue = edits.assign(repository, issue, actor, _logins(privileged))
    if "milestone" in privileged:
        issue = edits.set_milestone(repository, issue, actor, milestone)
    if "type" in privileged:
        issue = edits.set_type(repository, issue, actor, type_)
    if state == "closed":
        issue = edits.close(repository, issue, actor, reason)
    if state == "open":
        issue = edits.reopen(repository, issue, actor)
    return Reply(_whole(call, repository, issue))


def list_labels(call: Call) -> Reply:
    repository, issue = call.issue()
    return call.page(repository.labels_of(issue), lambda label: call.site.shapes.label(repository, label))


def add_labels(call: Call) -> Reply:
    repository, issue = call.issue()
    present = [label.name for label in repository.labels_of(issue)]
    return _relabel(call, repository, issue, [*present, *_label_names(call.names("labels"))])


def replace_labels(call: Call) -> Reply:
    repository, issue = call.issue()
    return _relabel(call, repository, issue, _label_names(call.names("labels")))


def remove_labels(call: Call) -> Reply:
    repository, issue = call.issue()
    _relabel(call, repository, issue, [])
    return Reply(status=204)


def remove_label(call: Call) -> Reply:
    repository, issue = call.issue()
    name = call.request.path_params["label"].lower()
    present = [label.name for label in repository.labels_of(issue)]
    if name not in [other.lower() for other in present]:
        raise Refused(404, "Label does not exist", documentation_url="https://docs.github.com/rest")
    return _relabel(call, repository, issue, [other for other in present if other.lower() != name])


def add_assignees(call: Call) -> Reply:
    return _reassign(call, adding=True)


def remove_assignees(call: Call) -> Reply:
    return _reassign(call, adding=False)


def lock(call: Call) -> Reply:
    repository, issue = _pushed(call)
    call.site.edits.lock(repository, issue, call.actor)
    return Reply(status=204)


def unlock(call: Call) -> Reply:
    repository, issue = _pushed(call)
    call.site.edits.lock(repository, issue, call.actor, locked=False)
    return Reply(status=204)


def list_comments(call: Call) -> Reply:
    """Of one issue, by ascending id."""
    repository, issue = call.issue()
    found = _since(call, repository.thread(issue.number, call.lag_s))
    return call.page(found, lambda comment: call.site.shapes.comment(repository, comment))


def list_all_comments(call: Call) -> Reply:
    """Of all issues and pull requests, by ascending id unless ``sort`` says otherwise."""
    repository = call.repository()
    order = call.choice("sort", "id", "created", "updated")
    direction = call.choice("direction", "desc", "asc") if order != "id" else "asc"

    def key(comment: Comment) -> tuple[Any, int]:
        time = comment.updated_at if order == "updated" else comment.created_at
        return (time.replace(microsecond=0) if order != "id" else 0), comment.id

    found = sort(_since(call, repository.comments.all_seen(call.lag_s)), key, direction)
    return call.page(found, lambda comment: call.site.shapes.comment(repository, comment))


def create_comment(call: Call) -> Reply:
    repository, issue = call.issue()
    if issue.locked and not call.site.switches.push_access:
        raise Refused(403, "Unable to create comment because issue is locked.")
    comment = call.site.edits.post(repository, issue, call.actor, _comment_text(call))
    shape = call.site.shapes.comment(repository, comment)
    return Reply(shape, 201, {"Location": shape["url"]})


def get_comment(call: Call) -> Reply:
    repository, comment = _comment(call, call.lag_s)
    return Reply(call.site.shapes.comment(repository, comment))


def update_comment(call: Call) -> Reply:
    repository, comment = _comment(call)
    comment = call.site.edits.reword(repository, comment, call.actor, _comment_text(call))
    return Reply(call.site.shapes.comment(repository, comment))


def delete_comment(call: Call) -> Reply:
    repository, comment = _comment(call)
    call.site.edits.withdraw(repository, comment, call.actor)
    return Reply(status=204)


def timeline(call: Call) -> Reply:
    """What happened to an issue, comments included, oldest first; edits of the body leave no entry."""
    repository, issue = call.issue()
    lag_s, shapes, now = call.lag_s, call.site.shapes, call.site.world.clock.now()
    entries: list[tuple[Any, int, Shape]] = [
        (occurrence.at, occurrence.id, shapes.occurrence(repository, occurrence))
        for occurrence in repository.timelines.get(issue.number, ())
        if (now - occurrence.at).total_seconds() >= lag_s
    ]
    for comment in repository.thread(issue.number, lag_s):
        entries.append((comment.created_at, comment.id, shapes.commented(repository, comment)))
    entries.sort(key=lambda entry: entry[:2])
    return call.page(entries, lambda entry: entry[2])


def list_events(call: Call) -> Reply:
    """The timeline without comments."""
    repository, issue = call.issue()
    occurrences, shapes = repository.timelines.get(issue.number, ()), call.site.shapes
    return call.page(occurrences, lambda occurrence: shapes.event(repository, occurrence))


def list_all_events(call: Call) -> Reply:
    """What was done to any issue, newest first, each entry with its issue."""
    repository, shapes = call.repository(), call.site.shapes
    seen = {
        occurrence.id: (occurrence, issue)
        for issue in repository.issues.all_seen(call.lag_s)
        for occurrence in repository.timelines.get(issue.number, ())
    }
    entries = [seen[id] for id in sorted(seen, reverse=True)]
    return call.page(
        entries,
        lambda entry: {**shapes.event(repository, entry[0]), "issue": shapes.issue(repository, entry[1])},
    )


TABLE: Table = (
    ("GET", "{repository}/issues", list_issues),
    ("POST", "{repository}/issues", create_issue),
    ("GET", "{repository}/issues/comments", list_all_comments),
    ("GET", "{repository}/issues/events", list_all_events),
    ("GET", "{repository}/issues/comments/{comment}", get_comment),
    ("PATCH", "{repository}/issues/comments/{comment}", update_comment),
    ("DELETE", "{repository}/issues/comments/{comment}", delete_comment),
    ("GET", "{repository}/issues/{number}", get_issue),
    ("PATCH", "{repository}/issues/{number}", update_issue),
    ("GET", "{repository}/issues/{number}/comments", list_comments),
    ("POST", "{repository}/issues/{number}/comments", create_comment),
    ("GET", "{repository}/issues/{number}/timeline", timeline),
    ("GET", "{repository}/issues/{number}/events", list_events),
    ("GET", "{repository}/issues/{number}/labels", list_labels),
    ("POST", "{repository}/issues/{number}/labels", add_labels),
    ("PUT", "{repository}/issues/{number}/labels", replace_labels),
    ("DELETE", "{repository}/issues/{number}/labels", remove_labels),
    ("DELETE", "{repository}/issues/{number}/labels/{label:path}", remove_label),
    ("POST", "{repository}/issues/{number}/assignees", add_assignees),
    ("DELETE", "{repository}/issues/{number}/assignees", remove_assignees),
    ("PUT", "{repository}/issues/{number}/lock", lock),
    ("DELETE", "{repository}/issues/{number}/lock", unlock),
)


def _pushed(call: Call) -> tuple[Repository, Issue]:
    """The issue, where the account may do more than write comments."""
    found = call.issue()
    if not call.site.switches.push_access:
        raise not_found()
    return found


def _whole(call: Call, repository: Repository, issue: Issue) -> Shape:
    by = issue.closed_by
    return call.site.shapes.issue(repository, issue) | {
        "closed_by": call.site.shapes.user(by) if by else None
    }


def _relabel(call: Call, repository: Repository, issue: Issue, names: list[str]) -> Reply:
    if call.site.switches.push_access:
        issue = call.site.edits.label(repository, issue, call.actor, _label_names(names))
    return Reply([call.site.shapes.label(repository, label) for label in repository.labels_of(issue)])


def _reassign(call: Call, *, adding: bool) -> Reply:
    repository, issue = call.issue()
    named = call.names("assignees")
    lowered = {login.lower() for login in named}
    rest = [login for login in issue.assignees if adding or login.lower() not in lowered]
    if call.site.switches.push_access:
        issue = call.site.edits.assign(repository, issue, call.actor, [*rest, *named] if adding else rest)
    return Reply(_whole(call, repository, issue), 201 if adding else 200)


def _comment(call: Call, lag_s: float = 0.0) -> tuple[Repository, Comment]:
    repository = call.repository()
    comment = repository.comments.seen(str(call.number("comment")), lag_s)
    if comment is None:
        raise not_found()
    return repository, comment


def _since(call: Call, comments: list[Comment]) -> list[Comment]:
    since = call.time("since")
    return [c for c in comments if since is None or c.updated_at.replace(microsecond=0) >= since]


def _comment_text(call: Call) -> str:
    text = _text(call.body().get("body"), "IssueComment")
    if text is None or not text.strip():
        raise invalid("body", resource="IssueComment", code="missing_field")
    return text


def _title(given: Any) -> str:
    title = str(given)
    if not isinstance(given, (str, int)) or not title.strip():
        raise invalid("title", code="missing_field")
    if len(title) > TITLE_MAX:
        raise invalid(
            "title", code="custom", message=f"title is too long (maximum is {TITLE_MAX} characters)"
        )
    return title


def _text(given: Any, resource: str) -> str | None:
    if given is not None and not isinstance(given, str):
        raise invalid("body", resource=resource)
    if given is not None and len(given) > BODY_MAX:
        message = f"body is too long (maximum is {BODY_MAX} characters)"
        raise invalid("body", resource=resource, code="custom", message=message)
    return given


def _label_names(names: list[str]) -> list[str]:
    if len(names) > LABELS_MAX or any(not name.strip() or len(name) > LABEL_MAX for name in names):
        raise invalid("name", resource="Label")
    return names


def _logins(body: Mapping[str, Any]) -> list[str]:
    if "assignees" in body:
        return Call.names_in(body, "assignees")
    return [str(body["assignee"])] if body.get("assignee") else []


def _type(call: Call, repository: Repository, given: Any) -> int | None:
    """The type of this name; a repository of a person, or one without types, drops it."""
    organization = call.site.world.organization_of(repository)
    if given is None or not organization.types:
        return None
    found = organization.type_named(str(given))
    if found is None:
        raise invalid("type")
    return found.id


def _milestone(repository: Repository, given: Any) -> int | None:
    """Its number; null and the empty text, which PyGithub sends, are none."""
    if given is None or given == "":
        return None
    if not str(given).isdigit() or int(given) not in repository.milestones:
        raise invalid("milestone")
    return int(given)
