"""How a comparison is told: what raises privilege, how much of what, who it is, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET, structs

from secmigrate import documents
from secmigrate.access import Change, Comparison, Row
from secmigrate.access.assuming import trusted
from secmigrate.access.telling import Teller, Told, alike, raises_privilege, trustees, unreadable
from secmigrate.iam import Document, Group, Snapshot, User
from tests import small


def why(told: Teller, change: Change, row: Row, *, gained: bool = False) -> str:
    """The reason of a row that has one for all of its actions."""
    ((_, found),) = told.parts(change, row, gained=gained)
    return found


ALL = documents.aws_actions()
HERE = f"arn:aws:iam::{small.ACCOUNT}"


def teller(before: dict[str, Document], after: dict[str, Document]) -> Teller:
    """Users with one policy each, before and after."""
    return Teller(Comparison(users(before), users(after), ALL))


def users(documents: dict[str, Document]) -> Snapshot:
    """An account with these users, each with one policy."""
    snapshot = Snapshot(account=small.ACCOUNT)
    for name, document in documents.items():
        snapshot = snapshot.put(User(name=name, inline={"own": document}))
    return snapshot


NOTHING = small.allow("polly:SynthesizeSpeech")


@pytest.mark.parametrize(
    ("action", "raises"),
    [
        ("iam:PassRole", True),
        ("iam:CreateUser", True),
        ("iam:TagRole", True),
        ("iam:GetRole", False),
        ("iam:ListRoles", False),
        ("sts:AssumeRole", True),
        ("sts:AssumeRoleWithSAML", True),
        ("sts:GetSessionToken", False),
        ("s3:PutBucketPolicy", True),
        ("s3:PutObject", False),
        ("sqs:AddPermission", True),
        ("ec2:CreateTags", False),
    ],
)
def test_what_raises_privilege(action: str, raises: bool) -> None:
    (found,) = ALL.named(ALL.bits(action))
    assert raises_privilege(found) == raises


def test_actions_are_counted_once_by_service_and_level_the_most_powerful_first() -> None:
    one = small.allow("s3:GetObject", "s3:ListBucket", "s3:PutObject", "sqs:SendMessage", "sqs:DeleteMessage")
    both = Document(
        {
            "Version": "2012-10-17",
            "Statement": [
                *one.statements,
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::box/*"},
                {"Effect": "Allow", "Action": "acm:ListCertificates", "Resource": "*"},
            ],
        }
    )
    told = teller({"ana": both}, {"ana": NOTHING})
    rows = told.comparison.user("ana").lost
    counted = told.counted(rows)
    assert list(counted.items()) == [
        ("sqs", {"Write": 2}),
        ("s3", {"Write": 1, "Read": 1, "List": 1}),
        ("acm", {"List": 1}),
    ]
    assert list(counted["s3"]) == ["Write", "Read", "List"]


def test_an_entry_for_each_action_and_what_raises_privilege_first() -> None:
    told = teller({"ana": NOTHING}, {"ana": small.allow("acm:ListCertificates", "iam:PassRole", "IAM:GetRole")})
    change = told.comparison.user("ana")
    entries = [one for row in change.gained for one in told.told(row, "so", gained=True)]
    ordered = [(one.action, one.raises) for one in sorted(entries, key=lambda one: one.order)]
    assert ordered == [("iam:PassRole", True), ("acm:ListCertificates", False), ("iam:GetRole", False)]
    assert told.raising(change.gained) == ["iam:PassRole"]
    assert {(one.why, one.may, one.condition) for one in entries} == {("so", UNSET, "")}


def test_what_is_unsure_says_which_way() -> None:
    def asking(key: str) -> Document:
        row = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"Bool": {key: "true"}}}
        return Document({"Version": "2012-10-17", "Statement": row})

    told = teller({"ana": asking("aws:SecureTransport")}, {"ana": asking("aws:ViaAWSService")})
    change = told.comparison.user("ana")
    (lose,), (gain,) = change.may_lose, change.may_gain
    (less,), (more,) = told.told(lose, "", gained=False), told.told(gain, "", gained=True)
    assert (less.may, less.raises, less.condition) == ("lose", UNSET, "aws:securetransport is true")
    assert (more.may, more.raises) == ("gain", False)
    assert why(told, change, lose, gained=False) == (
        "allowed before by user ana, inline policy own, statement 1; "
        "now allowed on * by user ana, inline policy own, statement 1 if aws:viaawsservice is true"
    )
    assert why(told, change, gain, gained=True).startswith("allowed now by user ana, inline policy own, statement 1; ")


def test_what_cannot_be_read_may_be_lost() -> None:
    told = teller({"ana": Document({"Version": "never"})}, {"ana": NOTHING})
    (one,) = unreadable(told.comparison.user("ana"))
    assert (one.action, one.may) == ("*", "lose")
    assert (
        one.why == "cannot be read: user ana, inline policy own, the whole: there is no policy language version 'never'"
    )


def test_the_same_change_is_told_once_and_losses_come_first() -> None:
    less, more = small.allow("sqs:*"), small.allow("sqs:*", "sns:*")
    before = {"ana": less, "bo": more, "cy": less, "dee": less, "eve": more}
    after = {"ana": more, "bo": less, "cy": more, "dee": more, "eve": more}
    told = teller(before, after)
    groups = alike(one for one in told.comparison.users() if one)
    assert [[one.name for one in ones] for _, ones in groups] == [["bo"], ["ana", "cy", "dee"]]


def test_changes_with_the_same_hash_are_told_apart() -> None:
    (row,) = teller({"ana": small.allow("sqs:SendMessage")}, {"ana": NOTHING}).comparison.user("ana").lost
    few, many = (structs.replace(row, actions=1 << place) for place in (0, 61))  # Python's hash is modulo 2**61 - 1
    changes = [Change("user", name, name, lost=(one,)) for name, one in (("ana", few), ("bo", many), ("cy", few))]
    assert len({hash(one.told) for one in changes}) == 1
    assert [[one.name for one in ones] for _, ones in alike(changes)] == [["ana", "cy"], ["bo"]]


def test_more_people_come_before_fewer() -> None:
    less, more = small.allow("sqs:*"), small.allow("sqs:*", "sns:*")
    told = teller({"ana": more, "bo": less, "cy": less}, {"ana": NOTHING, "bo": NOTHING, "cy": NOTHING})
    assert [[one.name for one in ones] for _, ones in alike(told.comparison.users())] == [["bo", "cy"], ["ana"]]


def test_a_group_that_asks_who_it_is_says_something_else_to_everybody() -> None:
    own = Document(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::box/${aws:username}/*",
            },
        }
    )
    start = Snapshot(account=small.ACCOUNT).put(Group(name="homes", inline={"home": own}))
    end = start
    for name in ("ana", "bo"):
        start, end = start.put(User(name=name, groups=("homes",))), end.put(User(name=name))
    told = Teller(Comparison(start, end, ALL))
    for name in ("ana", "bo"):
        change = told.comparison.user(name)
        (row,) = change.lost
        assert str(row.extent) == f"arn:aws:s3:::box/{name}/*"
        assert why(told, change, row, gained=False) == (
            "allowed before by group homes, inline policy home, statement 1"
        )


def test_each_action_is_told_of_the_statement_that_allows_it() -> None:
    rows = [
        {"Effect": "Allow", "Action": action, "Resource": "*"} for action in ("sqs:*", "sqs:SendMessage", "sns:Publish")
    ]
    told = teller({"ana": Document({"Version": "2012-10-17", "Statement": rows})}, {"ana": NOTHING})
    change = told.comparison.user("ana")
    by = {
        action.name: reason
        for row in change.lost
        for part, reason in told.parts(change, row, gained=False)
        for action in ALL.named(part.actions)
    }
    own = "user ana, inline policy own, statement"
    assert by["sqs:DeleteQueue"] == f"allowed before by {own} 1"
    assert by["sqs:SendMessage"] == f"allowed before by {own} 1 and {own} 2"
    assert by["sns:Publish"] == f"allowed before by {own} 3"
    assert len(by) == len(list(ALL.named(ALL.bits("sqs:*")))) + 1


def test_many_statements_are_not_all_named() -> None:
    one = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    told = teller({"ana": Document({"Version": "2012-10-17", "Statement": [one] * 5})}, {"ana": NOTHING})
    change = told.comparison.user("ana")
    assert why(told, change, change.lost[0], gained=False).endswith("statement 3 and 2 more")


@pytest.mark.parametrize(
    ("principal", "who"),
    [
        ({"AWS": f"{HERE}:root"}, "this account (whoever's own policies allow it)"),
        ({"AWS": small.ACCOUNT}, "this account (whoever's own policies allow it)"),
        ({"AWS": f"{HERE}:user/team/ana"}, "user ana"),
        ({"AWS": f"{HERE}:role/worker"}, "role worker"),
        ({"AWS": "arn:aws:iam::999988887777:root"}, "account 999988887777"),
        ({"AWS": "arn:aws:iam::999988887777:user/ana"}, "arn:aws:iam::999988887777:user/ana"),
        ({"AWS": f"arn:aws:sts::{small.ACCOUNT}:assumed-role/a/b"}, f"arn:aws:sts::{small.ACCOUNT}:assumed-role/a/b"),
        ("*", "everybody, in any account"),
        ({"Service": "ec2.amazonaws.com"}, "service ec2.amazonaws.com"),
        ({"Federated": "accounts.example.com"}, "Federated accounts.example.com"),
    ],
)
def test_who_may_assume_a_role_is_said_in_words(principal: Any, who: str) -> None:
    row = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    for more, said in (
        ({}, who),
        (
            {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
            f"{who} if aws:multifactorauthpresent is true",
        ),
        ({"Effect": "Deny"}, f"{who} (denied now)"),
    ):
        ones = trusted(Document({"Version": "2012-10-17", "Statement": [{**row, **more}]}))
        assert trustees((*ones, *ones), Snapshot(account=small.ACCOUNT), gained=False) == [said]
    denied = trusted(Document({"Version": "2012-10-17", "Statement": [{**row, "Effect": "Deny"}]}))
    assert trustees(denied, Snapshot(account=small.ACCOUNT), gained=True) == [f"{who} (no longer denied)"]


def test_entries_of_one_action_go_by_resource() -> None:
    ones = [Told("s3:GetObject", "Read", text, "", "") for text in ("b", "a")]
    assert [one.resource for one in sorted(ones, key=lambda one: one.order)] == ["a", "b"]
