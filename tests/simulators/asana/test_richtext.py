"""Rich text as a simulated Asana refuses and rewrites it."""

from __future__ import annotations

import pytest

from connectors.asana.simulator import AsanaSimulator
from tests.simulators.asana.client import Api


@pytest.mark.parametrize(
    "html",
    [
        "no body",
        "<body>open",
        "<p>paragraph</p>",
        "<body>a<br/>b</body>",
        "<body><h3>x</h3></body>",
        "<body><!-- hidden --></body>",
        "<body><strong class='x'>x</strong></body>",
        "<body><a>nowhere</a></body>",
        "<body><a data-asana-gid='99'/></body>",
        "<body><a href='https://a.example'><a href='https://b.example'>b</a></a></body>",
        "<body><ul><li><h1>x</h1></li></ul></body>",
        "<body><li>x</li></body>",
        "<body>fish & chips</body>",
        '<!DOCTYPE x [<!ENTITY y "z">]><body>&y;</body>',
    ],
)
async def test_bad_rich_text_is_400(asana: AsanaSimulator, api: Api, project: str, html: str) -> None:
    task = asana.new(project, title="Broken")

    assert await api.rejected("PUT", f"/tasks/{task}", html_notes=html) == 400
    assert await api.rejected("POST", f"/tasks/{task}/stories", html_text=html) == 400


@pytest.mark.parametrize("html", ["<body><h1>x</h1></body>", "<body>x<hr/>y</body>"])
async def test_headers_are_for_notes_and_400_in_a_comment(
    asana: AsanaSimulator, api: Api, project: str, html: str
) -> None:
    task = asana.new(project, title="Broken")

    assert await api.put(f"/tasks/{task}", html_notes=html)
    assert await api.rejected("POST", f"/tasks/{task}/stories", html_text=html) == 400


async def test_mentions_read_back_expanded(asana: AsanaSimulator, api: Api, project: str) -> None:
    task, bob = asana.new(project, title="Broken"), asana.people["bob"]

    written = await api.put(
        f"/tasks/{task}",
        "html_notes",
        "notes",
        html_notes=f'<body>Ask <a data-asana-gid="{bob.gid}"/>!</body>',
    )

    assert written["notes"] == "Ask @Bob Stone!"
    for attribute in ("href=", 'data-asana-type="user"', 'data-asana-accessible="true"', "@Bob Stone</a>"):
        assert attribute in written["html_notes"]
    again = await api.put(f"/tasks/{task}", "html_notes", html_notes=written["html_notes"])
    assert again == {"gid": task, "html_notes": written["html_notes"]}


async def test_bare_addresses_become_links_where_switched_on(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    asana.autolink = True
    task = asana.new(project, title="Broken")
    html = (
        "<body>see https://a.example/x, <em>or</em> https://b.example. <code>https://c.example</code></body>"
    )

    read = (await api.put(f"/tasks/{task}", "html_notes", html_notes=html))["html_notes"]

    assert '<a href="https://a.example/x">https://a.example/x</a>, <em>or</em>' in read
    assert '<a href="https://b.example">https://b.example</a>. <code>https://c.example</code>' in read


async def test_lists_read_as_lines_of_plain_notes(asana: AsanaSimulator, api: Api, project: str) -> None:
    task = asana.new(project, title="x", notes="Do:<ul><li>one</li><li>two</li></ul>then rest")

    assert (await api.get(f"/tasks/{task}"))["notes"].split("\n") == ["Do:", "one", "two", "then rest"]


async def test_characters_that_xml_cannot_hold_are_dropped(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task = asana.new(project, title="x")

    read = await api.put(f"/tasks/{task}", "name", "notes", name="a\x00b", notes="c\x0bd\n\U0001f600")

    assert (read["name"], read["notes"]) == ("ab", "cd\n\U0001f600")


async def test_a_mention_may_keep_its_own_text(asana: AsanaSimulator, api: Api, project: str) -> None:
    task, other = (asana.new(project, title=title) for title in ("Broken", "Other"))
    html = f'<body><a data-asana-gid="{other}" data-asana-dynamic="false">that <em>one</em></a></body>'

    read = await api.put(f"/tasks/{task}", "html_notes", "notes", html_notes=html)

    assert read["notes"] == "that one"
    assert 'data-asana-type="task"' in read["html_notes"]


async def test_a_mention_of_something_hidden_needs_an_address(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    task, hidden = asana.new(project, title="Broken"), asana.new_container("secret")
    asana.hide(hidden)
    addressed = f'<body><a href="https://app.asana.com/0/{hidden}" data-asana-gid="{hidden}">x</a></body>'
    bare = f'<body><a data-asana-gid="{hidden}"/></body>'

    read = await api.put(f"/tasks/{task}", "html_notes", html_notes=addressed)

    assert 'data-asana-accessible="false"' in read["html_notes"]
    assert await api.rejected("PUT", f"/tasks/{task}", html_notes=bare) == 400
    visible = f'<body><a data-asana-gid="{project}"/></body>'
    assert (await api.put(f"/tasks/{task}", html_notes=visible))["notes"] == "Website"


async def test_what_people_type_is_rich_text_or_stands_for_itself(
    asana: AsanaSimulator, api: Api, project: str
) -> None:
    rich = asana.new(project, title="x", notes="<body><em>a</em></body>")
    plain = asana.new(project, title="x", notes="a < b & <p>")

    assert (await api.get(f"/tasks/{rich}"))["notes"] == "a"
    assert (await api.get(f"/tasks/{plain}"))["notes"] == "a < b & <p>"
