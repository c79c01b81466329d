"""Terraform's resources that take over all that hangs on somebody: they attach what they list, as the provider does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secmigrate.handover import EXCLUSIVE
from secmigrate.sources.saved import read_saved
from tests.small import ACCOUNT, READ_ONLY, allow, trust
from tests.sources.test_states import block, group, saved, shown, state

OWN = f"arn:aws:iam::{ACCOUNT}:policy/own"
USER = {"arn": f"arn:aws:iam::{ACCOUNT}:user/devs", "name": "devs", "path": "/"}
ROLE = {
    "arn": f"arn:aws:iam::{ACCOUNT}:role/devs",
    "name": "devs",
    "path": "/",
    "assume_role_policy": trust().text,
    "managed_policy_arns": [],
    "inline_policy": [],
}
POLICY = block("aws_iam_policy", "own", {"arn": OWN, "name": "own", "path": "/", "policy": allow("s3:*").text})
HOLDERS = {"user": USER, "group": group("devs"), "role": ROLE}
each_kind = pytest.mark.parametrize("kind", HOLDERS)


def attachments(kind: str, *arns: str) -> dict[str, Any]:
    values = {f"{kind}_name": "devs", "policy_arns": list(arns)}
    return block(f"aws_iam_{kind}_policy_attachments_exclusive", "all", values)


def inline(kind: str, *names: str) -> dict[str, Any]:
    return block(f"aws_iam_{kind}_policies_exclusive", "all", {f"{kind}_name": "devs", "policy_names": list(names)})


def told(folder: Path, *blocks: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    """The snapshot, and its gaps but for the one that every state has."""
    found = read_saved(saved(folder, state(*blocks)))
    gaps = {gap.what: gap.why for gap in found.incomplete}
    del gaps["what Terraform does not manage"]
    return found, gaps


def test_every_kind_of_them_is_known() -> None:
    kinds = {f"aws_iam_{kind}_{what}_exclusive" for kind in HOLDERS for what in ("policies", "policy_attachments")}
    assert EXCLUSIVE.keys() == kinds


@each_kind
def test_what_they_list_is_attached(kind: str, tmp_path: Path) -> None:
    found, gaps = told(
        tmp_path, block(f"aws_iam_{kind}", "a", HOLDERS[kind]), POLICY, attachments(kind, OWN, READ_ONLY)
    )
    assert found.principal(kind, "devs").attached == tuple(sorted((OWN, READ_ONLY)))
    assert gaps == {}


@each_kind
def test_beside_the_attachments_that_they_repeat_they_say_nothing_more(kind: str, tmp_path: Path) -> None:
    single = [
        block(f"aws_iam_{kind}_policy_attachment", "a", {kind: "devs", "policy_arn": READ_ONLY}),
        block(f"aws_iam_{kind}_policy", "a", {kind: "devs", "name": "own", "policy": allow("sqs:*").text}),
    ]
    holder = block(f"aws_iam_{kind}", "a", HOLDERS[kind])
    alone, gaps = told(tmp_path, holder, *single)
    assert gaps == {}
    assert told(tmp_path, *single, attachments(kind, READ_ONLY), inline(kind, "own"), holder) == (alone, {})
    assert alone.principal(kind, "devs").attached == (READ_ONLY,)


@each_kind
def test_an_inline_policy_whose_document_nobody_holds_is_a_gap(kind: str, tmp_path: Path) -> None:
    found, gaps = told(tmp_path, block(f"aws_iam_{kind}", "a", HOLDERS[kind]), inline(kind, "by-hand", "or-so"))
    why = f"names inline policies of {kind} devs whose documents are not in it: by-hand, or-so"
    assert gaps == {f"aws_iam_{kind}_policies_exclusive.all": why}
    assert not found.principal(kind, "devs").inline


def test_the_inline_policies_within_a_role_are_known(tmp_path: Path) -> None:
    rows = [{"name": "own", "policy": allow("sqs:*").text}]
    _, gaps = told(tmp_path, block("aws_iam_role", "a", {**ROLE, "inline_policy": rows}), inline("role", "own"))
    assert gaps == {}


def test_on_whom_others_manage_only_what_they_list_is_told(tmp_path: Path) -> None:
    """An empty list says of a role that nothing hangs on it."""
    found, gaps = told(tmp_path, POLICY, attachments("group", READ_ONLY), attachments("role"), inline("role"))
    assert found.groups["devs"].attached == (READ_ONLY,)
    assert gaps == {"group devs": "named in the state, but not managed by it"}
    _, gaps = told(tmp_path, POLICY, attachments("role", READ_ONLY))
    assert gaps == {"role devs": "named in the state, but not managed by it"}


def test_what_a_plan_does_not_know_yet_of_them_is_a_gap(tmp_path: Path) -> None:
    """That the document of an inline policy is not known is told once, where it stands."""
    head = shown(
        ("aws_iam_group.a", group("devs")),
        ("aws_iam_group_policy_attachments_exclusive.a", {"group_name": "devs", "policy_arns": [READ_ONLY, None]}),
        ("aws_iam_group_policy.a", {"group": "devs", "name": "own"}),
        ("aws_iam_group_policies_exclusive.a", {"group_name": "devs", "policy_names": ["own"]}),
        key="planned_values",
    )
    found = read_saved(saved(tmp_path, head))
    assert found.groups["devs"].attached == (READ_ONLY,)
    assert [f"{gap.what}: {gap.why}" for gap in found.incomplete][:-1] == [
        "aws_iam_group_policy.a: not known before it is applied: policy",
        "aws_iam_group_policy_attachments_exclusive.a: not known before it is applied: policy_arns",
    ]
