"""The page without a network, and a whole demo in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.demo.place import Place, placed
from tests.demo.running import CHROMIUM, DESK, playing


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with placed(tmp_path) as place:
        yield place


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with playing(tmp_path_factory.mktemp("demo")) as demo:
        yield demo.page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "REQUIRE_CHROMIUM is set, and there is no chromium on the path"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """On a desk. Whatever the browser complains of fails the test: scripts, or what the policy forbids."""
    page, complaints = browser.new_page(viewport=DESK), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(address)
    expect(page.get_by_role("status")).to_contain_text("pairs")
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def github(page: Page) -> Locator:
    return page.get_by_role("region", name="GitHub")


@pytest.fixture
def slack(page: Page) -> Locator:
    page.get_by_role("navigation").get_by_role("button", name="Slack").click()
    return page.get_by_role("region", name="Slack")


@pytest.fixture
def asana(page: Page) -> Locator:
    return page.get_by_role("region", name="Asana")
