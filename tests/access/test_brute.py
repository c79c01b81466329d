"""The brute-force evaluator against cases written by hand from AWS's pages; each id names the page's rule."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.iam import Document, Group, Policy, Principal, Role, Snapshot, User
from tests.access.brute import Request, Unreadable, allowed

ACCOUNT = "111122223333"
LIMIT = f"arn:aws:iam::{ACCOUNT}:policy/Limit"
NEW = "2012-10-17"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
S3 = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
DENY_S3 = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
GET = Request("s3:GetObject", "arn:aws:s3:::data/a", {})


def document(*bodies: dict[str, Any], version: str = NEW) -> Document:
    return Document({"Statement": list(bodies), **({"Version": version} if version else {})})


def trust(principal: Any, effect: str = "Allow", action: str = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, **more}


def alone(*principals: Principal, limit: Document | None = None) -> Snapshot:
    snapshot = Snapshot(account=ACCOUNT)
    for one in principals:
        snapshot = snapshot.put(one)
    return snapshot.put(Policy(arn=LIMIT, document=limit)) if limit else snapshot


def user_may(request: Request, *bodies: dict[str, Any], version: str = NEW) -> bool:
    ann = User(name="ann", inline={"own": document(*bodies, version=version)})
    return allowed(alone(ann), ann, request)


# AWS, "Policy evaluation logic": default deny, allows add up, an explicit deny wins.
EVALUATION = {
    "nothing is a no": ((), False),
    "allow": ((S3,), True),
    "another service": (({**S3, "Action": "sqs:*"},), False),
    "deny alone": ((DENY_S3,), False),
    "deny first": ((DENY_S3, ALL), False),
    "deny last": ((ALL, DENY_S3), False),
    "deny of something else": ((ALL, {**DENY_S3, "Action": "s3:PutObject"}), True),
    "deny elsewhere": ((ALL, {**DENY_S3, "Resource": "arn:aws:s3:::logs/*"}), True),
    "deny whose condition is false": ((ALL, {**DENY_S3, "Condition": {"Bool": {"aws:x": "true"}}}), True),
    "deny whose condition is true": ((ALL, {**DENY_S3, "Condition": {"Null": {"aws:x": "true"}}}), False),
    # "NotAction"
    "NotAction leaves out": (({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"},), False),
    "NotAction allows the rest": (({"Effect": "Allow", "NotAction": ["iam:*", "S3:PUT*"], "Resource": "*"},), True),
    "NotAction in a deny spares": ((ALL, {"Effect": "Deny", "NotAction": "s3:getobject", "Resource": "*"}), True),
    "NotAction in a deny hits": ((ALL, {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}), False),
    # "NotResource"
    "NotResource leaves out": (({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::data/*"},), False),
    "NotResource allows the rest": (({"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::l*"]},), True),
    "NotResource in a deny spares": (
        (ALL, {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::x", GET.resource]}),
        True,
    ),
    "NotResource in a deny hits": ((ALL, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::logs"}), False),
    "a variable without a value leaves nothing out": (
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::${aws:x}"},),
        True,
    ),
}


@pytest.mark.parametrize(("bodies", "expected"), EVALUATION.values(), ids=list(EVALUATION))
def test_evaluation(bodies: tuple[dict[str, Any], ...], expected: bool) -> None:
    ann = User(name="ann", inline={"own": document(*bodies)} if bodies else {})
    assert allowed(alone(ann), ann, GET) is expected


# AWS, "Action": wildcards, case ignored. "Resource": wildcards by segment, case counts.
@pytest.mark.parametrize(
    ("glob", "action", "expected"),
    [
        ("*", "nosuch:Thing", True),
        ("*:*", "nosuch:Thing", True),
        ("S3:GETOBJECT", "s3:GetObject", True),
        ("s3:get*", "s3:GetObject", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:?GetObject", "s3:GetObject", False),
        ("s3:*Object", "s3:GetObjectAcl", False),
        ("*:List*", "s3:ListBucket", True),
        ("iam:*AccessKey*", "IAM:UpdateAccessKey", True),
        ("s3:${ann}", "s3:ann", False),  # variables do not reach actions
    ],
)
def test_actions(glob: str, action: str, expected: bool) -> None:
    assert user_may(Request(action, "*", {}), {**ALL, "Action": [glob]}) is expected


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", "*", True),
        ("*", "arn:aws:s3:::data", True),
        ("arn:aws:s3:::*", "*", False),
        ("arn:aws:s3:::data", "arn:aws:s3:::Data", False),
        ("arn:aws:s3:::data/*/test/*", "arn:aws:s3:::data/1/2/test/3/object.jpg", True),
        ("arn:aws:s3:::data/*/test/*", "arn:aws:s3:::data///test///object.jpg", True),
        ("arn:aws:s3:::data/*/test/*", "arn:aws:s3:::data/1-test/object.jpg", False),
        ("arn:aws:s3:::data/*/test/*", "arn:aws:s3:::data/test/object.jpg", False),
        ("arn:aws:s3:::data*", "arn:aws:s3:::data:x", True),  # ends its segment: beyond the colon
        ("arn:aws:sqs:*:111122223333:jobs", "arn:aws:sqs:eu-west-1:111122223333:jobs", True),
        ("arn:aws:sqs:*:jobs", "arn:aws:sqs:eu-west-1:111122223333:jobs", True),
        ("arn:aws:sqs:eu*1:111122223333:jobs", "arn:aws:sqs:eu-west-1:111122223333:jobs", True),
        ("arn:aws:logs:r:1:log-group:*p:x", "arn:aws:logs:r:1:log-group:a:p:x", False),  # inside: stays
        ("arn:aws:logs:r:1:log-group:a*:x", "arn:aws:logs:r:1:log-group:a:b:c:x", True),
        ("arn:aws:logs:r:1:log-group:a*?", "arn:aws:logs:r:1:log-group:a:b", False),
        ("arn:aws:logs:r:1:log-group:a?b", "arn:aws:logs:r:1:log-group:a:b", False),
        ("arn:aws:logs:r:1:log-group:a?b", "arn:aws:logs:r:1:log-group:a/b", True),
        ("arn:aws:s3:::d?ta", "arn:aws:s3:::dta", False),
        ("arn:aws:s3:::a.c", "arn:aws:s3:::abc", False),
    ],
)
def test_resources(pattern: str, resource: str, expected: bool) -> None:
    assert (
        user_may(Request("s3:GetObject", resource, {}), {**S3, "Resource": ["arn:aws:s3:::other", pattern]}) is expected
    )


# AWS, "IAM policy elements: Variables and tags".
@pytest.mark.parametrize(
    ("pattern", "key", "version", "expected"),
    [
        ("${aws:username}", "ann", NEW, True),
        ("${AWS:UserName}", "ann", NEW, True),
        ("${aws:username}", "bob", NEW, False),
        ("${aws:username}", "ann", "2008-10-17", False),
        ("${aws:username}", "${aws:username}", "2008-10-17", True),
        ("${aws:username}", "${aws:username}", "", True),
        ("${*}", "*", NEW, True),
        ("${*}", "x", NEW, False),
        ("${*}", "${x}", "2008-10-17", True),  # there, the star is a star
        ("a${?}", "a?", NEW, True),
        ("a${?}", "ab", NEW, False),
        ("${$}{x}", "${x}", NEW, True),
        ("${aws:PrincipalTag/team}", "red*", NEW, True),
        ("${aws:PrincipalTag/team}", "redder", NEW, False),  # the tag's star is no wildcard
        ("${aws:PrincipalTag/team, 'none'}", "red*", NEW, True),
        ("${aws:PrincipalTag/cost, 'none'}", "none", NEW, True),
        ("${aws:PrincipalTag/cost,'n*'}", "none", NEW, False),
        ("${aws:PrincipalTag/cost}", "", NEW, False),
        ("${aws:PrincipalTag/cost}", "${aws:PrincipalTag/cost}", NEW, False),
        ("${aws:TagKeys}", "a", NEW, False),  # "Single-valued vs. multivalued context keys"
        ("${aws:username}/*", "ann/x:y", NEW, True),
        ("?${aws:username}?", "-ann-", NEW, True),
    ],
)
def test_variables(pattern: str, key: str, version: str, expected: bool) -> None:
    context = {"AWS:principaltag/TEAM": ("red*",), "aws:TagKeys": ("a", "b"), "aws:username": ("not she",)}
    request = Request("s3:GetObject", f"arn:aws:s3:::b/{key}", context)
    assert user_may(request, {**S3, "Resource": f"arn:aws:s3:::b/{pattern}"}, version=version) is expected


# AWS, "Permissions boundaries for IAM entities": allowed by both, denied by either; groups have none.
@pytest.mark.parametrize(
    ("own", "group", "limit", "expected"),
    [
        ((S3,), (), (S3,), True),
        ((S3,), (), ({**S3, "Action": "sqs:*"},), False),
        ((), (), (ALL,), False),
        ((), (S3,), (ALL,), True),
        ((), (S3,), ({**S3, "Action": "iam:*"},), False),
        ((S3,), (), (ALL, DENY_S3), False),
        ((S3,), (DENY_S3,), (ALL,), False),
        ((S3,), (DENY_S3,), (), False),
        ((), (S3,), (), True),
    ],
)
def test_boundaries(own: Any, group: Any, limit: Any, expected: bool) -> None:
    team = Group(name="team", inline={"x": document(*group)} if group else {})
    inline = {"x": document(*own)} if own else {}
    ann = User(name="ann", inline=inline, groups=("team",), boundary=LIMIT if limit else "")
    snapshot = alone(ann, team, limit=document(*limit) if limit else None)
    assert allowed(snapshot, ann, GET) is expected
    if not group:
        role = Role(name="r", inline=inline, boundary=ann.boundary, trust=document(trust("*")))
        assert allowed(snapshot, role, GET) is expected


def test_attached_policies_count_for_users_groups_and_roles() -> None:
    team = Group(name="team", attached=(LIMIT,))
    direct, member = User(name="ann", attached=(LIMIT,)), User(name="bob", groups=("team",))
    role = Role(name="r", attached=(LIMIT,), trust=document(trust("*")))
    snapshot = alone(team, direct, member, role, limit=document(S3))
    assert [allowed(snapshot, one, GET) for one in (direct, member, role, User(name="cy"))] == [True, True, True, False]


def test_a_role_has_no_username() -> None:
    body = {**S3, "Resource": "arn:aws:s3:::${aws:username}"}
    role = Role(name="r", inline={"x": document(body)}, trust=document(trust("*")))
    assert not allowed(alone(role), role, Request("s3:GetObject", "arn:aws:s3:::r", {}))


# AWS, "Grammar of the IAM JSON policy language", "Access Analyzer policy check reference".
UNREADABLE: dict[str, Any] = {
    "version": {"Version": "2020-01-01", "Statement": [ALL]},
    "element of the document": {"Version": NEW, "Statement": [ALL], "Author": "me"},
    "no statement": {"Version": NEW},
    "a statement that is a text": {"Version": NEW, "Statement": ["x"]},
} | {
    name: {"Version": NEW, "Statement": [ALL, body]}
    for name, body in {
        "effect": {**ALL, "Effect": "allow"},
        "element of the statement": {**ALL, "Resources": "*"},
        "two of Action": {**ALL, "NotAction": "*"},
        "no Action": {"Effect": "Allow", "Resource": "*"},
        "no Resource": {"Effect": "Allow", "Action": "*"},
        "Principal in an identity policy": {**ALL, "Principal": "*"},
        "action without service": {**ALL, "Action": "GetObject"},
        "action that is a number": {**ALL, "Action": [1]},
        "resource that is no ARN": {**ALL, "Resource": "data/*"},
        "intrinsic": {**ALL, "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]}},
        "open variable": {**ALL, "Resource": "arn:aws:s3:::${aws:username"},
        "empty variable": {**ALL, "Resource": "arn:aws:s3:::${}"},
        "condition that is a list": {**ALL, "Condition": []},
        "operator": {**ALL, "Condition": {"StringEqual": {"aws:x": "1"}}},
        "set operator": {**ALL, "Condition": {"ForSomeValues:StringEquals": {"aws:x": "1"}}},
        "NullIfExists": {**ALL, "Condition": {"NullIfExists": {"aws:x": "true"}}},
        "Null's value": {**ALL, "Condition": {"Null": {"aws:x": "maybe"}}},
        "number": {**ALL, "Condition": {"NumericEquals": {"aws:x": "ten"}}},
        "date": {**ALL, "Condition": {"DateLessThan": {"aws:x": "soon"}}},
        "address": {**ALL, "Condition": {"NotIpAddress": {"aws:x": "10.0.0.300"}}},
        "value that is an object": {**ALL, "Condition": {"StringEquals": {"aws:x": {"Ref": "y"}}}},
        "open variable in a condition": {**ALL, "Condition": {"StringLike": {"aws:x": "${a"}}},
    }.items()
}


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_is_not_valid_is_unreadable(value: dict[str, Any]) -> None:
    ann = User(name="ann", inline={"own": Document(value)})
    with pytest.raises(Unreadable):
        allowed(alone(ann), ann, GET)


@pytest.mark.parametrize(
    "ann", [User(name="ann", attached=(LIMIT,)), User(name="ann", boundary=LIMIT), User(name="ann", groups=("gone",))]
)
def test_what_is_not_there_is_unreadable(ann: User) -> None:
    with pytest.raises(Unreadable):
        allowed(alone(ann), ann, GET)
