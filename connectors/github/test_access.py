"""A GitHub App instead of a token: its tokens, what refuses them, and in whose name it writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest

from connectors.discussions import CommentDraft
from connectors.egress import Egress
from connectors.errors import OutcomeUnknown, PauseConnection, RetryLater
from connectors.github.access import App, Installation
from connectors.github.config import GitHubCredentials
from connectors.github.conftest import REPOSITORY, opened
from connectors.github.refusals import Refusals
from connectors.github.session import GitHubSession
from connectors.github.simulated_app import APP_ID, BOT_OF_APP, INSTALLATION_ID, private_key
from connectors.github.simulator import GitHubSimulator
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.records import Draft, Key
from connectors.simulation import Clock, Fault
from connectors.stamps import stamped

KEY = Key("k1", "https://app.asana.com/0/1/2", "Task")
MINTING = "/access_tokens$"


def credentials(github: GitHubSimulator, **other: Any) -> dict[str, Any]:
    return {**github.connection_as_app(github.base_url)["credentials"], **other}


@pytest.fixture
async def session(github: GitHubSimulator) -> AsyncIterator[GitHubSession]:
    """Of the app."""
    async with opened(github, credentials=credentials(github)) as session:
        yield session


async def test_the_account_is_the_bot_of_the_app(github: GitHubSimulator, session: GitHubSession) -> None:
    account = await session.check()
    assert (account.name, account.missing) == (BOT_OF_APP, ())
    assert account.id == str(github.world.bots[BOT_OF_APP].id)
    assert [container.id for container in await session.containers()] == [REPOSITORY]


async def test_what_it_writes_is_its_own(github: GitHubSimulator, session: GitHubSession) -> None:
    record = await session.create(REPOSITORY, Draft(fields={"title": "T"}), KEY)
    assert record.created_by_us
    github.edit(record.ref.id, by="ada", title="By a person")
    assert (await session.fetch_many([record.ref]))[record.ref].created_by_us  # type: ignore[union-attr]
    assert [found.ref for found in await session.find_created(REPOSITORY, KEY, record.created_at)] == [
        record.ref
    ]
    draft = CommentDraft(text="said", author_name="Ada", source_url="https://app.asana.com/0/1/2/3")
    comment = await session.add_comment(record.ref, draft)
    assert (comment.by_us, comment.author.bot) == (True, True)


async def test_a_token_is_fetched_once_for_all_and_renewed_before_it_dies(github: GitHubSimulator) -> None:
    ours = Clock()
    app = App(id=str(APP_ID), installation=str(INSTALLATION_ID), private_key=private_key())
    outbound = Outbound(github.base_url, gate=OpenGate(), allow=Egress(["127.0.0.1"]))
    calls = Installation(outbound, app, [], Refusals(), clock=lambda: ours.now().timestamp())
    minted = []
    for minutes in (0, 49, 2):
        for clock in (ours, github.clock):
            clock.advance(60 * minutes)
        await asyncio.gather(*(calls.send("GET", f"/repos/{REPOSITORY}") for _ in range(5)))
        minted.append(len(github.journal.by("POST", MINTING)))
    await outbound.aclose()
    assert minted == [1, 1, 2]


async def test_a_dead_token_is_replaced(github: GitHubSimulator, session: GitHubSession) -> None:
    await session.container(REPOSITORY)
    github.app_installed.forget_tokens()
    await session.container(REPOSITORY)
    assert len(github.journal.by("POST", MINTING)) == 2


async def test_a_fresh_token_that_gets_one_401_is_used_again(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    github.fresh_tokens_refused = 1
    record = await session.create(REPOSITORY, Draft(fields={"title": "T"}), KEY)
    assert github.objects(REPOSITORY) == [record.ref.id]
    assert len(github.journal.by("POST", MINTING)) == 1


async def test_tokens_that_nobody_ever_knows_pause(github: GitHubSimulator, session: GitHubSession) -> None:
    github.fresh_tokens_refused = 9
    with pytest.raises(PauseConnection):
        await session.container(REPOSITORY)
    assert len(github.journal.by("POST", MINTING)) == 2


async def test_a_token_is_no_part_of_the_write_that_waits_for_it(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    asked = []

    async def permit() -> None:
        asked.append(1)

    with stamped("7", "web@1", permit):
        await session.create(REPOSITORY, Draft(fields={"title": "T"}), KEY)
    assert len(asked) == 1
    (minted,) = github.journal.by("POST", MINTING)
    assert "write=" not in minted.headers["user-agent"]


async def test_a_lost_answer_to_the_wish_for_a_token_is_no_unknown_write(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    github.faults.add(Fault(kind="502", path=MINTING))
    with pytest.raises(RetryLater) as refused:
        await session.create(REPOSITORY, Draft(fields={"title": "T"}), KEY)
    assert not isinstance(refused.value, OutcomeUnknown)
    assert github.objects(REPOSITORY) == []


@pytest.mark.parametrize("minutes", [-20, 20])
async def test_a_clock_that_goes_wrong_is_corrected(
    github: GitHubSimulator, session: GitHubSession, minutes: int
) -> None:
    github.clock.advance(60 * minutes)
    assert (await session.check()).clock_offset_s == pytest.approx(60 * minutes, abs=5)


async def test_a_suspended_or_removed_installation_pauses_and_says_what_to_do(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    await session.container(REPOSITORY)
    github.app_installed.suspended_at = github.clock.now()
    with pytest.raises(PauseConnection, match="suspended"):
        await session.container(REPOSITORY)
    with pytest.raises(PauseConnection, match="unsuspend"):
        await session.check()
    async with opened(github, credentials=credentials(github)) as anew:
        with pytest.raises(PauseConnection, match="unsuspend"):
            await anew.container(REPOSITORY)
    github.app_installed.installed = False
    with pytest.raises(PauseConnection, match="install it"):
        await session.container(REPOSITORY)
    github.app_installed.installed, github.app_installed.suspended_at = True, None
    assert await session.container(REPOSITORY)


async def test_another_app_or_key_pauses(github: GitHubSimulator) -> None:
    for wrong in ({"app_id": "1"}, {"private_key": "no key"}, {"installation_id": "1"}):
        async with opened(github, credentials=credentials(github, **wrong)) as session:
            with pytest.raises(PauseConnection) as refused:
                await session.check()
            assert "no key" not in refused.value.reason
            with pytest.raises(PauseConnection):
                await session.container(REPOSITORY)


async def test_missing_permissions_of_an_app_are_said(
    github: GitHubSimulator, session: GitHubSession
) -> None:
    github.app_installed.permissions |= {"issues": "read"}
    del github.app_installed.permissions["repository_hooks"]
    missing = (await session.check()).missing
    assert [("Issues" in sentence, "Webhooks" in sentence) for sentence in missing] == [
        (True, False),
        (False, True),
    ]


def test_a_token_of_the_app_is_backdated_and_lives_for_less_than_ten_minutes() -> None:
    token = App(id="1", installation="2", private_key=private_key()).token(1_000_000)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {"iss": "1", "iat": 1_000_000 - 60, "exp": 1_000_000 + 540}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"app_id": "1", "private_key": "k"},
        {"token": "t", "app_id": "1"},
        {"token": " "},
        {"token": "t", "app_id": "1", "private_key": "k", "installation_id": "2"},
    ],
)
def test_credentials_are_a_token_or_an_app(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either a token, or app_id"):
        GitHubCredentials.model_validate(given)


def test_numbers_are_taken_for_ids() -> None:
    given = {"app_id": 1, "installation_id": 2, "private_key": "k"}
    assert GitHubCredentials.model_validate(given).installation_id == "2"
