"""Who goes without something on the way from one moment of an account to another."""

from __future__ import annotations

import pytest

from secmigrate import documents
from secmigrate.access import Watch
from secmigrate.iam import Snapshot, User
from tests.access.compared import account, allow, document

READ, WRITE = "s3:GetObject", "s3:PutObject"


def with_ana(actions: str) -> Snapshot:
    """An account in which ana may do these."""
    rows = [allow(action) for action in actions.split()]
    return account(User(name="ana", inline={"own": document(*rows)} if rows else {}))


@pytest.mark.parametrize(
    ("start", "between", "end", "dips"),
    [
        (READ, "", READ, True),
        (READ, READ, READ, False),
        (READ, "", "", False),  # it goes for good
        ("", "", READ, False),  # it is yet to come
        (READ, "", WRITE, False),  # one goes, another comes, and no time has both
        (f"{READ} {WRITE}", "", WRITE, True),
        (f"{READ} {WRITE}", WRITE, WRITE, False),
    ],
)
def test_a_dip_is_what_both_ends_have(start: str, between: str, end: str, dips: bool) -> None:
    moments = [with_ana(actions) for actions in (start, between, end)]
    passage = Watch(documents.aws_actions(), moments).passage(moments[0], moments[2])
    assert passage.dips(moments[1], "ana") is dips
