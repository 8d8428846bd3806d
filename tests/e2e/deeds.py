"""What a person does on one side and the one kind of remote write that must follow on the other.

Each deed carries a word of its own, so that "exactly once" can be counted. Used where writes are made
to fail: the same deed, the same check, another failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from connectors.simulation import Exchange, Fault, Simulator
from tests.e2e.town import Place, Town, times

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Kind:
    """``into``: the provider that the product writes to, by ``method`` on ``path``."""

    name: str
    into: Literal["asana", "github"]
    method: str
    path: str


_KINDS = (
    Kind("create", "asana", "POST", r"/tasks$"),
    Kind("create", "github", "POST", r"/issues$"),
    Kind("rename", "asana", "PUT", r"/tasks/\d+$"),
    Kind("rename", "github", "PATCH", r"/issues/\d+$"),
    Kind("label", "asana", "POST", r"/addTag$"),
    Kind("label", "github", "POST", r"/issues/\d+/labels$"),
    Kind("comment", "asana", "POST", r"/tasks/\d+/stories$"),
    Kind("comment", "github", "POST", r"/issues/\d+/comments$"),
    Kind("edit comment", "asana", "PUT", r"/stories/\d+$"),
    Kind("edit comment", "github", "PATCH", r"/issues/comments/\d+$"),
    Kind("delete comment", "asana", "DELETE", r"/stories/\d+$"),
    Kind("delete comment", "github", "DELETE", r"/issues/comments/\d+$"),
)
KINDS: Mapping[str, Sequence[Kind]] = {
    name: [kind for kind in _KINDS if kind.name == name]
    for name in dict.fromkeys(kind.name for kind in _KINDS)
}


@dataclass(slots=True)
class Deed:
    """One kind of deed on a pair of objects of its own."""

    kind: Kind
    town: Town
    place: Place
    issue: str = ""
    task: str = ""
    comment: str = ""
    word: str = field(default_factory=lambda: f"word{next(_numbers):04}")

    @property
    def simulator(self) -> Simulator:
        """Where the write arrives."""
        return self.town.asana if self.kind.into == "asana" else self.town.github

    @property
    def source(self) -> Simulator:
        """Where the person acts."""
        return self.town.github if self.kind.into == "asana" else self.town.asana

    @property
    def mine(self) -> str:
        """The object on which the person acts."""
        return self.issue if self.kind.into == "asana" else self.task

    async def prepare(self) -> None:
        """Deeds of one kind share a pair of objects, one after the other."""
        if self.kind.name == "create":
            return
        self.issue = self.town.used.get(str(self.kind)) or self.town.github.new(
            self.place.repo, title=f"for {self.word}"
        )
        self.town.used[str(self.kind)] = self.issue
        self.task = await self.town.twin(self.issue)
        if self.kind.name in ("edit comment", "delete comment"):
            self.comment = self.source.comment(self.mine, f"{self.kind.name} {self.word}")

    def act(self) -> None:
        source, word = self.source, self.word
        match self.kind.name:
            case "create":
                container = self.place.repo if self.kind.into == "asana" else self.place.project
                created = source.new(container, title=f"created {word}", notes=f"notes of {word}")
                self.issue, self.task = (created, "") if self.kind.into == "asana" else ("", created)
            case "rename":
                source.edit(self.mine, title=f"renamed {word}")
            case "label":
                source.edit(self.mine, labels=[word])
            case "comment":
                source.comment(self.mine, f"said {word}")
            case "edit comment":
                source.edit_comment(self.comment, f"edited {word}")
            case "delete comment":
                source.delete_comment(self.comment)
                # listings do not tell of a deletion: what else happens there does
                source.comment(self.mine, f"after {word}")

    def fail(self, kind: str, *, times: int | None = 1, retry_after: float | None = None) -> None:
        """The write that follows fails."""
        self.simulator.faults.add(
            Fault(
                kind=kind,  # type: ignore[arg-type]  # checked by Fault
                method=self.kind.method,
                path=self.kind.path,
                times=times,
                retry_after=retry_after,
            )
        )

    @property
    def in_flight(self) -> list[Exchange]:
        """Requests of this kind that have not been answered."""
        return [
            each
            for each in self.simulator.journal.open
            if each in self.simulator.journal.by(self.kind.method, self.kind.path)
        ]

    async def check(self) -> None:
        """It is on both sides, exactly once."""
        if self.kind.name == "create":
            await self._check_created()
        town = self.town
        town.agree(self.issue, self.task)
        left, right = town.github.view(self.issue), town.asana.view(self.task)
        assert left is not None
        assert right is not None
        for view in (left, right):
            match self.kind.name:
                case "rename":
                    assert view["title"] == f"renamed {self.word}"
                case "label":
                    assert self.word in view["labels"]
                case "comment":
                    assert times(self.word, view["comments"]) == 1
                case "edit comment":
                    assert times(f"edited {self.word}", view["comments"]) == 1
                    assert times(self.word, view["comments"]) == 1
                case "delete comment":
                    assert times(f"after {self.word}", view["comments"]) == 1
                    assert times(self.word, view["comments"]) == 1

    async def _check_created(self) -> None:
        counterpart = await self.town.twin(self.issue or self.task)
        if self.kind.into == "asana":
            self.task = counterpart
        else:
            self.issue = counterpart
        for simulator, container in (
            (self.town.asana, self.place.project),
            (self.town.github, self.place.repo),
        ):
            named = [
                one
                for one in simulator.objects(container)
                if (simulator.view(one) or {})["title"] == f"created {self.word}"
            ]
            assert len(named) == 1, f"{len(named)} objects {self.word} in {simulator.name}"


async def prepared(town: Town, place: Place, kinds: Sequence[Kind]) -> list[Deed]:
    """Deeds that can be done now: their objects are in step."""
    deeds = [Deed(kind, town, place) for kind in kinds]
    await asyncio.gather(*(deed.prepare() for deed in deeds))
    await town.quiet()
    return deeds


async def all_done(town: Town, deeds: Sequence[Deed]) -> None:
    """Wait until it is quiet, then check every deed; all that failed are told together."""
    await town.quiet()
    failed = []
    for deed in deeds:
        try:
            await deed.check()
        except AssertionError as error:
            failed.append(f"{deed.kind.name} into {deed.kind.into}: {error}")
    assert not failed, "\n".join([*failed, await town.report()])
