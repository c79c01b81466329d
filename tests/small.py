"""A small account with one of everything, in which every operation has something to do."""

from __future__ import annotations

from secmigrate.iam import Document, Group, InstanceProfile, Policy, Role, Seen, Snapshot, User, Version

ACCOUNT = "111122223333"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/team/Buckets"
SPARE = f"arn:aws:iam::{ACCOUNT}:policy/Spare"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def allow(*actions: str, resource: str = "*") -> Document:
    """A document with one statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return Document({"Version": "2012-10-17", "Statement": [statement]})


def deny(*actions: str) -> Document:
    """A document that only denies."""
    return Document(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}
    )


def trust(service: str = "ec2.amazonaws.com") -> Document:
    """A trust policy for a service."""
    return Document(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    )


def account() -> Snapshot:
    """Two users, groups with and without content, roles in and out of instance profiles, policies with versions."""
    old, older = allow("s3:GetObject"), allow("s3:ListBucket")
    things = (
        User(name="ana", groups=("team",), tags={"cost": "1"}),
        User(name="bo", path="/people/", inline={"own": allow("iam:ChangePassword")}),
        Group(name="team", inline={"notes": allow("sns:Publish")}, attached=(POLICY, READ_ONLY)),
        Group(name="bare", path="/old/"),
        Role(name="worker", trust=trust(), inline={"logs": allow("logs:*")}, attached=(POLICY,)),
        Role(
            name="idle",
            path="/old/",
            trust=trust("lambda.amazonaws.com"),
            description="nobody knows",
            max_session=7200,
            boundary=READ_ONLY,
            tags={"team": "x", "cost": "2"},
        ),
        Policy(
            arn=POLICY,
            document=allow("s3:*"),
            version=Seen(id="v3"),
            older=(Version(document=old, seen=Seen(id="v1")), Version(document=older, seen=Seen(id="v2"))),
            description="buckets",
            tags={"team": "x"},
        ),
        Policy(arn=SPARE, document=allow("sqs:*"), version=Seen(id="v1")),
        Policy(arn=READ_ONLY, document=allow("s3:Get*"), version=Seen(id="v1")),
        InstanceProfile(name="worker", roles=("worker",)),
        InstanceProfile(name="empty", path="/old/", tags={"a": "b"}),
    )
    snapshot = Snapshot(account=ACCOUNT)
    for thing in things:
        snapshot = snapshot.put(thing)
    return snapshot
