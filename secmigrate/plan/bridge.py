"""What carries people over while the groups that they are in do not exist: copies of these groups under another name.

The bridge lies in the account, in the names of groups and policies, so any later plan finds it. Who is in ten groups,
and so cannot be in one more, has what one of her groups gives directly, by a managed policy of the bridge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

from msgspec import Struct

from secmigrate.dangers import ATTACHED_PER_PRINCIPAL, GROUPS_PER_USER
from secmigrate.iam import Document, Group, Policy, Snapshot, User
from secmigrate.operations import (
    AddUserToGroup,
    AnyOperation,
    AttachPolicy,
    CreateGroup,
    CreatePolicy,
    DeleteGroup,
    DeleteInlinePolicy,
    DeletePolicy,
    DetachPolicy,
    PutInlinePolicy,
    RemoveUserFromGroup,
)

PREFIX = "secmigrate-bridge-"
_LONGEST_NAME = 128  # of groups and policies (iam-rules, "Quotas")
_MANAGED_SIZE = 6144
_NOTHING: dict[str, object] = {
    "Effect": "Allow",
    "Action": "sts:GetCallerIdentity",
    "Resource": "*",
}  # which everybody may


class Span(Struct, frozen=True):
    """The bridge for one group: the copy, and the policy for those who have no room for the copy."""

    of: str
    copy: Group
    policy: Policy

    @property
    def direct(self) -> tuple[str, ...]:
        """What a user has attached who is carried over without the copy."""
        return (self.policy.arn, *self.copy.attached)

    def carries(self, user: User) -> bool:
        """Whether the user is carried over directly."""
        return self.policy.arn in user.attached


def span(live: Snapshot, name: str, group: Group, leaving: frozenset[str]) -> Span:
    """The bridge for a group of that name, from the group itself or from its copy. Customer-managed policies that are
    `leaving` (ARNs) become inline ones of the copy.
    """
    inline = dict(group.inline)
    inline |= {
        f"policy-{live.policies[arn].name}": live.policies[arn].document for arn in group.attached if arn in leaving
    }
    copy = Group(
        name=copy_name(name), inline=inline, attached=tuple(arn for arn in group.attached if arn not in leaving)
    )
    statements = [_without_sid(row) for document in inline.values() for row in document.statements] or [_NOTHING]
    document = Document({"Version": "2012-10-17", "Statement": statements})
    return Span(name, copy, Policy(arn=live.policy_arn(copy_name(name)), document=document))


def copy_name(group: str) -> str:
    """What the copy of a group is called, and its policy. A name that is cut off ends in what tells it from others that
    begin as it does.
    """
    name = f"{PREFIX}{group}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}-{sha256(group.encode()).hexdigest()[:8]}"


def built(live: Snapshot, one: Span) -> Iterator[AnyOperation]:
    """Makes the copy, or what is missing of it."""
    there = live.groups.get(one.copy.name)
    if there is None:
        yield CreateGroup(group=one.copy.bare())
    for name, document in sorted(one.copy.inline.items()):
        if there is None or there.inline.get(name) != document:
            yield PutInlinePolicy(principal="group", name=one.copy.name, policy=name, document=document)
    for arn in one.copy.attached:
        if there is None or arn not in there.attached:
            yield AttachPolicy(principal="group", name=one.copy.name, arn=arn)


def taken_away(now: Snapshot, one: Span) -> Iterator[AnyOperation]:
    """Takes away the copy and the policy, which nobody uses any more."""
    there = now.groups.get(one.copy.name)
    if there:
        for name, document in sorted(there.inline.items()):
            yield DeleteInlinePolicy(principal="group", name=there.name, policy=name, document=document)
        for arn in there.attached:
            yield DetachPolicy(principal="group", name=there.name, arn=arn)
        yield DeleteGroup(group=there.bare())
    if one.policy.arn in now.policies:
        yield DeletePolicy(policy=now.policies[one.policy.arn].bare())


def lifted(user: User, spans: Mapping[str, Span]) -> Span | None:
    """The bridge by which a user without room for one more group is carried over directly: of those that she has room
    for, the one with the fewest policies; one that she has in part already goes first. None if there is none.
    """
    if begun := [one for one in spans.values() if one.carries(user)]:
        return begun[0]
    fitting = [
        one
        for one in spans.values()
        if len(user.attached) + len(one.direct) <= ATTACHED_PER_PRINCIPAL
        # What she has already would be taken from her at the end.
        and not set(one.direct) & set(user.attached)
        and one.policy.document.size <= _MANAGED_SIZE
    ]
    return min(fitting, key=lambda one: (len(one.direct), one.of), default=None)


def lifting(now: Snapshot, user: User, one: Span) -> Iterator[AnyOperation]:
    """Gives her directly what the group gives."""
    if one.policy.arn not in now.policies:
        yield CreatePolicy(policy=one.policy)
    yield from (AttachPolicy(principal="user", name=user.name, arn=arn) for arn in one.direct)


def lowering(user: User, one: Span) -> Iterator[AnyOperation]:
    """Takes it from her again, the bridge's own policy last: it tells a later plan where she has the others from."""
    for arn in reversed(one.direct):
        if arn in user.attached:
            yield DetachPolicy(principal="user", name=user.name, arn=arn)


def one_by_one(user: User, steps: Mapping[str, tuple[str, ...]]) -> Iterator[AnyOperation]:
    """Into the groups that take the place of each of hers, before she leaves it; a place is free for one at a time."""
    there = set(user.groups)
    for old, news in steps.items():
        for new in news:
            if new not in there:
                yield AddUserToGroup(user=user.name, group=new)
                there.add(new)
        if old in there:
            yield RemoveUserFromGroup(user=user.name, group=old)
            there.discard(old)


def free(user: User) -> int:
    """How many more groups she can be in."""
    return GROUPS_PER_USER - len(user.groups)


def _without_sid(row: Mapping[str, object]) -> dict[str, object]:
    """Sids must differ within a document."""
    return {key: value for key, value in row.items() if key != "Sid"}
