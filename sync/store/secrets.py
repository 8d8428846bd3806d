"""Credentials at rest: sealed with a key that is never in the database.

Keys are Fernet keys (32 random bytes, base64), newest first: the first one seals, all of them open.
They come from the environment, from a file named there, or from ``secret.key`` in the data folder.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from sync.settings import Settings
from sync.store.errors import SecretKeyError


class Vault:
    """Seals documents into text and opens them again; neither its keys nor a document is ever shown."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SecretKeyError("there is no encryption key")
        try:
            self._keys = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise SecretKeyError("an encryption key is not 32 bytes in URL-safe base64") from error

    @classmethod
    def from_settings(cls, settings: Settings, *, create: bool = False) -> Vault:
        """The vault of this installation.

        Args:
            create: make ``secret.key`` in the data folder if no key was ever named.

        Raises:
            SecretKeyError: no key, or one that is malformed or readable by others.
        """
        if given := settings.secret_key.get_secret_value():
            return cls(_split(given))
        path = settings.secret_key_file or settings.data_dir / "secret.key"
        if create and settings.secret_key_file is None:
            _create(path)
        return cls(_read(path))

    def seal(self, document: Mapping[str, Any]) -> str:
        return self._keys.encrypt(json.dumps(document).encode()).decode()

    def open(self, sealed: str) -> dict[str, Any]:
        """Raises SecretKeyError where no key of ours sealed this."""
        try:
            document: dict[str, Any] = json.loads(self._keys.decrypt(sealed))
        except InvalidToken as error:
            raise SecretKeyError(
                "stored credentials were sealed with another encryption key: put that key back, "
                "after the newest one, or apply the configuration again"
            ) from error
        return document


def _split(text: str) -> list[str]:
    return [key for key in re.split(r"[\s,]+", text) if key]


def _read(path: Path) -> list[str]:
    try:
        with path.open() as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & 0o077:
                raise SecretKeyError(f"others may read the encryption key {path}: run chmod 600 {path}")
            return _split(file.read())
    except FileNotFoundError as error:
        raise SecretKeyError(f"there is no encryption key: {path} does not exist") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SecretKeyError(f"the encryption key {path} cannot be read: {error}") from error


def _create(path: Path) -> None:
    """Whole or not at all: a link onto the final name fails if somebody else was first."""
    if path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret.")  # mkstemp: O_EXCL, 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            os.unlink(draft)
    except OSError as error:
        raise SecretKeyError(f"the encryption key {path} cannot be made: {error}") from error
