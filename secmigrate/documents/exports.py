"""The provisioner's exports: any JSON, searched for policy documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from secmigrate.diff import Exported
from secmigrate.documents.json_files import json_syntax
from secmigrate.documents.whole import files_below, read_bytes
from secmigrate.errors import BadInput
from secmigrate.iam import Document
from secmigrate.mapping.calibrating import Export
from secmigrate.mapping.outcomes import Kind

_NAMES = ("PolicyName", "policy_name", "Name", "name", "GroupName", "RoleName", "Sid")
_DEEP = 40


def read_exports(places: Iterable[Path]) -> tuple[Export, ...]:
    """Every policy document in these JSON files, or in the JSON files of these folders.

    Raises BadInput, with the file, for one that cannot be read, and if there is no document in any of them.
    """
    files = sorted({file for place in places for file in _files(place)})
    found = tuple(export for file in files for export in _documents(json_syntax(file, read_bytes(file)), str(file)))
    if not found:
        where = ", ".join(str(one) for one in places)
        raise BadInput(
            f"no policy document in {len(files)} JSON file{'' if len(files) == 1 else 's'}",
            where=where,
            hint="let the provisioner write them: --action export-groups and export-roles",
        )
    return found


def read_exported(folder: Path, kind: Kind) -> tuple[Exported, ...]:
    """What the provisioner exported into a folder, a file a thing; all but the file's name is read leniently.

    Raises BadInput for a file that is not JSON.
    """
    found = []
    for file in files_below(folder, ".json"):
        value = json_syntax(file, read_bytes(file))
        field = f"{kind.capitalize()}Name"
        inside = tuple(sorted({name for one in _dicts(value) if isinstance(name := one.get(field), str)}))
        found.append(
            Exported(
                kind=kind,
                file=str(file),
                names=(file.stem, *inside) if len(inside) == 1 else (file.stem,),
                documents=tuple(one.document for one in _documents(value, str(file))),
            )
        )
    return tuple(found)


def _dicts(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list) and depth < _DEEP:
        for one in value.values() if isinstance(value, dict) else value:
            yield from _dicts(one, depth + 1)


def _files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from files_below(place, ".json")
    elif place.exists():
        yield place
    else:
        raise BadInput("there is no such file or folder", where=str(place), hint="name an export of the provisioner")


def _documents(value: Any, file: str) -> Iterator[Export]:
    def inside(value: Any, names: tuple[str, ...], depth: int) -> Iterator[Export]:
        if depth > _DEEP:
            return
        if isinstance(value, str):
            text = unquote(value).strip()
            if text.startswith("{") and '"Statement"' in text:
                yield from inside(_parsed(text), names, depth + 1)
        elif isinstance(value, list):
            for one in value:
                yield from inside(one, names, depth + 1)
        elif isinstance(value, dict):
            own = (*names, *(value[key] for key in _NAMES if isinstance(value.get(key), str)))
            if "Statement" in value:
                if not _trusts(value):
                    yield Export(file=file, names=own, document=Document(value))
                return
            for key, one in value.items():
                yield from inside(one, (*own, key), depth + 1)

    yield from inside(value, (Path(file).stem,), 0)


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


def _trusts(value: dict[str, Any]) -> bool:
    """Whether it says who may assume a role, and not what somebody may do."""
    rows = value["Statement"] if isinstance(value["Statement"], list) else [value["Statement"]]
    return any(isinstance(row, dict) and ("Principal" in row or "NotPrincipal" in row) for row in rows)
