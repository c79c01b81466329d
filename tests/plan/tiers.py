"""A small account whose people are in the groups of a startup stack, and the medium one that it changes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from secmigrate.access import Accepted, Watch
from secmigrate.documents import aws_actions
from secmigrate.iam import Group, Policy, Role, Seen, Snapshot
from secmigrate.plan import Plan, Stack, Way, tier_change
from secmigrate.plan.standing import earlier, members, standing, took_over
from secmigrate.plan.tier import documents
from tests.plan.cases import group, role, snapshot, user
from tests.small import READ_ONLY, allow, deny

DS, ML, QA, OPS = (f"lumen-prod-a001-group-{tail}" for tail in ("data-scientists", "ml-engineers", "qa-testing", "ops"))
ROLE = "lumen-prod-a001-role-lambda-execution"
OLD, NEW = "lumen-startup-sec-stack", "lumen-medium-sec-stack"
READING = Policy(arn=READ_ONLY, document=allow("glue:Get*"), version=Seen(id="v1"))


def part(*things: Group | Role | Policy) -> Snapshot:
    return snapshot(READING, *things)


STARTUP = Stack(
    OLD,
    "startup",
    "eu-central-1",
    part(
        group(DS, allow("s3:*"), allow("sagemaker:*"), attached=(READ_ONLY,)),
        group(ML, allow("ecr:*"), deny("s3:DeleteBucket")),
        group(OPS),
        role(ROLE, inline={"l": allow("logs:*")}),
    ),
)
MEDIUM = Stack(
    NEW,
    "medium",
    "eu-central-1",
    part(*STARTUP.part.groups.values(), group(QA, allow("lambda:*")), *STARTUP.part.roles.values()),
)
HOMES = {DS: (DS,), ML: (ML,), OPS: (OPS,)}
OTHERS = [group(f"other-{n}", allow("sqs:*")) for n in range(10)]
FULL = [one.name for one in OTHERS]


def account(*more: Any) -> Snapshot:
    """Ana in both groups, bo in one, cy in one and nine others, di in both and eight others, everything with ids."""
    people = [
        user("ana", DS, ML),
        user("bo", DS),
        user("cy", DS, *FULL[:9]),
        user("di", DS, ML, *FULL[:8]),
        user("ed", ML, *FULL[:8]),
        user("fay", "other-0"),
    ]
    return as_seen(snapshot(*people, *OTHERS, *STARTUP.part.entities(), *more), "A")


def as_seen(now: Snapshot, mark: str) -> Snapshot:
    """Everything that has no unique id gets one, as in an account."""
    for room in (now.groups, now.roles):
        for one in room.values():
            if not one.seen.id:
                now = now.put(structs.replace(one, seen=Seen(id=f"{mark}{one.name}")))
    return now


def planned(
    live: Snapshot,
    old: Stack = STARTUP,
    new: Stack = MEDIUM,
    *,
    way: Way | None = None,
    before: Sequence[Plan] = (),
    accept: Sequence[Accepted] = (),
    name: Any = "tier-upgrade",
) -> Plan:
    """The plan as the command makes it, for the account as it is and the plans of earlier journals."""
    there = standing(live, old, new.name)
    way = way or Way(homes=HOMES)
    if found := earlier(new.name, before):
        way = structs.replace(way, saved=members(found))
        if took_over(new.name, before, live):
            there = structs.replace(there, part=part())
    watch = Watch(aws_actions(), (live, new.part, old.part), accept, documents(live, there, way))
    return tier_change(name, live, there, new, way, watch)


def watched(live: Snapshot, way: Way) -> Watch:
    """What compares all moments of the way from startup to medium."""
    return Watch(aws_actions(), (live, MEDIUM.part, STARTUP.part), (), documents(live, STARTUP, way))
