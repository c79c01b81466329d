"""Every list comes in pages, whichever their size, and the pages together are the list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from secmigrate.iam import Group, InstanceProfile, Policy, Role, Snapshot, User, Version
from secmigrate.twin import Twin
from secmigrate.twin.lists import LISTS
from tests.small import allow, trust
from tests.twin.conftest import ACCOUNT, client, code_of

MANY = [f"n{number}" for number in range(8)]
ARNS = {name: f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in MANY}
INLINE = {name: allow("s3:*") for name in MANY}
TAGS = dict.fromkeys(MANY, "v")


def crowd() -> Snapshot:
    """Eight of everything, everywhere."""
    attached, first = tuple(ARNS.values()), ARNS["n0"]
    older = tuple(Version(document=allow(f"s3:{number}")) for number in range(4))
    return Snapshot(
        account=ACCOUNT,
        users={
            name: User(name=name, groups=tuple(MANY), attached=attached, inline=INLINE, tags=TAGS, boundary=first)
            for name in MANY
        },
        groups={name: Group(name=name, attached=attached, inline=INLINE) for name in MANY},
        roles={name: Role(name=name, trust=trust(), attached=attached, inline=INLINE, tags=TAGS) for name in MANY},
        policies={arn: Policy(arn=arn, document=allow("s3:*"), older=older, tags=TAGS) for arn in ARNS.values()},
        instance_profiles={name: InstanceProfile(name=name, roles=("n0",), tags=TAGS) for name in MANY},
    )


CROWD = crowd()

# What each list is asked for, and how long it is in all. A new list without a line here is a red test.
LENGTHS: dict[str, tuple[dict[str, Any], int]] = {
    "GetAccountAuthorizationDetails": ({}, 32),
    "GetGroup": ({"GroupName": "n1"}, 8),
    "ListAttachedGroupPolicies": ({"GroupName": "n1"}, 8),
    "ListAttachedRolePolicies": ({"RoleName": "n1"}, 8),
    "ListAttachedUserPolicies": ({"UserName": "n1"}, 8),
    "ListEntitiesForPolicy": ({"PolicyArn": ARNS["n0"]}, 24),
    "ListGroupPolicies": ({"GroupName": "n1"}, 8),
    "ListGroups": ({}, 8),
    "ListGroupsForUser": ({"UserName": "n1"}, 8),
    "ListInstanceProfileTags": ({"InstanceProfileName": "n1"}, 8),
    "ListInstanceProfiles": ({}, 8),
    "ListInstanceProfilesForRole": ({"RoleName": "n0"}, 8),
    "ListPolicies": ({"Scope": "Local"}, 8),
    "ListPolicyTags": ({"PolicyArn": ARNS["n0"]}, 8),
    "ListPolicyVersions": ({"PolicyArn": ARNS["n0"]}, 5),
    "ListRolePolicies": ({"RoleName": "n1"}, 8),
    "ListRoleTags": ({"RoleName": "n1"}, 8),
    "ListRoles": ({}, 8),
    "ListUserPolicies": ({"UserName": "n1"}, 8),
    "ListUserTags": ({"UserName": "n1"}, 8),
    "ListUsers": ({}, 8),
}


@pytest.fixture(scope="module", params=[1, 2, 7, None])
def paged(request: pytest.FixtureRequest) -> Iterator[tuple[Twin, int]]:
    with Twin(CROWD, page_size=request.param) as twin:
        yield twin, request.param or 100


def pages(twin: Twin, action: str, **more: Any) -> Iterator[dict[str, Any]]:
    """Pages by hand: botocore's paginators would hide a wrong IsTruncated."""
    api, params = client(twin), {**LENGTHS[action][0], **more}
    method = api.meta.method_to_api_mapping
    [name] = [python for python, aws in method.items() if aws == action]
    while True:
        page = getattr(api, name)(**params)
        yield page
        assert page["IsTruncated"] == ("Marker" in page)
        if not page["IsTruncated"]:
            return
        params["Marker"] = page["Marker"]


def rows(page: dict[str, Any]) -> list[Any]:
    return [row for room in page.values() if isinstance(room, list) for row in room]


@pytest.mark.parametrize("action", sorted(LISTS))
def test_the_pages_are_the_list(action: str, paged: tuple[Twin, int]) -> None:
    twin, size = paged
    length = LENGTHS[action][1]
    found = list(pages(twin, action))
    assert [len(rows(page)) for page in found] == [min(size, length - start) for start in range(0, length, size)]
    everything = [repr(row) for page in found for row in rows(page)]
    assert len(set(everything)) == length
    assert everything == [repr(row) for page in pages(twin, action) for row in rows(page)]


def test_max_items_and_the_twins_own_size_are_both_kept() -> None:
    with Twin(CROWD, page_size=5) as twin:
        assert [len(rows(page)) for page in pages(twin, "ListUsers", MaxItems=3)] == [3, 3, 2]
        assert [len(rows(page)) for page in pages(twin, "ListUsers", MaxItems=1000)] == [5, 3]


def test_a_hundred_are_a_page_by_default() -> None:
    users = {name: User(name=name) for name in (f"n{number}" for number in range(101))}
    with Twin(Snapshot(account=ACCOUNT, users=users)) as twin:
        assert [len(page["Users"]) for page in pages(twin, "ListUsers")] == [100, 1]
        assert [len(page["Users"]) for page in pages(twin, "ListUsers", MaxItems=1000)] == [101]


def test_nothing_is_told_as_an_empty_list(iam: Any) -> None:
    iam.create_group(GroupName="g")
    assert iam.list_users()["Users"] == []
    assert iam.get_group(GroupName="g")["Users"] == []
    details = iam.get_account_authorization_details(Filter=["User"])
    assert (details["UserDetailList"], details["GroupDetailList"], details["IsTruncated"]) == ([], [], False)


def test_what_changes_between_two_pages_neither_repeats_nor_hides_the_rest() -> None:
    with Twin(Snapshot(account=ACCOUNT, groups={name: Group(name=name) for name in MANY}), page_size=3) as twin:
        api = client(twin)
        found = []
        for page in pages(twin, "ListGroups"):
            found += [group["GroupName"] for group in page["Groups"]]
            if found == MANY[:3]:
                api.delete_group(GroupName="n0")
                api.create_group(GroupName="a-new-one")
        assert found == MANY


def test_a_marker_is_only_good_for_its_own_call() -> None:
    with Twin(CROWD, page_size=2) as twin:
        api = client(twin)
        marker = api.list_attached_user_policies(UserName="n1")["Marker"]
        assert code_of(lambda: api.list_attached_user_policies(UserName="n2", Marker=marker)) == "ValidationError"
        assert code_of(lambda: api.list_attached_role_policies(RoleName="n1", Marker=marker)) == "ValidationError"
        assert not code_of(lambda: api.list_attached_user_policies(UserName="n1", Marker=marker))


def test_account_details_keep_to_their_filter() -> None:
    rooms = {
        "User": "UserDetailList",
        "Group": "GroupDetailList",
        "Role": "RoleDetailList",
        "LocalManagedPolicy": "Policies",
    }
    with Twin(CROWD) as twin:
        for wanted, room in rooms.items():
            page = client(twin).get_account_authorization_details(Filter=[wanted])
            assert {name: len(page[name]) for name in rooms.values() if page[name]} == {room: 8}
        assert client(twin).get_account_authorization_details(Filter=["AWSManagedPolicy"])["Policies"] == []


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_tagging_api_pages_with_tokens(size: int) -> None:
    with Twin(CROWD, page_size=size) as twin:
        api = client(twin, "resourcegroupstaggingapi")
        found, token = [], ""
        while True:
            page = api.get_resources(ResourceTypeFilters=["iam:policy", "iam:instance-profile"], PaginationToken=token)
            found += page["ResourceTagMappingList"]
            if not (token := page["PaginationToken"]):
                break
        assert len({row["ResourceARN"] for row in found}) == 16
        assert all({tag["Key"] for tag in row["Tags"]} == set(MANY) for row in found)


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({}, 16),
        ({"ResourceTypeFilters": ["iam"]}, 16),
        ({"ResourceTypeFilters": ["iam:policy"]}, 8),
        ({"ResourceTypeFilters": ["iam:role", "s3"]}, 0),
        ({"TagFilters": [{"Key": "n1"}]}, 16),
        ({"TagFilters": [{"Key": "n1", "Values": ["v", "w"]}, {"Key": "n2"}]}, 16),
        ({"TagFilters": [{"Key": "n1", "Values": ["w"]}]}, 0),
        ({"TagFilters": [{"Key": "other"}]}, 0),
    ],
)
def test_the_tagging_api_filters(asked: dict[str, Any], number: int) -> None:
    with Twin(CROWD) as twin:
        found = client(twin, "resourcegroupstaggingapi").get_resources(**asked)
    assert len(found["ResourceTagMappingList"]) == number


def test_the_tagging_api_refuses_in_its_own_way(empty: Twin) -> None:
    api = client(empty, "resourcegroupstaggingapi")
    assert code_of(lambda: api.get_resources(PaginationToken="made-up")) == "PaginationTokenExpiredException"
    assert code_of(lambda: api.get_resources(ResourcesPerPage=1000)) == "InvalidParameterException"
    assert code_of(api.get_tag_keys) == "UnknownOperationException"
