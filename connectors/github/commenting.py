"""Comments of issues and pull requests: their conversation, without remarks on lines of code."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.discussions import Comment, CommentDraft
from connectors.errors import ConnectorError, Park, ParkClass, ReplanNeeded
from connectors.github import translate
from connectors.github.client import Client
from connectors.github.text import harmless, with_header
from connectors.github.translate import located
from connectors.github.whereabouts import Whereabouts, at, of_issue
from connectors.records import Ref


class Commenting:
    """Reads and writes comments of one connection."""

    def __init__(self, client: Client, known: Whereabouts) -> None:
        self._github = client
        self._known = known

    async def comments(self, ref: Ref) -> Sequence[Comment]:
        repository, number = at(ref)
        me = await self._known.me()
        with of_issue():
            comments = await self._github.comments_of(repository, number)
        return [translate.comment(comment, parent=ref, me=me) for comment in comments]

    async def add(self, ref: Ref, draft: CommentDraft) -> Comment:
        repository, number = at(ref)
        me = await self._known.me()
        try:
            comment = await self._github.add_comment(repository, number, _body(draft))
        except ConnectorError as error:
            raise _of_locked(await self._known.explained(ref, error)) from error
        return translate.comment(comment, parent=ref, me=me)

    async def edit(self, comment: Ref, draft: CommentDraft) -> Comment:
        repository, number, id = _comment_at(comment)
        me = await self._known.me()
        parent = await self._known.ref(repository, number)
        try:
            edited = await self._github.edit_comment(repository, id, _body(draft))
        except Park as refused:
            if refused.status == 404 and not await self._exists(repository, id):
                raise ReplanNeeded("the comment is gone", status=404) from refused
            raise _of_locked(refused) from refused
        return translate.comment(edited, parent=parent, me=me)

    async def delete(self, comment: Ref) -> None:
        repository, _, id = _comment_at(comment)
        try:
            await self._github.delete_comment(repository, id)
        except (Park, ReplanNeeded) as refused:
            # 404 may also mean: may be seen, but not deleted
            if refused.status not in (404, 410) or await self._exists(repository, id):
                raise

    async def _exists(self, repository: str, id: int) -> bool:
        try:
            await self._github.comment(repository, id)
        except Park as refused:
            if refused.status in (404, 410):
                return False
            raise
        return True


def _of_locked(error: ConnectorError) -> ConnectorError:
    """Nobody without write access comments on a locked issue; one that became a discussion is locked."""
    if not isinstance(error, Park) or error.status != 403 or "lock" not in error.provider_message.lower():
        return error
    return Park(
        "the conversation is locked on GitHub",
        park_class=ParkClass.PERMISSION,
        field=error.field,
        fix="Unlock it on GitHub or give the account write access to the repository, then retry.",
        provider_message=error.provider_message,
        status=403,
    )


def _comment_at(ref: Ref) -> tuple[str, int, int]:
    """Repository, number of the issue, id of the comment."""
    where = located(ref.address)
    if where is None or where[2] is None:
        raise ReplanNeeded(f"nothing tells where {ref} lies")
    return where[0], where[1], where[2]


def _body(draft: CommentDraft) -> str:
    return with_header(harmless(draft.text), draft.author_name, draft.source_url)
