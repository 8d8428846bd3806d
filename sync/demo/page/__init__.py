"""The demo's page: the simulated tools side by side, and between them what the engine does, live.

``panes`` play the people in each tool, ``watching`` sees what changes anywhere, ``telling`` puts the
product's own history and log into words, ``switches`` make trouble, ``playing`` plays the story there,
``app`` serves it all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from connectors.simulation import serve_app
from sync.demo.page.app import make_page
from sync.demo.page.panes import panes_of
from sync.demo.page.playing import Play
from sync.demo.page.switches import switches
from sync.demo.page.watching import Watch
from sync.demo.stage import Stage

__all__ = ["opened"]


@asynccontextmanager
async def opened(stage: Stage) -> AsyncIterator[str]:
    """Serve the page on loopback; its address."""
    panes = panes_of(stage)
    watch = Watch(stage.installation, panes, stage.scenes, stage.installation.log)
    play = Play(stage.scenes[0], watch)
    app = make_page(stage.installation, panes, watch, switches(stage, watch), play)
    async with watch.watching(), serve_app(app) as url, aclosing(play):
        yield url
