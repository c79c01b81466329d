"""What somebody hung on a stack, or leans on it, is told before the stack goes."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate.iam import Policy, Role, Seen, Snapshot
from secmigrate.operations import AddUserToGroup, CreateStack, DeleteStack
from secmigrate.operations.stacks import TAG
from secmigrate.plan import Plan, Tried, fold, is_done, rollback
from secmigrate.plan.fold import sealed
from secmigrate.plan.standing import brought, took_over
from tests.plan.cases import after, arn, dangers, group, role, tried, trusting, user
from tests.plan.tiers import DS, FULL, MEDIUM, ML, NEW, OLD, ROLE, STARTUP, account, as_seen, planned
from tests.small import READ_ONLY, allow

SQS = allow("sqs:*")
STACK = CreateStack(
    stack=OLD,
    tier="startup",
    groups=tuple(STARTUP.part.groups.values()),
    roles=tuple(STARTUP.part.roles.values()),
).undo()


def hung(live: Snapshot) -> Snapshot:
    """With a policy by hand on a group, and another one on a role."""
    ds, worker = live.groups[DS], live.roles[ROLE]
    live = live.put(structs.replace(ds, inline={**ds.inline, "by hand": SQS}))
    return live.put(structs.replace(worker, attached=(READ_ONLY,)))


HUNG = (f"group {DS} (inline policy by hand)", f"role {ROLE} (policy {READ_ONLY})")


def emptied() -> Snapshot:
    """Nobody is in the stack's groups."""
    live = account()
    for one in live.users.values():
        live = live.put(structs.replace(one, groups=()))
    return live


def test_a_tier_change_names_what_was_added_to_its_stack() -> None:
    plan = planned(hung(account()))
    assert dangers(plan)["added-outside"] == HUNG
    assert "added-outside" not in dangers(planned(account()))


def test_what_is_rendered_in_another_way_tells_nothing() -> None:
    live = account()
    for one in (*STARTUP.part.groups.values(), *STARTUP.part.roles.values()):
        live = live.put(structs.replace(getattr(live, one.room)[one.name], inline={"sec": SQS, "more": SQS}))
    assert "added-outside" not in dangers(planned(live))


def test_where_the_rendering_is_known_something_may_have_been_taken_off_as_well() -> None:
    live = account()
    live = live.put(structs.replace(live.groups[ML], inline={"by hand": SQS}))
    assert dangers(planned(live))["added-outside"] == (f"group {ML} (inline policy by hand)",)


def test_a_way_back_names_it_and_lets_the_stack_go() -> None:
    plan = rollback(hung(emptied()), [], stack=STACK)
    assert [type(one) for one in plan.operations] == [DeleteStack]
    assert (dangers(plan), plan.blocking) == ({"added-outside": HUNG}, ())


def test_a_way_back_from_another_tier_names_what_was_added_to_that_ones_stack() -> None:
    there = planned(account())
    live = as_seen(after(account(), there.operations), "N")
    assert "added-outside" not in dangers(rollback(live, tried(there)))
    back = rollback(hung(live), tried(there))
    assert dangers(back)["added-outside"] == HUNG
    assert [one.stack for one in back.operations if isinstance(one, DeleteStack)] == [NEW]


def test_a_way_back_from_another_tier_names_who_trusts_its_roles() -> None:
    there = planned(account())
    live = as_seen(after(account(), there.operations), "N").put(role("outside", trusting(ROLE)))
    back = rollback(live, tried(there))
    assert dangers(back)["named-elsewhere"] == (f"{ROLE} (in the trust policy of outside)",)
    assert not back.blocking


def test_of_a_stack_that_is_gone_nothing_is_told() -> None:
    there = planned(account())
    live = hung(as_seen(after(account(), there.operations), "N"))
    assert dangers(planned(live, before=[there])) == {}


def test_a_stack_that_stands_again_after_a_way_back_goes_once_more() -> None:
    """Without tags, only the plans tell which of two stacks with the same names stands."""
    there = planned(account())
    live = as_seen(after(account(), there.operations), "N")
    assert planned(live, before=[there]).operations == ()
    back = rollback(live, tried(there))
    again = after(live, back.operations)
    for one in STARTUP.part.entities():  # what IAM makes anew has another id each time
        again = again.put(structs.replace(getattr(again, one.room)[one.key], seen=Seen(id=f"O{one.key}")))
    once_more = planned(again, before=[there, back])
    assert [type(one) for one in once_more.operations if not one.ours] == [DeleteStack, CreateStack]
    # Half way back, the plan that led there still tells who was in which group.
    assert planned(live, before=[there, back]).operations == ()


def test_the_old_stack_that_a_way_back_only_brings_again_is_the_one_that_stands() -> None:
    """The new one was never deployed; its names are those of the old one."""
    new = structs.replace(MEDIUM, part=STARTUP.part)
    there = planned(account(), new=new)
    until = 1 + next(n for n, one in enumerate(there.operations) if isinstance(one, DeleteStack))
    gone = after(account(), there.operations[:until])
    assert brought([there], gone) is None
    back = rollback(gone, tried(there)[:until])
    assert [type(one) for one in back.operations if not one.ours] == [CreateStack]
    again = as_seen(after(gone, back.operations), "B")
    assert (found := brought([there, back], again))
    assert found.stack == OLD
    assert not took_over(NEW, [there, back], again)
    assert planned(again, new=new, before=[there, back]).operations


def test_tags_tell_which_of_two_stacks_with_the_same_names_stands() -> None:
    there = planned(account(), new=structs.replace(MEDIUM, part=STARTUP.part))
    live = as_seen(after(account(), there.operations), "N")
    assert (found := brought([there], live))
    assert found.stack == NEW
    for stack, stands in ((NEW, True), (OLD, False)):
        tagged = live.put(structs.replace(live.roles[ROLE], tags={TAG: stack}))
        assert bool(brought([there], tagged)) is stands


def stays(plan: Plan) -> str:
    assert plan.operations == ()
    (kept,) = plan.kept
    assert (kept.kind, kept.name) == ("stack", OLD)
    return kept.why


def of_stack(name: str) -> Policy:
    return Policy(arn=arn(name), document=SQS, version=Seen(id="v1"), tags={TAG: OLD})


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((role("outside", trusting(ROLE)),), f"{ROLE} (in the trust policy of outside)"),
        ((of_stack("p"), group("outside", attached=(arn("p"),))), f"{arn('p')} (group outside uses it)"),
        ((of_stack("p"), user(ROLE, attached=(arn("p"),))), f"{arn('p')} (user {ROLE} uses it)"),
    ],
)
def test_on_the_way_back_a_stack_stays_that_something_outside_leans_on(more: tuple[Role, ...], told: str) -> None:
    live = emptied()
    assert rollback(live, [], stack=STACK).operations
    for one in more:
        live = live.put(one)
    assert stays(rollback(live, [], stack=STACK)) == f"stays, for something outside of it would lose it: {told}"


def test_its_own_do_not_hold_it() -> None:
    live = emptied().put(of_stack("p"))
    live = live.put(structs.replace(live.roles[ROLE], attached=(arn("p"),)))
    assert rollback(live, [], stack=STACK).operations


def test_the_last_stack_to_go_is_the_one_that_the_way_back_brings_again() -> None:
    """Everybody joined, then the tier changed: what stands at the end has other ids than what went."""
    joined = [AddUserToGroup(user="ana", group=DS), AddUserToGroup(user="bo", group=ML)]
    there = planned(after(emptied(), joined))
    live = as_seen(after(after(emptied(), joined), there.operations), "N")
    (went,) = (one for one in there.operations if isinstance(one, DeleteStack))
    back = rollback(live, [*map(Tried, joined), *tried(there)], stack=went)
    last = back.operations[-1]
    assert isinstance(last, DeleteStack)
    assert last.stack == OLD
    again = as_seen(after(live, back.operations[:-1]).restorable(), "B")
    assert not last.is_done(again)
    assert after(again, [last]).groups.keys() == {*FULL}


def test_a_stack_that_is_made_on_the_way_and_still_stands_is_not_done_with() -> None:
    """A rollback over a tier change has the first stack deployed again, and deleted in the end."""
    without = emptied()
    for thing in (*STARTUP.part.groups.values(), *STARTUP.part.roles.values()):
        without = without.drop(thing)
    plan = sealed("rollback", without, [STACK.undo(), STACK], ())
    (deployed,) = [now for one, _, now in fold(without, plan.operations) if isinstance(one, CreateStack)]
    assert not is_done(plan, deployed)
    assert is_done(plan, without)
