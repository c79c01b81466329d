"""The report as one HTML file: no network, no script but its own, and nothing in it that is not escaped.

What is short stands in the page itself (`sections`); people, changes and roles, of which there may be thousands, lie in
it once as JSON (`packing`), and the script shows those that are asked for. Its policy (Content-Security-Policy) names
the script and the style by their digests, so that anything else that got into the page would not run.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from secmigrate.reports.escaping import data, markup
from secmigrate.reports.migration import Report
from secmigrate.reports.packing import packed
from secmigrate.reports.sections import made_from, sections
from secmigrate.reports.words import verdict

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the report</a>
<header>
<p class="by">secmigrate · report</p>
<button type="button" id="theme" hidden>Dark colours</button>
<h1>{title}</h1>
<p class="verdict">{verdict}</p>
</header>
<div class="columns">
<nav aria-label="Contents"><ol>{contents}</ol></nav>
<main id="content" tabindex="-1">
<noscript><p class="note">Without JavaScript the lists of people, changes and roles stay empty. The Markdown form has a
summary of them: <code>secmigrate report --format markdown</code></p></noscript>
<div id="all">
{body}
</div>
<article id="one" hidden></article>
</main>
</div>
<footer><p>{made_from}</p></footer>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def page(told: Report) -> bytes:
    """The whole file. The same report gives the same bytes."""
    style, script = _own("page.css"), _own("page.js")
    shown = sections(told)
    body = (
        f'<section id="{one.id}" aria-labelledby="{one.id}-h"><h2 id="{one.id}-h" tabindex="-1">{one.heading}</h2>'
        f"{one.content}</section>"
        for one in shown
    )
    return _PAGE.format(
        policy=_POLICY.format(script=_digest(script), style=_digest(style)),
        title=f"Migration of account {markup(told.account)} to SEC",
        style=style,
        script=script,
        verdict=markup(verdict(told)),
        contents="".join(f'<li><a href="#{one.id}">{one.heading}</a></li>' for one in shown),
        body="\n".join(body),
        made_from=made_from(told),
        data=data(packed(told)),
    ).encode()


def _own(name: str) -> str:
    return (files("secmigrate.reports") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
