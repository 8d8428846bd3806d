"""Files: copied once as bytes, else told of by a link, whatever answer is lost."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.github.simulator import GitHubSimulator
from connectors.memory.config import LARGEST
from connectors.simulation import Fault
from sync.jobs.asked import by_hand
from sync.reconcile.model import Side
from sync.store.tables import Link, Mapping, Mark, Parked, Write
from tests.jobs.conftest import Build
from tests.jobs.world import World

PIXELS = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def files(view: dict[str, Any]) -> list[tuple[str, bytes | None]]:
    return [(file["name"], file["content"]) for file in view["attachments"]]


def texts(view: dict[str, Any]) -> list[str]:
    return [comment["text"] for comment in view["comments"]]


async def look(world: World, item: str) -> None:
    await world.mark(Side.EXTERNAL, item, comments=True)
    await world.work()


# between two tools that have files


async def test_files_cross_both_ways_to_the_byte_and_once(world: World) -> None:
    item, task = await world.paired()
    world.external.attach(item, "look.png", PIXELS, by="bob")
    world.hub.attach(task, "Größe.pdf", b"%PDF-1.7", by="ada")
    await world.settle()
    assert sorted(files(world.task())) == [("Größe.pdf", b"%PDF-1.7"), ("look.png", PIXELS)]
    assert sorted(files(world.thing())) == [("Größe.pdf", b"%PDF-1.7"), ("look.png", PIXELS)]
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before
    rows = await world.rows(Link, kind="attachment")
    assert {(row.author, row.source, row.state) for row in rows} == {
        ("bob", "external", "active"),
        ("Ada Lovelace", "hub", "active"),
    }
    parent = await world.link()
    assert all(row.parent_id == parent.id and row.hub_ref and row.external_ref for row in rows)


async def test_the_same_bytes_are_copied_once(world: World) -> None:
    item, _ = await world.paired()
    for name in ("a.png", "again.png"):
        world.external.attach(item, name, PIXELS)
    await world.settle()
    assert files(world.task()) == [("a.png", PIXELS)]
    double = (await world.rows(Link, kind="attachment"))[1]
    assert (double.state, double.reason) == ("active", "the same file is there already")


async def test_a_large_file_gets_the_time_that_it_takes(world: World) -> None:
    item, _ = await world.paired()
    world.external.attach(item, "small.png", PIXELS)
    world.external.attach(item, "large.bin", bytes(LARGEST))
    await world.settle()
    small, large = await world.rows(Write, op="attachment_add")
    assert (large.deadline_at - large.intent_at) > (small.deadline_at - small.intent_at)
    assert len(files(world.task())) == 2


async def test_a_file_that_both_have_already_is_paired(world: World) -> None:
    item, task = await world.paired()
    world.external.attach(item, "a.png", PIXELS)
    world.hub.attach(task, "b.png", PIXELS)
    await world.settle()
    assert (len(files(world.task())), len(files(world.thing()))) == (1, 1)


async def test_a_removed_root_leaves_its_copy_and_a_removed_copy_is_not_made_again(world: World) -> None:
    item, _ = await world.paired()
    first = world.external.attach(item, "a.png", PIXELS)
    world.external.attach(item, "b.txt", b"text")
    await world.settle()
    world.external.detach(first)
    world.hub.detach(world.task()["attachments"][1]["id"])
    await world.settle(full=True)
    assert files(world.task()) == [("a.png", PIXELS)]
    assert files(world.thing()) == [("b.txt", b"text")]
    reasons = [row.reason for row in await world.rows(Link, kind="attachment")]
    assert reasons == ["the file was removed where it was added; its copy stays", ""]


@pytest.mark.parametrize("kind", ["reset_after", "garbage", "502", "timeout_after"])
async def test_an_upload_whose_answer_is_lost_is_there_once(world: World, kind: str) -> None:
    item, _ = await world.paired()
    world.hub.faults.add(Fault(kind=kind, method="POST", path="/attachments"))  # type: ignore[arg-type]
    world.external.attach(item, "look.png", PIXELS)
    await world.settle()
    assert files(world.task()) == [("look.png", PIXELS)]
    assert {row.state for row in await world.rows(Write, op="attachment_add")} <= {"done", "not_done"}
    assert (await world.the(Link, kind="attachment")).state == "active"
    assert files(world.thing()) == [("look.png", PIXELS)], "it does not come back"


async def test_a_process_that_died_between_upload_and_answer(world: World) -> None:
    item, task = await world.paired()
    world.external.attach(item, "look.png", PIXELS)
    await world.settle()
    row = await world.the(Link, kind="attachment")
    empty = {"hub_ref": None, "hub_kind": "", "hub_id": "", "hub_address": "", "state": "confirming"}
    await world.change(Link, empty, id=row.id)
    await world.change(Write, {"state": "intent", "done_at": None}, op="attachment_add")
    uploads = len(world.hub.journal.by("POST", "/attachments"))
    await look(world, item)
    assert len(world.hub.journal.by("POST", "/attachments")) == uploads
    found = await world.the(Link, kind="attachment")
    assert (found.hub_id, found.state) == (world.hub.view(task)["attachments"][0]["id"], "active")  # type: ignore[index]


async def test_a_lost_upload_is_found_though_its_link_rests(build: Build) -> None:
    world = await build(filter={"labels": ["bug"]})
    item, _ = await world.paired(labels=["bug"])
    world.hub.faults.add(Fault(kind="reset_after", method="POST", path="/attachments"))
    world.external.attach(item, "look.png", PIXELS)
    await world.look()
    world.external.edit(item, labels=[])
    await world.settle()
    assert (await world.link()).state == "dormant"
    assert [write.state for write in await world.rows(Write, op="attachment_add")] == ["done"]
    assert files(world.task()) == [("look.png", PIXELS)]


async def test_lost_rows_of_files_are_found_by_their_bytes(world: World) -> None:
    item, _ = await world.paired()
    world.external.attach(item, "look.png", PIXELS)
    await world.settle()
    async with world.engine.database.write() as session:
        await session.delete(await session.get_one(Link, (await world.the(Link, kind="attachment")).id))
    before = len(world.writes())
    await look(world, item)
    assert len(world.writes()) == before
    assert len(await world.rows(Link, kind="attachment")) == 1


async def test_what_is_too_large_becomes_a_link(world: World) -> None:
    _, task = await world.paired()
    world.hub.attach(task, "film.mov", bytes(LARGEST + 1))
    await world.settle()
    (file,) = world.thing()["attachments"]
    assert (file["name"], file["content"]) == ("film.mov", None)
    assert file["url"].startswith(f"https://app.asana.com/0/0/{task}/")
    assert "download" not in file["url"]
    await world.settle(full=True)
    assert len(world.thing()["attachments"]) == len(world.task()["attachments"]) == 1


async def test_a_refused_upload_is_parked_and_holds_up_nothing(world: World) -> None:
    item, _ = await world.paired()
    world.hub.faults.add(Fault(kind="403", method="POST", path="/attachments"))
    world.external.attach(item, "bad.exe", b"MZ")
    world.external.attach(item, "good.txt", b"text")
    world.external.comment(item, "Look at this", by="bob")
    await world.settle()
    assert files(world.task()) == [("good.txt", b"text")]
    assert len(texts(world.task())) == 1
    entry = await world.the(Parked)
    assert (entry.what, entry.values, entry.park_class) == ("attachment", "bad.exe", "permission")
    tried = len(world.hub.journal.by("POST", "/attachments"))
    await world.settle(full=True)
    assert len(world.hub.journal.by("POST", "/attachments")) == tried
    await by_hand.retry(world.engine, entry.id, None)
    await world.settle()
    assert sorted(files(world.task())) == [("bad.exe", b"MZ"), ("good.txt", b"text")]
    assert await world.rows(Parked) == []


async def test_a_file_that_never_comes_is_parked_at_last_and_its_object_goes_on(build: Build) -> None:
    world = await build(settings_={"max_attempts": 3})
    item, _ = await world.paired()
    world.external.faults.add(Fault(kind="503", method="GET", path="/content", times=None))
    world.external.attach(item, "look.png", PIXELS)
    await world.settle()
    assert (await world.the(Parked)).what == "attachment"
    assert (await world.link()).state == "active"


async def test_directions_are_kept(build: Build) -> None:
    world = await build(attachments={"to_asana": False, "from_asana": True})
    item, task = await world.paired()
    world.external.attach(item, "stays.txt", b"1")
    world.hub.attach(task, "goes.txt", b"2")
    await world.settle()
    assert files(world.task()) == [("goes.txt", b"2")]
    assert sorted(files(world.thing())) == [("goes.txt", b"2"), ("stays.txt", b"1")]


@pytest.mark.parametrize("paused", ["to_asana", "from_asana"])
async def test_a_paused_direction_is_waited_for_and_the_other_one_goes_on(github: World, paused: str) -> None:
    issue, _ = await github.paired(notes="Broken.")
    image = github.external.upload(github.container, "screen.png", PIXELS)
    await github.change(Mapping, {"paused_directions": [paused]})
    github.external.edit(issue, notes=f"![Shot]({image})", by="ada")
    await github.look()
    assert files(github.task()) == ([] if paused == "to_asana" else [("Shot.png", PIXELS)])
    assert all("paused" in mark.reason for mark in await github.rows(Mark))
    await github.change(Mapping, {"paused_directions": []})
    github.clock.advance(31)
    await github.settle()
    assert files(github.task()) == [("Shot.png", PIXELS)]


@pytest.mark.chaos
async def test_files_pass_through_a_chain_under_the_name_of_who_added_them(build: Build) -> None:
    world = await build(GitHubSimulator)
    issue, _ = await world.paired()
    other = world.external.new_container("second")
    document = world.configured()
    (first,) = document["mappings"]
    document["connections"].append({**document["connections"][1], "name": "third"})
    second = {**first, "name": "second", "connection": "third", "container": other}
    second["match"] = {"mode": "match_only"}
    twin = world.external.new(other, title="Twin")
    await world.apply_document({**document, "mappings": [first, second]})
    mapping = next(row for row in await world.rows(Mapping) if row.name == "second")
    task = world.tasks()[-1]
    await by_hand.link(
        world.engine, mapping.id, lambda record: record.ref.id == twin, lambda record: record.ref.id == task
    )
    await world.settle()
    world.external.attach(issue, "look.png", PIXELS, by="bob")
    await world.settle()
    assert files(world.task()) == [("look.png", PIXELS)]
    view = world.external.view(twin)
    assert view is not None
    about = [text for text in texts(view) if "attached [look.png]" in text]
    assert [text.startswith("**[bob](https://app.asana.com/") for text in about] == [True]
    assert len(texts(world.thing())) == 1, "it does not come back"


# GitHub: files in texts


async def test_files_in_github_texts_become_attachments(github: World) -> None:
    image = github.external.upload(github.container, "screen.png", PIXELS)
    log = github.external.upload(github.container, "server.log", b"it broke")
    issue, _ = await github.paired(notes=f"![A look]({image})\n\nSee [server.log]({log}).")
    assert files(github.task()) == [("A look.png", PIXELS), ("server.log", b"it broke")]
    github.external.attach(issue, "more.gif", b"GIF89a", by="bob")
    await github.settle()
    assert files(github.task())[2:] == [("more.gif", b"GIF89a")]
    text = github.task()["text"]
    assert "jwt=" not in github.task()["notes"] + str(github.task()["comments"])
    assert "A look" in text
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before


async def test_a_file_in_an_edited_body_is_copied_too(github: World) -> None:
    issue, _ = await github.paired(notes="Broken.")
    image = github.external.upload(github.container, "screen.png", PIXELS)
    github.external.edit(issue, notes=f'Broken.\n\n<img width="80" alt="Shot" src="{image}">', by="ada")
    await github.settle()
    assert files(github.task()) == [("Shot.png", PIXELS)]
    github.external.edit(issue, notes="Broken, still.", by="ada")
    await github.settle()
    assert files(github.task()) == [("Shot.png", PIXELS)], "what was taken out of the text stays"


async def test_an_image_of_a_private_repository_is_read_with_a_fine_grained_token(github: World) -> None:
    github.external.scopes = None
    image = github.external.upload(github.container, "screen.png", PIXELS)
    log = github.external.upload(github.container, "server.log", b"it broke")
    await github.paired(notes=f"![Shot]({image}) [server.log]({log})")
    assert files(github.task()) == [("Shot.png", PIXELS)]
    entry = await github.the(Parked)
    assert (entry.what, entry.values, entry.park_class) == ("attachment", "server.log", "permission")
    assert "classic token" in entry.fix
    assert log in github.task()["notes"], "the link is there all the same"
    assert (await github.link()).state == "active"


async def test_a_file_of_a_task_is_told_of_on_github_by_a_link_to_the_task(github: World) -> None:
    _issue, task = await github.paired()
    github.hub.attach(task, "plan [v2].pdf", b"%PDF-1.7", by="ada")
    await github.settle()
    (text,) = texts(github.thing())
    link = f"https://app.asana.com/0/0/{task}/f#attachment-{github.task()['attachments'][0]['id']}"
    assert text == f"**[Ada Lovelace]({link})**\n\nattached [plan [v2].pdf]({link})"
    before = len(github.writes())
    await github.settle(full=True)
    assert len(github.writes()) == before
    assert len(files(github.task())) == 1
    assert texts(github.task()) == [], "the comment about it is no comment of its own"


@pytest.mark.parametrize("kind", ["reset_after", "502"])
async def test_a_comment_about_a_file_whose_answer_is_lost_is_there_once(github: World, kind: str) -> None:
    _issue, task = await github.paired()
    github.external.faults.add(Fault(kind=kind, method="POST", path="/comments$"))  # type: ignore[arg-type]
    github.hub.attach(task, "plan.pdf", b"%PDF-1.7", by="ada")
    await github.settle()
    assert len(texts(github.thing())) == 1
    assert (await github.the(Link, kind="attachment")).state == "active"


async def test_an_inline_image_of_a_task_is_a_link_and_survives_edits_on_github(github: World) -> None:
    issue, task = await github.paired(notes="Text")
    github.hub.attach(task, "shot.png", PIXELS)
    gid = github.task()["attachments"][0]["id"]
    github.hub.edit(task, notes=f'<body>Text\n\n<img data-asana-gid="{gid}"/>\n\nMore</body>', by="ada")
    await github.settle()
    body = github.thing()["notes"]
    assert f"asset_id={gid}" in body
    assert "expires=" not in body
    assert texts(github.thing()) == [], "one link is enough"
    github.external.edit(issue, notes=body.replace("More", "More than that"), by="bob")
    await github.settle()
    assert f'data-asana-gid="{gid}"' in github.task()["notes"]
    assert "More than that" in github.task()["text"]


async def test_an_inline_image_of_an_issue_survives_edits_in_asana(github: World) -> None:
    image = github.external.upload(github.container, "screen.png", PIXELS)
    source = f'Text\n\n<img width="80" alt="Shot" src="{image}">\n\n![Two]({image})\n\nMore'
    issue, task = await github.paired(notes=source)
    notes = github.task()["notes"]
    assert notes.count(image) >= 2
    github.hub.edit(task, notes=notes.replace("More", "More than that"), by="ada")
    await github.settle()
    view = github.external.view(issue)
    assert view is not None
    assert view["notes"].startswith(source.replace("More", "More than that"))


async def test_a_public_place_is_warned_of(github: World) -> None:
    github.external.repository(github.container).private = False
    for names in (("comments", "attachments"), ("attachments",), ()):
        goes = {word: {"from_asana": word in names} for word in ("comments", "attachments")}
        found = (await github.apply(dry_run=True, conflict="asana", **goes)).warnings
        told = [each for each in found if "is public" in each]
        assert len(told) == bool(names)
        assert ["copied from Asana" in each for each in told] == ["comments" in names] * len(told)
        assert all("names of files" in each for each in told)


async def test_what_is_said_in_asana_goes_to_a_public_place_only_if_the_file_says_so(build: Build) -> None:
    def public(world: World) -> dict[str, Any]:
        assert isinstance(world.external, GitHubSimulator)
        world.external.repository(world.container).private = False
        return {}

    world = await build(GitHubSimulator, prepare=public)
    issue, task = await world.paired()
    world.hub.comment(task, "among us", by="ada")
    world.hub.attach(task, "salaries.csv", b"1")
    world.external.comment(issue, "for everybody", by="bob")
    await world.settle()
    assert texts(world.thing()) == ["for everybody"]
    assert len(texts(world.task())) == 2
    again = await world.apply(dry_run=True)
    assert (again.changes, again.warnings) == ([], []), "it is told once"
    told = await world.apply(comments={"from_asana": True})
    goes, stays = [each.partition(" is public: ")[2] for each in told.warnings]
    assert goes == "everybody will read the comments copied from Asana"
    assert stays == "the names of files stay in Asana unless you say attachments.from_asana: true"
    world.hub.comment(task, "said on purpose", by="ada")
    await world.settle()
    assert "said on purpose" in texts(world.thing())[-1]
    # nobody knows now: it is as it was
    world.external.faults.add(Fault(kind="503", times=None))
    assert (await world.apply(dry_run=True)).changes == []


async def test_where_nobody_can_tell_whether_a_place_is_public_it_is_as_it_was(build: Build) -> None:
    world = await build(GitHubSimulator)
    world.external.faults.add(Fault(kind="503", method="GET", path="/repos/[^/]*/[^/]*$", times=None))
    told = await world.apply(limits={"creates_per_hour": 99})
    world.external.faults.clear()
    assert not any("stay in Asana" in warning for warning in told.warnings)
    _, task = await world.paired()
    world.hub.comment(task, "among us", by="ada")
    await world.settle()
    assert len(texts(world.thing())) == 1
