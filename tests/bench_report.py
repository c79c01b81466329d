"""How long Chromium takes to show the report of 5,000 users, beside the one of few; and how large the files are."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from secmigrate.cli.report import facts
from secmigrate.reports.gathering import report
from secmigrate.reports.page import page
from tests.report import stages
from tests.report.large import many_users
from tests.report.test_browser import FLAGS

USERS = 5000


def main(rounds: int = 5) -> None:
    """Measures and prints one line."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("\nthe report in a browser is not measured: there is no chromium here")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        space = stages.read(Path(folder) / "migration")
        stages.decide(space)
        few = report(facts(space))
        many = many_users(few, USERS)
        files = {len(told.people): Path(folder) / f"{len(told.people)}.html" for told in (few, many)}
        for told in (few, many):
            files[len(told.people)].write_bytes(page(told))
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        seconds: dict[int, list[float]] = {number: [] for number in files}
        for _ in range(rounds):
            for number, path in files.items():
                seconds[number].append(_shown(browser, path))
        browser.close()
        ours, theirs = (statistics.median(seconds[len(told.people)]) for told in (many, few))
        size = files[USERS].stat().st_size / 1e6
    name = f"report of {USERS} users in Chromium"
    print(f"\n{name:37}{ours:9.3f}s{theirs:11.3f}s{ours / theirs:8.2f}   ({size:.1f} MB)")


def _shown(browser: Browser, path: Path) -> float:
    """Seconds until the list of people is there and can be searched."""
    opened = browser.new_page()
    start = time.perf_counter()
    opened.goto(path.as_uri())
    opened.get_by_label("Search in people").wait_for()
    took = time.perf_counter() - start
    opened.close()
    return took


if __name__ == "__main__":
    main()
