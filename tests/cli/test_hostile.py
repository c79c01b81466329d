"""Hostile names go through everything and harm nothing: the terminal, our YAML, the shell script of a plan."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml

from secmigrate import documents, plan
from secmigrate.cli.out import plain
from secmigrate.documents import read_decisions, write_decisions, write_snapshot
from secmigrate.iam import Document, Group, Policy, Role, Snapshot
from secmigrate.mapping import Decisions, GroupAnswer
from secmigrate.plan import Move, Plan, Quarantine
from secmigrate.reports.shell import as_script
from secmigrate.reports.text import plan_lines
from secmigrate.twin import Twin
from tests import small
from tests.cli.conftest import NAMES
from tests.cli.runs import run
from tests.hostile import EVIL, LEGAL, hostile, is_harmless, nasty
from tests.hostile import NAMES as NASTY
from tests.plan.cases import EVERY_LOSS, LAST_YEAR, watching

# What an AWS account can really hold: paths may have quotes and dollars in them, descriptions line breaks.
PATH = "/a'b\"$(touch${IFS}pwned)`touch${IFS}pwned`;<script>/"


def test_no_command_lets_them_reach_the_terminal(empty: Path) -> None:
    write_snapshot(empty / "evil.json", hostile())
    words = ["inventory --from evil.json", f"map {' '.join(NAMES)}", "explain team", "explain idle", "diff", "access"]
    commands = [line.split() for line in words]
    commands += [["explain", "--", name] for name in LEGAL]
    wrong = [["explain", EVIL], ["access", "--user", EVIL]]
    wrong += [["explain", "--", name] for name in NASTY if name not in LEGAL]
    wrong += [["access", "--user", name] for name in NASTY if not name.startswith("-")]
    for command in [*commands, ["validate"], ["status"], *wrong]:
        ran = run(*command)
        assert ran.code in ((2,) if command in wrong else (0, 3)), ran
        assert "Traceback" not in ran.err
        is_harmless(ran.out)
        is_harmless(ran.err)
        told = run(*command[:1], "--json", *command[1:])
        assert "\x1b" not in told.out + told.err
        assert not told.out or msgspec.json.decode(told.out)
    assert run("inventory", "--from", empty / "evil.json", "-w", empty / "again").code == 0
    config = next((empty / "migration" / "sec" / "configs").iterdir()).read_text()
    is_harmless(config)
    assert yaml.safe_load(config)["client"]["company_prefix"] == "lumen"
    is_harmless((empty / "migration" / "user-group-mappings.txt").read_text())


ODD: tuple[object, ...] = (
    "s3:GetObject",
    None,
    [],
    {"Effect": ["Allow"], "Action": "s3:*", "Resource": "*"},
    {"Effect": "Allow", "Action": ["s3:*", 7], "Resource": [None]},
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": []},
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": "x"}},
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": [7]},
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": [7, None]}},
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}, "Condition": "x"},
    {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": "*", "Condition": {"Bool": []}},
)


@pytest.mark.parametrize("place", ["inline policy", "policy", "trust policy"])
def test_statements_that_are_none_stop_no_command(empty: Path, place: str) -> None:
    every = [Document({"Version": "2012-10-17", "Statement": [row]}) for row in ODD] + [Document({"Statement": 7})]
    groups, roles, policies = {}, {}, {}
    for at, document in enumerate(every):
        arn = f"arn:aws:iam::111122223333:policy/p{at}"
        policies[arn] = Policy(arn=arn, document=document if place == "policy" else small.allow("s3:*"))
        inline = {"own": document} if place == "inline policy" else {}
        groups[f"team-{at}"] = Group(name=f"team-{at}", inline=inline, attached=(arn,))
        roles[f"role-{at}"] = Role(
            name=f"role-{at}", trust=document if place == "trust policy" else small.trust(), inline=inline
        )
    write_snapshot(empty / "odd.json", Snapshot(account="111122223333", groups=groups, roles=roles, policies=policies))
    commands = [line.split() for line in ("inventory --from odd.json", f"map {' '.join(NAMES)}", "access", "diff")]
    for command in [*commands, *(["explain", name] for name in (*groups, *roles))]:
        ran = run(*command)
        assert ran.code in (0, 3), ran
        assert "Traceback" not in ran.err


@pytest.mark.parametrize("room", ["users", "groups", "roles"])
def test_a_file_with_names_that_iam_does_not_have_is_not_read(empty: Path, room: str) -> None:
    text = msgspec.json.decode(write_snapshot(empty / "evil.json", small.account()).read_bytes())
    for name in (one for one in NASTY if one not in LEGAL):
        text[room][0]["name"] = name
        (empty / "evil.json").write_bytes(msgspec.json.encode(text))
        ran = run("inventory", "--from", "evil.json")
        assert (ran.code, ran.out) == (2, ""), ran
        is_harmless(ran.err)


def test_decisions_are_what_they_were(tmp_path: Path) -> None:
    wanted = Decisions(groups={name: GroupAnswer(leave=name) for name in (*NASTY, EVIL, "on", "1", "~", "")[:-1]})
    write_decisions(tmp_path / "decisions.yaml", wanted)
    assert read_decisions(tmp_path / "decisions.yaml") == wanted
    assert not set((tmp_path / "decisions.yaml").read_text()) & set("\x1b\x07\r\u202e\u200b\ufeff\x9b")


def plans() -> list[Plan]:
    """The plans of an account in which everything has such a name."""
    live = nasty()
    moves = [Move("group", name, f"new-{n}") for n, name in enumerate(NASTY)]
    moves += [Move("role", name, f"role-{n}") for n, name in enumerate(NASTY)]
    for move in moves:
        live = live.put(Group(name=move.new) if move.kind == "group" else Role(name=move.new, trust=small.trust()))
    watch = watching(live, accept=[EVERY_LOSS])
    moved = plan.readd(live, moves, live.members, (), watch)
    for operation in moved.operations:
        live = operation.applied(live)
    watch = watching(live, accept=[EVERY_LOSS])
    gone = plan.decommission(live, moves, LAST_YEAR, watch, Quarantine(frozenset(), "2026-01-01", "2026-01-01"))
    return [moved, gone]


@pytest.mark.parametrize("one", plans(), ids=lambda one: one.name)
def test_a_plan_of_them_is_shown_and_its_script_only_calls_aws(one: Plan, tmp_path: Path) -> None:
    assert len(one.operations) >= len(NASTY)
    for line in plan_lines(one):
        is_harmless(plain(line))
    script = tmp_path / "plan.sh"
    script.write_text(as_script(one))
    subprocess.run(["bash", "-n", script], check=True)
    called = calls(script, tmp_path)
    wanted = [shlex.split(operation.call().as_shell())[1:] for operation in one.operations]
    assert [call for call in called if call[:2] != ["sts", "get-caller-identity"]] == wanted
    assert not list(tmp_path.rglob("pwned*"))


def calls(script: Path, folder: Path) -> list[list[str]]:
    """With which arguments the script calls `aws`."""
    stand_in = folder / "bin" / "aws"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f'#!/bin/bash\nprintf "%s\\0" "$#" "$@" >> "$RECORD"\n[ "$1" = sts ] && echo {small.ACCOUNT}\nexit 0\n'
    )
    stand_in.chmod(0o755)
    record = folder / "record"
    path = f"{stand_in.parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        [script.parent / script.name] if os.access(script, os.X_OK) else ["bash", script],
        cwd=folder,
        env={"PATH": path, "RECORD": str(record)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    words = record.read_bytes().decode().split("\0")[:-1]
    found = []
    while words:
        number = int(words[0])
        found.append(words[1 : number + 1])
        words = words[number + 1 :]
    return found


def real() -> Snapshot:
    """An account that AWS would take, with the worst that it takes."""
    account = small.account()
    long = "data-scientists-" + "x" * 112
    things = (
        Group(name=long, path=PATH, inline={"own": small.allow("s3:GetObject", resource=f"arn:aws:s3:::{PATH}*")}),
        Role(name="=+,.@-", path=PATH, trust=small.trust(), description="line\nbreak\ttouch pwned \u00e9'\"$(x)"),
    )
    for thing in things:
        account = account.put(thing)
    return account.put(msgspec.structs.replace(account.users["ana"], groups=(long,), path=PATH))


def test_what_an_account_can_hold_goes_the_whole_road(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    with Twin(real(), aws_managed=documents.aws_managed()) as twin:
        at = ("--endpoint-url", twin.url)
        for command, codes in (
            (("inventory", *at), (0,)),
            (("map", *NAMES), (0,)),
            (("explain", "=+,.@-"), (0,)),
            (("diff",), (3,)),
            (("access",), (0, 3)),
            (("readd", *at), (4,)),
            (("decommission", *at), (0, 3, 4)),
        ):
            ran = run(*command)
            assert ran.code in codes, ran
            is_harmless(ran.out)
            is_harmless(ran.err)
    assert not list(empty.rglob("pwned*"))
