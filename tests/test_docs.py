"""The documents: links lead somewhere, every command is described, nothing tells of the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.runs import run, run_alone
from tests.pages import MADE

ROOT = Path(__file__).parent.parent

# One letter of each stands in brackets, so that this file does not find itself.
OF_A_MACHINE = re.compile(
    r"[p]ypi\.org|[p]ythonhosted|[n]pmjs|[d]eb\.debian|[f]ile:///|/[w]ork/|/[r]oot/|/[U]sers/\w|/[h]ome/(?!secuser\b)\w"
)
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
COMMAND_HEADING = re.compile(r"^#{2,6} +`(?:secmigrate )?([a-z][a-z-]*(?: [a-z][a-z-]*)*)[^`\n]*`\s*$", re.MULTILINE)


def tracked() -> list[Path]:
    """All files that are, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in sorted(listed.stdout.split("\0")) if name and (path := ROOT / name).is_file()]


def test_every_link_leads_somewhere() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    assert ROOT / "README.md" in pages
    assert [found for page in pages for found in dead_links(page)] == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# Here & `now`\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#here--now) [c](https://example.com/x) [d](gone.md)\n"
        "[e](there.md#later) [f](#not-here)\n"
        "```\n[g](in-code.md)\n```\n",
        encoding="utf-8",
    )
    assert list(dead_links(page)) == ["page.md: gone.md", "page.md: there.md#later", "page.md: #not-here"]


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # not a text
        name = path.relative_to(ROOT)
        found += [f"{name}:{number}" for number, line in enumerate(lines, 1) if OF_A_MACHINE.search(line)]
    assert found == []


@pytest.mark.parametrize("text", ["see /ro" + "ot/x", "https://py" + "pi.org/simple", "/ho" + "me/ann/x"])
def test_a_machine_is_recognised(text: str) -> None:
    assert OF_A_MACHINE.search(text)


def test_the_vendors_container_is_not_a_machine_of_ours() -> None:
    assert not OF_A_MACHINE.search("-v ~/.aws:/home/secuser/.aws:ro")


def test_docs_describe_exactly_the_commands_there_are() -> None:
    described = COMMAND_HEADING.findall((ROOT / "docs/commands.md").read_text(encoding="utf-8"))
    assert sorted(described) == sorted(commands())


def test_the_changelog_has_room_for_what_comes_next() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_from_the_program_is_as_the_program_is(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == MADE[name](), "run `make docs`"


def commands(*group: str) -> Iterator[str]:
    """The commands that `--help` shows, those of a group by their full name."""
    for name in _listed(*group):
        inner = list(commands(*group, name))
        yield from inner or [" ".join((*group, name))]


def _listed(*group: str) -> list[str]:
    shown = run(*group, "--help") if group else run_alone("--help")
    assert shown.code == 0
    return re.findall(r"^  ([a-z][a-z-]*)(?:  |$)", shown.out.partition("\nCommands:\n")[2], re.MULTILINE)


def dead_links(page: Path) -> Iterator[str]:
    """Links of a page to files or headings that are not there."""
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            yield f"{page.name}: {target}"


def _anchors(page: Path) -> set[str]:
    """A heading's anchor, as code hosts make it: lower case, no punctuation, a hyphen for each space."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
