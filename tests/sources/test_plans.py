"""What a plan does not know before it is applied is told by address, and what every new role does not know is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from secmigrate.iam import Snapshot
from secmigrate.sources.saved import read_saved
from tests.small import ACCOUNT, READ_ONLY, allow, trust
from tests.sources.test_states import group, saved, shown

LATER = "not known before it is applied: "
ROLE = {"name": "r", "path": "/", "assume_role_policy": trust().text, "max_session_duration": 3600}
NOW = {
    **ROLE,
    "arn": f"arn:aws:iam::{ACCOUNT}:role/r",
    "managed_policy_arns": [READ_ONLY],
    "inline_policy": [{"name": "own", "policy": allow("sqs:*").text}],
    "permissions_boundary": READ_ONLY,
    "tags": {"team": "data"},
}
# As the provider says of each role that is made, whatever the code gives.
OF_NEW = {
    **dict.fromkeys(("arn", "create_date", "id", "name_prefix", "tags_all", "unique_id"), True),
    "inline_policy": True,
    "managed_policy_arns": True,
}


def plan(
    folder: Path,
    values: Mapping[str, Any],
    unknown: Mapping[str, Any],
    now: Mapping[str, Any] | None = None,
    type_: str = "aws_iam_role",
    actions: Sequence[str] = (),
    **more: Any,
) -> tuple[Snapshot, list[str]]:
    """What is read of a plan for one resource beside a group that stays, and what it does not know."""
    address = f"{type_}.r"
    actions = list(actions) or (["update"] if now else ["create"])
    stays = ("aws_iam_group.devs", group("devs"))
    prior = shown(stays, *([(address, dict(now))] if now else []))
    changes = [{"address": address, "change": {"actions": actions, "after_unknown": unknown}}]
    head = shown(stays, (address, dict(values)), key="planned_values", prior_state=prior)
    found = read_saved(saved(folder, {**head, "resource_changes": changes, **more}))
    return found, [gap.why.removeprefix(LATER) for gap in found.incomplete if gap.what == address]


def code(*given: str) -> dict[str, Any]:
    """The configuration of a plan: what the block of the role gives."""
    block = {"address": "aws_iam_role.r", "expressions": {key: {} for key in given}}
    module: dict[str, Any] = {"resources": [block]}
    return {"configuration": {"root_module": module}}


def test_what_every_new_role_does_not_know_is_no_gap(tmp_path: Path) -> None:
    found, unknown = plan(tmp_path, ROLE, OF_NEW, **code("name", "assume_role_policy"))
    assert (unknown, set(found.roles)) == ([], {"r"})


def test_what_the_code_gives_and_nobody_knows_is_a_gap(tmp_path: Path) -> None:
    _, unknown = plan(tmp_path, ROLE, OF_NEW, **code("name", "managed_policy_arns"))
    assert unknown == ["managed_policy_arns"]
    _, unknown = plan(tmp_path, ROLE, OF_NEW)  # who has taken the configuration out
    assert unknown == ["managed_policy_arns, inline_policy"]


@pytest.mark.parametrize("key", ["permissions_boundary", "tags", "description", "path", "max_session_duration"])
def test_a_value_that_is_not_known_is_not_just_none(key: str, tmp_path: Path) -> None:
    values = {name: value for name, value in ROLE.items() if name != key}
    found, unknown = plan(tmp_path, values, {**OF_NEW, key: True}, **code(key))
    assert (unknown, set(found.roles)) == ([key], {"r"})


def test_an_inline_policy_without_its_document_is_a_gap_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = [{"name": "later"}, {"name": "own", "policy": allow("s3:*").text}, {}]
    unknown = {**OF_NEW, "inline_policy": [{"policy": True}, {}, {"name": True, "policy": True}]}
    found, told = plan(tmp_path, {**ROLE, "inline_policy": rows}, unknown, **code("inline_policy"))
    assert told == ["inline_policy"]
    assert found.roles["r"].inline == {"own": allow("s3:*")}


def test_what_is_not_known_is_as_it_is_now(tmp_path: Path) -> None:
    unknown = dict.fromkeys(("managed_policy_arns", "permissions_boundary", "tags"), True)
    values = {key: value for key, value in NOW.items() if key not in unknown}
    values["inline_policy"] = [{"name": "own"}, {"name": "more"}]
    found, told = plan(tmp_path, values, {**unknown, "inline_policy": [{"policy": True}, {"policy": True}]}, NOW)
    role = found.roles["r"]
    assert (role.attached, role.boundary, role.tags) == ((READ_ONLY,), READ_ONLY, {"team": "data"})
    assert role.inline == {"own": allow("sqs:*")}
    now = " (read as it is now)"
    assert told == [f"permissions_boundary{now}, tags{now}, managed_policy_arns{now}, inline_policy{now}"]


def test_what_stays_as_it_is_is_no_gap(tmp_path: Path) -> None:
    found, told = plan(tmp_path, NOW, {"tags": {}, "inline_policy": [{}], "managed_policy_arns": [False]}, NOW)
    assert (told, found.roles["r"].attached) == ([], (READ_ONLY,))


def test_a_document_that_changes_to_something_unknown_is_told(tmp_path: Path) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/edge"
    now = {"arn": arn, "name": "edge", "path": "/", "policy": allow("s3:Get*").text}
    values = {key: value for key, value in now.items() if key != "policy"}
    found, told = plan(tmp_path, values, {"policy": True}, now, "aws_iam_policy")
    assert told == ["policy (read as it is now)"]
    assert found.policies[arn].document == allow("s3:Get*")


def test_whom_an_attachment_is_for_may_not_be_known(tmp_path: Path) -> None:
    values = {"name": "a", "policy_arn": READ_ONLY, "users": ["ann"]}
    found, told = plan(tmp_path, values, {"roles": True, "groups": True}, None, "aws_iam_policy_attachment")
    assert told == ["groups, roles"]
    assert found.users["ann"].attached == (READ_ONLY,)


def test_who_is_in_a_group_is_as_now_where_the_plan_does_not_know(tmp_path: Path) -> None:
    now = {"name": "m", "group": "devs", "users": ["ann"]}
    found, told = plan(tmp_path, {"name": "m", "group": "devs"}, {"users": True}, now, "aws_iam_group_membership")
    assert told == ["users (read as it is now)"]
    assert found.users["ann"].groups == ("devs",)


def test_a_plan_that_was_cut_short_is_told(tmp_path: Path) -> None:
    for complete in (True, False):
        found, _ = plan(tmp_path, ROLE, OF_NEW, **code("name"), complete=complete)
        assert ("what the plan leaves out" in {gap.what for gap in found.incomplete}) != complete


def test_what_hung_on_a_role_that_is_replaced_does_not_hang_on_the_new_one(tmp_path: Path) -> None:
    """What hangs on it then is told by the resources that hang it there."""
    found, unknown = plan(
        tmp_path,
        {**ROLE, "name": "r2"},
        OF_NEW,
        NOW,
        actions=["delete", "create"],
        **code("name", "assume_role_policy"),
    )
    (new,) = found.roles.values()
    assert (new.name, new.attached, dict(new.inline), unknown) == ("r2", (), {}, [])
