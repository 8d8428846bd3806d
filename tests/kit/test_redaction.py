"""Nothing that looks like a token leaves in a message."""

from __future__ import annotations

import pytest

from connectors.redaction import REDACTED, redact

TOKENS = (
    "ghp_" + "a1B2" * 9,
    "ghs_" + "a1B2" * 9,
    "github_pat_" + "11ABCDEFG0_" * 3,
    "xoxb-1234567890-abcdef",
    "xapp-1-A111-abcdef0123",
    "1/1200000000000001:0123456789abcdef0123456789abcdef",
    "2/1200000000000001/1200000000000002:0123456789abcdef0123456789abcdef",
    "00D5g0000012345!AQEAQLx.abc_DEF",
)


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_are_known_by_their_shape(token: str) -> None:
    assert redact(f"before {token}, after") == f"before {REDACTED}, after"


def test_authorization_headers() -> None:
    assert redact("Authorization: Bearer abc.DEF-123~x") == f"Authorization: Bearer {REDACTED}"
    assert redact("Authorization: Basic dXNlcjpwYXNzd29yZA==") == f"Authorization: Basic {REDACTED}"


def test_given_secrets_also_quoted_and_the_longest_first() -> None:
    assert redact("a 1/2:s3cret b", ["1/2:s3cret", "s3cret"]) == f"a {REDACTED} b"
    assert redact("?token=1%2F2%3As3cret", ["1/2:s3cret"]) == f"?token={REDACTED}"


@pytest.mark.parametrize(
    "text", ["", "Bearer of bad news", "ratio 1/2: half", "basic facts", "the ghp_ prefix", "plain"]
)
def test_plain_text_stays(text: str) -> None:
    assert redact(text, ["", "a"]) == text
