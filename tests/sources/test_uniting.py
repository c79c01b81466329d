"""Several sources that each know a part of one account: nothing of any of them vanishes, in whatever order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import iam
from secmigrate.documents import read_snapshot
from secmigrate.iam import Gap, Group, Role, Snapshot, User
from secmigrate.sources.merging import merged
from secmigrate.sources.uniting import LIVE, Source
from tests.cli.runs import Ran, run
from tests.small import ACCOUNT, READ_ONLY, allow, trust

ARN = f"arn:aws:iam::{ACCOUNT}"
OUTSIDE = Gap("what Terraform does not manage", "it knows only what it made")
ROLE = {"name": "train", "path": "/ml/", "arn": f"{ARN}:role/ml/train", "assume_role_policy": trust().text}


def state(path: Path, *rows: tuple[str, str, dict[str, Any]]) -> Path:
    """A state with these resources, each its type, name and values."""
    resources = [
        {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": values}]}
        for kind, name, values in rows
    ]
    path.write_text(json.dumps({"version": 4, "terraform_version": "1.9.0", "resources": resources}))
    return path


def inventory(folder: Path, sources: Iterable[Path]) -> tuple[Ran, Snapshot]:
    """The command, and what it wrote."""
    ran = run("inventory", "-w", folder / "w", *(word for path in sources for word in ("--from", path)))
    assert ran.code == 0, ran
    return ran, read_snapshot(folder / "w" / "inventory.json")


def in_any_order(folder: Path, sources: Sequence[Path]) -> Snapshot:
    """What the inventory holds, the same in each order."""
    first, *others = (inventory(folder, order)[1] for order in permutations(sources))
    assert all(iam.encode(one) == iam.encode(first) for one in others)
    return first


def hung(path: Path) -> Path:
    """What an application's state hangs on the platform's role."""
    return state(
        path,
        ("aws_iam_policy", "data", {"name": "data", "arn": f"{ARN}:policy/data", "policy": allow("s3:*").text}),
        ("aws_iam_role_policy_attachment", "a", {"role": "train", "policy_arn": f"{ARN}:policy/data"}),
        ("aws_iam_role_policy_attachment", "b", {"role": "train", "policy_arn": READ_ONLY}),
        ("aws_iam_role_policy", "c", {"role": "train", "name": "own", "policy": allow("sqs:*").text}),
    )


def test_a_role_in_one_state_has_the_policies_of_another(tmp_path: Path) -> None:
    platform = state(tmp_path / "platform.tfstate", ("aws_iam_role", "train", ROLE))
    found = in_any_order(tmp_path, [platform, hung(tmp_path / "app.tfstate")])
    assert found.roles["train"] == Role(
        name="train",
        path="/ml/",
        trust=trust(),
        attached=(f"{ARN}:policy/data", READ_ONLY),
        inline={"own": allow("sqs:*")},
    )
    assert found.incomplete == (OUTSIDE,)
    assert found.owners == {
        f"{ARN}:role/ml/train": "terraform aws_iam_role.train", f"{ARN}:policy/data": "terraform aws_iam_policy.data"
    }  # fmt: skip


def test_a_role_in_a_state_has_the_policies_of_a_template(tmp_path: Path) -> None:
    platform = state(tmp_path / "platform.tfstate", ("aws_iam_role", "train", ROLE))
    app = tmp_path / "app.json"
    values = {"RoleName": "train", "PolicyName": "own", "PolicyDocument": allow("sqs:*").value}
    app.write_text(json.dumps({"Resources": {"P": {"Type": "AWS::IAM::RolePolicy", "Properties": values}}}))
    found = in_any_order(tmp_path, [platform, app])
    assert found.roles["train"].inline == {"own": allow("sqs:*")}
    assert "role train" not in {gap.what for gap in found.incomplete}


def test_a_role_that_is_only_named_is_there_and_nobody_can_tell_whom_it_trusts(tmp_path: Path) -> None:
    found = in_any_order(tmp_path, [hung(tmp_path / "app.tfstate")])
    assert found.roles["train"].inline == {"own": allow("sqs:*")}
    assert found.incomplete == (Gap("role train", "named in the state, but not managed by it"), OUTSIDE)
    assert found.owners == {f"{ARN}:policy/data": "terraform aws_iam_policy.data"}
    words = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", "eu-central-1")
    mapped = run("map", "-w", tmp_path / "w", *words)
    assert "train: it trusts what cannot be read" in mapped.out + mapped.err
    # As a source of its own, an inventory says as much as what it was made from.
    (tmp_path / "w" / "inventory.json").rename(tmp_path / "app.json")
    platform = state(tmp_path / "platform.tfstate", ("aws_iam_role", "train", ROLE))
    assert in_any_order(tmp_path, [platform, tmp_path / "app.json"]).roles["train"].inline == {"own": allow("sqs:*")}


def test_where_two_states_contradict_each_other_is_a_gap(tmp_path: Path) -> None:
    def workspace(name: str, boundary: str, action: str, inline: str) -> Path:
        return state(
            tmp_path / name,
            ("aws_iam_role", "train", {**ROLE, "permissions_boundary": boundary, "tags": {"team": "data"}}),
            ("aws_iam_policy", "p", {"name": "p", "arn": f"{ARN}:policy/p", "policy": allow(action).text}),
            ("aws_iam_role_policy", "c", {"role": "train", "name": "own", "policy": allow(inline).text}),
            ("aws_iam_group_policy", "g", {"group": "devs", "name": "own", "policy": allow(inline).text}),
        )

    one, two = workspace("1.tfstate", "", "s3:Get*", "a:*"), workspace("2.tfstate", READ_ONLY, "s3:*", "b:*")
    found = in_any_order(tmp_path, [two, one])
    assert found.policies[f"{ARN}:policy/p"].document == allow("s3:Get*")
    assert (found.roles["train"].boundary, found.roles["train"].inline) == ("", {"own": allow("a:*")})
    told = f"{one} and {two} differ in %s; it is as in {one} here"
    assert [gap for gap in found.incomplete if gap.why.startswith(str(tmp_path))] == [
        Gap("group devs", told % "inline policy own"),
        Gap(f"policy {ARN}:policy/p", told % "document"),
        Gap("role train", told % "boundary, inline policy own"),
    ]


def test_what_is_the_same_in_two_sources_is_no_gap(tmp_path: Path) -> None:
    """One state, and what Terraform shows of it; a template says of its own only what it knows."""
    rows = {"aws_iam_role": ROLE, "aws_iam_group": {"name": "devs", "arn": f"{ARN}:group/devs"}}
    one = state(tmp_path / "1.tfstate", *((kind, "x", values) for kind, values in rows.items()))
    shown = [{"address": f"{kind}.x", "mode": "managed", "type": kind, "values": one} for kind, one in rows.items()]
    two, three = tmp_path / "2.json", tmp_path / "3.json"
    two.write_text(json.dumps({"format_version": "1.0", "values": {"root_module": {"resources": shown}}}))
    values = {
        "RoleName": "train",
        "Path": "/ml/",
        "AssumeRolePolicyDocument": {**trust().value, "Statement": {"Ref": "T"}},
    }
    role = {"Type": "AWS::IAM::Role", "Properties": values}
    three.write_text(json.dumps({"Parameters": {"T": {"Type": "String"}}, "Resources": {"R": role}}))
    found = in_any_order(tmp_path, [one, two, three])
    assert found.roles["train"] == Role(name="train", path="/ml/", trust=trust())
    assert not [gap for gap in found.incomplete if "differ" in gap.why]


def test_names_that_differ_only_in_case_are_refused_with_both_places(tmp_path: Path) -> None:
    one, two = (
        state(tmp_path / f"{name}.tfstate", ("aws_iam_group", "g", {"name": name, "arn": f"{ARN}:group/{name}"}))
        for name in ("Admins", "admins")
    )
    ran = run("inventory", "-w", tmp_path / "w", "--from", two, "--from", one)
    assert ran.code == 2
    assert f"groups: 'Admins' in {one} and 'admins' in {two} are one name to IAM" in ran.err
    assert not (tmp_path / "w" / "inventory.json").exists()


def test_the_account_knows_a_thing_by_another_case_than_its_owner(tmp_path: Path) -> None:
    live = tmp_path / "live.json"
    live.write_bytes(iam.encode(Snapshot(account=ACCOUNT).put(Group(name="Admins"))))
    one = state(tmp_path / "1.tfstate", ("aws_iam_group", "g", {"name": "admins", "arn": f"{ARN}:group/admins"}))
    assert in_any_order(tmp_path, [live, one]).owners == {f"{ARN}:group/Admins": "terraform aws_iam_group.g"}
    assert "drift: terraform aws_iam_group.g" in inventory(tmp_path, [live, one])[0].out


def saved(path: Path, snapshot: Snapshot) -> Path:
    path.write_bytes(iam.encode(snapshot))
    return path


def test_of_two_whole_accounts_what_differs_is_a_gap(tmp_path: Path) -> None:
    whole = (
        Snapshot(account=ACCOUNT).put(Group(name="devs", attached=(READ_ONLY,))).put(User(name="ana", groups=("devs",)))
    )
    one, same = saved(tmp_path / "1.json", whole), saved(tmp_path / "2.json", whole)
    assert in_any_order(tmp_path, [one, same]).incomplete == ()
    more = whole.put(Group(name="devs")).put(Group(name="ops"))
    found = in_any_order(tmp_path, [one, saved(tmp_path / "3.json", more)])
    assert found.groups == {"devs": whole.groups["devs"], "ops": Group(name="ops")}
    three = tmp_path / "3.json"
    assert found.incomplete == (
        Gap("group devs", f"{one} and {three} differ in attached; it is as in {one} here"),
        Gap("group ops", f"{three} has it, and {one}, which lacks nothing, does not; it is here"),
    )


ROW = {"RoleName": "worker", "Arn": f"{ARN}:role/worker", "AssumeRolePolicyDocument": trust().value}


def page(path: Path, *, users: Mapping[str, list[str]] = {}, groups: Sequence[str] = (), **more: Any) -> Path:
    """A page of authorization details."""
    rows = {
        "UserDetailList": [{"UserName": n, "Arn": f"{ARN}:user/{n}", "GroupList": list(g)} for n, g in users.items()],
        "GroupDetailList": [{"GroupName": name, "Arn": f"{ARN}:group/{name}"} for name in groups],
        "RoleDetailList": [],
        "Policies": [],
    }
    path.write_text(json.dumps({**rows, **more}))
    return path


def test_pages_in_several_files_add_up(tmp_path: Path) -> None:
    one = page(tmp_path / "1.json", users={"ann": ["devs"]}, IsTruncated=True, Marker="A")
    two = page(tmp_path / "2.json", users={"bob": ["ops"]}, groups=["devs"], IsTruncated=True, Marker="B")
    three = page(tmp_path / "3.json", groups=["ops"], RoleDetailList=[ROW], Policies=None)
    found = in_any_order(tmp_path, [one, two, three])
    assert [sorted(room) for room in (found.users, found.groups, found.roles)] == [
        ["ann", "bob"],
        ["devs", "ops"],
        ["worker"],
    ]
    assert [(gap.what, gap.why.split(",")[0]) for gap in found.incomplete] == [
        ("Policies", "the file does not have it"),
        ("descriptions, session lengths, some tags", "authorization details do not hold them"),
        ("further pages", f"{one}: the file says IsTruncated"),
        ("further pages", f"{two}: the file says IsTruncated"),
    ]


@pytest.mark.parametrize("said", [{"IsTruncated": True, "Marker": "A"}, {"NextToken": "eyJNYXJrZXIiOiBudWxsfQ=="}])
def test_a_file_that_was_cut_says_so(tmp_path: Path, said: dict[str, Any]) -> None:
    ran, found = inventory(tmp_path, [page(tmp_path / "1.json", users={"ann": []}, **said)])
    assert Gap("further pages", f"the file says {next(iter(said))}") in found.incomplete
    assert "not read: further pages" in ran.out


def test_what_a_filter_left_out_is_a_gap(tmp_path: Path) -> None:
    """The AWS CLI writes empty lists for it."""
    edge = f"{ARN}:policy/edge"
    row: dict[str, Any] = {"UserName": "ann", "Arn": f"{ARN}:user/ann", "GroupList": ["devs"]}
    row |= {"PermissionsBoundary": {"PermissionsBoundaryArn": edge}}
    users = page(tmp_path / "users.json", UserDetailList=[row], IsTruncated=False)
    _, found = inventory(tmp_path, [users])
    assert {gap.what for gap in found.incomplete if gap.why == "the file does not have it"} == {
        "group devs",
        f"policy {edge}",
    }
    groups = page(tmp_path / "groups.json", groups=["devs"])
    found = in_any_order(tmp_path, [users, groups])
    assert {gap.what for gap in found.incomplete if gap.why == "the file does not have it"} == {f"policy {edge}"}


def test_details_add_nothing_to_what_lacks_nothing_and_contradict_it_aloud(tmp_path: Path) -> None:
    whole = Snapshot(account=ACCOUNT).put(Group(name="devs")).put(User(name="ann", groups=("devs",)))
    whole = whole.put(Role(name="worker", trust=trust(), description="works", max_session=7200))
    live = saved(tmp_path / "whole.json", whole)
    same = page(tmp_path / "same.json", users={"ann": ["devs"]}, groups=["devs"], RoleDetailList=[ROW])
    found = in_any_order(tmp_path, [live, same])
    assert (found, found.incomplete) == (whole, ())
    older = page(tmp_path / "older.json", users={"ann": [], "zoe": []}, groups=["devs"], RoleDetailList=[ROW])
    found = in_any_order(tmp_path, [live, older])
    assert found.users == {"ann": whole.users["ann"], "zoe": User(name="zoe")}
    assert found.roles == whole.roles
    assert found.incomplete == (
        Gap("user ann", f"{live} and {older} differ in groups; it is as in {live} here"),
        Gap("user zoe", f"{older} has it, and {live}, which lacks nothing, does not; it is here"),
    )


def test_what_the_account_itself_did_not_tell_stays_a_gap() -> None:
    whole = Snapshot(account=ACCOUNT).put(User(name="ann", groups=("devs",))).put(Group(name="devs"))
    denied = Gap("iam:ListRoles", "AccessDenied")
    live = structs.replace(whole.put(User(name="bob")), incomplete=(denied,))
    for sources in permutations([Source(LIVE, live), Source("before.json", whole)]):
        found = merged(sources).snapshot
        assert (found.users.keys(), found.incomplete) == (live.users.keys(), (denied,))


def test_what_the_account_itself_told_is_not_as_it_was_before() -> None:
    """Tags alone were refused: the role's facts are today's, and who is gone is told."""
    role = Role(name="r", trust=trust())
    denied = Gap("tag:GetResources", "AccessDenied")
    live = structs.replace(Snapshot(account=ACCOUNT).put(role), incomplete=(denied,))
    before = Snapshot(account=ACCOUNT).put(structs.replace(role, max_session=43_200, description="long ago"))
    before = before.put(User(name="left"))
    for sources in permutations([Source(LIVE, live), Source("before.json", before)]):
        found = merged(sources).snapshot
        assert (found.roles["r"].max_session, found.roles["r"].description) == (3_600, "")
        assert Gap("user left", "before.json has it, and the account itself does not; it is here") in found.incomplete


def test_what_is_live_and_lacks_nothing_counts_alone() -> None:
    before = Snapshot(account=ACCOUNT).put(User(name="ann"))
    now = Snapshot(account=ACCOUNT).put(User(name="bob"))
    for sources in permutations([Source(LIVE, now), Source("before.json", before)]):
        assert (merged(sources).snapshot, merged(sources).drift) == (now, ())


def test_what_is_not_on_the_pages_that_were_given_may_be_on_others(tmp_path: Path) -> None:
    cut = page(tmp_path / "1.json", users={"ann": []}, IsTruncated=True)
    platform = state(tmp_path / "platform.tfstate", ("aws_iam_role", "train", ROLE))
    assert f"{ARN}:role/ml/train is not in what was read of the account" in inventory(tmp_path, [cut, platform])[0].out
