"""constraints.txt: everything that pyproject.toml asks for, with hashes, and no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PIN = re.compile(
    r"^([a-z0-9.-]+)==(\S+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def test_the_lock_holds_pins_with_hashes_and_nothing_else() -> None:
    rest = PIN.sub("", LOCK)
    assert [line for line in rest.splitlines() if not re.match(r" +#", line)] == []
    assert not re.search(r"//|@ ", LOCK)


def test_the_lock_answers_everything_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    asked += project["project"]["optional-dependencies"]["dev"]
    pinned = {name: version for name, version, _ in PIN.findall(LOCK)}
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name}: run `make lock`"
        assert requirement.specifier.contains(pinned[name]), f"{requirement}: run `make lock`"
