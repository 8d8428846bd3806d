"""OAuth: an access token that is renewed once for all and in time, and the key that Asana hides then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.asana.config import AsanaCredentials, AsanaSettings
from connectors.asana.conftest import Bench, opened
from connectors.asana.simulator import AsanaSimulator
from connectors.discussions import AttachmentDraft
from connectors.errors import OutcomeUnknown, PauseConnection, RetryLater
from connectors.records import Draft, Key
from connectors.simulation import Fault, serve
from connectors.stamps import stamped
from connectors.tokens import Issued, OwnTokens

URL = "https://github.com/acme/website/issues/12"
KEY = Key(token="k1", url=URL, label="acme/website#12")


class Kept(OwnTokens):
    """Tells in which order things happen."""

    def __init__(self, simulator: AsanaSimulator) -> None:
        super().__init__()
        self.uses_when_kept: list[int] = []
        self._simulator = simulator

    async def keep(self, issued: Issued) -> None:
        access = issued.values["access_token"]
        uses = [each for each in self._simulator.journal if access in each.headers.get("authorization", "")]
        self.uses_when_kept.append(len(uses))
        await super().keep(issued)


@pytest.fixture
async def oauth() -> AsyncIterator[Bench]:
    """A session of an app that the bot has authorised."""
    simulator = AsanaSimulator()
    simulator.oauth = True
    async with serve(simulator) as base_url, opened(simulator, base_url, Kept(simulator)) as session:
        yield Bench(simulator, session, simulator.new_container("Website"), base_url)


async def test_one_renewal_serves_all_who_wait(oauth: Bench) -> None:
    await asyncio.gather(*(oauth.session.containers() for _ in range(20)))
    assert oauth.simulator.oauth_app.renewals == 1
    (asked,) = oauth.simulator.journal.by("POST", "/-/oauth_token")
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_tokens_are_kept_before_they_are_used(oauth: Bench) -> None:
    kept = Kept(oauth.simulator)
    oauth.simulator.oauth_app.rotates = True
    given = oauth.simulator.oauth_app.refresh_token
    async with oauth.opened(kept) as session:
        await session.check()
        oauth.simulator.oauth_app.end_access()
        await session.check()
    assert kept.uses_when_kept == [0, 0]
    issued = await kept.read()
    assert issued is not None
    assert issued.values["refresh_token"] == oauth.simulator.oauth_app.refresh_token != given


async def test_check_names_what_cannot_be_written_with_the_scopes_that_were_granted(oauth: Bench) -> None:
    kept = Kept(oauth.simulator)
    given = {"access_token": "0", "refresh_token": oauth.simulator.oauth_app.refresh_token}
    async with oauth.opened(kept) as session:
        for scope, lacking in (("", 0), ("default", 0), ("tasks:read tasks:write stories:write", 5)):
            await kept.keep(Issued(given, datetime.now(UTC), scope))
            said = (await session.check()).missing
            assert len(said) == lacking
            issued = await kept.read()
            assert issued is not None
            assert issued.scope == scope, "a renewed token may do what the one before could"
            oauth.simulator.oauth_app.end_access()
    assert "The app has not the scope attachments:write: no file is copied to Asana." in said


async def test_a_token_is_renewed_before_it_ends(oauth: Bench) -> None:
    oauth.simulator.oauth_app.lives_s = 299
    await oauth.session.check()
    before = oauth.simulator.oauth_app.renewals
    await oauth.session.check()
    assert oauth.simulator.oauth_app.renewals > before
    assert 401 not in {each.status for each in oauth.simulator.journal}


async def test_what_another_process_renewed_is_taken(oauth: Bench) -> None:
    kept = Kept(oauth.simulator)
    async with oauth.opened(kept) as one, oauth.opened(kept) as other:
        await one.check()
        await other.check()
        assert oauth.simulator.oauth_app.renewals == 1
        oauth.simulator.oauth_app.end_access()
        await asyncio.gather(one.check(), other.check())
    assert oauth.simulator.oauth_app.renewals == 2


async def test_a_write_with_a_dead_token_is_sent_again_and_done_once(oauth: Bench) -> None:
    await oauth.session.fields(oauth.project)
    oauth.simulator.oauth_app.end_access()
    permits: list[int] = []

    async def permit() -> None:
        permits.append(1)

    with stamped("w1", "web@1", permit):
        await oauth.session.create(oauth.project, Draft(fields={"title": "x"}), KEY)
    assert len(oauth.simulator.objects(oauth.project)) == 1
    (asked,) = oauth.simulator.journal.by("POST", "/-/oauth_token")[1:]
    assert "w1" not in asked.headers["user-agent"], "renewing is no part of the write"


async def test_a_file_with_a_dead_token_is_sent_again_whole(oauth: Bench) -> None:
    gid = oauth.simulator.new(oauth.project, title="x")
    await oauth.session.check()
    oauth.simulator.oauth_app.end_access()
    draft = AttachmentDraft(name="plan.txt", url=URL, media_type="text/plain")
    await oauth.session.add_attachment(oauth.ref(gid), draft, BytesIO(b"all of it"))
    (file,) = oauth.simulator.view(gid)["attachments"]  # type: ignore[index]
    assert file["content"] == b"all of it"


async def test_a_revoked_app_pauses_the_connection_and_says_what_to_do(oauth: Bench) -> None:
    await oauth.session.check()
    secrets = [*oauth.simulator.oauth_app.credentials().values()][1:]
    oauth.simulator.oauth_app.revoke()
    with pytest.raises(PauseConnection, match="authorise the app again") as paused:
        await oauth.session.check()
    assert not any(secret in f"{paused.value!r} {paused.value.provider_message}" for secret in secrets)


async def test_a_revoked_app_is_not_asked_again_by_those_who_come_after(oauth: Bench) -> None:
    await oauth.session.check()
    oauth.simulator.oauth_app.revoke()
    before = len(oauth.simulator.journal)
    for _ in range(5):
        with pytest.raises(PauseConnection, match="authorise the app again"):
            await oauth.session.check()
    refused = [(each.method, each.status) for each in [*oauth.simulator.journal][before:]]
    assert refused == [("GET", 401), ("POST", 400)]


async def test_an_app_that_is_not_known_pauses_the_connection(oauth: Bench) -> None:
    oauth.simulator.oauth_app.client_secret = "another"
    with pytest.raises(PauseConnection, match="client_secret"):
        await oauth.session.check()


@pytest.mark.parametrize("kind", ["500", "reset_after", "garbage", "429"])
async def test_a_renewal_that_fails_is_tried_later(oauth: Bench, kind: Any) -> None:
    oauth.simulator.faults.add(Fault(kind=kind, method="POST", path="oauth_token"))
    with pytest.raises(RetryLater):
        await oauth.session.check()
    assert (await oauth.session.check()).id == oauth.simulator.people["bot"].gid


async def test_who_gives_up_waiting_does_not_stop_the_renewal(oauth: Bench) -> None:
    oauth.simulator.faults.add(Fault(kind="slow", method="POST", path="oauth_token", seconds=0.3))
    kept = Kept(oauth.simulator)
    async with oauth.opened(kept) as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.check()
    assert await kept.read() is not None


async def test_answers_without_a_token_are_tried_later(oauth: Bench) -> None:
    oauth.simulator.oauth_app.lives_s = "soon"  # type: ignore[assignment]
    with pytest.raises((RetryLater, OutcomeUnknown)):
        await oauth.session.check()


class TestHiddenKey:
    async def test_a_created_task_is_found_by_its_external_id(self, oauth: Bench) -> None:
        made = await oauth.session.create(oauth.project, Draft(fields={"title": "x"}), KEY)
        assert made.keys == {"k1", URL}
        oauth.simulator.edit(made.ref.id, notes="<body>rewritten by a person</body>")
        (found,) = await oauth.session.find_created(oauth.project, KEY, datetime.now(UTC))
        assert found.ref == made.ref
        other = Key(token="k2", url=f"{URL}0", label="x")
        assert await oauth.session.find_created(oauth.project, other, made.created_at) == []

    async def test_back_links_can_be_left_out(self, oauth: Bench) -> None:
        key = Key(token="k1", url=URL, label="acme/website#12", backlink=False)
        made = await oauth.session.create(oauth.project, Draft(fields={"title": "x", "notes": "Text"}), key)
        assert oauth.simulator.view(made.ref.id)["text"] == "Text"  # type: ignore[index]
        assert made.keys == {"k1"}
        assert len(await oauth.session.find_created(oauth.project, key, made.created_at)) == 1

    async def test_a_personal_token_needs_the_back_link(self, bench: Bench) -> None:
        """1.14: ``external`` sent with a personal token is dropped silently."""
        key = Key(token="k1", url=URL, label="acme/website#12", backlink=False)
        made = await bench.session.create(bench.project, Draft(fields={"title": "x"}), key)
        assert made.keys == {URL}


class TestCredentials:
    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"token": ""},
            {"client_id": "1"},
            {"client_id": "1", "refresh_token": "x"},
            {"token": "x", "client_id": "1", "client_secret": "x", "refresh_token": "x"},
            {"token": "x", "refresh_token": "x"},
            {"client_id": "a/b", "client_secret": "x", "refresh_token": "x"},
        ],
    )
    def test_one_way_or_the_other(self, wrong: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            AsanaCredentials.model_validate(wrong)

    def test_a_refresh_token_comes_by_consent_or_from_elsewhere(self) -> None:
        given = AsanaCredentials.model_validate({"client_id": "1", "client_secret": "x"})
        assert given.refresh_token is None

    def test_a_number_is_a_client_id_and_space_is_cut(self) -> None:
        given = {"client_id": 12, "client_secret": " x ", "refresh_token": "y\n"}
        credentials = AsanaCredentials.model_validate(given)
        assert credentials.client_id == "12"
        assert credentials.refresh_token is not None
        assert credentials.refresh_token.get_secret_value() == "y"

    def test_tokens_come_from_the_api_s_own_host(self) -> None:
        settings = AsanaSettings(workspace="12")
        assert settings.token_url == "https://app.asana.com/-/oauth_token"
