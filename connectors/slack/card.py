"""The card of a task in its thread, and lists of tasks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ContextBlock, SectionBlock

from connectors.interactions import ALONE, DELETED, ENDED, Card
from connectors.records import CLOSED
from connectors.slack.interactivity import ASSIGN, COMPLETE, REOPEN, SAY
from connectors.slack.texts import mrkdwn, plain, quoted

EVENT = "asana_sync_card"
"""Event type of a card's metadata."""
OPEN = "card_open"
_LISTED = 20
_LAST_WORDS = {
    DELETED: "deleted",
    ALONE: "the message was deleted: its task is not kept in step any more",
    ENDED: "thread and task are not kept in step any more",
}


def message(card: Card, key: str) -> dict[str, Any]:
    """Text, blocks and metadata of the card's message; buttons only while they would do something."""
    blocks: list[Block] = [
        SectionBlock(block_id="task", text=mrkdwn(linked(card))),
        ContextBlock(block_id="facts", elements=[mrkdwn(fact) for fact in _facts(card)]),
    ]
    if card.state not in _LAST_WORDS:
        blocks.append(ActionsBlock(block_id="actions", elements=_buttons(card)))
    return {
        "text": f"Asana task: {quoted(card.title, 2000)}",
        "blocks": [block.to_dict() for block in blocks],
        "metadata": {"event_type": EVENT, "event_payload": {"key": key}},
    }


def _buttons(card: Card) -> list[ButtonElement]:
    toggle = (
        ButtonElement(action_id=REOPEN, text=plain("Reopen", 75))
        if card.state == CLOSED
        else ButtonElement(action_id=COMPLETE, text=plain("Complete", 75), style="primary")
    )
    buttons = [
        toggle,
        ButtonElement(action_id=ASSIGN, text=plain("Assign to me", 75)),
        ButtonElement(action_id=SAY, text=plain("Comment", 75)),
    ]
    if _is_link(card.url):
        buttons.append(ButtonElement(action_id=OPEN, text=plain("Open", 75), url=card.url))
    return buttons


def key_of(message: Mapping[str, Any]) -> str | None:
    """The key of the card that a message is, None for all others."""
    metadata = message.get("metadata") or {}
    return metadata.get("event_payload", {}).get("key") if metadata.get("event_type") == EVENT else None


def listing(heading: str, cards: Sequence[Card]) -> dict[str, Any]:
    """Tasks for one person's eyes."""
    blocks: list[Block] = [SectionBlock(text=mrkdwn(quoted(heading, 2900)))]
    blocks += [
        SectionBlock(text=mrkdwn(f"{linked(card)}\n{' · '.join(_facts(card))}")) for card in cards[:_LISTED]
    ]
    return {"text": quoted(heading, 2900), "blocks": [block.to_dict() for block in blocks]}


def linked(card: Card) -> str:
    """The task in one line of mrkdwn, with a link to it."""
    if card.state == DELETED:
        return quoted(card.title, 1000)
    title = quoted(card.title.replace("|", "¦") if _is_link(card.url) else card.title, 1000)
    shown = f"<{card.url}|{title}>" if _is_link(card.url) else title
    return f":white_check_mark: {shown}" if card.state == CLOSED else shown


def _facts(card: Card) -> list[str]:
    if card.state in _LAST_WORDS:
        project = quoted(card.project, 200) if card.project else ""
        return [fact for fact in (project, _LAST_WORDS[card.state]) if fact]
    facts = [
        quoted(card.project, 200) if card.project else "",
        f"assigned to {quoted(card.assignee, 200)}" if card.assignee else "unassigned",
        f"due {quoted(card.due[:10], 40)}" if card.due else "",
        "completed" if card.state == CLOSED else "open",
    ]
    return [fact for fact in facts if fact]


def _is_link(url: str) -> bool:
    return url.startswith(("https://", "http://")) and len(url) <= 1000 and not set(url) & set("<>|\n ")
