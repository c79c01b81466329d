"""The generated accounts are what they say they are: within IAM's quotas, whole, believable, the same for a seed."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import iam
from secmigrate.iam import Document, Snapshot, is_aws_policy
from secmigrate.sources.saved import read_saved
from tests.bench_accounts import LARGEST, MIDDLE, SMALL, Size, account, migrated
from tests.bench_details import details, write_details
from tests.bench_others import sample

HALF = Size(1_000, 100, 1_000, 300)
INLINE = {"user": 2_048, "group": 5_120, "role": 10_240}


@pytest.fixture(scope="module")
def before() -> Snapshot:
    return account(*HALF)


@pytest.fixture(scope="module")
def after(before: Snapshot) -> Snapshot:
    return migrated(before)


@pytest.fixture(params=["before", "after", "small", "middle"])
def one(request: pytest.FixtureRequest, before: Snapshot, after: Snapshot) -> Snapshot:
    made = {
        "before": lambda: before,
        "after": lambda: after,
        "small": lambda: account(*SMALL),
        "middle": lambda: migrated(account(*MIDDLE)),
    }
    return made[request.param]()


def test_a_seed_gives_one_account_and_another_gives_another() -> None:
    assert iam.encode(account(*SMALL)) == iam.encode(account(*SMALL))
    assert iam.encode(account(*SMALL)) != iam.encode(account(*SMALL, seed=2))
    made = account(*MIDDLE)
    assert iam.encode(migrated(made)) == iam.encode(migrated(made))
    assert iam.encode(migrated(made)) != iam.encode(migrated(made, seed=2))


@pytest.mark.parametrize("size", [SMALL, MIDDLE, HALF])
def test_it_is_as_large_as_asked_for(size: Size) -> None:
    made = account(*size)
    assert Size(len(made.users), len(made.groups), len(made.roles), len(made.own_policies)) == size


def test_the_largest_is_at_the_quotas() -> None:
    assert LARGEST == (5_000, 500, 5_000, 1_500)  # iam-rules, "Quotas", raised where AWS raises them


def test_it_is_a_snapshot_that_lies_in_a_file(one: Snapshot) -> None:
    assert iam.decode(iam.encode(one)) == one


def test_every_reference_leads_somewhere(one: Snapshot) -> None:
    arns = {one.arn(thing) for thing in (*one.users.values(), *one.roles.values())} | {
        f"arn:aws:iam::{one.account}:root"
    }
    for principal in one.principals():
        assert set(principal.attached) <= one.policies.keys()
        assert getattr(principal, "boundary", "") in {"", *one.policies}
    for user in one.users.values():
        assert set(user.groups) <= one.groups.keys()
    for profile in one.instance_profiles.values():
        assert set(profile.roles) <= one.roles.keys()
    for role in one.roles.values():
        for arn in named_in(role.trust):
            assert arn in arns or f":{one.account}:" not in arn


def named_in(trust: Document) -> Iterator[str]:
    for statement in trust.statements:
        found = statement["Principal"].get("AWS", [])
        yield from [found] if isinstance(found, str) else found


def test_it_is_within_the_quotas(one: Snapshot) -> None:
    for policy in one.own_policies.values():
        assert len(policy.document.statements) > 0
        assert policy.document.size <= 6_144
    for principal in one.principals():
        assert len(principal.attached) <= 10
        assert sum(document.size for document in principal.inline.values()) <= INLINE[principal.kind]
        assert all(document.statements for document in principal.inline.values())
        assert len(principal.name) <= (128 if principal.kind == "group" else 64)
    assert max(len(user.groups) for user in one.users.values()) <= 10
    assert max(role.trust.size for role in one.roles.values()) <= 2_048
    assert len(one.own_policies) <= 10_000
    for things in (one.users, one.groups, one.roles, one.own_policies):
        assert len({name.lower() for name in things}) == len(things)


def test_sids_are_unique_in_their_document(one: Snapshot) -> None:
    for document in documents(one):
        sids = [statement["Sid"] for statement in document.statements if "Sid" in statement]
        assert len(set(sids)) == len(sids)
        assert all(sid.isalnum() for sid in sids)


def documents(snapshot: Snapshot) -> list[Document]:
    inline = [document for one in snapshot.principals() for document in one.inline.values()]
    return inline + [policy.document for policy in snapshot.own_policies.values()]


def test_documents_are_full(before: Snapshot) -> None:
    sizes = [policy.document.size for policy in before.own_policies.values()]
    assert min(sizes) > 5_000
    assert statistics.median(sizes) > 6_000
    groups, roles = (
        [sum(document.size for document in one.inline.values()) for one in ones if one.inline]
        for ones in (before.groups.values(), before.roles.values())
    )
    assert 5 <= sum(size > 4_700 for size in groups) < len(groups) / 2
    assert 0.05 < sum(size > 9_700 for size in roles) / len(before.roles) < 0.15
    assert 0.4 < len(roles) / len(before.roles) < 0.6


def test_memberships_are_spread_as_people_spread(before: Snapshot) -> None:
    numbers = sorted(len(user.groups) for user in before.users.values())
    assert numbers[0] >= 1
    assert statistics.median(numbers) == 3
    assert 2 <= numbers.count(10) < 50
    combinations = Counter(user.groups for user in before.users.values())
    assert sum(1 for number in combinations.values() if number == 1) > 200  # one of her own
    assert sum(number for number in combinations.values() if number >= 5) > 300  # shared in teams


def test_all_that_policies_are_made_of_occurs(before: Snapshot) -> None:
    statements = [statement for document in documents(before) for statement in document.statements]
    for key in ("NotAction", "NotResource", "Condition", "Sid"):
        assert any(key in statement for statement in statements), key
    rare = sum(statement["Effect"] == "Deny" for statement in statements) / len(statements)
    assert 0.001 < rare < 0.05
    written = json.dumps(statements)
    for part in ("${aws:username}", "aws:MultiFactorAuthPresent", "aws:SourceIp", "aws:RequestTag", "aws:PrincipalTag"):
        assert part in written, part
    actions = {action for statement in statements for action in listed(statement.get("Action", []))}
    plain = {action for action in actions if "*" not in action}
    assert len({action.split(":")[0] for action in plain}) >= 40
    assert len(plain) > 500
    assert {"sts:AssumeRole", "s3:*"} <= actions
    assert any(is_aws_policy(arn) for group in before.groups.values() for arn in group.attached)
    assert any(user.boundary for user in before.users.values())
    assert any(user.attached for user in before.users.values())


def listed(found: str | list[str]) -> list[str]:
    return [found] if isinstance(found, str) else found


def test_groups_lead_to_roles_that_trust_the_account(one: Snapshot) -> None:
    patterns = {
        arn
        for group in one.groups.values()
        for document in group.inline.values()
        for statement in document.statements
        if "sts:AssumeRole" in listed(statement.get("Action", []))
        for arn in listed(statement.get("Resource", []))
    }
    root = f"arn:aws:iam::{one.account}:root"
    open_roles = [one.arn(role) for role in one.roles.values() if root in named_in(role.trust)]
    reached = [arn for arn in open_roles if any(fnmatchcase(arn, pattern) for pattern in patterns)]
    assert open_roles
    assert len(reached) > len(open_roles) / 2


def test_a_migration_replaces_every_group_and_half_of_the_roles(before: Snapshot, after: Snapshot) -> None:
    assert after.users.keys() == before.users.keys()
    assert not after.groups.keys() & before.groups.keys()
    old = {name: users for name, users in before.members.items() if users}
    assert {name: users for name, users in after.members.items() if users} == {
        f"sec-{name}": users for name, users in old.items()
    }
    kept = after.roles.keys() & before.roles.keys()
    assert len(after.roles) == len(before.roles)
    assert 0.4 < len(kept) / len(before.roles) < 0.6
    for name, user in before.users.items():  # SEC does not manage users
        assert structs.replace(after.users[name], groups=()) == structs.replace(user, groups=())


def test_a_migration_keeps_most_statements_and_changes_some(before: Snapshot, after: Snapshot) -> None:
    changes = Counter[str]()
    for name, group in before.groups.items():
        new = after.groups[f"sec-{name}"]
        assert len(new.attached) == len(group.attached) + 1  # its level
        for arn in group.attached:
            if not is_aws_policy(arn):
                replaced = after.policies[arn.replace(":policy/", ":policy/sec-")]
                assert replaced.arn in new.attached
                changes += changed(before.policies[arn].document, replaced.document)
    statements = changes["before"]
    assert 0.85 < changes["kept"] / statements < 0.95
    assert 0.02 < changes["dropped"] / statements < 0.05
    for kind in ("narrowed", "widened", "conditioned"):
        assert 0.005 < changes[kind] / statements < 0.1, kind


def changed(old: Document, new: Document) -> Counter[str]:
    there = {text(statement) for statement in new.statements}
    resources = {
        text(statement, "Resource"): set(listed(statement.get("Resource", []))) for statement in new.statements
    }
    unconditioned = {text(statement, "Condition") for statement in new.statements}
    found = Counter(before=len(old.statements))
    for statement in old.statements:
        if text(statement) in there:
            found["kept"] += 1
        elif (now := resources.get(text(statement, "Resource"))) is not None:
            found["narrowed" if now < set(listed(statement["Resource"])) else "widened"] += 1
        else:
            found["conditioned" if text(statement, "Condition") in unconditioned else "dropped"] += 1
    return found


def text(statement: dict[str, Any], *without: str) -> str:
    return json.dumps({key: value for key, value in statement.items() if key not in without}, sort_keys=True)


def test_what_only_the_old_groups_used_is_gone(before: Snapshot, after: Snapshot) -> None:
    gone = before.own_policies.keys() - after.own_policies.keys()
    assert gone
    assert all(before.uses(arn) for arn in gone)
    assert all(not after.uses(arn) for arn in gone)


def test_details_read_back_as_the_account(tmp_path: Path) -> None:
    made = account(*MIDDLE)
    read = read_saved(write_details(made, tmp_path / "details.json"))
    roles = {name: structs.replace(role, description="", max_session=3_600) for name, role in made.roles.items()}
    assert structs.replace(read, incomplete=()) == structs.replace(made, roles=roles)
    assert read.policies == made.policies
    assert [gap.what for gap in read.incomplete] == ["descriptions, session lengths, some tags"]


def test_details_have_what_the_tools_look_for() -> None:
    found = details(account(*SMALL))
    assert all(row["PolicyVersionList"][0]["IsDefaultVersion"] is True for row in found["Policies"])
    for rows, key in (("UserDetailList", "UserId"), ("GroupDetailList", "GroupId"), ("Policies", "PolicyId")):
        ids = [row[key] for row in found[rows]]
        assert all(ids)
        assert len(set(ids)) == len(ids)


def test_a_sample_is_of_users_that_are_there() -> None:
    made = account(*SMALL)
    arns = {made.arn(user) for user in made.users.values()}
    assert len(set(sample(made, 5))) == 5
    assert set(sample(made, 99)) == arns
    assert sample(made, 5) == sample(made, 5)
