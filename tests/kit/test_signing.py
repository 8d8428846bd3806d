"""Signatures: the vectors of the providers, and everything a stranger may send instead."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.signing import hmac_sha256_hex, matches, within_window

VECTORS = Path(__file__).parents[3] / "shared" / "fixtures" / "signatures" / "vectors.json"
PREFIXES = {"github": "sha256=", "slack": "v0=", "asana": ""}
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def _vectors() -> list[Any]:
    return json.loads(VECTORS.read_text()) if VECTORS.exists() else []


def test_the_vectors_are_there() -> None:
    if VECTORS.exists():
        assert len(_vectors()) >= 8
    elif os.environ.get("CI"):
        pytest.fail(f"{VECTORS} is missing: no signature vector was checked")
    else:
        pytest.skip(f"{VECTORS} is missing: NO SIGNATURE VECTOR WAS CHECKED")


@pytest.mark.parametrize("vector", _vectors(), ids=lambda vector: vector["origin"][:40])
def test_vectors(vector: dict[str, Any]) -> None:
    body, timestamp = vector["body"].encode(), vector.get("timestamp")
    fresh = True
    if timestamp is not None:
        body = f"v0:{timestamp}:".encode() + body
        now = datetime.fromtimestamp(vector["valid_at_clock"], UTC)
        fresh = within_window(timestamp, now, vector["stale_after_seconds"])
    genuine = matches(vector["secret"], body, vector["value"], PREFIXES[vector["provider"]])
    assert (genuine and fresh) is vector["valid"]


def test_no_changed_byte_passes() -> None:
    body, signature = b'{"events": []}', hmac_sha256_hex("secret", b'{"events": []}')
    assert matches("secret", body, signature)
    for position in range(len(body)):
        changed = bytearray(body)
        changed[position] ^= 1
        assert not matches("secret", bytes(changed), signature)
    for position in range(len(signature)):
        assert not matches("secret", body, signature[:position])
        assert not matches("secret", body, signature[:position] + "g" + signature[position + 1 :])


@pytest.mark.parametrize("header", [None, "", "é", "\ud800", "sha256=", "a" * 100_000, "\0", "x,y"])
def test_malformed_headers_are_false(header: str | None) -> None:
    assert not matches("secret", b"body", header)
    assert not matches("secret", b"body", header, "sha256=")


def test_the_prefix_and_the_case_count() -> None:
    signature = hmac_sha256_hex("secret", b"body")
    assert matches("secret", b"body", f"sha256={signature}", "sha256=")
    assert not matches("secret", b"body", signature, "sha256=")
    assert not matches("secret", b"body", f"sha1={signature}", "sha256=")
    assert not matches("secret", b"body", signature.upper())


def test_while_a_secret_is_exchanged_both_match() -> None:
    old = hmac_sha256_hex("old", b"body")
    assert matches(["new", "old"], b"body", old)
    assert matches(["new", "old"], b"body", hmac_sha256_hex("new", b"body"))
    assert not matches(["new"], b"body", old)


def test_no_secret_accepts_nothing() -> None:
    assert not matches([], b"body", hmac_sha256_hex("", b"body"))
    assert not matches("", b"body", hmac_sha256_hex("", b"body"))


@pytest.mark.parametrize(("seconds_off", "fresh"), [(0, True), (300, True), (301, False)])
def test_window(seconds_off: int, fresh: bool) -> None:
    for sign in (1, -1):
        assert within_window(str(int(NOW.timestamp()) + sign * seconds_off), NOW) is fresh


@pytest.mark.parametrize("text", [None, "", "now", "1e9", "-1", "٣", " 1", "9" * 400, "1.5", "\ud800"])
def test_odd_timestamps_are_outside(text: str | None) -> None:
    assert not within_window(text, NOW)
