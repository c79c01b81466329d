"""`make pictures`: the report of the example account as a browser shows it, in `docs/pictures/`. Look at them.

With a folder as argument all sizes and colours, and what paper shows, go there instead.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.cli.runs import run
from tests.report import stages
from tests.report.browsing import FLAGS

HERE = Path(__file__).parent.parent / "docs" / "pictures"
PARTS = ("", "#groups", "#people", "#person/amara.okonkwo", "#changes", "#change/1", "#roles", "#assumed", "#journal")


def main() -> None:
    """Takes them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        space = stages.read(Path(folder) / "migration")
        stages.decide(space)
        assert run("report", "-w", space.folder).code == 0
        page = space.folder / "reports" / "report.html"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        if sys.argv[1:]:
            _all(browser, page, Path(sys.argv[1]))
        else:
            _take(browser, page, HERE / "report-groups.png", "#groups", "light", 1280, 900)
            _take(browser, page, HERE / "report-person-dark.png", "#person/amara.okonkwo", "dark", 1280, 900)
        browser.close()


def _all(browser: Browser, page: Path, folder: Path) -> None:
    for scheme in ("light", "dark"):
        for width in (1280, 700):
            for n, part in enumerate(PARTS):
                _take(browser, page, folder / f"{scheme}-{width}-{n}.png", part, scheme, width, 1000)
    opened = browser.new_page()
    opened.goto(page.as_uri())
    opened.pdf(path=folder / "paper.pdf", format="A4")
    opened.close()


def _take(browser: Browser, page: Path, path: Path, part: str, scheme: str, width: int, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = browser.new_page(viewport={"width": width, "height": height})
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened.goto(f"{page.as_uri()}{part}")
    opened.screenshot(path=path)
    opened.close()
    print(f"{path}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
