"""The way back: exactly what was done, nothing that others did, and nobody with less than before."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from secmigrate.aws import Aws
from secmigrate.iam import Document, Group, Seen, Snapshot, Version
from secmigrate.operations import (
    AddUserToGroup,
    AnyOperation,
    AttachPolicy,
    CreateGroup,
    CreatePolicy,
    CreatePolicyVersion,
    DeleteGroup,
    DeletePolicyVersion,
    PutInlinePolicy,
    RemoveUserFromGroup,
)
from secmigrate.plan import Move, Plan, Tried, creation, net, rollback
from secmigrate.plan.rollback import cannot_come_back
from secmigrate.twin import Twin
from tests.accounts import AWS_MANAGED, accounts
from tests.plan.cases import (
    LAST_YEAR,
    after,
    arn,
    dangers,
    decommission,
    group,
    groups,
    kept,
    policy,
    readd,
    role,
    roles,
    shell,
    snapshot,
    tried,
    trusting,
    user,
)
from tests.small import allow, trust

BEFORE = snapshot(
    user("ana", "devs"),
    user("bo", "devs"),
    group("devs", allow("s3:*"), attached=(arn("p"),)),
    role("old", description="nobody knows"),
    policy("p", "sqs:*", older=(Version(document=allow("sns:*"), seen=Seen(id="v7")),)),
)
MOVES = [*groups(devs="new"), *roles(old="fresh")]


def migrated(
    before: Snapshot = BEFORE, moves: list[Move] = MOVES, *, keep: bool = False
) -> tuple[list[Plan], Snapshot]:
    """All plans of a migration, and the account behind them; `keep`: without the decommissioning."""
    targets: Snapshot = before
    for move in moves:
        targets = targets.put(
            Group(name=move.new, inline={"new": allow("s3:*")}) if move.kind == "group" else role(move.new)
        )
    plans = [creation(before, targets)]
    now = after(before, plans[0].operations)
    plans.append(readd(now, moves, before.members, []))
    now = after(now, plans[1].operations)
    if not keep:
        plans.append(decommission(now, moves, LAST_YEAR))
        now = after(now, plans[2].operations)
    return plans, now


def test_it_undoes_all_of_it_the_last_first() -> None:
    plans, now = migrated()
    back = rollback(now, tried(*plans))
    assert back.operations == tuple(one.undo() for plan in reversed(plans) for one in reversed(plan.operations))
    assert after(now, back.operations) == BEFORE
    assert (dangers(back), kept(back)) == ({}, {})


def test_half_of_it_is_undone_too() -> None:
    done = tried(*migrated()[0])
    for many in range(len(done) + 1):
        now = after(BEFORE, [one.operation for one in done[:many]])
        back = rollback(now, done[:many])
        assert after(now, back.operations) == BEFORE
        assert len(back.operations) == many


def test_after_itself_there_is_nothing_left() -> None:
    plans, now = migrated()
    back = rollback(now, tried(*plans))
    again = rollback(after(now, back.operations), tried(*plans, back))
    assert (again.operations, again.dangers) == ((), ())


def test_forth_and_back_and_forth_again_it_undoes_the_last_time_only() -> None:
    plans, now = migrated()
    back = rollback(now, tried(*plans))
    again = rollback(now, tried(*plans, back, *plans))
    assert again.operations == back.operations
    assert net([one.operation for one in tried(*plans, back)]) == []


def test_versions_that_iam_numbered_anew_are_found_by_what_they_say() -> None:
    made = policy("q", "s3:*", older=(Version(document=allow("a:*"), seen=Seen(id="v1")),))
    plan = creation(BEFORE, BEFORE.put(made))
    numbered = Version(document=allow("a:*"), seen=Seen(id="v2"))
    live = BEFORE.put(policy("q", "s3:*", older=(numbered,)))
    back = rollback(live, tried(plan))
    assert f"delete-policy-version --policy-arn {arn('q')} --version-id v2" in shell(back)
    again = rollback(BEFORE, tried(plan, back))
    assert (again.operations, again.dangers) == ((), ())


def test_two_versions_that_say_the_same_both_come_back() -> None:
    twice = tuple(Version(document=allow("a:*"), seen=Seen(id=n)) for n in ("v1", "v2"))
    before = snapshot(group("devs", attached=(arn("p"),)), policy("p", "s3:*", older=twice))
    plans, now = migrated(before, groups(devs="new"))
    assert list(now.policies) == []
    assert after(now, rollback(now, tried(*plans)).operations) == before


def test_what_others_took_away_already_is_no_concern() -> None:
    plans, now = migrated()
    assert kept(rollback(now.drop(now.groups["new"]).put(user("ana")).put(user("bo")), tried(*plans))) == {}
    now = now.put(user("bo"))  # somebody took him out of the new group
    back = rollback(now, tried(*plans))
    assert after(now, back.operations) == BEFORE
    assert "remove-user-from-group --user-name bo --group-name new" not in shell(back)


def test_what_others_changed_is_kept_and_named() -> None:
    plans, now = migrated()
    theirs = allow("dynamodb:*")
    now = now.put(Group(name="new", inline={"new": theirs})).put(user("cy", "new"))
    back = rollback(now, tried(*plans))
    end = after(now, back.operations)
    assert end.groups["new"].inline == {"new": theirs}
    assert end.users == {**BEFORE.users, "cy": user("cy", "new")}
    assert end.roles == BEFORE.roles
    assert dangers(back) == {"cannot-undo": ("group new",)}
    assert not back.blocking


def test_who_has_no_old_group_to_go_back_to_keeps_what_she_was_given_instead() -> None:
    """As on the bridge of a tier change: a group and a policy that were made for her."""
    before = snapshot(
        user("ana", "devs"),
        user("bo", "devs", "ops"),
        group("devs"),
        group("ops", allow("sns:*")),
        policy("p", "sqs:*"),
    )
    operations: list[AnyOperation] = [
        CreateGroup(group=Group(name="bridge")),
        PutInlinePolicy(principal="group", name="bridge", policy="own", document=allow("s3:*")),
        AddUserToGroup(user="ana", group="bridge"),
        RemoveUserFromGroup(user="ana", group="devs"),
        AttachPolicy(principal="user", name="bo", arn=arn("p")),
        RemoveUserFromGroup(user="bo", group="devs"),
    ]
    now = after(before, operations)
    assert after(now, rollback(now, [Tried(one) for one in operations]).operations) == before
    gone = now.drop(now.groups["devs"])
    back = rollback(gone, [Tried(one) for one in operations])
    assert after(gone, back.operations) == gone
    assert dangers(back)["cannot-undo"] == ("group bridge", "user ana", "user bo")


def test_another_group_of_the_old_name_is_not_filled_and_nobody_leaves_the_new_one_for_it() -> None:
    plans, now = migrated()
    now = now.drop(now.users["ana"])  # and ana has left the company
    now = now.put(Group(name="DEVS", path="/theirs/"))
    back = rollback(now, tried(*plans))
    assert after(now, back.operations).users == {"bo": user("bo", "new")}
    assert kept(back)["bo"] == "stays in new, for want of an old group"
    assert dangers(back)["cannot-undo"] == ("group devs", "group new", "user ana", "user bo")


def test_what_others_made_under_an_old_name_is_not_filled_and_gives_nobody_anything() -> None:
    plans, now = migrated()
    now = now.put(group("devs")).put(user("cy", "devs"))
    back = rollback(now, tried(*plans))
    end = after(now, back.operations)
    assert end.groups["devs"] == group("devs")
    assert end.members["devs"] == ("cy",)
    assert end.members["new"] == ("ana", "bo")
    assert kept(back)["devs"] == "somebody has made another one of that name since"
    assert dangers(back)["cannot-undo"] == ("group devs", "group new", "user ana", "user bo")


def test_an_old_policy_of_which_others_made_another_is_not_attached() -> None:
    plans, now = migrated()
    now = now.put(policy("p", "iam:*"))
    end = after(now, rollback(now, tried(*plans)).operations)
    assert end.groups["devs"] == group("devs", allow("s3:*"))
    assert end.policies[arn("p")] == policy("p", "iam:*")


def test_a_role_of_an_old_name_that_lets_others_in_is_given_nothing() -> None:
    plans, now = migrated(
        snapshot(role("old", inline={"s3": allow("s3:*")})).put(role("friend")), [Move("role", "old", "fresh")]
    )
    theirs = role("old", trusting("friend"))
    now = now.put(theirs)
    back = rollback(now, tried(*plans))
    assert after(now, back.operations).roles["old"] == theirs
    assert kept(back)["old"] == "somebody has made another one of that name since"


def test_what_was_put_back_by_hand_in_part_is_put_back_whole() -> None:
    plans, now = migrated()
    now = now.put(group("devs", allow("s3:*"))).put(user("ana", "devs", "new"))
    back = rollback(now, tried(*plans))
    assert dangers(back) == {}
    assert after(now, back.operations) == BEFORE


def test_who_is_in_ten_groups_by_now_stays_where_he_is() -> None:
    plans, now = migrated()
    many = [f"g{n}" for n in range(9)]
    for name in many:
        now = now.put(group(name))
    now = now.put(user("bo", "new", *many))
    back = rollback(now, tried(*plans))
    assert after(now, back.operations).users == {"ana": user("ana", "devs"), "bo": user("bo", "new", *many)}
    assert not back.blocking


def test_more_than_iam_grants_by_default_comes_back_if_it_was_there() -> None:
    policies = [policy(f"p{n}", "s3:*") for n in range(14)]
    before = snapshot(role("old", attached=tuple(one.arn for one in policies)), *policies)
    plans, now = migrated(before, roles(old="fresh"))
    back = rollback(now, tried(*plans))
    assert dangers(back) == {}
    assert after(now, back.operations) == before


GONE = DeleteGroup(group=Group(name="devs"))
MADE = CreateGroup(group=Group(name="devs"))


@pytest.mark.parametrize(
    ("there", "journals", "undone"),
    [
        # Nobody knows, and nothing was tried later: the account tells.
        (False, [Tried(GONE, doubtful=True)], [MADE]),
        (True, [Tried(GONE, doubtful=True)], []),
        # A rollback was killed before its first call, and after it.
        (False, [Tried(GONE), Tried(MADE, doubtful=True)], [MADE]),
        (True, [Tried(GONE), Tried(MADE, doubtful=True)], []),
        # What was tried next was planned for what was there then: the same again, so it had not been done ...
        (False, [Tried(GONE, doubtful=True), Tried(GONE)], [MADE]),
        (True, [Tried(GONE, doubtful=True), Tried(GONE), Tried(MADE)], []),
        # ... or its inverse, so it had.
        (True, [Tried(GONE, doubtful=True), Tried(MADE)], []),
        (False, [Tried(MADE, doubtful=True), Tried(GONE)], []),
        (True, [Tried(GONE, doubtful=True), Tried(MADE, doubtful=True)], []),
        (False, [Tried(GONE, doubtful=True), Tried(MADE, doubtful=True)], [MADE]),
    ],
)
def test_what_is_in_doubt_is_looked_up_never_guessed(
    there: bool, journals: Sequence[Tried], undone: list[AnyOperation]
) -> None:
    live = snapshot(Group(name="devs")) if there else snapshot()
    assert list(rollback(live, journals).operations) == undone


def test_what_it_makes_anew_loses_what_iam_does_not_give_back() -> None:
    plans, now = migrated()
    assert cannot_come_back(rollback(now, tried(*plans))) == [
        "role old: a new unique id, which buckets, keys and other accounts that named it do not know"
    ]


def test_net_takes_back_what_a_later_one_undid() -> None:
    add = AddUserToGroup(user="ana", group="devs")
    leave = RemoveUserFromGroup(user="ana", group="devs")
    put = PutInlinePolicy(principal="group", name="devs", policy="p", document=allow("s3:*"))
    assert net([add, put, leave]) == [put]
    assert net([add, leave, add]) == [add]
    assert net([leave, add, leave, add]) == []
    one = CreatePolicyVersion(arn=arn("p"), document=allow("a:*"), version="v1")
    assert net([one, DeletePolicyVersion(arn=arn("p"), document=allow("a:*"), version="v4")]) == []
    assert net([CreatePolicy(policy=policy("p").bare()), one]) != []


@settings(max_examples=60, deadline=None)
@given(first=accounts(), chance=st.randoms(use_true_random=False), killed=st.floats(0, 1))
def test_forth_and_back_is_where_it_began(first: Snapshot, chance: random.Random, killed: float) -> None:
    moves, wanted = _moves(first, chance)
    plans = [creation(first, wanted)]
    now = after(first, plans[0].operations)
    plans.append(readd(now, moves, first.members, []))
    now = after(now, plans[1].operations)
    plans.append(decommission(now, moves, chance.choice(("2000", "2010", "3000"))))
    now = after(now, plans[2].operations)
    done = tried(*plans)
    back = rollback(now, done)
    assert after(now, back.operations) == first
    assert back.dangers == ()
    # Killed anywhere, with the last call in doubt, and rolled back from there; and that was killed as well.
    many = round(killed * len(done))
    now = after(first, [one.operation for one in done[:many]])
    done = [*done[:many], Tried(done[many].operation, doubtful=True)] if many < len(done) else done
    half = rollback(now, done)
    some = half.operations[: chance.randint(0, len(half.operations))]
    doubt = [Tried(one, doubtful=True) for one in half.operations[len(some) : len(some) + 1]]
    now = after(now, some)
    rest = rollback(now, [*done, *map(Tried, some), *doubt])
    assert after(now, rest.operations) == first


@settings(max_examples=8, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
@given(first=accounts(), chance=st.randoms(use_true_random=False))
def test_an_iam_accepts_every_call_forth_and_back(first: Snapshot, chance: random.Random) -> None:
    moves, wanted = _moves(first, chance)
    with Twin(first, aws_managed=AWS_MANAGED) as twin:
        aws, plans = Aws(endpoint=twin.url), list[Plan]()

        def make(plan: Plan) -> None:
            plans.append(plan)
            for operation in plan.operations:
                aws.send(operation.call())

        make(creation(twin.snapshot(), wanted))
        make(readd(twin.snapshot(), moves, first.members, []))
        make(decommission(twin.snapshot(), moves, "3000"))
        make(rollback(twin.snapshot(), tried(*plans)))
        assert twin.snapshot() == first
        assert rollback(twin.snapshot(), tried(*plans)).operations == ()


def _moves(first: Snapshot, chance: random.Random) -> tuple[list[Move], Snapshot]:
    """Some groups and roles with new ones, and the account with those in it."""
    wanted, moves = first, []
    for name in sorted(first.groups):
        if chance.random() < 0.7:
            new = f"sec-{chance.randint(1, 3)}"
            moves.append(Move("group", name, new))
            wanted = wanted.put(Group(name=new, path="/sec/", inline={"p": allow("s3:*")}))
    for name in sorted(first.roles):
        if chance.random() < 0.7:
            moves.append(Move("role", name, f"sec-role-{name}"))
            wanted = wanted.put(role(f"sec-role-{name}", _service()))
    return moves, wanted


def _service() -> Document:
    return trust("lambda.amazonaws.com")
