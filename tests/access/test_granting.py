"""What documents allow by themselves: short answers against long ones."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from secmigrate import documents
from secmigrate.access import Grants
from secmigrate.access.actions import union
from secmigrate.iam import Document

TEAM = {"StringEquals": {"aws:PrincipalTag/team": "red"}}


def saying(
    effect: str, action: str, resource: str, *, condition: bool = False, all_but: bool = False
) -> dict[str, Any]:
    """One statement; with `all_but`, on everything but that resource."""
    where = {"NotResource": [resource]} if all_but else {"Resource": [resource]}
    return {"Effect": effect, "Action": [action], **where, **({"Condition": TEAM} if condition else {})}


STATEMENTS = st.builds(
    saying,
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
    st.sampled_from(
        ["s3:GetObject", "s3:ListBucket", "s3:ListAllMyBuckets", "s3:*", "sqs:SendMessage", "*", "no:Such"]
    ),
    st.sampled_from(
        [
            "*",
            "arn:aws:s3:::box/*",
            "arn:aws:s3:::box",
            "arn:aws:sqs:*:*:*",
            "arn:aws:s3:::${aws:username}",
            "arn:aws:t:::",
        ]
    ),
    condition=st.booleans(),
    all_but=st.sampled_from([False, False, True]),
)


def document(*statements: dict[str, Any]) -> Document:
    """A document of these."""
    return Document({"Version": "2012-10-17", "Statement": list(statements)})


@cache
def granting() -> Grants:
    """What reads them all."""
    return Grants(documents.aws_actions(), [document(saying("Allow", "no:Such", "*"))])


DOCUMENTS = st.lists(STATEMENTS, min_size=1, max_size=3).map(lambda rows: document(*rows))


@settings(max_examples=200, deadline=None)
@example([document(saying("Allow", "s3:ListAllMyBuckets", "arn:aws:s3:::box"))], [])
@example([document(saying("Allow", "s3:GetObject", "*"), saying("Deny", "s3:*", "*"))], [])
@example([document(saying("Allow", "s3:GetObject", "*", all_but=True))], [])
@given(st.lists(DOCUMENTS, min_size=1, max_size=2), st.lists(DOCUMENTS, max_size=2))
def test_what_is_lacking_is_there_if_something_is(old: list[Document], new: list[Document]) -> None:
    grants = granting()
    assert grants.lacks(tuple(old), tuple(new)) == bool(grants.lacking(tuple(old), tuple(new)))


ODD = [
    {"Effect": "Allow", "Action": "s3:GetObject"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": []},
    {"Effect": "Allow", "Action": "s3*", "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:GetObject", "NotAction": "s3:*", "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "box"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": []},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": []}}},
    {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*", "Condition": {}},
    {"Effect": "Deny", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::box", "**"]},
    {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"},
    {"Effect": "Deny", "NotAction": "*", "Resource": "*"},
    {"Effect": "Permit", "Action": "s3:GetObject", "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": "*"},
]


# It takes nothing away for certain, and has all of its document read word by word.
UNREADABLE = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*", "Condition": []}


def few(grants: Grants, row: dict[str, Any]) -> int:
    """The actions of a statement that allows only a few."""
    actions = row.get("Action", ())
    found = grants.catalogue.bits_of([actions] if isinstance(actions, str) else actions)
    return found if row.get("Effect") == "Allow" and found.bit_count() <= 12 else 0


@settings(max_examples=300, deadline=None)
@example([saying("Allow", one, "arn:aws:s3:::box/*") for one in ("s3:ListBucket", "s3:*")], "2012-10-17")
@example([ODD[3]], "2012-10-17")
@example([ODD[8]], "2012-10-17")
@example([saying("Allow", "s3:*", "*"), saying("Deny", "s3:*", "*", condition=True)], "2012-10-17")
@given(st.lists(STATEMENTS | st.sampled_from(ODD), min_size=1, max_size=4), st.sampled_from(["2012-10-17", "1999"]))
def test_the_usual_document_is_read_as_exactly_as_any_other(rows: list[dict[str, Any]], version: str) -> None:
    grants = granting()
    quick, slow = (
        (Document({"Version": version, "Statement": statements}),) for statements in (rows, [*rows, UNREADABLE])
    )
    # A few actions are taken at their word, statement by statement; read word by word, those of one resource are one.
    apart = grants.allowed(quick) ^ grants.allowed(slow)
    assert not apart & ~(grants.allowed(quick) & union(few(grants, row) for row in rows))
    assert grants.named(quick) == grants.named(slow)
    assert grants.anywhere(quick) == grants.anywhere(slow)


def test_before_version_2012_a_variable_is_plain_text() -> None:
    grants = granting()
    rows = [saying("Allow", "s3:*", "arn:aws:s3:::${aws:username}/*"), saying("Allow", "s3:*", "arn:aws:sqs:::")]
    new, old = ((Document({"Version": one, "Statement": rows}),) for one in ("2012-10-17", "2008-10-17"))
    level = (document(saying("Allow", "s3:*", "arn:aws:s3:::${aws:username}/*")),)
    every = grants.catalogue.everything
    assert [grants.beyond(one, level, every) for one in (new, old)] == [(), ("arn:aws:s3:::${$}{aws:username}/*",)]


def test_what_the_others_do_not_allow_at_all_lies_beyond_nothing() -> None:
    grants = granting()
    old = document(
        saying("Allow", "s3:GetObject", "arn:aws:s3:::box/*"), saying("Allow", "s3:PutObject", "arn:aws:s3:::other/*")
    )
    level = document(saying("Allow", "s3:GetObject", "arn:aws:s3:::project/*"))
    assert grants.beyond((old,), (level,), grants.catalogue.everything) == ("arn:aws:s3:::box/*",)


@pytest.mark.parametrize(
    ("odd", "allowed"),
    [
        ({"Statement": ["s3:GetObject"]}, ()),
        ({"Statement": [{"Effect": "Allow", "Action": 7, "Resource": "*"}]}, ()),
        ({"Statement": [{"Effect": "Permit", "Action": "s3:GetObject", "Resource": "*"}]}, ()),
        ({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "box"}]}, ("s3:GetObject",)),
        ({"Version": "1999", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject"}]}, ("s3:GetObject",)),
    ],
)
def test_what_cannot_be_read_allows_at_most_what_it_names(odd: object, allowed: tuple[str, ...]) -> None:
    document = Document(odd)
    grants = Grants(documents.aws_actions(), [document])
    assert tuple(one.name for one in grants.catalogue.named(grants.allowed((document,)))) == allowed
