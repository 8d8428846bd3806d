"""The scenery of the page: a small shop's repository and project, with a past of a few days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import discover
from connectors.simulation import Simulator
from sync.demo.page.panes import TEMPLATES
from sync.demo.stage import CAPTURED, MARK, End, Scene
from sync.settings import HUB

REPOSITORY, PROJECT = "shop", "Shop 3.2"
_COLUMNS = ("Backlog", "In progress", "Done")
_INBOX = _COLUMNS[0]
_USUAL = {name: name for name in ("title", "notes", "state", "assignee", "labels")}
_FURTHER = {"section": "Status", "due": "Due"}
"""What another tool has for columns and due days, by the word that people find there."""
_DAY_H = 24.0
_SOON = 0.8
"""How much of the time until now is still to come when the next thing is said about something."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """Something that was made some hours ago, and what was said about it since."""

    hours: float
    by: str
    title: str
    notes: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    said: Sequence[tuple[str, str]] = ()
    closed: bool = False


def shop(simulators: Mapping[str, Simulator]) -> Sequence[Scene]:
    """One project, in step with a container of each other tool that the page can show."""
    hub = _end(simulators[HUB], PROJECT)
    inbox = next(
        gid for gid, name in hub.simulator.choices(hub.container)["section"].items() if name == _INBOX
    )
    scenes = []
    for name, simulator in simulators.items():
        if name != HUB and (TEMPLATES / name).is_dir():
            external = _end(simulator, REPOSITORY)
            talks = discover()[name].capabilities.selective
            options, called = ({"filter": CAPTURED}, {}) if talks else _tracked(external)
            comments = {"to_asana": True, "from_asana": True, "history": True}
            shared = {"since": "all", "asana": {"section": inbox}, "comments": comments}
            scenes.append(Scene(f"{name}-{REPOSITORY}", external, hub, {**shared, **options}, called))
            _happened(external, MESSAGES if talks else ISSUES)
    _happened(hub, TASKS)
    return scenes


def _tracked(external: End) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Options of a mapping where people keep records, and what they call the fields in it."""
    further = {
        field: external.simulator.further_field(
            external.container, word, _COLUMNS if field == "section" else None
        )
        for field, word in _FURTHER.items()
    }
    rules = [{"asana": name, "external": other} for name, other in {**_USUAL, **further}.items() if other]
    return {"fields": rules}, {other: _FURTHER[name] for name, other in further.items() if other}


def _end(simulator: Simulator, name: str) -> End:
    connector = discover()[simulator.name]
    kind = connector.capabilities.kinds[0]
    return End(connector.title, kind, simulator, simulator.new_container(name), called=name)


def _happened(end: End, pasts: Sequence[Past]) -> None:
    """People did all this while the tool's clock stood where it says."""
    clock = end.simulator.clock
    for past in sorted(pasts, key=lambda past: -past.hours):
        clock.skew_s = -past.hours * 3600
        id = end.new(title=past.title, notes=past.notes, by=past.by, **past.fields)
        for person, text in past.said:
            clock.skew_s *= _SOON
            end.simulator.comment(id, text, by=person)
        if past.closed:
            clock.skew_s *= _SOON
            end.simulator.edit(id, by=past.by, state="closed")
    clock.skew_s = 0.0


def _in(days: int) -> Any:
    return (datetime.now(UTC) + timedelta(days=days)).date()


ISSUES: Sequence[Past] = (
    Past(
        hours=6 * _DAY_H,
        by="bob",
        title="Sign-in link expires after one minute instead of one hour",
        notes="The mail says *one hour*. The token lives 60 s: somebody took minutes for seconds.",
        fields={"values": {"Status": "Done"}, "labels": ["bug"], "assignee": "ada"},
        said=[("ada", "Fixed, and there is a test that reads the mail.")],
        closed=True,
    ),
    Past(
        hours=4 * _DAY_H,
        by="ada",
        title="Checkout: Pay does nothing on phones",
        notes="Tapping **Pay** does nothing.\n\n1. Open the cart on a phone\n2. Tap *Pay*\n3. Nothing\n\n"
        "Console: `TypeError: form is null`",
        fields={"values": {"Status": "In progress"}, "labels": ["bug", "urgent"], "assignee": "bob"},
        said=[
            ("bob", "I see it on Android too. Looking."),
            ("ada", "Two customers wrote in this morning."),
        ],
    ),
    Past(
        hours=3 * _DAY_H,
        by="bob",
        title="Search finds nothing when a word has an umlaut, accent or ligature in it, like Käse or œuvre",
        notes="`kaese` finds it, `Käse` does not. The index folds, the query does not.",
        fields={"values": {"Status": "Backlog"}, "labels": ["bug", "help wanted"]},
    ),
    Past(
        hours=2 * _DAY_H,
        by="ada",
        title="Dark mode for the order page",
        notes="- follow the system\n- keep the choice\n- check contrast of the totals",
        fields={"values": {"Status": "Backlog"}, "labels": ["enhancement"], "assignee": "ada"},
        said=[("bob", "Please do the invoice mail as well.")],
    ),
    Past(
        hours=30,
        by="bob",
        title="Gift cards 🎁: redeem part of the balance",
        notes="Today it is all or nothing.",
        fields={"values": {"Status": "Backlog"}, "labels": ["enhancement", "question"]},
    ),
    Past(
        hours=9,
        by="ada",
        title="Document the refund API",
        notes="Three customers asked for it. `POST /refunds` is stable since 3.0.",
        fields={"values": {"Status": "Backlog"}, "labels": ["documentation", "good first issue"]},
    ),
)

TASKS: Sequence[Past] = (
    Past(
        hours=5 * _DAY_H,
        by="ada",
        title="Agree on the date of 3.2",
        fields={"section": "Done", "assignee": "ada"},
        closed=True,
    ),
    Past(
        hours=3.5 * _DAY_H,
        by="ada",
        title="Pictures for the spring sale",
        notes="Six of them, 1600 × 900, from the photographer.",
        fields={"section": "In progress", "assignee": "bob", "labels": ["design"], "due_on": _in(1)},
        said=[("bob", "Four are here.")],
    ),
    Past(
        hours=2.5 * _DAY_H,
        by="bob",
        title="Load test before the sale",
        notes="<strong>500</strong> orders a minute for ten minutes.",
        fields={"section": "In progress", "assignee": "ada", "labels": ["urgent"], "due_on": _in(0)},
    ),
    Past(
        hours=26,
        by="ada",
        title="Newsletter: what is new in 3.2",
        fields={"section": "Backlog", "labels": ["marketing"], "due_on": _in(6)},
    ),
    Past(
        hours=5,
        by="bob",
        title="Ask support for the ten most frequent questions",
        fields={"section": "Backlog", "assignee": "bob"},
    ),
)

MESSAGES: Sequence[Past] = (
    Past(hours=27, by="ada", title="Morning! 3.2 goes out on Thursday, the sale begins on Friday. :tada:"),
    Past(
        hours=21,
        by="bob",
        title="Two mails went to spam yesterday, both refunds.",
        notes="Our domain has no DMARC record.",
        fields=MARK,
        said=[("ada", "That costs us money every day. I made it a task.")],
    ),
    Past(
        hours=5,
        by="bob",
        title="The voucher field swallows the last character: a customer typed SPRING-2026, got SPRING-202",
        said=[
            ("ada", "I can reproduce it: *only on iPads*."),
            ("bob", "She has sent a screenshot, I will ask for the order number."),
        ],
    ),
    Past(hours=2, by="ada", title="Can the order confirmation be in French, too? Three shops asked for it."),
    Past(hours=0.6, by="bob", title="Lunch at 12:30, the Thai place?"),
)
