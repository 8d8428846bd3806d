"""The command by which an account authorises the OAuth app of a connection."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.consent import Consent, ConsentRefused
from connectors.errors import Park
from sync.commands.configuring import configuration_of
from sync.commands.landing import is_loopback, landed, listening
from sync.commands.opening import run
from sync.commands.output import WAITS, AsJson, emit, line, say
from sync.commands.working import opened_engine
from sync.jobs.connecting import authorising
from sync.settings import Settings

app = typer.Typer()


@app.command()
def authorize(
    connection: Annotated[str, typer.Argument(help="Name of a connection with an OAuth app.")],
    config: Annotated[
        Path | None, typer.Option(help="A configuration that is not applied yet; else the one in force.")
    ] = None,
    redirect: Annotated[
        str,
        typer.Option(
            help="Redirect address of the app, where it is not the manifest's. http://127.0.0.1:PORT/... is "
            "listened to; with any other one paste the code, or the address that the browser ends at."
        ),
    ] = "",
    scope: Annotated[
        str, typer.Option(help="Scopes, with spaces; else those that the connector needs.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Let the account authorise the app: tells the address to open, takes the code, keeps tokens sealed."""
    settings = Settings()
    configuration = configuration_of(config) if config is not None else None

    async def work() -> dict[str, Any]:
        async with opened_engine(settings) as engine:
            row = await authorising.find(engine, connection, configuration)
            asked = authorising.app_of(engine, row)
            lands = redirect or authorising.landing(engine, row) or asked.shows_code_at
            consent = Consent(app=asked, redirect=lands, scope=scope)
            await authorising.keep(engine, row, consent, consent.code(await _answer(consent)))
            account = await authorising.account(engine, row)
            return {
                "connection": row.name,
                "authorized": account is not None,
                "account": {"id": account.id, "name": account.name} if account else None,
            }

    try:
        told = run(settings, work())
    except authorising.NothingToAuthorise as error:
        raise typer.BadParameter(str(error)) from error
    except ConsentRefused as refused:
        say(str(refused))
        raise typer.Exit(WAITS) from refused
    except Park as refused:  # the code is wrong, was used before, or is too old
        say(f"the code is not taken: {refused.reason}; begin again")
        raise typer.Exit(WAITS) from refused
    name = told["account"]["name"] if told["account"] else ""
    words = f"{connection} works as {name}" if name else f"{connection} is still refused: asana-sync check"
    emit(told, as_json=as_json, show=line(words))
    raise typer.Exit(0 if told["authorized"] else WAITS)


async def _answer(consent: Consent) -> str:
    """What comes back: at the redirect address, or pasted."""
    open_it = (
        f"Signed in at {consent.app.provider} as the account that shall do the sync, open\n\n{consent.url}\n"
    )
    if is_loopback(consent.redirect):
        with listening(consent.redirect) as socket:
            say(f"{open_it}\nWaiting for the browser to come back to {consent.redirect} ...")
            return await landed(consent.redirect, socket, consent.answers)
    say(f"{open_it}\nAllow it, and paste the code that is shown, or the address that the browser ends at:")
    return await asyncio.to_thread(sys.stdin.readline)
