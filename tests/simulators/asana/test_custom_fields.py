"""Custom fields of a simulated Asana, quirk by quirk, and what the published document says of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.asana.simulated_custom_fields import CustomField
from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api, gids
from tests.specification.documents import required
from tests.specification.watch import Watch


@pytest.fixture
def priority(asana: AsanaSimulator, project: str) -> CustomField:
    return asana.new_field(project, "Priority", "enum", ["Low", "High"])


async def value(api: Api, task: str, field: CustomField) -> dict[str, Any]:
    (shown,) = [one for one in (await api.get(f"/tasks/{task}"))["custom_fields"] if one["gid"] == field.gid]
    return dict(shown)


async def test_an_enum_by_name_or_a_disabled_option_is_400(
    asana: AsanaSimulator, api: Api, project: str, priority: CustomField
) -> None:
    task, (low, high) = asana.new(project, title="x"), priority.options
    asana.workspace.set_option(priority.gid, low.gid, enabled=False)

    for wrong in ("High", low.gid, 1, ["x"]):
        assert await api.rejected("PUT", f"/tasks/{task}", custom_fields={priority.gid: wrong}) == 400
    await api.put(f"/tasks/{task}", custom_fields={priority.gid: high.gid})
    assert (await value(api, task, priority))["enum_value"]["name"] == "High"
    await api.put(f"/tasks/{task}", custom_fields={priority.gid: None})
    assert (await value(api, task, priority))["enum_value"] is None


async def test_a_disabled_option_that_stands_may_stay(
    asana: AsanaSimulator, api: Api, project: str, priority: CustomField
) -> None:
    low = priority.options[0].gid
    task = asana.new(project, title="x", custom={priority.gid: low})
    asana.workspace.set_option(priority.gid, low, enabled=False)

    await api.put(f"/tasks/{task}", custom_fields={priority.gid: low})

    assert (await value(api, task, priority))["enum_value"] == {
        "gid": low,
        "resource_type": "enum_option",
        "name": "Low",
        "enabled": False,
        "color": "none",
    }


async def test_an_unattached_field_is_400_a_locked_one_403_an_unpaid_one_402(
    asana: AsanaSimulator, api: Api, project: str, priority: CustomField
) -> None:
    task, elsewhere = asana.new(project, title="x"), asana.new_container("Elsewhere")
    foreign = asana.new_field(elsewhere, "Foreign", "text")
    formula = asana.new_field(project, "Sum", "formula")
    high = priority.options[1].gid
    path = f"/tasks/{task}"

    assert await api.rejected("PUT", path, custom_fields={foreign.gid: "x"}) == 400
    assert await api.rejected("PUT", path, custom_fields={formula.gid: 1}) == 403
    asana.workspace.lock(priority.gid)
    assert await api.rejected("PUT", path, custom_fields={priority.gid: high}) == 403
    asana.workspace.premium = False
    assert await api.rejected("PUT", path, custom_fields={priority.gid: high}) == 402
    assert await api.refused("GET", f"/projects/{project}/custom_field_settings") == 402


async def test_lists_replace_what_stood_there(asana: AsanaSimulator, api: Api, project: str) -> None:
    browsers = asana.new_field(project, "Browsers", "multi_enum", ["Safari", "Firefox", "Chrome"])
    people = asana.new_field(project, "Reviewers", "people")
    safari, firefox, chrome = (option.gid for option in browsers.options)
    task = asana.new(project, title="x", custom={browsers.gid: (safari, firefox)})
    ada, bob = (asana.people[name].gid for name in ("ada", "bob"))

    await api.put(f"/tasks/{task}", custom_fields={browsers.gid: [chrome], people.gid: [ada]})
    await api.put(f"/tasks/{task}", custom_fields={people.gid: ["bob@example.com"]})

    assert gids((await value(api, task, browsers))["multi_enum_values"]) == [chrome]
    assert gids((await value(api, task, people))["people_value"]) == [bob]


async def test_display_value_is_rounded_and_in_somebodys_language(
    asana: AsanaSimulator, api: Api, project: str, priority: CustomField
) -> None:
    number = asana.new_field(project, "Points", "number", precision=2)
    percent = asana.new_field(project, "Done", "number", format="percentage")
    launch = asana.new_field(project, "Launch", "date")
    custom = {number.gid: 1234.5, percent.gid: 0.25, launch.gid: date(2026, 5, 1)}
    task = asana.new(project, title="x", custom=custom)

    shown = {one["gid"]: one["display_value"] for one in (await api.get(f"/tasks/{task}"))["custom_fields"]}

    assert shown == {
        number.gid: "1,234.50",
        percent.gid: "25%",
        launch.gid: "01.05.2026",
        priority.gid: None,
    }


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("text", "x" * 1025),
        ("text", 7),
        ("number", "7"),
        ("number", True),
        ("date", "2026-05-01"),
        ("date", {"date": "May"}),
        ("date", {}),
        ("multi_enum", "Safari"),
        ("people", "ada@example.com"),
        ("reference", ["abc"]),
    ],
)
async def test_a_value_of_another_type_is_400(
    asana: AsanaSimulator, api: Api, project: str, kind: str, wrong: Any
) -> None:
    field = asana.new_field(project, "Field", kind, ["Safari"] if kind == "multi_enum" else ())
    task = asana.new(project, title="x")

    assert await api.rejected("PUT", f"/tasks/{task}", custom_fields={field.gid: wrong}) == 400
    assert await api.rejected("PUT", f"/tasks/{task}", custom_fields="x") == 400


async def test_a_changed_value_moves_modified_at_and_names_the_field_in_its_event(
    asana: AsanaSimulator, api: Api, project: str, priority: CustomField
) -> None:
    task = asana.new(project, title="x")
    before = asana.workspace.tasks[task].modified_at
    asana.clock.advance(1)
    high = priority.options[1].gid

    asana.edit(task, custom={priority.gid: high})

    assert asana.workspace.tasks[task].modified_at > before
    stories = await api.get(f"/tasks/{task}/stories", opt_fields="resource_subtype,new_enum_value.name")
    assert stories[-1]["resource_subtype"] == "enum_custom_field_changed"
    assert stories[-1]["new_enum_value"] == {"gid": high, "name": "High"}


async def test_at_most_30_dependencies_of_both_directions(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task, *others = (asana.new(project, title=f"{number}") for number in range(32))
    await api.post(f"/tasks/{task}/addDependencies", dependencies=others[:29])
    await api.post(f"/tasks/{others[29]}/addDependencies", dependencies=[task])

    assert await api.rejected("POST", f"/tasks/{task}/addDependencies", dependencies=[others[30]]) == 400
    assert await api.rejected("POST", f"/tasks/{others[30]}/addDependencies", dependencies=[task]) == 400
    await api.post(f"/tasks/{task}/removeDependencies", dependencies=others[:1])
    assert gids(await api.get(f"/tasks/{task}/dependencies")) == others[1:29]
    read = await api.get(f"/tasks/{task}", opt_fields="dependencies,dependents")
    assert (len(read["dependencies"]), gids(read["dependents"])) == (28, [others[29]])


async def test_the_status_of_a_custom_type_decides_what_is_completed(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="x", kind="custom")

    assert await api.rejected("PUT", f"/tasks/{task}", completed=True) == 400


async def test_answers_conform_to_the_published_openapi(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    required()
    watch = Watch()
    with watch.watching(asana):
        await _everything(asana, api, project)
    found = watch.findings()
    assert found == [], "\n".join(found)


async def _everything(asana: AsanaSimulator, api: Api, project: str) -> None:
    """Each kind of field read, written, and told in stories and events."""
    kinds = ("text", "number", "enum", "multi_enum", "date", "people", "reference", "formula", "custom_id")
    fields = {
        kind: asana.new_field(project, kind, kind, ["a", "b"] if "enum" in kind else ()) for kind in kinds
    }
    other, ada = asana.new(project, title="other"), asana.people["ada"].gid
    options = [option.gid for option in fields["multi_enum"].options]
    token = (await api.http.get("/events", params={"resource": project})).json()["sync"]
    task = await api.post(
        "/tasks",
        name="x",
        projects=[project],
        custom_fields={
            fields["text"].gid: "Acme",
            fields["number"].gid: 3,
            fields["enum"].gid: fields["enum"].options[0].gid,
            fields["multi_enum"].gid: options,
            fields["date"].gid: {"date_time": "2026-05-01T10:00:00.000Z"},
            fields["people"].gid: [ada],
            fields["reference"].gid: [other],
        },
    )
    gid = task["gid"]
    changed = {fields["text"].gid: "Ada", fields["number"].gid: 5, fields["enum"].gid: None}
    await api.put(f"/tasks/{gid}", custom_fields=changed)
    await api.put(f"/tasks/{gid}", custom_fields={fields["date"].gid: {"date": "2026-05-01"}})
    await api.put(f"/tasks/{gid}", custom_fields={fields["multi_enum"].gid: [], fields["people"].gid: []})
    await api.put(f"/tasks/{gid}", due_on="2026-05-08", start_on="2026-05-01")
    asana.edit(gid, due=datetime(2026, 5, 9, tzinfo=UTC))
    await api.rejected("PUT", f"/tasks/{gid}", custom_fields={"1": "x"})
    await api.post(f"/tasks/{gid}/addDependencies", dependencies=[other])
    for path in (
        f"/projects/{project}/custom_field_settings",
        f"/projects/{project}/custom_field_settings?limit=2&opt_fields=custom_field.name,custom_field.precision",
        f"/custom_fields/{fields['enum'].gid}",
        f"/tasks/{gid}",
        f"/tasks/{gid}?opt_fields=custom_fields.enum_value.name,custom_fields.people_value,dependencies",
        f"/tasks/{gid}/stories?limit=100",
        f"/tasks/{gid}/stories?opt_fields=custom_field.name,new_dates,old_dates,new_date_value,new_people_value",
        f"/tasks/{gid}/dependencies",
        f"/events?resource={project}&sync={token}",
    ):
        assert (await api.http.get(path)).status_code == 200, path
