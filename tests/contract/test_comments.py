"""Comments: complete, in order, with our header apart from the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.discussions import CommentDraft
from connectors.richtext.mentions import Mention, mentioned

if TYPE_CHECKING:
    from tests.contract.conftest import Bench

SOURCE = "https://example.com/issues/1#comment-7"


def _draft(text: str, author: str = "Ada Lovelace", source: str = SOURCE) -> CommentDraft:
    return CommentDraft(text=text, author_name=author, source_url=source)


async def test_a_copy_is_read_back_without_its_header(bench: Bench) -> None:
    parent = await bench.made_by_person()
    text = "First **line**\n\nSecond line, `code`"
    added = await bench.session.add_comment(parent.ref, _draft(text))
    (read,) = await bench.session.comments(parent.ref)
    for comment in (added, read):
        assert bench.session.same("notes", text, comment.text), comment.text
        assert comment.source_url == SOURCE
        assert comment.by_us
        assert comment.parent == parent.ref
        assert comment.ref == added.ref
        assert comment.url
    view = bench.simulator.view(parent.ref.id)
    assert view is not None
    assert "Ada Lovelace" in view["comments"][0]["text"]


async def test_names_and_links_cannot_break_the_header(bench: Bench) -> None:
    parent = await bench.made_by_person()
    names = ("A [x](http://evil.example) *b*", "<b>B</b> & Co", "`c` ]( _d_ \\", "עדה\u202e", "E\n\n# F")
    for name in names:
        await bench.session.add_comment(parent.ref, _draft("Text", author=name))
    for comment in await bench.session.comments(parent.ref):
        assert comment.source_url == SOURCE
        assert bench.session.same("notes", "Text", comment.text)


async def test_a_comment_of_a_person(bench: Bench) -> None:
    parent = await bench.made_by_person()
    bench.simulator.comment(parent.ref.id, "A word", by="bob")
    (comment,) = await bench.session.comments(parent.ref)
    assert comment.text.strip() == "A word"
    assert comment.author.id == await bench.user_id("bob")
    assert not comment.by_us
    assert comment.source_url is None


async def test_a_header_copied_by_a_person_is_not_trusted(bench: Bench) -> None:
    parent = await bench.made_by_person()
    await bench.session.add_comment(parent.ref, _draft("Ours"))
    view = bench.simulator.view(parent.ref.id)
    assert view is not None
    bench.simulator.comment(parent.ref.id, view["comments"][0]["text"], by="bob")
    ours, theirs = await bench.session.comments(parent.ref)
    assert (ours.by_us, theirs.by_us) == (True, False)
    assert theirs.source_url is None


async def test_comments_are_complete_and_in_order(stopped_bench: Bench) -> None:
    bench = stopped_bench
    parent = await bench.made_by_person()
    texts = [f"Comment {number}" for number in range(110)]
    for text in texts:
        bench.simulator.comment(parent.ref.id, text)
    comments = await bench.session.comments(parent.ref)
    assert [comment.text.strip() for comment in comments] == texts


async def test_a_copy_is_changed_and_deleted(bench: Bench) -> None:
    parent = await bench.made_by_person()
    for number in range(3):
        await bench.session.add_comment(parent.ref, _draft(f"Number {number}"))
    first, second, third = await bench.session.comments(parent.ref)
    if bench.connector.capabilities.comment_edits:
        edited = await bench.session.edit_comment(second.ref, _draft("Changed"))
        assert bench.session.same("notes", "Changed", edited.text)
        assert edited.ref == second.ref
        assert edited.source_url == SOURCE
    await bench.session.delete_comment(first.ref)
    await bench.session.delete_comment(first.ref)
    left = await bench.session.comments(parent.ref)
    assert [comment.ref for comment in left] == [second.ref, third.ref]
    if bench.connector.capabilities.comment_edits:
        assert bench.session.same("notes", "Changed", left[0].text)


async def test_an_object_without_comments(bench: Bench) -> None:
    assert list(await bench.session.comments((await bench.made_by_person()).ref)) == []


async def test_a_mention_stays_one_and_what_reads_like_one_does_not_become_one(bench: Bench) -> None:
    user = await bench.user_id("ada")
    text = f"{Mention(user, '@Ada')} knows, @bob does not; `{Mention(user, '@Ada')}`"
    parent = await bench.create(title="Mentions", notes=text)
    added = await bench.session.add_comment(parent.ref, _draft(text))
    (read,) = await bench.session.comments(parent.ref)
    for found in (str(parent.fields["notes"]), added.text, read.text):
        assert mentioned(found) == {user}
    assert bench.session.same("notes", text, parent.fields["notes"])
    assert bench.session.same("comments", text, read.text)
