"""How a simulated GitHub shows its records: the JSON of answers and webhooks.

Shapes follow GitHub's OpenAPI description and webhook schemas. ``url`` values lead to where the
simulator is served, ``html_url`` values to github.com.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from connectors.github.simulated_state import (
    Comment,
    Issue,
    Label,
    Milestone,
    Occurrence,
    Person,
    Repository,
)
from connectors.github.simulated_world import World

HTML = "https://github.com"

Shape: TypeAlias = dict[str, Any]

_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_LINKS = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}
_PAGES = {"issue": "issues", "pull": "pull"}
_REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def stamp(time: datetime) -> str:
    """GitHub's times: UTC, whole seconds, cut off."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit_of(issue: Issue) -> str:
    """The last commit of a pull request."""
    return hashlib.sha1(issue.node_id.encode(), usedforsecurity=False).hexdigest()


def _stamp_or_none(time: datetime | None) -> str | None:
    return stamp(time) if time else None


class Shapes:
    """Records of one world as JSON objects; ``api`` tells where it is served now."""

    def __init__(self, world: World, api: Callable[[], str], html: str = HTML) -> None:
        self.html = html
        self._world = world
        self._api = api

    def user(self, login: str) -> Shape:
        return self.account(self._world.account(login))

    def account(self, person: Person) -> Shape:
        url = f"{self._api()}/users/{quote(person.login)}"
        page = f"apps/{person.login.removesuffix('[bot]')}" if person.bot else person.login
        return {
            "login": person.login,
            "id": person.id,
            "node_id": person.node_id,
            "avatar_url": f"https://avatars.githubusercontent.com/u/{person.id}?v=4",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.html}/{page}",
            **{name: url + path for name, path in _USER_LINKS.items()},
            "type": "Organization" if person.organization else "Bot" if person.bot else "User",
            "site_admin": False,
        }

    def integration(self, permissions: Mapping[str, str]) -> Shape:
        """The app."""
        bot = next(iter(self._world.bots.values()))
        slug, since = bot.login.removesuffix("[bot]"), stamp(datetime(2024, 1, 1, tzinfo=UTC))
        return {
            "id": bot.id,
            "slug": slug,
            "node_id": f"A_{bot.id}",
            "owner": self.account(bot),
            "name": slug,
            "description": "",
            "external_url": "https://example.com",
            "html_url": f"{self.html}/apps/{slug}",
            "created_at": since,
            "updated_at": since,
            "permissions": dict(permissions),
            "events": ["issues"],
        }

    def _through(self, author: str) -> Shape | None:
        """The app by which it was made: an edit by somebody else changes nothing of that."""
        return self.integration({}) if author in self._world.bots else None

    def public(self, person: Person) -> Shape:
        """An account as everybody sees it."""
        since = stamp(datetime(2019, 5, 15, tzinfo=UTC))
        return {
            **self.account(person),
            "name": person.name,
            "email": person.email,
            **dict.fromkeys(("company", "location", "hireable", "bio", "twitter_username")),
            "blog": "",
            **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
            "created_at": since,
            "updated_at": since,
        }

    def viewer(self, person: Person) -> Shape:
        """The account that asks, as ``GET /user`` shows it."""
        private = "private_gists", "disk_usage", "collaborators", "total_private_repos", "owned_private_repos"
        return {**self.public(person), **dict.fromkeys(private, 0), "two_factor_authentication": True}

    def repository(self, repository: Repository) -> Shape:
        """What all places show of it; some add ``permissions`` or ``custom_properties``."""
        url, created = self.repository_url(repository), stamp(repository.created_at)
        html = f"{self.html}/{repository.full_name}"
        return {
            "id": repository.id,
            "node_id": repository.node_id,
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "owner": self.account(repository.owner),
            "html_url": html,
            "description": None,
            "fork": False,
            "url": url,
            **{name: url + path for name, path in _REPOSITORY_LINKS.items()},
            **dict.fromkeys(("created_at", "updated_at", "pushed_at"), created),
            "git_url": f"git://github.com/{repository.full_name}.git",
            "ssh_url": f"git@github.com:{repository.full_name}.git",
            "clone_url": f"{html}.git",
            "svn_url": html,
            **dict.fromkeys(("homepage", "language", "mirror_url", "license")),
            **dict.fromkeys(("size", "stargazers_count", "watchers_count", "forks_count"), 0),
            **dict.fromkeys(("forks", "watchers"), 0),
            "has_issues": repository.has_issues,
            "has_projects": True,
            "has_downloads": True,
            "has_wiki": True,
            "has_pages": False,
            "has_discussions": False,
            "archived": repository.archived,
            "disabled": False,
            "allow_forking": True,
            "is_template": False,
            "web_commit_signoff_required": False,
            "topics": [],
            "visibility": "private" if repository.private else "public",
            "open_issues_count": repository.open_issues,
            "open_issues": repository.open_issues,
            "default_branch": "main",
        }

    def repository_url(self, repository: Repository) -> str:
        return f"{self._api()}/repos/{repository.full_name}"

    def page_url(self, repository: Repository, record: Issue | Comment) -> str:
        """Where people see an issue, or the issue of a comment."""
        return f"{self.html}/{repository.full_name}/{_PAGES[record.kind]}/{record.number}"

    def label(self, repository: Repository, label: Label) -> Shape:
        return {
            "id": label.id,
            "node_id": label.node_id,
            "url": f"{self.repository_url(repository)}/labels/{quote(label.name, safe='/:')}",
            "name": label.name,
            "color": label.color,
            "default": label.default,
            "description": label.description,
        }

    def milestone(self, repository: Repository, milestone: Milestone) -> Shape:
        url = f"{self.repository_url(repository)}/milestones/{milestone.number}"
        states = [i.state for i in repository.issues.values() if i.milestone == milestone.number]
        return {
            "url": url,
            "html_url": f"{self.html}/{repository.full_name}/milestone/{milestone.number}",
            "labels_url": f"{url}/labels",
            "id": milestone.id,
            "node_id": milestone.node_id,
            "number": milestone.number,
            "title": milestone.title,
            "description": milestone.description,
            "creator": self.user(milestone.creator),
            "open_issues": states.count("open"),
            "closed_issues": states.count("closed"),
            "state": milestone.state,
            "created_at": stamp(milestone.created_at),
            "updated_at": stamp(milestone.updated_at),
            "due_on": _stamp_or_none(milestone.due_on),
            "closed_at": _stamp_or_none(milestone.closed_at),
        }

    def issue(self, repository: Repository, issue: Issue, *, related: bool = True) -> Shape:
        """``related``: with what tells of its sub-issues and of the issue above, as the REST API does."""
        url = f"{self.repository_url(repository)}/issues/{issue.number}"
        shape = {
            "url": url,
            "repository_url": self.repository_url(repository),
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": self.page_url(repository, issue),
            "id": issue.id,
            "node_id": issue.node_id,
            **self._what_it_says(repository, issue),
            "comments": len(repository.thread(issue.number)),
            "performed_via_github_app": self._through(issue.author),
            "reactions": _no_reactions(url),
            "timeline_url": f"{url}/timeline",
            "state_reason": issue.state_reason,
            **self._of_organization(repository, issue),
        }
        if related and issue.pull_id is None and self._world.sub_issues:
            shape |= self._family(issue)
        if related and issue.pull_id is None and self._world.dependencies:
            shape["issue_dependencies_summary"] = self._dependencies(issue)
        if issue.pull_id is not None:
            html = self.page_url(repository, issue)
            shape["draft"] = issue.draft
            shape["pull_request"] = {
                "url": f"{self.repository_url(repository)}/pulls/{issue.number}",
                "html_url": html,
                "diff_url": f"{html}.diff",
                "patch_url": f"{html}.patch",
                "merged_at": _stamp_or_none(issue.merged_at),
            }
        return shape

    def _family(self, issue: Issue) -> Shape:
        """The address of the issue above stands on sub-issues alone."""
        below = [other.state for _, other in self._world.below(issue)]
        done = below.count("closed")
        shape: Shape = {
            "sub_issues_summary": {
                "total": len(below),
                "completed": done,
                "percent_completed": 100 * done // len(below) if below else 0,
            }
        }
        above = self._world.issue(issue.parent) if issue.parent else None
        if above is not None:
            repository, parent = above
            shape["parent_issue_url"] = f"{self.repository_url(repository)}/issues/{parent.number}"
        return shape

    def _dependencies(self, issue: Issue) -> Shape:
        """Those that are closed count in the totals alone."""
        blockers = [other.state for _, other in self._world.blockers(issue)]
        blocked = [other.state for _, other in self._world.blocked(issue)]
        return {
            "blocked_by": blockers.count("open"),
            "total_blocked_by": len(blockers),
            "blocking": blocked.count("open"),
            "total_blocking": len(blocked),
        }

    def type(self, id: int) -> Shape:
        """An issue type."""
        found = next(one.types[id] for one in self._world.organizations.values() if id in one.types)
        return {
            "id": found.id,
            "node_id": found.node_id,
            "name": found.name,
            "description": None,
            "color": "gray",
            "is_enabled": True,
        }

    def field_values(self, repository: Repository, issue: Issue) -> list[Shape]:
        """What the organisation's issue fields hold on an issue; empty ones are left out."""
        defined = self._world.organization_of(repository).fields
        return [defined[id].shape(value) for id, value in issue.values.items() if id in defined]

    def _of_organization(self, repository: Repository, issue: Issue) -> Shape:
        """Keys that only issues of organisations with types or issue fields have."""
        offered, shape = self._world.organization_of(repository), dict[str, Any]()
        if offered.types and issue.pull_id is None:
            shape["type"] = self.type(issue.type) if issue.type is not None else None
        if offered.fields and issue.pull_id is None:
            shape["issue_field_values"] = self.field_values(repository, issue)
        return shape

    def pull(self, repository: Repository, issue: Issue, *, whole: bool = True) -> Shape:
        """A pull request as such; lists leave out what needs a look into git."""
        api, html = self.repository_url(repository), self.page_url(repository, issue)
        url, issue_url = f"{api}/pulls/{issue.number}", f"{api}/issues/{issue.number}"
        sha = commit_of(issue)
        links = {
            "self": url,
            "html": html,
            "issue": issue_url,
            "comments": f"{issue_url}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{api}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{api}/statuses/{sha}",
        }
        shape = {
            "url": url,
            "id": issue.pull_id,
            "node_id": issue.node_id,
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "issue_url": issue_url,
            **self._what_it_says(repository, issue),
            "merged_at": _stamp_or_none(issue.merged_at),
            "merge_commit_sha": sha if issue.merged_at else None,
            "requested_reviewers": [self.user(login) for login in issue.reviewers],
            "requested_teams": [],
            **{f"{name}_url": links[name] for name in links if name not in ("self", "html", "issue")},
            "head": self._branch(repository, f"change-{issue.number}", sha),
            "base": self._branch(repository, "main", sha),
            "_links": {name: {"href": link} for name, link in links.items()},
            "auto_merge": None,
            "draft": issue.draft,
        }
        if whole:
            shape |= {
                "merged": issue.merged_at is not None,
                "mergeable": None,
                "rebaseable": None,
                "mergeable_state": "unknown",
                "merged_by": self.user(issue.merged_by) if issue.merged_by else None,
                "comments": len(repository.thread(issue.number)),
                "review_comments": 0,
                "maintainer_can_modify": False,
                **dict.fromkeys(("commits", "additions", "deletions", "changed_files"), 1),
            }
        return shape

    def comment(self, repository: Repository, comment: Comment) -> Shape:
        api = self.repository_url(repository)
        url = f"{api}/issues/comments/{comment.id}"
        return {
            "url": url,
            "html_url": f"{self.page_url(repository, comment)}#issuecomment-{comment.id}",
            "issue_url": f"{api}/issues/{comment.number}",
            "id": comment.id,
            "node_id": comment.node_id,
            "user": self.user(comment.author),
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at),
            "author_association": "MEMBER",
            "body": comment.body,
            "reactions": _no_reactions(url),
            "performed_via_github_app": self._through(comment.author),
        }

    def occurrence(self, repository: Repository, occurrence: Occurrence) -> Shape:
        """One timeline entry that is no comment."""
        shape = {
            "id": occurrence.id,
            "node_id": occurrence.node_id,
            "url": f"{self.repository_url(repository)}/issues/events/{occurrence.id}",
            "actor": self.user(occurrence.actor),
            "event": occurrence.event,
            "commit_id": None,
            "commit_url": None,
            "created_at": stamp(occurrence.at),
            "performed_via_github_app": None,
            **occurrence.details,
        }
        if "assignee" in occurrence.details:
            shape["assignee"] = self.user(occurrence.details["assignee"])
        types = occurrence.details.keys() & {"issue_type", "prev_issue_type"}
        shape |= {name: _brief(self.type(occurrence.details[name])) for name in types}
        return shape

    def event(self, repository: Repository, occurrence: Occurrence) -> Shape:
        """The same outside the timeline: it tells who assigned, and not why an issue was closed."""
        shape = self.occurrence(repository, occurrence)
        shape.pop("state_reason", None)
        return shape | ({"assigner": self.user(occurrence.actor)} if "assignee" in shape else {})

    def commented(self, repository: Repository, comment: Comment) -> Shape:
        """A comment in its rôle as a timeline entry."""
        return {
            **self.comment(repository, comment),
            "event": "commented",
            "actor": self.user(comment.author),
        }

    def _what_it_says(self, repository: Repository, issue: Issue) -> Shape:
        """What an issue and a pull request show alike."""
        milestone = repository.milestones.get(issue.milestone or 0)
        people = [self.user(login) for login in issue.assignees]
        return {
            "number": issue.number,
            "state": issue.state,
            "locked": issue.locked,
            "title": issue.title,
            "user": self.user(issue.author),
            "body": issue.body,
            "labels": [self.label(repository, label) for label in repository.labels_of(issue)],
            "assignee": people[0] if people else None,
            "assignees": people,
            "milestone": self.milestone(repository, milestone) if milestone else None,
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": _stamp_or_none(issue.closed_at),
            "author_association": "MEMBER",
            "active_lock_reason": None,
        }

    def _branch(self, repository: Repository, name: str, sha: str) -> Shape:
        return {
            "label": f"{repository.owner.login}:{name}",
            "ref": name,
            "sha": sha,
            "user": self.account(repository.owner),
            "repo": self.repository(repository),
        }


def _brief(type_: Shape) -> Shape:
    """A type as the history tells of it."""
    return {name: type_[name] for name in ("id", "name", "color")}


def _no_reactions(url: str) -> Shape:
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(_REACTIONS, 0)}
