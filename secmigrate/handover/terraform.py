"""How Terraform lets go of what is decommissioned, so that its next run neither deletes nor makes it anew.

Source: Terraform, *Command: state rm* and *Removing resources* (`removed` blocks, since 1.7: whole resources only).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple

from msgspec import Struct

from secmigrate.iam import PrincipalKind, Snapshot

INLINE: Mapping[str, PrincipalKind] = {
    "aws_iam_user_policy": "user",
    "aws_iam_group_policy": "group",
    "aws_iam_role_policy": "role",
}
ATTACHED: Mapping[str, PrincipalKind] = {
    "aws_iam_user_policy_attachment": "user",
    "aws_iam_group_policy_attachment": "group",
    "aws_iam_role_policy_attachment": "role",
}
# What attaches to a user, group or role what it lists, and takes away all else: whose it is, and where it lists it.
EXCLUSIVE: Mapping[str, tuple[PrincipalKind, str]] = {
    "aws_iam_group_policies_exclusive": ("group", "policy_names"),
    "aws_iam_group_policy_attachments_exclusive": ("group", "policy_arns"),
    "aws_iam_role_policies_exclusive": ("role", "policy_names"),
    "aws_iam_role_policy_attachments_exclusive": ("role", "policy_arns"),
    "aws_iam_user_policies_exclusive": ("user", "policy_names"),
    "aws_iam_user_policy_attachments_exclusive": ("user", "policy_arns"),
}
# What the provider awscc makes of IAM, which has CloudFormation's resources under names of its own.
MADE_BY_AWSCC: Mapping[str, tuple[str, str]] = {
    "awscc_iam_group": ("group", "group_name"),
    "awscc_iam_instance_profile": ("instance profile", "instance_profile_name"),
    "awscc_iam_managed_policy": ("policy", "policy_arn"),
    "awscc_iam_role": ("role", "role_name"),
    "awscc_iam_user": ("user", "user_name"),
}
_HUNG_BY_AWSCC: Mapping[str, tuple[str, str]] = {
    "awscc_iam_group_policy": ("group", "group_name"),
    "awscc_iam_role_policy": ("role", "role_name"),
    "awscc_iam_user_policy": ("user", "user_name"),
}
_HOLDERS: tuple[PrincipalKind, ...] = ("user", "group", "role")
_INDEX = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
# What can stand in a configuration unquoted: no index, and nothing that a state has only if somebody forged it.
_WHOLE = re.compile(r"[\w-]+(\.[\w-]+)+")

Thing = tuple[str, str]  # (kind, name); a policy by its ARN


class Resource(NamedTuple):
    """One instance of a resource that Terraform manages, with its attributes."""

    address: str  # module.team["a"].aws_iam_group.devs[0]
    type: str
    values: Mapping[str, Any]
    provider: str = ""  # which of the providers that are configured; only a state tells


class Handover(Struct, frozen=True):
    """What a person does in Terraform, in this order."""

    takes_away: tuple[str, ...]  # before step 9: what would undo the new memberships and attachments
    state_rm: tuple[str, ...]  # addresses
    blocks: tuple[str, ...]  # resource blocks that must leave the configuration as well
    removed: tuple[str, ...]  # of those, the ones for which a `removed` block does both
    edit: tuple[str, ...]  # what names things that go beside others that stay


def handover(resources: Iterable[Resource], leaving: Set[Thing], planned: Snapshot) -> Handover:
    """What Terraform must let go of when the groups, roles and policies `leaving` go, and `planned` is to come."""
    going: list[Resource] = []
    staying: list[Resource] = []
    edit: list[str] = []
    takes: list[str] = []
    for one in resources:
        things = frozenset(about(one))
        gone = things & leaving
        if gone and gone == things:
            going.append(one)
            continue
        staying.append(one)
        takes += _takes_away(one, planned)
        if gone:
            names = " and ".join(f"{kind} {name}" for kind, name in sorted(gone))
            edit.append(f"{one.address}: take {names} out of its configuration; the rest of it stays")
    blocks = {_block(one.address) for one in going}
    blocked = {_block(one.address) for one in staying}
    whole = sorted(block for block in blocks - blocked if _WHOLE.fullmatch(block))
    return Handover(
        takes_away=tuple(sorted(takes)),
        state_rm=tuple(sorted(one.address for one in going)),
        blocks=tuple(sorted(blocks)),
        removed=tuple(whole),
        edit=tuple(sorted(edit)),
    )


def takes_away(resources: Iterable[Resource], planned: Snapshot) -> list[str]:
    """What Terraform would take away of what is `planned` on its next run, a sentence each."""
    return sorted(line for one in resources for line in _takes_away(one, planned))


def leaving(olds: Iterable[Thing], live: Snapshot) -> frozenset[Thing]:
    """These old groups and roles, and the customer-managed policies that nothing else uses."""
    going = frozenset(olds)
    used = {
        arn
        for one in (*live.groups.values(), *live.roles.values())
        if (one.kind, one.name) in going
        for arn in one.attached
    }
    alone = {
        arn for arn in used & live.own_policies.keys() if all((one.kind, one.name) in going for one in live.uses(arn))
    }
    return going | {("policy", arn) for arn in alone}


def script(found: Handover) -> str:
    """A shell script that makes Terraform forget, to be run where its configuration lies."""
    lines = [
        "#!/bin/sh",
        "# Terraform forgets what is decommissioned; nothing is deleted. Made by secmigrate.",
        "set -eu",
    ]
    lines += [f"terraform state rm {shlex.quote(address)}" for address in found.state_rm]
    return "\n".join(lines) + "\n"


def configuration(found: Handover) -> str:
    """The `removed` blocks, for Terraform 1.7 and later."""
    block = "removed {{\n  from = {}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"
    return "\n".join(block.format(address) for address in found.removed)


def about(one: Resource) -> Iterator[Thing]:
    """What a resource hangs on, or is."""
    values = one.values
    match one.type:
        case "aws_iam_group" | "aws_iam_role" | "aws_iam_user":
            yield (one.type.removeprefix("aws_iam_"), values["name"])
        case "aws_iam_instance_profile":
            yield ("instance profile", values["name"])
            if values.get("role"):
                yield ("role", values["role"])
        case "aws_iam_policy":
            yield ("policy", str(values.get("arn")))
        case "aws_iam_policy_attachment":
            yield from ((kind, name) for kind in _HOLDERS for name in values.get(f"{kind}s") or ())
        case "aws_iam_group_membership":
            yield ("group", values["group"])
        case "aws_iam_user_group_membership":
            yield from (("group", name) for name in values.get("groups") or ())
        case _:
            if kind := INLINE.get(one.type) or ATTACHED.get(one.type):
                yield (kind, values[kind])
            elif exclusive := EXCLUSIVE.get(one.type):
                yield (exclusive[0], str(values.get(f"{exclusive[0]}_name")))
            elif named := MADE_BY_AWSCC.get(one.type) or _HUNG_BY_AWSCC.get(one.type):
                yield (named[0], str(values.get(named[1])))


def _takes_away(one: Resource, planned: Snapshot) -> Iterator[str]:
    """Resources that are exclusive: on its next run Terraform takes away what they do not list."""
    values = one.values
    if one.type == "aws_iam_group_membership" and values["group"] in planned.groups:
        yield f"{one.address}: would take everybody whom it does not list out of {values['group']} again"
    if one.type == "aws_iam_policy_attachment":
        new = [
            f"{thing.kind} {thing.name}"
            for thing in (*planned.groups.values(), *planned.roles.values())
            if values["policy_arn"] in thing.attached and thing.name not in (values.get(f"{thing.kind}s") or ())
        ]
        if new:
            yield f"{one.address}: would detach {values['policy_arn']} from {', '.join(sorted(new))} again"
    if exclusive := EXCLUSIVE.get(one.type):
        kind, listing = exclusive
        thing = planned.principal(kind, str(values.get(f"{kind}_name")))
        held = () if thing is None else thing.attached if listing == "policy_arns" else sorted(thing.inline)
        if new := [policy for policy in held if policy not in (values.get(listing) or ())]:
            yield f"{one.address}: would take {', '.join(new)} from {kind} {values[f'{kind}_name']} again"


def _block(address: str) -> str:
    """The resource block of an instance: its address without its own index."""
    last = _INDEX.search(address, max(address.rfind("aws_iam_"), address.rfind("awscc_iam_")))
    return address[: last.start()] if last and last.end() == len(address) else address
