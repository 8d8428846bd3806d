"""Endpoints of a simulated GitHub for pull requests: lists, reviews, checks of the last commit."""

from __future__ import annotations

from typing import Any

from connectors.github.simulated_account_shapes import Shape, stamp
from connectors.github.simulated_api import Call, Reply, Table, not_found, sort
from connectors.github.simulated_shapes import commit_of
from connectors.github.simulated_state import Issue, Repository, node_id


def list_pulls(call: Call) -> Reply:
    """Pull requests; newest first unless sorted by anything but creation."""
    repository = call.repository()
    state = call.choice("state", "open", "closed", "all")
    order = call.choice("sort", "created", "updated", "popularity", "long-running")
    usual = ("desc", "asc") if order == "created" else ("asc", "desc")
    direction = call.choice("direction", *usual)

    def key(issue: Issue) -> tuple[Any, int]:
        time = issue.updated_at if order == "updated" else issue.created_at
        return time.replace(microsecond=0), issue.number

    pulls = [i for i in repository.issues.all_seen(call.lag_s) if i.pull_id and state in ("all", i.state)]
    return call.page(
        sort(pulls, key, direction), lambda issue: call.site.shapes.pull(repository, issue, whole=False)
    )


def get_pull(call: Call) -> Reply:
    return Reply(call.site.shapes.pull(*_pull(call)))


def list_reviews(call: Call) -> Reply:
    """Oldest first."""
    repository, issue = _pull(call)
    shapes = [_review(call, repository, issue, at) for at in range(len(issue.reviews))]
    return call.page(shapes, lambda shape: shape)


def list_check_runs(call: Call) -> Reply:
    """Of a commit, under a key."""
    issue = _of_commit(call)
    runs = [
        {
            "id": at,
            "name": name,
            "head_sha": commit_of(issue),
            "status": "completed" if conclusion else "in_progress",
            "conclusion": conclusion,
        }
        for at, (name, conclusion) in enumerate(issue.checks.items(), 1)
    ]
    page = call.page(runs, lambda run: run)
    return Reply({"total_count": len(runs), "check_runs": page.data}, headers=page.headers)


def combined_status(call: Call) -> Reply:
    """Of a commit: nobody reports the older statuses here."""
    issue = _of_commit(call)
    return Reply({"state": "pending", "statuses": [], "sha": commit_of(issue), "total_count": 0})


TABLE: Table = (
    ("GET", "{repository}/pulls", list_pulls),
    ("GET", "{repository}/pulls/{number}", get_pull),
    ("GET", "{repository}/pulls/{number}/reviews", list_reviews),
    ("GET", "{repository}/commits/{commit}/check-runs", list_check_runs),
    ("GET", "{repository}/commits/{commit}/status", combined_status),
)


def _pull(call: Call) -> tuple[Repository, Issue]:
    repository, issue = call.issue()
    if issue.pull_id is None:
        raise not_found()
    return repository, issue


def _of_commit(call: Call) -> Issue:
    repository, commit = call.repository(), call.request.path_params["commit"]
    for issue in repository.issues.values():
        if issue.pull_id is not None and commit_of(issue) == commit:
            return issue
    raise not_found()


def _review(call: Call, repository: Repository, issue: Issue, at: int) -> Shape:
    (login, state), shapes = issue.reviews[at], call.site.shapes
    pull, id = f"{shapes.repository_url(repository)}/pulls/{issue.number}", issue.id * 100 + at
    html = f"{shapes.page_url(repository, issue)}#pullrequestreview-{id}"
    return {
        "id": id,
        "node_id": node_id("PRR", at, repository.id),
        "user": shapes.user(login),
        "body": "",
        "state": state,
        "html_url": html,
        "pull_request_url": pull,
        "author_association": "MEMBER",
        "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
        "submitted_at": stamp(issue.updated_at),
        "commit_id": commit_of(issue),
    }
