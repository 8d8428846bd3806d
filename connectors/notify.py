"""Messages to an address that an admin chose and that is no provider's: alerts."""

from __future__ import annotations

from typing import Any

import httpx

from connectors.egress import Egress
from connectors.errors import PauseConnection, RetryLater
from connectors.wire import CheckedTransport


async def notify(url: str, document: Any, *, allow: Egress, user_agent: str, timeout_s: float = 10.0) -> None:
    """POST a JSON document to an address that is no provider's; what is answered does not matter.

    Raises:
        RetryLater: it was not taken: no answer, or one that is not 2xx.
    """
    async with httpx.AsyncClient(
        transport=CheckedTransport(allow), timeout=timeout_s, trust_env=False
    ) as client:
        try:
            answer = await client.post(url, json=document, headers={"User-Agent": user_agent})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RetryLater(f"no answer: {type(error).__name__}") from error
        except PauseConnection as error:  # the guard refuses the address
            raise RetryLater(error.reason) from error
    if not answer.is_success:
        raise RetryLater(f"answered with {answer.status_code}")
