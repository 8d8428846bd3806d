"""Nobody looked for days, and the position of polling is lost: all is compared, and nothing old is new."""

from __future__ import annotations

from connectors.github.simulator import GitHubSimulator
from sync.jobs.tending import upkeep
from sync.store.tables import Mapping
from tests.jobs.conftest import Build
from tests.jobs.world import World

_FOUR_DAYS_S = 4 * 86400.0


def texts(view: dict[str, object]) -> list[str]:
    return [str(comment["text"]) for comment in view["comments"]]  # type: ignore[attr-defined]


async def test_four_days_of_downtime_bring_every_edit_once_and_nothing_old(build: Build) -> None:
    def before_the_mapping(world: World) -> dict[str, object]:
        world.external.clock.advance(-60)
        old = world.external.new(world.container, title="Older than the mapping", by="ada")
        world.external.comment(old, "An old remark", by="ada")
        world.external.clock.advance(60)
        return {}

    world = await build(GitHubSimulator, prepare=before_the_mapping)
    item, task = await world.paired(title="Start", labels=["ui"])
    world.external.comment(item, "Before the downtime", by="bob")
    await world.settle()
    assert len(world.task()["comments"]) == 1
    world.clock.advance(_FOUR_DAYS_S)
    world.hub.clock.advance(_FOUR_DAYS_S)
    world.external.clock.advance(_FOUR_DAYS_S)
    world.hub.workspace.log.expire_tokens()
    world.external.edit(item, title="Renamed meanwhile", by="ada")
    world.hub.edit(task, notes="A text from the hub", by="bob")
    world.external.comment(item, "While nobody looked", by="ada")
    world.hub.comment(task, "From the task", by="bob")
    fresh = world.external.new(world.container, title="New meanwhile", by="ada")
    await upkeep.notice_gaps(world.engine)
    assert (await world.the(Mapping)).full_pass_due
    await world.settle()
    titles = sorted(str((world.hub.view(one) or {})["title"]) for one in world.tasks())
    assert titles == ["New meanwhile", "Renamed meanwhile"], "what is older than the mapping stays alone"
    there, here = world.external.view(item), world.hub.view(task)
    assert there is not None
    assert here is not None
    assert "A text from the hub" in there["notes"]
    assert len(texts(there)) == len(texts(here)) == 3
    assert world.external.view(fresh) is not None
    before = len(world.writes())
    await world.settle(full=True)
    assert len(world.writes()) == before
