"""Files that are there whole or not at all, for their owner's eyes only."""

from __future__ import annotations

import codecs
import os
import tempfile
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

from secmigrate.errors import BadInput, Failed

PRIVATE = 0o600


def read_bytes(path: Path | Traversable) -> bytes:
    """The file's content. Raises BadInput if it cannot be read or is empty."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"cannot be read: {error.strerror or error}", where=str(path), hint="check the path and its permissions"
        ) from None
    if not data.strip():
        raise BadInput("the file is empty", where=str(path), hint="an earlier write may have failed; make it again")
    return data


def read_text(path: Path) -> str:
    """The file's text, UTF-8 or, as Windows' editors save it, UTF-16, without a byte order mark. Raises BadInput."""
    data = read_bytes(path)
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8 text", where=f"{path}:{line}", hint="save it as UTF-8") from None


def names_in(folder: Path, ending: str) -> list[str]:
    """The names in a folder that end so, sorted; none if there is no such folder. Raises BadInput if it cannot be read:
    what cannot be read is not empty.
    """
    try:
        return sorted(path.name for path in folder.iterdir() if path.name.endswith(ending))
    except OSError as error:
        if not folder.exists():
            return []
        _unreadable(error)


def files_below(folder: Path, ending: str) -> list[Path]:
    """The files in a folder and in those below it whose names end so, sorted, without links; none if there is no such
    folder. Raises BadInput if one of these folders cannot be read.
    """
    found: list[Path] = []
    for place, _, names in os.walk(folder, onerror=_unreadable) if folder.exists() else ():
        found += [path for name in names if name.endswith(ending) and _is_plain(path := Path(place, name))]
    return sorted(found)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _unreadable(error: OSError) -> NoReturn:
    hint = "check whose it is: an earlier sudo?"
    raise BadInput(f"cannot be read: {error.strerror or error}", where=str(error.filename), hint=hint) from None


def write_whole(path: Path, data: bytes | Iterable[bytes], *, mode: int = PRIVATE) -> Path:
    """Writes by way of a temporary file beside it, fsync and rename. Raises Failed; then the old file still stands.

    What comes in pieces is written as it comes.
    """
    try:
        private_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines([data] if isinstance(data, bytes) else data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise Failed(
            f"cannot be written: {error.strerror or error}", where=str(path), hint="check the folder and the disk"
        ) from None
    return path


def private_folder(path: Path) -> None:
    """Makes a folder for its owner alone, and those above it that there are not: what lies in them names people."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True, mode=0o700)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def shipped(folder: str) -> Traversable:
    """A data folder: inside the installed package, or beside it in a checkout."""
    inside = files("secmigrate") / folder
    return inside if inside.is_dir() else Path(str(files("secmigrate"))).parent / folder
