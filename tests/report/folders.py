"""A small folder of many accounts: two that are much alike, others that are not, one not read, one left out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import structs

from secmigrate import documents
from secmigrate.accounts import Accounts, Folder
from secmigrate.cli.out import Out
from secmigrate.cli.overview import gathered
from secmigrate.iam import Document, Gap, Group, Policy, Role, Snapshot, User
from secmigrate.reports.overview import Overview
from tests.cli.conftest import NAMES
from tests.cli.runs import run
from tests.small import READ_ONLY, allow, trust

PROD, TEST, WEB, OPEN = "111122223333", "222233334444", "333344445555", "444455556666"
HALF, UNREAD, OLD, STRANGER = "555566667777", "666677778888", "777788889999", "999988887777"
ACCOUNTS = {PROD: "data-prod", TEST: "data-test", WEB: "web", OPEN: "", HALF: "half", UNREAD: "unread"}
DECISIONS = "groups:\n  auditors: {leave: they go with the auditor}\n  data-guild: {become: data_scientists}\n"


def of(number: str, *things: Any) -> Snapshot:
    """An account with these things."""
    found = Snapshot(account=number)
    for thing in things:
        found = found.put(thing)
    return found


def letting(*principals: str, **condition: Any) -> Document:
    """A trust policy that lets them in."""
    row = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return Document({"Version": "2012-10-17", "Statement": [row | ({"Condition": condition} if condition else {})]})


def alike(number: str, *more: Any) -> Snapshot:
    """One of those that are much alike."""
    arn = f"arn:aws:iam::{number}:policy/Data"
    return of(
        number,
        Policy(arn=arn, document=allow("s3:GetObject", resource=f"arn:aws:s3:::data-{number}/*")),
        Group(name="data-guild", attached=(arn,)),
        Group(name="auditors", attached=(READ_ONLY,)),
        User(name="ana.adler", groups=("data-guild",)),
        User(name="bo.berg", groups=("auditors",)),
        Role(name="deploy", trust=letting(PROD, STRANGER, StringEquals={"sts:ExternalId": "apple-7"})),
        *more,
    )


def snapshots() -> Iterable[Snapshot]:
    """Of those that were read."""
    yield alike(PROD)
    yield alike(TEST, Role(name="nightly", trust=trust()), User(name="cy.czerny"))
    yield of(
        WEB,
        Group(name="data-guild", inline={"all": allow("*")}),
        Group(name="readers", attached=(READ_ONLY,)),
        User(name="ana.adler", groups=("data-guild",)),
        Role(name="nightly", trust=trust()),
    )
    yield of(OPEN, Role(name="anyone", trust=letting("*", StringEquals={"aws:PrincipalOrgID": "o-apple"})))
    yield structs.replace(
        alike(HALF, Role(name="from-old", trust=letting(OLD))), incomplete=(Gap(what="iam:ListRoles", why="denied"),)
    )


def folder(path: Path) -> Path:
    """Makes it; the two that are alike are mapped, the one before and the other after there were answers for all."""
    here = Folder(path)
    here.write(
        Accounts(
            role="reader",
            accounts=ACCOUNTS,
            left_out={OLD: "old: SUSPENDED"},
            missing={HALF: "incomplete: iam:ListRoles: denied", UNREAD: "not authorized to perform: sts:AssumeRole"},
        )
    )
    for snapshot in snapshots():
        documents.write_snapshot(here.workspace(snapshot.account).inventory, snapshot)
    assert run("map", *NAMES, "-w", path / PROD).code == 0
    (path / "decisions.yaml").write_text(DECISIONS)
    assert run("map", *NAMES, "-w", path / TEST).code == 0
    for name in ("report.html", "report.md"):
        documents.write_whole(path / TEST / "reports" / name, b"the account's own")
    return path


def told(path: Path) -> Overview:
    """What a report tells of it."""
    return gathered(path, Out(False))


def alone(path: Path) -> Path:
    """A folder of two accounts that have nothing in common."""
    here = Folder(path)
    here.write(Accounts(role="reader", accounts={PROD: "", TEST: ""}))
    for number in (PROD, TEST):
        documents.write_snapshot(here.workspace(number).inventory, of(number, User(name=f"of-{number}")))
    return path
