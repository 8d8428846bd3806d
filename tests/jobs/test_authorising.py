"""Where the browser of somebody who consented ends: where the app of the connection has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync.jobs.connecting.authorising import landing
from sync.store.tables import Connection
from tests.jobs.world import World

OURS = "https://sync.example.com"


@pytest.mark.parametrize(
    ("connector", "chosen", "public_url", "lands"),
    [
        ("slack", {"team": "T1"}, OURS, f"{OURS}/interactions/our-tool"),
        ("slack", {"team": "T1"}, "", ""),
        ("slack", {"team": "T1", "mode": "socket"}, OURS, ""),
        ("asana", {"workspace": "1200000000000001"}, OURS, ""),
    ],
    ids=[
        "of an app that is called",
        "nowhere to be called",
        "nothing is called",
        "no app of the connection's own",
    ],
)
async def test_a_consent_ends_at_our_address_where_the_app_knows_it(
    world: World, connector: str, chosen: dict[str, Any], public_url: str, lands: str
) -> None:
    engine = replace(
        world.engine, settings=world.engine.settings.model_copy(update={"public_url": public_url})
    )
    assert landing(engine, Connection(name="our-tool", connector=connector, settings=chosen)) == lands
