"""A person's comments in a YAML file that we write: where they stand, so that they stand there again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml
from msgspec import Struct

Path = tuple[str, ...]


class Remark(Struct, frozen=True):
    """Comments at one key: whole lines before it, and what stands behind it on its own line; without `#`."""

    before: tuple[str, ...] = ()
    behind: str = ""


def remarks(theirs: str, ours: str) -> Mapping[Path, Remark]:
    """The comments of one text, by the key that they stand at, that the other text does not hold; those at the end of
    the file are at the empty path. Both are YAML that is known to parse.
    """
    known = {line.strip() for line in ours.splitlines()}
    lines = theirs.splitlines()
    found: dict[Path, Remark] = {}
    waiting: list[str] = []
    keys: dict[int, tuple[Path, int]] = {}
    for at, key in _keys(yaml.compose(theirs, Loader=yaml.CSafeLoader), ()):
        keys.setdefault(at, key)  # of several on one line the outermost
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("#"):
            if stripped not in known:
                waiting.append(stripped[1:].removeprefix(" "))
        elif number in keys:
            path, end = keys[number]
            rest = line[end:].strip().removeprefix(":").strip()
            behind = rest[1:].strip() if rest.startswith("#") and stripped not in known else ""
            if waiting or behind:
                found[path] = Remark(tuple(waiting), behind)
            waiting = []
    if waiting:
        found[()] = Remark(tuple(waiting))
    return found


def _keys(node: yaml.Node | None, path: Path) -> Iterator[tuple[int, tuple[Path, int]]]:
    """The line of each key, its path, and where on that line it ends, or its value if that ends there too."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            end = value.end_mark if value.end_mark.line == key.start_mark.line else key.end_mark
            yield key.start_mark.line, (below, end.column)
            yield from _keys(value, below)
