"""The connector against the simulated Asana: what the suite over all connectors cannot know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from connectors.asana import connector
from connectors.asana.config import AsanaSettings
from connectors.discussions import CommentDraft
from connectors.errors import OutcomeUnknown, Park, ParkClass, PauseConnection, RetryLater
from connectors.records import Draft, Fields, Hidden, Key, Ref
from connectors.simulation import Fault

if TYPE_CHECKING:
    from connectors.asana.conftest import Bench

URL = "https://github.com/acme/website/issues/12"
KEY = Key(token="k1", url=URL, label="acme/website#12")
LINE = f'Synced with <a href="{URL}">acme/website#12</a>'


class TestCreate:
    async def test_key_stands_last_and_is_no_text(self, bench: Bench) -> None:
        fields: Fields = {
            "title": "Login fails",
            "notes": "On **Safari**.",
            "state": "open",
            "labels": ("bug",),
        }
        record = await bench.session.create(bench.project, Draft(fields=fields), KEY)
        seen = bench.simulator.view(record.ref.id)
        assert seen is not None
        assert seen["notes"] == f"<body>On <strong>Safari</strong>.\n\n{LINE}</body>"
        assert record.keys == {URL}
        assert record.created_by_us
        assert bench.session.same("notes", "On **Safari**.", record.fields["notes"])
        assert record.fields["labels"] == ("bug",)
        assert [
            found.ref for found in await bench.session.find_created(bench.project, KEY, record.created_at)
        ]

    async def test_section_and_people(self, bench: Bench) -> None:
        project = await bench.session.container(bench.project)
        section = next(gid for gid, name in project.sections.items() if name == "Done")
        ada, bob = (bench.simulator.people[name].gid for name in ("ada", "bob"))
        fields: Fields = {"title": "x", "assignee": ada, "followers": (bob,)}
        record = await bench.session.create(bench.project, Draft(fields=fields, section=section), KEY)
        assert record.places == {bench.project: section}
        assert record.fields["assignee"] == ada
        assert {ada, bob} <= set(record.fields["followers"])  # type: ignore[arg-type]

    async def test_copy_by_a_person_is_not_found(self, bench: Bench) -> None:
        made = await bench.session.create(bench.project, Draft(fields={"title": "x"}), KEY)
        bench.simulator.new(bench.project, title="Copy of x", notes=LINE, by="ada")
        found = await bench.session.find_created(bench.project, KEY, made.created_at)
        assert [record.ref for record in found] == [made.ref]

    async def test_lost_answer_is_unknown_and_found_by_its_key(self, bench: Bench) -> None:
        await bench.session.check()
        bench.simulator.faults.add(Fault(kind="reset_after", method="POST", path=r"/tasks$"))
        since = bench.simulator.clock.now()
        with pytest.raises(OutcomeUnknown):
            await bench.session.create(bench.project, Draft(fields={"title": "x"}), KEY)
        assert len(await bench.session.find_created(bench.project, KEY, since)) == 1
        assert len(bench.simulator.objects(bench.project)) == 1

    async def test_lost_answer_to_a_tag_leaves_the_task_unmade(self, bench: Bench) -> None:
        bench.simulator.faults.add(Fault(kind="reset_after", method="POST", path=r"/tags$"))
        draft = Draft(fields={"title": "x", "labels": ("new",)})
        with pytest.raises(RetryLater):
            await bench.session.create(bench.project, draft, KEY)
        assert bench.simulator.objects(bench.project) == []
        await bench.session.create(bench.project, draft, KEY)
        assert [tag.name for tag in bench.simulator.workspace.tags.values()] == ["new"]

    async def test_person_outside_the_workspace_is_named_as_the_field(self, bench: Bench) -> None:
        draft = Draft(fields={"title": "x", "assignee": "424242"}, whole=True)
        with pytest.raises(Park) as refused:
            await bench.session.create(bench.project, draft, KEY)
        assert refused.value.field == "assignee"
        assert refused.value.park_class is ParkClass.REJECTED

    async def test_what_is_refused_is_left_to_the_next_write(self, bench: Bench) -> None:
        fields: Fields = {"title": "x", "assignee": "424242", "start": "2026-12-01", "labels": ("bug",)}
        made = await bench.session.create(bench.project, Draft(fields=fields), KEY)
        assert (made.fields["title"], made.fields["assignee"], made.fields["start"]) == ("x", None, None)

    async def test_deleted_tag_is_made_again(self, bench: Bench) -> None:
        draft = Draft(fields={"title": "x", "labels": ("Bug",)})
        await bench.session.create(bench.project, draft, KEY)
        (gid,) = bench.simulator.workspace.tags
        del bench.simulator.workspace.tags[gid]
        record = await bench.session.create(bench.project, draft, KEY)
        assert record.fields["labels"] == ("Bug",)

    async def test_clock_that_is_behind_does_not_hide_the_task(self, bench: Bench) -> None:
        bench.simulator.clock.skew_s = -3600
        await bench.session.create(bench.project, Draft(fields={"title": "x"}), KEY)
        assert (await bench.session.check()).clock_offset_s == pytest.approx(-3600, abs=2)
        assert len(await bench.session.find_created(bench.project, KEY, datetime.now(UTC))) == 1


class TestUpdate:
    async def test_one_put_for_plain_fields(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a", notes="kept"))
        after = await bench.session.update(before.ref, {"title": "b", "state": "closed"}, before)
        assert (after.fields["title"], after.fields["state"]) == ("b", "closed")
        assert after.version > before.version
        (put,) = bench.simulator.journal.by("PUT", "/tasks/")
        assert put.body["data"] == {"name": "b", "completed": True}

    async def test_new_notes_keep_the_line(self, bench: Bench) -> None:
        made = await bench.session.create(bench.project, Draft(fields={"title": "x", "notes": "old"}), KEY)
        bench.simulator.edit(made.ref.id, notes=f"<body>old\n\n{LINE}\n\nwritten below</body>")
        read = await bench.read(made.ref.id)
        assert bench.session.same("notes", "old\n\nwritten below", read.fields["notes"])
        after = await bench.session.update(made.ref, {"notes": "new"}, read)
        assert bench.simulator.view(made.ref.id)["notes"] == f"<body>new\n\n{LINE}</body>"  # type: ignore[index]
        assert after.keys == {URL}

    async def test_labels_alone_need_no_put(self, bench: Bench) -> None:
        gid = bench.simulator.new(bench.project, title="a", labels=["Bug", "old"])
        before = await bench.read(gid)
        bench.simulator.edit(gid, labels=["Bug", "old", "by ada"])
        after = await bench.session.update(before.ref, {"labels": ("bug", "new")}, before)
        assert after.fields["labels"] == ("Bug", "by ada", "new")
        assert sorted(bench.calls()) == ["POST addTag", "POST removeTag", "POST tags"]

    async def test_followers_by_difference(self, bench: Bench) -> None:
        ada, bob = (bench.simulator.people[name].gid for name in ("ada", "bob"))
        gid = bench.simulator.new(bench.project, title="a", by="ada")
        before = await bench.read(gid)
        after = await bench.session.update(before.ref, {"followers": (bob,)}, before)
        assert before.fields["followers"] == (ada,)
        assert after.fields["followers"] == (bob,)

    async def test_read_that_lags_behind_shows_no_old_labels(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a"))
        bench.simulator.clock.advance(120)
        bench.simulator.visible_after_s = 60
        after = await bench.session.update(before.ref, {"labels": ("new",)}, before)
        assert after.fields["labels"] == ("new",)

    async def test_notes_are_not_written_over_a_state_that_is_older(self, bench: Bench) -> None:
        bench.simulator.visible_after_s = 60
        made = await bench.session.create(bench.project, Draft(fields={"title": "x", "notes": "old"}), KEY)
        with pytest.raises(RetryLater):
            await bench.session.update(made.ref, {"notes": "new"}, made)
        assert bench.calls() == ["POST tasks"]

    async def test_later_part_that_does_not_go_through_is_unknown(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a"))
        bench.simulator.faults.add(Fault(kind="429", method="POST", path="/addTag$"))
        with pytest.raises(OutcomeUnknown):
            await bench.session.update(before.ref, {"title": "b", "labels": ("new",)}, before)

    async def test_whole_values_are_written_before_elements_of_sets(self, bench: Bench) -> None:
        """What is written last is furthest from the reading: elements overwrite nothing."""
        before = await bench.read(bench.simulator.new(bench.project, title="a"))
        after = await bench.session.update(before.ref, {"title": "b", "labels": ("x", "y")}, before)
        assert bench.calls() == [f"PUT {before.ref.id}", *["POST tags", "POST addTag"] * 2]
        assert (after.fields["title"], after.fields["labels"]) == ("b", ("x", "y"))

    async def test_first_part_that_does_not_go_through_can_be_repeated(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a"))
        bench.simulator.faults.add(Fault(kind="429", method="PUT"))
        with pytest.raises(RetryLater):
            await bench.session.update(before.ref, {"title": "b"}, before)

    async def test_refused_label_is_named(self, bench: Bench) -> None:
        gid = bench.simulator.new(bench.project, title="a")
        before = await bench.read(gid)
        bench.simulator.remove(gid)
        with pytest.raises(Park) as refused:
            await bench.session.update(before.ref, {"labels": ("new",)}, before)
        assert refused.value.field == "labels"

    async def test_state_of_an_approval_is_left_to_people(self, bench: Bench) -> None:
        gid = bench.simulator.new(bench.project, title="a", kind="approval")
        before = await bench.read(gid)
        assert before.read_only == {"state"}
        with pytest.raises(Park) as refused:
            await bench.session.update(before.ref, {"state": "closed"}, before)
        assert refused.value.field == "state"
        assert bench.calls() == []

    async def test_lost_answer_is_unknown(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a"))
        bench.simulator.faults.add(Fault(kind="garbage", method="PUT"))
        with pytest.raises(OutcomeUnknown):
            await bench.session.update(before.ref, {"title": "b"}, before)


class TestFetch:
    async def test_trashed_private_and_unknown_look_alike(self, bench: Bench) -> None:
        trashed, private = (bench.simulator.new(bench.project, title=title) for title in "ab")
        bench.simulator.remove(trashed)
        bench.simulator.hide(private)
        refs = [bench.ref(gid) for gid in (trashed, private, "424242", "no-id")]
        refs.append(Ref("asana", "1", "comment", "5"))
        found = await bench.session.fetch_many(refs)
        assert list(found) == refs
        assert all(isinstance(answer, Hidden) for answer in found.values())

    async def test_deleting_twice_is_success(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a"))
        await bench.session.delete(before.ref, before)
        await bench.session.delete(before.ref, before)
        assert bench.simulator.objects(bench.project) == []


class TestComments:
    async def test_copy_has_a_header_and_reads_back_without(self, bench: Bench) -> None:
        gid = bench.simulator.new(bench.project, title="a")
        bench.simulator.comment(gid, "first", by="ada")
        draft = CommentDraft(text="Works `now`.", author_name="bob", source_url=f"{URL}#issuecomment-1")
        posted = await bench.session.add_comment(bench.ref(gid), draft)
        theirs, ours = await bench.session.comments(bench.ref(gid))
        assert (theirs.text.strip(), theirs.by_us, theirs.author.name) == ("first", False, "Ada Lovelace")
        assert ours == posted
        assert (ours.text.strip(), ours.source_url, ours.by_us) == (draft.text, draft.source_url, True)
        html = bench.simulator.view(gid)["comments"][1]["html"]  # type: ignore[index]
        header = f'<strong><a href="{draft.source_url}">bob</a></strong>'
        assert html == f"<body>{header}\n\nWorks <code>now</code>.</body>"
        edited = await bench.session.edit_comment(ours.ref, replace(draft, text="Still."))
        assert (edited.text.strip(), edited.parent) == ("Still.", bench.ref(gid))
        await bench.session.delete_comment(ours.ref)
        await bench.session.delete_comment(ours.ref)
        assert [comment.ref for comment in await bench.session.comments(bench.ref(gid))] == [theirs.ref]

    async def test_another_s_comment_cannot_be_edited(self, bench: Bench) -> None:
        gid = bench.simulator.new(bench.project, title="a")
        bench.simulator.comment(gid, "first", by="ada")
        (comment,) = await bench.session.comments(bench.ref(gid))
        with pytest.raises(Park) as refused:
            await bench.session.edit_comment(
                comment.ref, CommentDraft(text="x", author_name="y", source_url=URL)
            )
        assert refused.value.park_class is ParkClass.PERMISSION

    async def test_history_tells_old_and_new_values(self, bench: Bench) -> None:
        gid = bench.simulator.new(bench.project, title="a")
        since = bench.simulator.clock.now()
        bench.simulator.edit(gid, title="b", by="bob")
        bench.simulator.edit(gid, state="closed", labels=["x"])
        times = await bench.session.field_times(bench.ref(gid), since.replace(microsecond=0))
        by_field = {time.field: time for time in times}
        assert (by_field["title"].before, by_field["title"].after) == ("a", "b")
        assert by_field["title"].author is not None
        assert by_field["title"].author.name == "Bob Stone"
        assert by_field["state"].has_values
        assert not by_field["labels"].has_values


class TestAccount:
    async def test_check(self, bench: Bench) -> None:
        account = await bench.session.check()
        assert account.id == bench.simulator.people["bot"].gid
        assert account.site == bench.simulator.workspace.gid
        assert account.missing == ()
        assert account.clock_offset_s == pytest.approx(0, abs=2)

    async def test_other_workspace(self, bench: Bench) -> None:
        async with bench.opened(workspace="99") as session:
            with pytest.raises(PauseConnection):
                await session.check()

    async def test_people_and_projects(self, bench: Bench) -> None:
        people = await bench.session.people(bench.project)
        assert {user.email for user in people} >= {"ada@example.com", "bob@example.com"}
        assert bench.project in [container.id for container in await bench.session.containers()]
        assert list((await bench.session.container(bench.project)).sections.values())[1:] == [
            "Backlog",
            "In progress",
            "Done",
        ]


class TestSettings:
    def test_number_for_workspace_and_slash_are_understood(self) -> None:
        settings = AsanaSettings.model_validate({"workspace": 12, "base_url": "http://127.0.0.1:1/api/1.0/"})
        assert (connector.site(settings), connector.base_url(settings)) == (
            "12",
            "http://127.0.0.1:1/api/1.0",
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"workspace": ""},
            {"workspace": "../users"},
            {"workspace": "1", "base_url": "ftp://x"},
            {"workspace": "1", "base_url": "https://user@x"},
            {"workspace": "1", "subscriptions": "yes"},
            {"workspace": "1", "surprise": 1},
        ],
    )
    def test_wrong_settings(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            AsanaSettings.model_validate(wrong)
