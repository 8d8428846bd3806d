"""The demo's page in a real browser: what people do on one side, seen on the other."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.demo.running import CHROMIUM, DESK

if CHROMIUM is None and not os.environ.get("REQUIRE_CHROMIUM"):
    pytest.skip(
        "NOT TESTED: the page of the demo: no Chromium here (Debian, Ubuntu: apt-get install chromium)",
        allow_module_level=True,
    )

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=60_000)

PHONE = {"width": 390, "height": 844}


def open_issue(github: Locator, title: str, notes: str = "") -> None:
    """As a person does it, in the pane of the issues."""
    github.get_by_text("New issue").click()
    github.get_by_role("textbox", name="Title").fill(title)
    github.get_by_role("textbox", name="Description").fill(notes)
    github.get_by_role("button", name="Create issue").click()


def both(github: Locator, asana: Locator, title: str) -> None:
    """A new issue; its task opens by itself as soon as there is one."""
    open_issue(github, title)
    expect(github.get_by_role("heading", name=title)).to_be_visible()
    expect(asana.get_by_role("textbox", name="Task name")).to_have_value(title)


def column(asana: Locator, name: str) -> Locator:
    return asana.get_by_role("region", name=name, exact=True)


def test_an_issue_appears_on_the_board_and_the_log_says_why(
    page: Page, github: Locator, asana: Locator
) -> None:
    open_issue(github, "Invoices have no number", "Since **May**.")
    expect(column(asana, "Backlog")).to_contain_text("Invoices have no number")
    chapter = page.locator("#log article", has_text="Invoices have no number")
    expect(chapter.first).to_contain_text("create in Asana: it has no counterpart there")
    expect(chapter.first).to_contain_text("written to Asana")


@pytest.mark.chaos
def test_a_card_is_dragged_to_another_column_and_the_issue_follows(
    page: Page, github: Locator, asana: Locator
) -> None:
    card = asana.get_by_role("listitem").filter(has_text="Newsletter")
    expect(column(asana, "Backlog").get_by_text("Newsletter")).to_be_visible()
    card.drag_to(column(asana, "In progress"))
    expect(column(asana, "In progress").get_by_text("Newsletter")).to_be_visible()
    expect(column(asana, "Backlog").get_by_text("Newsletter")).to_have_count(0)
    issue = github.get_by_role("listitem").filter(has_text="Newsletter")
    expect(issue).to_contain_text("In progress")

    issue.get_by_role("button").click()
    github.get_by_role("combobox", name="Status").select_option("Done")
    expect(column(asana, "Done").get_by_text("Newsletter")).to_be_visible()


@pytest.mark.chaos
def test_what_is_said_and_changed_is_seen_on_the_other_side(
    page: Page, github: Locator, asana: Locator
) -> None:
    both(github, asana, "Cart forgets the voucher")
    github.get_by_role("textbox", name="Comment").fill("Only with *two* vouchers.")
    github.get_by_role("button", name="Comment", exact=True).click()
    expect(asana.get_by_role("article")).to_contain_text("Only with two vouchers.")

    asana.get_by_role("textbox", name="Task name").fill("Cart forgets the second voucher")
    asana.get_by_role("textbox", name="Task name").press("Enter")
    expect(github.get_by_role("heading", name="Cart forgets the second voucher")).to_be_visible()

    asana.get_by_role("textbox", name="Description").fill("Seen by support.")
    asana.get_by_role("textbox", name="Task name").focus()
    expect(github.get_by_role("article")).to_contain_text("Seen by support.")

    github.get_by_role("combobox", name="Add label").fill("bug")
    github.get_by_role("combobox", name="Add label").press("Enter")
    expect(asana.get_by_role("button", name="Remove tag bug")).to_be_visible()

    asana.get_by_role("combobox", name="Assignee").select_option("bob")
    expect(github.get_by_role("combobox", name="Assignee")).to_have_value("bob")

    github.get_by_role("button", name="Close issue").click()
    expect(asana.get_by_role("button", name="Completed")).to_be_visible()
    asana.get_by_role("button", name="Completed").click()
    expect(github.get_by_role("article").get_by_text("Open", exact=True)).to_be_visible()


@pytest.mark.chaos
def test_typing_is_not_disturbed_by_what_arrives(page: Page, github: Locator, asana: Locator) -> None:
    both(github, asana, "Prices without tax")
    reply = asana.get_by_role("textbox", name="Comment")
    reply.fill("Half a sent")
    github.get_by_role("button", name="Close issue").click()
    expect(asana.get_by_role("button", name="Completed")).to_be_visible()
    expect(reply).to_have_value("Half a sent")


@pytest.mark.chaos
def test_both_edit_at_once_and_nothing_is_lost(page: Page, github: Locator, asana: Locator) -> None:
    both(github, asana, "Slow start page")
    page.get_by_role("button", name="Edit both at once").click()
    chapter = page.locator("#log article", has_text="both sides changed").first
    expect(chapter).to_contain_text("Kept: Slow start page (Ada's words)")
    title, name = github.get_by_role("heading", level=2), asana.get_by_role("textbox", name="Task name")
    expect(title).to_contain_text("(Bob's words)")
    expect(page.get_by_role("status")).to_contain_text("In step")
    chapter.get_by_role("button", name="Restore it").click()
    expect(title).to_contain_text("(Ada's words)")
    expect(name).to_have_value("Slow start page (Ada's words)")


@pytest.mark.chaos
def test_without_webhooks_it_is_found_by_polling(page: Page, github: Locator, asana: Locator) -> None:
    switch = page.get_by_role("switch", name="GitHub webhooks off")
    switch.click()
    expect(switch).to_be_checked()
    try:
        open_issue(github, "Found without a call")
        expect(column(asana, "Backlog")).to_contain_text("Found without a call")
        expect(page.locator("#log")).to_contain_text("Polling GitHub found changes")
        expect(page.locator("#log")).to_contain_text("GitHub sends no webhooks")
    finally:
        switch.click()
        expect(switch).not_to_be_checked()


@pytest.mark.chaos
def test_a_killed_worker_makes_nothing_twice(page: Page, github: Locator, asana: Locator) -> None:
    page.get_by_role("button", name="Kill a worker").click()
    expect(page.locator("#log")).to_contain_text("in the middle of its work")
    title = "Sign-in mail arrives twice"
    expect(column(asana, "Backlog")).to_contain_text(title)
    expect(page.get_by_role("status")).to_contain_text("In step")
    for pane in (github, asana):
        expect(pane.get_by_role("button", name=title, exact=True)).to_have_count(1)


@pytest.mark.chaos
def test_deleting_says_what_became_of_the_other_side(page: Page, github: Locator, asana: Locator) -> None:
    both(github, asana, "Made by mistake")
    page.once("dialog", lambda asked: asked.accept())
    github.get_by_role("button", name="Delete issue").click()
    expect(github.get_by_role("article")).to_have_count(0)
    expect(asana.get_by_role("button", name="Completed")).to_be_visible()
    expect(page.locator("#log article", has_text="Made by mistake").first).to_contain_text(
        "deleted in GitHub"
    )


def test_text_of_strangers_is_text(page: Page, github: Locator, asana: Locator) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    both(github, asana, hostile)
    github.get_by_role("textbox", name="Comment").fill(
        f"{hostile} <script>alert(2)</script> [x](javascript:alert(3))"
    )
    github.get_by_role("button", name="Comment", exact=True).click()
    expect(github.get_by_role("article")).to_contain_text("alert(2)")
    expect(asana.get_by_role("article")).to_contain_text("alert(3)")
    assert page.locator("[onerror], main script, a[href^=javascript]").count() == 0


@pytest.mark.chaos
def test_it_can_be_used_without_a_mouse(page: Page, github: Locator, asana: Locator) -> None:
    row = github.get_by_role("button", name="Document the refund API")
    row.focus()
    page.keyboard.press("Enter")
    expect(github.get_by_role("heading", name="Document the refund API")).to_be_visible()
    expect(asana.get_by_role("article")).to_be_visible()
    asana.get_by_role("combobox", name="Column").select_option("In progress")
    expect(column(asana, "In progress").get_by_text("Document the refund API")).to_be_visible()
    page.keyboard.press("Escape")
    expect(github.get_by_role("article")).to_have_count(0)


@pytest.mark.chaos
def test_a_phone_shows_one_part_at_a_time(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(address)
    for tab in ("GitHub", "Slack", "Engine", "Asana"):
        page.get_by_role("button", name=tab, exact=True).click()
        shown = page.locator("main > [data-part]:visible")
        expect(shown).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()


@pytest.mark.chaos
def test_light_and_dark(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=DESK, color_scheme="dark")
    page.goto(address)

    def brightness() -> int:
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", color)[:3])

    dark = brightness()
    page.get_by_role("button", name="Light or dark").click()
    assert dark < 150 < 600 < brightness()
    page.reload()
    assert brightness() > 600
    page.close()


@pytest.mark.chaos
def test_what_is_wrong_is_said(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(address)
    page.route("**/objects", lambda route: route.fulfill(status=409, body="Give it a title first."))
    open_issue(page.get_by_role("region", name="GitHub"), "Will be refused")
    expect(page.get_by_role("alert")).to_have_text("Give it a title first.")
    page.close()


@pytest.mark.chaos
def test_the_story_plays_before_ones_eyes(page: Page, github: Locator, asana: Locator) -> None:
    page.get_by_role("button", name="Play the story").click()
    expect(page.get_by_role("progressbar", name="Scenes")).to_be_visible()
    expect(github.get_by_role("heading", name="Checkout")).to_be_visible()
    expect(asana.get_by_role("textbox", name="Task name")).to_have_value("Checkout: Pay is dead on phones")
    expect(asana.get_by_role("article")).to_contain_text("Can you reproduce it?")
    expect(page.locator("#log")).to_contain_text("Scene 6")
    expect(page.get_by_role("button", name="Play the story")).to_be_visible()
    expect(page.locator("#log")).not_to_contain_text("The story stops")


def say(slack: Locator, text: str) -> Locator:
    """Somebody says something in the channel; the message there."""
    slack.get_by_role("textbox", name="Message").fill(text)
    slack.get_by_role("textbox", name="Message").press("Enter")
    return slack.get_by_role("listitem").filter(has_text=text)


@pytest.mark.chaos
def test_a_message_becomes_a_task_and_the_thread_follows_it(
    page: Page, slack: Locator, asana: Locator
) -> None:
    message = say(slack, "The invoice mail has the old address")
    message.get_by_role("button", name="Create Asana task").click()
    title = slack.get_by_role("textbox", name="Title")
    expect(title).to_have_value("The invoice mail has the old address")
    expect(title).to_be_focused()

    title.fill("  ")
    slack.get_by_role("button", name="Create", exact=True).click()
    expect(slack.get_by_role("alert")).to_have_text("A task needs a title.")
    title.fill("Invoice mail: new address")
    slack.get_by_role("combobox", name="Assignee").fill("bob")
    expect(slack.get_by_role("listbox").get_by_role("option").first).to_have_text("Bob Stone")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(slack.get_by_role("combobox", name="Assignee")).to_have_value("Bob Stone")
    slack.get_by_role("button", name="Create", exact=True).click()
    expect(slack.get_by_role("dialog")).to_have_count(0)
    expect(slack.get_by_role("textbox", name="Reply")).to_be_focused()

    expect(asana.get_by_role("textbox", name="Task name")).to_have_value("Invoice mail: new address")
    expect(asana.get_by_role("combobox", name="Assignee")).to_have_value("bob")
    card = slack.get_by_role("listitem").filter(has=page.get_by_role("button", name="Complete"))
    expect(card).to_contain_text("assigned to Bob Stone")

    asana.get_by_role("textbox", name="Comment").fill("Is it the new office?")
    asana.get_by_role("button", name="Comment", exact=True).click()
    expect(slack.get_by_role("article")).to_contain_text("new office?")
    slack.get_by_role("textbox", name="Reply").fill("Yes, since Monday.")
    page.keyboard.press("Enter")
    expect(asana.get_by_role("article")).to_contain_text("Yes, since Monday.")

    slack.get_by_role("button", name="Complete").click()
    expect(asana.get_by_role("button", name="Completed")).to_be_visible()
    expect(slack.get_by_role("button", name="Reopen")).to_be_visible()


@pytest.mark.chaos
def test_an_emoji_captures_and_a_window_can_be_left(page: Page, slack: Locator, asana: Locator) -> None:
    message = say(slack, "Somebody should water the plants")
    message.get_by_role("button", name="Create Asana task").click()
    expect(slack.get_by_role("dialog")).to_be_visible()
    expect(slack.get_by_role("textbox", name="Title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(slack.get_by_role("dialog")).to_have_count(0)
    slack.get_by_role("button", name="Thread").click()
    message.get_by_role("button", name="React with memo").click()
    expect(message.get_by_role("button", name="Asana task", exact=True)).to_be_visible()
    expect(column(asana, "Backlog")).to_contain_text("Somebody should water the plants")


@pytest.mark.chaos
def test_what_opens_on_the_left_comes_to_the_front(page: Page, slack: Locator, github: Locator) -> None:
    page.get_by_role("region", name="Asana").get_by_role("button", name="Dark mode", exact=False).last.click()
    expect(github.get_by_role("heading", name="Dark mode for the order page")).to_be_visible()
    expect(slack).to_be_hidden()
