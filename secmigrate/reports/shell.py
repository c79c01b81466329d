"""A plan as a plain shell script of AWS CLI commands."""

from __future__ import annotations

from secmigrate.plan import Plan


def as_script(plan: Plan) -> str:
    """A POSIX script that makes the plan's calls. It keeps no journal; `secmigrate … --execute` does."""
    lines = [
        "#!/bin/sh",
        f"# Plan {plan.name} for account {plan.account}: {len(plan.operations)} commands, {plan.destructive} of which",
        "# take something away. Made by secmigrate; run by hand it keeps no journal, so rollback would not know of it.",
        "set -eu",
        f'test "$(aws sts get-caller-identity --query Account --output text)" = {plan.account} || {{',
        f'  echo "these are not the credentials of account {plan.account}" >&2; exit 4',
        "}",
    ]
    lines += [f'echo "refused, {danger.code}: see the plan" >&2; exit 4' for danger in plan.blocking[:1]]
    phase = ""
    for operation in plan.operations:
        if operation.phase != phase:
            phase = operation.phase
            lines += ["", f"# {phase}"]
        lines.append(operation.call().as_shell())
    return "\n".join(lines) + "\n"
