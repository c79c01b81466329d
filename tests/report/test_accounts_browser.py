"""The report over many accounts in a real browser: nothing leaves it, it can be searched, and needs no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secmigrate.reports.forms import ACCOUNTS_FORMS
from tests.report import folders
from tests.report.browsing import Watched, light, without_chromium
from tests.report.test_accounts import hostile, large

pytestmark = without_chromium


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "accounts.html"
    path.write_bytes(ACCOUNTS_FORMS["html"].render(large(60, 20, 3)))
    return path


def test_nothing_leaves_it_and_nothing_goes_wrong(watched: Watched, file: Path) -> None:
    watched.page.get_by_role("link", name="Users in several accounts").click()
    watched.page.get_by_role("button", name="Dark colours").click()
    assert {url.partition("#")[0] for url in watched.asked} == {file.as_uri()}
    assert watched.said == []


def test_it_can_be_searched(watched: Watched) -> None:
    page = watched.page
    rows = page.locator("#same-users tbody tr:visible")
    assert rows.count() == 20
    page.get_by_label("Search in users").fill("USER 00007")
    assert rows.locator("th").all_inner_texts() == ["user-00007"]
    assert page.locator("#same-users output").inner_text() == "1 of 20"
    page.get_by_label("Search in users").fill("an-account")  # where somebody stands is no name
    assert rows.count() == 0
    page.get_by_label("Search in accounts").fill("000000000042")
    assert page.locator("#accounts tbody tr:visible").count() == 1
    assert page.get_by_label("Search in roles that let other accounts in").count() == 0  # of one row


def test_by_keyboard_alone(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("42")
    assert page.locator("#accounts tbody tr:visible").count() == 1
    page.get_by_label("Search in users").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "and 25 more"
    page.keyboard.press("Enter")
    assert page.locator("#same-users details[open]").count() == 1


def test_without_a_script_it_tells_the_same(browser: Any, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = Watched(context, file).page
    assert page.locator("#same-users tbody tr:visible").count() == 20
    assert page.get_by_role("searchbox").count() == 0
    page.get_by_text("and 25 more").first.click()
    assert page.locator("#same-users details[open]").count() == 1
    context.close()


@pytest.mark.parametrize("width", [320, 420, 700, 1280])
def test_no_width_makes_the_page_scroll_sideways(browser: Any, file: Path, tmp_path: Path, width: int) -> None:
    evil = tmp_path / "evil.html"
    evil.write_bytes(ACCOUNTS_FORMS["html"].render(hostile()))
    for path in (file, evil):
        page = Watched(browser, path, viewport={"width": width, "height": 800}).page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


def test_on_paper(watched: Watched) -> None:
    page = watched.page
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.get_by_role("searchbox").count() == 0
    assert page.locator("nav").is_hidden()
    assert light(page.evaluate("getComputedStyle(document.documentElement).backgroundColor")) == 1
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0


def test_the_way_to_an_account_s_own_report(browser: Any, tmp_path: Path) -> None:
    folder = folders.folder(tmp_path / "accounts")
    path = folder / "reports" / "accounts.html"
    path.parent.mkdir()
    path.write_bytes(ACCOUNTS_FORMS["html"].render(folders.told(folder)))
    watched = Watched(browser, path)
    watched.page.get_by_role("link", name=f"Report of {folders.TEST}").click()
    assert watched.page.url == (folder / folders.TEST / "reports" / "report.html").as_uri()
    watched.page.close()


def test_a_screen_reader_finds_its_way(watched: Watched) -> None:
    tree = watched.page.locator("body").aria_snapshot()
    for landmark in ("- banner:", '- navigation "Contents":', "- main:", "- contentinfo:", '- table "Users"'):
        assert landmark in tree
    assert '- searchbox "Search in accounts"' in tree
