"""One JSON POST to ``ALERT_URL`` whenever what needs a person's attention changes."""

from __future__ import annotations

from typing import Any

import structlog

from connectors.egress import Egress
from connectors.errors import ConnectorError
from connectors.notify import notify
from sync import __version__
from sync.jobs.connecting import states
from sync.jobs.engine import Engine
from sync.store.status import status
from sync.store.tables import Setting
from sync.store.times import parse_time, rfc3339

log = structlog.get_logger()

_KEY = "alerts"
_NOTHING: dict[str, Any] = {"connections": [], "mappings": []}
_ILL = (states.NEEDS_REAUTH, states.UNREACHABLE)
_REST_S = 60.0
"""After an address did not take it."""


def attention(seen: dict[str, Any]) -> dict[str, Any]:
    """What of a status document waits for a person; empty lists where nothing does."""
    return {
        "connections": [
            {"name": row["name"], "state": row["state"], "reason": row["reason"]}
            for row in seen["connections"]
            if row["state"] in _ILL
        ],
        "mappings": [
            {
                "name": row["name"],
                "state": row["state"],
                "reason": row["reason"],
                "parked": row["parked_open"],
                "conflicts": row["conflicts_open"],
                "divergent": row["divergent"],
                "approval": row["approval"] and row["approval"]["id"],
            }
            for row in seen["mappings"]
            if row["state"] == "stopped" or row["parked_open"] or row["conflicts_open"] or row["approval"]
        ],
    }


async def watch(engine: Engine) -> None:
    """Tell of a change. It counts as told when the address took it; until then it is told again."""
    settings = engine.settings
    if not settings.alert_url:
        return
    async with engine.database.read() as session:
        seen = await status(
            session, version=__version__, now=engine.now(), instance={"id": None, "url": None}, since=None
        )
        stored = await session.get(Setting, _KEY)
    now = attention(seen)
    kept: dict[str, Any] = stored.value if stored else {"told": _NOTHING, "rests_until": None}
    rests = kept["rests_until"] and parse_time(kept["rests_until"]) > engine.now()
    if now == kept["told"] or rests:
        return
    document = {"at": rfc3339(engine.now()), "attention": now != _NOTHING, **now}
    try:
        await notify(
            settings.alert_url,
            document,
            allow=Egress(settings.private_hosts),
            user_agent=f"asana-sync/{__version__}",
        )
        kept = {"told": now, "rests_until": None}
    except ConnectorError as error:
        log.warning("alert", reason=error.reason)
        kept = {**kept, "rests_until": rfc3339(engine.in_s(_REST_S))}
    async with engine.database.write() as session:
        await session.merge(Setting(key=_KEY, value=kept))
