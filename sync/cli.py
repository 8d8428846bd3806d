"""``asana-sync``: every command, and how errors become exit codes.

0 done · 1 something waits for a person · 2 usage or configuration · 3 store or provider unreachable ·
4 ``--timeout`` reached. stdout carries the result only; everything else goes to stderr.
"""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from connectors.errors import ConnectorError
from connectors.http import redact
from sync import logs
from sync.commands import configuring, deciding, running, watching
from sync.commands.opening import UNREACHABLE, USAGE, say
from sync.configuration import ConfigurationInvalid
from sync.instance.folder import InstanceError
from sync.settings import Settings
from sync.store.errors import SecretKeyError, StoreError

app = typer.Typer(
    name="asana-sync",
    help="Keeps Asana tasks and the objects of other tools in step, in both directions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for command in (
    running.up,
    running.web,
    running.worker,
    running.demo,
    configuring.apply,
    configuring.diff,
    configuring.export,
    configuring.check,
    running.sync,
    watching.status,
    watching.links,
    watching.deliveries,
    watching.history,
    deciding.pause,
    deciding.resume,
    deciding.approve,
    deciding.link,
    deciding.unlink,
    running.migrate,
    configuring.connectors,
    configuring.settings,
    configuring.version,
):
    app.command()(command)
app.add_typer(deciding.conflicts_app, name="conflicts")
app.add_typer(deciding.parked_app, name="parked")


def main() -> None:
    """The entry point."""
    try:
        logs.configure(Settings())
        app(standalone_mode=True)
    except ConfigurationInvalid as error:
        say("The configuration cannot be applied; nothing was changed:")
        for problem in error.problems:
            say(f"  {redact(str(problem))}")
        sys.exit(USAGE)
    except ValidationError as error:
        for item in error.errors():
            name = "_".join(str(part) for part in item["loc"]).upper()
            say(f"ASANA_SYNC_{name}: {item['msg']}")
        sys.exit(USAGE)
    except (InstanceError, SecretKeyError) as error:
        say(str(error))
        sys.exit(USAGE)
    except (StoreError, ConnectorError) as error:
        say(redact(str(error)))
        sys.exit(UNREACHABLE)


if __name__ == "__main__":
    main()
