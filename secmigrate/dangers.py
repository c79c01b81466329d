"""What makes a plan unsafe, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from secmigrate.iam import Principal, Snapshot, User

Code = Literal[
    "access-dips",
    "added-outside",
    "incomplete-snapshot",
    "joined-since-snapshot",
    "lacks-permission",
    "left-since-snapshot",
    "locks-you-out",
    "named-elsewhere",
    "not-a-member-yet",
    "owned-elsewhere",
    "quota-exceeded",
    "role-ends",
    "role-gap",
    "role-in-use",
    "role-narrows",
    "service-linked",
    "shared-policy",
    "stale-plan",
    "takes-away",
    "target-exists",
    "target-missing",
    "too-many-groups",
    "undecided",
    "unmapped-members",
    "wrong-account",
    "cannot-undo",
    "deny-removed",
    "destroys-more",
    "stranded-user",
]

Blocks = Literal["plan", "subjects", "nothing"]


class Danger(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """Something unsafe. What it blocks: the whole plan, its subjects (they are left out of the plan), or nothing."""

    code: Code
    message: str
    hint: str
    subjects: tuple[str, ...] = ()
    blocks: Blocks = "plan"


class _Kind(Struct, frozen=True):
    blocks: Blocks
    sentence: str  # {subjects} and {n} are filled in
    hint: str


# Quotas of IAM that cannot be raised, or their defaults (iam-rules, "Quotas").
GROUPS_PER_USER = 10
ATTACHED_PER_PRINCIPAL = 10
INLINE_SIZE: Mapping[str, int] = {"user": 2048, "group": 5120, "role": 10240}

KINDS: Mapping[Code, _Kind] = {
    "access-dips": _Kind(
        "subjects",
        "somebody would lack access on the way: {subjects}",
        "look at the Deny statements of the groups named, and move the user by hand if they are meant",
    ),
    "added-outside": _Kind(
        "nothing",
        "policies were added outside of the stack, and with them it will not delete: {subjects}",
        "take them away first, or `secmigrate stack` will name them when it has failed; what is needed belongs into "
        "the config",
    ),
    "incomplete-snapshot": _Kind(
        "plan", "parts of the account could not be read: {subjects}", "mend what the message names, read again"
    ),
    "joined-since-snapshot": _Kind(
        "nothing",
        "joined since the inventory, and is moved as well: {subjects}",
        "nothing to do; `inventory` again records it, unless something was taken away already",
    ),
    "lacks-permission": _Kind(
        "plan",
        "the credentials may not make some of the calls: {subjects}",
        "use others, or have the policy that lies beside the plan attached to them",
    ),
    "locks-you-out": _Kind(
        "plan",
        "the credentials would lose, on the way, what this or undoing it needs: {subjects}",
        "carry it out as somebody who does not depend on what goes, such as an administrator outside of the scope",
    ),
    "left-since-snapshot": _Kind(
        "nothing",
        "left since the inventory, and is not moved: {subjects}",
        "nothing to do; `inventory` again records it, unless something was taken away already",
    ),
    "named-elsewhere": _Kind(
        "subjects",
        "named in policies that stay, which would lose them for good: {subjects}",
        "change those policies first, to name what takes their place",
    ),
    "not-a-member-yet": _Kind(
        "subjects", "in an old group but not yet in its new one: {subjects}", "run `readd --execute` first"
    ),
    "owned-elsewhere": _Kind(
        "subjects",
        "managed by Terraform or a CloudFormation stack: {subjects}",
        "let it give them up first, as `secmigrate handover` says, then plan again",
    ),
    "quota-exceeded": _Kind("plan", "IAM's quotas would be passed: {subjects}", "ask AWS for more, or plan for less"),
    "role-ends": _Kind(
        "nothing",
        "nobody, no service either, can assume these roles any more from delete-stack on: {subjects}",
        "make sure that nothing uses them, or name what takes their place in decisions.yaml (downgrade: become)",
    ),
    "role-gap": _Kind(
        "nothing",
        "nobody, no service either, can assume these roles from delete-stack until deploy: {subjects}",
        "let what uses them rest for that time; no bridge carries a role over, for others know it by its name",
    ),
    "role-in-use": _Kind(
        "subjects", "used recently: {subjects}", "move what uses it to the new role, or lower --unused-days"
    ),
    "role-narrows": _Kind(
        "nothing",
        "what takes the place of these roles may do less, or is open to fewer: {subjects}",
        "let whoever uses them know; or choose what takes their place in decisions.yaml (`roles`; of a tier change "
        "`downgrade`, where they can also `end` with a reason)",
    ),
    "service-linked": _Kind(
        "plan", "AWS manages these roles, nobody else may touch them: {subjects}", "take them out of decisions.yaml"
    ),
    "shared-policy": _Kind(
        "subjects",
        "used by something that stays, so they stay as well: {subjects}",
        "nothing to do, unless what uses them should go too",
    ),
    "stale-plan": _Kind(
        "plan", "the account is not as it was when this was planned: {subjects}", "make the plan again and review it"
    ),
    "takes-away": _Kind(
        "plan",
        "Terraform's next run would undo it: {subjects}",
        "take the resource out of its configuration, or use one that is not exclusive, such as "
        "aws_iam_group_policy_attachment; then let the state be read again",
    ),
    "target-exists": _Kind(
        "plan",
        "the account has something of a name that the new stack will give, so it would not deploy: {subjects}",
        "rename or remove what the message names, or take the entry out of the config",
    ),
    "target-missing": _Kind(
        "plan", "the new groups or roles do not exist yet: {subjects}", "deploy the config first (guide, step 8)"
    ),
    "too-many-groups": _Kind(
        "subjects",
        "no room for the new groups without a dip in access (IAM allows 10): {subjects}",
        "take the user out of a group that is not needed any more, then plan again",
    ),
    "undecided": _Kind(
        "plan",
        "the new tier does not have these, and nobody said what becomes of those who depend on them: {subjects}",
        "answer for each in decisions.yaml, under downgrade: become: KEY, or end: WHY",
    ),
    "unmapped-members": _Kind(
        "nothing",
        "in groups without a counterpart, which stay as they are: {subjects}",
        "answer for these groups in decisions.yaml if they should move",
    ),
    "wrong-account": _Kind(
        "plan", "the credentials are of another account: {subjects}", "choose the right profile with --profile"
    ),
    "cannot-undo": _Kind(
        "subjects",
        "there would be no way back, or there is none, so it is left as it is: {subjects}",
        "see why it stays, beside its name; mend that and plan again, or do it by hand",
    ),
    "deny-removed": _Kind(
        "nothing",
        "a Deny goes with its group, so that somebody may do more: {subjects}",
        "see `secmigrate access`; if it must stay, put the Deny elsewhere first, such as a permissions boundary",
    ),
    "destroys-more": _Kind(
        "nothing",
        "deleting these stacks would take more than what is decommissioned: {subjects}",
        "let what goes leave the stack, as `handover` says; never `cdk destroy` or `delete-stack` before that",
    ),
    "stranded-user": _Kind(
        "subjects",
        "would end with less access than now, which nobody accepted: {subjects}",
        "see `secmigrate access`; choose higher levels, or accept the loss in decisions.yaml (accept)",
    ),
}


def danger(code: Code, subjects: Iterable[str], blocks: Blocks | None = None) -> Danger:
    """The danger of that name for these subjects; it blocks what its kind does, if nothing else is said."""
    kind, named = KINDS[code], tuple(subjects)
    shown = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
    return Danger(
        code=code,
        message=kind.sentence.format(subjects=shown),
        hint=kind.hint,
        subjects=named,
        blocks=blocks or kind.blocks,
    )


def some(code: Code, subjects: Iterable[str], blocks: Blocks | None = None) -> tuple[Danger, ...]:
    """The danger of that name, or nothing if there are no subjects."""
    named = tuple(subjects)
    return (danger(code, named, blocks),) if named else ()


def incomplete(snapshot: Snapshot) -> tuple[Danger, ...]:
    """`incomplete-snapshot`, if a source could not read something."""
    return some("incomplete-snapshot", (f"{gap.what} ({gap.why})" for gap in snapshot.incomplete))


def wrong_account(wanted: str, found: str) -> tuple[Danger, ...]:
    """`wrong-account`, if the plan is for another account than the credentials."""
    return some("wrong-account", [f"{found}, not {wanted}"] if wanted != found else [])


def stale(
    based_on: str, live: Snapshot, since: Callable[[Snapshot], Iterable[str]] = lambda now: ()
) -> tuple[Danger, ...]:
    """`stale-plan`, if the account is not what the plan was made from; `since` says in which way, if it is known."""
    if live.fingerprint == based_on:
        return ()
    return (danger("stale-plan", tuple(since(live)) or ("something changed",)),)


def over_quota(snapshot: Snapshot, one: Principal) -> Iterator[str]:
    """The quotas that a principal passes in this snapshot, a sentence each."""
    if isinstance(one, User) and len(one.groups) > GROUPS_PER_USER:
        yield f"user {one.name} in {len(one.groups)} groups"
    if len(one.attached) > ATTACHED_PER_PRINCIPAL:
        yield f"{one.kind} {one.name} with {len(one.attached)} attached policies"
    inline = sum(document.size for document in one.inline.values())
    if inline > INLINE_SIZE[one.kind]:
        yield f"{one.kind} {one.name} with {inline} characters of inline policies"
