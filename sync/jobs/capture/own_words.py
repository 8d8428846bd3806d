"""Words of a captured task that are its own, where only their author may change those of the object. Pure.

What somebody wrote in the hub has nowhere to go there, and no correction of the object overwrites it: a title
that a person chose stays, and what was added to the text stays in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.records import FieldKind, Record, Value
from sync.reconcile import agree, carry
from sync.reconcile.merge import changed
from sync.reconcile.model import Pair, Rule, Side, Translation
from sync.store import links
from sync.store.tables import Link


def kept(
    link: Link,
    *,
    asked_for: bool,
    rules: Iterable[Rule],
    records: Mapping[Side, Record],
    seen: Mapping[str, Pair],
    translation: Translation,
) -> dict[str, Pair]:
    """By rule: the pair that counts as settled, where it is another one than was stored.

    The hub's half is what stands there. The object's half is, too, where the task has words of its own: then
    no edit of the object reaches it any more. That is the title as soon as it says something else than the
    object does, and everything of a task that the object was merely attached to.

    Args:
        asked_for: whether somebody asked for the task; others follow their objects.
    """
    if not asked_for:
        return {}
    hub, external = records[Side.HUB], records[Side.EXTERNAL]
    attached = links.is_attached(link)
    found: dict[str, Pair] = {}
    for rule in rules:
        before = seen.get(rule.name)
        if before is None or rule.external not in external.read_only or rule.hub not in hub.fields:
            continue
        now = Pair(hub.fields[rule.hub], external.fields[rule.external])
        pair = Pair(now.hub, before.external)
        if attached or (rule.kind(Side.HUB) is FieldKind.TEXT and not agree(rule, pair, None, translation)):
            pair = now
        elif rule.kind(Side.HUB) is FieldKind.MARKDOWN:
            pair = _said_by_object(rule, now, before, translation)
        if pair != before:
            found[rule.name] = pair
    return found


def _said_by_object(rule: Rule, now: Pair, before: Pair, translation: Translation) -> Pair:
    """What counts as settled of a text: all that the hub says, while no correction takes words of it away.

    One that does meets an edit of somebody who could not be heard: it goes to the conflict list.
    """
    settled = Pair(now.hub, before.external)
    if not changed(rule, Side.EXTERNAL, now.external, before, translation):
        return settled
    corrected = carry(rule, Side.HUB, now.external, current=now.hub, seen=settled, translation=translation)
    said = carry(rule, Side.HUB, before.external, current=None, seen=None, translation=translation)
    own = _lines(now.hub) - _lines(said)
    return settled if own <= _lines(corrected) else Pair(said, before.external)


def _lines(text: Value) -> set[str]:
    return {line.strip() for line in str(text or "").splitlines()} - {""}
