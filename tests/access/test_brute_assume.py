"""Who may assume a role, after the brute-force evaluator: cases from AWS's pages."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.iam import Role, User
from tests.access.brute import Unreadable, may_assume
from tests.access.test_brute import ACCOUNT, ALL, LIMIT, S3, alone, document, trust

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
DENY_ASSUME = {**ASSUME, "Effect": "Deny"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NOT_ANN = {"Effect": "Deny", "Action": "sts:*", "NotPrincipal": {"AWS": [ANN, ROOT]}}
# AWS, "AssumeRole" (STS API): trust, own statements of the user, context, may she.
TRUSTS: dict[str, tuple[Any, Any, dict[str, tuple[str, ...]], bool]] = {
    "named by ARN": (trust({"AWS": ANN}), (), {}, True),
    "named among others": (trust({"AWS": ["arn:aws:iam::999999999999:root", ANN]}), (), {}, True),
    "named, denied by her own": (trust({"AWS": ANN}), (DENY_ASSUME,), {}, False),
    "named, for another action": (trust({"AWS": ANN}, action="sts:TagSession"), (ALL,), {}, False),
    "any case of the action": (trust({"AWS": ANN}, action="STS:assume*"), (), {}, True),
    "somebody else": (trust({"AWS": ANN.replace("ann", "bob")}), (ALL,), {}, False),
    "root alone": (trust({"AWS": ROOT}), (), {}, False),
    "root and permission": (trust({"AWS": ROOT}), (ASSUME,), {}, True),
    "root and permission elsewhere": (
        trust({"AWS": ROOT}),
        ({**ASSUME, "Resource": f"arn:aws:iam::{ACCOUNT}:role/other"},),
        {},
        False,
    ),
    "root and permission here": (
        trust({"AWS": ROOT}),
        ({**ASSUME, "Resource": f"arn:aws:iam::{ACCOUNT}:role/ops/app"},),
        {},
        True,
    ),
    "account id": (trust({"AWS": ACCOUNT}), (ASSUME,), {}, True),
    "another account": (trust({"AWS": "999999999999"}), (ASSUME,), {}, False),
    "star alone": (trust("*"), (), {}, True),
    "AWS star alone": (trust({"AWS": "*"}), (), {}, True),
    "star, denied by her own": (trust("*"), (DENY_ASSUME,), {}, False),
    "a service": (trust({"Service": "ec2.amazonaws.com"}), (ALL,), {}, False),
    "condition true": (trust({"AWS": ANN}, Condition=MFA), (), {"AWS:multifactorauthpresent": ("true",)}, True),
    "condition false": (trust({"AWS": ANN}, Condition=MFA), (), {"aws:MultiFactorAuthPresent": ("false",)}, False),
    "condition's key missing": (trust({"AWS": ANN}, Condition=MFA), (), {}, False),
    "condition on her name": (
        trust({"AWS": ROOT}, Condition={"StringEquals": {"aws:username": "ann"}}),
        (ASSUME,),
        {},
        True,
    ),
    "trust denies": ([trust({"AWS": ANN}), trust({"AWS": ANN}, "Deny")], (ALL,), {}, False),
    "trust denies the account": ([trust({"AWS": ANN}), trust({"AWS": ROOT}, "Deny")], (ALL,), {}, False),
    "trust denies somebody else": ([trust({"AWS": ANN}), trust({"AWS": ANN + "a"}, "Deny")], (), {}, True),
    "NotPrincipal spares": ([trust({"AWS": ANN}), NOT_ANN], (), {}, True),
    "NotPrincipal denies": (
        [trust({"AWS": ANN}), {**NOT_ANN, "NotPrincipal": {"AWS": ANN.replace("ann", "bob")}}],
        (ALL,),
        {},
        False,
    ),
    "NotPrincipal's allow leaves it to her policies": (
        {"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": ANN.replace("ann", "bob")}},
        (),
        {},
        False,
    ),
    "NotPrincipal's allow and permission": (
        {"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": ANN.replace("ann", "bob")}},
        (ASSUME,),
        {},
        True,
    ),
    "NotPrincipal's allow leaves her out": (
        {"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": ANN}},
        (ASSUME,),
        {},
        False,
    ),
}


@pytest.mark.parametrize(("trusted", "own", "context", "expected"), TRUSTS.values(), ids=list(TRUSTS))
def test_assuming(trusted: Any, own: Any, context: dict[str, tuple[str, ...]], expected: bool) -> None:
    ann = User(name="ann", inline={"own": document(*own)} if own else {})
    role = Role(name="app", path="/ops/", trust=document(*(trusted if isinstance(trusted, list) else [trusted])))
    assert may_assume(alone(ann, role), ann, role, context) is expected


# AWS, "Permissions boundaries", "Evaluating effective permissions", and *NotPrincipal*.
@pytest.mark.parametrize(
    ("trusted", "own", "limit", "expected"),
    [
        ([trust({"AWS": ANN})], (), S3, True),
        ([trust("*")], (), S3, True),
        ([trust({"AWS": ROOT})], (ASSUME,), S3, False),
        ([trust({"AWS": ROOT})], (ASSUME,), ALL, True),
        ([trust({"AWS": ANN})], (), DENY_ASSUME, False),
        ([trust({"AWS": ANN}), NOT_ANN], (), ALL, False),
        ([{**NOT_ANN, "Effect": "Allow"}], (ASSUME,), ALL, False),
    ],
    ids=[
        "a trust that names her passes by it",
        "a trust that names everybody passes by it",
        "silent",
        "allows",
        "denies",
        "NotPrincipal denies whoever has one",
        "NotPrincipal's allow still leaves her out",
    ],
)
def test_assuming_within_a_boundary(trusted: Any, own: Any, limit: dict[str, Any], expected: bool) -> None:
    ann = User(name="ann", inline={"own": document(*own)} if own else {}, boundary=LIMIT)
    role = Role(name="app", trust=document(*trusted))
    assert may_assume(alone(ann, role, limit=document(limit)), ann, role, {}) is expected


@pytest.mark.parametrize(
    "body",
    [
        {**trust("*"), "Resource": "*"},
        {"Effect": "Allow", "Action": "sts:AssumeRole"},
        trust("ann"),
        trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/*"}),
        trust({"Aws": ANN}),
        trust({}),
    ],
    ids=["resource", "no principal", "a name", "wildcard", "unknown type", "nobody"],
)
def test_a_trust_that_is_not_valid_is_unreadable(body: dict[str, Any]) -> None:
    ann, role = User(name="ann"), Role(name="r", trust=document(body))
    with pytest.raises(Unreadable):
        may_assume(alone(ann, role), ann, role, {})
