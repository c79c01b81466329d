"""Believable accounts for property tests: `accounts()` is a hypothesis strategy of snapshots.

Every account is within IAM's default quotas, no two names are one when case is ignored, every reference leads
somewhere, and AWS's own policies are there exactly where something uses them: a twin can hold it, and give it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from secmigrate.iam import Document, Group, InstanceProfile, Policy, Role, Seen, Snapshot, User, Version

POLICY_PATHS = ("/", "/", "/", "/team/", "/division/eng/")
PATHS = (*POLICY_PATHS, "/a!b/")  # IAM takes more characters in the paths of everything but policies
WORDS = ("admins", "devs", "Ops", "data", "ml", "billing", "s3", "readonly", "deploy", "QA", "legacy", "sre")
ACTIONS = (
    "s3:GetObject",
    "s3:*",
    "ec2:Describe*",
    "iam:PassRole",
    "sts:AssumeRole",
    "logs:PutLogEvents",
    "kms:Decrypt",
)
RESOURCES = ("*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket-${aws:username}/home/*", "arn:aws:sqs:*:*:q?")
SERVICES = ("ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com")
AWS_MANAGED = {
    policy.arn: policy
    for policy in (
        Policy(
            arn=f"arn:aws:iam::aws:policy{name}",
            document=Document(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
            ),
            version=Seen(id=version, created="2015-02-06T18:39:46Z"),
            seen=Seen(id=f"ANPA{number:017}", created="2015-02-06T18:39:46Z"),
        )
        for number, (name, action, version) in enumerate(
            (
                ("/AdministratorAccess", "*", "v1"),
                ("/ReadOnlyAccess", ["s3:Get*", "ec2:Describe*"], "v129"),
                ("/job-function/Billing", "aws-portal:*", "v8"),
                ("/service-role/AWSLambdaBasicExecutionRole", "logs:*", "v1"),
            )
        )
    )
}
"""A few of AWS's own policies, by ARN."""

_letters = "abcXYZ019_+=,.@-"
_names = st.builds(
    "{}{}".format, st.sampled_from(WORDS), st.one_of(st.just(""), st.text(alphabet=_letters, min_size=1, max_size=8))
)
# Tags may be in any script; IAM's own limits are its pattern and its lengths.
_tags = st.dictionaries(
    st.text(alphabet="abcDEF:/é中 _-@", min_size=1, max_size=12).filter(lambda key: not key.lower().startswith("aws:")),
    st.text(alphabet="abc DEFé中=+", max_size=12),
    max_size=4,
)
_folded_tags = _tags.map(lambda tags: {key: value for key, value in tags.items() if key == key.lower()})
_dates = st.integers(1_300_000_000, 1_790_000_000).map(
    lambda second: f"{datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()}Z"
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A small identity policy, with a single statement standing alone now and then."""
    statements = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "Effect": st.sampled_from(("Allow", "Allow", "Deny")),
                    "Action": st.one_of(
                        st.sampled_from(ACTIONS),
                        st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique=True),
                    ),
                    "Resource": st.sampled_from(RESOURCES),
                },
                optional={"Condition": st.just({"Bool": {"aws:MultiFactorAuthPresent": "true"}})},
            ),
            min_size=1,
            max_size=3,
        )
    )
    statement = statements[0] if len(statements) == 1 and draw(st.booleans()) else statements
    return Document({"Version": "2012-10-17", "Statement": statement})


@st.composite
def trusts(draw: st.DrawFn, account: str, principals: Sequence[str]) -> Document:
    """A trust policy: for a service, for somebody of this account, for another account, for GitHub."""
    choices: list[dict[str, Any]] = [
        {"Principal": {"Service": draw(st.sampled_from(SERVICES))}, "Action": "sts:AssumeRole"},
        {"Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
        {"Principal": {"AWS": "arn:aws:iam::999988887777:role/elsewhere"}, "Action": "sts:AssumeRole"},
        {
            "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:octo/*"}},
        },
    ]
    if principals:
        named = draw(st.lists(st.sampled_from(sorted(principals)), min_size=1, max_size=2, unique=True))
        choices.append({"Principal": {"AWS": named}, "Action": "sts:AssumeRole"})
    chosen = draw(st.lists(st.sampled_from(choices), min_size=1, max_size=2))
    return Document({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in chosen]})


class _Counter:
    """Gives out `Seen`, complete: every id another one."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._made = 0

    def seen(self, prefix: str, last_used: str = "") -> Seen:
        self._made += 1
        return Seen(id=f"{prefix}{self._made:017}", created=self._draw(_dates), last_used=last_used)


def _unique_names(most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(_names, max_size=most, unique_by=str.lower)


@st.composite
def _policies(draw: st.DrawFn, account: str, counter: _Counter) -> dict[str, Policy]:
    found = {}
    for name in draw(_unique_names(4)):
        numbers = draw(st.lists(st.integers(1, 20), min_size=1, max_size=5, unique=True))
        versions = [Seen(id=f"v{number}", created=draw(_dates)) for number in numbers]
        policy = Policy(
            arn=f"arn:aws:iam::{account}:policy{draw(st.sampled_from(POLICY_PATHS))}{name}",
            document=draw(documents()),
            version=versions[0],
            older=tuple(Version(document=draw(documents()), seen=seen) for seen in versions[1:]),
            description=draw(st.sampled_from(("", "made by hand", '<&> "quoted"'))),
            tags=draw(_tags),
            seen=counter.seen("ANPA"),
        )
        found[policy.arn] = policy
    return found


@st.composite
def accounts(draw: st.DrawFn) -> Snapshot:
    """A whole account. Everything IAM assigns (`Seen`) is filled in."""
    account, counter = "123456789012", _Counter(draw)
    policies = draw(_policies(account, counter))
    arns = sorted((*policies, *AWS_MANAGED))
    common: Callable[[], dict[str, Any]] = lambda: {  # noqa: E731
        "path": draw(st.sampled_from(PATHS)),
        "inline": draw(st.dictionaries(_names, documents(), max_size=2)),
        "attached": tuple(draw(st.lists(st.sampled_from(arns), max_size=3, unique=True))),
    }
    boundary = st.sampled_from(("", "", *arns))
    groups = [Group(name=name, **common(), seen=counter.seen("AGPA")) for name in draw(_unique_names(5))]
    memberships = st.lists(st.sampled_from([group.name for group in groups]), unique=True) if groups else st.just([])
    users = [
        User(
            name=name,
            **common(),
            groups=tuple(draw(memberships)),
            boundary=draw(boundary),
            tags=draw(_folded_tags),
            seen=counter.seen("AIDA"),
        )
        for name in draw(_unique_names(5))
    ]
    bare = Snapshot(account=account)
    principals = [bare.arn(user) for user in users]
    roles: list[Role] = []
    for name in draw(_unique_names(5)):
        role = Role(
            name=name,
            **common(),
            trust=draw(trusts(account, principals)),
            description=draw(st.sampled_from(("", "for <CI> & co", "äöü"))),
            max_session=draw(st.sampled_from((3600, 7200, 43200))),
            boundary=draw(boundary),
            tags=draw(_folded_tags),
            seen=counter.seen("AROA", last_used=draw(st.one_of(st.just(""), _dates))),
        )
        roles.append(role)
        principals.append(bare.arn(role))
    profiles = [
        InstanceProfile(
            name=name,
            path=draw(st.sampled_from(PATHS)),
            roles=tuple(draw(st.lists(st.sampled_from([role.name for role in roles]), max_size=1))) if roles else (),
            tags=draw(_tags),
            seen=counter.seen("AIPA"),
        )
        for name in draw(_unique_names(3))
    ]
    used = {arn for one in (*users, *groups, *roles) for arn in one.attached}
    used |= {user.boundary for user in users} | {role.boundary for role in roles}
    return Snapshot(
        account=account,
        users={user.name: user for user in users},
        groups={group.name: group for group in groups},
        roles={role.name: role for role in roles},
        policies={**policies, **{arn: AWS_MANAGED[arn] for arn in sorted(used) if arn in AWS_MANAGED}},
        instance_profiles={profile.name: profile for profile in profiles},
    )
