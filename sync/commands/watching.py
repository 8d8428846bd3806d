"""Commands that only look: status, links, deliveries, history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from sync.commands.opening import known_mapping, opened_database, run
from sync.commands.output import LARGEST_ID, After, AsJson, Limit, OfMapping, emit, listing, plain, table
from sync.instance.standing import standing
from sync.jobs.connecting.states import NEEDS_REAUTH
from sync.settings import HUB, Settings
from sync.store import listings
from sync.store.tables import Link

app = typer.Typer()

_SIDES = {"hub": HUB, "external": "external"}

Page = Callable[..., Awaitable[dict[str, Any]]]


@app.command()
def status(as_json: AsJson = False) -> None:
    """How everything stands."""
    settings = Settings()

    async def work() -> dict[str, Any]:
        async with opened_database(settings) as database:
            return await standing(database, settings)

    seen = run(settings, work())
    emit(seen, as_json=as_json, show=lambda console: _show_status(seen, console))


def _show_status(seen: dict[str, Any], console: Console) -> None:
    where = seen["instance"]["url"] or "not running"
    console.print(
        plain(
            f"asana-sync {seen['version']} ({where}): {'quiet' if seen['quiet'] else 'working or waiting'}"
        ),
        soft_wrap=True,
    )
    if seen["paused"]:
        console.print("everything is paused: asana-sync resume")
    connections = [
        [row["name"], row["connector"], row["state"], row["account"]["name"], row["reason"]]
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
            row["reason"] or _waits(row["waiting"]),
        ]
        for row in seen["mappings"]
    ]
    columns = ["name", "state", "links", "pending", "conflicts", "parked", "writes in / out", "reason"]
    table("mappings", columns, mappings)(console)
    for row in seen["connections"]:
        if row["state"] == NEEDS_REAUTH:
            hint = "apply new credentials, or where the old ones hold again"
            console.print(plain(f"{row['name']}: {hint}: asana-sync check {row['name']}"), soft_wrap=True)
    for row in seen["mappings"]:
        for sentence in [*_first_sync(row), *_to_approve(row), *_without_webhook(row)]:
            console.print(plain(sentence), soft_wrap=True)


def _first_sync(row: dict[str, Any]) -> list[str]:
    """How far the first sync of a mapping is."""
    far = row["first_sync"]
    if far is None:
        return []
    number = f": {far['done']} of {far['total']}" if far["total"] is not None else ""
    left = f", about {far['eta_s']:.0f} s left" if far["eta_s"] is not None else ""
    return [f"{row['name']}: first sync, {far['phase']}{number}{left}"]


def _to_approve(row: dict[str, Any]) -> list[str]:
    """The deletions of a mapping that ``approve`` would let happen."""
    actions = row["approval"]["actions"] if row["approval"] else []
    told = [
        f"  {each['external']}, {each[HUB]}: deleted in {row['connections'][_SIDES[each['gone']['side']]]}"
        for each in actions
    ]
    verb = "waits" if len(actions) == 1 else "wait"
    return (
        [f"{row['name']}: {len(actions)} {verb} for 'asana-sync approve {row['name']}'", *told]
        if told
        else []
    )


def _without_webhook(row: dict[str, Any]) -> list[str]:
    """Sides of a mapping whose webhook died and was not made anew, and why."""
    living = {each["side"] for each in row["subscriptions"] if each["state"] != "dead"}
    reasons = {each["side"]: each["reason"] for each in row["subscriptions"] if each["side"] not in living}
    return [
        f"{row['name']}: no webhook of {row['connections'][side]}, only polling: {reason}"
        for side, reason in reasons.items()
    ]


def _waits(waiting: Sequence[dict[str, Any]]) -> str:
    """What most of the waiting objects wait for, and until when."""
    return "; ".join(f"{one['number']} until {one['until']}: {one['reason']}" for one in waiting[:1])


def page_of(page: Page, *, limit: int, after: int | None, mapping: str | None) -> dict[str, Any]:
    """One page of a listing; a mapping that does not exist is a usage error."""
    settings = Settings()

    async def work() -> dict[str, Any]:
        async with opened_database(settings) as database:
            if mapping is not None:
                await known_mapping(database, mapping)
            async with database.read() as session:
                return await page(session, limit=limit, after=after, mapping=mapping)

    return run(settings, work())


@app.command()
def links(
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    as_json: AsJson = False,
) -> None:
    """Which object stands for which task."""
    found = page_of(listings.links_page, limit=limit, after=after, mapping=mapping)
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
    columns = ["id", "mapping", "kind", "state", "external", HUB, "reason"]
    emit(found, as_json=as_json, show=listing(found, "links", columns, rows))


@app.command()
def deliveries(
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    as_json: AsJson = False,
) -> None:
    """The webhook calls that came in."""
    found = page_of(listings.deliveries_page, limit=limit, after=after, mapping=mapping)
    rows = [
        [row["id"], row["connection"], row["event"], row["received_at"], row["state"], row["reason"]]
        for row in found["items"]
    ]
    columns = ["id", "connection", "event", "received", "state", "reason"]
    emit(found, as_json=as_json, show=listing(found, "deliveries", columns, rows))


@app.command()
def history(
    link: Annotated[
        int | None,
        typer.Argument(
            metavar="[LINK]", min=0, max=LARGEST_ID, help="Id of a link, from 'asana-sync links'."
        ),
    ] = None,
    limit: Limit = listings.DEFAULT_LIMIT,
    after: After = None,
    mapping: OfMapping = None,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first.")] = False,
    as_json: AsJson = False,
) -> None:
    """The timeline of a link, or of a mapping: what came in, what was decided and why, each try to write."""
    if link is None and mapping is None:
        raise typer.BadParameter("name a LINK, or --mapping for all links of a mapping", param_hint="LINK")

    async def page(session: AsyncSession, **asked: Any) -> dict[str, Any]:
        if link is not None and await session.get(Link, link) is None:
            raise typer.BadParameter(f"there is no link {link}", param_hint="LINK")
        return await listings.history_page(session, link, newest=newest, **asked)

    found = page_of(page, limit=limit, after=after, mapping=mapping)
    rows = [
        [row["at"], row["link"], row["event"], row["field"], row["text"], row["outcome"]]
        for row in found["items"]
    ]
    columns = ["at", "link", "event", "field", "what", "outcome"]
    whose = f"link {link}" if link is not None else f"mapping {mapping}"
    emit(found, as_json=as_json, show=listing(found, f"history of {whose}", columns, rows))
