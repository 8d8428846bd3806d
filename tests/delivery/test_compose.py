"""compose.yaml: everything it names is there, and every service is as closed as it can be."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sync.cli import COMMANDS
from sync.settings import Settings
from tests.delivery.dockerfile import ROOT, git, stages

FILE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
VARIABLES = {f"ASANA_SYNC_{name.upper()}" for name in Settings.model_fields}

each = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())


def named(kind: str) -> set[str]:
    """What services name of that kind; of a mounted volume, what stands before the colon."""
    return {name.partition(":")[0] for service in SERVICES.values() for name in service.get(kind, ())}


@pytest.mark.parametrize("kind", ["networks", "secrets", "volumes"])
def test_what_services_name_is_there_and_what_is_there_is_named(kind: str) -> None:
    assert named(kind) == FILE[kind].keys()


def test_the_roles_are_one_image() -> None:
    assert OURS.keys() == {"web", "worker"}
    assert {service["image"] for service in OURS.values()} == {"asana-sync"}
    for name, service in OURS.items():
        assert (ROOT / service["build"] / "Dockerfile").is_file()
        assert service["command"] == [name]
        assert name in COMMANDS
    assert OURS["worker"]["deploy"]["replicas"] == 2


@each
def test_the_root_is_read_only_and_nothing_is_allowed(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"cap_add", "privileged", "network_mode", "pid", "ipc", "devices"}
    assert "/tmp" in service["tmpfs"]


@each
def test_nobody_is_root(service: dict[str, Any]) -> None:
    user = service.get("user") or stages()[-1].only("USER").value
    assert user.split(":")[0] not in {"", "0", "root"}


def test_the_image_keeps_nothing_where_several_of_it_run() -> None:
    """A volume that the image declares and nobody mounts would be made anew for every container."""
    for service in OURS.values():
        assert set(stages()[-1].only("VOLUME").command) <= set(service["tmpfs"])


@pytest.mark.parametrize(
    "service", [s for s in SERVICES.values() if "build" not in s], ids=lambda s: s["image"]
)
def test_foreign_images_have_a_version(service: dict[str, Any]) -> None:
    assert service["image"].partition(":")[2][:1].isdigit()


def test_only_web_can_be_called_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    port = stages()[-1].pairs("ENV")["ASANA_SYNC_PORT"]
    assert published == {"web": [f"127.0.0.1:{port}:{port}"]}
    for name in ("postgres", "valkey"):
        assert SERVICES[name]["networks"] == ["stores"]
    assert FILE["networks"]["stores"]["internal"] is True


def test_what_others_wait_for_has_a_sign_of_it() -> None:
    for service in OURS.values():
        for name, wait in service["depends_on"].items():
            other = SERVICES[name]
            if wait["condition"] == "service_healthy":
                assert other["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
            else:
                assert wait["condition"] == "service_completed_successfully"
                assert other["restart"] == "no"


@pytest.mark.parametrize("service", OURS.values(), ids=OURS.keys())
def test_its_variables_are_settings_and_its_secrets_stand_in_for_settings(service: dict[str, Any]) -> None:
    assert service["environment"].keys() <= VARIABLES
    assert {name.upper() for name in service["secrets"]} == {
        "ASANA_SYNC_DATABASE_URL",
        "ASANA_SYNC_SECRET_KEY",
    }
    assert not VARIABLES & {name.upper() for name in service["secrets"]} & service["environment"].keys()


def test_services_are_called_by_their_names() -> None:
    assert OURS["web"]["environment"]["ASANA_SYNC_REDIS_URL"] == "redis://valkey:6379/0"
    user = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert f"postgresql://{user}:%s@postgres/{user}" in (ROOT / "README.md").read_text()
    assert SERVICES["postgres"]["environment"]["POSTGRES_DB"] == user


def test_secrets_are_files_that_git_ignores_and_the_readme_makes() -> None:
    readme = (ROOT / "README.md").read_text()
    for name, secret in FILE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
        assert git("check-ignore", f"secrets/{name}")
        assert f"> secrets/{name}\n" in readme
    given = [value for service in SERVICES.values() for value in service.get("environment", {}).values()]
    paths = [value.removeprefix("/run/secrets/") for value in given if str(value).startswith("/run/secrets/")]
    assert set(paths) <= FILE["secrets"].keys()
