"""`secmigrate access`: what people read, what scripts read, and that both say the same."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.access import ActionCatalogue, Comparison
from secmigrate.documents import read_snapshot, write_snapshot
from secmigrate.iam import Document, Group, Policy, Role, Snapshot, User
from secmigrate.reports.access import Access, access_lines, compared
from secmigrate.reports.access_json import access_json
from tests import small
from tests.cli.conftest import NAMES
from tests.cli.runs import Ran, run, run_alone
from tests.hostile import hostile

HERE = Path(__file__).parent
BOX = "arn:aws:s3:::box/*"
BUCKETS = f"arn:aws:iam::{small.ACCOUNT}:policy/team/Buckets"
ENTRY = {"action", "level", "resource", "example", "why", "condition", "context"}


def document(*rows: tuple[Any, ...]) -> Document:
    """Statements, each an effect, actions, a resource and perhaps a condition."""
    names = ("Effect", "Action", "Resource", "Condition")
    return Document({"Version": "2012-10-17", "Statement": [dict(zip(names, row, strict=False)) for row in rows]})


def trust(**principal: str) -> Document:
    """A trust policy for one principal."""
    row = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return Document({"Version": "2012-10-17", "Statement": [row]})


def account(*things: Any) -> Snapshot:
    """An account that holds these, and a role that stays."""
    snapshot = Snapshot(account=small.ACCOUNT).put(Role(name="stays", trust=small.trust()))
    for thing in things:
        snapshot = snapshot.put(thing)
    return snapshot


def before() -> Snapshot:
    """Ana and bo are in a group, cy has a policy of her own, dee's cannot be read, eve's asks for a region."""
    team = document(("Allow", ["s3:GetObject", "s3:PutObject"], BOX), ("Allow", ["sts:AssumeRole"], "*"))
    region = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    root = f"arn:aws:iam::{small.ACCOUNT}:root"
    return account(
        Group(name="old", inline={"notes": team}),
        Group(name="regional", inline={"there": document(("Allow", "sqs:SendMessage", "*", region))}),
        User(name="ana", groups=("old",)),
        User(name="bo", groups=("old",)),
        User(name="cy", inline={"own": small.allow("sqs:SendMessage")}),
        User(name="dee", inline={"odd": Document({"Version": "2099-01-01", "Statement": []})}),
        User(name="eve", groups=("regional",)),
        Role(name="worker", trust=trust(AWS=root), attached=(BUCKETS,)),
        Policy(arn=BUCKETS, document=small.allow("s3:ListBucket")),
    )


def after() -> Snapshot:
    """Ana's and bo's new group may not put but pass roles; eve's asks for a tag; the worker has become another role."""
    tag = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    moved = before()
    rows = (("Allow", "s3:GetObject", BOX), ("Allow", "iam:PassRole", "*"), ("Allow", "s3:DeleteObject", BOX))
    for thing in (
        Group(name="new", inline={"notes": document(*rows)}),
        Group(name="tagged", inline={"there": document(("Allow", "sqs:SendMessage", "*", tag))}),
        User(name="ana", groups=("new",)),
        User(name="bo", groups=("new",)),
        User(name="eve", groups=("tagged",)),
        Role(name="worker-2", trust=trust(Service="ec2.amazonaws.com")),
    ):
        moved = moved.put(thing)
    return structs.replace(moved, roles={name: one for name, one in moved.roles.items() if name != "worker"})


# The date would change the goldens with each refresh.
CATALOGUE = ActionCatalogue("somebody's list", "2026-01-02", documents.aws_actions().actions)


def found(user: str = "") -> Access:
    """The comparison of the two."""
    return compared(Comparison(before(), after(), CATALOGUE, {"worker": "worker-2"}), user)


def text(found: Access) -> str:
    """What people read."""
    return "\n".join(access_lines(found)) + "\n"


def as_json(found: Access) -> dict[str, Any]:
    """What scripts read."""
    read = json.loads("".join(access_json(found)))
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("user", ["", "ana"])
def test_what_people_read(user: str) -> None:
    golden = HERE / f"access{'-' * bool(user)}{user}.txt"
    assert text(found(user)) == golden.read_text(encoding="utf-8")


def test_the_json_says_what_the_text_says() -> None:
    told = as_json(found())
    assert list(told) == ["kind", "version", "catalogue", "not_read", "users", "identical", "roles"]
    assert told["identical"] == 1
    users = {row["user"]: row for row in told["users"]}
    assert list(users) == ["ana", "bo", "dee", "eve"]
    (lost, assuming), gained = users["ana"]["lost"], users["ana"]["gained"]
    assert (lost["action"], lost["resource"], lost["example"]) == ("s3:PutObject", BOX, "arn:aws:s3:::box/example")
    assert lost["why"] == "allowed before by group old, inline policy notes, statement 1"
    assert assuming["action"] == "sts:AssumeRole"
    assert [(row["action"], row["raises"]) for row in gained] == [("iam:PassRole", True), ("s3:DeleteObject", False)]
    assert users["ana"]["roles"] == {"lost": ["worker"], "gained": [], "unsure": [], "wider": []}
    assert {**users["bo"], "user": "ana"} == users["ana"]
    assert users["dee"]["unsure"][0]["why"].startswith("cannot be read: user dee, inline policy odd, the whole: ")
    assert [(row["action"], row["may"]) for row in users["eve"]["unsure"]] == [
        ("sqs:SendMessage", "gain"),
        ("sqs:SendMessage", "lose"),
    ]
    (role,) = told["roles"]
    assert (role["role"], role["becomes"]) == ("worker", "worker-2")
    assert role["lost"][0]["why"] == "allowed before by role worker, policy Buckets, statement 1"
    assert role["trust_lost"] == ["this account (whoever's own policies allow it)"]
    assert role["trust_gained"] == ["service ec2.amazonaws.com"]
    for row in (*told["users"], role):
        for name in ("lost", "gained", "unsure"):
            more = {"lost": set(), "gained": {"raises"}, "unsure": {"may"}}[name]
            assert all(row_.keys() - {"raises"} >= ENTRY | more - {"raises"} for row_ in row[name])


def test_one_user_is_listed_even_if_nothing_changes() -> None:
    told = as_json(found("cy"))
    assert [(row["user"], row["lost"]) for row in told["users"]] == [("cy", [])]
    assert (told["identical"], told["roles"]) == (1, [])
    assert not found("cy").pending
    assert text(found("cy")).startswith("cy keeps exactly what she has.\n")


def test_one_user_has_the_roles_that_she_may_assume() -> None:
    assert [one.name for one in found("ana").roles] == ["worker"]
    assert found("eve").roles == ()


def test_nothing_changes_where_nothing_changes() -> None:
    same = structs.replace(before(), users={"cy": before().users["cy"]})
    comparison = Comparison(same, same, CATALOGUE)
    assert not compared(comparison).pending
    assert as_json(compared(comparison))["users"] == []


def test_the_same_from_another_statement_is_told_of_both() -> None:
    start, end = before(), after()
    for snapshot, group in ((start, "old"), (end, "new")):
        twin = structs.replace(snapshot.groups[group], name=f"{group}-2")
        user = structs.replace(snapshot.users["bo"], groups=(twin.name,))
        if group == "old":
            start = start.put(twin).put(user)
        else:
            end = end.put(twin).put(user)
    report = compared(Comparison(start, end, CATALOGUE, {"worker": "worker-2"}))
    assert "(this is ana's; 1 more by other policies)" in " ".join(text(report).split())
    why = {row["user"]: row["lost"][0]["why"] for row in as_json(report)["users"] if row["lost"]}
    assert "group old," in why["ana"]
    assert "group old-2," in why["bo"]


def test_a_deny_a_boundary_and_what_is_left_are_named() -> None:
    limit = Policy(arn=f"arn:aws:iam::{small.ACCOUNT}:policy/Limit", document=small.allow("s3:Get*"))
    power = Policy(arn="arn:aws:iam::aws:policy/Power", document=small.allow("s3:PutObject", "sqs:SendMessage"))
    part = document(("Allow", "sqs:SendMessage", f"arn:aws:sqs:*:{small.ACCOUNT}:a"))
    start = account(power, limit, User(name="ana", attached=(power.arn,)), User(name="bo", attached=(power.arn,)))
    start = start.put(User(name="cy", attached=(power.arn,)))
    end = start.put(User(name="ana", attached=(power.arn,), inline={"no": small.deny("s3:PutObject")}))
    end = end.put(User(name="bo", attached=(power.arn,), boundary=limit.arn)).put(
        User(name="cy", inline={"part": part})
    )
    told = {row["user"]: row["lost"] for row in as_json(compared(Comparison(start, end, CATALOGUE)))["users"]}
    by = "policy Power (AWS's), statement 1"
    assert [row["why"] for row in told["ana"]] == [
        f"allowed before by user ana, {by}; now denied on * by user ana, inline policy no, statement 1"
    ]
    assert {row["why"] for row in told["bo"]} == {
        f"allowed before by user bo, {by}; now allowed on * by user bo, {by}; now outside of permissions boundary Limit"
    }
    assert told["cy"][1]["why"] == (
        f"allowed before by user cy, {by}; now allowed on arn:aws:sqs:*:{small.ACCOUNT}:a "
        "by user cy, inline policy part, statement 1"
    )


def test_long_lists_are_cut_unless_one_user_is_asked_for() -> None:
    def rows(number: int) -> list[tuple[Any, ...]]:
        return [
            ("Allow", "s3:GetObject", f"arn:aws:s3:::box-{each}/*", {"Bool": {f"k:{each}": "true"}})
            for each in range(number)
        ]

    services = ("Allow", [f"{each}:List*" for each in "acm ec2 ecs kms rds s3 sns sqs".split()], "*")
    many = Document(
        {"Version": "2012-10-17", "Statement": [*document(*rows(9)).statements, *document(services).statements]}
    )
    shared = {"all": Group(name="all", inline={"many": many})}
    names = ("ana", "bo", "cy", "dee", "eve", "fay")
    start = account(*shared.values(), *(User(name=name, groups=("all",)) for name in names))
    extra = {"own": small.allow("sts:GetSessionToken")}
    start = start.put(User(name="fay", groups=("all",), inline=extra))
    end = account(*shared.values(), *(User(name=name) for name in names))
    lines = text(compared(Comparison(start, end, CATALOGUE))).splitlines()
    assert " 1. ana, bo, cy and 2 more (5 users)" in lines
    summary = " ".join(" ".join(lines[: lines.index("DETAILS")]).split())
    assert re.search(r"lose \w+ .*; and \d+ actions of 2 more services", summary)
    assert "    and 5 more statements; secmigrate access --user ana shows all" in lines
    details = lines[lines.index("DETAILS") :]
    assert sum("box-" in line and line.startswith("        on ") for line in details) == 4
    assert [line for line in details if "told above" in line] == ["      and told above: 10 of number 1"]
    one = text(compared(Comparison(start, end, CATALOGUE), "ana"))
    assert sum("        on arn:aws:s3:::box-" in line for line in one.splitlines()) == 9
    assert " more" not in one.replace("deny more", "")


@pytest.fixture(scope="module")
def both(prepared: Path) -> tuple[Ran, Ran]:
    """What people read of the example account, and what scripts do."""
    return run("access", "-w", prepared), run("access", "-w", prepared, "--json")


def test_on_the_example(both: tuple[Ran, Ran], ready: Path) -> None:
    people, scripts = both
    assert (people.code, scripts.code) == (3, 3)
    told = scripts.document
    assert told["kind"] == "access"
    inventory = read_snapshot(ready / "migration" / "inventory.json")
    assert people.out.startswith(f"{len(inventory.users)} users: {told['identical']} keep exactly what they have, ")
    assert len(told["users"]) + told["identical"] == len(inventory.users)
    assert people.out.count("\nDETAILS\n") == 1
    assert "DETAILS" not in scripts.err
    assert people.out.startswith(scripts.err.partition("\n\nOutside of")[0])
    assert all(len(line) <= 80 for line in people.out.splitlines() if "arn:" not in line)
    for row in told["users"]:
        ran = run("access", "--json", "--user", row["user"])
        assert ran.document["users"] == [row]
        break


def test_the_same_twice_whatever_the_hashes(both: tuple[Ran, Ran], prepared: Path) -> None:
    """Here hashes are of another seed, as in every process that names none."""
    for first, flags, seed in zip(both, ([], ["--json"]), ("1", "2"), strict=True):
        assert first.code == 3
        assert run_alone("access", "-w", prepared, *flags, env={"PYTHONHASHSEED": seed}) == first


def test_an_unknown_user_is_bad_input(ready: Path) -> None:
    ran = run("access", "--user", "olumide.fasholla", "--json")
    assert (ran.code, ran.document["kind"]) == (2, "error")
    assert "hint: is it Olumide.Fashola?" in ran.err
    assert "user-group-mappings" in run("access", "--user", "zzzzzz").err
    assert run("access", "--user", "").code == 2


def test_names_of_others_do_not_reach_the_terminal_raw(empty: Path) -> None:
    write_snapshot(empty / "evil.json", hostile())
    run("inventory", "--from", "evil.json")
    assert run("map", *NAMES).code == 0
    for flags in ([], ["--json"], ["--user", "ana"]):
        ran = run("access", *flags)
        assert ran.code in (0, 3), ran
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x9b\u202e]", ran.err if "--json" in flags else ran.out)
        assert "\x1b" not in ran.out
        assert "\nerror: all is well" not in ran.out + ran.err


def test_without_a_mapping_there_is_nothing_to_compare(ready: Path) -> None:
    (ready / "migration" / "mapping.json").unlink()
    ran = run("access")
    assert (ran.code, ran.out) == (2, "")
    shutil.rmtree(ready / "migration")
    assert run("access").code == 2


def test_what_nobody_loses_ends_with_0(ready: Path) -> None:
    where = ready / "migration" / "inventory.json"
    inventory = read_snapshot(where)
    # Somebody who can do nothing, and nothing is mapped: the migration changes nobody's access.
    write_snapshot(where, structs.replace(inventory, users={"ana": User(name="ana")}, roles={}))
    outcome = json.loads((ready / "migration" / "mapping.json").read_text())
    outcome["moves"] = []
    (ready / "migration" / "mapping.json").write_text(json.dumps(outcome))
    ran = run("access", "--json")
    assert (ran.code, ran.document["users"], ran.document["roles"]) == (0, [], [])
    assert run("access").out.startswith("1 user: 1 keeps exactly what they have.\n")
