"""What Tab completes besides commands and options: names of the workspace's inventory.

A shell asks at every Tab, so only the names are read, and nothing is ever said of what is wrong. zsh evaluates what it
is given: only what IAM allows in names is.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import typer

_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")
_BREAKS = ":=@"  # where bash breaks words and others do not
_BASH = "complete_bash"


def things(context: typer.Context, incomplete: str) -> list[str]:
    """Groups and roles."""
    return _fitting(context, ("groups", "roles"), incomplete)


def users(context: typer.Context, incomplete: str) -> list[str]:
    """Users."""
    return _fitting(context, ("users",), incomplete)


def scopes(context: typer.Context, incomplete: str) -> list[str]:
    """`group:NAME` and `role:NAME`; first only the kinds."""
    return _of_kinds(context, incomplete, {"group": "groups", "role": "roles"})


def undone(context: typer.Context, incomplete: str) -> list[str]:
    """The same with `user:NAME`."""
    return _of_kinds(context, incomplete, {"group": "groups", "role": "roles", "user": "users"})


def _of_kinds(context: typer.Context, incomplete: str, rooms: Mapping[str, str]) -> list[str]:
    kind, colon, name = incomplete.partition(":")
    if not colon:
        return [f"{one}:" for one in rooms if one.startswith(kind)]
    return [f"{kind}:{one}" for one in _fitting(context, (rooms[kind],), name)] if kind in rooms else []


def for_bash(complete: Callable[[], None], words: str) -> None:
    """Completes for bash, which breaks words at `:` too: puts them together before, and takes off what is there
    already afterwards.
    """
    joined: list[str] = []
    at, current = int(os.environ.get("COMP_CWORD", "0")), 0
    for number, word in enumerate(words.split("\n")):
        if joined and _glued(joined[-1], word):
            joined[-1] += word
        else:
            joined.append(word)
        if number <= at:
            current = len(joined) - 1
    os.environ |= {"COMP_WORDS": "\n".join(joined), "COMP_CWORD": str(current)}
    there = joined[current] if current < len(joined) else ""
    already = there[: max(there.rfind(one) for one in _BREAKS) + 1]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            complete()
    finally:
        for line in said.getvalue().splitlines():
            sys.stdout.write(f"{line.removeprefix(already)}\n")


def _glued(word: str, further: str) -> bool:
    """Whether bash broke one word into these two."""
    return (further != "" and set(further) <= set(_BREAKS)) or word.endswith(tuple(_BREAKS))


def asked_by_bash() -> str | None:
    """The words of the line in a bash that wants to complete it."""
    return os.environ.get("COMP_WORDS") if os.environ.get("_SECMIGRATE_COMPLETE") == _BASH else None


def _fitting(context: typer.Context, rooms: tuple[str, ...], start: str) -> list[str]:
    folder = Path(context.params.get("workspace") or os.environ.get("SECMIGRATE_WORKSPACE") or "migration")
    return sorted({name for name in _names(folder / "inventory.json", rooms) if name.startswith(start)})


def _names(inventory: Path, rooms: tuple[str, ...]) -> Iterator[str]:
    import msgspec

    named = msgspec.defstruct("Named", [("name", str)])
    names = msgspec.defstruct("Names", [(room, tuple[named, ...], ()) for room in rooms])  # type: ignore[valid-type]
    try:
        found = msgspec.json.decode(inventory.read_bytes(), type=names)
    except (OSError, ValueError):
        return
    for room in rooms:
        yield from (one.name for one in getattr(found, room) if _NAME.fullmatch(one.name))
