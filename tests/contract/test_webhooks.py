"""Webhook calls as the simulator really sends them: genuine, tampered with, stale, repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.changes import Delivery, Received, Secrets
from connectors.errors import BadSignature, DeliveryRefused, Unreadable

if TYPE_CHECKING:
    from connectors.changes import Subscribed
    from tests.contract.conftest import Bench, Receiver


async def _subscribe(bench: Bench, receiver: Receiver) -> Subscribed:
    chosen = receiver.secrets.active[0] if receiver.secrets.active else ""
    if bench.connector.capabilities.webhooks == "app":
        bench.simulator.install(receiver.url)
    subscribed = await bench.session.subscribe(bench.container, receiver.url, chosen)
    await bench.simulator.outbox.idle()
    return subscribed


async def _edited(bench: Bench, receiver: Receiver) -> tuple[Delivery, Received]:
    """The first call that tells of a person's edit."""
    record = await bench.made_by_person()
    await bench.simulator.outbox.idle()
    receiver.received.clear()
    bench.simulator.edit(record.ref.id, title="Edited", by="bob")
    await bench.simulator.outbox.idle()
    return next(
        (delivery, received)
        for delivery, received in receiver.received
        if record.ref in {change.ref for change in received.changes}
    )


@pytest.fixture(autouse=True)
def _with_webhooks(bench: Bench) -> None:
    if bench.connector.capabilities.webhooks == "none":
        pytest.skip("the provider has no webhooks")


async def test_a_subscription_lives_and_ends(bench: Bench) -> None:
    if bench.connector.capabilities.webhooks == "app":
        pytest.skip("what an admin entered is an admin's to remove")
    async with bench.receiver() as receiver:
        subscribed = await _subscribe(bench, receiver)
        assert subscribed.target == receiver.url
        seen = await bench.session.subscription(bench.container, subscribed.id)
        assert seen is not None
        assert (seen.target, seen.active) == (receiver.url, True)
        await bench.session.unsubscribe(bench.container, subscribed.id)
        await bench.session.unsubscribe(bench.container, subscribed.id)
        assert await bench.session.subscription(bench.container, subscribed.id) is None


async def test_subscribing_again_leaves_one_webhook(bench: Bench) -> None:
    async with bench.receiver() as receiver:
        first = await _subscribe(bench, receiver)
        second = await _subscribe(bench, receiver)
        seen = await bench.session.subscription(bench.container, second.id)
        assert seen is not None
        assert seen.active
        if first.id != second.id:
            assert await bench.session.subscription(bench.container, first.id) is None
        await _edited(bench, receiver)
        calls = [received.dedupe for _, received in receiver.received]
        assert len(calls) == len(set(calls))
        assert len({delivery.body for delivery, _ in receiver.received}) == len(calls)


async def test_edits_and_comments_are_told(bench: Bench) -> None:
    async with bench.receiver() as receiver:
        await _subscribe(bench, receiver)
        record = await bench.made_by_person(by="bob")
        await bench.simulator.outbox.idle()
        receiver.received.clear()
        bench.simulator.edit(record.ref.id, title="Edited", by="bob")
        bench.simulator.comment(record.ref.id, "A word", by="bob")
        await bench.simulator.outbox.idle()
    changes = [change for _, received in receiver.received for change in received.changes]
    assert record.ref in {change.ref for change in changes}
    assert record.ref in {change.ref for change in changes if change.comments}
    assert {change.actor for change in changes} <= {await bench.user_id("bob"), None}


async def test_what_says_nothing_is_ignored_with_a_reason(bench: Bench) -> None:
    async with bench.receiver() as receiver:
        await _subscribe(bench, receiver)
        await _edited(bench, receiver)
        for _, received in receiver.received:
            assert received.dedupe
            assert bool(received.changes) != bool(received.ignored)


async def test_a_repeated_call_is_known_by_its_id(bench: Bench) -> None:
    bench.simulator.outbox.duplicate = 1
    async with bench.receiver() as receiver:
        await _subscribe(bench, receiver)
        delivery, received = await _edited(bench, receiver)
        same = [again for _, again in receiver.received if again.dedupe == received.dedupe]
        assert same == [received, received]
        assert receiver.read(delivery, receiver.secrets) == received


async def test_a_late_call_is_refused_or_known(bench: Bench) -> None:
    """Where the time is signed, old calls are refused; elsewhere the id tells them."""
    async with bench.receiver() as receiver:
        await _subscribe(bench, receiver)
        delivery, received = await _edited(bench, receiver)
        for days in (1, -1):
            try:
                again = receiver.read(delivery, receiver.secrets, datetime.now(UTC) + timedelta(days=days))
            except BadSignature:
                continue
            assert again.dedupe == received.dedupe


async def test_forged_calls_are_refused(bench: Bench) -> None:
    async with bench.receiver() as receiver:
        await _subscribe(bench, receiver)
        delivery, _ = await _edited(bench, receiver)
        secret = receiver.secrets.active[0]
        half = len(delivery.body) // 2
        for body in (
            delivery.body[:half] + bytes([delivery.body[half] ^ 1]) + delivery.body[half + 1 :],
            delivery.body[:-1],
            delivery.body + b" ",
            b"",
            b"[" * 100_000,
        ):
            with pytest.raises(BadSignature):
                receiver.read(replace(delivery, body=body), receiver.secrets)
        for secrets in (Secrets(), Secrets(active=(secret[:-1],)), Secrets(active=("",))):
            with pytest.raises(BadSignature):
                receiver.read(delivery, secrets)
        rotated = Secrets(active=("the new one", secret))
        assert receiver.read(delivery, rotated).changes


async def test_no_header_can_break_the_check(bench: Bench) -> None:
    async with bench.receiver() as receiver:
        await _subscribe(bench, receiver)
        delivery, _ = await _edited(bench, receiver)
        for name, value in delivery.headers.items():
            for wrong in (None, "", "é", value + "x", value[:-1], f"{value},{value}", "\ud800"):
                headers = {**delivery.headers, name: wrong} if wrong is not None else dict(delivery.headers)
                if wrong is None:
                    del headers[name]
                _read_or_refused(receiver, Delivery(headers=headers, body=delivery.body))
        with pytest.raises(BadSignature):
            receiver.read(Delivery(headers={}, body=delivery.body), receiver.secrets)
        with pytest.raises(BadSignature):
            receiver.read(Delivery(headers={}, body=delivery.body), Secrets(pending=True))


async def test_a_second_handshake_is_refused(bench: Bench) -> None:
    if bench.connector.capabilities.webhooks != "handshake":
        return
    async with bench.receiver() as receiver:
        await _subscribe(bench, receiver)
        armed = Secrets(active=receiver.secrets.active)
        with pytest.raises(DeliveryRefused):
            receiver.read(Delivery(headers={"x-hook-secret": "mine now"}, body=b""), armed)


def _read_or_refused(receiver: Receiver, delivery: Delivery) -> None:
    try:
        received = receiver.read(delivery, receiver.secrets)
    except (BadSignature, Unreadable):
        return
    assert received.dedupe
