"""People at work on both sides. Each edit leaves a token that nothing else ever wrote."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.asana.simulator import AsanaSimulator
from connectors.simulation import Simulator
from sync.reconcile.model import Side
from tests.simulation.memory import TOKEN, Choice, Edit, File, Memory, Said, tokens
from tests.simulation.schedule import Event, Kind
from tests.simulation.tools import Tool

WHO = ("ada", "bob")


class People:
    """``act`` does what an event says, and answers what that was in words; None: there was nothing to do."""

    def __init__(
        self, tools: Mapping[Side, Tool[Any]], containers: Mapping[Side, str], memory: Memory
    ) -> None:
        self._tools, self._containers, self._memory = tools, containers, memory
        self._sides: Mapping[Side, Simulator] = {side: tool.simulator for side, tool in tools.items()}
        self._acts: Mapping[Kind, Callable[[Event], str | None]] = {
            Kind.NEW: self._new,
            Kind.TITLE: self._title,
            Kind.NOTES: self._notes,
            Kind.STATE: self._state,
            Kind.ASSIGN: self._assign,
            Kind.LABEL: self._label,
            Kind.UNLABEL: self._unlabel,
            Kind.COMMENT: self._comment,
            Kind.REWORD: self._reword,
            Kind.WITHDRAW: self._withdraw,
            Kind.ATTACH: self._attach,
            Kind.REMOVE: self._remove,
            Kind.RESTORE: self._restore,
        }

    def act(self, event: Event) -> str | None:
        otherwise = self._tools[event.side].otherwise(event.kind)
        if otherwise is None:
            return self._acts[event.kind](event)
        target = self._target(event)
        return otherwise(*target[1:], WHO[event.way % 2]) if target is not None else None

    def objects(self, side: Side) -> Sequence[str]:
        return self._sides[side].objects(self._containers[side])

    def view(self, side: Side, object_id: str) -> dict[str, Any] | None:
        return self._sides[side].view(object_id)

    def _target(self, event: Event) -> tuple[Simulator, str, dict[str, Any]] | None:
        """What the event hits: an object of its side, as it stands there now."""
        living = self.objects(event.side)
        if not living:
            return None
        chosen = living[event.pick % len(living)]
        view = self.view(event.side, chosen)
        assert view is not None
        return self._sides[event.side], chosen, view

    def _worded(self, event: Event) -> tuple[Simulator, str, dict[str, Any]] | None:
        """The same, where people can change what it says."""
        target = self._target(event)
        return target if target is not None and self._tools[event.side].people_word(target[2]) else None

    def _remember(self, event: Event, object_id: str, field: str, before: str, after: str) -> None:
        (token,) = tokens(after) - tokens(before)
        self._memory.edits.append(
            Edit(now_s(), event.side, object_id, field, token, tokens(before), tokens(after))
        )

    # objects

    def _new(self, event: Event) -> str:
        tool, title = self._tools[event.side], f"Thing t{event.number:06d}"
        notes = f"Words n{event.number:06d}" if event.way % 3 else ""
        made = tool.new(self._containers[event.side], title, notes, WHO[event.way % 2], event.way)
        self._memory.born[event.side, made] = f"t{event.number:06d}"
        self._remember(event, made, "title", "", title)
        if notes:
            self._remember(event, made, "notes", "", notes)
        return f"makes {title!r} ({made})"

    def _remove(self, event: Event) -> str | None:
        target = self._target(event)
        if target is None:
            return None
        simulator, object_id, view = target
        simulator.remove(object_id, by=WHO[event.way % 2])
        self._memory.removed.add((event.side, object_id))
        return f"deletes {view['title']!r} ({object_id})"

    def _restore(self, event: Event) -> str | None:
        hub = self._sides[Side.HUB]
        assert isinstance(hub, AsanaSimulator)
        gone = sorted(id for side, id in self._memory.removed if side is Side.HUB and hub.view(id) is None)
        if not gone:
            return None
        hub.restore(gone[event.pick % len(gone)], by=WHO[event.way % 2])
        return f"takes {gone[event.pick % len(gone)]} out of the trash"

    # fields

    def _title(self, event: Event) -> str | None:
        target = self._worded(event)
        if target is None:
            return None
        simulator, object_id, view = target
        title = f"Thing t{event.number:06d}"
        self._remember(event, object_id, "title", view["title"], title)
        simulator.edit(object_id, title=title, by=WHO[event.way % 2])
        return f"renames {view['title']!r} ({object_id}) to {title!r}"

    def _notes(self, event: Event) -> str | None:
        """One token for another one, or a paragraph more: everything else stays as it stands."""
        target = self._worded(event)
        if target is None:
            return None
        simulator, object_id, view = target
        before, token = view["notes"], f"n{event.number:06d}"
        notes = _with_token(before, token, event.way)
        self._remember(event, object_id, "notes", before, notes)
        simulator.edit(object_id, notes=notes, by=WHO[event.way % 2])
        return f"writes {token} into the text of {view['title']!r} ({object_id})"

    def _state(self, event: Event) -> str | None:
        return self._choose(event, "state", ("open", "closed"))

    def _assign(self, event: Event) -> str | None:
        return self._choose(event, "assignee", (*WHO, None))

    def _choose(self, event: Event, field: str, values: Sequence[str | None]) -> str | None:
        target = self._target(event)
        if target is None:
            return None
        simulator, object_id, view = target
        value = values[event.way % len(values)]
        if view[field] == value:
            return None
        simulator.edit(object_id, **{field: value}, by=WHO[event.pick % 2])
        self._memory.choices.append(Choice(now_s(), event.side, object_id, field, value))
        return f"sets {field} of {view['title']!r} ({object_id}) to {value}"

    def _label(self, event: Event) -> str | None:
        target = self._target(event)
        if target is None:
            return None
        simulator, object_id, view = target
        label = f"l{event.number:06d}"
        simulator.edit(object_id, labels=[*view["labels"], label], by=WHO[event.way % 2])
        before = frozenset(view["labels"])
        self._memory.edits.append(
            Edit(now_s(), event.side, object_id, "labels", label, before, before | {label})
        )
        return f"labels {view['title']!r} ({object_id}) with {label}"

    def _unlabel(self, event: Event) -> str | None:
        target = self._target(event)
        if target is None or not target[2]["labels"]:
            return None
        simulator, object_id, view = target
        label = view["labels"][event.way % len(view["labels"])]
        rest = [each for each in view["labels"] if each != label]
        simulator.edit(object_id, labels=rest, by=WHO[event.pick % 2])
        before = frozenset(view["labels"])
        self._memory.edits.append(
            Edit(now_s(), event.side, object_id, "labels", "", before, before - {label})
        )
        return f"takes {label} off {view['title']!r} ({object_id})"

    # comments

    def _comment(self, event: Event) -> str | None:
        target = self._target(event)
        if target is None:
            return None
        simulator, object_id, view = target
        token = f"c{event.number:06d}"
        made = simulator.comment(object_id, f"Says {token}", by=WHO[event.way % 2])
        self._memory.said.append(Said(event.side, object_id, made, token))
        return f"says {token} about {view['title']!r} ({object_id})"

    def _root(self, event: Event) -> tuple[Simulator, Said] | None:
        """A comment that a person wrote on this side, and that is still there."""
        there = [
            said
            for said in self._memory.said
            if said.side is event.side
            and not said.withdrawn
            and self.view(said.side, said.object_id) is not None
        ]
        return (self._sides[event.side], there[event.pick % len(there)]) if there else None

    def _reword(self, event: Event) -> str | None:
        root = self._root(event)
        if root is None:
            return None
        simulator, said = root
        was, said.token = said.token, f"c{event.number:06d}"
        simulator.edit_comment(said.comment_id, f"Rather says {said.token}")
        return f"says {said.token} instead of {was} ({said.object_id})"

    def _withdraw(self, event: Event) -> str | None:
        root = self._root(event)
        if root is None:
            return None
        simulator, said = root
        simulator.delete_comment(said.comment_id)
        said.withdrawn = True
        return f"takes {said.token} back ({said.object_id})"

    def _attach(self, event: Event) -> str | None:
        target = self._target(event)
        if target is None:
            return None
        simulator, object_id, view = target
        name = f"f{event.number:06d}.txt"
        content = f"bytes of {name}".encode()
        simulator.attach(object_id, name, content, by=WHO[event.way % 2])
        self._memory.files.append(File(event.side, object_id, name, content))
        return f"attaches {name} to {view['title']!r} ({object_id})"


def now_s() -> float:
    """Seconds since the town began."""
    return asyncio.get_running_loop().time()


def _with_token(source: str, token: str, way: int) -> str:
    found = [match[0] for match in re.finditer(TOKEN, source) if match[0].startswith("n")]
    if found and way % 3:
        return source.replace(found[way % len(found)], token)
    if source.startswith("<body>"):
        return f"<body>{_HTML[way % len(_HTML)].format(token)}\n{source.removeprefix('<body>')}"
    return f"{_MARKDOWN[way % len(_MARKDOWN)].format(token)}\n\n{source}".rstrip()


_MARKDOWN = ("Words {}", "* one {}\n* two", "__Words__ *of* {}", "Words {}  \nand more", "1) {}\n2) two\n")
_HTML = ("Words {}", "<ul><li>one {}</li><li>two</li></ul>", "<strong>Words</strong> <em>of</em> {}")
"""As people write: what the other provider shows of it, or the same one afterwards, looks different."""
