"""What moto answers wrongly or not at all, and the twin as AWS does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from secmigrate.iam import Document, Group, Policy, Role, Seen, Snapshot, User
from secmigrate.twin import Twin
from tests.accounts import AWS_MANAGED
from tests.small import ACCOUNT as SMALL
from tests.small import READ_ONLY, SPARE, account, allow, trust
from tests.twin.conftest import ACCOUNT, client, code_of

POLICY = f"arn:aws:iam::{ACCOUNT}:policy/p"


def trusting(*principals: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def made(iam: Any) -> dict[str, dict[str, Any]]:
    """One new thing of each kind, by the prefix of its id."""
    return {
        "AIDA": iam.create_user(UserName="u")["User"],
        "AGPA": iam.create_group(GroupName="g")["Group"],
        "AROA": iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust().text)["Role"],
        "ANPA": iam.create_policy(PolicyName="p", PolicyDocument=allow("s3:*").text)["Policy"],
        "AIPA": iam.create_instance_profile(InstanceProfileName="i")["InstanceProfile"],
    }


def ids(things: dict[str, dict[str, Any]]) -> list[str]:
    return [
        value for thing in things.values() for key, value in thing.items() if key.endswith("Id") and key != "VersionId"
    ]


def test_ids_say_of_what_they_are_and_are_new_at_every_recreation(iam: Any) -> None:
    first = [found for found in ids(made(iam)) if not found.startswith("v")]
    assert [found[:4] for found in first] == ["AIDA", "AGPA", "AROA", "ANPA", "AIPA"]
    assert all(re.fullmatch(r"[A-Z2-7]{21}", found) for found in first)
    iam.delete_group(GroupName="g")
    again = iam.create_group(GroupName="g")["Group"]["GroupId"]
    assert again not in first


def test_two_runs_give_the_same_ids() -> None:
    def run() -> list[str]:
        with Twin(Snapshot(account=ACCOUNT)) as twin:
            return ids(made(client(twin)))

    assert run() == run()


def test_ids_and_dates_of_the_snapshot_are_kept() -> None:
    seen = Seen(id="AROAABCDEFGHIJKLMNOPQ", created="2019-05-06T07:08:09Z", last_used="2026-01-02T03:04:05Z")
    snapshot = Snapshot(account=ACCOUNT, roles={"r": Role(name="r", trust=trust(), seen=seen)})
    with Twin(snapshot) as twin:
        role = client(twin).get_role(RoleName="r")["Role"]
        assert (role["RoleId"], role["CreateDate"].year, role["RoleLastUsed"]["LastUsedDate"].day) == (seen.id, 2019, 2)
        assert twin.snapshot().roles["r"].seen.last_used == seen.last_used
        assert client(twin).get_account_authorization_details()["RoleDetailList"][0]["RoleLastUsed"]["LastUsedDate"]


def test_policies_in_account_details_have_their_names() -> None:
    with Twin(account()) as twin:
        policies = client(twin).get_account_authorization_details()["Policies"]
        found = {policy["PolicyName"]: policy for policy in policies}
    assert set(found) == {"Buckets", "Spare", "ReadOnlyAccess"}
    assert all(policy["PolicyId"].startswith("ANPA") for policy in policies)
    assert (found["Buckets"]["AttachmentCount"], found["ReadOnlyAccess"]["PermissionsBoundaryUsageCount"]) == (2, 1)
    assert all("Tags" not in policy for policy in policies)


def test_what_account_details_do_not_tell() -> None:
    with Twin(account()) as twin:
        details = client(twin).get_account_authorization_details()
    idle = next(role for role in details["RoleDetailList"] if role["RoleName"] == "idle")
    assert not {"Description", "MaxSessionDuration"} & set(idle)
    assert {tag["Key"] for tag in idle["Tags"]} == {"cost", "team"}
    assert not any("Users" in group for group in details["GroupDetailList"])
    ana = next(user for user in details["UserDetailList"] if user["UserName"] == "ana")
    assert ana["GroupList"] == ["team"]


def test_lists_leave_out_what_aws_leaves_out() -> None:
    with Twin(account()) as twin:
        api = client(twin)
        roles = {role["RoleName"]: role for role in api.list_roles()["Roles"]}
        assert (roles["idle"]["Description"], roles["idle"]["MaxSessionDuration"]) == ("nobody knows", 7200)
        assert not {"Tags", "PermissionsBoundary", "RoleLastUsed"} & set(roles["idle"])
        assert not any("Tags" in user for user in api.list_users()["Users"])
        assert not any({"Tags", "Description"} & set(policy) for policy in api.list_policies()["Policies"])
        assert not any("Document" in version for version in api.list_policy_versions(PolicyArn=SPARE)["Versions"])


def test_documents_travel_url_encoded() -> None:
    document = Document(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "a:b", "Resource": "arn:aws:s3:::ä b/*+%"}],
        }
    )
    snapshot = Snapshot(account=ACCOUNT, groups={"g": Group(name="g", inline={"x": document})})
    with Twin(snapshot) as twin:
        api = client(twin)
        sent: list[str] = []
        api.meta.events.register("after-call.iam", lambda http_response, **_: sent.append(http_response.text))
        assert Document(api.get_group_policy(GroupName="g", PolicyName="x")["PolicyDocument"]) == document
        details = api.get_account_authorization_details()["GroupDetailList"]
        assert Document(details[0]["GroupPolicyList"][0]["PolicyDocument"]) == document
    assert all("arn%3Aaws%3As3%3A%3A%3A%C3%A4%20b%2F%2A%2B%25" in text for text in sent)


def test_user_boundaries(iam: Any) -> None:
    made(iam)
    iam.put_user_permissions_boundary(UserName="u", PermissionsBoundary=POLICY)
    assert iam.get_user(UserName="u")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == POLICY
    details = iam.get_account_authorization_details()["UserDetailList"]
    assert details[0]["PermissionsBoundary"]["PermissionsBoundaryArn"] == POLICY
    iam.delete_user_permissions_boundary(UserName="u")
    assert "PermissionsBoundary" not in iam.get_user(UserName="u")["User"]


def test_entities_of_a_policy_include_those_it_bounds(iam: Any) -> None:
    made(iam)
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=POLICY)
    iam.attach_group_policy(GroupName="g", PolicyArn=POLICY)

    def entities(**asked: str) -> list[str]:
        found = iam.list_entities_for_policy(PolicyArn=POLICY, **asked)
        return [
            *(group["GroupName"] for group in found["PolicyGroups"]),
            *(role["RoleName"] for role in found["PolicyRoles"]),
            *(user["UserName"] for user in found["PolicyUsers"]),
        ]

    assert entities() == ["g", "r"]
    assert entities(PolicyUsageFilter="PermissionsPolicy") == ["g"]
    assert entities(PolicyUsageFilter="PermissionsBoundary") == ["r"]
    assert entities(EntityFilter="Group") == ["g"]
    assert entities(PathPrefix="/elsewhere/") == []


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_attaching_twice_is_attaching_once(kind: str, iam: Any) -> None:
    made(iam)
    who = {f"{kind.title()}Name": kind[:1]}
    for _ in range(2):
        getattr(iam, f"attach_{kind}_policy")(**who, PolicyArn=POLICY)
    assert iam.get_policy(PolicyArn=POLICY)["Policy"]["AttachmentCount"] == 1
    assert len(getattr(iam, f"list_attached_{kind}_policies")(**who)["AttachedPolicies"]) == 1
    getattr(iam, f"detach_{kind}_policy")(**who, PolicyArn=POLICY)
    assert iam.get_policy(PolicyArn=POLICY)["Policy"]["AttachmentCount"] == 0
    iam.delete_policy(PolicyArn=POLICY)


def test_updating_one_attribute_leaves_the_other(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust().text, MaxSessionDuration=7200, Description="one")

    def told() -> tuple[str, int]:
        role = iam.get_role(RoleName="r")["Role"]
        return role["Description"], role["MaxSessionDuration"]

    iam.update_role(RoleName="r", Description="two")
    assert told() == ("two", 7200)
    iam.update_role(RoleName="r", MaxSessionDuration=10800)
    assert told() == ("two", 10800)
    iam.update_role_description(RoleName="r", Description="three")
    assert told() == ("three", 10800)


@pytest.mark.parametrize(
    ("change", "name", "path"),
    [
        ({"NewPath": "/new/"}, "g", "/new/"),
        ({"NewGroupName": "h"}, "h", "/"),
        ({"NewGroupName": "G", "NewPath": "/new/"}, "G", "/new/"),
    ],
)
def test_a_group_that_is_renamed_or_moved_keeps_everything(
    change: dict[str, str], name: str, path: str, iam: Any
) -> None:
    things = made(iam)
    iam.add_user_to_group(GroupName="g", UserName="u")
    iam.attach_group_policy(GroupName="g", PolicyArn=POLICY)
    iam.put_group_policy(GroupName="g", PolicyName="x", PolicyDocument=allow("s3:*").text)
    iam.update_group(GroupName="g", **change)
    found = iam.get_group(GroupName=name)
    assert (found["Group"]["Path"], found["Group"]["GroupId"]) == (path, things["AGPA"]["GroupId"])
    assert found["Group"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:group{path}{name}"
    assert [user["UserName"] for user in found["Users"]] == ["u"]
    assert len(iam.list_attached_group_policies(GroupName=name)["AttachedPolicies"]) == 1
    assert iam.list_group_policies(GroupName=name)["PolicyNames"] == ["x"]
    assert [group["GroupName"] for group in iam.list_groups()["Groups"]] == [name]


def test_version_numbers_are_never_given_out_again(iam: Any) -> None:
    made(iam)

    def add(**more: Any) -> str:
        document = allow("s3:Get*").text
        return str(
            iam.create_policy_version(PolicyArn=POLICY, PolicyDocument=document, **more)["PolicyVersion"]["VersionId"]
        )

    assert [add(), add()] == ["v2", "v3"]
    iam.delete_policy_version(PolicyArn=POLICY, VersionId="v3")
    assert add(SetAsDefault=True) == "v4"
    assert iam.get_policy(PolicyArn=POLICY)["Policy"]["DefaultVersionId"] == "v4"
    assert [one["VersionId"] for one in iam.list_policy_versions(PolicyArn=POLICY)["Versions"]] == ["v4", "v2", "v1"]
    iam.set_default_policy_version(PolicyArn=POLICY, VersionId="v2")
    iam.delete_policy_version(PolicyArn=POLICY, VersionId="v4")
    assert add() == "v5"
    defaults = [one["IsDefaultVersion"] for one in iam.list_policy_versions(PolicyArn=POLICY)["Versions"]]
    assert defaults == [False, True, False]
    assert code_of(lambda: iam.get_policy_version(PolicyArn=POLICY, VersionId="v4")) == "NoSuchEntity"
    assert code_of(lambda: iam.set_default_policy_version(PolicyArn=POLICY, VersionId="v9")) == "NoSuchEntity"


def principals(iam: Any, role: str) -> Any:
    return iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]


def test_trust_in_somebody_deleted_shows_an_id_that_nobody_has_again(iam: Any) -> None:
    iam.create_user(UserName="u")
    first = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust().text)["Role"]
    iam.create_role(RoleName="r2", AssumeRolePolicyDocument=trust().text)
    user = iam.get_user(UserName="u")["User"]
    document = trusting(first["Arn"], user["Arn"], f"{first['Arn']}2")
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=document)
    iam.delete_role(RoleName="r")
    assert principals(iam, "other") == [first["RoleId"], user["Arn"], f"{first['Arn']}2"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust().text)
    assert principals(iam, "other")[0] == first["RoleId"]  # a new role of that name is somebody else
    as_it_is_now = trusting(*principals(iam, "other"))
    put = {"RoleName": "other", "PolicyDocument": as_it_is_now}
    assert code_of(lambda: iam.update_assume_role_policy(**put)) == "MalformedPolicyDocument"
    iam.update_assume_role_policy(RoleName="other", PolicyDocument=document)
    assert principals(iam, "other")[0] == first["Arn"]


def test_trust_follows_a_user_who_is_renamed(iam: Any) -> None:
    arn = iam.create_user(UserName="u")["User"]["Arn"]
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=trusting(arn))
    iam.update_user(UserName="u", NewUserName="v", NewPath="/new/")
    assert principals(iam, "other") == [f"arn:aws:iam::{ACCOUNT}:user/new/v"]
    user = iam.get_user(UserName="v")["User"]
    iam.delete_user(UserName="v")
    assert principals(iam, "other") == [user["UserId"]]


def test_the_account_summary_counts() -> None:
    with Twin(account(), aws_managed=AWS_MANAGED) as twin:
        summary = client(twin).get_account_summary()["SummaryMap"]
    snapshot = account()
    own = [policy for policy in snapshot.policies.values() if not policy.is_aws]
    expected = {
        "Users": len(snapshot.users),
        "Groups": len(snapshot.groups),
        "Roles": len(snapshot.roles),
        "Policies": len(own),
        "InstanceProfiles": len(snapshot.instance_profiles),
        "PolicyVersionsInUse": sum(1 + len(policy.older) for policy in own),
        "GroupsPerUserQuota": 10,
        "GroupsQuota": 300,
        "UserPolicySizeQuota": 2048,
        "AttachedPoliciesPerRoleQuota": 10,
        "AssumeRolePolicySizeQuota": 2048,
    }
    assert {name: summary[name] for name in expected} == expected


def test_policies_by_scope_and_use() -> None:
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    own = Policy(arn=POLICY, document=allow("s3:*"))
    group = Group(name="g", attached=(admin,))
    user = User(name="u", boundary=POLICY)
    snapshot = Snapshot(account=ACCOUNT, groups={"g": group}, users={"u": user}, policies={POLICY: own})
    with Twin(snapshot, aws_managed=AWS_MANAGED) as twin:
        api = client(twin)

        def arns(**asked: Any) -> set[str]:
            return {policy["Arn"] for policy in api.list_policies(**asked)["Policies"]}

        assert arns() == {*AWS_MANAGED, POLICY}
        assert arns(Scope="AWS") == set(AWS_MANAGED)
        assert arns(Scope="Local") == {POLICY}
        assert arns(OnlyAttached=True) == {admin}
        assert arns(OnlyAttached=True, PolicyUsageFilter="PermissionsBoundary") == {POLICY}
        assert arns(PathPrefix="/job-function/") == {"arn:aws:iam::aws:policy/job-function/Billing"}
        default = api.get_policy_version(PolicyArn=admin, VersionId="v1")["PolicyVersion"]
        assert Document(default["Document"]) == AWS_MANAGED[admin].document
        told = api.get_account_authorization_details(Filter=["AWSManagedPolicy"])["Policies"]
        assert [policy["Arn"] for policy in told] == [admin]  # of AWS's own only those in use


@pytest.mark.parametrize(
    ("kind", "folded"), [("user", True), ("role", True), ("policy", False), ("instance_profile", False)]
)
def test_the_case_of_tag_keys(kind: str, folded: bool, iam: Any) -> None:
    made(iam)
    who = {
        "user": {"UserName": "u"},
        "role": {"RoleName": "r"},
        "policy": {"PolicyArn": POLICY},
        "instance_profile": {"InstanceProfileName": "i"},
    }[kind]
    for key in ("Cost", "cost"):
        getattr(iam, f"tag_{kind}")(**who, Tags=[{"Key": key, "Value": key}])
    found = getattr(iam, f"list_{kind}_tags")(**who)["Tags"]
    assert [tag["Key"] for tag in found] == (["cost"] if folded else ["Cost", "cost"])
    getattr(iam, f"untag_{kind}")(**who, TagKeys=["COST"])
    assert len(getattr(iam, f"list_{kind}_tags")(**who)["Tags"]) == (0 if folded else 2)


def test_removing_a_role_that_an_instance_profile_does_not_have(iam: Any) -> None:
    made(iam)
    ask = {"InstanceProfileName": "i", "RoleName": "r"}
    assert code_of(lambda: iam.remove_role_from_instance_profile(**ask)) == "NoSuchEntity"


def test_service_linked_roles_come_and_go_by_calls_of_their_own(iam: Any) -> None:
    ask = {"AWSServiceName": "autoscaling.amazonaws.com"}
    role = iam.create_service_linked_role(**ask)["Role"]
    assert role["RoleId"].startswith("AROA")
    assert code_of(lambda: iam.create_service_linked_role(**ask)) == "InvalidInput"
    assert iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"].startswith("task/")
    assert iam.list_roles()["Roles"] == []


def test_who_calls() -> None:
    with Twin(account()) as twin:
        told = client(twin, "sts").get_caller_identity()
        assert (told["Account"], told["Arn"]) == (SMALL, f"arn:aws:iam::{SMALL}:user/migration-operator")
        assert code_of(client(twin).get_user) == "NoSuchEntity"
    with Twin(account(), caller=f"arn:aws:iam::{SMALL}:user/ana") as twin:
        assert client(twin).get_user()["User"]["UserName"] == "ana"
        assert client(twin, "sts").get_caller_identity()["UserId"] == twin.snapshot().users["ana"].seen.id


def test_a_session_of_a_role(iam: Any, empty: Twin) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust().text)
    sts, arn = client(empty, "sts"), f"arn:aws:iam::{ACCOUNT}:role/r"
    session = sts.assume_role(RoleArn=arn, RoleSessionName="me")
    assert session["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/r/me"
    keys = session["Credentials"]
    import boto3

    me = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=empty.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert me.get_caller_identity()["Arn"] == session["AssumedRoleUser"]["Arn"]
    too_long = {"RoleArn": arn, "RoleSessionName": "me", "DurationSeconds": 3601}
    assert code_of(lambda: sts.assume_role(**too_long)) == "ValidationError"


def test_read_only_is_in_use_until_nobody_uses_it() -> None:
    with Twin(account()) as twin:
        api = client(twin)
        api.detach_group_policy(GroupName="team", PolicyArn=READ_ONLY)
        api.delete_role_permissions_boundary(RoleName="idle")
        assert READ_ONLY not in twin.snapshot().policies
