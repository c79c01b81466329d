"""decisions.yaml written by a program: what it says changes, and what a person wrote around it stays."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from secmigrate.documents.config_files import plain_yaml, read_decisions
from secmigrate.documents.whole import read_text, write_whole
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
    text = _edited(read_text(path) if path.exists() else _HEAD, before, wanted)
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
    root = yaml.load(text) or CommentedMap()
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(wanted)
    for part in ("groups", "roles"):
        _edit_map(root, part, old[part], new[part])
    for part in ("accept", "patterns"):
        _edit_list(root, part, list(old[part]), list(new[part]))
    out = StringIO()
    yaml.dump(root, out)
    head = text if yaml_value(text.encode()) is None else ""
    return head + escaped(out.getvalue())


def _edit_map(root: Any, part: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    for name in old.keys() - new.keys():
        _pass_on(root, part)
        del root[part][_key(root[part], name)]
    for name, value in new.items():
        if old.get(name) != value:
            _room(root, part, {})[_key(root[part], name)] = plain_yaml(value)


def _edit_list(root: Any, part: str, old: list[Any], new: list[Any]) -> None:
    for at in reversed(range(len(old))):
        if old[at] not in new:
            _pass_on(root, part)
            del root[part][at]
    for value in new:
        if value not in old:
            _room(root, part, []).append(_short(plain_yaml(value)))


def _room(root: Any, part: str, empty: Any) -> Any:
    """The part, ready for one more entry."""
    if not root.get(part):
        root[part] = empty
    _pass_on(root, part)
    return root[part]


def _pass_on(root: Any, part: str) -> None:
    """Gives the remarks behind the last entry of a part to what follows it, where there is something: they would
    stay with the entry.
    """
    following = list(root)[list(root).index(part) + 1 :]
    token = _behind(root[part])
    if following and token is not None:
        beside, _, rest = token.value.partition("\n")
        token.value = f"{beside}\n"
        if rest:
            from ruamel.yaml.tokens import CommentToken

            before = root.ca.items.setdefault(following[0], [None, None, None, None])
            before[1] = [CommentToken(rest, token.start_mark), *(before[1] or [])]


def _behind(node: Any) -> Any:
    """The remarks that stand behind the last line of a part: beside it, and on the lines after it."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if not isinstance(node, CommentedMap | CommentedSeq) or node.fa.flow_style() or not node:
        return None
    last = list(node)[-1] if isinstance(node, CommentedMap) else len(node) - 1
    places = node.ca.items.get(last) or [None] * 4
    beside = places[2 if isinstance(node, CommentedMap) else 0]
    return beside if beside is not None else _behind(node[last])


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
