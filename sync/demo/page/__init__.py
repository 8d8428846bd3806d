"""The demo's page: the simulated tools side by side, and between them what the engine does, live.

``panes`` play the people in each tool, ``talk`` those who talk and use an app there, ``blocks`` are what
the app shows them; ``watching`` sees what changes anywhere, ``telling`` puts the product's own history and
log into words, ``switches`` make trouble, ``playing`` plays the story there, ``app`` and ``talking`` serve
it all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from connectors.simulation import serve_app
from sync.demo.page.app import make_page
from sync.demo.page.panes import TEMPLATES, Pane
from sync.demo.page.playing import Play
from sync.demo.page.switches import switches
from sync.demo.page.talk import Chat, Talk
from sync.demo.page.watching import Watch
from sync.demo.stage import End, Stage

__all__ = ["opened", "panes_of"]


@asynccontextmanager
async def opened(stage: Stage) -> AsyncIterator[str]:
    """Serve the page on loopback; its address."""
    panes = panes_of(stage)
    watch = Watch(stage.installation, panes, stage.scenes, stage.installation.log)
    play = Play(stage.scenes[0], watch)
    app = make_page(stage.installation, panes, watch, switches(stage, watch), play)
    async with watch.watching(), serve_app(app) as url, aclosing(play):
        yield url


def panes_of(stage: Stage) -> Sequence[Pane]:
    """The tools in the order in which they stand on the page, the hub last."""
    ends = [*(scene.external for scene in stage.scenes), stage.scenes[0].hub]
    return [_pane(end) for end in ends if (TEMPLATES / end.simulator.name).is_dir()]


def _pane(end: End) -> Pane:
    return Talk(end, end.simulator) if isinstance(end.simulator, Chat) else Pane(end)
