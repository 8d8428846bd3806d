"""Looking at both sides: waiting until something shows, and saying what was expected and what was found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sync.demo.stage import End, Stage

PATIENCE_S = 60.0
_LOOK_S = 0.005
_ASK_S = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that held. ``ms`` from the edit on one side to its sight on the other."""

    route: str
    what: str
    ms: float | None = None


class Unmet(Exception):
    """Something did not hold."""

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}; found {found}")
        self.where, self.expected, self.found = where, expected, found


async def carried(what: str, source: End, target: End, edit: Callable[[], object], **expected: Any) -> Seen:
    """Somebody edits on one side: the other shows it, and the first still does."""
    began = time.perf_counter()
    edit()
    await shows(target, **expected)
    ms = since(began)
    await shows(source, **expected)
    return Seen(route(source, target), what, ms)


async def shows(end: End, **expected: Any) -> None:
    """Wait until the story's object looks like this; fields as in :meth:`Simulator.view`.

    ``notes`` and ``comment`` are parts of a text; of comments exactly one must have it.
    """

    def unmet() -> Mapping[str, Any]:
        view = end.view()
        return {name: found for name, value in expected.items() if (found := _found(view, name, value)) != ()}

    await until(
        lambda: not unmet(),
        lambda: Unmet(
            f"the {end.title} {end.noun}",
            ", ".join(f"{name} {expected[name]!r}" for name in unmet()),
            ", ".join(f"{name} {found!r}" for name, found in unmet().items()),
        ),
    )


def _found(view: Mapping[str, Any], name: str, value: Any) -> Any:
    """What stands there instead of the value; () where all is well."""
    match name:
        case "notes":
            good = value in view.get("notes", "")
        case "comment":
            texts = [comment["text"] for comment in view.get("comments", ())]
            return () if sum(value in text for text in texts) == 1 else texts
        case "labels":
            good = set(view.get("labels", ())) == set(value)
        case _:
            good = name in view and view[name] == value
    return () if good else view.get(name)


async def appears(end: End, title: str, *, known: Collection[str] = ()) -> str:
    """Wait until the container holds exactly one object of this title; its id."""

    def ids() -> list[str]:
        return [id for id, view in end.views().items() if view["title"] == title and id not in known]

    await until(
        lambda: len(ids()) == 1,
        lambda: Unmet(f"{end.title}", f"one {end.noun} {title!r}", f"{len(ids())} of them"),
    )
    return ids()[0]


async def until(
    true: Callable[[], bool], otherwise: Callable[[], Unmet], *, patience_s: float = PATIENCE_S
) -> None:
    """Look again and again; raises what ``otherwise`` says when patience ends."""
    deadline = time.perf_counter() + patience_s
    while not true():
        if time.perf_counter() > deadline:
            raise otherwise()
        await asyncio.sleep(_LOOK_S)


async def until_told(true: Callable[[], Awaitable[bool]], otherwise: Unmet) -> None:
    """The same for what only the product can tell."""
    deadline = time.perf_counter() + PATIENCE_S
    while not await true():
        if time.perf_counter() > deadline:
            raise otherwise
        await asyncio.sleep(_ASK_S)


async def settled(stage: Stage) -> None:
    """Wait until every write of the product has its answer."""
    await until_told(stage.installation.is_settled, Unmet("asana-sync status", "no write in flight", "some"))


async def quiet(stage: Stage) -> None:
    """Wait until the product says that nothing is left to do."""
    await until_told(stage.installation.is_quiet, Unmet("asana-sync status", "quiet", "still at work"))


def require(held: bool, where: str, expected: str, found: object) -> None:
    """Raises Unmet where it does not hold now."""
    if not held:
        raise Unmet(where, expected, str(found))


def route(source: End, target: End) -> str:
    return f"{source.title} → {target.title}"


def both(one: End, other: End) -> str:
    return f"{one.title} ⇄ {other.title}"


def since(began: float) -> float:
    """Milliseconds since ``time.perf_counter()`` said that."""
    return (time.perf_counter() - began) * 1000
