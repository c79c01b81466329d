"""The import rule, drawn: which room may import which, where each library lives, what the pure rooms do without."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "secmigrate"

# Imports point down, or sideways without going in a circle. A room is a file or a folder of secmigrate/.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("__main__", "cli", "wizard"),
    # may touch disk, clock and network
    (
        *("apply", "rehearsal", "sources", "twin", "reports", "documents", "journal", "workspace", "accounts"),
        *("progress", "provisioner", "aws", "pace"),
    ),
    # pure from here on
    ("plan", "dangers", "diff", "handover", "deployment"),
    ("mapping", "access", "operations"),
    ("iam", "sec", "errors", "__init__"),
)
PURE = frozenset(room for layer in LAYERS[2:] for room in layer)

# Where each library may be imported; another one has no home yet and needs a line here.
EVERYWHERE = frozenset(room for layer in LAYERS for room in layer)
HOMES: Mapping[str, frozenset[str]] = {
    "_typeshed": EVERYWHERE,  # there for mypy only
    "boto3": frozenset({"aws"}),
    "botocore": frozenset({"aws", "twin"}),
    "mypy_boto3_iam": frozenset({"aws"}),
    "mypy_boto3_resourcegroupstaggingapi": frozenset({"aws"}),
    "mypy_boto3_sts": frozenset({"aws"}),
    "deepdiff": frozenset({"diff"}),
    "jsonschema": frozenset({"documents"}),
    "moto": frozenset({"twin"}),
    "msgspec": EVERYWHERE,
    "questionary": frozenset({"wizard"}),
    "rich": frozenset({"cli", "reports"}),
    "ruamel": frozenset({"documents"}),
    "typer": frozenset({"cli"}),
    "werkzeug": frozenset({"twin"}),
    "yaml": frozenset({"documents"}),
}

# All of the standard library that a pure room may import: nothing that reads a disk, a clock, a socket or chance.
PURE_STDLIB = frozenset(
    "__future__ abc bisect collections copy dataclasses difflib enum fnmatch functools graphlib hashlib heapq html "
    "ipaddress itertools json keyword math operator re shlex string textwrap types typing unicodedata "
    "urllib.parse".split()
)
IMPURE_CALLS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval"})

NAMELESS = frozenset({"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"})


def test_the_house_keeps_its_rules() -> None:
    assert list(findings(PACKAGE)) == []


def test_no_room_stands_twice() -> None:
    rooms = [room for layer in LAYERS for room in layer]
    assert sorted(rooms) == sorted(set(rooms))
    assert set().union(*HOMES.values()) <= set(rooms)


@pytest.mark.parametrize(
    ("path", "code", "finding"),
    [
        ("iam.py", "from secmigrate.plan import Plan", "imports plan, which is above it"),
        ("iam.py", "from secmigrate import plan", "imports plan, which is above it"),
        ("iam.py", "import secmigrate.plan.order as o", "imports plan, which is above it"),
        (
            "mapping/rules.py",
            "def f():\n    from secmigrate.documents import read",
            "imports documents, which is above it",
        ),
        ("iam.py", "from . import errors", "relative import"),
        ("plan.py", "import boto3", "boto3 lives in aws"),
        ("sources/live.py", "def f():\n    import boto3.session", "boto3 lives in aws"),
        ("apply.py", "from rich.progress import Progress", "rich lives in cli, reports"),
        ("sources/cdk.py", "import numpy", "numpy has no home"),
        ("iam.py", "import os", "os in a pure room"),
        ("diff.py", "from datetime import datetime", "datetime in a pure room"),
        ("diff.py", "import urllib.request", "urllib.request in a pure room"),
        ("access/effective.py", "from urllib import request", "urllib.request in a pure room"),
        ("plan.py", "def f():\n    return open('x')", "open() in a pure room"),
        ("apply.py", "import importlib\nimportlib.import_module('boto3')", "import_module() hides an import"),
        ("apply.py", "from importlib import import_module\nimport_module('boto3')", "import_module() hides an import"),
        ("apply.py", "boto3 = __import__('boto3')", "__import__() hides an import"),
        ("apply.py", "try:\n    x = 1\nexcept Exception:\n    x = 2", "a blanket except that does not raise again"),
        (
            "apply.py",
            "try:\n    x = 1\nexcept (OSError, Exception):\n    x = 2",
            "a blanket except that does not raise again",
        ),
        ("apply.py", "try:\n    x = 1\nexcept:\n    x = 2", "a blanket except that does not raise again"),
        ("apply.py", "from contextlib import suppress\nwith suppress(Exception):\n    x = 1", "suppress(Exception)"),
        ("garden.py", "x = 1", "a room in no layer"),
        ("sources/utils.py", "x = 1", "a name that says nothing"),
        ("sources/common/x.py", "x = 1", "a name that says nothing"),
    ],
)
def test_each_broken_rule_is_found(tmp_path: Path, path: str, code: str, finding: str) -> None:
    _write(tmp_path, {path: code})
    assert [found.split(": ", 1)[1] for found in findings(tmp_path)] == [finding]


def test_rooms_in_a_circle_are_found(tmp_path: Path) -> None:
    _write(tmp_path, {"mapping/a.py": "import secmigrate.access", "access/b.py": "from secmigrate.mapping import a"})
    (found,) = findings(tmp_path)
    assert found.startswith("rooms in a circle: ")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("plan.py", "from secmigrate.iam import Snapshot\nfrom secmigrate.operations import Call\nimport msgspec"),
        ("diff.py", "def f():\n    from deepdiff import DeepDiff"),
        (
            "twin/server.py",
            "import socket, time\nfrom moto.iam import models\nfrom werkzeug.serving import make_server",
        ),
        (
            "iam.py",
            "from collections.abc import Mapping\nfrom urllib.parse import unquote\nfrom secmigrate import errors",
        ),
        ("documents.py", "try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise"),
        ("apply.py", "from secmigrate.journal import Journal"),
    ],
)
def test_what_is_allowed_is_not_found(tmp_path: Path, path: str, code: str) -> None:
    _write(tmp_path, {path: code})
    assert list(findings(tmp_path)) == []


def findings(package: Path) -> Iterator[str]:
    """Every broken rule in the package, as `path:line: what`."""
    edges: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).with_suffix("")
        room, place = inside.parts[0], path.relative_to(package).as_posix()
        if NAMELESS & set(inside.parts):
            yield f"{place}:1: a name that says nothing"
            continue
        if room not in EVERYWHERE:
            yield f"{place}:1: a room in no layer"
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for node in ast.walk(tree):
            for what in _about(room, node):
                yield f"{place}:{getattr(node, 'lineno', 1)}: {what}"
            edges.setdefault(room, set()).update(other for other in _rooms(node) if other != room)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        yield f"rooms in a circle: {' -> '.join(error.args[1])}"


def _about(room: str, node: ast.AST) -> Iterator[str]:
    """What is wrong with one node of a file in that room."""
    if isinstance(node, ast.ImportFrom) and node.level:
        yield "relative import"
    for other in sorted(_rooms(node)):
        if other in EVERYWHERE and _layer(other) < _layer(room):
            yield f"imports {other}, which is above it"
    for module in _foreign(node):
        library = module.partition(".")[0]
        if library in sys.stdlib_module_names:
            if room in PURE and not {library, module} & PURE_STDLIB:
                yield f"{module} in a pure room"
        elif library not in HOMES:
            yield f"{library} has no home"
        elif room not in HOMES[library]:
            yield f"{library} lives in {', '.join(sorted(HOMES[library]))}"
    if isinstance(node, ast.Call):
        yield from _about_call(room, node)
    if isinstance(node, ast.ExceptHandler) and _is_blanket(node.type) and not _raises_again(node):
        yield "a blanket except that does not raise again"


def _about_call(room: str, call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func).rpartition(".")[2]
    if name in {"import_module", "__import__"}:
        yield f"{name}() hides an import"
    if name == "suppress" and any(_is_blanket(each) for each in call.args):
        yield f"suppress({ast.unparse(call.args[0])})"
    if room in PURE and isinstance(call.func, ast.Name) and name in IMPURE_CALLS:
        yield f"{name}() in a pure room"


def _rooms(node: ast.AST) -> set[str]:
    """The rooms of secmigrate that an import statement names."""
    found = set()
    for module in _imported(node):
        package, _, rest = module.partition(".")
        if package == "secmigrate" and rest and not rest.startswith("__"):
            found.add(rest.partition(".")[0])
    return found


def _foreign(node: ast.AST) -> Iterator[str]:
    """The modules outside of secmigrate that an import statement names."""
    for module in dict.fromkeys(_imported(node)):
        if module.partition(".")[0] != "secmigrate":
            yield module


def _imported(node: ast.AST) -> Iterator[str]:
    """Modules named by an import statement; `from secmigrate import x` and `from urllib import x` name a module x."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        if node.module in {"secmigrate", "urllib"}:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield node.module


def _layer(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


def _is_blanket(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or ast.unparse(each) in {"Exception", "BaseException"} for each in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _write(package: Path, files: Mapping[str, str]) -> None:
    for name, code in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
