"""What counts as a difference, and what does not."""

from __future__ import annotations

from msgspec import structs

from secmigrate.diff import diff
from secmigrate.iam import Role, Snapshot
from tests.small import ACCOUNT, trust

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
