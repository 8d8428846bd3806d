"""Who listens behind a webhook's address: the subscription, its secret, and the mappings on its container."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel
from sqlalchemy import select
from sqlmodel import col

from connectors import discover
from connectors.base import Connector
from connectors.changes import Received, Secrets
from sync.jobs.engine import Engine
from sync.jobs.kept import Kept
from sync.jobs.receiving.addresses import APP
from sync.jobs.routing.route import Route, mappings_on, open_route
from sync.reconcile.model import Side
from sync.store.tables import Connection, Subscription

Routes = tuple[tuple[Route, Side], ...]
Address = tuple[str, str]
"""Name of a connection, and a subscription's key, or :data:`APP`."""
_Place = tuple[int, str]
"""A connection's id, and a container."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A subscription, and what its calls are checked against; None: calls about all containers come here."""

    connection: Connection
    subscription: Subscription | None
    connector: Connector
    settings: BaseModel = field(repr=False)
    secrets: Secrets = field(repr=False)


class Listeners:
    """Looks them up, and remembers for a moment: a storm of calls is about a few subscriptions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listeners: Kept[Address, Listener] = Kept(self._find, engine.now, lasts=_is_settled)
        self._routes: Kept[_Place, Routes] = Kept(self._open, engine.now)

    async def behind(self, address: Address) -> Listener | None:
        """None where nobody has, or has any more, such an address."""
        return await self._listeners.get(address)

    async def routes(self, listener: Listener, received: Received) -> Routes:
        """Mappings on the container that a call is about, and the side on which they have it."""
        about = received.container if listener.subscription is None else listener.subscription.container
        return await self._routes.get((listener.connection.id, about)) or ()

    async def aclose(self) -> None:
        await self._listeners.aclose()
        await self._routes.aclose()

    async def _find(self, addresses: Sequence[Address]) -> dict[Address, Listener]:
        query = (
            select(Connection, Subscription)
            .join(Subscription, col(Subscription.connection_id) == col(Connection.id))
            .where(
                col(Connection.removed_at).is_(None),
                col(Subscription.key).in_([key for _, key in addresses]),
            )
        )
        apps = select(Connection).where(
            col(Connection.removed_at).is_(None),
            col(Connection.name).in_([name for name, key in addresses if key == APP]),
        )
        async with self._engine.database.read() as session:
            rows = (await session.execute(query)).all()
            wanted = any(key == APP for _, key in addresses)
            named = (await session.execute(apps)).scalars().all() if wanted else ()
        found = {
            (connection.name, subscription.key): self._listener(connection, subscription)
            for connection, subscription in rows
        }
        found |= {(each.name, APP): app for each in named if (app := self._app(each)) is not None}
        return {address: found[address] for address in addresses if address in found}

    def _app(self, connection: Connection) -> Listener | None:
        connector = discover()[connection.connector]
        if connector.capabilities.webhooks != APP:
            return None
        credentials = self._engine.vault.open(connection.credentials)
        return Listener(
            connection=connection,
            subscription=None,
            connector=connector,
            settings=connector.settings.model_validate(connection.settings),
            secrets=connector.secrets(connector.credentials.model_validate(credentials)),
        )

    def _listener(self, connection: Connection, subscription: Subscription) -> Listener:
        connector = discover()[connection.connector]
        secret = self._engine.vault.open(subscription.secret)["secret"] if subscription.secret else ""
        return Listener(
            connection=connection,
            subscription=subscription,
            connector=connector,
            settings=connector.settings.model_validate(connection.settings),
            secrets=Secrets(
                active=(secret,) if secret else (), pending=subscription.state == "creating" and not secret
            ),
        )

    async def _open(self, places: Sequence[_Place]) -> dict[_Place, Routes]:
        found: dict[_Place, Routes] = {}
        for place in places:
            async with self._engine.database.read() as session:
                on = await mappings_on(session, *place)
            opened = [
                (await open_route(self._engine, mapping.id, asking=False), side) for mapping, side in on
            ]
            if routes := tuple((route, side) for route, side in opened if route is not None):
                found[place] = routes
        return found


def _is_settled(listener: Listener) -> bool:
    """Whether nothing of it is about to change: a handshake changes what is still being made."""
    if listener.subscription is None:
        return True
    return listener.subscription.state == "active" and bool(listener.secrets.active)
