"""The stacks that a twin begins with: what its snapshot, or templates, say that they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from secmigrate.iam import Entity, Group, InstanceProfile, Policy, Role, Snapshot, Stack, StackResource, User

_TYPES: Mapping[type[Entity], str] = {
    Group: "AWS::IAM::Group",
    InstanceProfile: "AWS::IAM::InstanceProfile",
    Policy: "AWS::IAM::ManagedPolicy",
    Role: "AWS::IAM::Role",
    User: "AWS::IAM::User",
}


def held_by(snapshot: Snapshot, given: Iterable[Stack] = ()) -> Mapping[str, Sequence[StackResource]]:
    """What lies in stacks, by their names: in the given ones, and in those that own something in the snapshot (`stack
    NAME LOGICALID`).
    """
    found: dict[str, list[StackResource]] = {}
    for thing in snapshot.entities():
        kind, _, rest = snapshot.owner(thing).partition(" ")
        stack, _, logical_id = rest.partition(" ")
        if kind == "stack" and logical_id:
            row = StackResource(logical_id, _TYPES[type(thing)], {}, physical=thing.key)
            found.setdefault(stack, []).append(row)
    return {**found, **{stack.name: stack.resources for stack in given}}
