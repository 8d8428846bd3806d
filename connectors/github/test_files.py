"""Files in texts: which addresses are one, what they are called, and how an image is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.discussions import Comment, Discussion
from connectors.github.files import attachments, files_in, signed_address, web_of
from connectors.records import Author, Record, Ref

WEB = "https://github.com"
UUID = "8f8f403d-6a3a-47e4-895c-869090d270c6"
IMAGE = f"{WEB}/user-attachments/assets/{UUID}"
LOG = f"{WEB}/user-attachments/files/7/My%20log.txt"
OLD = "https://user-images.githubusercontent.com/1/2-3.gif"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
ADA = Author("ada", "ada")
ISSUE = Ref("github", "github.com", "issue", "I_1", "acme/website#1")
RECORD = Record(
    ref=ISSUE,
    fields={"notes": f"![Shot]({IMAGE})"},
    version="1",
    created_at=NOW,
    modified_at=NOW,
    places={"acme/website": None},
    url="https://github.com/acme/website/issues/1",
    key="acme/website#1",
    author=ADA,
)
COMMENT = Comment(
    ref=Ref("github", "github.com", "comment", "IC_1", "acme/website#1/comments/5"),
    parent=ISSUE,
    text=f"{IMAGE} again, and {WEB}/acme/website/files/77/log.txt",
    author=Author("bob", "bob"),
    created_at=NOW,
    url="https://github.com/acme/website/issues/1#issuecomment-5",
)


@pytest.mark.parametrize(
    ("base_url", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://ghe.corp.example:8443/api/v3", "https://ghe.corp.example:8443"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
    ],
)
def test_where_people_see_it(base_url: str, web: str) -> None:
    assert web_of(base_url) == web


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"![A \\[nice\\] look]({IMAGE})", [(IMAGE, "A [nice] look")]),
        (f'<img width="80" alt="A &amp; B" src="{IMAGE}">', [(IMAGE, "A & B")]),
        (f"<img src='{IMAGE}' alt='after' />", [(IMAGE, "after")]),
        (f"Look: {IMAGE}.", [(IMAGE, "file")]),
        (f"![]({IMAGE}) {IMAGE}", [(IMAGE, "file"), (IMAGE, "file")]),
        (f"[x]({LOG})", [(LOG, "My log.txt")]),
        (f"{WEB}/acme/website/assets/12/{UUID}", [(f"{WEB}/acme/website/assets/12/{UUID}", "file")]),
        (OLD, [(OLD, "2-3.gif")]),
        (f"`{IMAGE}`", []),
        (f"```\n{IMAGE}\n```", []),
        (f"{WEB}/acme/website/pull/12/files", []),
        (f"https://private-user-images.githubusercontent.com/1/2-{UUID}.png?jwt=x", []),
        (f"https://evil.example/user-attachments/assets/{UUID}", []),
        (f"https://evil.example/?{IMAGE}x".replace("https://github", "http://github"), []),
        (f"{WEB}/user-attachments/assets/../../acme/secrets/raw/main/key.pem", []),
        (f"{WEB}/user-attachments/files/7/../../../acme/secrets/raw/main/key.pem", []),
        ("no address", []),
    ],
)
def test_files_in_a_text(text: str, found: list[tuple[str, str]]) -> None:
    assert files_in(text, WEB) == found


def test_each_address_is_one_file_of_who_wrote_it_first() -> None:
    found = list(attachments(RECORD, Discussion(comments=(COMMENT,)), WEB))
    assert [(file.name, file.author, file.comment, file.parent) for file in found] == [
        ("Shot", ADA, None, ISSUE),
        ("log.txt", COMMENT.author, COMMENT.ref, ISSUE),
    ]
    assert [file.ref.address for file in found] == ["acme/website#1", "acme/website#1/comments/5"]


def test_our_copies_bring_no_files() -> None:
    copy = replace(COMMENT, by_us=True, source_url="https://app.asana.com/0/0/1/2/f")
    assert len(list(attachments(RECORD, Discussion(comments=(copy,)), WEB))) == 1


def test_the_permission_in_a_rendered_text() -> None:
    (image,) = attachments(RECORD, Discussion(), WEB)
    signed = f"https://private-user-images.githubusercontent.com/1/2-{UUID}.png"
    html = f'<a href="{signed}?jwt=a.b&amp;v=1"><img src="{signed}?jwt=a.b&amp;v=1"></a>'
    assert signed_address(html, image) == f"{signed}?jwt=a.b&v=1"
    assert signed_address(html.replace(UUID, UUID[::-1]), image) is None
    assert signed_address(html, replace(image, url=f"{WEB}/user-attachments/files/7/a.txt")) is None


@pytest.mark.parametrize("start", ["![", "<img ", "![a](", f"{WEB}/", "[\\", "<img src="])
def test_hostile_texts_take_no_time(start: str) -> None:
    assert files_in(start * 10_000, WEB) == []
    assert len(files_in(start * 10_000 + f"\n\n{IMAGE}", WEB)) == 1
