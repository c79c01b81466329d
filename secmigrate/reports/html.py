"""What the HTML reports share: one file, no network, no script but its own, and the pieces of which its parts are made.

Its policy (Content-Security-Policy) names the script and the style by their digests, so that anything else that got
into the page would not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from itertools import repeat

from msgspec import Struct

from secmigrate.reports.escaping import markup

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
{body}
</main>
</div>
<footer><p>{made_from}</p></footer>
{data}<script>{script}</script>
</body>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_ALL_OF_IT = '<div id="all">\n{}\n</div>'


class Section(Struct, frozen=True):
    """A part with its anchor, its heading and its content."""

    id: str
    heading: str
    content: str


class Page(Struct, frozen=True, kw_only=True):
    """What one page says, as HTML. `scripts` are files beside this one; `data` is what they read."""

    title: str
    verdict: str
    sections: Sequence[Section]
    made_from: str
    scripts: Sequence[str]
    data: Iterable[str] = ()  # JSON in pieces, escaped
    before: str = ""  # what stands before the sections
    after: str = ""


def whole(page: Page) -> Iterator[bytes]:
    """The whole file, piece by piece. The same page gives the same bytes."""
    style, script = _own("page.css"), "\n".join(map(_own, page.scripts))
    words = {
        "policy": _POLICY.format(script=_digest(script), style=_digest(style)),
        "title": page.title,
        "style": style,
        "script": script,
        "verdict": page.verdict,
        "contents": "".join(f'<li><a href="#{one.id}">{one.heading}</a></li>' for one in page.sections),
        "body": page.before + _ALL_OF_IT.format("\n".join(map(_section, page.sections))) + page.after,
        "made_from": page.made_from,
    }
    before, after = _PAGE.split("{data}")
    yield before.format_map(words).encode()
    if page.data:
        yield b'<script type="application/json" id="data">'
        yield from (piece.encode() for piece in page.data)
        yield b"</script>\n"
    yield after.format_map(words).encode()


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "rows", kinds: Sequence[str] = ()
) -> str:
    """A table; a heading that begins with `=` is of numbers. `kinds` are the rows' classes."""
    heads = "".join(map(_heading, head))
    opened = [f'<tr class="{kind}">' for kind in kinds] or repeat("<tr>")
    lines = "".join(f"{start}{''.join(row)}</tr>" for start, row in zip(opened, rows, strict=False))
    top = f'<table class="{kind}"><caption>{caption}</caption><thead><tr>{heads}</tr></thead>'
    return f"{top}<tbody>{lines}</tbody></table>"


def th(inner: str, kind: str = "") -> str:
    """A row's heading; `kind` is its class."""
    return f'<th scope="row" class="{kind}">{inner}</th>' if kind else f'<th scope="row">{inner}</th>'


def td(inner: str) -> str:
    """A cell."""
    return f"<td>{inner}</td>"


def number(value: int) -> str:
    """A cell with a number."""
    return f'<td class="n">{value:,}</td>'


def code(text: str) -> str:
    """A name."""
    return f"<code>{markup(text)}</code>"


def codes(names: Iterable[str]) -> str:
    """Names in one line."""
    return ", ".join(map(code, names))


def items(lines: Iterable[str]) -> str:
    """A list of plain lines."""
    return f"<ul>{''.join(f'<li>{markup(line)}</li>' for line in lines)}</ul>"


def capital(text: str) -> str:
    """The beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _section(one: Section) -> str:
    heading = f'<h2 id="{one.id}-h" tabindex="-1">{one.heading}</h2>'
    return f'<section id="{one.id}" aria-labelledby="{one.id}-h">{heading}{one.content}</section>'


def _heading(words: str) -> str:
    return f'<th scope="col" class="n">{words[1:]}</th>' if words.startswith("=") else f'<th scope="col">{words}</th>'


def _own(name: str) -> str:
    return (files("secmigrate.reports") / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
