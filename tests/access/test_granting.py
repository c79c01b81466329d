"""What documents allow by themselves: short answers against long ones."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from secmigrate import documents
from secmigrate.access import Grants
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
