"""What is said in Asana is told to the whole world only if the configuration file says so."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import replace

from connectors.errors import ConnectorError
from sync.configuration import Configuration
from sync.jobs.configuring.in_force import InForce, same_mapping
from sync.jobs.engine import Engine
from sync.store.tables import Connection

_PARTS = {"comments": "comments", "attachments": "the names of files"}


async def kept_private(
    engine: Engine, configuration: Configuration, rows: Map[str, Connection], present: InForce
) -> tuple[Configuration, list[str]]:
    """The configuration with nothing of Asana's comments and files in public places where it does not say
    ``from_asana``, and a warning for each mapping where that is new.

    Where nobody can tell now whether the place is public, it is as it was.
    """
    mappings, warnings = dict(configuration.mappings), []
    for path, mapping in configuration.mappings.items():
        untold = [part for part in _PARTS if "from_asana" not in getattr(mapping, part).model_fields_set]
        row = rows.get(mapping.connection)
        if row is None or not untold or mapping.direction == "to_asana":
            continue
        public, known = await _is_public(engine, row, mapping.container), present.mappings.get(mapping.name)
        if public is False:
            continue
        asked_before = public is None and known is not None and known.external_container == mapping.container
        before = known.config if known is not None and asked_before else {}
        goes = {part: bool(before.get(part, {}).get("from_asana")) for part in untold}
        kept = mapping.model_copy(
            update={
                part: getattr(mapping, part).model_copy(update={"from_asana": told})
                for part, told in goes.items()
            }
        )
        mappings[path] = kept
        if not any(goes.values()) and not same_mapping(kept, known):
            why = "is public" if public else "may be public"
            what = " and ".join(_PARTS[part] for part in untold)
            keys = " and ".join(f"{part}.from_asana: true" for part in untold)
            warnings.append(
                f"{mapping.name}: {mapping.container} {why}: {what} stay in Asana unless you say {keys}"
            )
    return replace(configuration, mappings=mappings), warnings


async def _is_public(engine: Engine, row: Connection, container: str) -> bool | None:
    """None: it cannot be asked now."""
    try:
        return (await (await engine.sessions.get(row)).container(container)).public
    except ConnectorError:
        return None
