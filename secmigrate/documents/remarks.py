"""A person's comments in a YAML file that we write: where they stand, so that they stand there again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import yaml
from msgspec import Struct, structs

Path = tuple[str, ...]
_COMMENT = re.compile(r"(?:^|(?<=\s))#")
_FAR = 1 << 30


class Remark(Struct, frozen=True):
    """Comments at one key or item of a list: whole lines before it, and what stands behind it on its own line; without
    `#`.
    """

    before: tuple[str, ...] = ()
    behind: str = ""


class _Span(NamedTuple):
    """Columns of one line in which text stands, so that a `#` there begins no comment."""

    start: int
    end: int


def remarks(theirs: str, ours: str) -> Mapping[Path, Remark]:
    """The comments of one text, by the key or the item of a list (by its text) that they stand at, that the other text
    does not hold; those at the end of the file are at the empty path. Both are YAML that is known to parse.
    """
    known = {line.strip() for line in ours.splitlines()}
    root = yaml.compose(theirs, Loader=yaml.CSafeLoader)
    starts: dict[int, Path] = {}
    for line_of_it, path in _starts(root, ()):
        starts.setdefault(line_of_it, path)  # of several on one line the outermost
    spans: dict[int, list[_Span]] = {}
    for line_of_it, span in _spans(root):
        spans.setdefault(line_of_it, []).append(span)
    found: dict[Path, Remark] = {}
    waiting: list[str] = []
    here: Path = ()
    for number, line in enumerate(theirs.splitlines()):
        if number in starts:
            here = starts[number]
            if waiting:
                found[here] = _with(found.get(here), before=waiting)
                waiting = []
        at = _comment_at(line, spans.get(number, []))
        if at is None or line.strip() in known:
            continue
        if line[:at].strip():
            found[here] = _with(found.get(here), behind=line[at + 1 :].strip())
        else:
            waiting.append(line[at + 1 :].rstrip().removeprefix(" "))
    if waiting:
        found[()] = _with(found.get(()), before=waiting)
    return found


def at_home(notes: Mapping[Path, Remark], config: object) -> Mapping[Path, Remark]:
    """The comments for plain data: those of what is not there any more stand before the nearest thing that held it."""
    found = {path: note for path, note in notes.items() if _is_in(config, path)}
    for path, note in notes.items():
        if path in found:
            continue
        lines = [f"{path[-1]}: {line}" for line in (*note.before, note.behind) if line]
        home = next(path[:end] for end in range(len(path) - 1, -1, -1) if _is_in(config, path[:end]))
        found[home] = _with(found.get(home), before=lines)
    return found


def _is_in(config: object, path: Path) -> bool:
    for step in path:
        if isinstance(config, dict) and step in config:
            config = config[step]
        elif isinstance(config, list | tuple):
            return path[-1] == step and step in config
        else:
            return False
    return True


def _with(note: Remark | None, before: list[str] | None = None, behind: str = "") -> Remark:
    """The comments there and these. Of two behind one thing, the second stands before it."""
    note = note or Remark()
    if behind and not note.behind:
        return structs.replace(note, behind=behind)
    return structs.replace(note, before=(*note.before, *(before or ()), *([behind] if behind else [])))


def _comment_at(line: str, spans: list[_Span]) -> int | None:
    for found in _COMMENT.finditer(line):
        if not any(span.start <= found.start() < span.end for span in spans):
            return found.start()
    return None


def _starts(node: yaml.Node | None, path: Path) -> Iterator[tuple[int, Path]]:
    """The line of each key and of each item that is text, and its path."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield key.start_mark.line, below
            yield from _starts(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            if isinstance(item, yaml.ScalarNode):
                yield item.start_mark.line, (*path, str(item.value))


def _spans(node: yaml.Node | None) -> Iterator[tuple[int, _Span]]:
    """The places of all text, by line."""
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for one in pair:
                yield from _spans(one)
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _spans(one)
    elif isinstance(node, yaml.ScalarNode):
        start, end = node.start_mark, node.end_mark
        if node.style in ("|", ">"):
            yield start.line, _Span(start.column, start.column + 1)
            yield from ((line, _Span(0, _FAR)) for line in range(start.line + 1, end.line))
        else:
            for line in range(start.line, end.line + 1):
                first, last = line == start.line, line == end.line
                yield line, _Span(start.column if first else 0, end.column if last else _FAR)
