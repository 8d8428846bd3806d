"""What to do about the comments of one link. Pure.

A comment has one **root**, the comment a person wrote, and a copy on the other side. Everything goes
from root to copy: new comments, edits, deletions. A copy that somebody changed or deleted is listed
for a person and never sent back. Equal texts are no sign of anything: two equal comments stay two.
The link in the header of a copy names the root, so a copy is known even when its row was lost, and a
third tool's comment that reached us as a copy is passed on once and never returned.

A side that was not listed is unknown: whatever depends on it waits, and nothing is written then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.discussions import Comment
from connectors.records import Ref
from sync.reconcile.model import CommentAction, CommentLink, CommentStep, Same, Side

FIELD = "comments"
"""The field name under which ``same`` is asked about the text of a comment."""


def root_url(comment: Comment) -> str:
    """Where the person wrote it: the link in the header of our own copies, else the comment's own."""
    return (comment.source_url if comment.by_us else None) or comment.url


def plan_comments(
    *,
    links: Sequence[CommentLink],
    hub: Sequence[Comment] | None,
    external: Sequence[Comment] | None,
    into: frozenset[Side],
    since: Mapping[Side, datetime] | None,
    same: Mapping[Side, Same],
    foreign_roots: frozenset[str] = frozenset(),
    fresh: frozenset[int] = frozenset(),
) -> tuple[CommentAction, ...]:
    """The steps that bring the copies in step with their roots, in the order to be done.

    Args:
        links: the comments of this object that are linked already. One without a copy was never copied
            for certain and is copied now; one whose copy is gone keeps naming it, and is left alone.
        hub: complete listing of that side, oldest first; None where it was not listed this time.
        external: the same of the other side.
        into: sides that copies may be written to.
        since: only comments written at or after their side's time are copied; None copies all.
        same: the connectors' comparisons; asked with field ``comments``.
        foreign_roots: ``root_url`` of comments that are known to stand on objects of *other* mappings.
            Our copies of those are passed on; without being named here, no copy of ours ever is.
        fresh: ids of links settled so recently that a late listing may not show it; nothing is
            concluded about them, so the caller looks again later.
    """
    listed: dict[Side, Sequence[Comment] | None] = {Side.HUB: hub, Side.EXTERNAL: external}
    thread = _Thread(links, listed, into, since, same, foreign_roots)
    adopted = tuple(thread.adopt())
    known = frozenset(
        comment.ref for action in adopted for comment in (action.comment, action.copy) if comment is not None
    )
    return (
        *adopted,
        *(
            action
            for link in links
            if link.id not in fresh and not any(action.link is link for action in adopted)
            for action in thread.follow(link)
        ),
        *thread.copy_new(known),
    )


@dataclass(frozen=True, slots=True)
class _Thread:
    links: Sequence[CommentLink]
    listed: Mapping[Side, Sequence[Comment] | None]
    into: frozenset[Side]
    since: Mapping[Side, datetime] | None
    same: Mapping[Side, Same]
    foreign_roots: frozenset[str]

    def adopt(self) -> Iterator[CommentAction]:
        """Pairs that stand on both sides and are not in the links: their row was lost, or a third tool's."""
        if any(comments is None for comments in self.listed.values()):
            return
        by_root = {side: self._by_root(side) for side in Side}
        for url, at_hub in by_root[Side.HUB].items():
            at_external = by_root[Side.EXTERNAL].get(url)
            if at_external is None:
                continue
            pair = {at_hub.ref, at_external.ref}
            link = next((link for link in self.links if {link.root, link.copy} & pair), None)
            if link is None:
                source = Side.EXTERNAL if at_external.url == url else Side.HUB
            elif link.copy is None:
                source = link.source
            else:
                continue
            root, copy = (at_hub, at_external) if source is Side.HUB else (at_external, at_hub)
            yield CommentAction(
                step=CommentStep.SETTLE,
                into=source.other,
                reason="the copy of this comment stands there already",
                comment=root,
                link=link,
                copy=copy,
            )

    def _by_root(self, side: Side) -> dict[str, Comment]:
        """The first comment of each root on a side; a surplus copy stays what it is."""
        found: dict[str, Comment] = {}
        for comment in self.listed[side] or ():
            found.setdefault(root_url(comment), comment)
        return found

    def follow(self, link: CommentLink) -> Iterator[CommentAction]:
        """What a linked comment needs."""
        into = link.source.other
        roots, copies = self.listed[link.source], self.listed[into]
        if link.copy is None:
            if roots is not None and _find(roots, link.root) is None:
                yield CommentAction(
                    step=CommentStep.FORGET,
                    into=into,
                    reason="the comment was deleted before it was copied",
                    link=link,
                )
            return
        if copies is None:
            return
        copy = _find(copies, link.copy)
        changed = copy is not None and self._differs(into, link.copy_text, copy.text)
        root = None if roots is None else _find(roots, link.root)
        if changed:
            yield CommentAction(
                step=CommentStep.LIST,
                into=into,
                reason="the copy was changed; changes are made to the comment it stands for",
                comment=root,
                link=link,
                copy=copy,
            )
        if roots is None:
            return
        if root is None:
            yield from self._root_gone(link, copy, changed=changed)
        elif copy is None:
            yield CommentAction(
                step=CommentStep.LIST,
                into=into,
                reason="the copy was deleted; the comment it stands for stays",
                comment=root,
                link=link,
            )
        elif into in self.into and not root.private and self._differs(link.source, link.root_text, root.text):
            yield CommentAction(
                step=CommentStep.EDIT,
                into=into,
                reason="the comment was edited since it was copied",
                comment=root,
                link=link,
                copy=copy,
            )

    def _root_gone(
        self, link: CommentLink, copy: Comment | None, *, changed: bool
    ) -> Iterator[CommentAction]:
        into = link.source.other
        if copy is None:
            yield CommentAction(
                step=CommentStep.FORGET, into=into, reason="root and copy are gone", link=link
            )
        elif changed:
            yield CommentAction(
                step=CommentStep.FORGET,
                into=into,
                reason="the root was deleted, but somebody changed the copy, which stays",
                link=link,
                copy=copy,
            )
        elif into in self.into:
            yield CommentAction(
                step=CommentStep.DELETE, into=into, reason="the root was deleted", link=link, copy=copy
            )

    def _differs(self, side: Side, settled: str, text: str) -> bool:
        return text != settled and not self.same[side](FIELD, settled, text)

    def copy_new(self, adopted: frozenset[Ref]) -> Iterator[CommentAction]:
        """Comments that nobody copied yet, oldest first."""
        linked = adopted | {ref for link in self.links if link.copy for ref in (link.root, link.copy)}
        unfinished = {link.root: link for link in self.links if link.copy is None}
        new: list[tuple[Side, Comment]] = []
        for into in sorted(self.into):
            sources, targets = self.listed[into.other], self.listed[into]
            if sources is None or targets is None:
                continue
            there = {root_url(comment) for comment in targets}
            new += [
                (into, comment)
                for comment in sources
                if comment.ref not in linked
                and root_url(comment) not in there
                and self._goes_out(comment, into.other)
            ]
        for into, comment in sorted(new, key=lambda found: found[1].created_at):
            yield CommentAction(
                step=CommentStep.COPY,
                into=into,
                reason="a new comment on the other side",
                comment=comment,
                link=unfinished.get(comment.ref),
            )

    def _goes_out(self, comment: Comment, side: Side) -> bool:
        if comment.private or (self.since is not None and comment.created_at < self.since[side]):
            return False
        return root_url(comment) == comment.url or root_url(comment) in self.foreign_roots


def _find(comments: Sequence[Comment], ref: Ref) -> Comment | None:
    return next((comment for comment in comments if comment.ref == ref), None)
