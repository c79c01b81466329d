"""The HTML report in a real browser: nothing leaves it, nothing else runs in it, and it can be used by everybody."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from secmigrate.reports.forms import FORMS
from secmigrate.reports.migration import Report
from secmigrate.reports.words import counted
from tests.report.browsing import Watched, api, contrast, light, without_chromium
from tests.report.large import many_users
from tests.report.test_hostile import hostile

pytestmark = without_chromium


@pytest.fixture(scope="module")
def file(told: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(FORMS["html"].render(told))
    return path


def test_nothing_leaves_it_and_nothing_goes_wrong(watched: Watched, file: Path) -> None:
    page = watched.page
    for hash_ in ("#people", "#person/amara.okonkwo", "#change/1", "#roles", "#person/nobody", "#%E0%A4%A"):
        page.evaluate("hash => { location.hash = hash }", hash_)
    page.get_by_role("button", name="Dark colours").click()
    assert {url.partition("#")[0] for url in watched.asked} == {file.as_uri()}
    assert watched.said == []


def test_the_policy_refuses_what_was_put_in(watched: Watched) -> None:
    page = watched.page
    page.evaluate("addEventListener('securitypolicyviolation', e => (window.refused ||= []).push(e.violatedDirective))")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            try { script.textContent = "window.ran = 1"; document.body.append(script); } catch { window.thrown = 1; }
            const image = document.createElement("img");
            image.src = "https://evil.example/x.png";
            document.body.append(image);
            const style = document.createElement("style");
            style.textContent = "body { display: none }";
            document.body.append(style);
            const button = document.createElement("button");
            try { button.setAttribute("onclick", "window.ran = 2"); } catch { window.thrown = 2; }
            document.body.append(button);
            button.click();
        }"""
    )
    refused = page.wait_for_function("() => (window.refused || []).length >= 3 && window.refused").json_value()
    assert page.evaluate("window.ran") is None
    assert any(one.startswith("img-src") for one in refused)
    assert any(one.startswith("style-src") for one in refused)
    assert any(one.startswith(("script-src", "require-trusted-types")) for one in refused)
    assert page.evaluate("getComputedStyle(document.body).display") == "block"
    with pytest.raises(api.Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<p>x</p>'")
    with pytest.raises(api.Error):
        page.evaluate("fetch('https://evil.example/')")


def test_what_escaping_would_have_missed_does_not_run(browser: Any, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "holed.html"
    evil = '<script>window.ran = 1</script><img src="x.png" onerror="window.ran = 2"><p id="evil">x</p>'
    path.write_text(file.read_text().replace("</header>", f"{evil}</header>", 1))
    watched = Watched(browser, path)
    assert watched.page.locator("#evil").is_visible()
    assert watched.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in line for line in watched.said)
    assert watched.page.locator("#people-list tbody tr").count() > 1
    watched.page.close()


def test_hostile_names_do_nothing(browser: Any, told: Report, tmp_path: Path) -> None:
    path = tmp_path / "evil.html"
    evil = hostile(told)
    path.write_bytes(FORMS["html"].render(evil))
    watched = Watched(browser, path)
    page = watched.page
    assert page.locator("#people-list tbody tr").count() == len(told.people)
    page.locator("#people-list tbody a").first.click()
    page.locator("#one a[href^='#change']").first.click()
    page.locator("#one h1", has_text="Change").wait_for()
    assert page.evaluate("document.querySelectorAll('script, img, iframe, object, embed').length") == 2
    assert watched.said == []
    assert len(watched.asked) == 1
    page.close()


def test_search_and_filters(watched: Watched, told: Report) -> None:
    page = watched.page
    rows, status = page.locator("#people-list tbody tr"), page.locator("#people-list output")
    assert rows.count() == len(told.people)
    page.get_by_label("Search in people").fill("okonkwo data-science")
    assert rows.locator("th").all_inner_texts() == ["amara.okonkwo"]
    assert status.inner_text() == f"1 of {len(told.people)} users"
    page.get_by_label("Search in people").fill("")
    page.get_by_label("Group today").select_option(label="security-audit")
    assert rows.count() == next(one.people for one in told.groups if one.name == "security-audit")
    page.get_by_label("Group today").select_option(label="any")
    page.get_by_label("Who", exact=True).select_option(label="only the groups change")
    assert rows.count() == sum(one.affected and not one.way for one in told.people)
    page.get_by_label("Search in roles").fill("hana.dvorakova")
    assert "breakglass-admin" in page.locator("#roles-list tbody th").all_inner_texts()
    page.get_by_label("Search in changes").fill("kms:")
    assert page.locator("#changes-list tbody tr").count() == sum(
        any(action.startswith("kms:") for part in way.losses for action in part.actions) for way in told.ways
    )


def test_a_figure_leads_to_its_people(watched: Watched, told: Report) -> None:
    page = watched.page
    page.get_by_role("link", name="gain something that raises privilege").click()
    assert page.locator("#people-list tbody tr").count() == sum(len(way.people) for way in told.ways if way.raises)
    assert page.evaluate("document.activeElement.id") == "people-h"


def test_a_person_has_a_page_of_her_own(browser: Any, file: Path, told: Report) -> None:
    page = Watched(browser, file, "#person/amara.okonkwo").page
    assert page.title().startswith("amara.okonkwo · ")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    text = page.locator("#one").inner_text()
    for told_text in (
        "lumen-prod-a001-group-data-scientists",
        "data-science-team",
        "Lost, and accepted",
        "Maja Lindqvist",
    ):
        assert told_text in text
    assert page.locator("#all").is_hidden()
    page.go_back() if page.evaluate("history.length") > 2 else page.get_by_role("link", name="← All people").click()
    assert page.locator("#all").is_visible()
    page.close()


def test_a_change_has_a_page_that_tells_all_of_it(browser: Any, file: Path, told: Report) -> None:
    page = Watched(browser, file).page
    for way in told.ways:
        page.evaluate(f"location.hash = 'change/{way.n}'")
        page.locator("#one h1", has_text=f"Change {way.n}").wait_for()
        text = " ".join(page.locator("#one").inner_text().split())
        reached = (way.roles.lost, way.roles.gained, way.roles.unsure, way.roles.wider)
        said = [
            counted(way.lost),
            counted(way.gained),
            *way.raises[:4],
            *(name for names in reached for name in names[:4]),
        ]
        parts = (*way.losses, *way.raising)
        said += [words for part in parts for words in (*part.actions, *part.resources, part.condition, part.why)]
        for one in said:
            assert " ".join(one.split()) in text
    page.close()


def test_by_keyboard_alone(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.locator("#people-search").focus()
    page.keyboard.type("amara")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "amara.okonkwo"
    style = page.evaluate(
        "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))"
    )
    assert style == ["solid", "2px"]
    page.keyboard.press("Enter")
    assert page.locator("#one h1").inner_text() == "amara.okonkwo"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser: Any, file: Path, scheme: str) -> None:
    page = Watched(browser, file, color_scheme=scheme).page
    other = {"light": "Dark colours", "dark": "Light colours"}[scheme]
    colours = "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.documentElement))"
    first = page.evaluate(colours)
    assert contrast(*first) > 10
    page.get_by_role("button", name=other).click()
    second = page.evaluate(colours)
    assert contrast(*second) > 10
    assert (light(first[0]) > 0.5) == (scheme == "light") == (light(second[0]) < 0.5)
    for name in ("--soft", "--link", "--alarm"):
        value = page.evaluate(
            "name => { const p = document.createElement('p'); document.body.append(p);"
            " p.attributeStyleMap.set('color', `var(${name})`); return getComputedStyle(p).color }",
            name,
        )
        assert contrast(second[0], value) >= 4.5, name
    page.close()


def test_on_paper(watched: Watched, told: Report) -> None:
    page = watched.page
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("nav").is_hidden()
    assert page.locator("#people-list .controls").is_hidden()
    assert light(page.evaluate("getComputedStyle(document.documentElement).backgroundColor")) == 1
    assert page.locator("#in-full h3", has_text="Change ").count() == len(told.ways)
    assert page.locator("#groups > details:not([open])").count() == 0
    assert page.locator("td details").first.is_hidden()
    assert page.locator("dl.sign").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#in-full").count() == 0
    assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("width", [320, 700, 1280])
def test_no_width_makes_the_page_scroll_sideways(browser: Any, file: Path, width: int) -> None:
    page = Watched(browser, file, viewport={"width": width, "height": 800}).page
    for at in ("#summary", "#person/amara.okonkwo"):
        page.evaluate("hash => { location.hash = hash }", at)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, at
    page.close()


def test_a_screen_reader_finds_its_way(watched: Watched) -> None:
    tree = watched.page.locator("body").aria_snapshot()
    for landmark in ("- banner:", '- navigation "Contents":', "- main:", "- contentinfo:"):
        assert landmark in tree
    controls = re.findall(r"- (button|searchbox|combobox|link|table|region|img|search)\b(.*)", tree)
    assert {kind for kind, _ in controls} == {
        "button",
        "searchbox",
        "combobox",
        "link",
        "table",
        "region",
        "img",
        "search",
    }
    assert [(kind, rest) for kind, rest in controls if not rest.strip().startswith(('"', "/"))] == []
    levels = [int(level) for level in re.findall(r"- heading .*\[level=(\d)\]", tree)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert watched.page.locator("output").first.get_attribute("for") == "people-search"


def test_five_thousand_people_are_shown_a_hundred_at_a_time(browser: Any, told: Report, tmp_path: Path) -> None:
    path = tmp_path / "large.html"
    path.write_bytes(FORMS["html"].render(many_users(told, 5000)))
    assert path.stat().st_size < 3_000_000
    page = Watched(browser, path).page
    rows = page.locator("#people-list tbody tr")
    assert rows.count() == 100
    page.get_by_role("button", name="Show 100 more of 4,900").click()
    assert rows.count() == 200
    page.get_by_label("Search in people").fill("user-4321")
    assert rows.count() == 1
    page.close()
