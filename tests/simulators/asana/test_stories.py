"""Comments and the history of a simulated Asana, quirk by quirk."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api


async def test_system_stories_are_the_history_of_fields(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="old")
    asana.edit(task, title="new", by="bob")
    asana.edit(task, assignee="bob")
    asana.edit(task, state="closed", labels=["bug"], section="Done")
    asana.edit(task, state="open", labels=[], assignee=None, notes="why")
    asana.edit(task, due_on=datetime(2026, 5, 1, tzinfo=UTC).date())

    fields = (
        "type,resource_subtype,old_name,new_name,assignee,tag.name,old_section.name,new_section.name,"
        "created_by,created_at,new_dates"
    )
    stories = {s["resource_subtype"]: s for s in await api.get(f"/tasks/{task}/stories", opt_fields=fields)}

    assert set(stories) == {
        "added_to_project",
        "name_changed",
        "assigned",
        "unassigned",
        "marked_complete",
        "marked_incomplete",
        "added_to_tag",
        "removed_from_tag",
        "section_changed",
        "notes_changed",
        "due_date_changed",
    }
    assert {story["type"] for story in stories.values()} == {"system"}
    renamed, moved = stories["name_changed"], stories["section_changed"]
    assert (renamed["old_name"], renamed["new_name"]) == ("old", "new")
    assert renamed["created_by"]["gid"] == asana.people["bob"].gid
    assert (moved["old_section"]["name"], moved["new_section"]["name"]) == ("Untitled section", "Done")
    assert stories["assigned"]["assignee"]["gid"] == asana.people["bob"].gid
    assert stories["added_to_tag"]["tag"]["name"] == "bug"
    assert stories["due_date_changed"]["new_dates"]["due_on"] == "2026-05-01"


async def test_anothers_story_is_403(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="Broken")
    theirs = asana.comment(task, "by ada")
    own = (await api.post(f"/tasks/{task}/stories", text="by the bot"))["gid"]
    (system,) = (
        s for s in await api.get(f"/tasks/{task}/stories") if s["resource_subtype"] == "added_to_project"
    )

    for story in (theirs, system["gid"]):
        assert await api.rejected("PUT", f"/stories/{story}", text="mine now") == 403
        assert await api.refused("DELETE", f"/stories/{story}") == 403
    assert (await api.put(f"/stories/{own}", "is_edited", "text", text="changed"))["is_edited"] is True
    await api.ok("DELETE", f"/stories/{own}")
    assert await api.refused("GET", f"/stories/{own}") == 404


async def test_a_comment_has_text_or_html_text(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="Broken")
    both = {"text": "a", "html_text": "<body>a</body>"}

    assert await api.rejected("POST", f"/tasks/{task}/stories", **both) == 400
    assert await api.rejected("POST", f"/tasks/{task}/stories") == 400
