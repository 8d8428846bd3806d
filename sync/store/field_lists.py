"""Which fields a container's objects have, as its provider told them last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.records import FieldKind, FieldSpec
from sync.store.tables import FieldList
from sync.store.upsert import insert_into


async def told(session: AsyncSession, connection_id: int, container: str) -> Sequence[FieldSpec] | None:
    """The fields; None before the first time."""
    row = await session.get(FieldList, (connection_id, container))
    return [_spec(spec) for spec in row.specs] if row is not None else None


async def keep(
    session: AsyncSession, connection_id: int, container: str, specs: Sequence[FieldSpec], now: datetime
) -> None:
    insert = insert_into(session, FieldList).values(
        connection_id=connection_id, container=container, specs=[_plain(spec) for spec in specs], read_at=now
    )
    changing = {name: insert.excluded[name] for name in ("specs", "read_at")}
    await session.execute(
        insert.on_conflict_do_update(index_elements=["connection_id", "container"], set_=changing)
    )


def _plain(spec: FieldSpec) -> dict[str, Any]:
    """Options as pairs: a document keeps no order of keys."""
    return {
        "name": spec.name,
        "kind": spec.kind.value,
        "label": spec.label,
        "writable": spec.writable,
        "options": [list(option) for option in spec.options.items()],
        "times": spec.times,
    }


def _spec(plain: Mapping[str, Any]) -> FieldSpec:
    return FieldSpec(**{**plain, "kind": FieldKind(plain["kind"]), "options": dict(plain["options"])})
