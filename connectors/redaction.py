"""Takes secrets out of text before it reaches a log, an error or the database."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

REDACTED = "[redacted]"

_SHORTEST_SECRET = 4
"""Shorter ones would blank ordinary words and protect nothing."""

_PATTERNS = re.compile(
    r"""
      (?<=bearer[ ]) [\w.~+/=-]{8,}              # Authorization: Bearer ...
    | (?<=basic[ ]) [\w+/=-]{12,}                # Authorization: Basic ...
    | \b gh[pousr]_\w{8,}                        # GitHub tokens
    | \b github_pat_\w{8,}
    | \b xox[a-z]-[\w-]{8,} | \b xapp-[\w-]{8,}  # Slack tokens
    | \b [012]/\d+ (?:/\d+)? : [0-9a-z]{8,}      # Asana personal access tokens
    | \b 00D\w{12,15} ! [\w.]{8,}                # Salesforce session ids
    """,
    re.IGNORECASE | re.VERBOSE,
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets and without anything that looks like a token."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, REDACTED).replace(quote(secret, safe=""), REDACTED)
    return _PATTERNS.sub(REDACTED, text)
