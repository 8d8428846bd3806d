"""Fields beyond text and people: what is read of them, what writing them takes, what GitHub makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import Park, RetryLater
from connectors.github.conftest import REPOSITORY, drained, fetched, made, opened
from connectors.github.fields import checks, due, review
from connectors.github.session import GitHubSession
from connectors.github.simulator import GitHubSimulator
from connectors.records import Draft, FieldKind, Fields, FieldSpec, Key, Record
from connectors.simulation import Fault

KEY = Key("k1", "https://app.asana.com/0/1/2", "Task")


async def specs(session: GitHubSession) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in await session.fields(REPOSITORY)}


async def changed(session: GitHubSession, record: Record, **fields: Any) -> Fields:
    """The fields after these were written; ``custom_`` stands for ``custom:``."""
    named = {name.replace("custom_", "custom:"): value for name, value in fields.items()}
    return (await session.update(record.ref, named, record)).fields


# --- milestones ----------------------------------------------------------------------------------------


async def test_a_milestone_is_chosen_by_number_and_shows_its_title(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    first, second = github.new_milestone(REPOSITORY, "v1"), github.new_milestone(REPOSITORY, "v2")
    github.close_milestone(REPOSITORY, first)
    spec = (await specs(session))["milestone"]
    assert (spec.kind, list(spec.options.items())) == (
        FieldKind.CHOICE,
        [(str(second), "v2"), (str(first), "v1")],
    )
    record = await made(github, session)
    assert record.fields["milestone"] is None
    assert (await changed(session, record, milestone=str(second)))["milestone"] == str(second)
    assert (await changed(session, record, milestone=None))["milestone"] is None
    draft = Draft(fields={"title": "T", "milestone": str(first)})
    assert (await session.create(REPOSITORY, draft, KEY)).fields["milestone"] == str(first)


async def test_a_milestone_that_is_not_there_is_parked(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    record = await made(github, session)
    with pytest.raises(Park) as refused:
        await session.update(record.ref, {"milestone": "77"}, record)
    assert (refused.value.field, bool(refused.value.fix)) == ("milestone", True)


@pytest.mark.parametrize("month", [1, 7])
async def test_the_due_day_of_a_milestone_never_drifts(
    github: GitHubSimulator, session: GitHubSession, month: int
) -> None:
    number = github.new_milestone(REPOSITORY, "v1", due_on=datetime(2026, month, 31, 12, tzinfo=UTC))
    record = await made(github, session, milestone=number)
    assert record.fields["due"] == f"2026-{month:02}-31"
    milestone = github.repository(REPOSITORY).milestones[number]
    assert milestone.due_on is not None
    assert milestone.due_on.hour in (7, 8), "GitHub keeps midnight in California"
    with pytest.raises(Park) as refused:
        await session.update(record.ref, {"due": "2026-01-01"}, record)
    assert refused.value.field == "due"


def test_without_a_date_there_is_no_due_day() -> None:
    assert due(None) is None


async def test_a_new_milestone_can_be_written_as_soon_as_an_issue_has_it(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    record = await made(github, session)
    with pytest.raises(Park):
        await session.update(record.ref, {"milestone": "1"}, record)
    number = str(github.new_milestone(REPOSITORY, "v1"))
    with pytest.raises(Park):
        await session.update(record.ref, {"milestone": number}, record)
    await made(github, session, milestone=int(number))
    assert (await changed(session, record, milestone=number))["milestone"] == number


async def test_what_is_offered_is_asked_for_once_by_writes_and_unchanged_it_costs_nothing(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    number = str(github.new_milestone(REPOSITORY, "v1"))
    record = await made(github, session)
    for milestone in (number, None, number):
        record = await session.update(record.ref, {"milestone": milestone}, record)
    assert len(github.journal.by("GET", "/milestones$")) == 1
    for _ in range(2):
        assert (await specs(session))["milestone"].options == {number: "v1"}
    assert github.journal.by("GET", "/milestones$")[-1].status == 304


async def test_while_github_is_away_what_was_known_is_offered(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    github.faults.add(Fault(kind="503", path="/milestones"))
    with pytest.raises(RetryLater):
        await session.fields(REPOSITORY)
    github.new_milestone(REPOSITORY, "v1")
    assert (await specs(session))["milestone"].options
    await made(github, session, milestone=github.new_milestone(REPOSITORY, "v2"))
    github.faults.add(Fault(kind="503", path="/milestones"))
    assert len((await specs(session))["milestone"].options) == 1


# --- states and their reasons --------------------------------------------------------------------------


async def test_a_reason_is_written_with_the_state(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    assert record.fields["custom:state_reason"] is None
    fields = await changed(session, record, state="closed", custom_state_reason="not_planned")
    assert (fields["state"], fields["custom:state_reason"]) == ("closed", "not_planned")
    fields = await changed(session, await fetched(session, record.ref), state="open")
    assert (fields["state"], fields["custom:state_reason"]) == ("open", "reopened")
    assert session.same("custom:state_reason", None, "reopened")
    assert not session.same("custom:state_reason", None, "completed")
    fields = await changed(session, await fetched(session, record.ref), state="closed")
    assert fields["custom:state_reason"] == "completed"


async def test_a_reason_alone_shows_in_the_answer_as_not_taken(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    record = await made(github, session, state="closed")
    fields = await changed(session, record, custom_state_reason="duplicate")
    (call,) = github.journal.by("PATCH", "/issues/1$")
    assert call.body == {"state": "closed", "state_reason": "duplicate"}
    assert fields["custom:state_reason"] == "completed", "GitHub ignores it unless the state changes, too"


async def test_a_reason_never_closes_an_issue(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    with pytest.raises(Park) as refused:
        await changed(session, record, custom_state_reason="not_planned")
    assert refused.value.field == "custom:state_reason"
    assert github.journal.writes() == []


async def test_made_closed_with_its_reason(github: GitHubSimulator, session: GitHubSession) -> None:
    draft = Draft(fields={"title": "T", "state": "closed", "custom:state_reason": "duplicate"})
    assert (await session.create(REPOSITORY, draft, KEY)).fields["custom:state_reason"] == "duplicate"


# --- types and issue fields ----------------------------------------------------------------------------


async def test_types_are_there_where_the_organisation_has_them(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    assert "custom:type" not in await specs(session)
    _, epic = github.new_issue_type("Bug"), str(github.new_issue_type("Epic"))
    record = await made(github, session, type="Epic")
    assert record.fields["custom:type"] == epic


async def test_a_type_is_written_by_name_and_taken_away(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    bug = str(github.new_issue_type("Bug"))
    assert (await specs(session))["custom:type"].options == {bug: "Bug"}
    record = await made(github, session)
    assert (await changed(session, record, custom_type=bug))["custom:type"] == bug
    assert (await changed(session, record, custom_type=None))["custom:type"] is None
    draft = Draft(fields={"title": "T", "custom:type": bug})
    assert (await session.create(REPOSITORY, draft, KEY)).fields["custom:type"] == bug
    pull = await made(github, session, kind="pull")
    with pytest.raises(Park):
        await session.update(pull.ref, {"custom:type": bug}, pull)


async def test_issue_fields_of_every_sort(github: GitHubSimulator, session: GitHubSession) -> None:
    kinds: dict[str, tuple[str, list[str], FieldKind, Any, Any]] = {
        "Text": ("text", [], FieldKind.TEXT, "words", ""),
        "Points": ("number", [], FieldKind.NUMBER, 2.5, None),
        "Day": ("date", [], FieldKind.DATE, "2026-01-31", None),
        "Priority": ("single_select", ["High", "Low"], FieldKind.CHOICE, "Low", None),
        "Areas": ("multi_select", ["UI", "API"], FieldKind.SET, ("API", "UI"), ()),
    }
    names = {
        label: f"custom:{github.new_issue_field(label, data_type, options)}"
        for label, (data_type, options, *_) in kinds.items()
    }
    offered = await specs(session)
    record = await made(github, session)
    for label, (_, _, kind, value, empty) in kinds.items():
        spec = offered[names[label]]
        assert (spec.kind, spec.label) == (kind, label)
        assert record.fields[spec.name] == empty
        written = (
            next(id for id, name in spec.options.items() if name == value) if label == "Priority" else value
        )
        draft = Draft(fields={"title": "T", spec.name: written})
        assert (await session.create(REPOSITORY, draft, KEY)).fields[spec.name] == written
        record = await session.update(record.ref, {spec.name: written}, record)
        assert record.fields[spec.name] == written
        record = await session.update(record.ref, {spec.name: empty}, record)
        assert record.fields[spec.name] == empty


async def test_an_option_that_is_not_there_is_parked(github: GitHubSimulator, session: GitHubSession) -> None:
    name = f"custom:{github.new_issue_field('Priority', 'single_select', ['High'])}"
    record = await made(github, session)
    with pytest.raises(Park) as refused:
        await session.update(record.ref, {name: "12"}, record)
    assert refused.value.field == name


async def test_what_an_organisation_does_not_show_is_said_only_where_it_is_missed(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    github.new_issue_type("Bug")
    github.new_issue_field("Points", "number")
    github.world.organizations["acme"].shown = False
    assert "custom:type" not in await specs(session)
    await made(github, session)
    assert (await session.check()).missing == ()
    await made(github, session, type="Bug", values={"Points": 3})
    assert len((await session.check()).missing) == 2


# --- conversations and pull requests -------------------------------------------------------------------


async def test_a_locked_conversation_shows(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await made(github, session)
    assert record.fields["custom:locked"] == "no"
    github.edit(record.ref.id, locked=True)
    assert (await fetched(session, record.ref)).fields["custom:locked"] == "yes"


async def test_an_issue_that_became_a_discussion_reads_closed_and_locked(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    record = await made(github, session)
    github.convert_to_discussion(record.ref.id)
    fields = (await fetched(session, record.ref)).fields
    assert (fields["state"], fields["custom:locked"]) == ("closed", "yes")


async def test_how_far_a_pull_request_is(github: GitHubSimulator, session: GitHubSession) -> None:
    pull = await made(github, session, kind="pull")
    told = [pull.fields["custom:pull_request"]]
    for step in (
        {"draft": True},
        {"draft": False, "state": "closed"},
        {"state": "open"},
        {"state": "merged"},
    ):
        github.edit(pull.ref.id, **step)
        told.append((await fetched(session, pull.ref)).fields["custom:pull_request"])
    assert told == ["open", "draft", "closed", "open", "merged"]
    assert pull.fields["custom:state_reason"] is None
    assert (await made(github, session)).fields["custom:pull_request"] is None


async def test_reviews_and_checks_are_read_where_that_is_asked_for(github: GitHubSimulator) -> None:
    async with opened(github) as session:
        assert not {"custom:review", "custom:checks"} & (await specs(session)).keys()
        pull = await made(github, session, kind="pull")
        assert "custom:review" not in (await fetched(session, pull.ref)).fields
        assert github.journal.by("GET", "/pulls/") == []
    async with opened(github, pull_request_details=True) as session:
        assert {"custom:review", "custom:checks"} <= (await specs(session)).keys()
        _, cursor = await drained(session, None)
        github.clock.advance(2)
        github.ask_for_review(pull.ref.id, "bob")
        github.check(pull.ref.id, "build", None)
        for expected in (("review_required", "pending"), ("approved", "pending"), ("approved", "success")):
            (change,), cursor = await drained(session, cursor)
            assert change.record is not None
            told = {name: change.record.fields[f"custom:{name}"] for name in ("review", "checks")}
            assert tuple(told.values()) == expected
            if told["review"] != "approved":
                github.clock.advance(2)
                github.review(pull.ref.id, "APPROVED", by="bob")
            else:
                github.check(pull.ref.id, "build", "success")
        assert await drained(session, cursor) == ([], cursor), "what is over is not looked at again"
        github.edit(pull.ref.id, state="merged")
        assert "custom:review" not in (await fetched(session, pull.ref)).fields


@pytest.mark.parametrize(
    ("states", "asked", "word"),
    [
        ([], False, "none"),
        ([], True, "review_required"),
        (["ada COMMENTED"], False, "none"),
        (["ada APPROVED"], False, "approved"),
        (["ada APPROVED"], True, "review_required"),
        (["ada APPROVED", "bob CHANGES_REQUESTED"], True, "changes_requested"),
        (["ada CHANGES_REQUESTED", "ada COMMENTED"], False, "changes_requested"),
        (["ada CHANGES_REQUESTED", "ada APPROVED"], False, "approved"),
        (["ada CHANGES_REQUESTED", "ada DISMISSED"], False, "none"),
    ],
)
def test_where_a_review_stands(states: list[str], asked: bool, word: str) -> None:
    reviews = [{"user": {"login": who}, "state": state} for who, state in map(str.split, states)]
    assert review({"requested_reviewers": [{}] if asked else []}, reviews) == word


@pytest.mark.parametrize(
    ("runs", "statuses", "word"),
    [
        ([], [], "none"),
        (["success", "neutral", "skipped"], ["success"], "success"),
        (["success", None], [], "pending"),
        ([], ["pending"], "pending"),
        ([None, "failure"], [], "failure"),
        (["success"], ["error"], "failure"),
        (["timed_out"], [], "failure"),
    ],
)
def test_what_checks_amount_to(runs: list[str | None], statuses: list[str], word: str) -> None:
    assert checks([{"conclusion": run} for run in runs], [{"state": one} for one in statuses]) == word
