"""Two hundred accounts: none costs more than one by itself, and memory does not grow with their number."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secmigrate.documents import read_snapshot
from secmigrate.iam import Group, Policy, Role, Seen, Snapshot, User, keyed
from secmigrate.twin import Fault, Faults, Member, Twin
from tests.cli.reading_many import Cost
from tests.cli.runs import run_alone
from tests.small import allow, trust

pytestmark = pytest.mark.skipif(
    os.environ.get("HYPOTHESIS_PROFILE") != "nightly", reason="takes two minutes: make stress"
)
HOME = "999988887777"


def of(number: str) -> Snapshot:
    """An ordinary account: 40 users, 8 groups, 30 roles, 20 policies."""
    arns = [f"arn:aws:iam::{number}:policy/p{n}" for n in range(20)]
    actions = [f"s3:Get{n}" for n in range(20)]
    rows = range(30)
    return Snapshot(
        account=number,
        users=keyed(User(name=f"u{n}", groups=(f"g{n % 8}",)) for n in range(40)),
        groups=keyed(Group(name=f"g{n}", attached=(arns[n],)) for n in range(8)),
        roles=keyed(
            [
                Role(name="reader", trust=trust()),
                *(
                    Role(name=f"r{n}", trust=trust(), attached=(arns[n % 20],), inline={"x": allow("sqs:*")})
                    for n in rows
                ),
            ]
        ),
        policies=keyed(Policy(arn=arn, document=allow(*actions), version=Seen(id="v1")) for arn in arns),
    )


def numbers(accounts: int) -> list[str]:
    return [f"{n:012}" for n in range(1, accounts + 1)]


def twin(accounts: int, *faults: Fault) -> Twin:
    members = [Member(of(number), f"n{number}") for number in numbers(accounts)]
    return Twin(of(HOME), members=members, faults=Faults(faults=faults))


def measured(accounts: int, folder: Path, at_once: int = 4) -> Cost:
    folder.mkdir()
    with twin(accounts) as served:
        words = ("-m", "tests.cli.reading_many", served.url, str(accounts), str(folder), str(at_once))
        ran = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    cost = msgspec.json.decode(ran.stderr[ran.stderr.index("{") :], type=Cost)
    assert cost.code == 0
    assert len(list(folder.glob("many/*/inventory.json"))) == accounts
    return cost


def test_an_account_costs_what_it_costs_alone_and_memory_does_not_grow(tmp_path: Path, record_property: Any) -> None:
    few, many = measured(20, tmp_path / "few"), measured(200, tmp_path / "many")
    record_property("cost", str((few, many)))
    sys.stderr.write(f"\n{few}\n{many}\n")
    assert many.each <= 1.2 * many.warm
    assert many.peak <= 1.05 * few.peak


def test_two_hundred_of_which_some_fail_each_in_its_own_way(tmp_path: Path) -> None:
    """Told by their names, and read when what was wrong is over; the others are not read again."""
    every, chance = numbers(200), random.Random(7)
    denied, closed, throttled, cut = (chance.sample(every, 40)[n::4] for n in range(4))
    faults = [
        *(Fault(match="[GL]*", kind="deny", account=number) for number in denied),
        *(Fault(match="AssumeRole", kind="deny", account=number) for number in closed),
        *(Fault(match="ListRoles", kind="throttle", account=number, times=2) for number in throttled),
        *(Fault(match="GetAccountAuthorizationDetails", kind="drop-after", account=number, times=1) for number in cut),
    ]
    folder = tmp_path / "accounts"
    with twin(200, *faults) as served:
        words = ("-w", folder, "--endpoint-url", served.url, "--json")
        ran = run_alone("inventory", "--organization", "--role", "reader", *words, timeout=600)
        assert ran.code == 1
        assert msgspec.json.decode(ran.out)["missing"].keys() == {*denied, *closed}
    with twin(200) as served:
        words = ("-w", folder, "--endpoint-url", served.url, "--json")
        ran = run_alone("resume", *words, timeout=600)
        assert ran.code == 0, ran.err
        assert served.calls.count("AssumeRole") == len({*denied, *closed})
    for number in (*every, HOME):
        assert read_snapshot(folder / number / "inventory.json") == of(number)
    ran = run_alone("status", "-w", folder, "--json")
    told = msgspec.json.decode(ran.out)
    assert len(told["accounts"]) == 201
    assert all(row["ready"] for row in told["accounts"])
    assert told["users"]["u0"] == sorted([*every, HOME])
