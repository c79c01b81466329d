"""Any account: every plan runs on the strict twin without one refusal, nobody's access dips on the way, no call is made
too many, and the way back ends at the start.

What somebody may do is asked of the evaluator of single requests in tests/access; it shares nothing with the planner.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from secmigrate import plan as planning
from secmigrate.aws import Aws
from secmigrate.iam import Document, Entity, Group, InstanceProfile, Policy, Principal, Seen, Snapshot, Version
from secmigrate.operations import RenameGroup
from secmigrate.plan import Move, Plan, Quarantine, fold, net, rollback
from secmigrate.sources.live import read_live
from secmigrate.twin import Twin
from tests.access.brute import Request, allowed
from tests.plan.cases import EVERY_LOSS, LAST_YEAR, arn, readd, role, snapshot, tried, user, watching
from tests.small import allow, deny

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SAID: tuple[Document, ...] = (
    allow("s3:GetObject"),
    allow("s3:Get*", resource="arn:aws:s3:::bucket/*"),
    allow("s3:GetObject", resource="arn:aws:s3:::bucket/${aws:username}/*"),
    allow("ec2:StartInstances", "ec2:StopInstances"),
    allow("ec2:Start*"),
    Document(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/secret/*"}],
        }
    ),
    deny("ec2:StopInstances"),
)
ASKED = tuple(
    Request(action, resource, {})
    for action, resources in (
        ("s3:GetObject", ("arn:aws:s3:::bucket/ana/x", "arn:aws:s3:::bucket/secret/x", "arn:aws:s3:::other/x")),
        ("s3:GetBucketAcl", ("arn:aws:s3:::bucket",)),
        ("ec2:StartInstances", ("arn:aws:ec2:eu-central-1:111122223333:instance/i-1",)),
        ("ec2:StopInstances", ("arn:aws:ec2:eu-central-1:111122223333:instance/i-1",)),
    )
    for resource in resources
)
PATHS = ("/", "/team/", "/division/eng/", "/a!b/")
NAMES = ("ana", "b.o@x", "c+y", "d=z,", "e_-f")


class Case(NamedTuple):
    """An account in which the new groups and roles stand already, and what becomes of the old ones."""

    before: Snapshot
    moves: tuple[Move, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Users in eight to ten groups, shared policies with versions, boundaries, Deny, odd paths and characters."""
    said = st.sampled_from(SAID)
    managed = [_policy(f"p{n}", draw(said), draw(st.lists(said, max_size=2))) for n in range(draw(st.integers(1, 3)))]
    arns = [one.arn for one in managed]

    def principal(name: str) -> Group:
        inline = {f"i{n}": document for n, document in enumerate(draw(st.lists(said, max_size=2)))}
        attached = tuple(draw(st.lists(st.sampled_from(arns), max_size=2, unique=True)))
        return Group(name=name, path=draw(st.sampled_from(PATHS)), inline=inline, attached=attached)

    old = [f"old{n}+=,.@-" for n in range(draw(st.integers(8, 11)))]
    things: list[Entity] = [*managed, *(principal(name) for name in old)]
    moves: list[Move] = []
    for n, name in enumerate(draw(st.lists(st.sampled_from(old), min_size=1, max_size=4, unique=True))):
        new = f"new{n}"
        source = next(thing for thing in things if isinstance(thing, Group) and thing.name == name)
        same = draw(st.booleans())
        things.append(Group(name=new, inline=source.inline, attached=source.attached) if same else principal(new))
        moves.append(Move("group", name, new))
    for name in NAMES[: draw(st.integers(1, 4))]:
        groups = draw(st.lists(st.sampled_from(old), min_size=8, max_size=min(10, len(old)), unique=True))
        boundary = draw(st.sampled_from(["", "", *arns]))
        things.append(user(name, *groups, path=draw(st.sampled_from(PATHS)), boundary=boundary))
    for n in range(draw(st.integers(0, 2))):
        inline = {f"i{m}": document for m, document in enumerate(draw(st.lists(said, max_size=2)))}
        boundary = draw(st.sampled_from(["", arns[0]]))
        things.append(role(f"r{n}", inline=inline, attached=tuple(arns[:n]), boundary=boundary))
        things.append(InstanceProfile(name=f"box{n}", roles=(f"r{n}",)))
        things.append(role(f"fresh{n}"))
        moves.append(Move("role", f"r{n}", f"fresh{n}"))
    return Case(snapshot(*things), tuple(moves))


def _policy(name: str, document: Document, older: Sequence[Document]) -> Policy:
    versions = tuple(Version(document=one, seen=Seen(id=f"v{n}")) for n, one in enumerate(older, 1))
    return Policy(arn=arn(name), document=document, version=Seen(id=f"v{len(older) + 1}"), older=versions)


@settings(
    max_examples=500 if ALL else 12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(cases(), st.sampled_from([frozenset[str](), frozenset({"role"}), frozenset({"role", "group"})]))
def test_no_refusal_no_dip_no_call_too_many_and_back(case: Case, kinds: frozenset[str]) -> None:
    with Twin(case.before) as twin:
        aws = Aws(endpoint=twin.url)

        def look() -> Snapshot:
            return read_live(aws, {})

        done: list[Plan] = []
        live = look()
        _carried_out(readd(live, case.moves, live.members, []), live, aws, done)
        for day, due in (("2026-03-01", "2026-02-22"), ("2026-03-08", "2026-03-01")):
            live = look()
            watch = watching(live, accept=[EVERY_LOSS])
            plan = planning.decommission(live, case.moves, LAST_YEAR, watch, Quarantine(kinds, day, due))
            _carried_out(plan, live, aws, done)
        live = look()
        back = rollback(live, tried(*done))
        assert back.dangers == ()
        _carried_out(back, live, aws, [])
        assert twin.snapshot() == case.before


def _carried_out(plan: Plan, live: Snapshot, aws: Aws, done: list[Plan]) -> None:
    """Makes the calls, unless the plan says that it must not be carried out."""
    for danger in plan.dangers:
        event(f"{plan.name}: {danger.code}")
    if plan.blocking:
        return
    event(f"{plan.name} with a bridge: {len(net(plan.operations)) < len(plan.operations)}")
    states = [live, *(after for _, _, after in fold(live, plan.operations))]
    for operation in plan.operations:
        aws.send(operation.call())
    assert read_live(aws, {}) == states[-1]
    if not any(isinstance(operation, RenameGroup) for operation in plan.operations):
        assert len(net(plan.operations)) == distance(live, states[-1])
    if plan.name == "readd":
        _no_dip(states)
    done.append(plan)


def _no_dip(states: Sequence[Snapshot]) -> None:
    """Whatever somebody may do at the start and at the end, she may do at every moment; and at the end no less."""
    for name in states[0].users:
        could = [_may(state, name) for state in states]
        assert could[0] <= could[-1]
        for moment in could:
            assert could[0] & could[-1] <= moment


def _may(state: Snapshot, name: str) -> set[int]:
    return {n for n, request in enumerate(ASKED) if allowed(state, state.users[name], request)}


def distance(before: Snapshot, after: Snapshot) -> int:
    """How many calls it takes at least: one for each thing, policy, version and membership that differs."""
    return len(set(_pieces(before)) ^ set(_pieces(after)))


def _pieces(state: Snapshot) -> Iterator[tuple[str, ...]]:
    for thing in state.entities():
        yield (state.arn(thing),)
        if isinstance(thing, Principal):
            yield from ((state.arn(thing), "inline", name, document.text) for name, document in thing.inline.items())
            yield from ((state.arn(thing), "attached", one) for one in thing.attached)
        if isinstance(thing, Policy):
            same = [old.document.text for old in thing.older]
            yield from ((thing.arn, "older", text, str(same[:n].count(text))) for n, text in enumerate(same))
        if isinstance(thing, InstanceProfile):
            yield from ((state.arn(thing), "role", name) for name in thing.roles)
    for one in state.users.values():
        yield from (("member", one.name, name) for name in one.groups)
