"""The configuration file: what is understood, and what is said about everything that is not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import discover
from sync.configuration import (
    Configuration,
    ConfigurationInvalid,
    FieldConfig,
    MappingConfig,
    Problem,
    load,
    plain_credentials,
    read,
    rule_names,
)
from sync.configuration.yaml_text import LARGEST_FILE

ENVIRONMENT = {"ASANA_TOKEN": "canary-one-1234567890", "GITHUB_TOKEN": "canary-two-1234567890"}

GOOD = """
connections:
  - name: acme-asana
    connector: asana
    settings: {base_url: https://app.asana.com/api/1.0, workspace: "1200000000000001"}
    credentials: {token: "${ASANA_TOKEN}"}
  - name: acme-github
    connector: github
    settings: {subscriptions: off}
    credentials: {token: "${GITHUB_TOKEN}"}
people:
  - {asana: jane@acme.com, acme-github: jane}
mappings:
  - name: website-bugs
    connection: acme-github
    container: acme/website
    filter: {labels: [bug], kinds: [issue]}
    asana:
      connection: acme-asana
      project: 1200000000000002
      section: "1200000000000003"
      filter: {sections: [], tags: []}
    since: now
    match: {mode: create, key: title}
    fields: default
    delete: {to_asana: complete, from_asana: close}
    limits: {deletes: 10, deletes_percent: 5, creates_per_hour: 200}
"""


def changed(**mapping: Any) -> str:
    """The good file with other values in its mapping; None leaves a key out."""
    document = yaml.safe_load(GOOD.replace("subscriptions: off", "subscriptions: 'off'"))
    values = document["mappings"][0] | mapping
    document["mappings"][0] = {key: value for key, value in values.items() if value is not None}
    return yaml.safe_dump(document)


def problems_of(text: str, environ: Mapping[str, str] = ENVIRONMENT) -> dict[str, str]:
    """Path -> message of everything that is wrong."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load(text, environ, discover())
    assert all(isinstance(problem, Problem) for problem in caught.value.problems)
    said = str(caught.value)
    assert not any(secret in said for secret in environ.values() if len(secret) > 8)
    return {problem.path: problem.message for problem in caught.value.problems}


def understood(text: str) -> Configuration:
    return load(text, ENVIRONMENT, discover())


def mapping_of(**values: Any) -> MappingConfig:
    (mapping,) = understood(changed(**values)).mappings.values()
    return mapping


def test_a_good_file() -> None:
    configuration = understood(GOOD)
    assert list(configuration.connections) == ["connections[0]", "connections[1]"]
    asana, github = configuration.connections.values()
    assert asana.credentials == {"token": ENVIRONMENT["ASANA_TOKEN"]}
    assert github.settings == {"subscriptions": "off"}
    mapping = configuration.mappings["mappings[0]"]
    assert (mapping.asana.project, mapping.filter.kinds) == ("1200000000000002", ("issue",))
    assert "canary" not in repr(configuration)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "{}", "connections:\nmappings: []\n"])
def test_an_empty_file_asks_for_nothing(text: str) -> None:
    configuration = understood(text)
    assert not configuration.connections
    assert not configuration.mappings


def test_defaults_are_those_of_the_documentation() -> None:
    bare = MappingConfig.model_validate(
        {"name": "a", "connection": "b", "container": "c", "asana": {"connection": "d", "project": "e"}}
    ).model_dump(mode="json")
    assert bare == bare | {
        "direction": "both",
        "create": {"to_asana": True, "from_asana": True},
        "since": "now",
        "match": {"mode": "create", "key": "title"},
        "fields": "default",
        "comments": {"to_asana": True, "from_asana": True, "history": False},
        "attachments": {"to_asana": True, "from_asana": True},
        "backlinks": True,
        "conflict": "last_modified",
        "delete": {"to_asana": "complete", "from_asana": "close"},
        "people": {"fallback": "unassigned"},
        "limits": {"deletes": 10, "deletes_percent": 5.0, "creates_per_hour": 200},
    }


@pytest.mark.parametrize("word", ["off", "no", "on", "yes", "Off"])
def test_words_that_old_yaml_takes_for_booleans_stay_words(word: str) -> None:
    document = f"mappings: [{{name: {word}}}]"
    with pytest.raises(ConfigurationInvalid):
        load(document, {}, {})
    configuration = read(GOOD.replace("name: website-bugs", f"name: {word}"), ENVIRONMENT, discover())
    assert [mapping.name for mapping in configuration.mappings.values()] == [word]


def test_every_problem_is_told_at_once_with_its_path_in_the_order_of_the_file() -> None:
    text = """
connections:
  - name: one
    connector: asana
    settings: {workspace: "1", workspce: "1"}
    credentials: {token: "${NOT_SET}"}
  - {name: two, connector: githbu}
  - {name: one, connector: github, credentials: {}}
  - {name: "no spaces please", connector: github, credentials: {token: x, secret: y}}
people:
  - {asana: jane, two: jane, three: jane}
  - jane
mapings: []
mappings:
  - {name: a, connection: three, container: acme/website, asana: {connection: one, project: 12}, colour: red}
  - {name: b, connection: nowhere, container: acme/website, asana: {connection: two, project: 12}}
  - {connection: two}
  - {name: c, connection: two, container: x, asana: {connection: one, project: 1}, limits: {deletes: -1}}
"""
    found = problems_of(text)
    assert found["mapings"] == "is not a key here; did you mean mappings?"
    assert found["connections[0].settings.workspce"] == "is not a key here; did you mean workspace?"
    assert found["connections[0].credentials.token"] == (
        "the environment variable NOT_SET is not set; export it first"
    )
    assert found["connections[1].connector"] == "there is no connector 'githbu'; did you mean 'github'?"
    assert found["connections[2].name"] == "'one' is given twice; every name must be unique"
    assert found["connections[2].credentials"].startswith("give either a token, or app_id")
    assert "letters, digits" in found["connections[3].name"]
    assert found["people[0].three"].startswith("there is no connection or connector 'three'")
    assert found["people[1]"].startswith("must be a map")
    assert found["mappings[0].colour"].startswith("is not a key here; known: name, connection")
    assert found["mappings[1].connection"] == (
        "there is no connection 'nowhere'; known: one, two, one, no spaces please"
    )
    assert found["mappings[2].name"] == "is missing; it is required"
    assert found["mappings[2].asana"] == "is missing; it is required"
    assert found["mappings[3].limits.deletes"] == "should be greater than or equal to 0"
    order = ["mapings", *(path for path in found if path != "mapings")]
    assert list(found) == order
    assert (
        order.index("connections[3].name")
        < order.index("people[0].three")
        < order.index("mappings[0].colour")
    )


def test_what_is_sound_is_kept_for_asking_the_providers() -> None:
    text = changed() + "- {name: broken, connection: nowhere}\n"
    configuration = read(text, ENVIRONMENT, discover())
    assert configuration.problems
    assert list(configuration.connections) == ["connections[0]", "connections[1]"]


@pytest.mark.parametrize(
    ("values", "path", "words"),
    [
        ({"filter": {"kinds": ["isue"]}}, "mappings[0].filter.kinds[0]", "known: issue, pull"),
        ({"filter": {"labels": "bug"}}, "mappings[0].filter.labels", "must be a list"),
        ({"filter": []}, "mappings[0].filter", "must be a map of keys and values"),
        ({"container": " "}, "mappings[0].container", "must name a repository, like "),
        (
            {"direction": "to_github"},
            "mappings[0].direction",
            "must be one of 'both', 'to_asana' or 'from_asana'",
        ),
        ({"backlinks": "maybe"}, "mappings[0].backlinks", "should be a valid boolean"),
        ({"since": "yesterday"}, "mappings[0].since", "must be now, all, or a date such as 2026-01-31"),
        ({"since": 7}, "mappings[0].since", "must be now, all, or a date such as 2026-01-31"),
        ({"conflict": "newest"}, "mappings[0].conflict", "must be one of 'last_modified', "),
        (
            {"delete": {"to_asana": "burn"}},
            "mappings[0].delete.to_asana",
            "must be one of 'ignore', 'unlink'",
        ),
        (
            {"limits": {"deletes_percent": 101}},
            "mappings[0].limits.deletes_percent",
            "less than or equal to 100",
        ),
        ({"fields": "all"}, "mappings[0].fields", "must be one of 'default'"),
        ({"fields": [{"asana": "title"}]}, "mappings[0].fields[0].external", "is missing"),
        ({"asana": {"connection": "acme-github", "project": "1"}}, "mappings[0].asana.connection", "'asana'"),
        (
            {"asana": {"connection": "acme-asana", "project": True}},
            "mappings[0].asana.project",
            "must be a text",
        ),
        ({"connection": "acme-asana"}, "mappings[0].connection", "another connector than 'asana'"),
    ],
)
def test_a_problem_says_where_it_is_and_what_would_be_right(
    values: dict[str, Any], path: str, words: str
) -> None:
    found = problems_of(changed(**values))
    assert list(found) == [path]
    assert words in found[path]


@pytest.mark.parametrize(
    ("since", "stored"),
    [
        ("all", "all"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
        ("2026-01-31 12:00:00", "2026-01-31T12:00:00Z"),
    ],
)
def test_a_start_is_stored_as_it_is_read_again(since: str, stored: str) -> None:
    first = mapping_of(since=since).model_dump(mode="json")
    assert first["since"] == stored
    assert MappingConfig.model_validate(first).model_dump(mode="json") == first
    (unquoted,) = understood(GOOD.replace("since: now", f"since: {since}")).mappings.values()
    assert unquoted.since == mapping_of(since=since).since


def rules(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"asana": "title", "external": "title"} | rule for rule in given]


@pytest.mark.parametrize(
    "fields",
    [
        rules({}, {"asana": "notes", "external": "title", "direction": "to_asana"}),
        rules({"direction": "to_asana"}, {"external": "notes", "direction": "from_asana"}),
        rules(
            {"asana": "assignee", "external": "assignee"},
            {"asana": "followers", "external": "assignee", "direction": "to_asana"},
        ),
        rules({}, {"asana": "labels", "external": "title", "mode": "append"}),
    ],
)
def test_rules_that_share_a_field_but_not_its_writing(fields: list[dict[str, Any]]) -> None:
    names = rule_names([FieldConfig.model_validate(rule) for rule in fields])
    assert mapping_of(fields=fields).fields != "default"
    assert len(set(names)) == len(fields)


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        (
            rules({}, {"asana": "notes"}),
            "mappings[0].fields[1].external",
            "is written by mappings[0].fields[0]",
        ),
        (
            rules({}, {"external": "notes"}),
            "mappings[0].fields[1].asana",
            "is written by mappings[0].fields[0]",
        ),
        (rules({}, {"direction": "to_asana"}), "mappings[0].fields[1]", "same two fields"),
        (rules({"mode": "replace"}), "mappings[0].fields[0].mode", "must be one of"),
    ],
)
def test_two_rules_never_write_one_field(fields: list[dict[str, Any]], path: str, words: str) -> None:
    found = problems_of(changed(fields=fields))
    assert words in found[path]


def test_numbers_are_texts_where_ids_and_option_names_stand() -> None:
    mapping = mapping_of(fields=[{"asana": "title", "external": "title", "values": {1: 2}}], container=7)
    assert mapping.container == "7"
    assert mapping.fields[0].values == {"1": "2"}  # type: ignore[union-attr]


def two(**second: Any) -> str:
    document = yaml.safe_load(changed())
    document["mappings"].append(document["mappings"][0] | {"name": "second"} | second)
    return yaml.safe_dump(document)


def test_two_mappings_of_one_connector_into_one_project_let_out_different_tasks() -> None:
    hub = {"connection": "acme-asana", "project": "1200000000000002"}
    found = problems_of(two(container="acme/other", asana=hub))
    assert "mappings[1].asana.filter" in found
    assert "'website-bugs'" in found["mappings[1].asana.filter"]
    understood(two(container="acme/other", create={"to_asana": True, "from_asana": False}))
    understood(two(container="acme/other", direction="to_asana"))
    understood(two(asana=hub | {"project": "1200000000000009"}))
    sections = changed(asana=hub | {"filter": {"sections": ["1"]}})
    document = yaml.safe_load(sections)
    document["mappings"].append(
        document["mappings"][0]
        | {"name": "second", "container": "acme/other", "asana": hub | {"filter": {"sections": ["2"]}}}
    )
    understood(yaml.safe_dump(document))


def test_the_same_container_and_project_twice_would_double_everything() -> None:
    found = problems_of(two(direction="to_asana"))
    assert "brings the same objects of it into this project" in found["mappings[1].container"]


def test_a_person_is_one_person() -> None:
    text = GOOD.replace("mappings:", "  - {asana: jane@acme.com, acme-github: janet}\nmappings:")
    assert problems_of(text) == {
        "people[1].asana": "'asana: jane@acme.com' is given twice; every user must be unique"
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("connections: [", "not readable as YAML"),
        ("connections:\n\t- name: x", "line 2"),
        ("a: 1\na: 2", "key 'a' is given twice"),
        ("- a\n- b", "the file must hold the keys"),
        ("just words", "the file must hold the keys"),
        ("\x00\x01", "not readable as YAML"),
        ("a: !!python/object/apply:os.system [ls]", "not readable as YAML"),
        ("a: *nobody", "not readable as YAML"),
        ("a: &a [*a]", "its aliases"),
        ("a: 2026-13-45", "cannot read"),
        ("? [1, 2]\n: x\n? {a: b}\n: y", "not readable as YAML"),
        ("a: " + "[" * 2000, "nested too deeply"),
        ("a: " + "9" * 5000, "cannot read"),
        ("a: b\n---\nc: d", "not readable as YAML"),
        ("#" * (LARGEST_FILE + 1), "larger than"),
    ],
)
def test_a_file_that_is_no_document_says_why(text: str, words: str) -> None:
    (said,) = problems_of(text).values()
    assert words in said


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(
            ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
        ),
        "\n".join(
            ["a0: &a0 {x: 1}"]
            + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 20)]
        ),
    ],
)
def test_aliases_cannot_blow_a_small_file_up(text: str) -> None:
    started = time.monotonic()
    (said,) = problems_of(text).values()
    assert "its aliases" in said
    assert time.monotonic() - started < 5


def test_aliases_may_save_typing() -> None:
    text = GOOD.replace("    limits: {", "    limits: &limits {")
    text += (
        "  - {name: b, connection: acme-github, container: acme/b, limits: *limits, "
        "asana: {connection: acme-asana, project: 13}}\n"
    )
    assert [mapping.limits.deletes for mapping in understood(text).mappings.values()] == [10, 10]


def test_a_variable_may_stand_inside_a_text_and_several_times() -> None:
    text = GOOD.replace("container: acme/website", "container: ${OWNER}/${REPO}")
    configuration = load(text, {**ENVIRONMENT, "OWNER": "acme", "REPO": "shop"}, discover())
    assert configuration.mappings["mappings[0]"].container == "acme/shop"
    found = problems_of(text)
    assert list(found) == ["mappings[0].container"]


def test_a_secret_in_a_wrong_place_is_not_repeated() -> None:
    secret = "canary-three-1234567890"
    for text in (
        f"connections: [{{name: a, connector: github, credentials: {secret}}}]",
        f"connections: [{{name: a, connector: github, credentials: {{token: [{secret}]}}}}]",
        f"connections: [{{name: a, connector: github, credentials: {{token: {{x: {secret}}}}}}}]",
        f"connections: [{{name: a, connector: github, settings: {{base_url: 'https://u:{secret}@x'}}}}]",
        f"connections: [{{name: a, connector: asana, settings: {secret}, credentials: {secret}}}]",
    ):
        assert secret not in str(problems_of(text))


def test_credentials_as_they_are_sealed() -> None:
    github = discover()["github"]
    assert plain_credentials(github, {"token": " abc "}) == {"token": "abc"}
    assert plain_credentials(github, {"token": "abc", "webhook_secret": ""}) == {"token": "abc"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(part=st.sampled_from(["connections", "people", "mappings"]), value=JSON)
def test_whatever_stands_there_is_understood_or_a_problem(part: str, value: Any) -> None:
    read(yaml.safe_dump({part: value}), {}, discover())


@settings(max_examples=60, deadline=None)
@given(key=st.sampled_from([*MappingConfig.model_fields]), value=JSON)
def test_whatever_a_mapping_holds_is_understood_or_a_problem(key: str, value: Any) -> None:
    read(changed(**{key: value}), ENVIRONMENT, discover())


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=200))
def test_any_text_is_a_configuration_or_a_reason(text: str) -> None:
    with suppress(ConfigurationInvalid):
        read(text, {}, {})


SELECTIVE = """
connections:
  - {name: acme-asana, connector: asana, settings: {workspace: "1"}, credentials: {token: "${ASANA_TOKEN}"}}
  - {name: acme-slack, connector: slack, settings: {team: T1}, credentials: {bot_token: "${GITHUB_TOKEN}"}}
mappings:
  - name: talk
    connection: acme-slack
    container: C1
    asana: {connection: acme-asana, project: "2"}
"""


@pytest.mark.parametrize(
    ("more", "to_asana", "from_asana"),
    [
        ({}, False, False),
        ({"filter": {"fields": {"custom:reactions": ["ticket"]}}}, True, False),
        ({"create": {"to_asana": True}}, True, False),
        ({"create": {"from_asana": True}}, False, True),
        ({"create": {"to_asana": False}, "filter": {"authors": ["ada"]}}, False, False),
    ],
    ids=["nothing said", "filtered", "all talk", "all tasks", "by hand alone"],
)
def test_mere_talk_becomes_a_task_only_where_the_file_says_so(
    more: dict[str, Any], to_asana: bool, from_asana: bool
) -> None:
    document = yaml.safe_load(SELECTIVE)
    document["mappings"][0] |= more
    create = understood(yaml.safe_dump(document)).mappings["mappings[0]"].create
    assert (create.to_asana, create.from_asana) == (to_asana, from_asana)
