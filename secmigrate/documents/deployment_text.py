"""The section `deployment` of a config, as a person wrote it: nobody knows what it holds, so its text stays."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from secmigrate.documents.yaml_files import yaml_value

_SECTION = "deployment"
_ODD_BREAK = re.compile("[\\r\\x85\\u2028\\u2029]")


class _Parts(NamedTuple):
    """A text as lines: before the section, the section, behind it."""

    before: list[str]
    section: list[str]
    behind: list[str]


def without_deployment(text: str) -> str | None:
    """The text of a config with nothing in the section; None where the rest would not mean the same without it."""
    parts = _parts(text)
    if parts is None:
        return None
    found = "".join((*parts.before, f"{_SECTION}: {{}}\n", *parts.behind))
    return found if _means(found, {**yaml_value(text.encode()), _SECTION: {}}) else None


def with_deployment(text: str, theirs: str) -> str | None:
    """The text of one config with the section as it stands in another that has the same values there; None where it
    would not mean the same, as with an alias of something elsewhere.
    """
    ours, other = _parts(text), _parts(theirs)
    if ours is None or other is None:
        return None
    found = "".join((*ours.before, *other.section, *ours.behind))
    kept = yaml_value(theirs.encode())[_SECTION]  # a config's own text has no bytes (`!!binary`)
    return found if _means(found, {**yaml_value(text.encode()), _SECTION: kept}) else None


def _means(text: str, value: object) -> bool:
    try:
        return bool(yaml_value(text.encode()) == value)
    except yaml.YAMLError:
        return False


def _parts(text: str) -> _Parts | None:
    """None where the section is no lines of its own, or lines end in a way that only YAML knows."""
    text = text.replace("\r\n", "\n")
    if _ODD_BREAK.search(text):
        return None
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    keys = [key.value for key, _ in root.value]
    if _SECTION not in keys:
        return None
    lines = [f"{line}\n" for line in text.removesuffix("\n").split("\n")]
    starts = [key.start_mark.line for key, _ in root.value]
    at = keys.index(_SECTION)
    start, end = starts[at], (*starts, len(lines))[at + 1]
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return _Parts(lines[:start], lines[start:end], lines[end:])
