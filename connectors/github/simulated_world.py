"""Everything a simulated GitHub holds, found by name or id; former names of repositories lead on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from connectors.github.simulated_organizations import IssueField, IssueType, Organization
from connectors.github.simulated_state import Issue, Label, Person, Repository, node_id
from connectors.simulation import Clock, Lagging

DEFAULT_LABELS = {
    "bug": ("d73a4a", "Something isn't working"),
    "documentation": ("0075ca", "Improvements or additions to documentation"),
    "duplicate": ("cfd3d7", "This issue or pull request already exists"),
    "enhancement": ("a2eeef", "New feature or request"),
    "good first issue": ("7057ff", "Good for newcomers"),
    "help wanted": ("008672", "Extra attention is needed"),
    "invalid": ("e4e669", "This doesn't seem right"),
    "question": ("d876e3", "Further information is requested"),
    "wontfix": ("ffffff", "This will not be worked on"),
}


class World:
    """Everything there is, found by name or id; former names of repositories lead on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.people: dict[str, Person] = {}
        self.bots: dict[str, Person] = {}
        """Those in whose name apps write; nobody can assign them."""
        self.owners: dict[str, Person] = {}
        self.organizations: dict[str, Organization] = {}
        """What organisations give their issues, by login in lower case."""
        self.repositories: dict[int, Repository] = {}
        self._by_name: dict[str, int] = {}
        self._former: dict[str, int] = {}
        self._homes: dict[str, tuple[Repository, str]] = {}
        self.sub_issues = True
        """Whether issues can lie below others: older Enterprise Servers have no such calls, keys, events."""
        self.dependencies = True
        """Whether issues can wait for others, which is younger still."""
        self.waiting: defaultdict[str, set[str]] = defaultdict(set)
        """Node id of an issue -> those that wait for it, or did."""
        self.children: defaultdict[str, list[str]] = defaultdict(list)
        """Node id of an issue -> those of its sub-issues."""
        self._ids: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1_000_000_001))

    def next_id(self, kind: str) -> int:
        return next(self._ids[kind])

    def add_person(self, login: str, name: str, email: str) -> Person:
        self.people[login] = Person(id=self.next_id("user"), login=login, name=name, email=email)
        return self.people[login]

    def add_bot(self, login: str) -> Person:
        self.bots[login] = Person(id=self.next_id("user"), login=login, name=login, bot=True)
        return self.bots[login]

    def account(self, login: str) -> Person:
        """A person, a bot or an organisation, which is made where it is not known."""
        if (known := self.people.get(login) or self.bots.get(login)) is not None:
            return known
        if login not in self.owners:
            self.owners[login] = Person(id=self.next_id("user"), login=login, name=login, organization=True)
        return self.owners[login]

    def add_repository(self, owner: str, name: str) -> Repository:
        key = f"{owner}/{name}".lower()
        if key in self._by_name:
            raise ValueError(f"{owner}/{name} exists already")
        repository = Repository(
            id=self.next_id("repository"),
            owner=self.account(owner),
            name=name,
            created_at=self.clock.now(),
            issues=Lagging(self.clock),
            comments=Lagging(self.clock),
        )
        self.repositories[repository.id] = repository
        self._by_name[key] = repository.id
        self._former.pop(key, None)
        for label, (color, description) in DEFAULT_LABELS.items():
            self.add_label(repository, label, color=color, description=description, default=True)
        return repository

    def add_label(self, repository: Repository, name: str, **looks: Any) -> Label:
        id = self.next_id("label")
        label = Label(id=id, node_id=node_id("LA", id, repository.id), name=name, **looks)
        repository.labels[id] = label
        return label

    def rename(self, repository: Repository, owner: str, name: str) -> None:
        old, new = repository.full_name.lower(), f"{owner}/{name}".lower()
        if new in self._by_name and new != old:
            raise ValueError(f"{owner}/{name} exists already")
        del self._by_name[old]
        self._former[old] = repository.id
        self._former.pop(new, None)
        self._by_name[new] = repository.id
        repository.owner, repository.name = self.account(owner), name

    def forget(self, repository: Repository) -> None:
        del self.repositories[repository.id]
        del self._by_name[repository.full_name.lower()]

    def named(self, full_name: str) -> Repository | None:
        return self.repositories.get(self._by_name.get(full_name.lower(), 0))

    def formerly(self, full_name: str) -> Repository | None:
        return self.repositories.get(self._former.get(full_name.lower(), 0))

    def organization_of(self, repository: Repository) -> Organization:
        """What its owner gives to issues; nothing where the owner is a person."""
        return self.organizations.get(repository.owner.login.lower()) or Organization()

    def add_issue_type(self, owner: str, name: str) -> IssueType:
        id = self.next_id("type")
        type_ = IssueType(id=id, node_id=node_id("IT", id), name=name)
        self.organizations.setdefault(owner.lower(), Organization()).types[id] = type_
        return type_

    def add_issue_field(self, owner: str, name: str, data_type: str, options: Iterable[str]) -> IssueField:
        id = self.next_id("field")
        made = IssueField(
            id=id,
            node_id=node_id("IF", id),
            name=name,
            data_type=data_type,
            options={self.next_id("option"): option for option in options},
        )
        self.organizations.setdefault(owner.lower(), Organization()).fields[id] = made
        return made

    def place(self, node: str, repository: Repository, key: str) -> None:
        """Remember where the record with this node id lives."""
        self._homes[node] = (repository, key)

    def home(self, node: str) -> tuple[Repository, str] | None:
        return self._homes.get(node)

    def issue(self, node: str) -> tuple[Repository, Issue] | None:
        """The living issue with this node id."""
        repository, key = self.home(node) or (None, "")
        issue = repository.issues.get(key) if repository is not None else None
        return (repository, issue) if repository is not None and issue is not None else None

    def numbered(self, id: object) -> tuple[Repository, Issue] | None:
        """The living issue with this database id."""
        return self.issue(f"issue:{id}")

    def below(self, issue: Issue) -> list[tuple[Repository, Issue]]:
        """Its sub-issues, in the order in which they were put there."""
        return [found for node in self.children[issue.node_id] if (found := self.issue(node)) is not None]

    def blockers(self, issue: Issue) -> list[tuple[Repository, Issue]]:
        """The issues that it waits for."""
        return [found for node in issue.blocked_by if (found := self.issue(node)) is not None]

    def blocked(self, issue: Issue) -> list[tuple[Repository, Issue]]:
        """The issues that wait for it."""
        found = [
            each for node in sorted(self.waiting[issue.node_id]) if (each := self.issue(node)) is not None
        ]
        return [each for each in found if issue.node_id in each[1].blocked_by]

    def above(self, issue: Issue) -> list[Issue]:
        """The issue above, the one above that, and so on."""
        found: list[Issue] = []
        while issue.parent is not None and (home := self.issue(issue.parent)) is not None:
            issue = home[1]
            found.append(issue)
        return found
