"""Custom fields of a project: what there is to choose, how values are read and written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.asana.conftest import CustomFields, name_of, specs
from connectors.asana.custom_fields import custom_field, custom_values, fixed
from connectors.asana.simulated_custom_fields import CustomField
from connectors.errors import Park
from connectors.records import Draft, Key, Record, Value

if TYPE_CHECKING:
    from connectors.asana.conftest import Bench

KEY = Key(token="k1", url="https://github.com/acme/website/issues/12", label="acme/website#12")


async def written(bench: Bench, gid: str, field: CustomField, value: Value) -> Record:
    """The task after the value was written; what it answers is what is read, too."""
    await bench.session.fields(bench.project)
    before = await bench.read(gid)
    after = await bench.session.update(before.ref, {name_of(field): value}, before)
    assert bench.session.same(name_of(field), value, after.fields[name_of(field)])
    assert after.fields[name_of(field)] == (await bench.read(gid)).fields[name_of(field)]
    return after


class TestSpecs:
    async def test_every_kind_is_told_with_its_options(self, bench: Bench, fields: CustomFields) -> None:
        found = await specs(bench)
        kinds = {name_of(field): found[name_of(field)].kind for field in vars(fields).values()}
        assert [kind.value for kind in kinds.values()] == [
            "text",
            "number",
            "number",
            "number",
            "choice",
            "set",
            "date",
            "people",
            "set",
            "number",
            "text",
        ]
        low, high = (fields.option(fields.enum, name) for name in ("Low", "High"))
        assert found[name_of(fields.enum)].options == {low: "Low", high: "High"}
        assert found[name_of(fields.date)].times
        assert found[name_of(fields.text)].label == "Customer"
        read_only = {spec.label for spec in found.values() if not spec.writable}
        assert read_only == {"Related", "Double", "Id"}

    async def test_disabled_options_cannot_be_chosen(self, bench: Bench, fields: CustomFields) -> None:
        low = fields.option(fields.enum, "Low")
        bench.simulator.workspace.set_option(fields.enum.gid, low, enabled=False)
        assert list((await specs(bench))[name_of(fields.enum)].options.values()) == ["High"]

    async def test_values_cost_no_quota_where_a_project_has_no_fields(self, bench: Bench) -> None:
        await bench.session.listing(bench.project, None)
        assert "custom_fields" not in bench.simulator.journal[-1].query["opt_fields"]
        bench.simulator.new_field(bench.project, "Points", "number")
        await bench.session.container(bench.project)
        await bench.session.listing(bench.project, None)
        assert "custom_fields" in bench.simulator.journal[-1].query["opt_fields"]

    async def test_another_process_may_have_asked_for_the_fields(
        self, bench: Bench, fields: CustomFields
    ) -> None:
        gid = bench.simulator.new(bench.project, title="a", custom={fields.number.gid: 3.0})
        high = fields.option(fields.enum, "High")
        async with bench.opened() as session:
            before = (await session.fetch_many([bench.ref(gid)]))[bench.ref(gid)]
            assert isinstance(before, Record)
            assert before.fields[name_of(fields.number)] == 3
            change: dict[str, Value] = {name_of(fields.enum): high, "section": bench.section("Done")}
            after = await session.update(before.ref, change, before)
            assert after.fields[name_of(fields.enum)] == high
            assert after.places == {bench.project: bench.section("Done")}

    async def test_a_plan_without_custom_fields_still_syncs(self, bench: Bench) -> None:
        """1.14: a paid feature is 402."""
        bench.simulator.workspace.premium = False
        assert "section" in await specs(bench)

    async def test_what_is_not_a_field_is_passed_over(self) -> None:
        for row in (
            {},
            {"custom_field": None},
            {"custom_field": {"gid": "1", "resource_subtype": "hologram"}},
        ):
            assert custom_field(row) is None
        unknown = {"gid": "1", "resource_subtype": "hologram", "hologram_value": 1}
        assert custom_values({"custom_fields": [unknown, {"resource_subtype": "text"}, None]}) == {}

    async def test_a_disabled_field_is_read_and_not_written(self) -> None:
        row = {
            "custom_fields": [{"gid": "1", "resource_subtype": "text", "text_value": "x", "enabled": False}]
        }
        assert custom_values(row) == {"custom:1": "x"}
        assert fixed(row) == {"custom:1"}


class TestValues:
    async def test_values_of_every_kind_are_read_from_their_type(
        self, bench: Bench, fields: CustomFields
    ) -> None:
        """1.14: ``display_value`` is rounded and in somebody's language."""
        ada, bob = (bench.simulator.people[name].gid for name in ("ada", "bob"))
        other = bench.simulator.new(bench.project, title="the other one")
        custom = {
            fields.text.gid: "Acme",
            fields.number.gid: 1234.5,
            fields.percent.gid: 0.25,
            fields.cost.gid: 9.99,
            fields.enum.gid: fields.option(fields.enum, "High"),
            fields.multi.gid: tuple(fields.option(fields.multi, name) for name in ("Safari", "Chrome")),
            fields.date.gid: date(2026, 5, 1),
            fields.people.gid: (bob, ada),
            fields.reference.gid: (other,),
        }
        record = await bench.read_with_fields(bench.simulator.new(bench.project, title="a", custom=custom))
        values = {label: record.fields[name_of(field)] for label, field in vars(fields).items()}
        assert values.pop("id").startswith("BUG-")  # type: ignore[union-attr]
        assert values == {
            "text": "Acme",
            "number": 1234.5,
            "percent": 0.25,
            "cost": 9.99,
            "enum": fields.option(fields.enum, "High"),
            "multi": ("Chrome", "Safari"),
            "date": "2026-05-01",
            "people": tuple(sorted((ada, bob))),
            "reference": ("the other one",),
            "formula": 2469.0,
        }
        assert record.read_only == {name_of(f) for f in (fields.reference, fields.formula, fields.id)}

    async def test_empty_values(self, bench: Bench, fields: CustomFields) -> None:
        record = await bench.read_with_fields(bench.simulator.new(bench.project, title="a"))
        values = [record.fields[name_of(field)] for field in list(vars(fields).values())[:10]]
        assert values == ["", None, None, None, None, (), None, (), (), None]

    async def test_single_values_are_written_and_cleared(self, bench: Bench, fields: CustomFields) -> None:
        gid = bench.simulator.new(bench.project, title="a")
        cases: list[tuple[CustomField, Value, Value, object]] = [
            (fields.text, "Acme", "", None),
            (fields.number, 12.5, None, None),
            (fields.enum, fields.option(fields.enum, "Low"), None, None),
            (fields.date, "2026-05-01", None, None),
            (fields.date, "2026-05-01T10:00:00.000Z", None, None),
        ]
        for field, value, nothing, empty in cases:
            assert (await written(bench, gid, field, value)).fields[name_of(field)] == value
            await written(bench, gid, field, nothing)
            assert bench.simulator.view(gid)["custom"][field.gid] == empty  # type: ignore[index]

    async def test_a_number_is_rounded_as_asana_does(self, bench: Bench, fields: CustomFields) -> None:
        gid = bench.simulator.new(bench.project, title="a")
        assert (await written(bench, gid, fields.number, 1.26)).fields[name_of(fields.number)] == 1.3
        assert (await written(bench, gid, fields.percent, 0.256)).fields[name_of(fields.percent)] == 0.26
        same = bench.session.same
        assert not same(name_of(fields.number), 1.26, 1.4)
        assert not same(name_of(fields.number), None, 0)
        assert same(name_of(fields.text), " Acme", "Acme ")
        assert same(name_of(fields.date), "2026-05-01T10:00:00Z", "2026-05-01T10:00:00.000Z")
        assert same(name_of(fields.multi), ("safari",), ("Safari",))

    async def test_lists_are_written_by_their_difference(self, bench: Bench, fields: CustomFields) -> None:
        """1.14: lists replace what stands there."""
        gid = bench.simulator.new(bench.project, title="a")
        record = await written(bench, gid, fields.multi, ("Safari",))
        chrome = fields.option(fields.multi, "Chrome")
        safari = fields.option(fields.multi, "Safari")
        bench.simulator.edit(gid, custom={fields.multi.gid: (safari, chrome)})  # a person, meanwhile
        bench.simulator.workspace.set_option(fields.multi.gid, chrome, enabled=False)
        field = name_of(fields.multi)
        after = await bench.session.update(record.ref, {field: ("Safari", "Firefox")}, record)
        assert after.fields[field] == ("Chrome", "Firefox", "Safari")

        ada, bob = (bench.simulator.people[name].gid for name in ("ada", "bob"))
        record = await written(bench, gid, fields.people, (ada,))
        bench.simulator.edit(gid, custom={fields.people.gid: (ada, bob)})
        after = await bench.session.update(record.ref, {name_of(fields.people): ()}, record)
        assert after.fields[name_of(fields.people)] == (bob,)

    async def test_a_new_task_takes_values(self, bench: Bench, fields: CustomFields) -> None:
        high = fields.option(fields.enum, "High")
        values: dict[str, Value] = {
            name_of(fields.enum): high,
            name_of(fields.multi): ("Safari",),
            name_of(fields.number): 3,
        }
        record = await bench.session.create(bench.project, Draft(fields={"title": "x", **values}), KEY)
        assert record.fields.items() >= values.items()

    async def test_the_rest_stays(self, bench: Bench, fields: CustomFields) -> None:
        gid = bench.simulator.new(bench.project, title="a", custom={fields.text.gid: "Acme"})
        other = bench.simulator.new(bench.project, title="b")
        bench.simulator.workspace.change_dependencies(gid, None, add=[other])
        elsewhere = bench.simulator.new_container("Elsewhere")
        bench.simulator.add_to_project(gid, elsewhere)
        before = await bench.read_with_fields(gid)
        await bench.session.update(
            before.ref, {"title": "c", name_of(fields.number): 5, "due": "2026-05-01"}, before
        )
        task = bench.simulator.workspace.tasks[gid]
        assert task.custom == {fields.text.gid: "Acme", fields.number.gid: 5}
        assert task.dependencies == (other,)
        assert set(task.places) == {bench.project, elsewhere}

    async def test_history_tells_values_of_every_kind(self, bench: Bench, fields: CustomFields) -> None:
        gid = bench.simulator.new(bench.project, title="a")
        since = bench.simulator.clock.now() - timedelta(seconds=1)
        high, bob = fields.option(fields.enum, "High"), bench.simulator.people["bob"].gid
        changes: dict[str, tuple[Any, Value]] = {
            fields.text.gid: ("Acme", "Acme"),
            fields.number.gid: (3.0, 3.0),
            fields.enum.gid: (high, high),
            fields.multi.gid: ((fields.option(fields.multi, "Chrome"),), ("Chrome",)),
            fields.date.gid: (datetime(2026, 5, 1, 10, tzinfo=UTC), "2026-05-01T10:00:00.000Z"),
            fields.people.gid: ((bob,), (bob,)),
        }
        for field, (value, _) in changes.items():
            bench.simulator.edit(gid, custom={field: value}, by="bob")
        bench.simulator.edit(gid, custom={fields.reference.gid: (gid,)})
        bench.simulator.edit(gid, section="Done")
        times = await bench.session.field_times(bench.ref(gid), since)
        told = {time.field: time for time in times}
        for field, (_, after) in changes.items():
            assert told[f"custom:{field}"].has_values
            assert told[f"custom:{field}"].after == after
        assert not told[name_of(fields.reference)].has_values
        assert told["section"].after == bench.section("Done")


class TestRefusals:
    async def test_what_nobody_can_choose_is_parked_before_it_is_sent(
        self, bench: Bench, fields: CustomFields
    ) -> None:
        """1.14: an enum by its name, or a disabled option, is 400."""
        gid = bench.simulator.new(bench.project, title="a")
        low = fields.option(fields.enum, "Low")
        bench.simulator.workspace.set_option(fields.enum.gid, low, enabled=False)
        before = await bench.read_with_fields(gid)
        for field, value in (
            (fields.enum, "High"),
            (fields.enum, low),
            (fields.multi, ("Opera",)),
            (fields.formula, 1),
        ):
            with pytest.raises(Park) as refused:
                await bench.session.update(before.ref, {name_of(field): value}, before)
            assert refused.value.field == name_of(field)
            assert refused.value.fix
        assert bench.calls() == []

    async def test_a_disabled_option_that_stands_stays(self, bench: Bench, fields: CustomFields) -> None:
        low = fields.option(fields.enum, "Low")
        gid = bench.simulator.new(bench.project, title="a", custom={fields.enum.gid: low})
        bench.simulator.workspace.set_option(fields.enum.gid, low, enabled=False)
        before = await bench.read_with_fields(gid)
        assert before.fields[name_of(fields.enum)] == low
        await bench.session.update(before.ref, {"title": "b"}, before)
        assert bench.simulator.view(gid)["custom"][fields.enum.gid] == low  # type: ignore[index]

    async def test_the_field_at_fault_is_named(self, bench: Bench, fields: CustomFields) -> None:
        """1.14: an option disabled meanwhile is 400, an unattached field 400, a locked one 403."""
        workspace, gid = bench.simulator.workspace, bench.simulator.new(bench.project, title="a")
        before = await bench.read_with_fields(gid)
        high = fields.option(fields.enum, "High")
        workspace.set_option(fields.enum.gid, high, enabled=False)
        workspace.lock(fields.number.gid)
        project = workspace.projects[bench.project]
        kept = tuple(one for one in project.custom_fields if one != fields.text.gid)
        workspace.projects[bench.project] = replace(project, custom_fields=kept)
        for field, value, status in (
            (fields.enum, high, 400),
            (fields.number, 1, 403),
            (fields.text, "x", 400),
        ):
            with pytest.raises(Park) as refused:
                await bench.session.update(before.ref, {"title": "b", name_of(field): value}, before)
            assert (refused.value.field, refused.value.status) == (name_of(field), status)

    async def test_a_field_of_no_project_is_parked(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a"))
        with pytest.raises(Park) as refused:
            await bench.session.update(before.ref, {"custom:99": "x"}, before)
        assert refused.value.field == "custom:99"

    async def test_custom_task_types_decide_themselves_what_is_completed(self, bench: Bench) -> None:
        before = await bench.read(bench.simulator.new(bench.project, title="a", kind="custom"))
        with pytest.raises(Park) as refused:
            await bench.session.update(before.ref, {"state": "closed"}, before)
        assert refused.value.field == "state"
