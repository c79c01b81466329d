"""`make bench` says what was measured and nothing else; each of its steps still runs; the page has room for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import bench_rivals, bench_table
from tests.bench import PAGE, SIZES, Bench
from tests.bench_accounts import Size
from tests.bench_measuring import Measured, Pair, measure, median, peak
from tests.bench_others import installed
from tests.bench_rivals import RIVALS, Rival
from tests.bench_steps import STEPS, Stage
from tests.bench_table import BEGIN, END, Circumstances

BYTES = {"small": 100_000, "large": 10_000_000}  # a hundred times as many: with its logarithm, 140 times
TINY = Size(4, 3, 4, 3)


def one(seconds: float, peak: float = 100, calls: int = 0) -> Measured:
    return Measured(seconds, 0.5, peak, calls)


def cells(lines: Sequence[str], *words: str) -> list[str]:
    """The cells of the one line that has all these words."""
    [line] = [line for line in lines if all(f"| {word} |" in line for word in words)]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_step_has_a_line_for_each_account() -> None:
    found = {
        ("read", "small"): [one(0.25, 42)],
        ("read", "large"): [one(25, 94.4, calls=21)],
        ("map", "small"): [one(1)],
        ("map", "large"): [],
    }
    lines = list(bench_table.steps(BYTES, found))
    assert len(lines) == 2 + len(found)
    assert cells(lines, "read", "small") == ["read", "small", "0.1 MB", "0.25", "0.5", "", "42 MB", ""]
    assert cells(lines, "read", "large") == [
        "read",
        "large",
        "10.0 MB",
        "25.00",
        "50.0",
        "100.0 of 140.0",
        "94 MB",
        "21",
    ]
    assert cells(lines, "map", "large")[3] == "did not end"
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("few", "many", "told"),
    [
        (1, 139, "139.0 of 140.0"),
        (1, 141, "**141.0 > 140.0**"),
        (0.001, 9, ""),  # too little to say
    ],
)
def test_what_grows_faster_than_the_input_is_marked(few: float, many: float, told: str) -> None:
    found = {("diff", "small"): [one(few), one(2 * few)], ("diff", "large"): [one(9 * many), one(many), one(8 * many)]}
    lines = list(bench_table.steps(BYTES, found))
    assert cells(lines, "diff", "large")[5] == told
    verdict = next(iter(bench_table.verdict(BYTES, found)))
    assert verdict.endswith(": diff (large)." if "**" in told else ": nothing.")


def test_growth_is_not_told_of_a_step_that_did_not_end() -> None:
    found: Mapping[tuple[str, str], list[Measured]] = {("map", "small"): [], ("map", "large"): [one(3)]}
    assert cells(list(bench_table.steps(BYTES, found)), "map", "large")[5] == ""


def test_memory_that_is_too_much_is_named_if_one_round_took_it() -> None:
    found = {("plan", "large"): [one(1, 900), one(1, 1501), one(1, 800)], ("read", "large"): [one(1, 1500)]}
    assert list(bench_table.verdict(BYTES, found))[1] == "Over 1500 MB of memory: plan (large, 1501 MB)."


def test_the_middle_is_that_of_the_ratios() -> None:
    slow, busy, quick = Measured(9, 3, 1), Measured(12, 3, 1), Measured(2, 1, 1)
    assert median([slow, busy, quick]) is slow
    assert median([Pair(1, 9), Pair(5, 10), Pair(2, 1)]) == Pair(5, 10)


def test_what_people_use_today_has_a_line_or_is_not_there() -> None:
    found = {("`inventory`", "the loops", "small"): [Pair(2, 50, 6, 50)], ("`access`", "scan", "small"): []}
    lines = list(bench_table.rivals(found))
    assert cells(lines, "the loops") == ["`inventory`", "the loops", "small", "2", "50", "25.0", "6", "50"]
    assert cells(lines, "scan") == ["`access`", "scan", "small", "", "not there", "", "", ""]
    assert len({line.count("|") for line in lines}) == 1


def at(load: float) -> Circumstances:
    return Circumstances(
        "2026-11-25", "3.11.7", "Linux on x86_64", 2, load, 3, {"secmigrate": "0.1.0", "awscli": "1.46"}
    )


def test_a_busy_machine_is_said_to_be_busy() -> None:
    quiet, busy = ("\n".join(bench_table.circumstances(at(load))) for load in (2.0, 2.1))
    for part in ("2026-11-25", "Python 3.11.7", "Linux on x86_64", "2 cores", "3 rounds", "awscli 1.46", "start: 2.0"):
        assert part in quiet
    assert "busy" in busy
    assert "busy" not in quiet


def test_only_what_is_between_the_markers_is_written_anew() -> None:
    page = f"# How fast\n\n{BEGIN}\nold\n{END}\n\nBy hand.\n"
    written = bench_table.replaced(page, ["new"])
    assert written == f"# How fast\n\n{BEGIN}\n\nnew\n\n{END}\n\nBy hand.\n"
    assert bench_table.replaced(written, ["new"]) == written


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{END}", f"{BEGIN}{BEGIN}{END}"])
def test_a_page_without_its_markers_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="once each and in this order"):
        bench_table.replaced(page, ["new"])


def test_the_page_has_the_markers_and_names_what_is_measured() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert bench_table.replaced(page, ["new"]) != page
    by_hand = bench_table.replaced(page, [])
    for rival in RIVALS:
        assert rival.theirs.strip("`") in by_hand, "what it does and does not do"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("tiny")
    Stage(folder).prepare(TINY)
    return Stage(folder)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_runs(tiny: Stage, step: str) -> None:
    found = measure(STEPS[step](tiny), tiny.before_file)
    assert found.seconds > 0
    assert found.parse > 0
    assert (found.calls > 0) == step.startswith("inventory")


def test_memory_is_that_of_the_process_alone() -> None:
    much = bytearray(200_000_000)
    assert peak() > 200
    told = "from tests.bench_measuring import peak; print(peak())"
    ran = subprocess.run([sys.executable, "-c", told], check=True, stdout=subprocess.PIPE, text=True)
    assert float(ran.stdout) < 100
    assert len(much) == 200_000_000


def test_our_side_of_policy_sentry_runs(tiny: Stage, tmp_path: Path) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps([one.document.value for one in tiny.before.own_policies.values()]))
    assert bench_rivals.written_out(file) > 0


def test_a_tool_that_cannot_be_installed_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(command: Sequence[str | Path], **_: Any) -> None:
        raise subprocess.CalledProcessError(1, ["pip"])

    monkeypatch.setattr("tests.bench_others.subprocess.run", fails)
    with installed() as programs:
        assert set(programs.values()) == {None}
        assert all(one.beside(tmp_path, programs, 0) is None for one in RIVALS if one.tool)


def test_rounds_alternate_and_what_failed_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def measured(step: str, folder: Path) -> Measured:
        asked.append(f"{step} {folder.name}")
        if (step, folder.name) == ("map", "maximum"):
            raise subprocess.TimeoutExpired("python", 1800)
        return one(1)

    def pair(folder: Path, programs: Path, turn: int) -> Pair:
        asked.append(f"rival {turn}")
        return Pair(1, 2)

    monkeypatch.setattr("tests.bench.measured", measured)
    monkeypatch.setattr("tests.bench.prepared", lambda size, folder: (folder / "before.json").write_bytes(b"{}"))
    monkeypatch.setattr("tests.bench.RIVALS", (Rival("ours", "theirs", "", ("small",), pair),))
    bench = Bench(tmp_path, ["small", "maximum"])
    bench.run(2, ["read", "map"], {})
    first = ["read small", "map small", "rival 0", "read maximum", "map maximum"]
    assert asked == [*first, "read small", "map small", "rival 1", "read maximum"]
    assert len(bench.found["read", "maximum"]) == 2
    assert bench.found["map", "maximum"] == []
    assert bench.beside == {("ours", "theirs", "small"): [Pair(1, 2)] * 2}


def test_rivals_stand_on_accounts_that_there_are() -> None:
    assert {size for rival in bench_rivals.RIVALS for size in rival.sizes} <= set(SIZES)
