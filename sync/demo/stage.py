"""The stage: every discovered provider on loopback, one mapping for each of them with the hub."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from connectors import discover
from connectors.base import Connector
from connectors.simulation import Simulator, serve
from sync.demo.installation import LOOPBACK, PREFIX, Installation, free_port, installed
from sync.settings import HUB, Settings

PEOPLE = ("ada", "bob")
"""Every simulator knows them, with the email ``NAME@example.com``."""

MARK: Mapping[str, Any] = {"reactions": ["memo"]}
CAPTURED = {"fields": {"custom:reactions": ["memo"]}}
"""Where people talk: which messages become tasks by themselves. All others are talk until somebody asks."""

LIVELY: Mapping[str, str] = {
    "POLL_SECONDS": "2",
    "REWAKE_SECONDS": "1",
    "HTTP_TIMEOUT_SECONDS": "4",
    "LEASE_SECONDS": "6",
    "LOOKUP_DELAY_SECONDS": "1",
    "STALE_SECONDS": "5",
    "TIE_SECONDS": "1",
    "JOIN_SECONDS": "0.2",
    "DELETE_DELAY_SECONDS": "5",
    "BACKOFF_MAX_SECONDS": "5",
}
"""Patience that fits a play. The real defaults are made for real providers."""


@dataclass(eq=False)
class End:
    """One side of a mapping, as people there see it."""

    title: str
    noun: str
    simulator: Simulator
    container: str
    object: str = ""
    """The object that the story is about."""
    called: str = ""
    """What people call the container."""

    def new(self, *, by: str, **fields: Any) -> str:
        """Somebody makes an object; its id."""
        return self.simulator.new(self.container, by=by, **fields)

    def edit(self, *, by: str, **fields: Any) -> None:
        self.simulator.edit(self.object, by=by, **fields)

    def comment(self, text: str, *, by: str) -> None:
        self.simulator.comment(self.object, text, by=by)

    def views(self) -> dict[str, Mapping[str, Any]]:
        """Everything in the container, by id."""
        simulator = self.simulator
        seen = {id: simulator.view(id) for id in simulator.objects(self.container)}
        return {id: view for id, view in seen.items() if view is not None}

    def view(self) -> Mapping[str, Any]:
        """The story's object; nothing if it is not there."""
        return (self.simulator.view(self.object) if self.object else None) or {}


@dataclass(frozen=True, eq=False)
class Scene:
    """One mapping: where one provider and the hub play."""

    mapping: str
    external: End
    hub: End
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the mapping, as in the configuration file."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What people call fields whose name in rules is an id."""

    @property
    def is_talk(self) -> bool:
        """Whether people mostly talk there: what they wrote is theirs, and has no labels."""
        return discover()[self.external.simulator.name].capabilities.selective


@dataclass(eq=False)
class Stage:
    """Everything that runs."""

    installation: Installation
    hub: Simulator
    scenes: Sequence[Scene]
    keep_folder: bool = False
    """Whether the folder with the log stays behind."""

    @property
    def tracked(self) -> Sequence[Scene]:
        """Those where people keep records, which anybody may edit."""
        return [scene for scene in self.scenes if not scene.is_talk]

    @property
    def simulators(self) -> Sequence[Simulator]:
        return [self.hub, *(scene.external.simulator for scene in self.scenes)]


def simulator_types() -> Mapping[str, type[Simulator]]:
    """The simulator in each connector's folder, by the connector's name."""
    found = {name: _simulator_type(connector) for name, connector in discover().items()}
    return {name: each for name, each in found.items() if each is not None}


def _simulator_type(connector: Connector) -> type[Simulator] | None:
    name = f"{type(connector).__module__.rpartition('.')[0]}.simulator"
    if importlib.util.find_spec(name) is None:
        return None
    module = importlib.import_module(name)
    classes = (each for _, each in inspect.getmembers(module, inspect.isclass))
    return next(each for each in classes if issubclass(each, Simulator) and each.__module__ == name)


Scenery: TypeAlias = Callable[[Mapping[str, Simulator]], Sequence[Scene]]
"""Makes containers, and what shall be in them, before the product starts. By name of the connector."""


def one_for_each(simulators: Mapping[str, Simulator]) -> Sequence[Scene]:
    """An empty container for each provider, and a project of its own in the hub."""
    return [_scene(name, simulators[HUB], each) for name, each in simulators.items() if name != HUB]


@asynccontextmanager
async def staged(settings: Settings, scenery: Scenery = one_for_each) -> AsyncIterator[Stage]:
    """Simulators, and the product at work on those that have a scene."""
    with _folder(settings) as keep:
        folder = keep.folder
        async with AsyncExitStack() as stack:
            simulators = {name: each() for name, each in simulator_types().items()}
            urls = {name: await stack.enter_async_context(serve(each)) for name, each in simulators.items()}
            scenes = scenery(simulators)
            port = settings.port if "port" in settings.model_fields_set and settings.port else free_port()
            env = {
                **LIVELY,
                "HOST": LOOPBACK,
                "PORT": str(port),
                "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
                "ALLOW_PRIVATE_HOSTS": LOOPBACK,
            }
            installation = await stack.enter_async_context(
                installed(
                    folder,
                    yaml.safe_dump(configuration(simulators[HUB], urls, scenes), sort_keys=False),
                    {f"{PREFIX}{name}": value for name, value in env.items()},
                )
            )
            for scene in scenes:
                _install(scene.external.simulator, installation.url)
            stage = Stage(installation, simulators[HUB], scenes)
            try:
                yield stage
            finally:
                keep.wanted = stage.keep_folder


def _install(simulator: Simulator, url: str) -> None:
    """What an admin does once where one app serves all containers; everywhere else the product does it."""
    name = simulator.name
    if discover()[name].capabilities.webhooks == "app":
        simulator.install(f"{url}/webhooks/{name}/app", f"{url}/interactions/{name}")


def _scene(name: str, hub: Simulator, simulator: Simulator) -> Scene:
    connector, hub_connector = discover()[name], discover()[HUB]
    external = End(
        connector.title, connector.capabilities.kinds[0], simulator, simulator.new_container("website")
    )
    project = hub.new_container(f"Website ({connector.title})")
    return Scene(
        f"{name}-website",
        external,
        End(hub_connector.title, hub_connector.capabilities.kinds[0], hub, project),
        {"filter": CAPTURED} if connector.capabilities.selective else {},
    )


def configuration(hub: Simulator, urls: Mapping[str, str], scenes: Sequence[Scene]) -> dict[str, Any]:
    """The file an admin would write: a connection for each provider, a mapping for each scene."""
    simulators = [hub, *(scene.external.simulator for scene in scenes)]
    return {
        "connections": [
            {"name": each.name, "connector": each.name, **each.connection(urls[each.name])}
            for each in simulators
        ],
        "people": [
            {HUB: f"{person}@example.com", **{each.name: person for each in simulators if each is not hub}}
            for person in PEOPLE
        ],
        "mappings": [
            {
                "name": scene.mapping,
                "connection": scene.external.simulator.name,
                "container": scene.external.container,
                **scene.options,
                "asana": {
                    "connection": HUB,
                    "project": scene.hub.container,
                    **scene.options.get("asana", {}),
                },
            }
            for scene in scenes
        ],
    }


@dataclass
class _Kept:
    folder: Path
    wanted: bool = False


@contextmanager
def _folder(settings: Settings) -> Iterator[_Kept]:
    """A fresh private folder, below DATA_DIR where that is set: the providers forget everything, too."""
    parent = settings.data_dir if "data_dir" in settings.model_fields_set else None
    if parent is not None:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = _Kept(Path(tempfile.mkdtemp(prefix="asana-sync-demo-", dir=parent)))
    try:
        yield kept
    finally:
        if not kept.wanted:
            shutil.rmtree(kept.folder, ignore_errors=True)
