"""The SEC config in and out: YAML for people, with a comment that gives reason and mark at each place."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec

from secmigrate.documents.whole import write_whole
from secmigrate.documents.yaml_files import Lines, read_yaml
from secmigrate.errors import BadInput
from secmigrate.mapping import Decisions
from secmigrate.sec import ConfigPath, SecConfig

# Digits that are names: unquoted, YAML would read some of them as numbers (`012345678901`, `1e3`).
_QUOTED = frozenset({"account_id", "tenant_id", "trusted_account_id", "external_id"})
_HEAD = """\
SEC config, made by `secmigrate map`. Marks: C certain (the vendor's documentation says so), I inferred,
U unknown (nobody outside the vendor knows; our assumption).
"""


def read_config(path: Path) -> tuple[SecConfig, Lines]:
    """The config and the places in it. Raises BadInput with file, line and column."""
    value, lines = read_yaml(path, "sec-config")
    try:
        return msgspec.convert(value, SecConfig), lines
    except msgspec.ValidationError as error:
        raise BadInput(str(error), where=lines.where(()), hint="run `secmigrate map` for one that fits") from None


def read_decisions(path: Path) -> Decisions:
    """A person's answers; none if there is no such file. Raises BadInput with file, line and column."""
    if not path.exists():
        return Decisions()
    value, lines = read_yaml(path, "decisions")
    try:
        return msgspec.convert(value, Decisions)
    except msgspec.ValidationError as error:
        raise BadInput(str(error), where=lines.where(()), hint="see docs/files.md for its form") from None


def write_config(path: Path, config: SecConfig, comments: Mapping[ConfigPath, tuple[str, ...]]) -> bytes:
    """Writes the config; gives the bytes that were written. The same config gives the same bytes."""
    # Lazy: ruamel costs 0.1 s, and only `map` writes YAML.
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 118
    yaml.indent(mapping=2, sequence=4, offset=2)
    root = _commented(msgspec.to_builtins(config), (), comments)
    root.yaml_set_start_comment(_HEAD)
    text = StringIO()
    yaml.dump(root, text)
    data = text.getvalue().encode()
    write_whole(path, data)
    return data


def _commented(value: Mapping[str, Any], place: ConfigPath, comments: Mapping[ConfigPath, tuple[str, ...]]) -> Any:
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    found = CommentedMap()
    for key, inner in value.items():
        below = (*place, key)
        if isinstance(inner, dict):
            found[key] = _commented(inner, below, comments)
        elif isinstance(inner, str) and (key in _QUOTED or not inner):
            found[key] = DoubleQuotedScalarString(inner)
        else:
            found[key] = inner
        if below in comments:
            lines = (line for comment in comments[below] for line in _wrapped(comment))
            found.yaml_set_comment_before_after_key(key, before="\n".join(lines), indent=2 * len(place))
    return found


def _wrapped(comment: str) -> list[str]:
    """A comment line in lines that fit; without line breaks of its own, which would end the comment."""
    import textwrap

    return textwrap.wrap(" ".join(comment.split()), 110, subsequent_indent="  ") or [""]
