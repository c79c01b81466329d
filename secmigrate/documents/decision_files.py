"""decisions.yaml written by a program: what it says changes, and what a person wrote around it stays."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from secmigrate.documents.config_files import plain_yaml, read_decisions
from secmigrate.documents.whole import read_bytes, write_whole
from secmigrate.documents.yaml_files import escaped, yaml_value
from secmigrate.errors import Failed
from secmigrate.mapping import Decisions

_HEAD = """\
# yaml-language-server: $schema=schemas/decisions.schema.json
# Your answers; `secmigrate wizard` writes here as well, and keeps what you write.
"""


def write_decisions(path: Path, wanted: Decisions) -> Path:
    """Brings the file to say what is wanted. Answers that it holds already stay as they stand, with their comments and
    in their order; new ones come after them. Raises BadInput if the file cannot be read as it is.
    """
    before = read_decisions(path)
    text = _edited(read_bytes(path).decode() if path.exists() else _HEAD, before, wanted)
    if msgspec.convert(yaml_value(text.encode()) or {}, Decisions) != wanted:
        raise Failed("cannot be changed without losing something", where=str(path), hint="write the answer by hand")
    return write_whole(path, text.encode())


def _edited(text: str, before: Decisions, wanted: Decisions) -> str:
    # Lazy: ruamel costs 0.1 s.
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML()
    yaml.width = 118
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    root = yaml.load(text)
    if root is None:
        root = CommentedMap()
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(wanted)
    for part in ("groups", "roles"):
        _edit_map(root, part, old[part], new[part])
    for part in ("accept", "patterns"):
        _edit_list(root, part, list(old[part]), list(new[part]))
    out = StringIO()
    if root:
        yaml.dump(root, out)
    head = text if not root or not yaml_value(text.encode()) else ""
    return head + escaped(out.getvalue())


def _edit_map(root: Any, part: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    for name in old.keys() - new.keys():
        del root[part][_key(root[part], name)]
    for name, value in new.items():
        if old.get(name) != value:
            if root.get(part) is None:
                root[part] = {}
            root[part][_key(root[part], name)] = plain_yaml(value)


def _edit_list(root: Any, part: str, old: list[Any], new: list[Any]) -> None:
    for at in reversed(range(len(old))):
        if old[at] not in new:
            del root[part][at]
    for value in new:
        if value not in old:
            if root.get(part) is None:
                root[part] = []
            root[part].append(_short(plain_yaml(value)))


def _short(entry: Any) -> Any:
    """With its lists in one line each."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if not isinstance(entry, dict):
        return entry
    found = CommentedMap()
    for key, value in entry.items():
        found[key] = CommentedSeq(value) if isinstance(value, list) else value
        if isinstance(value, list):
            found[key].fa.set_flow_style()
    return found


def _key(part: Any, name: str) -> Any:
    """The key as the file has it: a group may be called `1`, and ruamel reads a number."""
    return next((key for key in part if str(key) == name), plain_yaml(name))
