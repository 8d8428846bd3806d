"""Schedules of trouble over whole programs: drawn from a seed, with people at work meanwhile.

What happens when is the seed's; what it meets is not, for processes run as they like. So a schedule that
failed once may pass: its seed says what to try again, and the log what happened.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

from connectors.simulation import Simulator
from tests.e2e.town import Place, Town

APART_S = (0.1, 0.8)
TROUBLE = 0.25
"""The share of them that is trouble."""

_TOKEN = re.compile(r"\b[tcl]\d{6}\b")


def tokens(text: object) -> frozenset[str]:
    return frozenset(_TOKEN.findall(str(text)))


@dataclass(frozen=True, slots=True)
class Edit:
    """One title that a person wrote. ``saw``: what stood there before their eyes."""

    object_id: str
    token: str
    saw: frozenset[str]


@dataclass
class People:
    """Ada and Bob on both sides. Whatever they write carries a word that nobody else ever wrote."""

    town: Town
    place: Place
    random: Random
    titles: list[Edit] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    made: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def sides(self) -> Sequence[tuple[Simulator, str]]:
        return (self.town.github, self.place.repo), (self.town.asana, self.place.project)

    def act(self) -> str:
        simulator, container = self.random.choice(self.sides)
        there, number = simulator.objects(container), next(self._numbers)
        what = self.random.choices(("new", "title", "comment", "label"), (2, 5, 3, 2))[0]
        by = self.random.choice(("ada", "bob"))
        if not there or what == "new":
            token = f"t{number:06}"
            made = simulator.new(container, title=f"Thing {token}", by=by)
            self.titles.append(Edit(made, token, frozenset()))
            self.made += 1
            return f"{simulator.name}: {by} makes {token}"
        chosen = self.random.choice(there)
        view = simulator.view(chosen) or {}
        token = f"{what[0]}{number:06}"
        if what == "title":
            simulator.edit(chosen, title=f"Thing {token}", by=by)
            self.titles.append(Edit(chosen, token, tokens(view["title"])))
        elif what == "comment":
            simulator.comment(chosen, f"said {token}", by=by)
            self.comments.append(token)
        else:
            simulator.edit(chosen, labels=[*view["labels"], token], by=by)
        return f"{simulator.name}: {by} {what} {token} on {chosen}"


async def play(people: People, trouble: Mapping[str, Any], random: Random, *, events: int) -> Counter[str]:
    """Let people and trouble happen, one after the other; what trouble there was. The story is printed."""
    met: Counter[str] = Counter()
    for _ in range(events):
        if random.random() < TROUBLE:
            name = random.choice(sorted(trouble))
            print(f"{datetime.now(UTC):%H:%M:%S} {name}", flush=True)
            await trouble[name]()
            met[name] += 1
        else:
            print(f"{datetime.now(UTC):%H:%M:%S} {people.act()}", flush=True)
        await asyncio.sleep(random.uniform(*APART_S))
    return met


async def broken(people: People) -> list[str]:
    """Every promise that does not hold, now that all is at rest: numbers of ``reliability`` invariants."""
    town, place = people.town, people.place
    rows = await town.task_links(place.name)
    listed = tokens(
        [(entry["asana"]["value"], entry["external"]["value"]) for entry in await town.listing("conflicts")]
    )
    found: list[str] = []
    for simulator, container in people.sides:
        ends = Counter(_end(row, simulator) for row in rows)
        there = simulator.objects(container)
        found += [f"4: {simulator.name} {id} has {ends[id]} links" for id in there if ends[id] != 1]
        if len(there) != people.made:
            found.append(f"4: {len(there)} objects at {simulator.name}, and people made {people.made}")
    twins = {_end(row, one): _end(row, other) for row in rows for one, other in _ways(people)}
    for row in rows:
        seen = [simulator.view(_end(row, simulator)) or {} for simulator, _ in people.sides]
        for name in ("title", "state", "labels"):
            values = [sorted(view[name]) if name == "labels" else view[name] for view in seen]
            if values[0] != values[1]:
                found.append(f"1: {name} of link {row['id']} differs: {values}")
        for view in seen:
            said = Counter(token for comment in view["comments"] for token in tokens(comment["text"]))
            found += [f"10: {token} is said {often} times" for token, often in said.items() if often > 1]
    shown = [
        tokens(simulator.view(id))
        for simulator, container in people.sides
        for id in simulator.objects(container)
    ]
    for token in people.comments:
        if sum(token in each for each in shown) != 2:
            found.append(f"10: the comment {token} is not on both sides")
    seen_and_taken = {token for edit in people.titles for token in edit.saw}
    for edit in people.titles:
        twin = twins.get(edit.object_id, "")
        held = [tokens((_view(people, id) or {}).get("title")) for id in (edit.object_id, twin)]
        if not (all(edit.token in each for each in held) or edit.token in seen_and_taken | listed):
            found.append(f"2: the title {edit.token} of {edit.object_id} is lost")
    return found


def _ways(people: People) -> Sequence[tuple[Simulator, Simulator]]:
    (one, _), (other, _) = people.sides
    return (one, other), (other, one)


def _end(row: Mapping[str, Any], simulator: Simulator) -> str:
    return str(row["asana"]["gid"] if simulator.name == "asana" else row["external"]["id"])


def _view(people: People, object_id: str) -> dict[str, Any] | None:
    return next(
        (
            simulator.view(object_id)
            for simulator, container in people.sides
            if object_id in simulator.objects(container)
        ),
        None,
    )
