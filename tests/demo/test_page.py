"""The page's routes: what is shown, and what people at it can do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sync.demo.page.app import POLICY
from sync.demo.page.playing import PROGRAMME
from sync.demo.page.watching import LOG, STANDING, STORY, Watch
from sync.demo.shop import ISSUES, MESSAGES, TASKS
from sync.settings import HUB
from tests.demo.place import HOSTILE, Place


async def test_it_opens_with_all_tools_and_what_is_in_them(place: Place) -> None:
    assert list(place.panes) == ["github", "slack", "asana"], (
        "a tool without templates of its own has no pane"
    )
    shown = await place.http.get("/")
    assert shown.status_code == 200
    for past in (*ISSUES, *MESSAGES, *TASKS):
        assert past.title.removesuffix(":tada:") in shown.text
    assert "Nothing yet" in shown.text


async def test_nothing_of_it_runs_or_loads_what_is_not_its_own(place: Place) -> None:
    shown = await place.http.get("/")
    assert shown.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    for inline in ("<script>", "<style", " style=", " onclick="):
        assert inline not in shown.text


@pytest.mark.parametrize("name", ["github", "asana"])
async def test_what_strangers_wrote_is_shown_as_text(place: Place, name: str) -> None:
    pane = place.panes[name]
    id = pane.create([("title", HOSTILE), ("notes", f"{HOSTILE} [x](javascript:alert(3))")], by="ada")
    pane.comment(id, HOSTILE, by="bob")
    pane.edit(id, [("add_label", '"><b>x')], by="ada")
    for path in (
        "/",
        f"/panes/{name}",
        f"/panes/{name}/objects/{id}",
        f"/panes/{name}/objects/{id}?editing=true",
    ):
        shown = (await place.http.get(path)).text
        assert "alert(1)" in shown
        for live in ("<script>alert", "<img src=x", "<b>x", 'href="javascript'):
            assert live not in shown


async def test_only_the_page_itself_may_press(place: Place) -> None:
    before = place.panes["github"].views()
    stranger = await place.http.post("/panes/github/objects", data={"title": "By another site"})
    assert stranger.status_code == 403
    assert place.panes["github"].views() == before
    elsewhere = await place.http.get("/", headers={"Host": "evil.example"})
    assert elsewhere.status_code == 400


async def test_people_work_in_a_pane(place: Place) -> None:
    made = await place.post("/panes/github/objects", title="  One \n line ", notes="a\r\nb", by="bob")
    assert made.status_code == 200
    pane = place.panes["github"]
    id, view = next(iter(pane.views().items()))
    assert (view["title"], view["notes"], view["author"]) == ("One line", "a\nb", "bob")
    here = f"/panes/github/objects/{id}"
    for form in (
        {"add_label": "bug"},
        {"add_label": "urgent"},
        {"remove_label": "bug"},
        {"assignee": "ada"},
        {"title": " "},
        {"unknown": "x"},
    ):
        assert (await place.post(here, **form)).status_code == 200
    await place.post(f"{here}/comments", text="Done.", state="closed", by="ada")
    await place.post(f"{here}/comments", text="  ")
    view = pane.view(id)
    assert (view["title"], view["labels"], view["assignee"]) == ("One line", ["urgent"], "ada")
    assert (view["state"], [comment["text"] for comment in view["comments"]]) == ("closed", ["Done."])
    await place.post(here, assignee="", state="open")
    assert (pane.view(id)["assignee"], pane.view(id)["state"]) == (None, "open")
    await place.post(f"{here}/deletion")
    assert id not in pane.views()


async def test_a_task_has_a_day_a_column_and_rich_text(place: Place) -> None:
    pane = place.panes["asana"]
    columns = {name: gid for gid, name in pane.choices()["section"].items()}
    await place.post("/panes/asana/objects", title="Tidy up", section=columns["In progress"])
    id = next(id for id, view in pane.views().items() if view["title"] == "Tidy up")
    edited = "<p>One <b>bold</b> word</p><div>and<br>lines</div><script>alert(1)</script>"
    await place.post(f"/panes/asana/objects/{id}", due_on="2026-05-01", asana_html_notes=edited)
    view = pane.view(id)
    assert (view["section"], str(view["due"])) == ("In progress", "2026-05-01")
    assert "<strong>bold</strong>" in view["notes"]
    assert "<script" not in view["notes"]
    await place.post(f"/panes/asana/objects/{id}", due_on="", section=columns["Done"])
    assert (pane.view(id)["section"], pane.view(id)["due"]) == ("Done", None)


async def test_the_back_link_stands_apart_and_survives_an_edit(place: Place) -> None:
    pane = place.panes["asana"]
    link = 'Synced with <a href="https://github.com/acme/shop/issues/1">acme/shop#1</a>'
    id = pane.end.new(title="Linked", notes=f"<body>One\n\n{link}</body>", by="ada")
    shown = (await place.http.get(f"/panes/asana/objects/{id}")).text
    assert re.search(
        r'data-rich[^>]*><p>One</p>\s*</div>\s*<div class="text backlink"><p>Synced with <a ', shown
    )
    for edited, stands in (("<p>Two</p>", f"<body>Two\n\n{link}</body>"), ("", f"<body>{link}</body>")):
        await place.post(f"/panes/asana/objects/{id}", asana_html_notes=edited)
        assert pane.view(id)["notes"] == stands


async def test_opening_one_opens_what_it_is_linked_with(place: Place) -> None:
    issue, task = (next(iter(place.panes[name].views())) for name in ("github", "asana"))
    place.link(issue, task)
    place.product.told["history"].append(a_line("in", "GitHub says it changed"))
    async with place.watch.watching():
        await seen(place.watch, LOG)
    assert place.watch.counterparts(place.panes["asana"], task) == {"github": issue}
    for name, id in (("github", issue), ("asana", task)):
        shown = (await place.http.get(f"/panes/{name}/objects/{id}?opening=true")).text
        assert shown.count("<article") == 2
        assert f'data-object="{issue}"' in shown
        assert f'data-object="{task}"' in shown


async def test_what_is_linked_with_nothing_yet_waits_for_it(place: Place) -> None:
    issue, task = (next(iter(place.panes[name].views())) for name in ("github", "asana"))
    here = f"/panes/github/objects/{issue}"
    opened = (await place.http.get(f"{here}?opening=true")).text
    assert f'hx-get="{here}?waiting=true"' in opened
    assert 'id="asana-detail"' in opened, "what was open there before is closed"
    assert 'id="asana-detail"' not in (await place.http.get(f"{here}?waiting=true")).text
    place.link(issue, task)
    place.product.told["history"].append(a_line("in", "GitHub says it changed"))
    async with place.watch.watching():
        await seen(place.watch, LOG)
    arrived = (await place.http.get(f"{here}?waiting=true")).text
    assert f'hx-get="{here}"' in arrived
    assert f'data-object="{task}"' in arrived


async def test_what_is_gone_says_so(place: Place) -> None:
    pane = place.panes["github"]
    id = next(iter(pane.views()))
    pane.remove(id, by="ada")
    assert "not there any more" in (await place.http.get(f"/panes/github/objects/{id}")).text
    refused = await place.post(f"/panes/github/objects/{id}", title="Too late")
    assert (refused.status_code, refused.text) == (
        404,
        "This issue was deleted. Close it and pick another one.",
    )
    untitled = await place.post("/panes/github/objects", title=" ")
    assert (untitled.status_code, untitled.text) == (409, "Give it a title first.")
    assert (await place.http.get("/panes/nowhere")).status_code == 404


async def test_the_log_is_the_products_own_in_plain_words(place: Place) -> None:
    issue, task = (next(iter(place.panes[name].views())) for name in ("github", "asana"))
    place.link(issue, task)
    reason = "both sides changed; GitHub changed last"
    place.product.told["history"] += [
        a_line("in", "Asana says it changed", delivery_id=4),
        a_line("conflict", reason, field="title"),
        a_line("plan", reason, field="title", before="Old", after=HOSTILE),
        a_line("write", "title written to Asana", field="title", write_id=7, outcome="done"),
        a_line("write", "labels written to Asana", field="labels", write_id=7, outcome="done"),
    ]
    for number, line in enumerate(place.product.told["history"], 1):
        line["id"] = number
    place.product.told["conflicts"].append(
        {"id": 5, "link": 1, "state": "open", "winner": "external", HUB: {"value": "Mine"}, "external": {}}
    )
    place.product.log.write_text(
        '{"ts":"2026-05-01T10:00:09.000Z","event":"process.ended","process":"worker"}\n{"ts":"half a li'
    )
    async with place.watch.watching():
        await seen(place.watch, LOG)
    shown = (await place.http.get("/log")).text
    for words in (
        "acme/shop#1",
        "Asana says it changed (webhook)",
        "both sides changed; GitHub changed last",
        "title, labels written to Asana",
        "<s>Old</s>",
        "Kept: <q>Mine</q>",
        "The worker process ended; another one starts",
    ):
        assert words in shown
    assert "<script>" not in shown
    assert "1 conflict kept" in (await place.http.get("/standing")).text
    await place.post("/conflicts/5/restore")
    assert place.product.commands == [("conflicts", "restore", "5")]
    refused = await place.post("/conflicts/99/dismiss")
    assert (refused.status_code, refused.text) == (409, "asana-sync conflicts: there is no conflict 99")
    assert (await place.post("/conflicts/5/forget")).status_code == 404


async def test_panes_are_told_when_a_link_gets_its_other_end(place: Place) -> None:
    issue, task = (next(iter(place.panes[name].views())) for name in ("github", "asana"))
    place.link(issue, task)
    (link,) = place.product.told["links"]
    place.product.told["links"] = [{**link, HUB: {"gid": None, "title": None}}]
    place.product.told["history"].append(a_line("in", "new in GitHub"))
    async with place.watch.watching():
        await seen(place.watch, LOG)
        with place.watch.following() as changed:
            for _ in range(changed.qsize()):
                await changed.get()
            place.product.told["links"] = [link]
            place.product.told["history"].append({**a_line("write", "title written to Asana"), "id": 2})
            while await changed.get() != "github":
                pass
    assert place.watch.counterparts(place.panes["github"], issue) == {"asana": task}


async def test_whoever_looks_learns_what_changed(place: Place) -> None:
    async with place.watch.watching():
        with place.watch.following() as changed:
            parts = {*place.panes, LOG, STANDING, STORY}
            assert {await changed.get() for _ in parts} == parts
        await seen(place.watch, STANDING)
        with place.watch.following() as changed:
            for _ in range(changed.qsize()):
                await changed.get()
            place.panes["asana"].create([("title", "News")], by="ada")
            while await changed.get() != "asana":
                pass


async def test_switches_trouble_the_tools_and_stop_again(place: Place) -> None:
    github, asana = (place.panes[name].end.simulator for name in ("github", "asana"))
    for name in ("github-webhooks", "asana-slow", "asana-down"):
        assert 'aria-checked="true"' in (await place.post(f"/switches/{name}")).text
    assert github.outbox.drop is True
    assert [fault.kind for fault in asana.faults.planned] == ["slow", "503"]
    for name in ("github-webhooks", "asana-slow", "asana-down"):
        await place.post(f"/switches/{name}")
    assert github.outbox.drop is False
    assert asana.faults.planned == []
    assert "Asana is down no longer" in (await place.http.get("/log")).text
    assert (await place.post("/switches/nothing")).status_code == 404


async def test_both_are_edited_before_the_product_can_look(place: Place) -> None:
    nothing = await place.post("/switches/both")
    assert nothing.status_code == 409
    issue, task = (next(iter(place.panes[name].views())) for name in ("github", "asana"))
    place.link(issue, task)
    place.product.told["history"].append(a_line("in", "GitHub says it changed"))
    async with place.watch.watching():
        await seen(place.watch, LOG)
    for _ in range(2):
        await place.post("/switches/both", github=issue)
    titles = place.panes["github"].view(issue)["title"], place.panes["asana"].view(task)["title"]
    assert [title.rpartition(" (")[2] for title in titles] == ["Ada's words)", "Bob's words)"]
    assert titles[0].count("words") == 1


def a_line(event: str, text: str, **more: Any) -> dict[str, Any]:
    """One line of the product's history, about link 1."""
    empty = dict.fromkeys(("field", "before", "after", "write_id", "delivery_id", "outcome"))
    return {
        "id": 1,
        "at": "2026-05-01T10:00:00.000Z",
        "link": 1,
        "event": event,
        "text": text,
        **empty,
        **more,
    }


async def seen(watch: Watch, part: str) -> None:
    """Until the part has changed once more than at the beginning."""
    with watch.following() as changed:
        for _ in range(changed.qsize()):
            await changed.get()
        while await changed.get() != part:
            pass


async def test_the_story_begins_once_opens_what_it_is_about_and_tells_its_scenes(place: Place) -> None:
    assert "Play the story" in (await place.http.get("/")).text
    with place.watch.following() as changed:
        for _ in range(2):
            playing = (await place.post("/story")).text
        assert PROGRAMME[0][0] in playing
        assert 'aria-valuenow="1"' in playing
        issues = place.panes["github"]
        while not place.stage.scenes[0].external.object:
            await changed.get()
    (new,) = [id for id, view in issues.views().items() if view["title"].startswith("Checkout button")]
    assert f"/panes/github/objects/{new}?opening=true" in (await place.http.get("/story")).text
    assert f"Scene 1: {PROGRAMME[0][0]}" in [
        line.text for chapter in place.watch.chapters() for line in chapter.lines
    ]
