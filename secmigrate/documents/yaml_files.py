"""YAML files: read as data with the place of every value, checked by a JSON Schema."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml
from msgspec import Struct

from secmigrate.documents.whole import read_bytes, shipped, write_whole
from secmigrate.errors import BadInput

if TYPE_CHECKING:
    from jsonschema import ValidationError

Place = tuple[str | int, ...]
Mark = tuple[int, int]  # line and column, from 1
MOST = 100_000  # values in a file; the largest config has a tenth


class Lines(Struct, frozen=True):
    """Where each value of a YAML file stands: (line, column), both from 1, by its path from the top."""

    file: str
    places: Mapping[Place, Mark]

    def at(self, place: Place) -> Mark:
        """Line and column of a value, or of the nearest thing that holds it."""
        while place and place not in self.places:
            place = place[:-1]
        return self.places.get(place, (1, 1))

    def where(self, place: Place) -> str:
        """The same as `file:line:column`."""
        line, column = self.at(place)
        return f"{self.file}:{line}:{column}"


class _Loader(yaml.CSafeLoader):
    """YAML as JSON knows it: dates stay text, every key is text (a group may be called `on` or `1`), and a key that
    stands twice is an error and not a silent loss.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, "a key must be plain text", key.start_mark)
            if key.value in found:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            found[key.value] = self.construct_object(value, deep=deep)
        return found


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:timestamp"]
    for first, rows in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path | Traversable, schema: str) -> tuple[Any, Lines]:
    """The file's value and the places in it. Raises BadInput with file, line and column of the first problem."""
    text = read_bytes(path)
    try:
        value, lines = _parsed(text, str(path))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise BadInput(
            f"not valid YAML: {error.problem}", where=f"{path}:{line}:{column}", hint=_yaml_hint(str(error.problem))
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count(b"\n", 0, error.position) + 1
        raise BadInput(
            f"not valid YAML: {error.reason}", where=f"{path}:{line}", hint="save it as UTF-8 text"
        ) from None
    except RecursionError:
        raise BadInput(
            "nested too deeply", where=f"{path}:1", hint="a part of it may hold itself by an alias (*name)"
        ) from None
    check(value, schema, lines)
    return value, lines


def _yaml_hint(problem: str) -> str:
    if "stands twice" in problem:
        return "keep one of the two"
    if "cannot start any token" in problem:
        return "indent with spaces, not with tabs, and put text that begins with a sign in quotes"
    return "look at the indentation there, and at brackets and quotes before it"


def escaped(text: str) -> str:
    """YAML without characters that nobody sees or that turn the text around: as escapes, which stand in double quotes.
    Comments of a person's own stay.
    """
    if text.isascii():
        return text
    return "".join(
        line if line.lstrip().startswith("#") else "".join(map(_visible, line)) for line in text.splitlines(True)
    )


def _visible(one: str) -> str:
    if one.isprintable() or one == "\n":
        return one
    return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"


def yaml_value(text: bytes) -> Any:
    """The value of a text that is known to be YAML."""
    return _parsed(text, "")[0]


def _parsed(text: bytes, file: str) -> tuple[Any, Lines]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        # Before anything else walks it: aliases of aliases can make a small file endless.
        places = dict(islice(_places(node), MOST + 1)) if node else {}
        if len(places) > MOST:
            raise BadInput(f"more than {MOST:,} values", where=f"{file}:1", hint="write out what its aliases repeat")
        return loader.construct_document(node) if node else None, Lines(file, places)
    finally:
        loader.dispose()


@lru_cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of that name."""
    found = msgspec.json.decode(read_bytes(shipped("schemas") / f"{name}.schema.json"))
    assert isinstance(found, dict)
    return found


def write_schemas(folder: Path) -> None:
    """The schemas of the files that people edit, for their editors."""
    for name in ("sec-config", "decisions"):
        file = f"{name}.schema.json"
        write_whole(folder / file, read_bytes(shipped("schemas") / file))


def _shown(step: str | int) -> str:
    """A key as it can stand in a message: one with line breaks in it would look like another message."""
    return str(step) if str(step).isprintable() else repr(step)


def check(value: object, schema_name: str, lines: Lines) -> None:
    """Checks a value by the schema of that name. Raises BadInput that names every problem, the first one's place."""
    # Lazy: importing jsonschema costs 0.2 s, and only commands that read YAML need it.
    from jsonschema import Draft202012Validator

    problems = [told for error in Draft202012Validator(schema(schema_name)).iter_errors(value) for told in _told(error)]
    if not problems:
        return
    problems.sort(key=lambda one: lines.at(one.place))
    lines_of_text = [f"{'.'.join(map(_shown, one.place)) or 'the file'}: {one.message}" for one in problems]
    where = [lines.where(one.place) for one in problems]
    rest = "".join(f"\n  {at}: {text}" for at, text in zip(where[1:], lines_of_text[1:], strict=True))
    hint = problems[0].hint or f"the schema is schemas/{schema_name}.schema.json"
    raise BadInput(lines_of_text[0] + rest, where=where[0], hint=hint)


def unfit(value: object, schema_name: str, *place: str) -> str:
    """What the schema of that name has against a value that shall stand at that place; empty if nothing."""
    from jsonschema import Draft202012Validator

    rule = schema(schema_name)
    for step in place:
        rule = rule["properties"][step]
    return next((one.message for error in Draft202012Validator(rule).iter_errors(value) for one in _told(error)), "")


class _Problem(Struct, frozen=True):
    """What the schema has against a value, in words."""

    place: Place
    message: str
    hint: str = ""


def _told(error: ValidationError) -> Iterator[_Problem]:
    place: Place = tuple(error.absolute_path)
    value: Any = error.instance
    rule: Any = error.schema
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            for name in (one for one in wanted if one not in value):
                yield _Problem(place, f"{name} is missing")
        case "additionalProperties":
            known = list(rule.get("properties", ()))
            for name in (one for one in value if one not in known):
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
                yield _Problem((*place, name), "is not known here", hint)
        case "enum":
            yield _Problem(place, f"{value!r} is none of {', '.join(map(str, wanted))}")
        case "pattern" if "description" in rule:
            key = (value,) if "propertyNames" in error.absolute_schema_path else ()
            yield _Problem((*place, *key), f"{value!r} is not {rule['description']}")
        case "type" if wanted == "string":
            hint = "put it in quotes: YAML reads it as something else than text"
            yield _Problem(place, f"{_shown(value)} is not text", hint)
        case _:
            yield _Problem(place, error.message)


def _places(node: yaml.Node, place: Place = (), key: yaml.Node | None = None) -> Iterator[tuple[Place, Mark]]:
    mark = (key or node).start_mark
    yield place, (mark.line + 1, mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        for below, value in node.value:
            yield from _places(value, (*place, str(below.value)), below)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _places(value, (*place, index))
