"""What errors mean to whoever called a command: a sentence on stderr, and an exit code."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_settings import SettingsError
from redis.exceptions import RedisError

from connectors.errors import ConnectorError
from connectors.redaction import redact
from sync.commands.output import UNREACHABLE, USAGE, say
from sync.configuration import ConfigurationInvalid
from sync.instance.folder import InstanceError
from sync.store.errors import SecretKeyError, StoreError


def explain(error: Exception) -> int | None:
    """Says it; None for what nobody expected."""
    match error:
        case ConfigurationInvalid():
            say("The configuration cannot be applied; nothing was changed:")
            for problem in error.problems:
                say(f"  {redact(str(problem))}")
            return USAGE
        case ValidationError() if error.title == "Settings":
            for item in error.errors(include_input=False):
                name = "_".join(str(part) for part in item["loc"]).upper().removeprefix("ASANA_SYNC_")
                message = item["msg"].removeprefix("Value error, ASANA_SYNC_")
                say(f"ASANA_SYNC_{name}: {item['msg']}" if name else f"ASANA_SYNC_{message}")
            return USAGE
        case SettingsError():  # a file of SECRETS_DIR that may not be read
            say(f"{error}: {error.__cause__}")
            return USAGE
        case InstanceError() | SecretKeyError():
            say(redact(str(error)))
            return USAGE
        case StoreError() | ConnectorError():
            say(redact(str(error)))
            return UNREACHABLE
        case RedisError():
            say(f"Redis does not answer: {redact(str(error))}")
            return UNREACHABLE
        case _:
            return None
