"""What counts as a difference, and what does not."""

from __future__ import annotations

from msgspec import structs

from secmigrate.diff import diff, since
from secmigrate.iam import Group, Role, Seen, Snapshot, User
from tests.small import ACCOUNT, READ_ONLY, allow, trust

ROLE = Role(name="r", trust=trust(), tags={"team": "a"})
WANTED = Snapshot(account=ACCOUNT).put(ROLE)


def test_what_a_stack_signs_its_roles_with_is_no_difference() -> None:
    signed = structs.replace(ROLE, tags={**ROLE.tags, "aws:cloudformation:stack-name": "sec"})
    assert not diff(WANTED, WANTED.put(signed))
    assert not diff(WANTED.put(signed), WANTED)


def test_other_tags_are() -> None:
    other = structs.replace(ROLE, tags={"team": "b", "aws:cloudformation:stack-name": "sec"})
    (found,) = diff(WANTED, WANTED.put(other)).different
    assert found.name == "r"
    assert len(found.changes) == 1
    assert "team" in found.changes[0]


def test_since_tells_in_a_few_words_what_became_of_an_account() -> None:
    before = Snapshot(account=ACCOUNT)
    for thing in (
        User(name="ana", groups=("devs", "ops")),
        User(name="bo"),
        Group(name="devs", inline={"a": allow("s3:*"), "b": allow("s3:*")}),
        Role(name="runner", trust=trust(), seen=Seen(last_used="2025-01-01")),
        Group(name="ops"),
    ):
        before = before.put(thing)
    now = before.drop(before.users["bo"])
    for thing in (
        User(name="ana", groups=("ops", "staff")),
        User(name="cy"),
        Group(name="devs", inline={"b": allow("sqs:*"), "c": allow("s3:*")}, attached=(READ_ONLY,)),
        Role(name="runner", trust=trust("lambda.amazonaws.com"), max_session=7200, seen=Seen(last_used="2026-01-01")),
    ):
        now = now.put(thing)
    assert since(before, before) == []
    assert since(before, now) == [
        f"group devs: inline +c -a b; attached +{READ_ONLY}",
        "role runner: trust; max_session",
        "user cy is new",
        "user bo is gone",
        "user ana: groups +staff -devs",
    ]
