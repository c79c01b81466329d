"""Names in IAM are others' input: in no form do they become markup, a command, or a line of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from markdown_it import MarkdownIt
from msgspec import structs

from secmigrate import iam
from secmigrate.documents import read_snapshot, write_snapshot
from secmigrate.iam import Document, Group, User
from secmigrate.reports.escaping import code, data, prose, visible
from secmigrate.reports.forms import FORMS
from secmigrate.reports.migration import Report
from secmigrate.reports.notices import notices
from tests.cli.conftest import NAMES
from tests.cli.runs import run
from tests.report import stages

EVIL = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"onmouseover='alert(1)' x=\"",
    "javascript:alert(1)",
    "evil\u202egnp.exe",
    "\u2066left\u2069 \u200f\u061c",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "x" * 128,
    "two\nlines\r\n\n# Heading\n| a | b |\n",
    "a | b ` c ``` d \\| e \\",
    "[link](https://evil.example) ![x](//evil.example/x.png) <https://evil.example>",
    "*bold* _it_ ~~gone~~ **x** __y__ :tada: @everyone #1 www.evil.example a@evil.example",
    "1. one",
    "- list",
    "> quote",
    "\u2028\u2029\u0085\x00\x7f",
    "&lt;b&gt; &amp; &#60;",
    "{verdict} {0} %s ${x} `id`",
)
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
KEPT = {"kind", "version", "state", "step", "mark", "outcome", "blocks", "code", "ended"}  # words of ours


def hostile(told: Report) -> Report:
    """The report with something evil in the place of every text that is not a word of ours."""
    evil = iter(EVIL * 100_000)

    def turned(value: Any, key: str = "") -> Any:
        match value:
            case str() if key not in KEPT and value:
                return next(evil)
            case dict():
                return {inner: turned(one, inner) for inner, one in value.items()}
            case list() | tuple():
                return [turned(one, key) for one in value]
            case _:
                return value

    found = msgspec.convert(turned(msgspec.to_builtins(told)), Report)
    # People of changes are named as people are.
    people = tuple(structs.replace(one, name=f"{one.name}{n}") for n, one in enumerate(found.people))
    names = {old.name: new.name for old, new in zip(told.people, people, strict=True)}
    ways = tuple(
        structs.replace(way, people=tuple(names[name] for name in old.people))
        for way, old in zip(found.ways, told.ways, strict=True)
    )
    return structs.replace(found, people=people, ways=ways)


class Seen(HTMLParser):
    """All that a browser would take for markup."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
            self._in_script = True

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def test_in_html_they_are_text(told: Report) -> None:
    page, plain = (FORMS["html"].render(one).decode() for one in (hostile(told), told))
    seen, expected = Seen(), Seen()
    seen.feed(page)
    expected.feed(plain)
    assert {tag for tag, _ in seen.tags} <= {tag for tag, _ in expected.tags}
    assert len(seen.scripts) == 2
    assert seen.scripts[1] == expected.scripts[1]
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on") or name == "style"]
    links = [str(value) for _, attributes in seen.tags for name, value in attributes.items() if name in ("href", "src")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not HIDDEN.search(page)
    assert "‹U+202E›" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<" not in seen.scripts[0]
    assert any("<script>alert(1)</script>" in one[0] for one in json.loads(seen.scripts[0])["people"])


def test_in_markdown_they_are_text(told: Report) -> None:
    shown, plain = (FORMS["markdown"].render(one).decode() for one in (hostile(told), told))
    assert not HIDDEN.search(shown)
    parser = MarkdownIt("gfm-like", {"linkify": False})
    kinds = {token.type for token in _tokens(parser, plain)}
    found = list(_tokens(parser, shown))
    assert {token.type for token in found} <= kinds | {"html_inline"}
    assert {token.content for token in found if token.type == "html_inline"} <= {"<code>", "</code>"}
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert rows
    tables = [block.splitlines() for block in shown.split("\n\n") if block.startswith("|")]
    for table in tables:
        cells = _cells(parser, "\n".join(table))
        assert len(set(cells)) == 1, table
    assert not re.search(r"(?<![\w`&;])@\w|https?://(?![^`]*`)", re.sub(r"`[^`]*`|<code>.*?</code>", "", shown))


def _tokens(parser: MarkdownIt, text: str) -> Iterator[Any]:
    for token in parser.parse(text):
        yield token
        yield from token.children or ()


def _cells(parser: MarkdownIt, table: str) -> list[int]:
    counts: list[int] = []
    for token in parser.parse(table):
        if token.type == "tr_open":
            counts.append(0)
        elif token.type in ("td_open", "th_open"):
            counts[-1] += 1
    assert sum(1 for line in table.splitlines() if line.startswith("|")) - 1 == len(counts)
    return counts


def test_in_notices_they_are_text(told: Report) -> None:
    texts = notices(hostile(told), when=EVIL[7], contact=EVIL[9])
    assert texts
    for text in texts.values():
        assert not HIDDEN.search(text)
        heads = [line for line in text.splitlines() if line and not line.startswith(" ")]
        assert heads[0].startswith("Your access in AWS account ")
        assert "# Heading" not in heads


@pytest.mark.parametrize("evil", EVIL)
def test_each_is_harmless_by_itself(evil: str) -> None:
    assert visible(evil).isprintable()
    assert json.loads(data({"x": evil})) == {"x": evil}
    assert not re.search("[<>&\u2028\u2029]", data({"x": evil}))
    parser = MarkdownIt("gfm-like", {"linkify": False})
    for told, allowed in (
        (code(evil), {"code_inline", "text", "html_inline"}),
        (prose(evil), {"text", "text_special"}),
    ):
        inner = [token for block in parser.parse(f"- {told}") for token in block.children or ()]
        assert {token.type for token in inner} <= allowed, (told, inner)
        shown = "".join(token.content for token in inner if token.type != "html_inline")
        assert shown.replace("\u2060", "").strip() == visible(evil).strip()
        assert len(parser.parse(f"- {told}")) == len(parser.parse("- x")) or not told


def test_from_the_account_to_the_report(empty: Path) -> None:
    """The whole way: policies, Sids, descriptions, tags, and what a person types."""
    start = read_snapshot(stages.EXAMPLE)
    evil = "".join(EVIL)
    document = Document({"Statement": [{"Effect": "Allow", "Action": ["s3:*", evil], "Resource": evil, "Sid": evil}]})
    role = structs.replace(
        start.roles["legacy-bastion"], description=evil, tags={evil[:20]: evil}, inline={evil: document}
    )
    group = structs.replace(start.groups["mlops"], inline={evil: document})
    user = User(name="n" * 128, groups=("mlops", "g" * 128), inline={evil: document}, tags={"x": evil})
    for thing in (role, group, user, Group(name="g" * 128, inline={evil: document})):
        start = start.put(thing)
    write_snapshot(empty / "evil.json", start)
    assert run("inventory", "--from", "evil.json").code == 0
    (empty / "migration" / "decisions.yaml").write_text(
        json.dumps({"accept": [{"actions": ["*"], "why": evil, "by": evil}]})
    )
    assert run("map", *NAMES).code == 0
    ran = run("report", "--notices", "--when", evil, "--contact", evil)
    assert ran.code == 0, ran
    assert run("report", "--format", "markdown").code == 0
    reports = empty / "migration" / "reports"
    notice = (reports / "notices" / f"{'n' * 128}.txt").read_text()
    for text in ((reports / "report.html").read_text(), (reports / "report.md").read_text(), notice):
        assert not HIDDEN.search(text)
    seen = Seen()
    seen.feed((reports / "report.html").read_text())
    assert len(seen.scripts) == 2
    assert iam.encode(start)
