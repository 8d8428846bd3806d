"""What the contract suite cannot know: what errors mean, what Slack does by itself and to messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO

import pytest

from connectors.base import Session
from connectors.discussions import AttachmentDraft, CommentDraft
from connectors.egress import Egress
from connectors.errors import (
    ConnectorError,
    OutcomeUnknown,
    Park,
    PauseConnection,
    PauseMapping,
    ReplanNeeded,
    RetryLater,
)
from connectors.http import Outbound
from connectors.limits import OpenGate
from connectors.records import Draft, Gone, Hidden, Key, Record, Ref
from connectors.simulation import Fault, serve
from connectors.slack import connector, places, refusals, scopes
from connectors.slack.simulator import SlackSimulator

KEY = Key("k1", "https://app.asana.com/0/0/1", "Asana task")


@dataclass
class Bench:
    simulator: SlackSimulator
    session: Session
    channel: str

    async def read(self, id: str) -> Record:
        ref = Ref("slack", "T0ACME00001", "thread", id)
        found = (await self.session.fetch_many([ref]))[ref]
        assert isinstance(found, Record)
        return found

    async def by_person(self, title: str = "The footer is broken") -> Record:
        return await self.read(self.simulator.new(self.channel, title=title, by="bob"))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = SlackSimulator()
    async with serve(simulator) as url, opened(simulator, url) as session:
        yield Bench(simulator, session, simulator.new_container("website"))


@asynccontextmanager
async def opened(simulator: SlackSimulator, url: str, **more: str) -> AsyncIterator[Session]:
    """A session, with other settings where they are given."""
    given = simulator.connection(url)
    settings = connector.settings.model_validate({**given["settings"], **more})
    credentials = connector.credentials.model_validate(given["credentials"])
    outbound = Outbound(connector.base_url(settings), gate=OpenGate(), allow=Egress(["127.0.0.1"]))
    session = connector.open(settings, credentials, outbound)
    yield session
    await session.aclose()


@pytest.mark.parametrize(
    ("error", "write", "means"),
    [
        ("token_revoked", False, PauseConnection),
        ("channel_not_found", True, PauseMapping),
        ("not_in_channel", False, PauseMapping),
        ("is_archived", True, PauseMapping),
        ("ratelimited", False, RetryLater),
        ("internal_error", False, RetryLater),
        ("internal_error", True, OutcomeUnknown),
        ("team_added_to_org", False, RetryLater),
        ("message_not_found", True, ReplanNeeded),
        ("thread_not_found", False, Park),
        ("cant_update_message", True, Park),
        ("missing_scope", True, Park),
        ("never_heard_of", True, Park),
    ],
)
def test_what_an_error_means(error: str, write: bool, means: type[ConnectorError]) -> None:
    assert type(refusals.meaning({"ok": False, "error": error, "needed": "chat:write"}, write=write)) is means


def test_missing_scopes_are_named_with_what_they_cost() -> None:
    (lacking,) = scopes.missing(frozenset(scopes.NEEDED) - {"files:read"})
    assert "files:read" in lacking
    assert scopes.missing(frozenset()) == (), "where Slack does not tell them"


async def test_a_copy_stands_under_its_author_where_slack_allows_it(bench: Bench) -> None:
    record = await bench.by_person()
    draft = CommentDraft(
        text="Mended", author_name="Ada Byron", source_url=KEY.url, author_here="U0ADA000001"
    )
    bench.simulator.api.scopes.discard("chat:write.customize")
    await bench.session.people(bench.channel)  # which asks for the scopes, too
    await bench.session.add_comment(record.ref, draft)
    bench.simulator.api.scopes.add("chat:write.customize")
    await bench.session.people(bench.channel)
    stranger = await bench.session.add_comment(record.ref, replace(draft, author_here=""))
    copy = await bench.session.add_comment(record.ref, draft)
    await bench.session.edit_comment(copy.ref, replace(draft, text="Mended now"))
    plain, named, pictured = [each["message"] for each in bench.simulator.view(record.ref.id)["comments"]]  # type: ignore[index]
    assert ("username" in plain, "icon_url" in plain) == (False, False)
    assert (named["username"], "icon_url" in named) == ("Ada Byron", False)
    assert (pictured["username"], "U0ADA000001" in pictured["icon_url"]) == ("Ada Byron", True)
    assert all("Ada Byron" in str(each["blocks"]) for each in (plain, named, pictured))
    found = await bench.session.comments(record.ref)
    assert [each.by_us for each in found] == [True] * 3
    assert (found[1].ref, found[2].text) == (stranger.ref, "Mended now")


def test_times_are_exact() -> None:
    for ts in ("1512085950.000216", "1700000000.000000", "1700000000.999999"):
        assert places.ts_of(places.moment(ts)) == ts


async def test_another_workspace_is_not_taken_for_ours() -> None:
    simulator = SlackSimulator()
    async with serve(simulator) as url, opened(simulator, url, team="T0OTHER0001") as session:
        with pytest.raises(PauseConnection, match=r"Acme \(T0ACME00001\)"):
            await session.check()


async def test_check_names_what_is_missing(bench: Bench) -> None:
    assert (await bench.session.check()).missing == ()
    bench.simulator.api.scopes -= {"reactions:write"}
    assert "reactions:write" in (await bench.session.check()).missing[0]


async def test_a_message_of_a_person_is_read_alone(bench: Bench) -> None:
    record = await bench.by_person()
    assert record.read_only == {"title", "notes"}
    with pytest.raises(Park):
        await bench.session.update(record.ref, {"title": "Mine now"}, record)
    with pytest.raises(Park):
        await bench.session.delete(record.ref, record)


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("The footer is broken\nSince Monday, on every page", "The footer is broken"),
        ("The footer is broken. " + "It is so on every page that I have seen. " * 9, "The footer is broken."),
        ("broken " * 60, "broken " * 16 + "broken…"),
        ("x" * 300, "x" * 119 + "…"),
        ("```\nTraceback\n  File\n```", "Traceback"),
        ("\n\nsee v1.2 of it", "see v1.2 of it"),
    ],
)
async def test_the_title_of_a_long_message_is_its_first_line_or_sentence(
    bench: Bench, said: str, title: str
) -> None:
    assert (await bench.by_person(said)).fields["title"] == title


async def test_the_reaction_of_somebody_else_stays(bench: Bench) -> None:
    record = await bench.by_person()
    bench.simulator.edit(record.ref.id, state="closed", by="bob")
    closed = await bench.read(record.ref.id)
    assert closed.fields["state"] == "closed"
    with pytest.raises(Park, match="Bob Kahn"):
        await bench.session.update(record.ref, {"state": "open"}, closed)


async def test_a_page_without_a_message_is_not_the_end(bench: Bench) -> None:
    record = await bench.by_person()
    bench.simulator.chat.empty_first = True
    assert (await bench.read(record.ref.id)).fields["title"] == record.fields["title"]
    closed = await bench.session.update(record.ref, {"state": "closed"}, record)
    assert closed.fields["state"] == "closed"


async def test_who_is_not_on_the_list_of_users_is_asked_for_once(bench: Bench) -> None:
    """Nobody lists people of other organisations, nor who came a minute ago."""
    by_eve = await bench.read(bench.simulator.new(bench.channel, title="Hello", by="eve"))
    of_eve = await bench.by_person("Ask <@U0EVE000001> and <@U0NOBODY001>")
    await bench.read(of_eve.ref.id)
    assert by_eve.author is not None
    assert by_eve.author.name == "Eve Elsewhere"
    assert of_eve.fields["title"] == "Ask @Eve Elsewhere and @U0NOBODY001"
    assert len(bench.simulator.journal.by("GET", "users.info")) == 2


async def test_a_channel_that_a_message_leads_to_is_called_by_its_name(bench: Bench) -> None:
    website = bench.simulator.new_container("website")
    record = await bench.by_person(f"See <#{website}>, <#{website}|> and <#C0HIDDEN001>")
    title = (await bench.read(record.ref.id)).fields["title"]
    assert title == "See #website, #website and #C0HIDDEN001"
    closed = await bench.session.update(record.ref, {"state": "closed"}, record)
    assert closed.fields["title"] == title
    assert len(bench.simulator.journal.by("GET", "conversations.info")) == 2, "each once"


async def test_our_own_reaction_goes_where_somebody_elses_stays(bench: Bench) -> None:
    record = await bench.by_person()
    closed = await bench.session.update(record.ref, {"state": "closed"}, record)
    bench.simulator.edit(record.ref.id, state="closed", by="ada")
    with pytest.raises(Park, match="stays") as refused:
        await bench.session.update(record.ref, {"state": "open"}, closed)
    assert "Ada Lovelace" in refused.value.fix
    bench.simulator.edit(record.ref.id, state="open", by="ada")
    assert (await bench.read(record.ref.id)).fields["state"] == "open"


@pytest.mark.parametrize("outsider", ["gus", "eve"])
async def test_the_reaction_of_a_guest_or_a_stranger_completes_nothing(bench: Bench, outsider: str) -> None:
    record = await bench.by_person()
    bench.simulator.edit(record.ref.id, state="closed", by=outsider)
    marked = await bench.read(record.ref.id)
    assert marked.fields["state"] == "open"
    closed = await bench.session.update(record.ref, {"state": "closed"}, marked)
    assert closed.fields["state"] == "closed"
    reopened = await bench.session.update(record.ref, {"state": "open"}, await bench.read(record.ref.id))
    assert reopened.fields["state"] == (await bench.read(record.ref.id)).fields["state"] == "open"


async def test_a_stone_proves_a_deletion_and_absence_does_not(bench: Bench) -> None:
    alone, talked = await bench.by_person(), await bench.by_person()
    bench.simulator.comment(talked.ref.id, "Since Monday")
    for record in (alone, talked):
        bench.simulator.remove(record.ref.id)
    found = await bench.session.fetch_many([alone.ref, talked.ref])
    assert isinstance(found[alone.ref], Hidden)
    assert isinstance(found[talked.ref], Gone)


async def test_what_we_post_beside_copies_is_no_comment_and_no_object(bench: Bench) -> None:
    record = await bench.by_person()
    chat = bench.simulator.workspace
    chat.post(bench.channel, chat.app, {"text": "A notice"})
    chat.post(bench.channel, chat.app, {"text": "A card", "thread_ts": record.ref.id.partition("/")[2]})
    assert await bench.session.comments(record.ref) == []
    page = await bench.session.listing(bench.channel, None)
    assert [change.ref for change in page.changes] == [record.ref]


async def test_people_outside_and_who_left_are_known(bench: Bench) -> None:
    record = await bench.by_person()
    bench.simulator.comment(record.ref.id, "From elsewhere", by="eve")
    (comment,) = await bench.session.comments(record.ref)
    assert comment.author.name == "Eve Elsewhere"
    names = {user.name for user in await bench.session.people(bench.channel)}
    assert "Gus Guest" in names
    assert "Den Departed" not in names


async def test_a_reply_shown_in_the_channel_stays_a_reply(bench: Bench) -> None:
    record = await bench.by_person()
    bench.simulator.comment(record.ref.id, "Look here", broadcast=True)
    page = await bench.session.listing(bench.channel, None)
    assert [change.ref for change in page.changes] == [record.ref]
    assert len(await bench.session.comments(record.ref)) == 1


async def test_a_reply_with_a_file_and_a_word_is_both(bench: Bench) -> None:
    record = await bench.by_person()
    bench.simulator.attach(record.ref.id, "look.png", b"pixels", by="bob", text="Like this")
    discussion = await bench.session.discussion(record.ref)
    (comment,) = discussion.comments
    (file,) = await bench.session.attachments(record, discussion)
    assert file.comment == comment.ref


async def test_a_file_of_another_organisation_is_asked_for_and_left_out_where_it_is_kept(
    bench: Bench,
) -> None:
    record = await bench.by_person()
    chat, eve = bench.simulator.workspace, bench.simulator.people["eve"]
    shared = chat.new_file("look.png", b"pixels", eve)
    stubs = [
        {"id": id, "mode": "file_access", "file_access": access}
        for id, access in (
            (shared["id"], "check_file_info"),
            ("F0KEPT", "check_file_info"),
            ("F0NO", "denied"),
        )
    ]
    thread = record.ref.id.partition("/")[2]
    chat.post(bench.channel, eve, {"text": "", "thread_ts": thread, "files": stubs})
    (file,) = await bench.session.attachments(record, await bench.session.discussion(record.ref))
    assert (file.name, file.url) == ("look.png", shared["permalink"])
    into = BytesIO()
    await bench.session.read_attachment(file, into, 1000)
    assert into.getvalue() == b"pixels"


async def test_a_huddle_is_nobodys_message(bench: Bench) -> None:
    record = await bench.by_person()
    chat = bench.simulator.workspace
    huddle = {"text": "", "subtype": "huddle_thread", "room": {"id": "R0HUDDLE001"}}
    chat.post(bench.channel, bench.simulator.people["bob"], huddle)
    thread = record.ref.id.partition("/")[2]
    chat.post(bench.channel, bench.simulator.people["bob"], {**huddle, "thread_ts": thread})
    page = await bench.session.listing(bench.channel, None)
    assert [change.ref for change in page.changes] == [record.ref]
    assert await bench.session.comments(record.ref) == []


async def test_a_page_to_sign_in_is_no_file(bench: Bench) -> None:
    record = await bench.by_person()
    bench.simulator.attach(record.ref.id, "look.png", b"pixels")
    (file,) = await bench.session.attachments(record, await bench.session.discussion(record.ref))
    bench.simulator.api.revoked = True
    with pytest.raises(Park, match="sign in"):
        await bench.session.read_attachment(file, BytesIO(), 1000)


async def test_sharing_a_file_is_unknown_where_its_answer_is_lost(bench: Bench) -> None:
    record = await bench.by_person()
    bench.simulator.faults.add(Fault(kind="reset_after", path="completeUploadExternal"))
    with pytest.raises(OutcomeUnknown):
        await bench.session.add_attachment(record.ref, AttachmentDraft(name="a.txt", url=""), BytesIO(b"abc"))
    assert len(await bench.session.attachments(record, await bench.session.discussion(record.ref))) == 1


async def test_an_archived_channel_pauses_the_mapping(bench: Bench) -> None:
    bench.simulator.workspace.channels[bench.channel]["is_archived"] = True
    with pytest.raises(PauseMapping, match="archived"):
        await bench.session.create(bench.channel, Draft(fields={"title": "Too late"}), KEY)


async def test_a_channel_without_us_says_what_to_do(bench: Bench) -> None:
    bench.simulator.workspace.channels[bench.channel]["is_member"] = False
    (lack,) = await bench.session.lacks(bench.channel)
    assert "/invite" in lack
    with pytest.raises(PauseMapping, match="/invite"):
        await bench.session.listing(bench.channel, None)
    await bench.session.subscribe(bench.channel, "https://sync.acme.com/webhooks/slack/app", "")
    assert await bench.session.lacks(bench.channel) == ()


async def test_a_public_channel_is_entered_with_the_first_look_and_never_again(bench: Bench) -> None:
    channel = bench.simulator.workspace.channels[bench.channel]
    channel["is_member"] = False
    page = await bench.session.changes(bench.channel, None)
    assert channel["is_member"]
    channel["is_member"] = False
    with pytest.raises(PauseMapping, match="/invite"):
        await bench.session.changes(bench.channel, page.cursor)


async def test_an_edit_leaves_key_link_and_reactions(bench: Bench) -> None:
    made = await bench.session.create(bench.channel, Draft(fields={"title": "One", "notes": "Text"}), KEY)
    bench.simulator.edit(made.ref.id, reactions=["eyes"], by="bob")
    now = await bench.read(made.ref.id)
    changed = await bench.session.update(made.ref, {"title": "Two"}, now)
    for record in (changed, await bench.read(made.ref.id)):
        assert record.fields == {**now.fields, "title": "Two"}
        assert record.keys == {"k1", KEY.url}
        assert record.backlink == made.backlink


async def test_only_the_author_of_a_copy_is_named_and_nobody_is_called(bench: Bench) -> None:
    record = await bench.by_person()
    draft = CommentDraft(text="<!channel> <@U0BOB000001>", author_name="<!here>", source_url=KEY.url)
    await bench.session.add_comment(record.ref, draft)
    view = bench.simulator.view(record.ref.id)
    assert view is not None
    message = view["comments"][0]["message"]
    assert "<!" not in message["text"]
    assert message["username"] == "<!here>", "Slack shows it as it is"
    kinds = {
        part["type"] for block in message["blocks"] for each in block["elements"] for part in each["elements"]
    }
    assert kinds == {"link", "text"}
