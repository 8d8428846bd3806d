"""The modals: a new task, an existing one, a comment; what was entered, and where an error belongs. Pure.

Blocks of a field are named ``FIELD`` or, where what can be chosen depends on the project, ``FIELD PLACE``:
with another project they are other blocks, and what was chosen before is not taken along.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    CheckboxesElement,
    ContextBlock,
    DatePickerElement,
    ExternalDataMultiSelectElement,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    SectionBlock,
    StaticMultiSelectElement,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from connectors.interactions import Card, Form, Place, Refused
from connectors.records import SECTION, FieldKind, Fields, FieldSpec, Value
from connectors.slack import card
from connectors.slack.interactivity import ATTACH, COMMENT, CREATE
from connectors.slack.texts import OUTDATED, mrkdwn, option, options, plain, quoted

PLACE, TASK, TITLE, HOW, TEXT, ASSIGNEE = "place", "task", "title", "how", "text", "assignee"
TO_ATTACH, TO_CREATE = "to_attach", "to_create"
WHOLE_THREAD, IN_STEP = "whole_thread", "in_step"

_LONGEST_TITLE = 1024
_LONGEST_TEXT = 3000
LONGEST_SAID = 300
_MOST_FIELDS = 40
_MANY = 100
"""More than a menu holds: one types, and we are asked what there is."""
_LARGEST_BYTES = 240_000
"""Slack takes no view of more than 250 kB (https://docs.slack.dev/reference/methods/views.open, errors)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a modal is about; it goes with the modal. ``ts``: the first message of the thread.

    ``said``: how the message begins that the modal was opened at.
    """

    channel: str
    ts: str
    place: str = ""
    title: str = ""
    said: str = ""

    def packed(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> About:
        """Raises Refused where the view does not tell it: it is an old form, or none of ours."""
        try:
            return cls(**json.loads(view.get("private_metadata") or "{}"))
        except (ValueError, TypeError):
            raise Refused(OUTDATED) from None


def loading(title: str) -> View:
    """What is shown at once, before anything is known."""
    return _told(title, "Just a moment …")


def told(title: str, text: str) -> View:
    """Why there is nothing to fill in."""
    return _told(title, text)


def stopped(reason: str) -> View:
    """Why a form that was open cannot be used any more; it stands in its place."""
    return _told("Asana task", reason)


def there_is(task: Card) -> View:
    """The message has its task already: which one, and the way to it."""
    return _told(
        "Asana task", "There is a task for it already:", SectionBlock(text=mrkdwn(card.linked(task)))
    )


def _told(title: str, text: str, *more: Block) -> View:
    section = SectionBlock(text=mrkdwn(quoted(text, 2900)))
    return View(type="modal", title=plain(title, 24), close=plain("Close", 24), blocks=[section, *more])


def create(about: About, places: Sequence[Place], form: Form, trouble: str = "") -> View:
    """The form of a new task in the place of the form; ``trouble``: what stands below the project."""
    view = _create(about, places, form, trouble, searched=False)
    fits = len(json.dumps(view.to_dict())) <= _LARGEST_BYTES
    return view if fits else _create(about, places, form, trouble, searched=True)


def _create(about: About, places: Sequence[Place], form: Form, trouble: str, *, searched: bool) -> View:
    """``searched``: no menu brings its options along."""
    blocks: list[Block] = [
        _message(about),
        InputBlock(
            block_id=TITLE,
            label=plain("Title", 75),
            element=PlainTextInputElement(
                action_id=TITLE, initial_value=about.title[:_LONGEST_TITLE], max_length=_LONGEST_TITLE
            ),
        ),
        _place(places, form.place),
    ]
    if trouble:
        blocks.append(ContextBlock(elements=[mrkdwn(f":warning: {quoted(trouble, 1000)}")]))
    if form.sections:
        blocks.append(_input(SECTION, form.place.id, "Section", _menu(SECTION, form.sections, searched)))
    for spec in list(form.fields)[:_MOST_FIELDS]:
        element = _element(spec, searched)
        if element is not None:
            blocks.append(_input(spec.name, form.place.id, spec.label, element))
    blocks += [_how(), _other("Attach to an existing task instead", TO_ATTACH)]
    return _form(CREATE, "Create Asana task", "Create", about, blocks)


def choices(form: Form, field: str) -> Mapping[str, str]:
    """What can be chosen in a field of the form, by id."""
    if field == SECTION:
        return form.sections
    return next((spec.options for spec in form.fields if spec.name == field), {})


def attach(about: About, places: Sequence[Place], place: Place) -> View:
    """Choosing among tasks that exist already."""
    blocks = [
        _message(about),
        _place(places, place),
        InputBlock(
            block_id=f"{TASK} {place.id}",
            label=plain("Task", 75),
            element=ExternalDataSelectElement(
                action_id=TASK, placeholder=plain("Search by name", 75), min_query_length=0
            ),
        ),
        _how(),
        _other("Create a new task instead", TO_CREATE),
    ]
    return _form(ATTACH, "Attach to a task", "Attach", about, blocks)


def comment(about: About) -> View:
    """What to say below the task."""
    text = PlainTextInputElement(action_id=TEXT, multiline=True, max_length=_LONGEST_TEXT)
    block = InputBlock(block_id=TEXT, label=plain("Comment", 75), element=text)
    return _form(COMMENT, "Comment in Asana", "Send", about, [block])


def _message(about: About) -> ContextBlock:
    return ContextBlock(elements=[mrkdwn(quoted(about.said or about.title, LONGEST_SAID))])


def _form(callback: str, title: str, submit: str, about: About, blocks: Sequence[Block]) -> View:
    return View(
        type="modal",
        callback_id=callback,
        title=plain(title, 24),
        submit=plain(submit, 24),
        close=plain("Cancel", 24),
        private_metadata=about.packed(),
        blocks=list(blocks),
    )


def _place(places: Sequence[Place], chosen: Place) -> InputBlock:
    """Typing filters the menu; where there are more than it holds, we are asked."""
    initial = option(chosen.name, chosen.id)
    menu: InputInteractiveElement
    if len(places) < _MANY:
        offered = options({place.id: place.name for place in (*places, chosen)})
        menu = StaticSelectElement(action_id=PLACE, options=offered, initial_option=initial)
    else:
        menu = ExternalDataSelectElement(action_id=PLACE, initial_option=initial, min_query_length=0)
    return InputBlock(block_id=PLACE, label=plain("Project", 75), element=menu, dispatch_action=True)


def _menu(name: str, choices: Mapping[str, str], searched: bool) -> InputInteractiveElement:
    """One of several."""
    if searched or len(choices) > _MANY:
        return ExternalDataSelectElement(action_id=name, min_query_length=0)
    return StaticSelectElement(action_id=name, options=options(choices))


def _element(spec: FieldSpec, searched: bool) -> InputInteractiveElement | None:
    """How a field is filled in; None for what nobody could choose from."""
    if spec.kind is FieldKind.PERSON:
        return ExternalDataSelectElement(action_id=spec.name, min_query_length=0)
    if spec.kind is FieldKind.DATE:
        return DatePickerElement(action_id=spec.name)
    if spec.kind is FieldKind.CHOICE:
        return _menu(spec.name, spec.options, searched) if spec.options else None
    if spec.options and (searched or len(spec.options) > _MANY):
        return ExternalDataMultiSelectElement(action_id=spec.name, min_query_length=0)
    if spec.options:
        return StaticMultiSelectElement(action_id=spec.name, options=options(spec.options))
    hint = plain("One or several, with commas between them", 75)
    return PlainTextInputElement(action_id=spec.name, placeholder=hint, max_length=500)


def _input(name: str, place: str, label: str, element: InputInteractiveElement) -> InputBlock:
    return InputBlock(
        block_id=f"{name} {place}"[:255], label=plain(label, 75), element=element, optional=True
    )


def _how() -> InputBlock:
    offered: list[Option] = options(
        {
            WHOLE_THREAD: "Include the whole thread, with its files",
            IN_STEP: "Keep thread and task in step from now on",
        }
    )
    boxes = CheckboxesElement(action_id=HOW, options=offered, initial_options=offered)
    return InputBlock(block_id=HOW, label=plain("Thread", 75), element=boxes, optional=True)


def _other(text: str, action: str) -> ActionsBlock:
    return ActionsBlock(block_id="other", elements=[ButtonElement(action_id=action, text=plain(text, 75))])


# what was entered


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A submitted modal. ``blocks``: field -> id of the block in which it was entered."""

    place: str
    task: str
    text: str
    fields: Fields
    whole_thread: bool
    in_step: bool
    blocks: Mapping[str, str]

    def errors(self, field: str, reason: str) -> dict[str, str]:
        """Where to show it: at the field that caused it, else at the first one."""
        first = next(iter(self.blocks.values()), TITLE)
        return {self.blocks.get(field, first): reason}


def entered(view: Mapping[str, Any]) -> Entered:
    """What a person entered, as the state of the view holds it."""
    blocks: dict[str, str] = {}
    values: dict[str, Value] = {}
    for block_id, field, value in _values(view):
        blocks[field] = block_id
        values[field] = value
    how = values.pop(HOW, None)
    chosen = how if isinstance(how, tuple) else ()
    place, task, text = (str(values.pop(name, None) or "") for name in (PLACE, TASK, TEXT))
    fields = {name: value for name, value in values.items() if value not in (None, "", ())}
    return Entered(
        place=place or About.of(view).place,
        task=task,
        text=text,
        fields={TITLE: "", **fields} if TITLE in values else fields,
        whole_thread=WHOLE_THREAD in chosen,
        in_step=IN_STEP in chosen,
        blocks=blocks,
    )


def _values(view: Mapping[str, Any]) -> Iterator[tuple[str, str, Value]]:
    sets = {TITLE, TEXT}
    for block_id, actions in (view.get("state") or {}).get("values", {}).items():
        for field, state in actions.items():
            value = _value(state)
            if field not in sets and state.get("type") == "plain_text_input":
                words = (word.strip() for word in str(value or "").split(","))
                value = tuple(sorted({word for word in words if word}))
            yield block_id, field, value


def _value(state: Mapping[str, Any]) -> Value:
    if "selected_options" in state:
        return tuple(str(each["value"]) for each in state["selected_options"] or ())
    if "selected_option" in state:
        return str(state["selected_option"]["value"]) if state["selected_option"] else None
    value = state.get("selected_date", state.get("value"))
    return None if value is None else str(value)
