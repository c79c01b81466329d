"""Keys that stand twice in one JSON object: every decoder silently takes the last, and what the first said is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from secmigrate.errors import BadInput

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"(?P<key>\s*:)?|[{}]', re.DOTALL)


class _Twice(Exception):
    pass


def no_key_twice(path: Path, data: bytes) -> None:
    """Raises BadInput with file and line. `data` is known to be JSON."""
    try:
        json.loads(data, object_pairs_hook=_look)  # builds nothing; of all parsers here this one tells pairs
    except _Twice:
        pass
    else:
        return
    for key, at in _twice(data):
        line = data.count(b"\n", 0, at) + 1
        raise BadInput(f"the key {key!r} stands twice", where=f"{path}:{line}", hint="keep one of the two")


def _look(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) > 1 and len({key for key, _ in pairs}) < len(pairs):
        raise _Twice


def _twice(data: bytes) -> Iterator[tuple[str, int]]:
    """Each second key of an object, and where it stands."""
    objects: list[set[str]] = []
    for token in _TOKEN.finditer(data):
        start = token.group()[:1]
        if start == b"{":
            objects.append(set())
        elif start == b"}":
            objects.pop()
        elif token.group("key"):
            key: str = msgspec.json.decode(token.group()[: -len(token.group("key"))])
            if key in objects[-1]:
                yield key, token.start()
            objects[-1].add(key)
