"""SIGKILL to the worker while a remote write is on its way: no loss, nothing twice.

One deed each way at a time; the write reaches the provider, which does it or not and never answers,
and the worker dies before it can learn what happened.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.e2e.deeds import KINDS, all_done, prepared
from tests.e2e.town import Town

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

_IN_CI, *_OTHERS = KINDS
"""The others are killed in simulated time as well, at each of their calls: tests/simulation/crashes.py."""

_BOTH_S = 1.0
"""So long the second of two writes is waited for: the first one's deadline is 2 s."""


@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.chaos), "after"])
@pytest.mark.parametrize("name", [_IN_CI, *(pytest.param(name, marks=pytest.mark.chaos) for name in _OTHERS)])
async def test_a_worker_killed_around_a_write(shared: Town, name: str, when: str) -> None:
    deeds = await prepared(shared, shared.places["main"], KINDS[name])
    for deed in deeds:
        deed.fail(f"timeout_{when}")
        deed.act()
    await shared.until(lambda: any(deed.in_flight for deed in deeds), "a write is on its way")
    with suppress(AssertionError):
        await shared.until(lambda: all(deed.in_flight for deed in deeds), "the other one, too", _BOTH_S)
    await shared.kill_workers()
    for deed in deeds:
        deed.simulator.faults.clear()
    await all_done(shared, deeds)
