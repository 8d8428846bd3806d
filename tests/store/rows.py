"""Rows that most tests of the store start from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.records import Ref
from sync.store.tables import Connection, Link, Mapping

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def task(number: int = 1) -> Ref:
    return Ref("asana", "w", "task", f"t{number}")


def issue(number: int = 1, address: str = "") -> Ref:
    return Ref("github", "h", "issue", f"i{number}", address)


async def a_mapping(session: AsyncSession, name: str = "web") -> Mapping:
    """A mapping with both connections."""
    hub = Connection(name=f"{name}-asana", connector="asana", site="w", credentials="")
    external = Connection(name=f"{name}-github", connector="github", site="h", credentials="")
    session.add_all([hub, external])
    await session.flush()
    mapping = Mapping(
        name=name,
        hub_connection_id=hub.id,
        external_connection_id=external.id,
        hub_container="p",
        external_container="acme/website",
        config={"direction": "both"},
        state="active",
        full_pass_due=False,
        started=dict.fromkeys(("hub", "external"), "2026-01-05T12:00:00.000Z"),
    )
    session.add(mapping)
    await session.flush()
    return mapping


async def a_link(session: AsyncSession, mapping: Mapping, number: int = 1, **more: Any) -> Link:
    """An active link of task and issue number so and so."""
    values: dict[str, Any] = {
        "mapping_id": mapping.id,
        "created_at": NOON,
        "hub_ref": str(task(number)),
        "hub_kind": "task",
        "hub_id": task(number).id,
        "external_ref": str(issue(number)),
        "external_kind": "issue",
        "external_id": issue(number).id,
        **more,
    }
    link = Link(**values)
    session.add(link)
    await session.flush()
    return link
