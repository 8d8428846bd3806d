"""Commands that only look: status, links, conflicts, parked, deliveries, history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from sync.commands import opening
from sync.commands.opening import emit, opened_database, run, table
from sync.commands.running import AsJson
from sync.settings import HUB, Settings
from sync.store import listings
from sync.store.tables import Link

Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]
After = Annotated[int | None, typer.Option(help="Go on after this id: the 'next' of the page before.")]
OfMapping = Annotated[str | None, typer.Option("--mapping", help="Only of this mapping.")]


def status(as_json: AsJson = False) -> None:
    """How everything stands."""
    settings = Settings()

    async def work() -> dict[str, Any]:
        async with opened_database(settings) as database:
            return await opening.standing(database, settings)

    seen = run(work())

    def show(console: Console) -> None:
        where = seen["instance"]["url"] or "not running"
        console.print(
            f"asana-sync {seen['version']} ({where}): {'quiet' if seen['quiet'] else 'working or waiting'}"
        )
        if seen["paused"]:
            console.print("everything is paused: asana-sync resume")
        connections = [
            [row["name"], row["connector"], row["state"], (row["account"] or {}).get("name"), row["reason"]]
            for row in seen["connections"]
        ]
        table("connections", ["name", "connector", "state", "account", "reason"], connections)(console)
        mappings = [
            [
                row["name"],
                row["state"],
                row["links"]["active"],
                row["pending"],
                row["conflicts_open"],
                row["parked_open"],
                f"{row['writes_total'][HUB]} / {row['writes_total']['external']}",
                row["reason"],
            ]
            for row in seen["mappings"]
        ]
        columns = ["name", "state", "links", "pending", "conflicts", "parked", "writes in / out", "reason"]
        table("mappings", columns, mappings)(console)

    emit(seen, as_json=as_json, show=show)


def _listing(
    page: Callable[[AsyncSession], Awaitable[dict[str, Any]]], mapping: str | None
) -> dict[str, Any]:
    async def work() -> dict[str, Any]:
        async with opened_database(Settings()) as database:
            await opening.known_mapping(database, mapping)
            async with database.read() as session:
                return await page(session)

    return run(work())


def _more(document: dict[str, Any]) -> Callable[[Console], None]:
    def show(console: Console) -> None:
        if document["next"] is not None:
            console.print(f"more: --after {document['next']}")

    return show


def _print(
    document: dict[str, Any], as_json: bool, title: str, columns: list[str], rows: list[list[Any]]
) -> None:
    def show(console: Console) -> None:
        table(title, columns, rows)(console)
        _more(document)(console)

    emit(document, as_json=as_json, show=show)


def links(
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    as_json: AsJson = False,
) -> None:
    """Which object stands for which task."""
    found = _listing(
        lambda session: listings.links_page(session, limit=limit, after=after, mapping=mapping), mapping
    )
    rows = [
        [
            row["id"],
            row["mapping"],
            row["kind"],
            row["state"],
            row["external"]["key"],
            row[HUB]["title"],
            row["reason"],
        ]
        for row in found["items"]
    ]
    _print(found, as_json, "links", ["id", "mapping", "kind", "state", "external", HUB, "reason"], rows)


def show_conflicts(limit: int, after: int | None, mapping: str | None, as_json: bool) -> None:
    found = _listing(
        lambda session: listings.conflicts_page(session, limit=limit, after=after, mapping=mapping), mapping
    )
    rows = [
        [
            row["id"],
            row["field"],
            row["kind"],
            row["state"],
            row["winner"],
            row[HUB]["value"],
            row["external"]["value"],
        ]
        for row in found["items"]
    ]
    _print(found, as_json, "conflicts", ["id", "field", "kind", "state", "winner", HUB, "external"], rows)


def show_parked(limit: int, after: int | None, mapping: str | None, as_json: bool) -> None:
    found = _listing(
        lambda session: listings.parked_page(session, limit=limit, after=after, mapping=mapping), mapping
    )
    rows = [
        [row["id"], row["what"], row["class"], row["field"], row["reason"], row["fix"], row["attempts"]]
        for row in found["items"]
    ]
    _print(found, as_json, "parked", ["id", "what", "class", "field", "reason", "what to do", "tries"], rows)


def deliveries(
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    as_json: AsJson = False,
) -> None:
    """The webhook calls that came in."""
    found = _listing(
        lambda session: listings.deliveries_page(session, limit=limit, after=after, mapping=mapping), mapping
    )
    rows = [
        [row["id"], row["connection"], row["event"], row["received_at"], row["state"], row["reason"]]
        for row in found["items"]
    ]
    _print(found, as_json, "deliveries", ["id", "connection", "event", "received", "state", "reason"], rows)


def history(
    link: Annotated[int, typer.Argument(help="Id of a link, from 'asana-sync links'.")],
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    as_json: AsJson = False,
) -> None:
    """The timeline of a link: what came in, what was decided and why, what was written."""

    async def page(session: AsyncSession) -> dict[str, Any]:
        if await session.get(Link, link) is None:
            raise typer.BadParameter(f"there is no link {link}", param_hint="LINK")
        return await listings.history_page(session, link, limit=limit, after=after)

    found = _listing(page, None)
    rows = [[row["at"], row["event"], row["field"], row["text"], row["outcome"]] for row in found["items"]]
    _print(found, as_json, f"history of link {link}", ["at", "event", "field", "what", "outcome"], rows)
