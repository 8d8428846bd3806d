"""Deciding what to do about one link. Pure: no I/O, no clock, no logging.

What stands on the two sides comes in as a :class:`~sync.reconcile.model.LinkView`, what should
happen goes out as a :class:`~sync.reconcile.model.LinkPlan`; the same call serves a pass, a preview
and a dry run. The idea is a three-way merge **per field**, with one memory **per side**:

1. ``Seen`` holds for each field the *pair* of forms that stood for one value when it was settled.
   A side changed if what stands there differs from its own half; the halves are never compared with
   each other. So a side that cuts, re-cases or rewrites text never sends its echo back: what came
   back from our write is its half, what was read on the other side is the other (``settle_after``).
2. No side changed: nothing to do. One side changed: its value is carried to the other
   (:mod:`~sync.reconcile.carry`), which keeps what only the target knows: other assignees, unmapped
   people (:mod:`~sync.reconcile.people`), the source of untouched Markdown blocks. Both changed, to
   one value: settle.
3. Sets and lists of people merge element by element (:mod:`~sync.reconcile.elements` says when two are
   one, :mod:`~sync.reconcile.merge` merges); they never clash.
4. Both changed, to different values: a policy names the winner, the loser is listed whole as a
   ``Clash``. "Last modified" needs the times of both edits; the plan asks for those it lacks
   (``undated``) and decides nothing about that field until it has them.
5. Never settled (first sync, new rule): equal settles, empty takes the other, different clashes.
6. What may not be written: the target of a one-way rule drifts, unsettled, until its source changes,
   is then overwritten and listed. A direction that is only paused *holds* the field as it is.

A field that a Record lacks is unknown, and nothing is decided about it. An object is planned field by
field, so edits of different fields never meet. A second plan on settled pairs is empty; the properties
(symmetry in the sides, no lone edit lost, nothing invented) are tested in ``tests/reconcile``.

What a new counterpart holds is in :mod:`~sync.reconcile.draft`. Comments
(:mod:`~sync.reconcile.comments`) go from root to copy only. Which objects a mapping lets in is in
:mod:`~sync.reconcile.scope`.
"""

from __future__ import annotations

from sync.reconcile.carry import carry, retold
from sync.reconcile.comments import plan_comments, root_url
from sync.reconcile.draft import draft, left_by_us, pairs_after_create
from sync.reconcile.merge import (
    agree,
    by_element,
    changed,
    dropped,
    linked_alone,
    own_part,
    settle_after,
    settle_one_half,
)
from sync.reconcile.plan import plan_link
from sync.reconcile.scope import Scope, fitting, inside

__all__ = [
    "Scope",
    "agree",
    "by_element",
    "carry",
    "changed",
    "draft",
    "dropped",
    "fitting",
    "inside",
    "left_by_us",
    "linked_alone",
    "own_part",
    "pairs_after_create",
    "plan_comments",
    "plan_link",
    "retold",
    "root_url",
    "settle_after",
    "settle_one_half",
]
