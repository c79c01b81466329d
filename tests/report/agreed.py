"""Markdown and notices of the example account, and Markdown of many accounts, as they were read.

`python -m tests.report.agreed` writes them anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from secmigrate.cli.report import facts
from secmigrate.reports.forms import ACCOUNTS_FORMS, FORMS
from secmigrate.reports.gathering import report
from secmigrate.reports.migration import Report
from secmigrate.reports.notices import notices
from tests.report import folders, stages

GOLDEN = Path(__file__).parent / "golden"
ASKED = {"when": "Monday, 7 December 2026, 18:00", "contact": "platform@lumen.example"}
# Loses and gains; loses and gains roles; changes only groups; loses roles as well.
USERS = ("amara.okonkwo", "hana.dvorakova", "anahera.tawhiri", "kirsi.lehtovaara")
NAMES = ("report.md", *(f"{user}.txt" for user in USERS))


def made(told: Report) -> Mapping[str, str]:
    """The texts by file name."""
    texts = notices(told, **ASKED)
    return {"report.md": FORMS["markdown"].render(told).decode(), **{f"{user}.txt": texts[user] for user in USERS}}


def main() -> None:
    """Writes them."""
    with tempfile.TemporaryDirectory() as folder:
        space = stages.read(Path(folder) / "migration")
        stages.decide(space)
        told = report(facts(space))
        many = folders.told(folders.folder(Path(folder) / "accounts"))
    for name, text in {**made(told), "accounts.txt": ACCOUNTS_FORMS["markdown"].render(many).decode()}.items():
        (GOLDEN / name).write_text(text)


if __name__ == "__main__":
    main()
