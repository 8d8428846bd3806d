"""Commands under the name of a connector whose provider wants an app: what the app is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from typer.main import get_group

from connectors import discover
from connectors.base import Connector
from sync.commands.output import emit
from sync.jobs.receiving.addresses import of_app, of_interactions
from sync.settings import Settings


def names() -> list[str]:
    """Connectors that are apps."""
    return list(_apps())


def group(name: str) -> Any:
    """The commands of a connector that is an app; None of any other name."""
    connector = _apps().get(name)
    return None if connector is None else get_group(_commands(connector))


def _apps() -> Mapping[str, Connector]:
    return {name: each for name, each in discover().items() if each.capabilities.webhooks == "app"}


def _commands(connector: Connector) -> typer.Typer:
    app = typer.Typer(name=connector.name, help=f"The app at {connector.title}.", no_args_is_help=True)

    @app.callback()
    def about() -> None:
        """Without it, a single command would be the group itself."""

    @app.command()
    def manifest(
        connection: Annotated[
            str, typer.Option(help="Name of the connection in the configuration file.")
        ] = connector.name,
        socket: Annotated[
            bool, typer.Option("--socket", help="The app calls nobody: we keep a connection open.")
        ] = False,
        oauth: Annotated[
            bool, typer.Option("--oauth", help="An account authorises the app, and its tokens are renewed.")
        ] = False,
    ) -> None:
        """The manifest from which an admin makes the app, as JSON; its calls come to PUBLIC_URL."""
        public = Settings().public_url
        if not socket and not public:
            raise typer.BadParameter(
                "ASANA_SYNC_PUBLIC_URL is not set: set it to the address that the provider can reach, "
                "or use --socket"
            )
        given = ("", "") if socket else (of_app(public, connection), of_interactions(public, connection))
        emit(connector.manifest(*given, authorised=oauth), as_json=True, show=lambda console: None)

    return app
