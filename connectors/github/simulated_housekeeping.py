"""What people do to repositories, labels, milestones and organisations of a simulated GitHub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.github.simulated_edits import Edits
from connectors.github.simulated_shapes import Shapes
from connectors.github.simulated_state import Happening, Repository
from connectors.github.simulated_webhooks import Webhooks
from connectors.github.simulated_world import World

OWNER = "acme"


class Housekeeping:
    """A part of :class:`~connectors.github.simulator.GitHubSimulator`."""

    world: World
    edits: Edits
    webhooks: Webhooks
    shapes: Shapes

    def rename_repo(self, container: str, to: str, *, by: str | None = None) -> str:
        """Give a repository another name, or with ``owner/name`` another owner; the old URLs lead on."""
        repository, owner = self.repository(container), self.repository(container).owner
        new_owner, _, name = to.rpartition("/")
        old_name, old_owner = repository.name, self.shapes.account(owner)
        self.world.rename(repository, new_owner or owner.login, name)
        if repository.owner is owner:
            self._repository_told(repository, "renamed", by, {"repository": {"name": {"from": old_name}}})
        else:
            self._repository_told(repository, "transferred", by, {"owner": {"from": {"user": old_owner}}})
        return repository.full_name

    def delete_repo(self, container: str, *, by: str | None = None) -> None:
        """It reads 404 from now on, like everything in it."""
        repository = self.repository(container)
        self._repository_told(repository, "deleted", by)
        self.world.forget(repository)

    def archive_repo(self, container: str, *, by: str | None = None) -> None:
        """It can be read, and every write is refused with 403."""
        repository = self.repository(container)
        repository.archived = True
        self._repository_told(repository, "archived", by)

    def hide_repo(self, container: str, *, hidden: bool = True) -> None:
        """Take the bot's access away (everything reads 404, no word of it), or give it back."""
        self.repository(container).hidden = hidden

    def leave(self, login: str, *, left: bool = True) -> None:
        """A person loses access and cannot be assigned any more, or comes back."""
        self.world.people[login] = replace(self.world.people[login], left=left)

    def disable_issues(self, container: str) -> None:
        """Creating an issue is answered 410."""
        self.repository(container).has_issues = False

    def new_milestone(
        self, container: str, title: str, *, due_on: datetime | None = None, by: str | None = None
    ) -> int:
        """Its number."""
        repository, actor = self.repository(container), self._actor(by)
        return self.edits.add_milestone(repository, actor, title, due_on=due_on).number

    def close_milestone(self, container: str, number: int, *, by: str | None = None) -> None:
        repository = self.repository(container)
        self.edits.move_milestone(repository, repository.milestones[number], self._actor(by), "closed")

    def new_issue_type(self, name: str, *, owner: str = OWNER) -> int:
        """Its id; the issues of all repositories of the organisation may have it."""
        return self.world.add_issue_type(owner, name).id

    def new_issue_field(
        self, name: str, data_type: str, options: Sequence[str] = (), *, owner: str = OWNER
    ) -> int:
        """Its id. ``data_type``: text, number, date, single_select, multi_select."""
        return self.world.add_issue_field(owner, name, data_type, options).id

    def rename_label(self, container: str, name: str, to: str, *, by: str | None = None) -> None:
        repository = self.repository(container)
        label = repository.label(name)
        assert label is not None, name
        self.edits.edit_label(repository, label, self._actor(by), name=to)

    def delete_label(self, container: str, name: str, *, by: str | None = None) -> None:
        repository = self.repository(container)
        label = repository.label(name)
        assert label is not None, name
        self.edits.delete_label(repository, label, self._actor(by))

    def repository(self, container: str) -> Repository:
        found = self.world.named(container)
        if found is None:
            raise KeyError(container)
        return found

    def _actor(self, by: str | None) -> str:
        return self.world.people[by].login if by else next(iter(self.world.people))

    def _repository_told(
        self, repository: Repository, action: str, by: str | None, changes: dict[str, Any] | None = None
    ) -> None:
        self.webhooks.announce(
            Happening(
                repository=repository,
                event="repository",
                action=action,
                actor=self._actor(by),
                changes=changes or {},
            )
        )
