"""How a twin misbehaves: each kind of fault, when it strikes, and what is left of the call."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot, User
from secmigrate.twin import Fault, Faults, Twin
from tests.small import trust
from tests.twin.conftest import ACCOUNT, client, code_of

ONE_USER = Snapshot(account=ACCOUNT, users={"u": User(name="u")})


def twin(*faults: Fault, lag_seconds: float = 0.0) -> Twin:
    return Twin(ONE_USER, faults=Faults(faults=faults, lag_seconds=lag_seconds))


def test_they_are_read_from_json() -> None:
    text = '{"faults": [{"match": "List*", "kind": "throttle", "after": 3, "times": 2}], "lag_seconds": 1.5}'
    fault = Fault(match="List*", kind="throttle", after=3, times=2)
    assert Faults.parse(text) == Faults(faults=(fault,), lag_seconds=1.5)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "nonsense",
        '{"fault": []}',
        '{"faults": [{"match": "*"}]}',
        '{"faults": [{"match": "*", "kind": "sulk"}]}',
        '{"faults": [{"match": "*", "kind": "deny", "times": 0}]}',
    ],
)
def test_what_is_none_is_said(text: str) -> None:
    with pytest.raises(BadInput):
        Faults.parse(text)


def test_a_fault_strikes_in_its_turn() -> None:
    with twin(Fault(match="List*", kind="throttle", after=1, times=2)) as it:
        api = client(it)
        codes = [code_of(api.list_users), code_of(api.list_groups), code_of(api.list_roles), code_of(api.list_users)]
        assert codes == ["", "Throttling", "Throttling", ""]
        assert it.calls == ["ListUsers", "ListGroups", "ListRoles", "ListUsers"]


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Fault(match="CreateGroup", kind="throttle"), "Throttling", 400),
        (Fault(match="Create*", kind="deny"), "AccessDenied", 403),
        (Fault(match="*", kind="error"), "ServiceFailure", 500),
        (Fault(match="*Group", kind="error", code="NoSuchEntity", status=404), "NoSuchEntity", 404),
    ],
)
def test_errors_are_answered_and_nothing_is_done(fault: Fault, code: str, status: int) -> None:
    with twin(fault) as it:
        with pytest.raises(ClientError) as caught:
            client(it).create_group(GroupName="g")
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert it.snapshot() == ONE_USER


def test_who_is_denied_what_is_told() -> None:
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/me"
    with (
        Twin(ONE_USER, caller=caller, faults=Faults(faults=(Fault(match="*User*", kind="deny"),))) as it,
        pytest.raises(
            ClientError, match=rf"User: {caller} is not authorized to perform: iam:AddUserToGroup on resource"
        ),
    ):
        client(it).add_user_to_group(GroupName="g", UserName="u")


def test_the_other_services_fail_in_their_own_way() -> None:
    with twin(Fault(match="Get*", kind="deny")) as it:
        assert code_of(client(it, "sts").get_caller_identity) == "AccessDenied"
        assert code_of(client(it, "resourcegroupstaggingapi").get_resources) == "AccessDenied"


@pytest.mark.parametrize(("kind", "done"), [("drop-before", False), ("drop-after", True)])
def test_a_dropped_call_is_done_or_not_and_the_caller_cannot_tell(kind: Any, done: bool) -> None:
    with twin(Fault(match="CreateGroup", kind=kind, times=1)) as it:
        with pytest.raises(ConnectionClosedError):
            client(it).create_group(GroupName="g")
        assert ("g" in it.snapshot().groups) == done
        assert not code_of(lambda: client(it).create_group(GroupName="after"))


def test_retries_of_a_call_that_was_done_find_it_done() -> None:
    """The reason why an answer that says "already" is not an error: botocore itself retries after a lost connection."""
    retrying = Config(retries={"mode": "standard", "total_max_attempts": 2})
    with twin(Fault(match="CreateGroup", kind="drop-after", times=1)) as it:
        api = boto3.client("iam", region_name="us-east-1", endpoint_url=it.url, config=retrying)
        assert code_of(lambda: api.create_group(GroupName="g")) == "EntityAlreadyExists"
        assert it.calls == ["CreateGroup", "CreateGroup"]


def test_latency_is_only_latency() -> None:
    with twin(Fault(match="*", kind="latency", seconds=0.3, times=1), Fault(match="*", kind="throttle", after=1)) as it:
        before = time.monotonic()
        assert not code_of(client(it).list_users)
        assert time.monotonic() - before >= 0.3
        assert code_of(client(it).list_users) == "Throttling"


def test_while_one_waits_others_are_answered() -> None:
    with twin(Fault(match="ListRoles", kind="latency", seconds=60)) as it:
        with pytest.raises(Exception, match="Read timeout"):
            boto3.client(
                "iam",
                region_name="us-east-1",
                endpoint_url=it.url,
                config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}),
            ).list_roles()
        assert not code_of(client(it).list_users)


def test_reads_lag_behind_writes_and_writes_do_not() -> None:
    with twin(lag_seconds=60) as it:
        api = client(it)
        api.create_group(GroupName="g")
        api.create_group(GroupName="another")
        assert code_of(lambda: api.get_group(GroupName="g")) == "NoSuchEntity"
        assert api.list_groups()["Groups"] == []
        api.add_user_to_group(GroupName="g", UserName="u")  # a write sees what was written
        assert it.snapshot().users["u"].groups == ("g",)


def test_what_was_written_is_read_in_the_end() -> None:
    with twin(lag_seconds=0.3) as it:
        api = client(it)
        api.create_group(GroupName="g")
        api.add_user_to_group(GroupName="g", UserName="u")
        while code_of(lambda: api.get_group(GroupName="g")) or not api.get_group(GroupName="g")["Users"]:
            time.sleep(0.1)
        assert [user["UserName"] for user in api.get_group(GroupName="g")["Users"]] == ["u"]


def test_reads_are_as_old_as_the_lag_and_no_older() -> None:
    with twin(lag_seconds=2) as it:
        api = client(it)
        api.create_group(GroupName="first")
        time.sleep(1)
        api.create_group(GroupName="second")
        while not (groups := api.list_groups()["Groups"]):
            time.sleep(0.1)
        assert [group["GroupName"] for group in groups] == ["first"]


def test_a_new_principal_is_not_yet_known_everywhere() -> None:
    with twin(lag_seconds=0.5) as it:
        api, sts = client(it), client(it, "sts")
        api.create_role(RoleName="new", AssumeRolePolicyDocument=trust().text)
        new = f"arn:aws:iam::{ACCOUNT}:role/new"
        document = trust().text.replace('"Service":"ec2.amazonaws.com"', f'"AWS":"{new}"')
        trusting = {"RoleName": "other", "AssumeRolePolicyDocument": document}
        assuming = {"RoleArn": new, "RoleSessionName": "session"}
        assert code_of(lambda: api.create_role(**trusting)) == "MalformedPolicyDocument"
        assert code_of(lambda: sts.assume_role(**assuming)) == "AccessDenied"
        time.sleep(0.6)
        assert not code_of(lambda: api.create_role(**trusting))
        assert not code_of(lambda: sts.assume_role(**assuming))
