"""What is shown: the JSON interface, readiness, and the page for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.records import Ref
from sync.commands.output import emit
from sync.reconcile.model import Side
from sync.store import listings
from sync.store.tables import Conflict, Delivery, Event, Link, Parked
from sync.web.app import describe
from tests.web.conftest import Web

NOW = datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
NOW_TEXT = "2026-05-01T10:00:00.123Z"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); //",
    "{{ 7919 * 7927 }}{% raw %}",
    "</title></style><svg/onload=alert(1)>",
    "[red]bold[/red] [/]",
    "\x1b[31mred\x07",
]


def a_link(title: str = "A task", url: str = "https://app.asana.com/0/0/1", at: int = 1) -> Link:
    return Link(
        mapping_id=1,
        mapping_version=3,
        kind="task",
        made_by="match",
        hub_ref=str(Ref("asana", "1200000000000001", "task", str(at))),
        hub_id=str(at),
        hub_url=url,
        hub_title=title,
        external_ref=str(Ref("github", "127.0.0.1", "issue", f"I_{at}")),
        external_id=f"I_{at}",
        external_kind="issue",
        external_key=f"acme/website#{at}",
        external_url=url,
        external_title=title,
        created_at=NOW,
        synced_at=NOW,
    )


def a_conflict(value: Any, **more: Any) -> Conflict:
    half = {"value": value, "modified_at": NOW_TEXT, "time_from": "field", "author": None}
    values = {
        "mapping_id": 1,
        "mapping_version": 3,
        "link_id": 1,
        "field": "title",
        "kind": "edit",
        "policy": "last_modified",
        "winner": Side.HUB.value,
        "reason": str(value),
        "detected_at": NOW,
        "hub": half,
        "external": half,
        "fingerprint": str(value),
    }
    return Conflict(**{**values, **more})


def a_parked(text: str, **more: Any) -> Parked:
    values = {
        "mapping_id": 1,
        "link_id": 1,
        "what": "field",
        "ref": text,
        "field": "notes",
        "park_class": "rejected",
        "reason": text,
        "provider_message": text,
        "fix": text,
        "first_at": NOW,
        "last_at": NOW,
    }
    return Parked(**{**values, **more})


async def listed(web: Web, name: str, **query: Any) -> dict[str, Any]:
    answer = await web.http.get(f"/api/v1/{name}", params=query)
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


async def test_the_status_of_an_instance_that_only_serves(web: Web) -> None:
    seen = await listed(web, "status")
    assert seen["instance"]["url"] == web.url
    assert seen["instance"]["workers"] == []
    assert seen["quiet"] is False
    first = seen["connections"][0]
    assert first["account"] == {"id": "1", "name": "bot"}
    assert first["quota"] == {"limit": None, "remaining": None, "reset_at": None}
    (mapping,) = seen["mappings"]
    assert {row["side"] for row in mapping["subscriptions"]} == {"asana", "external"}
    assert mapping["last_poll_at"] == {"asana": None, "external": None}
    assert mapping["links"] == {"active": 0, "dormant": 0, "parked": 0, "confirming": 0}


async def test_a_link_is_shown_with_both_ends(web: Web) -> None:
    await web.add(a_link())
    (item,) = (await listed(web, "links"))["items"]
    assert item == {
        "id": 1,
        "mapping": "web",
        "mapping_version": 3,
        "kind": "task",
        "parent": None,
        "root": None,
        "state": "active",
        "reason": "",
        "asana": {"gid": "1", "url": "https://app.asana.com/0/0/1", "title": "A task"},
        "external": {
            "connection": "github",
            "site": "127.0.0.1",
            "kind": "issue",
            "id": "I_1",
            "key": "acme/website#1",
            "url": "https://app.asana.com/0/0/1",
            "title": "A task",
        },
        "pending": False,
        "made_by": "match",
        "created_at": NOW_TEXT,
        "last_synced_at": NOW_TEXT,
    }


async def test_a_conflict_is_shown_with_whole_values(web: Web) -> None:
    await web.add(a_link())
    await web.add(a_conflict("x" * 100_000))
    (item,) = (await listed(web, "conflicts"))["items"]
    assert item["asana"] == {
        "value": "x" * 100_000,
        "modified_at": NOW_TEXT,
        "time_from": "field",
        "author": {"id": None, "name": None},
    }
    assert (item["winner"], item["policy"], item["state"]) == ("asana", "last_modified", "open")
    assert item["detected_at"] == NOW_TEXT


async def test_what_is_ignored_waits_no_more(web: Web) -> None:
    await web.add(a_link())
    await web.add(a_parked("one"), a_parked("two", state="ignored"))
    (item,) = (await listed(web, "parked"))["items"]
    assert (item["ref"], item["class"], item["first_at"]) == ("one", "rejected", NOW_TEXT)
    async with web.engine.database.read() as session:
        (ignored,) = (await listings.parked_page(session, state="ignored"))["items"]
    assert ignored["ref"] == "two"


async def test_what_is_parked_names_its_object(web: Web) -> None:
    await web.add(a_link())
    await web.add(
        a_parked("link:1", link_id=1),
        a_parked("github:x:issue:1", link_id=None, what="link", values="acme/website#7"),
        a_parked("delivery", link_id=None),
    )
    named = [item["object"] for item in (await listed(web, "parked"))["items"]]
    assert named == ["acme/website#1", "acme/website#7", "delivery"]


async def test_listings_go_page_by_page(web: Web) -> None:
    await web.add(*(a_link(at=at) for at in range(1, 8)))
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 3, "mapping": "web"}
    while True:
        page = await listed(web, "links", **query)
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]


async def test_the_history_of_all_links_can_be_followed(web: Web) -> None:
    await web.add(a_link(at=1), a_link(at=2))
    lines = [
        Event(at=NOW, mapping_id=1, mapping_version=3, link_id=link, event="in", text=f"{number}")
        for number, link in enumerate((1, 2, 1))
    ]
    await web.add(*lines[:2])
    (first, second) = (await listed(web, "history", mapping="web"))["items"]
    assert (first["link"], first["text"], second["link"], second["at"]) == (1, "0", 2, NOW_TEXT)
    await web.add(lines[2])
    (third,) = (await listed(web, "history", after=second["id"]))["items"]
    assert (third["link"], third["text"], third["outcome"]) == (1, "2", None)


@pytest.mark.parametrize("name", ["links", "conflicts", "parked", "deliveries", "history"])
async def test_a_listing_of_an_unknown_mapping_is_not_an_empty_one(web: Web, name: str) -> None:
    assert await listed(web, name) == {"items": [], "next": None}
    assert (await web.http.get(f"/api/v1/{name}", params={"mapping": "nope"})).status_code == 404
    assert (await web.http.get(f"/api/v1/{name}", params={"limit": 0})).status_code == 422


@pytest.mark.parametrize("text", HOSTILE)
async def test_texts_of_strangers_are_only_text_on_the_page(web: Web, text: str) -> None:
    await web.add(a_link(title=text, url="javascript:alert(1)"))
    await web.add(a_conflict(text), a_conflict([text], fingerprint="list"), a_parked(text))
    answer = await web.http.get("/")
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "<svg" not in answer.text
    assert 'href="javascript:' not in answer.text
    assert str(7919 * 7927) not in answer.text


async def test_the_page_shows_the_newest_links(web: Web) -> None:
    await web.add(*(a_link(title=f"task number {at}", at=at) for at in range(1, 80)))
    text = (await web.http.get("/")).text
    assert "task number 79" in text
    assert "task number 2<" not in text


async def test_readiness_needs_current_tables(web: Web) -> None:
    assert (await web.http.get("/readyz")).status_code == 200
    async with web.engine.database.write() as session:
        await (await session.connection()).exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    assert (await web.http.get("/readyz")).status_code == 503
    assert (await web.http.get("/livez")).text == "ok"


async def test_the_served_description_is_the_printed_one(web: Web) -> None:
    assert (await web.http.get("/openapi.json")).json() == describe()
    assert "/webhooks/{connection}/{key}" in describe()["paths"]


async def test_deliveries_name_their_connection(web: Web) -> None:
    await web.add(
        Delivery(connection_id=1, dedupe="d", event="issues", received_at=NOW, state="ignored", reason="why")
    )
    (item,) = (await listed(web, "deliveries"))["items"]
    assert (item["connection"], item["state"], item["reason"]) == ("asana", "ignored", "why")


def test_json_goes_out_as_utf_8_even_where_a_text_is_broken(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    emit({"title": "\ud800 \u00fc"}, as_json=True, show=lambda console: None)
    assert capfdbinary.readouterr().out == b'{"title": "\\ud800 \xc3\xbc"}\n'
