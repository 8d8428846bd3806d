"""Credentials at rest."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from sync.settings import Settings
from sync.store.errors import SecretKeyError
from sync.store.secrets import Vault

DOCUMENT = {"token": "canary-5d1c", "webhook_secret": "größe", "n": [1, None]}


def key() -> str:
    return Fernet.generate_key().decode()


def with_keys(settings: Settings, *keys: str) -> Settings:
    return settings.model_copy(update={"secret_key": SecretStr(",".join(keys))})


def test_what_was_sealed_opens_again_and_shows_nothing() -> None:
    vault = Vault([key()])
    sealed = vault.seal(DOCUMENT)
    assert vault.open(sealed) == DOCUMENT
    assert "canary" not in sealed
    assert vault.seal(DOCUMENT) != sealed


def test_the_newest_key_seals_and_all_open(settings: Settings) -> None:
    old, new = key(), key()
    before = Vault.from_settings(with_keys(settings, old)).seal(DOCUMENT)
    both = Vault.from_settings(with_keys(settings, new, old))
    assert both.open(before) == DOCUMENT
    assert Vault([new]).open(both.seal(DOCUMENT)) == DOCUMENT


def test_another_key_opens_nothing_and_says_what_to_do() -> None:
    sealed = Vault([key()]).seal(DOCUMENT)
    with pytest.raises(SecretKeyError, match="another encryption key"):
        Vault([key()]).open(sealed)


def test_first_start_makes_a_key_for_the_owner_alone(settings: Settings) -> None:
    sealed = Vault.from_settings(settings, create=True).seal(DOCUMENT)
    path = settings.data_dir / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(settings.data_dir) == ["secret.key"]
    assert Vault.from_settings(settings, create=True).open(sealed) == DOCUMENT
    assert Vault.from_settings(settings).open(sealed) == DOCUMENT


def test_first_starts_at_once_agree_on_one_key(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as threads:
        vaults = list(threads.map(lambda _: Vault.from_settings(settings, create=True), range(8)))
    sealed = [vault.seal(DOCUMENT) for vault in vaults]
    assert all(vaults[0].open(each) == DOCUMENT for each in sealed)


def test_without_create_no_key_is_made(settings: Settings) -> None:
    with pytest.raises(SecretKeyError, match="does not exist"):
        Vault.from_settings(settings)
    assert not settings.data_dir.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_others_may_read_is_refused(settings: Settings, mode: int) -> None:
    Vault.from_settings(settings, create=True)
    path = settings.data_dir / "secret.key"
    path.chmod(mode)
    with pytest.raises(SecretKeyError, match=f"chmod 600 {path}"):
        Vault.from_settings(settings, create=True)


def test_a_named_file_holds_several_keys_and_is_never_made(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    named = settings.model_copy(update={"secret_key_file": path})
    with pytest.raises(SecretKeyError, match="does not exist"):
        Vault.from_settings(named, create=True)
    old, new = key(), key()
    path.touch(0o600)
    path.write_text(f"{new}\n{old}\n")
    assert Vault.from_settings(named).open(Vault([old]).seal(DOCUMENT)) == DOCUMENT


@pytest.mark.parametrize("text", ["short", "", "ä" * 44])
def test_a_malformed_key_is_refused_without_showing_it(settings: Settings, tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(SecretKeyError) as caught:
        Vault.from_settings(settings.model_copy(update={"secret_key_file": path}))
    assert not text or text not in str(caught.value)
