"""A plan as a plain shell script of AWS CLI commands."""

from __future__ import annotations

import shlex

from secmigrate.operations import AddRoleToInstanceProfile, CreateStack, DeleteStack, Operation
from secmigrate.plan import Plan


def as_script(plan: Plan) -> str:
    """A POSIX script that makes the plan's calls and stops at the first that fails. It can be run again: but for new
    versions of policies, of which it would make another one, it goes on where it was. It keeps no journal;
    `secmigrate … --execute` does.
    """
    lines = [
        "#!/bin/sh",
        f"# Plan {plan.name} for account {plan.account}: {len(plan.operations)} commands, {plan.destructive} of which",
        "# take something away. Made by secmigrate; run by hand it keeps no journal, so rollback would not know of it.",
        "set -eu",
        f'test "$(aws sts get-caller-identity --query Account --output text)" = {plan.account} || {{',
        f'  echo "these are not the credentials of account {plan.account}" >&2; exit 4',
        "}",
        "# Where a command finds its work done, by an earlier run or by somebody else, it goes on.",
        "unless() {",
        "  already=$1; shift",
        '  told=$("$@" 2>&1) && return',
        '  case "$told" in',
        '    *"($already)"*) echo "done already: $*" ;;',
        '    *) printf "%s\\n" "$told" >&2; exit 1 ;;',
        "  esac",
        "}",
    ]
    if not all(operation.ours for operation in plan.operations):
        lines += _WAITING
    lines += [f'echo "refused, {danger.code}: see the plan" >&2; exit 4' for danger in plan.blocking[:1]]
    phase = ""
    for operation in plan.operations:
        if operation.phase != phase:
            phase = operation.phase
            lines += ["", f"# {phase}"]
        lines.append(_line(operation))
    return "\n".join(lines) + "\n"


_WAITING = [
    "# What the provisioner has to do: the script ends until it is done, and is run again then.",
    "waits() {",
    "  wanted=$1; now=$2; stack=$3; region=$4",
    '  told=$(aws cloudformation describe-stacks --stack-name "$stack" ${region:+--region "$region"} \\',
    "    --query 'Stacks[0].StackStatus' --output text 2>&1) || case \"$told\" in",
    '    *"does not exist"*) told=gone ;;',
    '    *) printf "%s\\n" "$told" >&2; exit 1 ;;',
    "  esac",
    '  case "$told" in $wanted) return ;; esac',
    '  echo "stack $stack is: $told. Now: $now; then run this script again"; exit 3',
    "}",
]


def _line(operation: Operation) -> str:
    if isinstance(operation, CreateStack | DeleteStack):
        # CREATE_COMPLETE or UPDATE_COMPLETE, and not ROLLBACK_COMPLETE.
        wanted = "gone" if isinstance(operation, DeleteStack) else "[CU][RP][ED]ATE_COMPLETE"
        asked = f"secmigrate {operation.asked} --run"
        return " ".join(map(shlex.quote, ("waits", wanted, asked, operation.stack, operation.region)))
    command = operation.call().as_shell()
    if isinstance(operation, AddRoleToInstanceProfile):
        # A profile that holds a role is full, whichever role it is.
        shown = f"aws iam get-instance-profile --instance-profile-name {shlex.quote(operation.profile)}"
        query = "--query 'InstanceProfile.Roles[0].RoleName' --output text"
        return f'test "$({shown} {query})" = {shlex.quote(operation.role)} ||\n  {command}'
    return f"unless {operation.already[0]} {command}" if operation.already else command
