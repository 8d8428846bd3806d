"""The demo: discovered simulators, a running product, and either a page to try it on or a story.

``stage`` serves the providers and starts the product. ``page`` lets people play on both sides and watch;
``shop`` is what they find there. ``story`` plays people by itself and checks what it sees on both sides;
``screen`` prints.
"""

from __future__ import annotations

import asyncio
from typing import TextIO

from connectors.errors import ConnectorError
from sync.demo.installation import ProductFailed
from sync.demo.page import opened
from sync.demo.screen import Screen
from sync.demo.seeing import Unmet, settled
from sync.demo.shop import shop
from sync.demo.stage import Stage, staged
from sync.demo.story import STORY
from sync.instance.signals import until_signal
from sync.settings import Settings

__all__ = ["demo"]

HELD, BROKEN, INTERRUPTED = 0, 1, 130


async def demo(settings: Settings, *, once: bool, out: TextIO) -> int:
    """Serve the page until Ctrl-C; with ``once``, play the story and end.

    Args:
        settings: of the shell that runs it; folder and port are taken from it where they are set.
        out: where the story is printed.

    Returns:
        The exit code: 0 only if every check held.
    """
    screen = Screen(out)
    ended = HELD

    async def body() -> None:
        nonlocal ended
        ended = INTERRUPTED
        if once:
            async with staged(settings) as stage:
                ended = await _play(stage, screen)
                stage.keep_folder = ended != HELD
        else:
            async with staged(settings, shop) as stage, opened(stage) as url:
                screen.opens(stage)
                screen.serves(url)
                await asyncio.Event().wait()

    try:
        await until_signal(body())
    except ProductFailed as error:
        screen.not_started(str(error))
        return BROKEN
    return ended


async def _play(stage: Stage, screen: Screen) -> int:
    screen.opens(stage)
    try:
        for number, step in enumerate(STORY, 1):
            with screen.playing(number, step):
                for act in step.acts:
                    await settled(stage)
                    screen.seen(await act(stage))
    except (Unmet, ProductFailed, ConnectorError) as error:
        screen.broke(error, stage.installation.log)
        return BROKEN
    screen.closes()
    return HELD
