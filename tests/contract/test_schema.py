"""What a connector says of itself without an account, and what it says of the account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from connectors.base import Connector
from connectors.errors import PauseConnection, PauseMapping

if TYPE_CHECKING:
    from tests.contract.conftest import Bench

_SOUNDS_SECRET = re.compile("token|secret|password|key", re.IGNORECASE)


def _models(connector: Connector) -> tuple[type[BaseModel], type[BaseModel]]:
    return connector.settings, connector.credentials


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or SecretStr in get_args(annotation)


def test_every_field_explains_itself(connector: Connector) -> None:
    for model in _models(connector):
        for name, field in model.model_fields.items():
            assert field.title, f"{model.__name__}.{name} has no title"
            assert field.description, f"{model.__name__}.{name} has no description"


def test_every_secret_is_a_secret(connector: Connector) -> None:
    kinds = {name: field.annotation for name, field in connector.credentials.model_fields.items()}
    assert any(_is_secret(annotation) for annotation in kinds.values())
    for name, annotation in kinds.items():
        assert _is_secret(annotation) or not _SOUNDS_SECRET.search(name), name
    for name, field in connector.settings.model_fields.items():
        assert not _is_secret(field.annotation), f"{name} belongs to the credentials"


def test_unknown_keys_are_refused(bench: Bench) -> None:
    connection = bench.simulator.connection(bench.simulator.base_url)
    for model, values in zip(_models(bench.connector), connection.values(), strict=True):
        with pytest.raises(ValidationError, match="misspelt"):
            model.model_validate({**values, "misspelt": "x"})


def test_capabilities_fit_together(connector: Connector) -> None:
    capabilities = connector.capabilities
    assert capabilities.kinds
    assert set(capabilities.creatable) <= set(capabilities.kinds)
    assert capabilities.webhooks in ("none", "secret", "handshake", "app")
    assert connector.name.isidentifier()
    assert connector.title
    assert capabilities.container_example


def test_limits_and_addresses_are_known_without_a_call(bench: Bench) -> None:
    limits = bench.connector.limits(bench.settings)
    assert limits["reads"] >= 1
    assert limits["writes"] >= 1
    assert bench.connector.base_url(bench.settings).startswith(bench.simulator.base_url)
    assert bench.connector.site(bench.settings)


async def test_check_tells_who_we_are(bench: Bench) -> None:
    account = await bench.session.check()
    assert account.id
    assert account.name
    assert account.site == bench.connector.site(bench.settings)
    assert abs(account.clock_offset_s) < 5


async def test_check_tells_the_offset_of_the_clock(bench: Bench) -> None:
    bench.simulator.clock.advance(600)
    assert (await bench.session.check()).clock_offset_s == pytest.approx(600, abs=5)


async def test_wrong_credentials_pause_the_connection(bench: Bench) -> None:
    from_simulator = bench.simulator.connection(bench.simulator.base_url)["credentials"]
    wrong = {name: f"{value}0" for name, value in from_simulator.items()}
    async with bench.opened(bench.simulator.base_url, wrong) as other:
        for call in (other.session.check(), other.session.listing(bench.container, None)):
            with pytest.raises(PauseConnection) as caught:
                await call
            for secret in wrong.values():
                assert secret not in f"{caught.value!r} {caught.value} {caught.value.provider_message}"


async def test_containers_are_listed_and_looked_up(bench: Bench) -> None:
    listed = {container.id: container for container in await bench.session.containers()}
    assert bench.container in listed
    assert listed[bench.container].name
    assert (await bench.session.container(bench.container)).name == listed[bench.container].name


async def test_an_unknown_container_pauses_the_mapping(bench: Bench) -> None:
    unknown = f"{bench.container}0"
    for call in (bench.session.container(unknown), bench.session.listing(unknown, None)):
        with pytest.raises(PauseMapping):
            await call


async def test_fields_and_people(bench: Bench) -> None:
    assert {"title", "notes"} <= set(await bench.specs())
    assert await bench.user_id("ada") != await bench.user_id("bob")


async def test_no_secret_shows(bench: Bench) -> None:
    given = bench.simulator.connection(bench.simulator.base_url)["credentials"].values()
    await bench.session.check()
    shown = repr([bench.credentials, bench.session, bench.connector, vars(bench.session)])
    for secret in given:
        assert secret not in shown
        assert secret not in str(bench.credentials.model_dump())
