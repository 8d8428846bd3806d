"""An account authorises the app of a connection: its tokens are sealed and kept before anything uses them."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import col

from connectors import discover
from connectors.base import Connector
from connectors.consent import App, Consent, redeem
from connectors.records import Account
from sync.configuration import Configuration
from sync.jobs.configuring.in_force import connection_row, in_force
from sync.jobs.connecting import connections
from sync.jobs.connecting.tokens import SharedTokens
from sync.jobs.engine import Engine
from sync.jobs.receiving.addresses import of_interactions
from sync.store.tables import Connection


class NothingToAuthorise(ValueError):
    """The connection is not known, or has no app."""


async def find(engine: Engine, name: str, configuration: Configuration | None) -> Connection:
    """The connection of that name: of a configuration that is yet to be applied, or the one in force.

    Raises:
        NothingToAuthorise: there is none.
    """
    if configuration is None:
        async with engine.database.read() as session:
            query = select(Connection).where(col(Connection.removed_at).is_(None))
            rows = {row.name: row for row in (await session.execute(query)).scalars()}
    else:
        present = await in_force(engine)
        given = configuration.connections.values()
        rows = {config.name: connection_row(engine, config, present) for config in given}
    if name not in rows:
        raise NothingToAuthorise(f"there is no connection {name!r}; known: {', '.join(rows) or 'none'}")
    return rows[name]


def app_of(engine: Engine, row: Connection) -> App:
    """The app that the connection's credentials name.

    Raises:
        NothingToAuthorise: they name none.
    """
    connector: Connector = discover()[row.connector]
    credentials = connector.credentials.model_validate(engine.vault.open(row.credentials))
    app = connector.app(connector.settings.model_validate(row.settings), credentials)
    if app is None:
        raise NothingToAuthorise(
            f"{row.name} has no OAuth app in its credentials: nothing is to be authorised"
        )
    return app


def landing(engine: Engine, row: Connection) -> str:
    """Where the browser ends that consented, as the manifest of the connection's app has it; "" elsewhere."""
    connector: Connector = discover()[row.connector]
    settings = connector.settings.model_validate(row.settings)
    public_url = engine.settings.public_url
    if connector.capabilities.webhooks != "app" or connector.listens(settings) or not public_url:
        return ""
    return of_interactions(public_url, row.name)


async def keep(engine: Engine, row: Connection, consent: Consent, code: str) -> None:
    """Change the code for tokens, and keep them for all who work with the connection.

    Raises:
        ConnectorError: as :func:`connectors.consent.redeem`.
    """
    outbound = await engine.sessions.outbound(row)
    tokens = SharedTokens(engine.database, engine.vault, row, turn_s=2 * engine.sessions.call_s)
    async with tokens.alone():
        await tokens.keep(await redeem(outbound, consent, code))


async def account(engine: Engine, row: Connection) -> Account | None:
    """Who consented; a connection in force that was refused before goes on. None: refused even so."""
    if row.id:
        return await connections.check(engine, row)
    return await (await engine.sessions.get(row)).check()
