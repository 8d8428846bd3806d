"""Paging by key over a list that is changed while it is read."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from connectors.github import polling
from connectors.github.calls import PER_PAGE, Listed
from connectors.github.polling import OVERLAP_S, Position, advance, beginning, since_text

START = 1_790_000_000
SEED = 20_260_105


def _item(id: int, at: int, title: str = "") -> dict[str, Any]:
    return {"node_id": f"I_{id}", "updated_at": since_text(at), "title": title, "comments": 0}


class Issues:
    """GitHub's list: by time of update, filtered by it, 100 a page, the next page by number."""

    def __init__(self, *, inclusive: bool = True) -> None:
        self.items: dict[int, tuple[int, str]] = {}
        self.inclusive = inclusive
        self.requests = 0

    def put(self, id: int, at: int, title: str = "") -> None:
        self.items[id] = (at, title)

    def answer(self, position: Position) -> Listed:
        self.requests += 1
        start, number = position.start, int(position.page or 1)
        found = [
            _item(id, at, title)
            for id, (at, title) in sorted(self.items.items(), key=lambda entry: (entry[1][0], entry[0]))
            if start is None or at > start or (self.inclusive and at == start)
        ]
        page = found[(number - 1) * PER_PAGE : number * PER_PAGE]
        more = len(found) > number * PER_PAGE
        etag = str(hash(json.dumps(page)))
        if not position.midway and etag == position.etag:
            return Listed((), etag=etag, unchanged=True)
        return Listed(page, next=str(number + 1) if more else None, etag=etag)

    def step(self, position: Position) -> tuple[list[str], Position]:
        new, position = advance(position, self.answer(position))
        stored = json.loads(json.dumps(position.dump()))
        return [str(item["node_id"]) for item in new], Position.load(stored)

    def drain(self, position: Position) -> tuple[list[str], Position]:
        found: list[str] = []
        for _ in range(200):
            ids, position = self.step(position)
            found += ids
            if not position.midway:
                return found, position
        raise AssertionError("it never ends")


def _ids(numbers: Mapping[int, Any] | range) -> set[str]:
    return {f"I_{number}" for number in numbers}


def test_the_present_has_no_history_but_what_comes_is_found() -> None:
    issues = Issues()
    for id in range(5):
        issues.put(id, START + id)
    position = beginning([_item(id, at, title) for id, (at, title) in issues.items.items()])
    assert position.since == START + 4 - OVERLAP_S
    assert issues.drain(position)[0] == []
    issues.put(9, START + 1)  # became visible late
    issues.put(2, START + 2, "edited within the second")
    assert set(issues.drain(position)[0]) == {"I_9", "I_2"}


def test_an_empty_list_begins_at_its_beginning() -> None:
    issues = Issues()
    found, position = issues.drain(beginning([]))
    assert (found, position.start) == ([], None)
    issues.put(1, START)
    assert issues.drain(position)[0] == ["I_1"]


def test_nothing_new_is_answered_304_for_the_same_address() -> None:
    issues = Issues()
    issues.put(1, START)
    position = beginning([_item(1, START)])
    _, position = issues.drain(position)
    assert position.etag is not None
    assert issues.answer(position).unchanged
    assert issues.drain(position) == ([], position)
    issues.put(2, START + 30)
    found, after = issues.drain(position)
    assert (found, after.since) == (["I_2"], position.since)
    issues.put(3, START + 3 * OVERLAP_S)
    found, after = issues.drain(after)
    assert (found, after.since, after.etag) == (["I_3"], START + 2 * OVERLAP_S, None)
    assert set(after.seen) == {"I_3"}


def test_a_full_page_without_a_next_one_is_not_taken_for_unchanged() -> None:
    issues = Issues()
    for id in range(PER_PAGE):
        issues.put(id, START)
    _, position = issues.drain(Position(since=START))
    issues.put(PER_PAGE, START)
    assert issues.drain(position)[0] == [f"I_{PER_PAGE}"]


def test_a_second_that_fills_many_pages() -> None:
    for inclusive in (True, False):
        issues = Issues(inclusive=inclusive)
        for id in range(450):
            issues.put(id, START)
        issues.put(1_000, START + 500)
        found, position = issues.drain(Position())
        assert set(found) == _ids(issues.items)
        assert len(found) == len(set(found))
        assert issues.requests < 20
        assert issues.drain(position)[0] == []


@pytest.mark.parametrize("inclusive", [True, False])
def test_edits_between_pages_lose_nothing(inclusive: bool) -> None:
    """What is edited moves to the end of the list, and all behind it up: none of them may be skipped."""
    chance = random.Random(SEED)
    for _ in range(40):
        issues, number = Issues(inclusive=inclusive), chance.randint(90, 320)
        for id in range(number):
            issues.put(id, START + chance.randint(0, 3))
        edits = [(chance.randint(0, 12), chance.randrange(number)) for _ in range(chance.randint(0, 12))]
        position, found, step = Position(since=START - 1), set[str](), 0
        while position.midway or step <= 13:
            assert step < 100, "it never ends"
            ids, position = issues.step(position)
            found |= set(ids)
            for when, which in edits:
                if when == step:
                    issues.put(which, START + 1_000 + step, f"edit {step}")
            step += 1
        assert found == _ids(range(number)), edits


def test_a_changed_count_of_comments_shows() -> None:
    assert polling.look({**_item(1, START), "comments": 2}).comments == 2
    assert polling.look({**_item(1, START), "comments": None}).comments == 0
