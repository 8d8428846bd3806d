"""Yesterday's database is put back: what was made since is found by its key, and nothing twice."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from tests import stores
from tests.e2e.town import Town, times, town

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(stores.ON_SERVERS, reason="it puts a file of SQLite back"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def still(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


@pytest.mark.parametrize("by", ["its mark", "its age"])
async def test_a_restored_backup_doubles_nothing(still: Town, tmp_path: Path, by: str) -> None:
    place, data, file = still.found("main"), tmp_path / "data", tmp_path / "backup.db"
    github, asana = still.github, still.asana
    await still.done("apply", str(still.file))
    known = github.new(place.repo, title="Known to the backup", by="ada")
    await still.done("sync", "--once")
    said = await still.done("backup", str(file))
    assert said == {"file": str(file), "bytes": file.stat().st_size}
    assert file.stat().st_mode & 0o077 == 0

    issue = github.new(place.repo, title="Made in GitHub since", by="ada")
    github.comment(issue, "a remark in GitHub")
    task = asana.new(place.project, title="Made in Asana since", by="ada")
    asana.comment(task, "a remark in Asana")
    github.edit(known, title="Renamed since")
    await still.done("sync", "--once")
    for simulator in (github, asana):
        simulator.clock.advance(600 if by == "its mark" else 3600)
    (data / "asana-sync.db").write_bytes(file.read_bytes())
    for left in data.glob("asana-sync.db-*"):
        left.unlink()
    if by == "its age":  # a file that no command of ours made, and an hour passes
        with closing(sqlite3.connect(data / "asana-sync.db")) as database:
            database.execute("UPDATE cursor SET read_at = datetime(read_at, '-1 hour')")
            database.execute("UPDATE mapping SET full_pass_due = 0")
            database.commit()

    await still.done("sync", "--once")
    assert len(github.objects(place.repo)) == len(asana.objects(place.project)) == 3
    links = {row["external"]["id"]: row for row in (await still.done("links"))["items"] if not row["parent"]}
    assert {row["state"] for row in links.values()} == {"active"}
    assert links[issue]["made_by"] == "adopt"
    for one, row in links.items():
        still.agree(one, row["asana"]["gid"])
    for text, one in (("a remark in GitHub", issue), ("a remark in Asana", _external_of(links, task))):
        for view in (github.view(one), asana.view(links[one]["asana"]["gid"])):
            assert view is not None
            assert times(text, view["comments"]) == 1
    assert (await still.done("conflicts"))["items"] == []


def _external_of(links: dict[str, dict[str, object]], task: str) -> str:
    return next(one for one, row in links.items() if row["asana"]["gid"] == task)  # type: ignore[index]


async def test_a_backup_replaces_no_file(still: Town, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("dear")
    said = await still.cli("backup", str(tmp_path / "there"))
    assert (said.code, "File exists" in said.err) == (2, True), said.err
    assert (tmp_path / "there").read_text() == "dear"
    gone = await still.cli("backup", str(tmp_path / "new.db"))
    assert gone.code == 3
    assert not (tmp_path / "new.db").exists()
