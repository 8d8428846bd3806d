"""Webhook calls through the real intake: what is stored, ignored, refused, and how it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlmodel import select

from connectors.signing import hmac_sha256_hex
from sync.store.tables import Mark, Subscription
from tests.web.conftest import KEYS, SECRET, Serve, Web, found, recorded

ISSUE: dict[str, Any] = {
    "action": "edited",
    "issue": {"node_id": "I_1", "number": 12, "updated_at": "2026-05-01T10:00:00Z"},
    "repository": {"full_name": "acme/website"},
    "sender": {"login": "ada"},
}


def body_of(**more: Any) -> bytes:
    return json.dumps({**ISSUE, **more}).encode()


async def marks(web: Web) -> Sequence[Mark]:
    async with web.engine.database.read() as session:
        return (await session.execute(select(Mark))).scalars().all()


async def test_every_recorded_call_of_github_is_stored_or_ignored_with_a_reason(web: Web) -> None:
    files = recorded("github/webhooks-examples", "*/*.json")
    assert len(files) >= 61
    for at, path in enumerate(files):
        answer = await web.github(path.parent.name, path.read_bytes(), guid=f"g-{at}")
        assert answer.status_code == 200, path
    stored = await web.deliveries()
    assert len(stored) == len(files)
    assert {row.state for row in stored} == {"processed", "ignored"}
    assert all(row.reason for row in stored if row.state == "ignored")
    assert {row.event for row in stored if row.state == "processed"} == {
        "issues",
        "issue_comment",
        "pull_request",
    }
    assert web.woken
    assert await marks(web)


async def test_every_sample_of_asana_is_stored_or_ignored_with_a_reason(web: Web) -> None:
    files = recorded("asana/webhook-samples", "*.json")
    assert len(files) == 8
    for path in files:
        assert (await web.asana(path.read_bytes())).status_code == 200, path
    stored = await web.deliveries()
    assert len(stored) == 8
    assert {row.state for row in stored} == {"processed", "ignored"}
    assert [row.reason for row in stored if row.body == files[0].read_bytes()] == ["heartbeat"]


async def test_a_call_is_marked_and_rung_for_before_it_is_answered(web: Web) -> None:
    assert (await web.github("issues", body_of())).status_code == 200
    (mark,) = await marks(web)
    (delivery,) = await web.deliveries()
    assert (mark.object_id, mark.delivery_id) == ("I_1", delivery.id)
    assert web.woken == [mark.mapping_id]


async def test_a_repeated_call_is_one_delivery_that_counts(web: Web) -> None:
    for _ in range(3):
        assert (await web.github("issues", body_of())).status_code == 200
    (delivery,) = await web.deliveries()
    assert delivery.repeats == 2
    status = (await web.http.get("/api/v1/status")).json()
    assert status["deliveries"] == {"received": 1, "processed": 1, "ignored": 0, "parked": 0, "queued": 0}


async def test_the_same_call_many_times_at_once_is_one_delivery(web: Web) -> None:
    answers = await asyncio.gather(*(web.github("issues", body_of()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    (delivery,) = await web.deliveries()
    assert delivery.repeats == 19


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha1=" + "0" * 40,
        "sha256=" + "0" * 64,
        "sha256=" + hmac_sha256_hex(SECRET, body_of())[:-1],
        "sha256=" + hmac_sha256_hex("another secret", body_of()),
        "sha256=" + hmac_sha256_hex(SECRET, body_of()) + ",sha256=" + "0" * 64,
        "sha256=" + hmac_sha256_hex(SECRET, body_of() + b" "),
        "\u00e9" * 64,
    ],
)
async def test_a_wrong_signature_is_refused_and_not_stored(web: Web, signature: str) -> None:
    headers = {"x-github-event": "issues", "x-hub-signature-256": signature.encode("latin-1")}
    path = f"/webhooks/github/{KEYS['github']}"
    answer = await web.http.post(path, content=body_of(), headers=headers)
    assert answer.status_code == 401
    assert await web.deliveries() == []


async def test_every_flipped_bit_of_the_body_is_noticed(web: Web) -> None:
    body = body_of()
    signature = f"sha256={hmac_sha256_hex(SECRET, body)}"
    for at in range(0, len(body), 7):
        changed = bytearray(body)
        changed[at] ^= 1
        answer = await web.github("issues", bytes(changed), **{"x-hub-signature-256": signature})
        assert answer.status_code == 401
    assert await web.deliveries() == []


@pytest.mark.parametrize(
    "path",
    [
        f"/webhooks/github/{'f' * 32}",
        f"/webhooks/nobody/{KEYS['github']}",
        f"/webhooks/asana/{KEYS['github']}",
        f"/webhooks/github/{KEYS['github'].upper()}x",
        "/webhooks/github/%00",
        f"/webhooks/git%00hub/{KEYS['github']}",
        "/webhooks/github/" + "a" * 5000,
        f"/webhooks/%F0%28%8C%28/{KEYS['github']}",
    ],
)
async def test_an_unknown_path_is_refused_like_a_wrong_signature(web: Web, path: str) -> None:
    headers = {"x-github-event": "issues", "x-hub-signature-256": f"sha256={hmac_sha256_hex(SECRET, b'{}')}"}
    assert (await web.http.post(path, content=b"{}", headers=headers)).status_code == 401


DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        b'"text"',
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"issue": ' + b"9" * 10_000 + b"}",
        b"{}",
        b'{"issue": null, "repository": null}',
        body_of(issue={"node_id": "I_1", "number": 12, "updated_at": "soon"}),
        body_of(issue={"node_id": "I_1", "number": 12, "updated_at": "0001-01-01T00:00:00+14:00"}),
        body_of(issue={"node_id": "I_1", "number": 12, "updated_at": 1e308}),
    ],
)
async def test_signed_nonsense_is_unreadable_and_never_an_error_of_ours(web: Web, body: bytes) -> None:
    assert (await web.github("issues", body)).status_code == 400
    assert await web.deliveries() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"events": 7}',
        b"[" * DEEP + b"]" * DEEP,
        b'{"events": [' + b"9" * 10_000 + b"]}",
    ],
)
async def test_signed_nonsense_of_asana_is_unreadable(web: Web, body: bytes) -> None:
    assert (await web.asana(body)).status_code == 400


async def test_broken_events_of_asana_do_not_lose_the_good_ones(web: Web) -> None:
    good = {
        "action": "changed",
        "resource": {"gid": "2222", "resource_type": "task"},
        "created_at": "2026-05-01T10:00:00.000Z",
    }
    strange: list[Any] = [
        None,
        7,
        [],
        {},
        {"resource": None},
        {"resource": {"gid": None, "resource_type": "task"}, "action": "changed"},
        {**good, "resource": {"gid": "3333", "resource_type": "task"}, "created_at": "soon"},
        {**good, "user": 7, "parent": "x", "change": []},
    ]
    assert (await web.asana(json.dumps({"events": [*strange, good]}).encode())).status_code == 200
    assert "2222" in {mark.object_id for mark in await marks(web)}


@pytest.mark.parametrize("text", ["\ud800", "\u0000", "a\u0000b", "\U0001f600", "\u202e", "x" * 100_000])
async def test_texts_that_databases_dislike_are_stored_or_refused(web: Web, text: str) -> None:
    """Half a surrogate pair, NUL and the like in every place a payload has texts."""
    payload = body_of(
        issue={"node_id": text, "number": 12, "updated_at": "2026-05-01T10:00:00Z"},
        repository={"full_name": text},
        sender={"login": text},
        changes={"title": {"from": text}, "body": {"from": text}},
    )
    assert (await web.github("issues", payload)).status_code in (200, 400)
    assert (await web.github("issues", payload, guid=f"g {len(text)}")).status_code in (200, 400)


async def test_a_handshake_is_taken_once_and_only_while_its_subscription_is_made(web: Web) -> None:
    offered = {"x-hook-secret": "s3cret-of-asana"}
    refused = await web.post("asana", b"", offered)
    assert (refused.status_code, "x-hook-secret" in refused.headers) == (401, False)

    taken = await web.post("creating", b"", offered)
    assert (taken.status_code, taken.headers["x-hook-secret"]) == (200, "s3cret-of-asana")
    again = await web.post("creating", b"", {"x-hook-secret": "of-somebody-else"})
    assert again.status_code == 401
    async with web.engine.database.read() as session:
        query = select(Subscription).where(Subscription.key == KEYS["creating"])
        row = (await session.execute(query)).scalar_one()
    assert web.engine.vault.open(row.secret) == {"secret": "s3cret-of-asana"}
    assert "s3cret" not in row.secret


async def test_two_handshakes_at_once_have_one_winner(web: Web) -> None:
    answers = await asyncio.gather(
        *(web.post("creating", b"", {"x-hook-secret": f"secret-{n}"}) for n in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9


async def test_without_a_secret_nothing_is_genuine(web: Web) -> None:
    """A subscription that waits for its handshake accepts no events, signed with nothing or with anything."""
    body = b'{"events": []}'
    for secret in ("", "x"):
        signature = hmac_sha256_hex(secret, body)
        answer = await web.post("creating", body, {"x-hook-signature": signature})
        assert answer.status_code == 401


async def test_a_database_that_is_away_is_told_and_nothing_is_acknowledged(serve: Serve) -> None:
    async with serve() as web:
        await found(web)
        folder = web.engine.settings.data_dir
        await web.engine.database.close()
        folder.rename(folder.with_name("away"))
        try:
            assert (await web.github("issues", body_of())).status_code == 503
            assert (await web.http.get("/readyz")).status_code == 503
            assert (await web.http.get("/livez")).status_code == 200
            assert (await web.http.get("/api/v1/status")).status_code == 503
        finally:
            folder.with_name("away").rename(folder)
        assert (await web.github("issues", body_of())).status_code == 200


async def test_a_database_that_goes_away_loses_none_of_those_that_come_at_once(serve: Serve) -> None:
    async with serve() as web:
        await found(web)
        assert (await web.github("issues", body_of())).status_code == 200
        folder = web.engine.settings.data_dir
        await web.engine.database.close()
        folder.rename(folder.with_name("away"))
        try:
            refused = await asyncio.gather(
                *(web.github("issues", body_of(), guid=f"g-{n}") for n in range(20))
            )
            assert {answer.status_code for answer in refused} == {503}
        finally:
            folder.with_name("away").rename(folder)
        taken = await asyncio.gather(*(web.github("issues", body_of(), guid=f"g-{n}") for n in range(20)))
        assert {answer.status_code for answer in taken} == {200}
        assert sorted(row.dedupe for row in await web.deliveries()) == sorted(f"g-{n}" for n in range(20))
