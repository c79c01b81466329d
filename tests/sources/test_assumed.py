"""Other accounts by a role: the same clients, one pace, credentials that nobody keeps, STS in our words."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from botocore.loaders import JSONFileLoader

from secmigrate import aws, documents
from secmigrate.aws import Aws, Listed
from secmigrate.errors import AwsRefused, AwsSilent, Failed
from secmigrate.iam import Role, Snapshot
from secmigrate.sources.live import read_live
from secmigrate.twin import Fault, Faults, Member, Twin
from secmigrate.twin.account import Account
from tests import small
from tests.small import ACCOUNT, trust

OTHER, THIRD = "444455556666", "777788889999"
KNOWN = documents.aws_managed()
READER = f"arn:aws:iam::{OTHER}:role/reader"


def other(account: str = OTHER) -> Snapshot:
    return Snapshot(account=account).put(Role(name="reader", trust=trust(), description="reads"))


def many(*faults: Fault) -> Twin:
    members = (Member(other()), Member(other(THIRD)))
    return Twin(small.account(), aws_managed=KNOWN, members=members, faults=Faults(faults=faults))


def test_another_account_costs_one_call_more_for_the_role_and_one_less_for_who_it_is() -> None:
    with many() as twin:
        base = Aws(endpoint=twin.url)
        there = base.assuming(READER)
        assert twin.calls == []
        assert read_live(there, KNOWN) == other()
        assert Counter(twin.calls) == {
            "AssumeRole": 1,
            "GetAccountAuthorizationDetails": 1,
            "ListRoles": 1,
            "ListInstanceProfiles": 1,
            "GetResources": 1,
        }
        assert there.identity() == (OTHER, f"arn:aws:sts::{OTHER}:assumed-role/reader/secmigrate")
        assert base.identity()[0] == ACCOUNT
        assert read_live(base, KNOWN) == small.account()


def test_a_thousand_accounts_have_three_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = aws._Clients._make

    def counted(self: aws._Clients, name: str) -> object:
        made.append(name)
        return make(self, name)

    monkeypatch.setattr(aws._Clients, "_make", counted)
    with many() as twin:
        base = Aws(endpoint=twin.url)
        for _ in range(20):
            for account in (OTHER, THIRD):
                found = base.assuming(READER.replace(OTHER, account)).read("ListRoles")["Roles"]
                assert [row["Arn"] for row in found] == [READER.replace(OTHER, account)]
    assert sorted(made) == ["iam", "resourcegroupstaggingapi", "sts"]


def test_the_models_of_aws_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    load = JSONFileLoader.load_file

    def counted(self: JSONFileLoader, path: str) -> object:
        read.append(path)
        return load(self, path)

    aws._models.cache_clear()
    monkeypatch.setattr(JSONFileLoader, "load_file", counted)
    first, second = Aws(), Aws()
    assert sum("/iam/" in path for path in read) > 0
    assert len(read) == len(set(read))
    assert first._clients is not second._clients


def test_credentials_that_are_about_to_expire_are_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Account.now
    with many() as twin:
        there = Aws(endpoint=twin.url).assuming(READER)
        monkeypatch.setattr(Account, "now", staticmethod(lambda: now() - timedelta(minutes=59)))
        there.read("ListRoles")  # with a session that has a minute left
        monkeypatch.setattr(Account, "now", staticmethod(now))
        there.read("ListRoles")
        there.read("ListRoles")
        assert Counter(twin.calls) == {"AssumeRole": 2, "ListRoles": 3}


def test_and_when_that_fails_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Account.now
    with many(Fault(match="AssumeRole", kind="deny", after=1)) as twin:
        there = Aws(endpoint=twin.url).assuming(READER)
        monkeypatch.setattr(Account, "now", staticmethod(lambda: now() - timedelta(minutes=59)))
        there.read("ListRoles")
        monkeypatch.setattr(there._signer, "_expiry_time", there._signer._expiry_time - timedelta(hours=1))  # type: ignore[union-attr]  # a refreshable one
        with pytest.raises(AwsRefused, match="not authorized to perform: sts:AssumeRole"):
            there.read("ListRoles")


@pytest.mark.parametrize("call", ["identity", "read"])
def test_a_role_that_lets_nobody_in_is_named_with_what_to_do(call: str) -> None:
    arn = f"arn:aws:iam::{THIRD}:role/nobody"
    with many() as twin:
        there = Aws(endpoint=twin.url).assuming(arn)
        with pytest.raises(AwsRefused, match="AccessDenied") as caught:
            there.identity() if call == "identity" else there.read("ListRoles")
    assert caught.value.where == f"sts:AssumeRole {arn}"
    for word in ("trust policy", "--external-id", "suspended"):
        assert word in caught.value.hint


def test_without_credentials_of_ones_own_there_is_no_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with many() as twin, pytest.raises(Failed, match="no AWS credentials"):
        Aws(endpoint=twin.url).assuming(READER).read("ListRoles")


def test_an_account_that_hangs_up_does_not_stand_for_the_endpoint() -> None:
    with many(Fault(match="AssumeRole", kind="drop-before", account=OTHER)) as twin:
        base = Aws(endpoint=twin.url)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.sleep", lambda _: None)
            with pytest.raises(AwsSilent):
                base.assuming(READER).read("ListRoles")
        assert base.assuming(READER.replace(OTHER, THIRD)).read("ListRoles")["Roles"]


def test_the_organization_is_read_to_its_end() -> None:
    members = tuple(Member(Snapshot(account=f"{n:012}"), f"n{n}", "CLOSED" if n == 7 else "ACTIVE") for n in range(45))
    with Twin(small.account(), members=members) as twin:
        found = list(Aws(endpoint=twin.url).organization())
        assert twin.calls == ["ListAccounts"] * 3
    assert len(found) == 46
    assert Listed("000000000007", "n7", "CLOSED") in found


@pytest.mark.parametrize("denied", [True, False])
def test_who_may_not_list_it_is_told_what_else_there_is(denied: bool) -> None:
    fault = Fault(match="ListAccounts", kind="error", code="AccessDeniedException", status=400)
    faults = Faults(faults=(fault,)) if denied else None
    with Twin(small.account(), faults=faults) as twin, pytest.raises(AwsRefused) as caught:
        list(Aws(endpoint=twin.url).organization())
    assert "--accounts FILE" in caught.value.hint


def test_all_accounts_share_one_pace() -> None:
    with many(Fault(match="ListRoles", kind="throttle", account=OTHER, times=1)) as twin:
        base = Aws(endpoint=twin.url)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.sleep", lambda _: None)
            base.assuming(READER).read("ListRoles")
        before = base._clients.paces["iam"].rate
        assert before < 10
        base.assuming(READER.replace(OTHER, THIRD)).read("ListRoles")
        assert before < base._clients.paces["iam"].rate < 10
        assert base._clients.paces["sts"].rate > 1000
