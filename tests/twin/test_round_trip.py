"""Snapshot to twin to snapshot: nothing is lost, whichever way it is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec import structs

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.iam import Document, Gap, Group, InstanceProfile, Policy, Role, Seen, Snapshot, User, Version
from secmigrate.twin import Twin
from secmigrate.twin.loading import dump, load
from tests.accounts import AWS_MANAGED, accounts
from tests.small import account, allow, trust
from tests.twin.conftest import ACCOUNT, client

PROPERTY = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PROPERTY
@given(accounts())
def test_a_dump_is_what_was_loaded_byte_for_byte(snapshot: Snapshot) -> None:
    dumped = dump(load(snapshot, AWS_MANAGED))
    assert dumped == snapshot
    assert iam.encode(dumped) == iam.encode(snapshot)  # also what `==` leaves aside: ids, dates, numbers


@PROPERTY
@given(accounts())
def test_without_what_nobody_can_give_back_it_is_still_the_same(snapshot: Snapshot) -> None:
    assert dump(load(snapshot.restorable(), AWS_MANAGED)) == snapshot


@settings(PROPERTY, max_examples=10)
@given(accounts())
def test_what_clients_read_is_what_was_loaded(snapshot: Snapshot) -> None:
    with Twin(snapshot, aws_managed=AWS_MANAGED, page_size=2) as twin:
        api = client(twin)
        pages = list(api.get_paginator("get_account_authorization_details").paginate())
        roles = [role for page in api.get_paginator("list_roles").paginate() for role in page["Roles"]]
        tags = client(twin, "resourcegroupstaggingapi").get_paginator("get_resources").paginate()
        labelled = {row["ResourceARN"]: labels(row) for page in tags for row in page["ResourceTagMappingList"]}
        profiles = [
            one for page in api.get_paginator("list_instance_profiles").paginate() for one in page["InstanceProfiles"]
        ]
    assert as_read(pages, roles, labelled, profiles) == snapshot


def labels(thing: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


def as_read(
    pages: list[dict[str, Any]], roles: list[dict[str, Any]], labelled: dict[str, Any], profiles: list[dict[str, Any]]
) -> Snapshot:
    """A second reading of the account, written down here and nowhere else, from its public answers."""

    def common(thing: dict[str, Any], kind: str) -> dict[str, Any]:
        return {
            "name": thing[f"{kind}Name"],
            "path": thing["Path"],
            "inline": {one["PolicyName"]: Document(one["PolicyDocument"]) for one in thing[f"{kind}PolicyList"]},
            "attached": tuple(one["PolicyArn"] for one in thing["AttachedManagedPolicies"]),
        }

    def boundary(thing: dict[str, Any]) -> str:
        return str(thing.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))

    def each(room: str) -> list[dict[str, Any]]:
        return [thing for page in pages for thing in page[room]]

    told = {role["RoleName"]: role for role in roles}
    things: list[iam.Entity] = [Group(**common(one, "Group")) for one in each("GroupDetailList")]
    things += [
        User(**common(one, "User"), groups=tuple(one["GroupList"]), boundary=boundary(one), tags=labels(one))
        for one in each("UserDetailList")
    ]
    things += [
        Role(
            **common(one, "Role"),
            trust=Document(one["AssumeRolePolicyDocument"]),
            description=told[one["RoleName"]].get("Description", ""),
            max_session=told[one["RoleName"]]["MaxSessionDuration"],
            boundary=boundary(one),
            tags=labels(one),
        )
        for one in each("RoleDetailList")
    ]
    for one in each("Policies"):
        versions = {version["IsDefaultVersion"]: Document(version["Document"]) for version in one["PolicyVersionList"]}
        older = [
            Version(document=Document(v["Document"])) for v in one["PolicyVersionList"] if not v["IsDefaultVersion"]
        ]
        things.append(
            Policy(
                arn=one["Arn"],
                document=versions[True],
                older=tuple(older),
                description=one.get("Description", ""),
                tags=labelled.get(one["Arn"], {}),
            )
        )
    things += [
        InstanceProfile(
            name=one["InstanceProfileName"],
            path=one["Path"],
            roles=tuple(role["RoleName"] for role in one["Roles"]),
            tags=labelled.get(one["Arn"], {}),
        )
        for one in profiles
    ]
    snapshot = Snapshot(account=ACCOUNT)
    for thing in things:
        snapshot = snapshot.put(thing)
    return snapshot


def test_the_small_account_of_the_other_tests() -> None:
    snapshot = account()
    assert dump(load(snapshot, {})) == snapshot


def test_what_the_snapshot_did_not_know_the_twin_does_not_know_either() -> None:
    snapshot = structs.replace(account(), incomplete=(Gap(what="ListRoles", why="AccessDenied"),))
    assert dump(load(snapshot, {})) == snapshot


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_partition_is_in_every_arn(partition: str) -> None:
    arn = f"arn:{partition}:iam::{ACCOUNT}:policy/p"
    snapshot = Snapshot(
        account=ACCOUNT,
        partition=partition,
        users={"u": User(name="u", attached=(arn,))},
        groups={"g": Group(name="g")},
        roles={"r": Role(name="r", trust=trust())},
        policies={arn: Policy(arn=arn, document=allow("s3:*"))},
        instance_profiles={"i": InstanceProfile(name="i", roles=("r",))},
    )
    assert dump(load(snapshot, {})) == snapshot
    with Twin(snapshot) as twin:
        api = client(twin)
        made = api.create_group(GroupName="made")["Group"]["Arn"]
        arns = [made, api.get_user(UserName="u")["User"]["Arn"], client(twin, "sts").get_caller_identity()["Arn"]]
    assert {found.split(":")[1] for found in arns} == {partition}


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot(account=ACCOUNT, partition="aws-moon"),
        Snapshot(account=ACCOUNT, users={"u": User(name="u", groups=("nowhere",))}),
        Snapshot(account=ACCOUNT, users={"u": User(name="u", attached=("arn:aws:iam::aws:policy/Nowhere",))}),
        Snapshot(account=ACCOUNT, users={"u": User(name="u", boundary="arn:aws:iam::aws:policy/Nowhere")}),
        Snapshot(account=ACCOUNT, roles={"r": Role(name="r", trust=trust(), boundary="arn:aws:iam::aws:policy/No")}),
        Snapshot(account=ACCOUNT, instance_profiles={"i": InstanceProfile(name="i", roles=("nowhere",))}),
        Snapshot(account=ACCOUNT, groups={"g": Group(name="g", seen=Seen(created="yesterday"))}),
    ],
)
def test_what_leads_nowhere_is_said(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput):
        load(snapshot, {})


def test_aws_policies_are_dumped_exactly_where_something_uses_them() -> None:
    admin, billing = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/job-function/Billing"
    with Twin(Snapshot(account=ACCOUNT, groups={"g": Group(name="g")}), aws_managed=AWS_MANAGED) as twin:
        api = client(twin)
        assert not twin.snapshot().policies
        api.attach_group_policy(GroupName="g", PolicyArn=admin)
        api.create_user(UserName="u", PermissionsBoundary=billing)
        assert set(twin.snapshot().policies) == {admin, billing}
        assert twin.snapshot().policies[admin] == AWS_MANAGED[admin]
        api.detach_group_policy(GroupName="g", PolicyArn=admin)
        assert set(twin.snapshot().policies) == {billing}


def test_the_snapshots_own_copy_of_an_aws_policy_wins() -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    older = Policy(arn=arn, document=allow("s3:*"))
    snapshot = Snapshot(account=ACCOUNT, groups={"g": Group(name="g", attached=(arn,))}, policies={arn: older})
    assert dump(load(snapshot, AWS_MANAGED)).policies[arn].document == older.document


def test_versions_without_numbers_are_given_free_ones() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/p"
    older = (Version(document=allow("s3:A")), Version(document=allow("s3:B"), seen=Seen(id="v1")))
    policy = Policy(arn=arn, document=allow("s3:C"), older=older)
    found = dump(load(Snapshot(account=ACCOUNT, policies={arn: policy}), {})).policies[arn]
    assert sorted((found.version.id, *(old.seen.id for old in found.older))) == ["v1", "v2", "v3"]
    assert [old.seen.id for old in found.older if old.document == allow("s3:B")] == ["v1"]
