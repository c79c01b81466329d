"""Who goes without something on the way from one moment of an account to another."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.access import Watch
from secmigrate.access.effective import Sides
from secmigrate.iam import Document, Group, Policy, Snapshot, User
from tests.access.compared import LIMIT, account, allow, deny, document

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


@pytest.mark.parametrize(
    ("between", "dips"),
    [
        ("arn:aws:s3:::project-*", False),
        ("arn:aws:s3:::other-*", True),  # of what she keeps there is nothing
        ("arn:aws:s3:::project-a*", True),
    ],
)
def test_what_is_lost_in_part_is_not_lost_on_the_way(between: str, dips: bool) -> None:
    moments = [
        account(User(name="ana", inline={"own": document(allow(READ, resource))}))
        for resource in ("*", between, "arn:aws:s3:::project-*")
    ]
    passage = Watch(documents.aws_actions(), moments).passage(moments[0], moments[2])
    assert passage.dips(moments[1], "ana") is dips


OWN = document(allow("s3:*", "arn:aws:s3:::homes/${aws:username}/*"))
OF_TEAM = document(allow("s3:*", "arn:aws:s3:::teams/${aws:PrincipalTag/team}/*"))
BOTH = document(allow("ec2:*"), allow("s3:*", "arn:aws:s3:::${aws:PrincipalTag/team}/${aws:username}/*"))
NO_SECRETS = document(deny("s3:*", "arn:aws:s3:::secrets/*"))
ANA = User(name="ana", tags={"team": "red"}, inline={"own": OWN})


@pytest.mark.parametrize(
    ("before", "after", "plain"),
    [
        (ANA, ANA, True),
        (ANA, structs.replace(ANA, inline={"own": OWN, "more": BOTH}), True),
        (ANA, structs.replace(ANA, inline={}, groups=("own",)), True),  # by another way
        (ANA, structs.replace(ANA, inline={"own": OWN, "more": OF_TEAM}), True),
        (structs.replace(ANA, inline={"own": OWN, "more": OF_TEAM}), ANA, False),
        (
            structs.replace(ANA, inline={"team": OF_TEAM}),
            structs.replace(ANA, inline={"team": OF_TEAM}, tags={}),
            False,
        ),
        (ANA, structs.replace(ANA, name="bo"), False),  # his home is another one
        (ANA, structs.replace(ANA, inline={"own": OWN, "no": NO_SECRETS}), False),
        (structs.replace(ANA, groups=("no",)), structs.replace(ANA, inline={"own": OWN, "no": NO_SECRETS}), True),
        (ANA, structs.replace(ANA, boundary=LIMIT), False),
        (ANA, structs.replace(ANA, groups=("gone",)), False),  # it may deny something
    ],
)
def test_who_has_all_the_documents_and_no_deny_more_plainly_lost_nothing(
    before: User, after: User, plain: bool
) -> None:
    groups = (Group(name="own", inline={"own": OWN}), Group(name="no", inline={"no": NO_SECRETS}))
    live = account(*groups, Policy(arn=LIMIT, document=document(allow("s3:*"))))
    sides = Sides(documents.aws_actions(), [live], [OWN, OF_TEAM, BOTH, NO_SECRETS])
    assert sides.of(live, before).plainly_within(sides.of(live, after)) is plain


@pytest.mark.parametrize(
    ("said", "gives"),
    [
        (document(allow("s3:*")), True),
        (BOTH, True),
        (document(allow("s3:*"), deny("ec2:*")), False),
        (document(deny("s3:*", "arn:aws:s3:::homes/${aws:username}/*")), False),
        (document(deny("s3:*") | {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "nobody's"}}}), False),
        (document(allow("s3:*") | {"Effect": "Perhaps"}), False),
    ],
)
def test_a_group_only_gives_that_denies_nothing_to_anybody(said: Document, gives: bool) -> None:
    live = account(Group(name="devs", inline={"said": said}))
    assert Watch(documents.aws_actions(), [live]).only_gives(live, "devs") is gives


def test_of_a_group_that_nobody_could_read_nobody_knows_what_it_denies() -> None:
    live = account(Group(name="devs", attached=("arn:aws:iam::aws:policy/Unknown",)))
    watch = Watch(documents.aws_actions(), [live])
    assert not watch.only_gives(live, "devs")
    assert not watch.only_gives(live, "gone")
