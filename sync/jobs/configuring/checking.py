"""What only the providers can tell about a configuration: credentials, containers, sections, fields."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from connectors import discover
from connectors.errors import ConnectorError, PauseConnection, PauseMapping
from connectors.records import Account, Container
from sync.configuration import Configuration, MappingConfig, Problem
from sync.jobs.configuring.in_force import InForce, same_connection, same_mapping
from sync.jobs.engine import Engine
from sync.jobs.routing.fitness import filter_findings, rule_findings, section_problems, writer_problems
from sync.reconcile.sides import Side
from sync.store.tables import Connection


@dataclass(slots=True)
class Findings:
    """``problems`` forbid it; ``warnings`` are told. Rows of connections learn their account on the way."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    uncounted: list[str] = field(default_factory=list)
    """Mappings of which nobody knows what they would write."""

    def against(self, path: str) -> bool:
        """Whether anything at this path or below it is wrong."""
        return any(problem.path.startswith(path) for problem in self.problems)


async def ask_providers(
    engine: Engine,
    configuration: Configuration,
    rows: Map[str, Connection],
    present: InForce,
    other_accounts: Collection[str] = (),
) -> Findings:
    """Ask about everything new or changed; who does not answer now is a warning.

    ``other_accounts``: connections that may change hands.
    """
    found = Findings()
    refused: set[str] = set()
    for path, config in configuration.connections.items():
        changes_hands = config.name in other_accounts
        await _check_connection(engine, path, rows[config.name], present, found, changes_hands)
        if found.against(path):
            refused.add(config.name)
    for path, mapping in configuration.mappings.items():
        unusable = refused | ({mapping.connection, mapping.asana.connection} - rows.keys())
        if unusable & {mapping.connection, mapping.asana.connection}:
            continue
        if not same_mapping(mapping, present.mappings.get(mapping.name)):
            await _check_mapping(engine, mapping, path, rows, found)
    return found


async def _check_connection(
    engine: Engine, path: str, row: Connection, present: InForce, found: Findings, changes_hands: bool
) -> None:
    known = present.connections.get(row.name)
    if known is not None and (known.connector, known.site) != (row.connector, row.site):
        found.problems.append(
            Problem(
                f"{path}.settings",
                f"leads to another place ({row.connector}, {row.site}) than before ({known.connector}, "
                f"{known.site}); give the new one another name",
            )
        )
        return
    if same_connection(row, known):
        return
    account = await _account(engine, row, path, found)
    if account is None:
        return
    if row.account_id and account.id != row.account_id:
        if not changes_hands:
            found.problems.append(
                Problem(
                    f"{path}.credentials",
                    f"belong to {account.name}, but this connection is {row.account_name}'s; give the new "
                    f"one another name, or confirm that it changes hands: --other-account {row.name}",
                )
            )
            return
        found.warnings.append(f"{row.name}: {account.name} takes the place of {row.account_name}")
    row.account_id, row.account_name = account.id, account.name
    row.clock_offset_s, row.missing = account.clock_offset_s, list(account.missing)
    found.warnings += [f"{row.name}: {sentence}" for sentence in account.missing]


async def _account(engine: Engine, row: Connection, path: str, found: Findings) -> Account | None:
    try:
        return await (await engine.sessions.get(row)).check()
    except PauseConnection as error:
        found.problems.append(Problem(f"{path}.credentials", f"{row.name} refuses them: {error.reason}"))
    except ConnectorError as error:
        found.warnings.append(f"{row.name} could not be checked now: {error.reason}")
    return None


async def _check_mapping(
    engine: Engine, mapping: MappingConfig, path: str, rows: Map[str, Connection], found: Findings
) -> None:
    external = await _container(
        engine, rows[mapping.connection], mapping.container, f"{path}.container", found
    )
    hub = await _container(
        engine, rows[mapping.asana.connection], mapping.asana.project, f"{path}.asana.project", found
    )
    if external is not None and external.public and (shown := _shown_to_the_world(mapping)):
        found.warnings.append(f"{mapping.name}: {external.name} is public: everybody will read {shown}")
    for connection in (mapping.asana.connection, mapping.connection):
        connector = discover()[rows[connection].connector]
        if not mapping.backlinks and not connector.capabilities.hidden_key:
            found.warnings.append(
                f"{mapping.name}: backlinks are off, yet what is created in {connector.title} shows one: "
                "it is the only key by which asana-sync finds it again"
            )
    if hub is not None:
        found.problems += section_problems(mapping, f"{path}.asana", hub)
    if external is not None and hub is not None:
        await _check_fields(engine, mapping, path, rows, found)


async def _container(
    engine: Engine, row: Connection, container: str, where: str, found: Findings
) -> Container | None:
    try:
        return await (await engine.sessions.get(row)).container(container)
    except (PauseMapping, PauseConnection) as error:
        found.problems.append(Problem(where, f"{row.name} cannot see {container!r}: {error.reason}"))
    except ConnectorError as error:
        found.warnings.append(f"{container} could not be checked now: {error.reason}")
    return None


def _shown_to_the_world(mapping: MappingConfig) -> str:
    """What a person in Asana may not mean for a public place; empty where nothing goes there."""
    if mapping.direction == "to_asana":
        return ""
    shown = {
        "the comments copied from Asana": mapping.comments.from_asana,
        "the names of files attached in Asana": mapping.attachments.from_asana,
    }
    return " and ".join(what for what, goes in shown.items() if goes)


async def _check_fields(
    engine: Engine, mapping: MappingConfig, path: str, rows: Map[str, Connection], found: Findings
) -> None:
    """Rules and filters, against the fields and options that there are."""
    places = {
        Side.HUB: (rows[mapping.asana.connection], mapping.asana.project),
        Side.EXTERNAL: (rows[mapping.connection], mapping.container),
    }
    try:
        fields = {
            side: {spec.name: spec for spec in await (await engine.sessions.get(row)).fields(container)}
            for side, (row, container) in places.items()
        }
    except ConnectorError as error:
        found.warnings.append(f"the fields of {mapping.name} could not be checked now: {error.reason}")
        return
    problems, warnings = filter_findings(mapping, path, fields)
    problems += writer_problems(mapping, f"{path}.fields", fields)
    for at, rule in enumerate(mapping.fields if mapping.fields != "default" else ()):
        against, about = rule_findings(rule, mapping, f"{path}.fields[{at}]", fields)
        problems, warnings = problems + against, warnings + about
    found.problems += problems
    found.warnings += [f"{mapping.name}: {sentence}" for sentence in warnings]
