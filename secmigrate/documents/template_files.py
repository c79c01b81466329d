"""CloudFormation templates, JSON or YAML, as plain values with every short tag written out (`!Ref x`: `{"Ref": "x"}`).

YAML is built from its events, not from a tree of nodes: what it costs is bounded by what it says. Source: AWS,
CloudFormation, *Template format* (YAML 1.1 without timestamps and merge keys) and *Intrinsic function reference*.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml
from yaml.events import AliasEvent, DocumentStartEvent, MappingStartEvent, NodeEvent, ScalarEvent, SequenceStartEvent

from secmigrate.documents.json_files import json_syntax, line_of
from secmigrate.documents.yaml_files import MOST, Lines, Mark, Place
from secmigrate.errors import BadInput

LARGEST = 1_048_576  # bytes of a template (AWS, *CloudFormation quotas*)
DEEPEST = 100  # things within things
_MARKED = 4  # places are kept this deep: Resources.Group.Properties.GroupName
# Short tags whose function is not called `Fn::` and the tag's name.
_NAMES: Mapping[str, str] = {"Ref": "Ref", "Condition": "Condition"}
_FUNCTIONS = frozenset(
    "And Base64 Cidr Condition Equals FindInMap GetAtt GetAZs If ImportValue Join Length Not Or Ref Select Split Sub "
    "ToJsonString Transform".split()
)
_WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
    **dict.fromkeys(("", "~", "null"), None),
}
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})$(?!\n)")
_BROKEN = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]*[1-9]$(?!\n)")
_STANDARD = "tag:yaml.org,2002:"
_HINT = "see the file there; `aws cloudformation validate-template` tells more"


class Parsed(NamedTuple):
    """A template's value, and where things stand in it."""

    value: Any
    where: Callable[[Place], str]  # "file:line" or "file:line:column" of a value, or of the nearest that holds it


def parse_template(path: Path, data: bytes) -> Parsed:
    """Parses JSON or YAML of any shape. Raises BadInput with file and line: for a key that stands twice, an unknown
    tag, and for more than CloudFormation would take.
    """
    if data.lstrip()[:1] in (b"{", b"["):
        return _json(path, data)
    if len(data) > LARGEST:
        raise BadInput(
            f"larger than CloudFormation takes ({LARGEST:,} bytes)", where=f"{path}:1", hint="name a template"
        )
    try:
        value, lines = _Builder(str(path), data).built()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        told = f"not valid YAML: {error.problem}"
        raise BadInput(told, where=f"{path}:{line}:{column}", hint=_HINT) from None
    except yaml.reader.ReaderError as error:
        line = data.count(b"\n", 0, error.position) + 1
        raise BadInput(f"not valid YAML: {error.reason}", where=f"{path}:{line}", hint="save it as UTF-8") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput("not UTF-8 text", where=f"{path}:{line}", hint="save it as UTF-8") from None
    return Parsed(value, lines.where)


def _json(path: Path, data: bytes) -> Parsed:
    value = json_syntax(path, data)
    try:
        json.loads(data, object_pairs_hook=_once)
    except _Twice as twice:
        line = _line_of_double(data, twice.key)
        raise BadInput(f"the key {twice.key!r} stands twice", where=f"{path}:{line}", hint="keep one") from None
    except (ValueError, RecursionError):
        pass  # numbers that only one of the two parsers takes
    if any(depth > DEEPEST for depth in _depths(value)):
        raise BadInput(f"nested more than {DEEPEST} deep", where=f"{path}:1", hint=_HINT)
    return Parsed(value, lambda place: f"{path}:{line_of(data, ''.join(_step(step) for step in place))}")


class _Twice(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Raises _Twice for the first key that stands twice in an object."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Twice(key)
        seen.add(key)


def _line_of_double(data: bytes, key: str) -> int:
    """The line on which a key stands for the second time: JSON is YAML, as far as that."""
    try:
        _Builder("", data).built()
    except (yaml.YAMLError, BadInput, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        if mark and repr(key) in str(getattr(error, "problem", "")):
            return int(mark.line) + 1
    return data.count(b"\n", 0, max(data.rfind(json.dumps(key).encode()), 0)) + 1


def _step(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"


def _depths(value: Any) -> Iterator[int]:
    """How deep each part of a value lies, without recursion."""
    waiting = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        yield depth
        if isinstance(one, dict):
            waiting += [(inner, depth + 1) for inner in one.values()]
        elif isinstance(one, list):
            waiting += [(inner, depth + 1) for inner in one]


class _Open(NamedTuple):
    """A mapping or a list that is being filled."""

    value: Any
    tag: str
    anchor: str | None
    place: Place
    at: int  # how many values there were when it began
    keys: list[Any]  # of a mapping: the key whose value comes next


class _Builder:
    """One document's value from its events."""

    def __init__(self, file: str, data: bytes) -> None:
        self._loader = yaml.CSafeLoader(data)
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}  # with how many values it holds
        self._places: dict[Place, Mark] = {}
        self._count = 0
        self._done: list[Any] = []

    def built(self) -> tuple[Any, Lines]:
        """Raises what PyYAML raises, and BadInput for more than `MOST` values."""
        documents = 0
        try:
            while self._loader.check_event():
                event = self._loader.get_event()
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        _stop("a second document; a template is one", event)
                elif isinstance(event, NodeEvent):
                    self._begin(event)
                elif self._open and type(event).__name__ in ("MappingEndEvent", "SequenceEndEvent"):
                    self._end(event)
        finally:
            self._loader.dispose()
        return (self._done[0] if self._done else None), Lines(self._file, self._places)

    def _begin(self, event: NodeEvent) -> None:
        self._count += 1
        if self._open and self._open[-1].keys == [] and isinstance(self._open[-1].value, dict):
            self._key(event)
            return
        place = self._place()
        if len(place) <= _MARKED and place not in self._places:
            self._places[place] = _mark(event)
        match event:
            case AliasEvent():
                if (known := self._anchors.get(str(event.anchor))) is None:
                    _stop(f"the alias *{event.anchor} stands for nothing that is written out before it", event)
                self._count += known[1]
                self._put(known[0], event)
            case ScalarEvent():
                value = _scalar(event)
                if event.anchor:
                    self._anchors[event.anchor] = (value, 1)
                self._put(value, event)
            case MappingStartEvent() | SequenceStartEvent():
                if len(self._open) >= DEEPEST:
                    _stop(f"nested more than {DEEPEST} deep", event)
                empty: Any = {} if isinstance(event, MappingStartEvent) else []
                self._open.append(_Open(empty, _function(event), event.anchor, place, self._count, []))
        if self._count > MOST:
            hint = "write out what its aliases repeat, or name the file that is meant"
            raise BadInput(f"more than {MOST:,} values", where=f"{self._file}:{_mark(event)[0]}", hint=hint)

    def _key(self, event: NodeEvent) -> None:
        """A key of the mapping that is open. It is text, whatever it looks like."""
        if not isinstance(event, ScalarEvent):
            _stop("a key must be plain text", event)
        key, opened = event.value, self._open[-1]
        if key == "<<" and event.implicit[0]:
            _stop("CloudFormation knows no merge keys (<<)", event)
        if key in opened.value:
            _stop(f"the key {key!r} stands twice", event)
        opened.keys.append(key)
        if len(opened.place) < _MARKED:
            self._places[(*opened.place, key)] = _mark(event)

    def _place(self) -> Place:
        if not self._open:
            return ()
        top = self._open[-1]
        if len(top.place) > _MARKED:
            return top.place
        return (*top.place, top.keys[-1] if isinstance(top.value, dict) else len(top.value))

    def _put(self, value: Any, event: Any) -> None:
        if not self._open:
            self._done.append(value)
            return
        top = self._open[-1]
        if isinstance(top.value, dict):
            top.value[top.keys.pop()] = value
        else:
            top.value.append(value)

    def _end(self, event: Any) -> None:
        closed = self._open.pop()
        value = _called(closed.tag, closed.value)
        if closed.anchor:
            self._anchors[closed.anchor] = (value, self._count - closed.at + 1)
        self._put(value, event)


def _scalar(event: ScalarEvent) -> Any:
    """Plain text as YAML 1.1 has it, but for dates, octal numbers and whatever else would not be written back alike."""
    if function := _function(event):
        return _called(function, event.value)
    text = event.value
    if event.style or event.tag == f"{_STANDARD}str" or (event.tag and event.tag != "!" and not event.implicit[0]):
        return text
    if text in ("~", "") or text in (word := text.lower(), text.upper(), text.title()):
        word = text.lower()
        if word in _WORDS:
            return _WORDS[word]
    if _WHOLE.match(text):
        return int(text)
    return float(text) if _BROKEN.match(text) and repr(float(text)) == text else text


def _function(event: Any) -> str:
    """The name of the function that a tag calls; empty if it calls none."""
    tag = event.tag or ""
    if tag in ("", "!") or tag.removeprefix(_STANDARD) in ("str", "int", "float", "bool", "null", "map", "seq"):
        return ""
    name: str = tag.removeprefix("!")
    if name not in _FUNCTIONS:
        _stop(f"CloudFormation knows no tag {tag}", event)
    return name


def _called(name: str, value: Any) -> Any:
    if not name:
        return value
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {_NAMES.get(name, f"Fn::{name}"): value}


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _stop(what: str, event: Any) -> NoReturn:
    raise yaml.constructor.ConstructorError(None, None, what, event.start_mark)
