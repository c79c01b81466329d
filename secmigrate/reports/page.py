"""The report of one account as one HTML file.

What is short stands in the page itself (`sections`); people, changes and roles, of which there may be thousands, lie in
it once as JSON (`packing`), and the script shows those that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from secmigrate.reports.escaping import markup
from secmigrate.reports.html import Page, whole
from secmigrate.reports.migration import Report
from secmigrate.reports.packing import packed
from secmigrate.reports.sections import made_from, sections
from secmigrate.reports.words import verdict

_WITHOUT_SCRIPT = """\
<noscript><p class="note">Without JavaScript the lists of people, changes and roles stay empty. The Markdown form has a
summary of them: <code>secmigrate report --format markdown</code></p></noscript>
"""


def page(told: Report) -> Iterator[bytes]:
    """The whole file, piece by piece. The same report gives the same bytes."""
    return whole(
        Page(
            title=f"Migration of account {markup(told.account)} to SEC",
            verdict=markup(verdict(told)),
            sections=sections(told),
            made_from=made_from(told),
            scripts=("page.js", "frame.js"),
            data=packed(told),
            before=_WITHOUT_SCRIPT,
            after='\n<article id="one" hidden></article>',
        )
    )
