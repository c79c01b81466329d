"""What AWS refuses and moto does: each refusal shown twice, done by plain moto and refused by the twin.

A case is a few steps that both do, one more call, and AWS's error code for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from moto import mock_aws
from moto.iam.models import IAMBackend, iam_backends
from msgspec import structs

from secmigrate.iam import Document, Entity, Group, InstanceProfile, Policy, Role, Snapshot, User
from secmigrate.twin import Twin
from secmigrate.twin.quotas import QUOTAS
from tests.accounts import AWS_MANAGED
from tests.small import allow, trust
from tests.twin.conftest import ACCOUNT, client, code_of

Step = Callable[[Any], object]

ALLOW, TRUST = allow("s3:GetObject").text, trust().text
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/p"
SERVICE = "AWSServiceRoleForAutoScaling"


def trusting(*principals: str) -> str:
    """A trust policy that lets these in."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def arn(kind: str, name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


def long(size: int, principal: Any = None) -> str:
    """A document of exactly that many characters, and more with its white space."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole" if principal else "s3:*", "Sid": ""}
    statement |= {"Principal": principal} if principal else {"Resource": "*"}
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": [statement]}
    statement["Sid"] = "x" * (size - Document(document).size)
    assert Document(document).size == size
    return json.dumps(document, indent=8)


SERVICE_TRUST = {"Service": "ec2.amazonaws.com"}


# Steps -------------------------------------------------------------------------------------------------------------


def user(api: Any) -> None:
    api.create_user(UserName="u")


def group(api: Any) -> None:
    api.create_group(GroupName="g")


def role(api: Any) -> None:
    api.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)


def policy(api: Any) -> None:
    api.create_policy(PolicyName="p", PolicyDocument=ALLOW)


def profile(api: Any) -> None:
    api.create_instance_profile(InstanceProfileName="i")


def member(api: Any) -> None:
    api.add_user_to_group(GroupName="g", UserName="u")


def attached(kind: str) -> Step:
    name = kind[:1]
    return lambda api: getattr(api, f"attach_{kind}_policy")(**{f"{kind.title()}Name": name, "PolicyArn": POLICY})


def inline(kind: str, name: str = "inline", document: str = ALLOW) -> Step:
    who = {f"{kind.title()}Name": kind[:1]}
    return lambda api: getattr(api, f"put_{kind}_policy")(**who, PolicyName=name, PolicyDocument=document)


def new_trust(document: str) -> Step:
    return lambda api: api.update_assume_role_policy(RoleName="r", PolicyDocument=document)


def on_service_role(method: str, params: Mapping[str, str]) -> Step:
    return lambda api: getattr(api, method)(RoleName=SERVICE, **params)


def version(api: Any) -> None:
    api.create_policy_version(PolicyArn=POLICY, PolicyDocument=ALLOW)


def carried(api: Any) -> None:
    api.add_role_to_instance_profile(InstanceProfileName="i", RoleName="r")


def ten_groups(api: Any) -> None:
    for number in range(10):
        api.create_group(GroupName=f"g{number}")
        api.add_user_to_group(GroupName=f"g{number}", UserName="u")


def ten_policies(kind: str) -> Step:
    def step(api: Any) -> None:
        for number in range(10):
            made = api.create_policy(PolicyName=f"p{number}", PolicyDocument=ALLOW)["Policy"]["Arn"]
            getattr(api, f"attach_{kind}_policy")(**{f"{kind.title()}Name": kind[:1], "PolicyArn": made})

    return step


def tags(*keys: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": "v"} for key in keys]


FIFTY = tags(*(f"k{number}" for number in range(50)))
MAKE: Mapping[str, Step] = {"user": user, "group": group, "role": role, "policy": policy, "instance_profile": profile}
WHO: Mapping[str, dict[str, str]] = {
    "user": {"UserName": "u"},
    "role": {"RoleName": "r"},
    "policy": {"PolicyArn": POLICY},
    "instance_profile": {"InstanceProfileName": "i"},
}


def tagging(verb: str, kind: str) -> Step:
    """Tags, or takes away, a tag that only AWS may set."""
    what: dict[str, Any] = {"Tags": tags("aws:x")} if verb == "tag" else {"TagKeys": ["aws:x"]}
    return lambda api: getattr(api, f"{verb}_{kind}")(**WHO[kind], **what)


def born_tagged(kind: str) -> Step:
    """Creates a thing with such a tag."""
    more = {"role": {"AssumeRolePolicyDocument": TRUST}, "policy": {"PolicyName": "p", "PolicyDocument": ALLOW}}
    who = {} if kind == "policy" else WHO[kind]
    return lambda api: getattr(api, f"create_{kind}")(**who, **more.get(kind, {}), Tags=tags("AWS:x"))


PRINCIPALS = ("user", "group", "role")


class Case(NamedTuple):
    name: str
    before: Sequence[Step]
    call: Step
    code: str
    moto: str = ""  # what plain moto answers; empty where it does as it is told


CASES = [
    # what must be deleted first
    Case("group-members", [user, group, member], lambda a: a.delete_group(GroupName="g"), "DeleteConflict"),
    Case("group-inline", [group, inline("group")], lambda a: a.delete_group(GroupName="g"), "DeleteConflict"),
    Case(
        "group-attached", [policy, group, attached("group")], lambda a: a.delete_group(GroupName="g"), "DeleteConflict"
    ),
    Case("user-member", [user, group, member], lambda a: a.delete_user(UserName="u"), "DeleteConflict"),
    Case(
        "user-keys",
        [user, lambda a: a.create_access_key(UserName="u")],
        lambda a: a.delete_user(UserName="u"),
        "DeleteConflict",
    ),
    Case(
        "user-password",
        [user, lambda a: a.create_login_profile(UserName="u", Password="Invented-1")],
        lambda a: a.delete_user(UserName="u"),
        "DeleteConflict",
    ),
    Case(
        "user-mfa",
        [
            user,
            lambda a: a.enable_mfa_device(
                UserName="u", SerialNumber="GAKT00000000", AuthenticationCode1="123456", AuthenticationCode2="234567"
            ),
        ],
        lambda a: a.delete_user(UserName="u"),
        "DeleteConflict",
    ),
    *(
        Case(
            f"policy-attached-to-{kind}",
            [policy, MAKE[kind], attached(kind)],
            lambda a: a.delete_policy(PolicyArn=POLICY),
            "DeleteConflict",
        )
        for kind in PRINCIPALS
    ),
    Case(
        "policy-bounding-a-role",
        [policy, role, lambda a: a.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=POLICY)],
        lambda a: a.delete_policy(PolicyArn=POLICY),
        "DeleteConflict",
    ),
    Case(
        "policy-bounding-a-user",
        [policy, lambda a: a.create_user(UserName="u", PermissionsBoundary=POLICY)],
        lambda a: a.delete_policy(PolicyArn=POLICY),
        "DeleteConflict",
    ),
    Case("policy-versions", [policy, version], lambda a: a.delete_policy(PolicyArn=POLICY), "DeleteConflict"),
    # names that are taken, ignoring case and path
    Case("user-case", [user], lambda a: a.create_user(UserName="U"), "EntityAlreadyExists"),
    Case("group-case", [group], lambda a: a.create_group(GroupName="G"), "EntityAlreadyExists"),
    Case(
        "role-case",
        [role],
        lambda a: a.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST),
        "EntityAlreadyExists",
    ),
    Case(
        "policy-case",
        [policy],
        lambda a: a.create_policy(PolicyName="P", PolicyDocument=ALLOW),
        "EntityAlreadyExists",
    ),
    Case(
        "policy-path",
        [policy],
        lambda a: a.create_policy(PolicyName="p", Path="/elsewhere/", PolicyDocument=ALLOW),
        "EntityAlreadyExists",
    ),
    Case(
        "profile-case",
        [profile],
        lambda a: a.create_instance_profile(InstanceProfileName="I"),
        "EntityAlreadyExists",
    ),
    Case(
        "group-renamed",
        [group, lambda a: a.create_group(GroupName="x")],
        lambda a: a.update_group(GroupName="x", NewGroupName="G"),
        "EntityAlreadyExists",
    ),
    Case(
        "user-renamed",
        [user, lambda a: a.create_user(UserName="x")],
        lambda a: a.update_user(UserName="x", NewUserName="u"),
        "EntityAlreadyExists",
    ),
    # quotas of one entity
    Case(
        "eleventh-group",
        [user, ten_groups, group],
        lambda a: a.add_user_to_group(GroupName="g", UserName="u"),
        "LimitExceeded",
    ),
    *(
        Case(
            f"eleventh-policy-of-{kind}",
            [MAKE[kind], ten_policies(kind), policy],
            attached(kind),
            "LimitExceeded",
        )
        for kind in PRINCIPALS
    ),
    *(
        Case(
            f"inline-sum-of-{kind}",
            [MAKE[kind], inline(kind, "half", long(most // 2))],
            inline(kind, "more", long(most - most // 2 + 1)),
            "LimitExceeded",
        )
        for kind, most in {"user": 2048, "group": 5120, "role": 10240}.items()
    ),
    Case(
        "policy-size",
        [],
        lambda a: a.create_policy(PolicyName="p", PolicyDocument=long(6145)),
        "LimitExceeded",
    ),
    Case(
        "version-size",
        [policy],
        lambda a: a.create_policy_version(PolicyArn=POLICY, PolicyDocument=long(6145)),
        "LimitExceeded",
    ),
    Case(
        "trust-size",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument=long(2049, SERVICE_TRUST)),
        "LimitExceeded",
    ),
    Case(
        "new-trust-size",
        [role],
        lambda a: a.update_assume_role_policy(RoleName="r", PolicyDocument=long(2049, SERVICE_TRUST)),
        "LimitExceeded",
    ),
    Case(
        "51-tags-of-a-user",
        [user, lambda a: a.tag_user(UserName="u", Tags=FIFTY)],
        lambda a: a.tag_user(UserName="u", Tags=tags("one-more")),
        "LimitExceeded",
    ),
    Case(
        "51-tags-of-a-role",
        [role, lambda a: a.tag_role(RoleName="r", Tags=FIFTY)],
        lambda a: a.tag_role(RoleName="r", Tags=tags("one-more")),
        "LimitExceeded",
    ),
    Case(
        "51-tags-of-a-policy",
        [policy, lambda a: a.tag_policy(PolicyArn=POLICY, Tags=FIFTY)],
        lambda a: a.tag_policy(PolicyArn=POLICY, Tags=tags("one-more")),
        "LimitExceeded",
    ),
    Case(
        "51-tags-of-a-profile",
        [profile, lambda a: a.tag_instance_profile(InstanceProfileName="i", Tags=FIFTY)],
        lambda a: a.tag_instance_profile(InstanceProfileName="i", Tags=tags("one-more")),
        "LimitExceeded",
    ),
    Case(
        "51-tags-at-once",
        [],
        lambda a: a.create_user(UserName="u", Tags=[*FIFTY, *tags("one-more")]),
        "ValidationError",
    ),
    *(
        Case(f"reserved-{verb}-of-{kind}", [MAKE[kind]], tagging(verb, kind), "InvalidInput")
        for verb in ("tag", "untag")
        for kind in MAKE
        if kind != "group"
    ),
    *(
        Case(f"born-with-reserved-tag-{kind}", [], born_tagged(kind), "InvalidInput")
        for kind in MAKE
        if kind != "group"
    ),
    Case("tags-in-two-cases", [], lambda a: a.create_user(UserName="u", Tags=tags("K", "k")), "InvalidInput"),
    # what parameters look like
    Case("long-user", [], lambda a: a.create_user(UserName="x" * 65), "ValidationError"),
    Case("long-group", [], lambda a: a.create_group(GroupName="x" * 129), "ValidationError"),
    Case(
        "long-role",
        [],
        lambda a: a.create_role(RoleName="x" * 65, AssumeRolePolicyDocument=TRUST),
        "ValidationError",
    ),
    Case(
        "long-policy",
        [],
        lambda a: a.create_policy(PolicyName="x" * 129, PolicyDocument=ALLOW),
        "ValidationError",
    ),
    Case(
        "long-profile",
        [],
        lambda a: a.create_instance_profile(InstanceProfileName="x" * 129),
        "ValidationError",
    ),
    Case("long-inline", [group], inline("group", "x" * 129), "ValidationError"),
    Case("spaces", [], lambda a: a.create_group(GroupName="two words"), "ValidationError"),
    Case("umlaut", [], lambda a: a.create_group(GroupName="Büro"), "ValidationError"),
    Case("line-end", [], lambda a: a.create_group(GroupName="g\n"), "ValidationError"),
    Case("path", [], lambda a: a.create_group(GroupName="g", Path="no-slashes"), "ValidationError"),
    Case(
        "short-session",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=3599),
        "ValidationError",
    ),
    Case(
        "long-session",
        [role],
        lambda a: a.update_role(RoleName="r", MaxSessionDuration=43201),
        "ValidationError",
    ),
    Case(
        "description",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Description="x" * 1001),
        "ValidationError",
    ),
    Case("page-of-1001", [], lambda a: a.list_users(MaxItems=1001), "ValidationError"),
    Case("page-of-0", [], lambda a: a.get_account_authorization_details(MaxItems=0), "ValidationError"),
    Case("marker", [user], lambda a: a.list_users(Marker="made-up"), "ValidationError"),
    Case("enumeration", [], lambda a: a.get_account_authorization_details(Filter=["Everything"]), "ValidationError"),
    # documents
    *(
        Case(
            f"trusting-{name}",
            [user, group, role],
            new_trust(document),
            "MalformedPolicyDocument",
        )
        for name, document in {
            "a-ghost": trusting(arn("role", "ghost")),
            "a-ghost-beside-somebody": trusting(arn("user", "u"), arn("user", "ghost")),
            "by-the-wrong-case": trusting(arn("user", "U")),
            "by-the-wrong-path": trusting(arn("role", "team/r")),
            "an-id-of-nobody": trusting("AROA00000000000000000"),
            "a-group": trusting(arn("group", "g")),
            "a-pattern": trusting(arn("user", "*")),
            "a-pattern-elsewhere": trusting("arn:aws:iam::999988887777:role/*"),
            "another-partition": trusting(arn("user", "u").replace("aws", "aws-cn", 1)),
        }.items()
    ),
    Case(
        "born-trusting-a-ghost",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument=trusting(arn("role", "ghost"))),
        "MalformedPolicyDocument",
    ),
    Case(
        "trust-with-resource",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument=ALLOW),
        "MalformedPolicyDocument",
    ),
    Case(
        "trust-in-nobody",
        [role],
        lambda a: a.update_assume_role_policy(
            RoleName="r",
            PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}',
        ),
        "MalformedPolicyDocument",
    ),
    Case(
        "trust-for-s3",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument=long(300, SERVICE_TRUST).replace("sts:", "s3:")),
        "MalformedPolicyDocument",
    ),
    Case(
        "trust-no-json",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument="{"),
        "MalformedPolicyDocument",
    ),
    *(
        Case(
            f"principal-in-{kind}",
            [MAKE[kind]],
            inline(
                kind,
                document=json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}],
                    }
                ),
            ),
            "MalformedPolicyDocument",
        )
        for kind in PRINCIPALS
    ),
    Case(
        "managed-policy-of-2008",
        [],
        lambda a: a.create_policy(PolicyName="p", PolicyDocument=ALLOW.replace("2012", "2008")),
        "MalformedPolicyDocument",
        "same",
    ),
    Case(
        "version-of-2008",
        [policy],
        lambda a: a.create_policy_version(PolicyArn=POLICY, PolicyDocument=ALLOW.replace("2012", "2008")),
        "MalformedPolicyDocument",
        "same",
    ),
    Case(
        "version-with-principal",
        [policy],
        lambda a: a.create_policy_version(
            PolicyArn=POLICY, PolicyDocument=ALLOW.replace('"Effect"', '"Principal":"*","Effect"')
        ),
        "MalformedPolicyDocument",
    ),
    *(
        Case(f"nonsense-{name}", [group], inline("group", document=document), "MalformedPolicyDocument", "same")
        for name, document in {
            "no-json": "{",
            "list": "[]",
            "statement-of-words": '{"Version":"2012-10-17","Statement":"Allow"}',
            "statements-of-words": '{"Version":"2012-10-17","Statement":["Allow"]}',
            "nothing": '{"Version":"2012-10-17","Statement":[]}',
            "future": ALLOW.replace("2012", "2112"),
            "no-effect": ALLOW.replace("Effect", "Affect"),
            "condition": ALLOW.replace('"Effect"', '"Condition":{"StringIs":{"a:b":"c"}},"Effect"'),
        }.items()
    ),
    # things that are not there
    Case(
        "boundary-ghost",
        [role],
        lambda a: a.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=POLICY),
        "NoSuchEntity",
    ),
    Case(
        "user-with-a-ghost-boundary",
        [],
        lambda a: a.create_user(UserName="u", PermissionsBoundary=POLICY),
        "NoSuchEntity",
    ),
    Case(
        "role-with-a-ghost-boundary",
        [],
        lambda a: a.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=POLICY),
        "NoSuchEntity",
    ),
    *(Case(f"ghost-attached-to-{kind}", [MAKE[kind]], attached(kind), "NoSuchEntity", "same") for kind in PRINCIPALS),
    # the roles of AWS services
    *(
        Case(
            f"protected-{method}",
            [policy, profile, lambda a: a.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")],
            on_service_role(method, params),
            "UnmodifiableEntity",
        )
        for method, params in {
            "add_role_to_instance_profile": {"InstanceProfileName": "i"},
            "attach_role_policy": {"PolicyArn": POLICY},
            "delete_role": {},
            "delete_role_permissions_boundary": {},
            "put_role_policy": {"PolicyName": "x", "PolicyDocument": ALLOW},
            "update_assume_role_policy": {"PolicyDocument": TRUST},
            "update_role": {"Description": "mine"},
            "update_role_description": {"Description": "mine"},
        }.items()
    ),
    # what moto refuses too
    Case("role-inline", [role, inline("role")], lambda a: a.delete_role(RoleName="r"), "DeleteConflict", "same"),
    Case(
        "role-attached",
        [policy, role, attached("role")],
        lambda a: a.delete_role(RoleName="r"),
        "DeleteConflict",
        "same",
    ),
    Case("role-carried", [role, profile, carried], lambda a: a.delete_role(RoleName="r"), "DeleteConflict", "same"),
    Case(
        "profile-with-role",
        [role, profile, carried],
        lambda a: a.delete_instance_profile(InstanceProfileName="i"),
        "DeleteConflict",
        "same",
    ),
    Case(
        "default-version",
        [policy, version],
        lambda a: a.delete_policy_version(PolicyArn=POLICY, VersionId="v1"),
        "DeleteConflict",
        "same",
    ),
    Case("sixth-version", [policy, *[version] * 4], version, "LimitExceeded", "same"),
    Case("second-role", [role, profile, carried], carried, "LimitExceeded", "same"),
    Case(
        "user-attached",
        [policy, user, attached("user")],
        lambda a: a.delete_user(UserName="u"),
        "DeleteConflict",
        "same",
    ),
    Case("user-inline", [user, inline("user")], lambda a: a.delete_user(UserName="u"), "DeleteConflict", "same"),
    Case(
        "not-a-member",
        [user, group],
        lambda a: a.remove_user_from_group(GroupName="g", UserName="u"),
        "NoSuchEntity",
        "same",
    ),
    Case(
        "not-attached",
        [policy, role],
        lambda a: a.detach_role_policy(RoleName="r", PolicyArn=POLICY),
        "NoSuchEntity",
        "same",
    ),
    Case("exact-names", [group], lambda a: a.get_group(GroupName="G"), "NoSuchEntity", "same"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_twin_refuses_what_aws_refuses(case: Case, iam: Any) -> None:
    for step in case.before:
        step(iam)
    assert code_of(lambda: case.call(iam)) == case.code


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_plain_moto_does_not(case: Case) -> None:
    api = moto_client()
    with mock_aws():
        for step in case.before:
            step(api)
        assert code_of(lambda: case.call(api)) == (case.code if case.moto == "same" else case.moto)


@cache
def moto_client() -> Any:
    """One for all tests: making a client takes longer than what it is asked here."""
    with mock_aws():
        return boto3.client("iam", region_name="us-east-1", config=Config(parameter_validation=False))


def test_no_case_stands_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


# A whole account ---------------------------------------------------------------------------------------------------


class Full(NamedTuple):
    """How to fill an account to the brim, both ways, and the call that is one too many."""

    thing: Callable[[str], Entity]
    moto: Callable[[IAMBackend, str], object]
    call: Step


FULL: Mapping[str, Full] = {
    "UsersPerAccount": Full(
        lambda name: User(name=name),
        lambda backend, name: backend.create_user("us-east-1", name),
        lambda a: a.create_user(UserName="new"),
    ),
    "GroupsPerAccount": Full(
        lambda name: Group(name=name),
        lambda backend, name: backend.create_group(name),
        lambda a: a.create_group(GroupName="new"),
    ),
    "RolesPerAccount": Full(
        lambda name: Role(name=name, trust=trust()),
        lambda backend, name: backend.create_role(name, TRUST, "/", None, "", [], None),
        lambda a: a.create_role(RoleName="new", AssumeRolePolicyDocument=TRUST),
    ),
    "PoliciesPerAccount": Full(
        lambda name: Policy(arn=arn("policy", name), document=allow("s3:*")),
        lambda backend, name: backend.create_policy("", "/", ALLOW, name, []),
        lambda a: a.create_policy(PolicyName="new", PolicyDocument=ALLOW),
    ),
    "InstanceProfilesPerAccount": Full(
        lambda name: InstanceProfile(name=name),
        lambda backend, name: backend.create_instance_profile(name, "/", []),
        lambda a: a.create_instance_profile(InstanceProfileName="new"),
    ),
}


def filled(full: Full, number: int) -> Snapshot:
    things = {thing.key: thing for thing in (full.thing(f"n{count}") for count in range(number))}
    return structs.replace(Snapshot(account=ACCOUNT), **{next(iter(things.values())).room: things})


@pytest.mark.parametrize("quota", FULL)
def test_an_account_has_no_room_for_one_more(quota: str) -> None:
    with Twin(filled(FULL[quota], QUOTAS[quota].default), aws_managed=AWS_MANAGED) as twin:
        assert code_of(lambda: FULL[quota].call(client(twin))) == "LimitExceeded"
    with Twin(filled(FULL[quota], QUOTAS[quota].default - 1), aws_managed=AWS_MANAGED) as twin:
        assert not code_of(lambda: FULL[quota].call(client(twin)))
        assert code_of(lambda: FULL[quota].call(client(twin))) == "EntityAlreadyExists"


@pytest.mark.parametrize("quota", FULL)
def test_plain_moto_has_room_for_one_more(quota: str) -> None:
    with mock_aws():
        backend = iam_backends[ACCOUNT]["aws"]
        for number in range(QUOTAS[quota].default):
            FULL[quota].moto(backend, f"n{number}")
        assert not code_of(lambda: FULL[quota].call(boto3.client("iam", region_name="us-east-1")))


def test_an_account_that_is_beyond_a_default_was_given_more() -> None:
    with Twin(filled(FULL["GroupsPerAccount"], 301)) as twin:
        api = client(twin)
        api.create_group(GroupName="new")
        assert api.get_account_summary()["SummaryMap"]["GroupsQuota"] == 500
    with Twin(filled(FULL["UsersPerAccount"], 5001)) as twin:  # this one is never raised
        assert code_of(lambda: client(twin).create_user(UserName="new")) == "LimitExceeded"


# AWS's own ---------------------------------------------------------------------------------------------------------

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("create_policy_version", {"PolicyDocument": ALLOW}),
        ("delete_policy", {}),
        ("delete_policy_version", {"VersionId": "v1"}),
        ("set_default_policy_version", {"VersionId": "v1"}),
        ("tag_policy", {"Tags": tags("k")}),
        ("untag_policy", {"TagKeys": ["k"]}),
    ],
)
def test_aws_policies_are_not_ours_to_change(method: str, params: dict[str, Any]) -> None:
    with Twin(Snapshot(account=ACCOUNT), aws_managed=AWS_MANAGED) as twin:
        assert code_of(lambda: getattr(client(twin), method)(PolicyArn=ADMIN, **params)) == "AccessDenied"


@pytest.mark.parametrize("kind", PRINCIPALS)
def test_policies_of_service_linked_roles_are_not_for_others(kind: str) -> None:
    theirs = Policy(arn="arn:aws:iam::aws:policy/aws-service-role/Theirs", document=allow("s3:*"))
    with Twin(Snapshot(account=ACCOUNT), aws_managed={theirs.arn: theirs}) as twin:
        api = client(twin)
        MAKE[kind](api)
        who = {f"{kind.title()}Name": kind[:1], "PolicyArn": theirs.arn}
        assert code_of(lambda: getattr(api, f"attach_{kind}_policy")(**who)) == "PolicyNotAttachable"


def test_a_boundary_that_is_not_there_cannot_be_put(iam: Any) -> None:
    """moto does not know the call for users at all."""
    user(iam)
    ask = {"UserName": "u", "PermissionsBoundary": POLICY}
    assert code_of(lambda: iam.put_user_permissions_boundary(**ask)) == "NoSuchEntity"
    assert iam.get_user(UserName="u")["User"].get("PermissionsBoundary") is None


@pytest.mark.parametrize("kind", PRINCIPALS)
def test_what_cannot_be_attached_is_said_in_aws_words(kind: str, iam: Any) -> None:
    MAKE[kind](iam)
    with pytest.raises(ClientError, match="does not exist or is not attachable"):
        attached(kind)(iam)


@pytest.mark.parametrize("path", ["/aws-service-role/x.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"])
def test_every_call_that_aws_keeps_from_protected_roles_is_refused(path: str) -> None:
    """Which those are, botocore's model says: the calls that can answer UnmodifiableEntity."""
    protected = Role(name="r", path=path, trust=trust(), attached=(ADMIN,), inline={"x": allow("s3:*")})
    snapshot = Snapshot(
        account=ACCOUNT,
        roles={"r": protected},
        policies={ADMIN: AWS_MANAGED[ADMIN]},
        instance_profiles={"i": InstanceProfile(name="i", roles=("r",))},
    )
    given = {
        "RoleName": "r",
        "PolicyArn": ADMIN,
        "PolicyName": "x",
        "PolicyDocument": ALLOW,
        "InstanceProfileName": "i",
        "PermissionsBoundary": ADMIN,
        "Description": "mine",
    }
    model = Session().get_service_model("iam")
    operations = [model.operation_model(name) for name in model.operation_names]
    kept = [one for one in operations if any(error.name.startswith("Unmodifiable") for error in one.error_shapes)]
    assert len(kept) == 12
    with Twin(snapshot) as twin:
        api = client(twin)
        for operation in kept:
            assert operation.input_shape is not None
            params = {name: given[name] for name in operation.input_shape.members if name in given}
            assert code_of(lambda: getattr(api, xform_name(operation.name))(**params)) == "UnmodifiableEntity"  # noqa: B023
        assert twin.snapshot() == snapshot


def test_a_role_that_is_not_there_cannot_be_assumed(empty: Twin) -> None:
    ask: dict[str, Any] = {"RoleArn": arn("role", "ghost"), "RoleSessionName": "session"}
    assert code_of(lambda: client(empty, "sts").assume_role(**ask)) == "AccessDenied"
    with mock_aws():
        assert not code_of(lambda: boto3.client("sts", region_name="us-east-1").assume_role(**ask))


def test_what_fits_exactly_is_taken(iam: Any) -> None:
    iam.create_policy(PolicyName="p", PolicyDocument=long(6144))
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=long(2048, SERVICE_TRUST))
    user(iam)
    group(iam)
    for kind, most in {"user": 2048, "group": 5120, "role": 10240}.items():
        inline(kind, "half", long(most // 2))(iam)
        inline(kind, "rest", long(most - most // 2))(iam)
        inline(kind, "rest", long(most - most // 2))(iam)  # in place of itself
    ten_groups(iam)
    iam.add_user_to_group(GroupName="g3", UserName="u")  # again, which takes no room
    iam.create_user(UserName="x" * 64)
    iam.tag_user(UserName="u", Tags=FIFTY)
    iam.tag_user(UserName="u", Tags=tags("K7"))


@pytest.mark.parametrize(
    "document",
    [
        ALLOW.replace("2012", "2008"),
        ALLOW.replace('"Version":"2012-10-17"', '"Id":"x"'),
        ALLOW.replace('"Effect"', '"Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":[300,4.5]}},"Effect"'),
        ALLOW.replace('"Effect"', '"Condition":{"Bool":{"aws:MultiFactorAuthPresent":true}},"Effect"'),
        ALLOW.replace("[{", "{").replace("}]", "}"),
    ],
)
def test_what_aws_takes_inline_is_taken(document: str, iam: Any) -> None:
    group(iam)
    inline("group", document=document)(iam)
    assert iam.get_group_policy(GroupName="g", PolicyName="inline")["PolicyDocument"] == json.loads(document)


@pytest.mark.parametrize(
    "document",
    [
        trusting("*"),
        trusting(ACCOUNT),
        trusting(f"arn:aws:iam::{ACCOUNT}:root"),
        trusting("arn:aws:iam::999988887777:role/elsewhere"),
        trusting(arn("role", "r"), arn("user", "u")),
        trust().text.replace("2012-10-17", "2008-10-17"),
        trusting(arn("role", "r")).replace('"sts:AssumeRole"', '["sts:AssumeRole","sts:SetContext"]'),
    ],
)
def test_trust_that_aws_takes_is_taken(document: str, iam: Any) -> None:
    user(iam)
    role(iam)
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=document)
