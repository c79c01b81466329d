"""YAML files: read as data with the place of every value, checked by a JSON Schema."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from secmigrate.documents.whole import read_bytes, shipped
from secmigrate.errors import BadInput

Place = tuple[str | int, ...]


class Lines(Struct, frozen=True):
    """Where each value of a YAML file stands: (line, column), both from 1, by its path from the top."""

    file: str
    places: Mapping[Place, tuple[int, int]]

    def where(self, place: Place) -> str:
        """`file:line:column` of a value, or of the nearest thing that holds it."""
        while place and place not in self.places:
            place = place[:-1]
        line, column = self.places.get(place, (1, 1))
        return f"{self.file}:{line}:{column}"


class _Loader(yaml.CSafeLoader):
    """YAML as JSON knows it: dates stay text, and a key that stands twice is an error and not a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:timestamp"]
    for first, rows in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path | Traversable, schema: str) -> tuple[Any, Lines]:
    """The file's value and the places in it. Raises BadInput with file, line and column of the first problem."""
    text = read_bytes(path)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            value = loader.construct_document(node) if node else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise BadInput(
            f"not valid YAML: {error.problem}", where=f"{path}:{line}:{column}", hint="look at the indentation there"
        ) from None
    except yaml.YAMLError as error:
        raise BadInput(f"not valid YAML: {error}", where=f"{path}:1", hint="save it as UTF-8 text") from None
    lines = Lines(str(path), dict(_places(node)) if node else {})
    check(value, schema, lines)
    return value, lines


@lru_cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of that name."""
    found = msgspec.json.decode(read_bytes(shipped("schemas") / f"{name}.schema.json"))
    assert isinstance(found, dict)
    return found


def check(value: object, schema_name: str, lines: Lines) -> None:
    """Checks a value by the schema of that name. Raises BadInput that names every problem, the first one's place."""
    # Lazy: importing jsonschema costs 0.2 s, and only commands that read YAML need it.
    from jsonschema import Draft202012Validator

    errors = sorted(
        Draft202012Validator(schema(schema_name)).iter_errors(value),
        key=lambda found: list(map(str, found.absolute_path)),
    )
    if not errors:
        return
    told = [f"{'.'.join(map(str, error.absolute_path)) or 'the file'}: {error.message}" for error in errors]
    rest = "".join(f"\n  {lines.where(tuple(e.absolute_path))}: {t}" for e, t in zip(errors[1:], told[1:], strict=True))
    raise BadInput(
        told[0] + rest,
        where=lines.where(tuple(errors[0].absolute_path)),
        hint=f"the schema is schemas/{schema_name}.schema.json",
    )


def _places(node: yaml.Node, place: Place = ()) -> list[tuple[Place, tuple[int, int]]]:
    found = [(place, (node.start_mark.line + 1, node.start_mark.column + 1))]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, str(key.value))
            found += [(at, mark) for at, mark in _places(value, below) if at != below]
            found.append((below, (key.start_mark.line + 1, key.start_mark.column + 1)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found += _places(value, (*place, index))
    return found
