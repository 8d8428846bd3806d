"""The product's history and log, put into words: pure.

Nothing here is made up: each line is one line of ``GET /api/v1/history``, of the program's log, or one
thing that the person at the page did to the stage itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

TOGETHER = timedelta(seconds=8)
"""Lines of one object that follow each other within this stand together."""
_LONGEST = 90

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line. ``kind``: in, plan, write, settle, conflict or park as in the history; ``engine`` for
    what concerns no object, ``trouble`` for what went wrong on the way, ``you`` for the person."""

    at: datetime
    kind: str
    text: str
    about: int | None = None
    """The link of the object that it is about."""
    field: str = ""
    before: Any = None
    after: Any = None
    write: int | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """Lines that belong together, oldest first."""

    about: int | None
    lines: Sequence[Told]

    @property
    def key(self) -> str:
        return f"{self.about or 'engine'}-{self.lines[0].at.timestamp():.3f}"

    @property
    def at(self) -> datetime:
        return self.lines[0].at


@dataclass(frozen=True, slots=True)
class Names:
    """What people call the fields of a link, and what can be chosen in them."""

    fields: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def said(self, text: str) -> str:
        for word, said in self.fields.items():
            text = text.replace(word, said)
        return text


def of_history(line: Line, about: int, names: Names) -> Told:
    """One line of the history. ``about``: the link of the object, also for lines of its comments."""
    text, by_call = names.said(line["text"]), line["delivery_id"] is not None
    return Told(
        at=datetime.fromisoformat(line["at"]),
        kind=line["event"] if line["outcome"] in (None, "done") else "trouble",
        text=f"{text} (webhook)" if by_call else text,
        about=about,
        field=names.said(line["field"] or ""),
        before=names.options.get(str(line["before"]), line["before"]),
        after=names.options.get(str(line["after"]), line["after"]),
        write=line["write_id"],
    )


def of_log(line: Line, titles: Mapping[str, str]) -> Told | None:
    """One line of the program's log, where it tells what the history does not."""
    at, reason = datetime.fromisoformat(line["ts"]), str(line.get("reason", ""))
    where = titles.get(str(line.get("connection")), str(line.get("connection", "")))
    match line["event"]:
        case "poll.done" if reason:
            return Told(at=at, kind="trouble", text=f"Polling {where} failed: {reason}")
        case "poll.done" if line.get("changes"):
            return Told(at=at, kind="in", text=f"Polling {where} found changes")
        case "process.ended":
            text = f"The {line.get('process', 'worker')} process ended; another one starts"
            return Told(at=at, kind="trouble", text=text)
        case "write.unknown":
            text = "A write got no answer: it is looked up before anything else is written there"
            return Told(at=at, kind="trouble", text=f"{text} ({reason})" if reason else text)
        case "mapping.paused":
            return Told(at=at, kind="trouble", text=f"{where}: {reason}" if where else reason)
        case "connection.ok":
            return Told(at=at, kind="engine", text=f"{where} answers")
        case "pass.done" if reason:
            return Told(at=at, kind="trouble", text=reason)
        case "lease.lost":
            return Told(at=at, kind="engine", text=reason)
    return None


def chapters(lines: Iterable[Told]) -> list[Chapter]:
    """Newest first. What concerns no object is told once a chapter; fields of one write share a line."""
    found: list[list[Told]] = []
    open_: dict[int | None, list[Told]] = {}
    for line in sorted(lines, key=lambda told: told.at):
        chapter = open_.get(line.about)
        if chapter is None or line.at - chapter[-1].at > TOGETHER or "you" in (line.kind, chapter[-1].kind):
            chapter = open_[line.about] = []
            found.append(chapter)
        if line.about is None and line.text in (told.text for told in chapter):
            continue
        if chapter and _of_one_write(chapter[-1], line):
            text = line.text.replace(line.field, f"{chapter[-1].field}, {line.field}", 1)
            chapter[-1] = replace(line, text=text, field=f"{chapter[-1].field}, {line.field}")
            continue
        chapter.append(line)
    return [
        Chapter(chapter[0].about, chapter) for chapter in sorted(found, key=lambda c: c[-1].at, reverse=True)
    ]


def _of_one_write(one: Told, other: Told) -> bool:
    return one.write is not None and one.write == other.write and one.kind == other.kind


def short(value: Any) -> str:
    """A value in a few words."""
    match value:
        case None | "" | [] | ():
            return "nothing"
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            text = " ".join(str(value).split())
            return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
