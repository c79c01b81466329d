"""Many accounts behind one endpoint: who assumes a role is in its account, and what each account's faults strike."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config

from secmigrate.iam import Document, Group, Role, Snapshot
from secmigrate.twin import Fault, Faults, Member, Twin
from secmigrate.twin.account import Account
from tests.small import trust
from tests.twin.conftest import ACCOUNT, client, code_of

OTHER, THIRD, GONE = "444455556666", "777788889999", "999988887777"
READER = Role(name="reader", path="/audit/", trust=trust())
ARN = "arn:aws:iam::{}:role/audit/reader"


def of(account: str, *more: Group | Role) -> Snapshot:
    """An account with the role, and a group that is called like it."""
    found = Snapshot(account=account).put(READER).put(Group(name=f"of-{account}"))
    for one in more:
        found = found.put(one)
    return found


def many(**options: Any) -> Twin:
    members = (Member(of(OTHER), "Data"), Member(of(THIRD), "Web"), Member(of(GONE), "Old", "SUSPENDED"))
    return Twin(of(ACCOUNT), members=members, **options)


def session(twin: Twin, account: str, service: str = "iam", **params: Any) -> Any:
    """A client in another account."""
    answer = client(twin, "sts").assume_role(RoleArn=ARN.format(account), RoleSessionName="me", **params)
    keys = answer["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1").client(
        service,  # type: ignore[call-overload]  # any of them
        endpoint_url=twin.url,
        config=Config(retries={"total_max_attempts": 1}),
    )


def groups(api: Any) -> list[str]:
    return [row["GroupName"] for row in api.list_groups()["Groups"]]


def test_a_role_is_the_way_into_its_account_and_no_other() -> None:
    with many() as twin:
        assert groups(client(twin)) == [f"of-{ACCOUNT}"]
        there = session(twin, OTHER)
        there.create_group(GroupName="made")
        assert groups(there) == ["made", f"of-{OTHER}"]
        assert groups(session(twin, THIRD)) == [f"of-{THIRD}"]
        assert groups(client(twin)) == [f"of-{ACCOUNT}"]
        assert twin.snapshot() == of(ACCOUNT)
        who = session(twin, OTHER, "sts").get_caller_identity()
        assert (who["Account"], who["Arn"]) == (OTHER, f"arn:aws:sts::{OTHER}:assumed-role/reader/me")


@pytest.mark.parametrize("account", [GONE, "000000000000"])
def test_a_suspended_account_and_one_that_is_not_there_let_nobody_in(account: str) -> None:
    with many() as twin:
        assert code_of(lambda: session(twin, account)) == "AccessDenied"


def test_the_external_id_is_asked_for() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ACCOUNT},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "apple-7"}},
    }
    asking = Role(name="reader", path="/audit/", trust=Document({"Statement": [statement]}))
    with Twin(of(ACCOUNT), members=[Member(of(OTHER, asking))]) as twin:
        assert code_of(lambda: session(twin, OTHER)) == "AccessDenied"
        assert code_of(lambda: session(twin, OTHER, ExternalId="pear-7")) == "AccessDenied"
        assert groups(session(twin, OTHER, ExternalId="apple-7")) == [f"of-{OTHER}"]


def test_a_session_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with many() as twin:
        there, now = session(twin, OTHER), Account.now
        assert code_of(there.list_groups) == ""
        monkeypatch.setattr(Account, "now", staticmethod(lambda: now().replace(year=now().year + 1)))
        assert code_of(there.list_groups) == "ExpiredToken"
        assert code_of(client(twin).list_groups) == ""


def test_a_fault_can_be_one_accounts() -> None:
    faults = (
        Fault(match="ListGroups", kind="deny", account=OTHER),
        Fault(match="AssumeRole", kind="throttle", account=THIRD, times=1),
    )
    with many(faults=Faults(faults=faults)) as twin:
        assert code_of(session(twin, OTHER).list_groups) == "AccessDenied"
        assert code_of(client(twin).list_groups) == ""
        assert code_of(lambda: session(twin, THIRD)) == "Throttling"
        assert groups(session(twin, THIRD)) == [f"of-{THIRD}"]


@pytest.mark.parametrize("page_size", [1, 3, None])
def test_all_accounts_are_listed_by_page(page_size: int | None) -> None:
    with many(page_size=page_size) as twin:
        pages = list(client(twin, "organizations").get_paginator("list_accounts").paginate())
    rows = [(row["Id"], row["Name"], row["State"]) for page in pages for row in page["Accounts"]]
    assert rows == [
        (ACCOUNT, "Management", "ACTIVE"),
        (OTHER, "Data", "ACTIVE"),
        (THIRD, "Web", "ACTIVE"),
        (GONE, "Old", "SUSPENDED"),
    ]
    assert len(pages) == {1: 4, 3: 2, None: 1}[page_size]


def test_what_organizations_refuses() -> None:
    with many() as twin:
        api = client(twin, "organizations")
        assert code_of(lambda: api.list_accounts(MaxResults=21)) == "InvalidInputException"
        assert code_of(lambda: api.list_accounts(NextToken="x")) == "InvalidInputException"
        assert code_of(api.list_roots) == "UnknownOperationException"
    with Twin(of(ACCOUNT)) as alone:
        code = code_of(client(alone, "organizations").list_accounts)
        assert code == "AWSOrganizationsNotInUseException"
