"""Attachments of tasks, as far as the contract suite cannot know: Asana's addresses, stories and hosts."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from connectors.asana import files
from connectors.asana.conftest import Bench
from connectors.discussions import Attachment, Upload
from connectors.errors import OnlyLinked
from connectors.records import Author

TOLD = (Upload(at=datetime(2026, 5, 1, tzinfo=UTC), author=Author("9", "Ada")),)


async def _files(bench: Bench, task: str) -> list[Attachment]:
    record = await bench.read(task)
    return list(await bench.session.attachments(record, await bench.session.discussion(record.ref)))


async def test_a_task_without_uploads_is_not_asked_for_them(bench: Bench) -> None:
    task = bench.simulator.new(bench.project, title="Quiet")
    bench.simulator.comment(task, "A word")
    assert await _files(bench, task) == []
    assert bench.simulator.journal.by("GET", "/attachments") == []
    bench.simulator.attach(task, "plan.pdf", b"%PDF")
    assert len(await _files(bench, task)) == 1


async def test_an_inline_image_is_left_to_the_text(bench: Bench) -> None:
    task = bench.simulator.new(bench.project, title="Shown")
    image = bench.simulator.attach(task, "shot.png", b"PNG")
    bench.simulator.attach(task, "plan.pdf", b"%PDF")
    bench.simulator.edit(task, notes=f'<body>See <img data-asana-gid="{image}"/></body>')
    assert [file.name for file in await _files(bench, task)] == ["plan.pdf"]


@pytest.mark.parametrize(
    ("host", "leads_to_the_task"), [("external", False), ("dropbox", True), ("vimeo", True)]
)
async def test_what_lies_elsewhere_is_a_link(bench: Bench, host: str, leads_to_the_task: bool) -> None:
    """A link to a storage may be all that is needed to read what lies there."""
    task = bench.simulator.new(bench.project, title="Elsewhere")
    bench.simulator.attach_from(task, host, "Film", "https://example.com/share?key=secret", by="bob")
    (file,) = await _files(bench, task)
    assert file.is_link
    assert file.url.startswith(f"https://app.asana.com/0/0/{task}/") == leads_to_the_task
    assert ("secret" in file.url) == (not leads_to_the_task)
    with pytest.raises(OnlyLinked):
        await bench.session.read_attachment(file, BytesIO(), 1000)


async def test_the_address_of_the_bytes_is_asked_for_when_they_are_read(bench: Bench) -> None:
    task = bench.simulator.new(bench.project, title="Old")
    bench.simulator.attach(task, "plan.pdf", b"%PDF")
    (file,) = await _files(bench, task)
    bench.simulator.clock.advance(3600)
    for _ in range(2):
        into = BytesIO()
        await bench.session.read_attachment(file, into, 1000)
        assert into.getvalue() == b"%PDF"
        bench.simulator.clock.advance(3600)


@pytest.mark.parametrize(
    "row",
    [
        {"gid": "7"},
        {"gid": "7", "name": None, "host": "external", "view_url": "javascript:alert(1)"},
        {"gid": "7", "name": " \n", "created_at": "no time", "size": "12"},
    ],
)
def test_a_row_in_short_is_read(row: dict[str, Any]) -> None:
    file = files.attachment(row, "5", "1", TOLD)
    assert (file.name, file.url, file.size) == ("7", "https://app.asana.com/0/0/5/f#attachment-7", None)
    assert file.author is None
