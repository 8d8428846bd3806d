"""A town for end-to-end tests: simulated providers in this process, the product as child processes.

The product is driven and watched from outside only: command line, JSON over HTTP, and what the
simulators saw and show.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from connectors.asana.simulator import AsanaSimulator
from connectors.github.simulator import GitHubSimulator
from connectors.simulation import Exchange, Journal, serve
from sync.settings import Settings
from tests.e2e.commands import Said, command
from tests.specification.watch import WATCH

FAST = {
    "POLL_SECONDS": "0.8",
    "LOOKUP_DELAY_SECONDS": "0.5",
    "HTTP_TIMEOUT_SECONDS": "2",
    "LEASE_SECONDS": "8",
    "STALE_SECONDS": "2",
    "JOIN_SECONDS": "0.2",
    "TIE_SECONDS": "1",
    "DELETE_DELAY_SECONDS": "0.5",
    "REWAKE_SECONDS": "1",
    "BACKOFF_MAX_SECONDS": "2",
    "LOG_LEVEL": "DEBUG",
    "ALLOW_PRIVATE_HOSTS": "127.0.0.1",
    "PORT": "0",
}
"""Environment of the children, less the prefix."""

PREFIX = "ASANA_SYNC_"
LOOK_S = 0.03
ON_ITS_WAY = timedelta(milliseconds=250)
"""So long a request may have been on its way when another one was told to be silent."""
READY_S = 60.0
SETTLED_S = 60.0
"""Far longer than anything takes on an idle machine."""


@dataclass(slots=True)
class Place:
    """The two containers of a mapping, and its name."""

    name: str
    repo: str
    project: str


@dataclass(eq=False)
class Town:
    """Both providers, one data folder, and the processes that run in it."""

    folder: Path
    asana: AsanaSimulator
    github: GitHubSimulator
    connections: list[dict[str, Any]]
    extra: dict[str, str] = field(default_factory=dict)
    mappings: list[dict[str, Any]] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    """Objects that tests share, by what they are for."""
    url: str = ""
    up_process: Process | None = None
    others: list[Process] = field(default_factory=list)
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=10, trust_env=False))

    # setting up

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the shell's own settings gets through."""
        ours = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
        base = {name: value for name, value in os.environ.items() if name not in ours}
        chosen = {**FAST, "DATA_DIR": str(self.folder / "data"), **self.extra}
        return {**base, **{f"{PREFIX}{name}": value for name, value in chosen.items()}}

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def file(self) -> Path:
        """The configuration file, as it stands now."""
        path = self.folder / "configuration.yaml"
        people = [{"asana": f"{name}@example.com", "github": name} for name in ("ada", "bob")]
        document = {"connections": self.connections, "people": people, "mappings": self.mappings}
        path.write_text(yaml.safe_dump(document))
        return path

    def connect(self, name: str, repo: str, project: str, **options: Any) -> Place:
        """Add a mapping of these containers to the configuration; ``asana`` options go to that end."""
        hub = {"connection": "asana", "project": project, **options.pop("asana", {})}
        self.mappings.append(
            {"name": name, "connection": "github", "container": repo, "asana": hub, **options}
        )
        self.places[name] = Place(name, repo, project)
        return self.places[name]

    def found(self, name: str, **options: Any) -> Place:
        """A new repository, a new project, and a mapping between them."""
        return self.connect(name, self.github.new_container(name), self.asana.new_container(name), **options)

    async def up(self) -> None:
        """Start ``up`` with the configuration and wait until it is ready."""
        self.up_process = await self.start("up", "--config", str(self.file))
        assert self.up_process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await self.up_process.stdout.readline()
        assert line, f"up ended before it was ready:\n{self.last_words()}"
        ready = json.loads(line)
        assert ready["event"] == "ready"
        self.url = ready["url"]

    async def worker(self) -> Process:
        """One more worker beside ``up``."""
        process = await self.start("worker")
        self.others.append(process)
        return process

    async def start(self, *arguments: str, log: Path | None = None, **environment: str) -> Process:
        """The product as a process of its own."""
        env = {**self.environment, **environment}
        with (log or self.log).open("ab") as told:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "sync.cli", *arguments, env=env, stdout=PIPE, stderr=told
            )

    async def down(self, by: signal.Signals = signal.SIGTERM) -> int | None:
        """End ``up``; its exit code."""
        process, self.up_process = self.up_process, None
        if process is None:
            return None
        return await _end(process, by)

    async def end(self) -> None:
        for process in self.others:
            await _end(process, signal.SIGKILL)
        await self.down()
        await self.http.aclose()

    async def cli(self, *arguments: str, **environment: str) -> Said:
        """Run a command to its end."""
        return await command(arguments, {**self.environment, **environment})

    async def done(self, *arguments: str) -> Any:
        """Run a command with ``--json`` that must succeed; what it said."""
        said = await self.cli(*arguments, "--json")
        assert said.code == 0, f"{arguments} ended with {said.code}:\n{said.out}\n{said.err}"
        return said.json

    # looking

    async def status(self) -> dict[str, Any]:
        answer = await self.http.get(f"{self.url}/api/v1/status")
        answer.raise_for_status()
        read: dict[str, Any] = answer.json()
        return read

    async def mapping(self, name: str) -> dict[str, Any]:
        """One mapping's part of the status."""
        return next(entry for entry in (await self.status())["mappings"] if entry["name"] == name)

    async def listing(self, name: str, mapping: str | None = None) -> list[dict[str, Any]]:
        query: dict[str, Any] = {"limit": 1000} | ({"mapping": mapping} if mapping else {})
        answer = await self.http.get(f"{self.url}/api/v1/{name}", params=query)
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def task_links(self, mapping: str | None = None) -> list[dict[str, Any]]:
        """Task links that have not ended."""
        rows = await self.listing("links", mapping)
        return [row for row in rows if row["kind"] == "task" and row["state"] != "unlinked"]

    async def twin(self, object_id: str, within: float = SETTLED_S) -> str:
        """The id of the one counterpart of an issue or task."""
        found: list[str] = []

        async def linked() -> bool:
            found[:] = [
                other
                for row in await self.task_links()
                for one, other in (
                    (row["asana"]["gid"], row["external"]["id"]),
                    (row["external"]["id"], row["asana"]["gid"]),
                )
                if one == object_id and other
            ]
            return bool(found)

        await self.until(linked, f"{object_id} has a counterpart", within)
        assert len(found) == 1, f"{object_id} has several counterparts: {found}"
        return found[0]

    async def until(self, true: Callable[[], Any], what: str, within: float = SETTLED_S) -> None:
        """Look again and again; a failure tells how things stand."""
        try:
            async with asyncio.timeout(within):
                while True:
                    seen = true()
                    if await seen if asyncio.iscoroutine(seen) else seen:
                        return
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            pass
        raise AssertionError(f"not within {within:g} s: {what}\n{await self.report()}")

    async def quiet(self, within: float = SETTLED_S) -> dict[str, Any]:
        """Wait until everything edited so far has been polled, worked on and answered."""
        seen: dict[str, Any] = {}

        async def still() -> bool:
            seen.update(await self.status())
            return bool(seen["quiet"]) and all(
                read and _time(read) > since
                for entry in seen["mappings"]
                for read in entry["last_poll_at"].values()
            )

        for _ in range(2):  # the first poll to end may have begun before the last edit
            since = datetime.now(UTC)
            await self.until(still, "quiet", within)
        return seen

    async def report(self) -> str:
        """How everything stands, for people who read a failed test."""
        try:
            standing = json.dumps(
                {
                    "status": await self.status(),
                    "parked": await self.listing("parked"),
                    "conflicts": await self.listing("conflicts"),
                },
                indent=1,
            )
        except httpx.HTTPError as error:
            standing = f"no status: {error!r}"
        return f"{standing}\n{self.last_words()}"

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        told = [line for line in lines if '"event":"poll.done"' not in line.replace(" ", "")]
        return "\n".join(line[:400] for line in told[-40:])

    # acting on processes

    async def workers(self) -> list[int]:
        """Process ids of the living workers."""
        return [worker["pid"] for worker in (await self.status())["instance"]["workers"]]

    async def kill_workers(self) -> None:
        """SIGKILL to every worker of this town."""
        for pid in await self.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # comparing

    def agree(self, issue: str, task: str) -> None:
        """Both sides show the same title, state, person, labels, and as many comments."""
        assert _shown(self.github.view(issue)) == _shown(self.asana.view(task))


def _shown(view: dict[str, Any] | None) -> dict[str, Any] | None:
    """What both providers show alike."""
    if view is None:
        return None
    same = {name: view[name] for name in ("title", "state", "assignee")}
    return {**same, "labels": sorted(view["labels"]), "comments": len(view["comments"])}


async def _end(process: Process, by: signal.Signals) -> int:
    with suppress(ProcessLookupError):
        process.send_signal(by)
    try:
        async with asyncio.timeout(15):
            return await process.wait()
    except TimeoutError:
        process.kill()
        return await process.wait()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@asynccontextmanager
async def town(folder: Path, **extra: str) -> AsyncIterator[Town]:
    """Providers served and a data folder; nothing runs yet. ``extra``: environment, less the prefix."""
    asana, github = AsanaSimulator(), GitHubSimulator()
    async with AsyncExitStack() as stack:
        stack.enter_context(WATCH.watching(asana, github))
        connections = [
            {
                "name": simulator.name,
                "connector": simulator.name,
                **simulator.connection(await stack.enter_async_context(serve(simulator))),
            }
            for simulator in (asana, github)
        ]
        made = Town(folder, asana, github, connections, extra)
        stack.push_async_callback(made.end)
        yield made


def times(text: str, comments: Sequence[dict[str, Any]]) -> int:
    """In how many of these comments the text stands."""
    return sum(text in comment["text"] for comment in comments)


def assert_silence(journal: Journal) -> None:
    """After each 429 nothing was sent before ``Retry-After`` was over; what was on its way counts not."""
    for refused in journal:
        if refused.status == 429 and refused.until is not None:
            wait = float(refused.answer_headers["retry-after"])
            over = refused.until + timedelta(seconds=wait)
            early = [
                f"{each.method} {each.path} {(each.at - refused.until).total_seconds():.3f} s after"
                for each in journal
                if refused.until + ON_ITS_WAY < each.at < over
            ]
            assert not early, f"told to be silent for {wait:g} s, but {early}"


def assert_no_overlap(journal: Journal, object_of: Callable[[Exchange], str | None]) -> None:
    """No two writes of one object at the same time."""
    last: dict[str, Exchange] = {}
    for each in journal:
        name = object_of(each) if each.method != "GET" else None
        if name is None:
            continue
        before = last.get(name)
        if before is not None:
            assert before.until is not None
            assert before.until <= each.at, f"{before.method} {before.path} and {each.method} {each.path}"
        last[name] = each
