"""How a simulated GitHub shows repositories, their labels and milestones."""

from __future__ import annotations

from urllib.parse import quote

from connectors.github.simulated_account_shapes import AccountShapes, Shape, stamp, stamp_or_none
from connectors.github.simulated_state import Comment, Issue, Label, Milestone, Repository

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


class RepositoryShapes(AccountShapes):
    """What issues lie in."""

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
            "due_on": stamp_or_none(milestone.due_on),
            "closed_at": stamp_or_none(milestone.closed_at),
        }
