"""Files: found where people put them, read whole, added once, and never by an address that ends."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from connectors.discussions import Attachment, AttachmentDraft, CommentDraft
from connectors.errors import OnlyLinked, OutcomeUnknown, Park, RetryLater
from connectors.records import Record

if TYPE_CHECKING:
    from tests.contract.conftest import Bench

PIXELS = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
SOURCE = "https://example.com/issues/1#file-7"


def _needs(bench: Bench, *kinds: str) -> None:
    if bench.connector.capabilities.attachments not in kinds:
        pytest.skip(f"{bench.connector.title} has no such attachments")


async def _files(bench: Bench, record: Record) -> list[Attachment]:
    record = await bench.record(record.ref)
    return list(await bench.session.attachments(record, await bench.session.discussion(record.ref)))


async def test_the_discussion_has_the_comments(bench: Bench) -> None:
    record = await bench.made_by_person()
    bench.simulator.comment(record.ref.id, "A word", by="bob")
    discussion = await bench.session.discussion(record.ref)
    assert list(discussion.comments) == list(await bench.session.comments(record.ref))


async def test_an_object_without_files(bench: Bench) -> None:
    assert await _files(bench, await bench.made_by_person(notes="See https://example.com/a.png")) == []


async def test_a_file_of_a_person_is_found_and_read_whole(bench: Bench) -> None:
    _needs(bench, "files", "texts")
    record = await bench.made_by_person()
    bench.simulator.attach(record.ref.id, "a look.png", PIXELS, by="bob")
    (found,) = await _files(bench, record)
    assert found.parent == record.ref
    assert found.name.startswith("a look")
    assert found.author is not None
    assert found.author.id == await bench.user_id("bob")
    assert found.size in (None, len(PIXELS))
    assert not found.is_link
    into = BytesIO()
    content = await bench.session.read_attachment(found, into, len(PIXELS))
    assert into.getvalue() == PIXELS
    assert (content.size, content.sha256) == (len(PIXELS), hashlib.sha256(PIXELS).hexdigest())
    (again,) = await _files(bench, record)
    assert again == found


async def test_what_is_known_of_a_file_does_not_end(bench: Bench) -> None:
    _needs(bench, "files", "texts")
    record = await bench.made_by_person()
    bench.simulator.attach(record.ref.id, "look.png", PIXELS, by="bob")
    before = await _files(bench, record)
    bench.simulator.clock.advance(3600)
    (found,) = await _files(bench, record)
    assert [found] == before, "no address of minutes is part of it"
    content = await bench.session.read_attachment(found, BytesIO(), len(PIXELS))
    assert content.size == len(PIXELS)


async def test_a_file_that_is_too_large_can_only_be_linked(bench: Bench) -> None:
    _needs(bench, "files", "texts")
    record = await bench.made_by_person()
    bench.simulator.attach(record.ref.id, "look.png", PIXELS)
    (found,) = await _files(bench, record)
    with pytest.raises(OnlyLinked):
        await bench.session.read_attachment(found, BytesIO(), len(PIXELS) - 1)


@pytest.mark.parametrize("name", ["plan.pdf", "Größe 100% „neu“.txt", 'a"b\\c.txt'])
async def test_an_added_file_is_read_back_to_the_byte(bench: Bench, name: str) -> None:
    _needs(bench, "files")
    record = await bench.made_by_person()
    draft = AttachmentDraft(name=name, url=SOURCE, media_type="application/pdf")
    added = await bench.session.add_attachment(record.ref, draft, BytesIO(PIXELS))
    (found,) = await _files(bench, record)
    assert found.ref == added.ref
    assert (found.name, found.size) == (name, len(PIXELS))
    into = BytesIO()
    await bench.session.read_attachment(found, into, len(PIXELS))
    assert into.getvalue() == PIXELS


async def test_a_link_in_the_place_of_a_file(bench: Bench) -> None:
    _needs(bench, "files")
    record = await bench.made_by_person()
    await bench.session.add_attachment(record.ref, AttachmentDraft(name="film.mov", url=SOURCE), None)
    (found,) = await _files(bench, record)
    assert (found.name, found.url, found.is_link) == ("film.mov", SOURCE, True)
    with pytest.raises(OnlyLinked):
        await bench.session.read_attachment(found, BytesIO(), 10)


@pytest.mark.parametrize("kind", ["reset_after", "garbage", "502"])
async def test_a_lost_answer_leaves_it_unknown_and_sends_once(bench: Bench, kind: str) -> None:
    _needs(bench, "files")
    record = await bench.made_by_person()
    bench.fail(kind, writes=True, times=1)  # type: ignore[arg-type]
    draft = AttachmentDraft(name="plan.pdf", url=SOURCE)
    with pytest.raises((OutcomeUnknown, RetryLater)) as caught:
        await bench.session.add_attachment(record.ref, draft, BytesIO(PIXELS))
    shown = len(await _files(bench, record))
    if caught.type is OutcomeUnknown:
        assert shown == (0 if kind == "502" else 1)
    else:
        assert shown == 0, "what may be tried again was not done"


async def test_a_refused_file_is_parked(bench: Bench) -> None:
    _needs(bench, "files")
    record = await bench.made_by_person()
    bench.fail("403", writes=True)
    with pytest.raises(Park):
        await bench.session.add_attachment(record.ref, AttachmentDraft(name="a", url=SOURCE), BytesIO(PIXELS))


async def test_a_copied_comment_brings_no_files(bench: Bench) -> None:
    """What it shows stands where the comment was written."""
    _needs(bench, "texts")
    record = await bench.made_by_person()
    bench.simulator.attach(record.ref.id, "look.png", PIXELS)
    (comment,) = await bench.session.comments(record.ref)
    other = await bench.made_by_person()
    draft = CommentDraft(text=comment.text, author_name="Ada", source_url=SOURCE)
    await bench.session.add_comment(other.ref, draft)
    assert await _files(bench, other) == []
