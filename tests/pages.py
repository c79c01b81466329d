"""The pages of docs/ that are made from the program and its data, so that they cannot say anything else.

`make docs` writes them; a test fails when that was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast

import msgspec
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from secmigrate import documents
from secmigrate.__main__ import app
from secmigrate.dangers import KINDS
from secmigrate.plan.permissions import reading_many_policy, reading_policy

FOLDER = Path(__file__).parent.parent / "docs"


def reference() -> str:
    """Every command with its options, as `--help` has them."""
    lines = [
        "# Reference",
        "",
        "Made from the program (`make docs`). What the commands are for, and what they promise:",
        "[commands.md](commands.md). Where `--workspace` is not given `SECMIGRATE_WORKSPACE` counts, and in place of",
        "`--profile`, `--region` and `--endpoint-url` `AWS_PROFILE`, `AWS_REGION` and `AWS_ENDPOINT_URL`.",
    ]
    for name, command in _commands(cast(TyperGroup, typer.main.get_command(app)), ""):
        lines += ["", f"## `{name}`", "", *_command(command)]
    return "\n".join(lines) + "\n"


def permissions() -> str:
    """The policies that whoever runs secmigrate needs."""
    policy = msgspec.json.format(reading_policy().text.encode(), indent=2).decode()
    many = msgspec.json.format(reading_many_policy("NAME").text.encode(), indent=2).decode()
    return f"""\
# Permissions

Made from the program (`make docs`). secmigrate uses the credentials that the AWS environment has (`AWS_PROFILE`, SSO,
an assumed role) and writes none anywhere.

## To read and to plan

`inventory`, `verify` and every command that plans need this, and nothing that changes. None of these calls can be held
to single resources.

```json
{policy}
```

`usage` needs `iam:GenerateServiceLastAccessedDetails` and `iam:GetServiceLastAccessedDetails` as well, and `stack`
`cloudformation:DescribeStacks` and `cloudformation:DescribeStackEvents`.

## To read many accounts

`inventory --accounts` and `--organization` assume the role of `--role NAME` in each account but the caller's own. That
role needs the policy above, and a trust policy that lets the caller in (with an external id, if you want one). The
caller needs:

```json
{many}
```

Only the management account and delegated administrators may list an organization; with `--accounts FILE` nobody has to.

## To carry a plan out

Each plan says itself what it needs, call by call and resource by resource: `plans/NAME-policy.json`, beside the plan.
Attach it to whoever carries the plan out, for as long as that takes. Credentials of the account that lack a part of it
are refused before anything is changed (`lacks-permission`), and so are those that would lose on the way what the plan
or its undoing needs (`locks-you-out`): carry it out as somebody whom the plan does not move.

## The provisioner's own

The vendor's container has its own policy, which its action `export-iam-policy` writes. It covers neither reading the
old groups and roles nor moving people (guide, steps 1, 4, 9 and 10).
"""


def target() -> str:
    """What is assumed of the SEC Provisioner, with its marks."""
    known = documents.catalogue()
    lines = [
        "# What is assumed of the SEC Provisioner",
        "",
        "Made from `mappings/` (`make docs`). The vendor documents little of what its levels allow. What is not",
        "documented is assumed, and says so: **C** is certain, stated in the vendor's own pages, **I** is inferred",
        "from them, **U** is unknown. The same marks stand in the config's comments. `calibrate` replaces the levels",
        "by what the provisioner's exports show; to see what an assumption means for people, ask `access`.",
        "",
        "## Access levels",
        "",
        "| service | level | name | mark | why |",
        "|---|---|---|---|---|",
    ]
    for service, ladder in sorted(known.levels.items()):
        for level, one in sorted(ladder.levels.items()):
            lines.append(f"| `{service}` | `{level}` | {one.name} | {one.mark} | {one.why} |")
    for title, rules in (("Groups", known.groups), ("Roles", known.roles)):
        lines += ["", f"## {title}", "", "| rule | mark | why |", "|---|---|---|"]
        lines += [f"| `{name}` | {rule.mark} | {rule.why} |" for name, rule in sorted(rules.items())]
    lines += ["", "## Tiers", "", "| tier | image | groups | why |", "|---|---|---|---|"]
    lines += [f"| `{one.version}` | `{one.image}` | {one.counts.groups} | {one.why} |" for one in known.tiers.values()]
    return "\n".join(lines) + "\n"


def dangers() -> str:
    """What makes a plan unsafe."""
    blocks = {"plan": "the plan", "subjects": "those named", "nothing": "nothing"}
    lines = [
        "# Dangers",
        "",
        "Made from the program (`make docs`). What a danger blocks: the whole plan (exit 4), those that it names (they",
        "are left out of the plan), or nothing.",
        "",
        "| code | what it says | what to do | blocks |",
        "|---|---|---|---|",
    ]
    for code, kind in sorted(KINDS.items()):
        lines.append(
            f"| `{code}` | {kind.sentence.format(subjects='…', n='…')} | {kind.hint} | {blocks[kind.blocks]} |"
        )
    return "\n".join(lines) + "\n"


MADE: Mapping[str, Callable[[], str]] = {
    "reference.md": reference,
    "dangers.md": dangers,
    "permissions.md": permissions,
    "target.md": target,
}


def _commands(command: TyperCommand | TyperGroup, prefix: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _commands(cast(TyperCommand, inner), f"{prefix} {name}".strip())
    else:
        yield prefix, command


def _command(command: TyperCommand | TyperGroup) -> Iterator[str]:
    yield command.help or ""
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption) and not one.hidden]
    if arguments or options:
        yield from ("", "| | |", "|---|---|")
        for one in arguments:
            yield f"| `{one.make_metavar(None)}` | {one.help or ''} |"  # type: ignore[arg-type]
        yield from (f"| {_flags(one)} | {_about(one)} |" for one in options)
    if command.epilog:
        yield from ("", *(f"`{example.strip()}`" for example in command.epilog.removeprefix("Example: ").split("; ")))


def _flags(option: TyperOption) -> str:
    words = f"{', '.join(reversed(option.opts))}"
    kind = "N" if option.type.name.lower().startswith(("int", "float")) else "TEXT"
    metavar = (option.metavar or kind).replace("|", "\\|")
    return f"`{words}`" if option.is_flag else f"`{words} {metavar}`"


def _about(option: TyperOption) -> str:
    text = (option.help or "").replace("|", "\\|")
    default = option.default
    shown = default is not None and not option.is_flag and not callable(default) and default != ()
    return f"{text} Default: `{default}`." if shown else text


def write() -> None:
    """Writes them all."""
    for name, page in MADE.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
