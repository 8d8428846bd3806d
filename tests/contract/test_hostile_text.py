"""Text that breaks careless code goes to the provider and comes back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors.discussions import CommentDraft

if TYPE_CHECKING:
    from tests.contract.conftest import Bench

LINES = {
    "unicode": "Grüße, 世界, e\u0301 is not \u00e9, \ufb01",
    "right_to_left": "abc \u202egnp.exe\u202c שלום عربى",
    "zero_width": "a\u200bb\u200cc\u200dd\ufeffe",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 𝔘",
    "html": "<script>alert(1)</script> <b>bold</b> &amp; &lt; \" ' <!-- x --> </body>",
    "markdown": r"* _ ` [ ] ( ) # + - . ! | \ ~~ **",
    "injection": "'; DROP TABLE x; -- ${jndi:ldap://x} {{7*7}} %s %n ../../etc/passwd",
    "mentions": "@ada @channel <!here> #1 Fixes #12 acme/website#1 https://example.com/?q=a%20b",
}
NOTES = {
    **LINES,
    "crlf": "one\r\ntwo\r\n\r\nthree",
    "long": "0123456789 " * 5_500,
    "code": "```html\n<b>&amp;</b>\n```",
    "control": "tab\there, unit\u001fseparator",
}
_EACH_LINE = pytest.mark.parametrize("text", LINES.values(), ids=LINES.keys())
_EACH_NOTE = pytest.mark.parametrize("text", NOTES.values(), ids=NOTES.keys())


@_EACH_LINE
async def test_titles(bench: Bench, text: str) -> None:
    created = await bench.create(title=text)
    bench.assert_same({"title": text}, (await bench.record(created.ref)).fields)


@_EACH_NOTE
async def test_notes(bench: Bench, text: str) -> None:
    created = await bench.create(title="Hostile", notes=text)
    bench.assert_same({"notes": text}, (await bench.record(created.ref)).fields)
    changed = await bench.session.update(created.ref, {"notes": f"Again: {text}"}, created)
    bench.assert_same({"notes": f"Again: {text}"}, changed.fields)


@_EACH_NOTE
async def test_comments(bench: Bench, text: str) -> None:
    parent = await bench.made_by_person()
    draft = CommentDraft(text=text, author_name="Ada", source_url="https://example.com/c/1")
    await bench.session.add_comment(parent.ref, draft)
    (comment,) = await bench.session.comments(parent.ref)
    assert bench.session.same("notes", text, comment.text)
    assert comment.source_url == draft.source_url


@_EACH_LINE
async def test_labels(bench: Bench, text: str) -> None:
    if "labels" not in await bench.specs():
        pytest.skip("its objects have no labels")
    label = text[:40].replace(",", "").strip()
    record = await bench.made_by_person()
    changed = await bench.session.update(record.ref, {"labels": (label,)}, record)
    bench.assert_same({"labels": (label,)}, changed.fields)


@_EACH_NOTE
async def test_what_people_write_is_read(bench: Bench, text: str) -> None:
    record = await bench.made_by_person(title="Hostile")
    bench.simulator.comment(record.ref.id, text)
    assert len(await bench.session.comments(record.ref)) == 1


async def test_what_is_written_back_unchanged_stays(bench: Bench) -> None:
    """Reading and writing the same again must not pile up escapes."""
    text = " ".join(LINES.values())
    record = await bench.create(title="Hostile", notes=text)
    for _ in range(3):
        before = record.fields["notes"]
        record = await bench.session.update(record.ref, {"notes": before}, record)
        assert record.fields["notes"] == before
