"""The story on the page: Ada and Bob play it before the eyes of whoever pressed the button.

The people are those of :mod:`sync.demo.story`, and each scene waits until the other side shows it. Nothing
is locked meanwhile: who works on the same object may spoil the scene, and is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from connectors.errors import ConnectorError
from sync.demo import story
from sync.demo.page.watching import STORY, Watch
from sync.demo.seeing import Unmet
from sync.demo.stage import Scene

_BREATH_S = 2.0
"""Between two scenes, so that each can be read."""

PROGRAMME: Sequence[tuple[str, Sequence[story.Part]]] = (
    ("Ada opens something on the left: it appears on the right", (story.opened,)),
    ("Bob renames it on the right, and takes it", (story.renamed_and_assigned,)),
    ("Both edit at once, text here and title there", (story.different_fields,)),
    ("Ada asks, Bob answers, each in their own tool", (story.asked, story.answered)),
    ("Ada closes it, Bob opens it again", (story.closed, story.reopened)),
    ("A label comes on the left, another goes on the right", (story.labelled, story.unlabelled)),
)


class Play:
    """``scene``: number of the scene that is played, from 1; 0 while there is none."""

    def __init__(self, stage_scene: Scene, watch: Watch, breath_s: float = _BREATH_S) -> None:
        self.scene = 0
        self._where, self._watch, self._breath_s = stage_scene, watch, breath_s
        self._playing: asyncio.Task[None] | None = None

    @property
    def title(self) -> str:
        return PROGRAMME[self.scene - 1][0] if self.scene else ""

    @property
    def scenes(self) -> int:
        return len(PROGRAMME)

    @property
    def pane(self) -> str:
        """Name of the tool in which it begins."""
        return self._where.external.simulator.name

    @property
    def object(self) -> str:
        """What the play is about, there; empty before it is opened."""
        return self._where.external.object if self.scene else ""

    def begin(self) -> None:
        """Nothing, where it is being played."""
        if not self.scene:
            self._where.external.object = self._where.hub.object = ""
            self._at(1)
            self._playing = asyncio.create_task(self._play())

    async def aclose(self) -> None:
        """Nobody looks any more."""
        if self._playing is not None:
            self._playing.cancel()
            with suppress(asyncio.CancelledError):
                await self._playing

    async def _play(self) -> None:
        try:
            for number, (title, parts) in enumerate(PROGRAMME, 1):
                self._at(number)
                self._watch.told(f"Scene {number}: {title}")
                for part in parts:
                    seen = await part(self._where)
                    took = f" · {seen.ms:,.0f} ms" if seen.ms is not None else ""
                    self._watch.told(f"{seen.route}: {seen.what}{took}")
                    self._watch.changed(STORY)
                await asyncio.sleep(self._breath_s)
        except (Unmet, ConnectorError) as error:
            self._watch.told(f"The story stops here: {error}")
        finally:
            self._at(0)

    def _at(self, scene: int) -> None:
        self.scene = scene
        self._watch.changed(STORY)
