"""What scripts rely on: `--json`, exit codes, help, plain text. A whole migration is run once, each answer is seen."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main

from secmigrate import documents, plan
from secmigrate.__main__ import app
from secmigrate.documents import read_snapshot, write_snapshot
from secmigrate.iam import Snapshot
from secmigrate.twin import Twin
from tests import small
from tests.cli.conftest import CONFIG, NAMES
from tests.cli.runs import PROGRAM, Ran, run

PLAN = {"name", "account", "based_on", "fingerprint", "operations", "dangers"}
OPERATION = {"n", "phase", "method", "params", "destructive", "caveat"}
RUN = {"name", "result", "operations", "journal"}

# The road, each step with the exit code that the contract gives it and the fields of its document.
ROAD: tuple[tuple[str, str, int, set[str]], ...] = (
    ("status at the start", "status", 0, {"steps"}),
    ("inventory", "inventory {at}", 0, {"account", "counts", "incomplete"}),
    ("map", f"map {' '.join(NAMES)}", 0, {"tier", "reasons", "groups", "roles", "config"}),
    ("explain", "explain data-science-team", 0, {"name"}),
    ("rules check", "rules check", 0, {"rules", "failures"}),
    ("validate", "validate", 0, {"findings"}),
    ("diff", "diff", 3, {"missing", "extra", "different"}),
    ("status once mapped", "status", 0, {"steps"}),
    ("readd", "readd {at}", 3, PLAN),
    ("verify too early", "verify {at}", 3, {"findings"}),
    ("readd unconfirmed", "readd --execute {at}", 4, set()),
    ("readd --execute", "readd --execute --confirm-account {account} {at}", 0, RUN),
    ("readd --execute again", "readd --execute --confirm-account {account} {at}", 0, RUN),
    ("readd again", "readd {at}", 0, PLAN),
    ("verify", "verify {at}", 0, {"findings"}),
    ("decommission", "decommission --quarantine none {at}", 3, PLAN),
    ("decommission half", "decommission --execute --stop-before delete --confirm-account {account} {at}", 3, RUN),
    ("status half way", "status", 0, {"steps"}),
    ("resume", "resume --confirm-account {account} {at}", 0, RUN),
    ("resume again", "resume --confirm-account {account} {at}", 0, RUN),
    ("status at the end", "status", 0, {"steps"}),
    ("inventory too late", "inventory {at}", 4, set()),
    ("rollback", "rollback {at}", 3, PLAN),
)
STEPS = [name for name, _, _, _ in ROAD]


@pytest.fixture(scope="session")
def road(prepared: Path, example: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ran]:
    """The whole road with `--json`, walked once, by whichever of pytest's processes comes first."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    saved = folder / "road.json"
    with (folder / "road.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not saved.exists():
            saved.write_text(json.dumps(_walked(folder / "road", prepared, example)))
    return {name: Ran(*ran) for name, ran in json.loads(saved.read_text()).items()}


def _walked(folder: Path, prepared: Path, example: Snapshot) -> Mapping[str, Ran]:
    """On a twin in which what the provisioner's stack makes is there already."""
    deployed = example
    for operation in plan.creation(example, read_snapshot(prepared / "planned.json")).operations:
        deployed = operation.applied(deployed)
    with (
        pytest.MonkeyPatch.context() as patch,
        Twin(deployed, aws_managed=documents.aws_managed()) as twin,
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "invented")
        patch.setenv("SECMIGRATE_WORKSPACE", str(folder))
        at = f"--endpoint-url {twin.url}"
        return {
            name: run(*words.format(at=at, account=example.account).split(), "--json") for name, words, _, _ in ROAD
        }


@pytest.mark.parametrize("step", STEPS)
def test_a_step_ends_with_its_code_and_one_document(road: Mapping[str, Ran], step: str) -> None:
    words, code, fields = next((words, code, fields) for name, words, code, fields in ROAD if name == step)
    ran = road[step]
    assert ran.code == code, ran
    found = ran.document
    if not fields:
        assert ran.err.count("error: ") == 1
        assert "\nhint: " in ran.err
        _is_error(ran)
        return
    assert list(found)[:2] == ["kind", "version"]
    assert found["version"] == 1
    command = words.split()[0]
    kinds = {"rules": "rules", "status": "status"} | dict.fromkeys(("readd", "decommission", "rollback"), "plan")
    kind = "run" if fields is RUN else kinds.get(command, command)
    assert found["kind"] == kind
    assert fields <= found.keys()
    assert ran.out.endswith("}\n")


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_coloured_for_a_program(road: Mapping[str, Ran], step: str) -> None:
    assert "\x1b" not in road[step].out + road[step].err
    assert "\r" not in road[step].out + road[step].err


def test_the_inventory_counts(road: Mapping[str, Ran], example: Snapshot) -> None:
    found = road["inventory"].document
    assert found["account"] == example.account
    assert found["incomplete"] == []
    assert found["counts"]["users"] == len(example.users)
    assert found["counts"]["memberships"] == sum(len(user.groups) for user in example.users.values())


def test_nothing_vanishes_in_the_map(road: Mapping[str, Ran], example: Snapshot) -> None:
    found = road["map"].document
    assert found["tier"] in {"startup", "medium", "enterprise"}
    assert found["config"].endswith(CONFIG)
    for rows, names in ((found["groups"], example.groups), (found["roles"], example.roles)):
        assert {row["name"] for row in rows} >= set(names)
        assert {row["outcome"] for row in rows} <= {"mapped", "ambiguous", "unmapped", "left-out"}
        assert all(row["reasons"] for row in rows)
        assert all((row["target"] is not None) == (row["outcome"] == "mapped") for row in rows)
    mapped = [row for row in found["groups"] if row["outcome"] == "mapped"]
    assert all({"levels", "managed_policies"} <= row.keys() for row in mapped)
    assert all(re.fullmatch("level[1-9]", level) for row in mapped for level in row["levels"].values())
    sections = {"service_roles", "assumable_roles", "cross_account_roles"}
    assert {row["section"] for row in found["roles"] if row["outcome"] == "mapped"} <= sections
    assert all("section" in row for row in found["roles"])


def test_a_difference_has_its_kind_name_and_changes(road: Mapping[str, Ran]) -> None:
    found = road["diff"].document
    assert all({"kind", "name"} <= row.keys() for key in ("missing", "extra") for row in found[key])
    assert found["extra"]
    assert all({"kind", "name", "changes"} <= row.keys() for row in found["different"])


@pytest.mark.parametrize("step", ["readd", "decommission", "rollback"])
def test_a_plan_has_its_operations_in_order(road: Mapping[str, Ran], example: Snapshot, step: str) -> None:
    found = road[step].document
    assert (found["name"], found["account"]) == (step, example.account)
    assert [row["n"] for row in found["operations"]] == list(range(1, len(found["operations"]) + 1))
    assert all(row.keys() >= OPERATION for row in found["operations"])
    assert all(row.keys() >= {"code", "message", "hint", "subjects"} for row in found["dangers"])
    assert re.fullmatch("[0-9a-f]{64}", found["based_on"])
    assert re.fullmatch("[0-9a-f]{64}", found["fingerprint"])
    if step == "readd":
        assert {row["method"] for row in found["operations"]} >= {"AddUserToGroup"}
    if step == "decommission":
        assert any(row["destructive"] for row in found["operations"])
        phases = [row["phase"] for row in found["operations"]]
        assert phases == sorted(phases, key=["grant", "verify", "revoke", "strip", "delete"].index)


def test_a_run_tells_what_came_of_it(road: Mapping[str, Ran]) -> None:
    first, again = road["readd --execute"].document, road["readd --execute again"].document
    assert (first["result"], first["operations"]) == ("done", len(road["readd"].document["operations"]))
    assert Path(first["journal"]).exists()
    assert (again["result"], again["operations"]) == ("done", 0)
    assert road["readd again"].document["operations"] == []
    half, rest = road["decommission half"].document, road["resume"].document
    assert (half["result"], rest["result"]) == ("stopped", "done")
    assert 0 < rest["operations"] < len(road["decommission"].document["operations"])
    assert road["resume again"].document["operations"] == 0
    assert road["verify"].document["findings"] == []


def test_where_a_migration_stands(road: Mapping[str, Ran]) -> None:
    def states(step: str) -> dict[str, str]:
        return {row["step"]: row["state"] for row in road[step].document["steps"]}

    at_the_start = states("status at the start")
    assert at_the_start.pop("inventory") == "next"
    assert set(at_the_start.values()) == {"waiting"}
    mapped = states("status once mapped")
    assert (mapped["inventory"], mapped["map"], mapped["deploy"]) == ("done", "done", "next")
    assert mapped["readd"] == mapped["decommission"] == "waiting"
    half = states("status half way")
    assert (half["readd"], half["decommission"]) == ("done", "blocked")
    assert set(states("status at the end").values()) == {"done"}
    assert all(row["why"] for step in STEPS if step.startswith("status") for row in road[step].document["steps"])


def _is_error(ran: Ran) -> None:
    """Its one document says what stderr says."""
    found = ran.document
    assert (found["kind"], found["version"], found["exit_code"]) == ("error", 1, ran.code)
    told = f"{found['where']}: {found['message']}" if found["where"] else found["message"]
    assert f"error: {told}\nhint: {found['hint']}\n" in ran.err


def test_bad_input_is_2_and_a_document_of_its_own(ready: Path) -> None:
    (ready / "migration" / CONFIG).write_text("client: {}\n")
    for words in ("validate", "diff", "explain nobody"):
        ran = run(*words.split(), "--json")
        assert ran.code == 2, words
        _is_error(ran)
        assert run(*words.split()).out == ""


@pytest.mark.parametrize("words", ["access --nonsense", "nonsense", "explain", "readd --at-once many", "tier sideways"])
def test_so_is_a_command_line_that_cannot_be_used(empty: Path, words: str) -> None:
    ran = run(*words.split(), "--json")
    assert (ran.code, ran.document["kind"], ran.document["exit_code"]) == (2, "error", 2), ran
    assert "Usage: secmigrate" in ran.err


def test_what_ends_with_a_code_and_a_document_has_no_second_one(ready: Path) -> None:
    (ready / "migration" / CONFIG).write_text((ready / "migration" / CONFIG).read_text().replace("level2", "level9"))
    ran = run("validate", "--json")
    assert (ran.code, ran.document["kind"]) == (2, "validate")


def _commands() -> Iterator[tuple[str, ...]]:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]  # it is a group
        below = getattr(command, "commands", {})
        yield from ((name, inner) for inner in below) if below else iter([(name,)])


COMMANDS = sorted(_commands())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_ends_with_an_example_that_can_be_typed(command: tuple[str, ...]) -> None:
    ran = run(*command, "--help")
    assert (ran.code, ran.err) == (0, "")
    found: Any = typer.main.get_command(app)
    for word in command:
        found = found.commands[word]
    assert found.help
    assert " ".join(ran.out.split()).endswith(" ".join(found.epilog.split())), "a word of it is broken at 80 columns"
    examples = found.epilog.removeprefix("Example: ").split("; ")
    assert examples[0].startswith(f"secmigrate {' '.join(command)}")
    for example in examples:
        found, rest = typer.main.get_command(app), shlex.split(example)[1:]
        while commands := getattr(found, "commands", None):
            found, rest = commands[rest[0]], rest[1:]
        found.make_context("it", rest)  # raises for options that there are not


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_and_argument_says_what_it_is(command: tuple[str, ...]) -> None:
    found: Any = typer.main.get_command(app)
    for word in command:
        found = found.commands[word]
    assert [one.name for one in found.params if not one.help] == []


def test_every_command_that_tells_something_has_json_and_a_workspace() -> None:
    quiet = {("twin",), ("demo",), ("wizard",)}
    for command in COMMANDS:
        told = run(*command, "--help").out
        assert ("--json" in told) == (command not in quiet), command
        assert "--workspace" in told, command


def test_nor_do_they_in_an_error(empty: Path) -> None:
    (empty / "migration").mkdir()
    write_snapshot(empty / "migration" / "inventory.json", small.account())
    text = 'kind: decisions\nversion: 1\ngroups:\n  "x\\e[31mred\\nerror: all is well": {leafe: x}\n'
    (empty / "migration" / "decisions.yaml").write_text(text)
    ran = run("map", *NAMES)
    assert ran.code == 2
    assert "\x1b" not in ran.err
    assert ran.err.count("\nerror: ") == 0


def on_a_terminal(*words: str, **env: str) -> str:
    """What a command writes to a terminal."""
    outer, inner = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *words], stdin=inner, stdout=inner, stderr=inner, env={**os.environ, "TERM": "xterm", **env}
    ) as process:
        os.close(inner)
        told = b""
        try:
            while part := os.read(outer, 4096):
                told += part
        except OSError:  # the other end is closed
            pass
        process.wait(30)
    os.close(outer)
    return told.decode()


def test_no_colour_on_a_terminal_that_wants_none(ready: Path, unchanged: Twin) -> None:
    assert "\x1b" not in on_a_terminal("status", NO_COLOR="1")
    told = on_a_terminal("inventory", "--endpoint-url", unchanged.url, NO_COLOR="1")
    assert "account 111122223333: " in told
    assert not re.search(r"\x1b\[[0-9;]*m", told)


def test_the_json_is_the_same_twice(ready: Path) -> None:
    for words in ("status", "diff", "explain data-science-team", "rules check", "validate"):
        first, second = run(*words.split(), "--json"), run(*words.split(), "--json")
        assert first == second
        assert json.loads(first.out)
