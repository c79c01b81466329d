"""JSON files, checked by the types that they are read into (their JSON Schemas in `schemas/` are made from these)."""

from __future__ import annotations

import codecs
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from secmigrate import iam
from secmigrate.documents.doubled import no_key_twice
from secmigrate.documents.whole import read_bytes, write_whole
from secmigrate.errors import BadInput

T = TypeVar("T")

EDITED = 2_000_000  # bytes; a snapshot of 400 users has about so many

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # PowerShell's `>` writes UTF-16
_UTF_8 = "save it as UTF-8 without a byte order mark"
_ONE_NAME = "to IAM they are one name; keep one of them"
_BYTE = re.compile(r"byte (\d+)")
_UNKNOWN = re.compile(r"unknown field `([\w-]+)`")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+|\.\.\.)\]")


def read_json(path: Path, kind: type[T], *, hint: str) -> T:
    """Reads a file of ours into its type. Raises BadInput with file and line, and `hint` as what to do."""
    data = read_bytes(path)
    with located(path, data, hint):
        found = msgspec.json.decode(data, type=kind, dec_hook=_document)
    _written_by_hand(path, data)
    return found


def write_json(path: Path, value: object) -> Path:
    """Writes a value of ours, indented, with sorted keys: the same value gives the same bytes."""
    line = msgspec.json.encode(value, enc_hook=iam.to_jsonable, order="sorted")
    return write_whole(path, msgspec.json.format(line, indent=2) + b"\n")


def read_snapshot(path: Path) -> iam.Snapshot:
    """Reads a snapshot that `write_snapshot` wrote. Raises BadInput with file and line."""
    data = read_bytes(path)
    with located(path, data, "run `secmigrate inventory` again"):
        try:
            found = iam.decode(data)
        except BadInput:
            _locate(path, data)
            raise
    _written_by_hand(path, data)
    return found


def write_snapshot(path: Path, snapshot: iam.Snapshot) -> Path:
    """Writes the snapshot, indented; equal snapshots that saw the same give the same bytes."""
    return write_whole(path, msgspec.json.format(iam.encode(snapshot), indent=2) + b"\n")


def json_syntax(path: Path, data: bytes) -> Any:
    """Parses JSON of any shape. Raises BadInput with file and line."""
    with located(path, data, "the file is damaged or is not JSON"):
        found = msgspec.json.decode(data)
        no_key_twice(path, data)
        return found


def _written_by_hand(path: Path, data: bytes) -> None:
    """Looks for doubled keys in files of ours of a size that people edit; larger ones only programs write."""
    if len(data) <= EDITED:
        no_key_twice(path, data)


@contextmanager
def located(path: Path, data: bytes, hint: str) -> Iterator[None]:
    """Turns a decoding error into BadInput with file and line. The garbage collector rests while decoding: it would
    look at every new object several times over and costs two thirds of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$")
        steps = at.rstrip("`")
        unknown = _UNKNOWN.search(text)
        line = line_of(data, f"{steps}.{unknown.group(1)}" if unknown else steps)
        field = steps.lstrip(".")
        message = f"{field}: {text}" if field else text
        raise BadInput(message, where=f"{path}:{line}", hint=hint) from None
    except msgspec.DecodeError as error:
        if data.startswith(_MARKS):
            raise BadInput("starts with a byte order mark", where=f"{path}:1", hint=_UTF_8) from None
        found = _BYTE.search(str(error))
        at_byte = int(found.group(1)) if found else len(data)
        line = data.count(b"\n", 0, at_byte) + 1
        raise BadInput(f"not valid JSON: {error}", where=f"{path}:{line}", hint=hint) from None
    except UnicodeDecodeError:
        line = _text_lines(data)
        raise BadInput("not UTF-8 text", where=f"{path}:{line}", hint=hint) from None
    except RecursionError:
        raise BadInput("nested too deeply", where=f"{path}:1", hint=hint) from None
    except BadInput as error:
        if error.where:
            raise
        raise BadInput(error.message, where=str(path), hint=error.hint or hint) from None
    finally:
        if enabled:
            gc.enable()


def line_of(data: bytes, steps: str) -> int:
    """The line on which the value at `.users[3].name` starts, in JSON that is known to parse.

    Walks down by raw values, each looked for behind the one before it, so nothing can be found too early. Where the
    path has a step that names no place (`[...]`: some value of a map), the line of what holds it.
    """
    start, raw = 0, data
    for key, index in _STEP.findall(steps):
        try:
            if key:
                places = _members(raw)
                offset, raw = places[key]
            else:
                offset, raw = _items(raw)[int(index)]
        except (KeyError, IndexError, ValueError, RecursionError, msgspec.DecodeError):
            break
        start += offset
    lead = len(raw) - len(raw.lstrip()) if start == 0 else 0
    return data.count(b"\n", 0, start + lead) + 1


def _text_lines(data: bytes) -> int:
    """The line of the first byte that is not UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def _locate(path: Path, data: bytes) -> None:
    """Raises the error that `iam.decode` raised without a place, with it."""
    file = msgspec.json.decode(data, type=iam.SnapshotFile, dec_hook=_document)
    for room in ("users", "groups", "roles", "policies", "instance_profiles"):
        seen: set[str] = set()
        for index, thing in enumerate(getattr(file, room)):
            if (folded := thing.key.casefold()) in seen:
                where = f"{path}:{line_of(data, f'.{room}[{index}]')}"
                raise BadInput(f"{room}: there is another {thing.key!r}, ignoring case", where=where, hint=_ONE_NAME)
            seen.add(folded)


def _document(kind: type, value: object) -> object:
    """The decoding hook with an error to which msgspec adds the place."""
    try:
        return iam.from_jsonable(kind, value)
    except BadInput as error:
        raise ValueError(error.message) from None


def _members(raw: bytes) -> dict[str, tuple[int, bytes]]:
    found, at = {}, 0
    for key, value in msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).items():
        at = raw.index(b'"', at)
        at = raw.index(b":", at + len(msgspec.json.encode(key)))
        text = bytes(value)
        at = raw.index(text, at)
        found[key] = (at, text)
        at += len(text)
    return found


def _items(raw: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    for value in msgspec.json.decode(raw, type=list[msgspec.Raw]):
        text = bytes(value)
        at = raw.index(text, at)
        found.append((at, text))
        at += len(text)
    return found
