"""The SEC config in and out: YAML for people, with a comment that gives reason and mark at each place."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import yaml

from secmigrate.documents.whole import write_whole
from secmigrate.documents.yaml_files import Lines, read_yaml
from secmigrate.errors import BadInput
from secmigrate.mapping import Decisions
from secmigrate.sec import ConfigPath, SecConfig

# Digits that are names: unquoted, YAML would read some of them as numbers (`012345678901`, `1e3`).
_QUOTED = frozenset({"account_id", "tenant_id", "trusted_account_id", "external_id"})
_RESOLVER = yaml.resolver.Resolver()
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
    data = config_text(config, comments).encode()
    write_whole(path, data)
    return data


def config_text(config: SecConfig, comments: Mapping[ConfigPath, tuple[str, ...]]) -> str:
    """The config as YAML, with these comments."""
    # Lazy: ruamel costs 0.1 s, and only `map` writes YAML.
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 118
    yaml.indent(mapping=2, sequence=4, offset=2)
    root = _commented(msgspec.to_builtins(config), (), comments)
    root.yaml_set_start_comment(_HEAD)
    text = StringIO()
    yaml.dump(root, text)
    return text.getvalue()


def _commented(value: Mapping[str, Any], place: ConfigPath, comments: Mapping[ConfigPath, tuple[str, ...]]) -> Any:
    from ruamel.yaml.comments import CommentedMap

    found = CommentedMap()
    for key, inner in value.items():
        below, name = (*place, key), _text(key)
        if isinstance(inner, dict):
            found[name] = _commented(inner, below, comments)
        else:
            found[name] = _plain(inner, key in _QUOTED or not inner)
        if below in comments:
            lines = (line for comment in comments[below] for line in _wrapped(comment))
            found.yaml_set_comment_before_after_key(name, before="\n".join(lines), indent=2 * len(place))
    return found


def _plain(value: Any, quoted: bool = False) -> Any:
    if isinstance(value, dict):
        return {_text(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _text(value, quoted) if isinstance(value, str) else value


def _text(text: str, quoted: bool = False) -> str:
    """In quotes where YAML 1.1, which most programs read, would take it for something else: `yes`, `012`, a date."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's is
    return text if tag == "tag:yaml.org,2002:str" and not quoted else DoubleQuotedScalarString(text)


def _wrapped(comment: str) -> list[str]:
    """A comment line in lines that fit; without line breaks of its own, which would end the comment."""
    import textwrap

    return textwrap.wrap(" ".join(comment.split()), 110, subsequent_indent="  ") or [""]
