"""States and plans as Terraform and OpenTofu really leave them: several accounts, what is not known yet, what is left
of nothing, and what must be unpacked or decrypted first.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.handover import handover
from secmigrate.iam import Group, Snapshot
from secmigrate.sources.cloudformation import Place
from secmigrate.sources.merging import merged
from secmigrate.sources.saved import read_all, read_managed, read_saved
from tests.small import ACCOUNT, READ_ONLY, allow, trust

OTHER = "444455556666"
HERE, THERE = Place(ACCOUNT, "aws"), Place(OTHER, "aws")
AWS = 'provider["registry.terraform.io/hashicorp/aws"]'


def block(type_: str, name: str, values: dict[str, Any], provider: str = AWS) -> dict[str, Any]:
    row = {"schema_version": 0, "attributes": values, "sensitive_attributes": []}
    return {"mode": "managed", "type": type_, "name": name, "provider": provider, "instances": [row]}


def group(name: str, account: str = ACCOUNT) -> dict[str, Any]:
    return {"arn": f"arn:aws:iam::{account}:group/{name}", "id": name, "name": name, "path": "/"}


def state(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"version": 4, "terraform_version": "1.9.5", "serial": 1, "outputs": {}, "resources": list(blocks)}


def shown(*rows: tuple[str, dict[str, Any]], key: str = "values", **more: Any) -> dict[str, Any]:
    """What `terraform show -json` prints of these: (address, values)."""
    found = [
        {"address": address, "mode": "managed", "type": address.split(".")[0], "values": values}
        for address, values in rows
    ]
    return {"format_version": "1.2", key: {"root_module": {"resources": found}}, **more}


def saved(folder: Path, head: object, name: str = "terraform.tfstate") -> Path:
    path = folder / name
    path.write_text(json.dumps(head))
    return path


BOTH = state(
    block("aws_iam_group", "here", group("devs")),
    block("aws_iam_group", "there", group("devs", OTHER), f"{AWS}.other"),
    block("aws_iam_group_policy", "here", {"group": "devs", "name": "own", "policy": allow("s3:*").text}),
    block(
        "aws_iam_group_policy",
        "there",
        {"group": "devs", "name": "own", "policy": allow("iam:*").text},
        f"{AWS}.other",
    ),
    block("aws_iam_group_membership", "there", {"group": "devs", "name": "m", "users": ["zoe"]}, f"{AWS}.other"),
)


@pytest.mark.parametrize(("place", "address", "action"), [(HERE, "here", "s3:*"), (THERE, "there", "iam:*")])
def test_of_a_state_of_two_accounts_only_one_is_read(tmp_path: Path, place: Place, address: str, action: str) -> None:
    path = saved(tmp_path, BOTH)
    found = read_saved(path, place)
    assert found.groups["devs"].inline == {"own": allow(action)}
    assert found.owners == {f"arn:aws:iam::{place.account}:group/devs": f"terraform aws_iam_group.{address}"}
    assert ("zoe" in found.users) == (address == "there")


def test_what_is_of_the_other_account_is_not_forgotten(tmp_path: Path) -> None:
    """A `state rm` of the other account's group would make Terraform want to make it anew there."""
    managed = read_managed([saved(tmp_path, BOTH)], HERE)
    found = handover(managed.resources, {("group", "devs")}, Snapshot(account=ACCOUNT))
    assert found.state_rm == ("aws_iam_group.here", "aws_iam_group_policy.here")


def test_which_of_two_accounts_is_meant_is_asked(tmp_path: Path) -> None:
    path = saved(tmp_path, BOTH)
    with pytest.raises(BadInput, match=f"2 accounts: {ACCOUNT}, {OTHER}"):
        read_saved(path)
    with pytest.raises(BadInput, match="and not of 777788889999"):
        read_saved(path, Place("777788889999", "aws"))
    live = tmp_path / "live.json"
    live.write_bytes(iam.encode(Snapshot(account=OTHER).put(Group(name="devs"))))
    found = merged(read_all([path, live]).sources).snapshot  # in whichever order
    assert found.owners == {f"arn:aws:iam::{OTHER}:group/devs": "terraform aws_iam_group.there"}


def test_what_is_shown_of_two_accounts_goes_by_the_names_in_it(tmp_path: Path) -> None:
    """`show -json` tells no provider's alias."""
    rows = [
        ("aws_iam_group.a", group("devs")),
        ("aws_iam_group.b", group("ops", OTHER)),
        ("aws_iam_group_policy_attachment.b", {"group": "ops", "policy_arn": READ_ONLY}),
    ]
    path = saved(tmp_path, shown(*rows))
    assert read_saved(path, HERE).groups.keys() == {"devs"}
    assert read_saved(path, THERE).groups["ops"].attached == (READ_ONLY,)
    path = saved(tmp_path, shown(*rows, ("aws_iam_group.c", group("ops"))))
    with pytest.raises(BadInput, match=r"of which aws_iam_group_policy_attachment\.b is") as caught:
        read_saved(path, HERE)
    assert "terraform state pull" in caught.value.hint


def test_attachments_alone_are_of_the_account_that_is_known(tmp_path: Path) -> None:
    values = {"group": "devs", "policy_arn": READ_ONLY, "id": "devs-1"}
    path = saved(tmp_path, state(block("aws_iam_group_policy_attachment", "a", values)))
    assert read_saved(path, HERE).groups["devs"].attached == (READ_ONLY,)
    with pytest.raises(BadInput, match="names the account") as caught:
        read_saved(path)
    assert "--from live" in caught.value.hint


def test_what_a_plan_does_not_know_yet_is_a_gap(tmp_path: Path) -> None:
    head = shown(
        ("aws_iam_group.a", group("devs")),
        ("aws_iam_policy.new", {"name": "new", "path": "/", "policy": allow("s3:*").text}),
        ("aws_iam_group_policy_attachment.new", {"group": "devs"}),
        ("aws_iam_group_membership.a", {"group": "devs", "name": "m", "users": ["ana", None]}),
        ("aws_iam_role.made", {"name_prefix": "made-", "assume_role_policy": trust().text}),
        key="planned_values",
    )
    found = read_saved(saved(tmp_path, head))
    assert (found.users["ana"].groups, found.roles) == (("devs",), {})
    told = "not known before it is applied"
    assert [f"{gap.what}: {gap.why}" for gap in found.incomplete if gap.why.startswith("not known")] == [
        f"aws_iam_group_membership.a: {told}: users",
        f"aws_iam_group_policy_attachment.new: {told}: policy_arn",
        f"aws_iam_role.made: {told}: name",
    ]
    managed = read_managed([saved(tmp_path, head)])
    assert "aws_iam_group.a" in handover(managed.resources, {("group", "devs")}, found).state_rm


def test_what_a_plan_does_not_know_yet_is_still_as_it_is_now(tmp_path: Path) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/edge"
    values = {"arn": arn, "name": "edge", "path": "/", "policy": allow("s3:Get*").text}
    later = {key: value for key, value in values.items() if key != "policy"}
    now = {"prior_state": {**shown(("aws_iam_policy.edge", values))}}
    head = shown(("aws_iam_policy.edge", later), key="planned_values", **now)
    found = read_saved(saved(tmp_path, head))
    assert found.policies[arn].document == allow("s3:Get*")
    assert found.owners == {arn: "terraform aws_iam_policy.edge"}


def test_what_terraform_has_not_touched_since_version_3_lies_flat_in_version_4(tmp_path: Path) -> None:
    head = state(block("aws_iam_group", "a", {}), block("aws_iam_group_membership", "a", {}))
    flat = [
        group("devs"),
        {"group": "devs", "name": "m", "users.#": "1", "users.123": "ana"},
    ]
    for row, values in zip(head["resources"], flat, strict=True):
        row["instances"] = [{"schema_version": 0, "attributes_flat": values}]
    found = read_saved(saved(tmp_path, head))
    assert (set(found.groups), found.users["ana"].groups) == ({"devs"}, ("devs",))


def test_what_is_shown_of_nothing_is_a_state_that_holds_nothing(tmp_path: Path) -> None:
    """As `terraform show -json` prints it when all has been forgotten."""
    path = saved(tmp_path, {"format_version": "1.0"}, "state.json")
    assert read_saved(path, HERE).owners == {}
    assert read_managed([path], HERE) == ([], [], True)


@pytest.mark.parametrize("name", ["terraform.tfstate", "state"])
def test_what_must_be_unpacked_or_decrypted_first_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    sealed = {"serial": 1, "lineage": "l", "meta": {}, "encrypted_data": "AAAA", "encryption_version": "v0"}
    told = {
        json.dumps(sealed).encode(): "OpenTofu has encrypted",
        gzip.compress(b"{}", mtime=0): "compressed by gzip",
        b"PK\x03\x04tfplan": "a zip file",
    }
    for data, message in told.items():
        path.write_bytes(data)
        with pytest.raises(BadInput, match=message) as caught:
            read_saved(path)
        assert (caught.value.where, bool(caught.value.hint)) == (f"{path}:1", True)


def test_the_cloud_control_provider_is_an_owner_too(tmp_path: Path) -> None:
    """What it makes is not read, which is told, and it lets go of it as the other provider does."""
    values = {"arn": f"arn:aws:iam::{ACCOUNT}:group/ops", "group_name": "ops", "id": "ops", "path": "/"}
    cc = AWS.replace("/aws", "/awscc")
    path = saved(
        tmp_path,
        state(
            block("awscc_iam_group", "cc", values, cc),
            block("awscc_iam_group_policy", "cc", {"group_name": "ops", "policy_name": "x", "id": "x|ops"}, cc),
        ),
    )
    found = read_saved(path)
    assert found.owners == {values["arn"]: "terraform awscc_iam_group.cc"}
    assert {gap.what for gap in found.incomplete} >= {"awscc_iam_group.cc", "awscc_iam_group_policy.cc"}
    gone = handover(read_managed([path]).resources, {("group", "ops")}, found)
    assert gone.state_rm == gone.removed == ("awscc_iam_group.cc", "awscc_iam_group_policy.cc")


def test_what_says_that_nothing_else_hangs_on_what_goes_goes_along(tmp_path: Path) -> None:
    exclusive = [
        block(f"aws_iam_group_{what}_exclusive", "a", {"group_name": "devs", what: []})
        for what in ("policies", "policy_attachments")
    ]
    path = saved(tmp_path, state(block("aws_iam_group", "a", group("devs")), *exclusive))
    found = handover(read_managed([path]).resources, {("group", "devs")}, Snapshot(account=ACCOUNT))
    assert found.state_rm == (
        "aws_iam_group.a",
        "aws_iam_group_policies_exclusive.a",
        "aws_iam_group_policy_attachments_exclusive.a",
    )
