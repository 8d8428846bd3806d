"""Reading answers: the general table, messages, Retry-After, quota, JSON made to break parsers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.answers import Answer, Quota, meaning, parsed, provider_message, quota, retry_after
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    ParkClass,
    PauseConnection,
    ReplanNeeded,
    RetryLater,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _meaning(status: int, *, write: bool, data: Any = None, **headers: str) -> ConnectorError:
    return meaning(Answer(status, headers, data), write, "api.example.com")


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (401, PauseConnection, PauseConnection),
        (408, RetryLater, OutcomeUnknown),
        (412, ReplanNeeded, ReplanNeeded),
        (429, RetryLater, RetryLater),
        (500, RetryLater, OutcomeUnknown),
        (503, RetryLater, OutcomeUnknown),
        (599, RetryLater, OutcomeUnknown),
    ],
)
def test_table(status: int, read: type[ConnectorError], write: type[ConnectorError]) -> None:
    assert type(_meaning(status, write=False)) is read
    assert type(_meaning(status, write=True)) is write
    assert _meaning(status, write=True).status == status


@pytest.mark.parametrize(
    ("status", "park_class"),
    [
        (400, ParkClass.REJECTED),
        (402, ParkClass.NOT_SUPPORTED),
        (403, ParkClass.PERMISSION),
        (404, ParkClass.PERMISSION),
        (409, ParkClass.REJECTED),
        (410, ParkClass.PERMISSION),
        (422, ParkClass.REJECTED),
        (451, ParkClass.PERMISSION),
        (303, ParkClass.REJECTED),
    ],
)
def test_parked(status: int, park_class: ParkClass) -> None:
    for write in (False, True):
        error = _meaning(status, write=write, data={"message": "No"})
        assert isinstance(error, Park)
        assert error.park_class is park_class
        assert error.provider_message == "No"
        assert error.reason == f"api.example.com answered {status}: No"


def test_limited() -> None:
    error = _meaning(429, write=True, **{"retry-after": "7"})
    assert isinstance(error, RetryLater)
    assert (error.limited, error.after) == (True, 7)
    silent = _meaning(429, write=False)
    assert isinstance(silent, RetryLater)
    assert (silent.limited, silent.after) == (True, 60)


def test_unavailable_until() -> None:
    error = _meaning(503, write=False, **{"retry-after": "9"})
    assert isinstance(error, RetryLater)
    assert (error.limited, error.after) == (True, 9)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, ""),
        ({}, ""),
        ({"message": "Not Found"}, "Not Found"),
        ({"errors": [{"message": "a", "help": "b"}, {"message": "c"}]}, "a; c"),
        (
            {
                "message": "Validation Failed",
                "errors": [{"resource": "Issue", "code": "missing", "field": "title"}],
            },
            "Validation Failed; Issue title missing",
        ),
        ({"errors": ["one", 2, None]}, "one"),
        ([{"message": "m", "errorCode": "E"}], "m"),
        ({"message": {"not": "text"}}, ""),
        ("plain", "plain"),
        (7, ""),
    ],
)
def test_messages(data: Any, message: str) -> None:
    assert provider_message(data) == message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("-3", 0),
        ("99999999", 86_400),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}) == seconds


def test_retry_after_as_date_counts_from_the_providers_clock() -> None:
    headers = {
        "date": "Fri, 01 May 2026 12:00:00 GMT",
        "retry-after": "Fri, 01 May 2026 12:01:30 GMT",
    }
    assert retry_after(headers) == 90


def test_quota() -> None:
    headers = {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "12",
        "x-ratelimit-reset": str(int(NOW.timestamp())),
    }
    assert quota(headers, NOW) == Quota(5000, 12, NOW)
    assert quota({**headers, "x-ratelimit-reset": "30"}, NOW) == Quota(5000, 12, NOW + timedelta(seconds=30))
    assert quota({**headers, "x-ratelimit-reset": "9" * 15}, NOW) == Quota(5000, 12, None)
    assert quota({"x-ratelimit-remaining": "many"}, NOW) is None
    assert quota({}, NOW) is None


def test_parsed() -> None:
    assert parsed(b"") is None
    assert parsed(b" \n") is None
    assert parsed(b'{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"9" * 5_000, b"\xff", b'{"a": '])
def test_bodies_made_to_break_parsers(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError, as promised
        parsed(body)


def test_text_that_no_database_takes_is_mended() -> None:
    body = rb'{"k\ud800": ["half \ud83d pair", "nul \u0000", "whole \ud83d\ude00", 1, null]}'
    assert parsed(body) == {"k\ufffd": ["half \ufffd pair", "nul \ufffd", "whole \U0001f600", 1, None]}
