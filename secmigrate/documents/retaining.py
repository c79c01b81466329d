"""CloudFormation templates with a DeletionPolicy of Retain written into them; all else stays as a person wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from typing import NamedTuple

import yaml

from secmigrate.errors import BadInput

KEY = "DeletionPolicy"


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def retained(template: str, logical_ids: Iterable[str], where: str) -> str:
    """The template, JSON or YAML, in which these resources are retained. Raises BadInput if it does not hold them."""
    wanted = set(logical_ids)
    # To YAML a tab is no white space, in JSON it is nothing else: inside a string it is always escaped.
    readable = template.replace("\t", " ") if template.lstrip()[:1] == "{" else template
    try:
        root = yaml.compose(readable, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadInput(f"not a template: {error}", where=where) from None
    found = {key.value: node for key, node in _rows(dict(_fields(root)).get("Resources")) if key.value in wanted}
    if missing := sorted(wanted - found.keys()):
        raise BadInput(f"no resource {missing[0]} in it", where=where, hint="synthesise it again, then run this again")
    text = template
    for edit in sorted({_edit(template, node) for node in found.values()}, reverse=True):  # an alias repeats one
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def patch(before: str, after: str, path: str) -> str:
    """The difference, as `patch` and `git apply` take it."""
    # By line feeds alone, as `patch` does: other line breaks that Unicode knows stand within lines.
    old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (before, after))
    lines = unified_diff(old, new, path, path)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _edit(template: str, resource: yaml.Node) -> _Edit:
    """What makes one resource stay: another value for its DeletionPolicy, or one in front of its first key."""
    fields = list(_rows(resource))
    json = fields[0][0].style == '"'
    for key, value in fields:
        if key.value == KEY:
            start, end = value.start_mark.index, value.end_mark.index
            return _Edit(start, end, '"Retain"' if json else "Retain" if end > start else " Retain")
    start = fields[0][0].start_mark.index
    margin = template[template.rfind("\n", 0, start) + 1 : start]
    row = f'"{KEY}": "Retain"' if json else f"{KEY}: Retain"
    if margin.strip():
        return _Edit(start, start, f"{row}, ")
    flow = isinstance(resource, yaml.MappingNode) and resource.flow_style
    return _Edit(start, start, f"{row}{',' if flow else ''}\n{margin}")


def _rows(node: yaml.Node | None) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))


def _fields(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    yield from ((key.value, value) for key, value in _rows(node))
