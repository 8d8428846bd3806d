"""Stand-ins for the processes around the supervisor: ``up`` itself, a web and a worker process.

Each writes its pid into the data folder, and a line into ``ends.log`` when it is asked to end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sync.instance.lifeline import die_with_parent
from sync.instance.listening import inherited

COMMANDS = {role: (sys.executable, __file__, role) for role in ("web", "worker")}


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def web(_: Path) -> None:
    listening = inherited()
    assert listening is not None
    server = HTTPServer(("", 0), Ready, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.serve_forever()


def worker(folder: Path) -> None:
    now = time.strftime("%Y-%m-%d %H:%M:%S.999999", time.gmtime())
    with sqlite3.connect(folder / "asana-sync.db") as store:
        row = (str(os.getpid()), os.getpid(), now, now)
        store.execute("INSERT INTO worker (id, pid, started_at, heartbeat_at) VALUES (?, ?, ?, ?)", row)
    while True:
        signal.pause()


def never_ready(_: Path) -> None:
    while True:
        signal.pause()


def supervise() -> None:
    from sync.instance.supervisor import up
    from sync.settings import Settings

    asyncio.run(up(Settings(), commands=COMMANDS))


ROLES = {"web": web, "worker": worker, "never_ready": never_ready}

if __name__ == "__main__":
    role = sys.argv[1]
    if role == "up":
        supervise()
    else:
        die_with_parent()
        folder = Path(os.environ["ASANA_SYNC_DATA_DIR"])

        def end(*_: object) -> None:
            with (folder / "ends.log").open("a") as log:
                log.write(f"{role}\n")
            os._exit(0)

        signal.signal(signal.SIGTERM, end)
        draft = folder / f".{role}.pid"
        draft.write_text(str(os.getpid()))
        draft.replace(folder / f"{role}.pid")
        ROLES[role](folder)
