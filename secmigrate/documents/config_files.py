"""The SEC config in and out: YAML for people, with a comment that gives reason and mark at each place."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from textwrap import TextWrapper
from typing import Any

import msgspec
import yaml
from msgspec import structs

from secmigrate.documents.remarks import Remark, at_home
from secmigrate.documents.yaml_files import Lines, escaped, read_yaml, yaml_value
from secmigrate.errors import BadInput
from secmigrate.mapping import Decisions
from secmigrate.sec import ConfigPath, SecConfig

# Digits that are names: unquoted, YAML would read some of them as numbers (`012345678901`, `1e3`).
_QUOTED = frozenset({"account_id", "tenant_id", "trusted_account_id", "external_id"})
_RESOLVER = yaml.resolver.Resolver()
_WRAPPER = TextWrapper(110, subsequent_indent="  ")
_HEAD = """\
yaml-language-server: $schema=../../schemas/sec-config.schema.json

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


def read_decisions(path: Path, shared: Path | None = None) -> Decisions:
    """A person's answers; none if there is no such file. Raises BadInput with file, line and column.

    `shared` is a file for several accounts: what it says of a group or role counts where the account's own says nothing
    of it; what either accepts, or names as the project's, counts.
    """
    own = _decisions(path)
    if shared is None:
        return own
    all_of_them = _decisions(shared)
    return structs.replace(
        own,
        groups={**all_of_them.groups, **own.groups},
        roles={**all_of_them.roles, **own.roles},
        accept=(*own.accept, *all_of_them.accept),
        patterns=tuple(dict.fromkeys((*own.patterns, *all_of_them.patterns))),
    )


def _decisions(path: Path) -> Decisions:
    if not path.exists():
        return Decisions()
    value, lines = read_yaml(path, "decisions")
    try:
        return msgspec.convert(value, Decisions)
    except msgspec.ValidationError as error:
        raise BadInput(str(error), where=lines.where(()), hint="see docs/files.md for its form") from None


def config_of(text: str) -> SecConfig:
    """The config in a text that we wrote ourselves."""
    return msgspec.convert(yaml_value(text.encode()), SecConfig)


def config_text(
    config: SecConfig,
    comments: Mapping[ConfigPath, tuple[str, ...]],
    notes: Mapping[ConfigPath, Remark] | None = None,
) -> str:
    """The config as YAML, with our comments and, behind them, a person's. The same config gives the same text."""
    # Lazy: ruamel costs 0.1 s, and only `map` writes YAML.
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 118
    yaml.indent(mapping=2, sequence=4, offset=2)
    plain = msgspec.to_builtins(config)
    notes = at_home(notes or {}, plain)
    root = _commented(plain, (), comments, notes)
    root.yaml_set_start_comment(_HEAD)
    text = StringIO()
    yaml.dump(root, text)
    at_the_end = "".join(f"# {line}".rstrip() + "\n" for line in notes[()].before) if () in notes else ""
    return escaped(text.getvalue()) + at_the_end


def _commented(
    value: Mapping[str, Any],
    place: ConfigPath,
    comments: Mapping[ConfigPath, tuple[str, ...]],
    notes: Mapping[ConfigPath, Remark],
) -> Any:
    from ruamel.yaml.comments import CommentedMap

    found = CommentedMap()
    for key, inner in value.items():
        below, name = (*place, key), _text(key)
        if isinstance(inner, dict):
            found[name] = _commented(inner, below, comments, notes)
        else:
            found[name] = _listed(plain_yaml(inner, key in _QUOTED or not inner), inner, below, notes)
        note = notes.get(below, Remark())
        lines = [*(line for comment in comments.get(below, ()) for line in _wrapped(comment)), *note.before]
        if lines:
            found.yaml_set_comment_before_after_key(name, before="\n".join(lines), indent=2 * len(place))
        if note.behind:
            found.yaml_add_eol_comment(note.behind, key=name)
    return found


def _listed(value: Any, plain: Any, place: ConfigPath, notes: Mapping[ConfigPath, Remark]) -> Any:
    """A list with what a person wrote at its items; what is no list, or has nothing of hers, as it is."""
    from ruamel.yaml.comments import CommentedSeq

    rows = [notes.get((*place, str(one)), Remark()) for one in plain] if isinstance(plain, list | tuple) else []
    if not any(row != Remark() for row in rows):
        return value
    found = CommentedSeq(value)
    for at, row in enumerate(rows):
        if row.behind:  # in this order: ruamel.yaml fails in the other
            found.yaml_add_eol_comment(row.behind, key=at)
        if row.before:
            found.yaml_set_comment_before_after_key(at, before="\n".join(row.before), indent=2 * len(place))
    return found


def plain_yaml(value: Any, quoted: bool = False) -> Any:
    """The value with texts in quotes where YAML would read something else."""
    if isinstance(value, dict):
        return {_text(key): plain_yaml(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_yaml(inner) for inner in value]
    return _text(value, quoted) if isinstance(value, str) else value


def _text(text: str, quoted: bool = False) -> str:
    """In quotes where YAML 1.1, which most programs read, would take it for something else: `yes`, `012`, a date."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's is
    plain = tag == "tag:yaml.org,2002:str" and not quoted and text.isprintable()
    return text if plain else DoubleQuotedScalarString(text)


def _wrapped(comment: str) -> list[str]:
    """A comment line in lines that fit; without line breaks of its own, which would end the comment, and without
    control characters, which YAML does not allow even there.
    """
    plain = " ".join(comment.split())
    if not plain.isprintable():
        plain = "".join(one if one.isprintable() else "\ufffd" for one in plain)
    return _WRAPPER.wrap(plain) if len(plain) > _WRAPPER.width else [plain]
