"""What a user installs: the wheel, away from this folder, has its rules, schemas and example with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = "examples/manual-account/inventory.json"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(folder, sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation", "-w", ".", str(ROOT))
    (built,) = folder.glob("secmigrate-*.whl")
    return built


@pytest.fixture(scope="module")
def away(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder elsewhere whose `.venv` has the wheel, and this environment's libraries but not its secmigrate."""
    folder = tmp_path_factory.mktemp("away")
    venv.create(folder / ".venv", with_pip=False, symlinks=True)
    python = folder / ".venv/bin/python"
    _run(
        folder,
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "-qq",
        "--no-deps",
        "--no-index",
        str(wheel),
    )
    (packages,) = (folder / ".venv").glob("lib/python*/site-packages")
    # A path named in a .pth file is searched, but the .pth files inside it (the editable install) are not read.
    here = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "libraries.pth").write_text("\n".join(here) + "\n", encoding="utf-8")
    return folder


def test_the_wheel_holds_all_data_and_nothing_else(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"secmigrate/{path}" for path in _data()}
    assert wanted <= packed
    assert {name for name in packed if not name.endswith(".py") and ".dist-info/" not in name} == wanted


def test_the_rules_prove_themselves_in_the_installed_wheel(away: Path) -> None:
    assert _run(away, ".venv/bin/python", "-c", "import secmigrate; print(secmigrate.__file__)").startswith(str(away))
    said = _run(away, ".venv/bin/secmigrate", "rules", "check")
    missing = [path.stem for path in sorted((ROOT / "mappings/groups").glob("*.yaml")) if path.stem not in said]
    assert missing == []
    assert "data_scientists" in said


def test_it_works_from_an_empty_folder_and_leaves_it_so(away: Path, tmp_path: Path) -> None:
    assert _run(tmp_path, str(away / ".venv/bin/secmigrate"), "rules", "check").endswith(" 0 failures\n")
    python = str(away / ".venv/bin/python")
    assert _run(tmp_path, python, "-m", "secmigrate", "--version").startswith("secmigrate ")
    assert "wizard" in _run(tmp_path, python, "-m", "secmigrate", "--help")
    assert list(tmp_path.iterdir()) == []


def test_the_image_is_made_of_what_is_here() -> None:
    """No engine runs it in the tests; what it names has to be there."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f'ENTRYPOINT ["{next(iter(project["scripts"]))}"]' in text
    oldest, versions = project["requires-python"].removeprefix(">="), re.findall(r"FROM python:(\S+)-slim", text)
    assert len(set(versions)) == 1
    assert [int(part) for part in versions[0].split(".")] >= [int(part) for part in oldest.split(".")]
    for copied in ("constraints.txt", "pyproject.toml", "LICENSE", "README.md"):
        assert (ROOT / copied).is_file()
        ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        assert not any(fnmatch(copied, glob) for glob in ignored)


def _data() -> Iterator[str]:
    """The data files as they lie in the repository, and what marks the package as typed."""
    yield EXAMPLE
    yield from (f"reports/{name}" for name in ("page.css", "page.js", "frame.js", "accounts.js"))
    if (ROOT / "secmigrate/py.typed").exists():
        yield "py.typed"
    for folder in ("mappings", "schemas"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                yield path.relative_to(ROOT).as_posix()


def _run(folder: Path, *command: str) -> str:
    """What a program says on stdout, run elsewhere and without this environment's settings for Python."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
