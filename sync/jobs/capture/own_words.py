"""Words of a captured task that are its own, where only their author may change those of the object. Pure.

What somebody wrote in the hub has nowhere to go there, and no correction of the object overwrites it: a title
that a person chose stays, and what was added to the text stays in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.records import FieldKind, Record
from sync.reconcile import agree
from sync.reconcile.model import Pair, Rule, Side, Translation
from sync.store import links
from sync.store.tables import Link


def kept(
    link: Link,
    rules: Iterable[Rule],
    records: Mapping[Side, Record],
    seen: Mapping[str, Pair],
    translation: Translation,
) -> dict[str, Pair]:
    """By rule: the pair that counts as settled, where it is another one than was stored.

    The hub's half is what stands there. The object's half is, too, where the task has words of its own: then
    no edit of the object reaches it any more. That is the title as soon as it says something else than the
    object does, and everything of a task that the object was merely attached to.
    """
    if link.made_by != links.CAPTURED:
        return {}
    hub, external = records[Side.HUB], records[Side.EXTERNAL]
    attached = links.is_attached(link)
    found: dict[str, Pair] = {}
    for rule in rules:
        before = seen.get(rule.name)
        if before is None or rule.external not in external.read_only or rule.hub not in hub.fields:
            continue
        pair = Pair(hub.fields[rule.hub], before.external)
        named = rule.kind(Side.HUB) is FieldKind.TEXT and not agree(rule, pair, None, translation)
        if attached or named:
            pair = Pair(pair.hub, external.fields[rule.external])
        if pair != before:
            found[rule.name] = pair
    return found
