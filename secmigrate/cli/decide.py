"""The commands that decide: map, explain, rules check, validate."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.completing import scopes, things
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from secmigrate.cli.edits import Before
    from secmigrate.iam import Snapshot
    from secmigrate.mapping import Decision, Ladders, Scope, TierChoice
    from secmigrate.sec import Client, ConfigPath, Environment, Kept, SecConfig
    from secmigrate.workspace import Fit, Outcome, Workspace

rules = typer.Typer(help="The mapping rules.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(rules, name="rules")

Globs = Annotated[
    list[str] | None,
    typer.Option(metavar="KIND:GLOB", autocompletion=scopes, help="Scope, such as role:ml-*; repeatable."),
]


@app.command("map", epilog="Example: secmigrate map --company-prefix lumen --tenant-id a001 --region NAME")
def map_(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    tier: Annotated[str, typer.Option(help="auto, startup, medium or enterprise.")] = "auto",
    company_prefix: Annotated[str | None, typer.Option(help="What SEC's names start with.")] = None,
    company_name: Annotated[str | None, typer.Option(help="As the config tells it to people.")] = None,
    tenant_id: Annotated[str | None, typer.Option(help="Four characters or digits.")] = None,
    env: Annotated[str | None, typer.Option(help="prod, dev, test or staging.  [default: prod]")] = None,
    region: Annotated[str | None, typer.Option(help="The stack's region.  [env: AWS_REGION]")] = None,
    account_id: Annotated[str | None, typer.Option(help="By default the inventory's.")] = None,
    fit: Annotated[
        str, typer.Option(metavar="cover|used", help="Levels for what is allowed, or for what was used (see `usage`).")
    ] = "cover",
    only: Globs = None,
    skip: Globs = None,
) -> None:
    """Decide what becomes what, choose the tier, write the SEC config and say why (guide, steps 2 and 3)."""
    from secmigrate import documents, mapping, sec
    from secmigrate.cli import account, edits

    out, space, fitting = Out(json), account.open_workspace(workspace), account.fitting(fit)
    with space.locked():
        before = edits.config_before(space)
        last = space.outcome() if space.mapping.exists() else None
        snapshot, catalogue = account.inventory(space), account.catalogue(space)
        client, environment = _names(
            before.config if before else None,
            snapshot.account,
            company_prefix,
            company_name,
            tenant_id,
            env,
            region,
            account_id,
        )
        before = edits.to_be_written_over(space, before, client, environment)
        scope = mapping.Scope(only=tuple(only or ()), skip=tuple(skip or ()))
        with out.working("deciding what becomes what"):
            ladders = mapping.ladders_of(snapshot, catalogue, space.answers(), (client, environment))
            decided = account.decided(space, scope, (client, environment), fitting, snapshot, ladders)
        choice = mapping.choose_tier(decided, catalogue, tier)
        ours = mapping.sec_config(
            decided,
            catalogue,
            client=client,
            environment=environment,
            tier=choice.tier,
            deployment=before.config.deployment if before else {},
            tags=before.config.tags if before else {},
            ladders=ladders,
        )
        path = space.configs / ours.file_name
        config, kept = edits.with_edits(before, ours)
        account.check_targets(decided, config, path)
        written = documents.config_text(ours, mapping.sec_yaml_comments(ours, decided, catalogue))
        text = written
        if before and before.text != before.written:
            comments = mapping.sec_yaml_comments(config, decided, catalogue)
            text = edits.rewritten(before, config, comments, written, catalogue)
        patterns = space.answers().patterns
        planned = sec.planned(config, catalogue.levels, documents.aws_managed(), patterns)
        left = _keep_tier(space, before, config)
        documents.write_whole(path, text.encode())
        documents.write_schemas(space.schemas)
        documents.write_snapshot(space.planned, planned)
        outcome = _outcome(config, decided, scope, fitting, text, written)
        documents.write_json(space.mapping, outcome)
    if (config.client, config.environment) != (client, environment):
        ladders = mapping.ladders_of(snapshot, catalogue, space.answers(), (config.client, config.environment))
    if kept and before and not before.written:
        told = "what differs from what it would write now counts as yours"
        out.say(f"nothing tells what `map` wrote into {before.path}: {told}")
    _tell(out, space, snapshot, decided, choice, config, kept, ladders)
    out.lines(_not_again(last, outcome, list(catalogue.tiers) if tier == "auto" else []) if last else ())
    out.lines(left)


def _keep_tier(space: Workspace, before: Before | None, config: SecConfig) -> list[str]:
    """Keeps the config before, if it is of another tier: its stack may be deployed. Tells where."""
    if before is None or before.config.file_name != config.file_name or before.config.tier.name == config.tier.name:
        return []
    kept = space.keep_tier(before.config.tier.name, before.text)
    told = f"the config of the tier {before.config.tier.name} is kept in {kept}"
    return [f"{told}: if its stack is deployed, map for that tier again, and change it by `secmigrate tier`"]


def _not_again(last: Outcome, now: Outcome, tiers: Sequence[str]) -> Iterator[str]:
    """What was said last time and not this time, so that it does not hold any more; `tiers` from the lowest up, if none
    was said.
    """
    before, after = (
        [*(f"--only {one}" for one in it.only), *(f"--skip {one}" for one in it.skip)] for it in (last, now)
    )
    gone = [one for one in before if one not in after]
    gone += ["--fit used"] if (last.fit, now.fit) == ("used", "cover") else []
    gone += [f"--tier {last.tier}"] if now.tier in tiers and last.tier in tiers[tiers.index(now.tier) + 1 :] else []
    if gone:
        yield f"not as last time, when it was {' '.join(gone)}: say so again to keep to it"


def _tell(
    out: Out,
    space: Workspace,
    snapshot: Snapshot,
    decided: Sequence[Decision],
    choice: TierChoice,
    config: SecConfig,
    kept: Sequence[Kept],
    ladders: Ladders,
) -> None:
    """What `map` found and wrote."""
    from secmigrate import documents, mapping
    from secmigrate.cli import account
    from secmigrate.reports.decisions import decision_lines, decisions_document, split_lines, used_lines

    joined, unreached = mapping.joined(decided, config), mapping.unreached(decided, snapshot, ladders)
    usage = space.last_use() if space.usage.exists() else None
    splits = mapping.splits(decided, snapshot, usage, account.catalogue(space)) if usage else ()
    out.lines(decision_lines(decided, choice, joined, unreached))
    out.lines(split_lines(splits))
    if usage and space.outcome().fit == "used":
        out.lines(used_lines(usage))
    if strangers := documents.read_decisions(space.decisions).strangers(snapshot, ladders.actions):
        out.say("decisions.yaml names what is not there:", *(f"  {one}" for one in strangers))
    if kept:
        out.say("your edits of the config stay:", *(f"  {one.told()}" for one in kept))
    path = space.configs / config.file_name
    out.say("", f"wrote {path}", f"wrote {space.planned}", f"wrote {space.mapping}")
    out.document("map", {**decisions_document(decided, choice, str(path), joined, unreached, splits), "kept": kept})


@app.command(epilog="Example: secmigrate explain data-science-team")
def explain(
    name: Annotated[str, typer.Argument(help="A group or a role.", autocompletion=things)],
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
) -> None:
    """Why a group or role became what it became, and what nearly matched."""
    from secmigrate import mapping
    from secmigrate.cli import account
    from secmigrate.reports.decisions import explained_lines

    out, space = Out(json), account.open_workspace(workspace)
    found = mapping.explain(name, account.decided_last(space))
    lines = list(explained_lines(found))
    out.lines(lines)
    out.document("explain", {"name": name, "lines": lines})


@rules.command("check", epilog="Example: secmigrate rules check")
def rules_check(workspace: options.Workspace = options.FOLDER, json: options.Json = False) -> None:
    """Prove every rule by its own examples, with the levels that `calibrate` learned here."""
    from secmigrate import documents, mapping
    from secmigrate.cli import account

    documents.check_mappings()
    out, catalogue = Out(json), account.catalogue(account.open_workspace(workspace))
    failures = mapping.prove(catalogue)
    failed = {failure.rule for failure in failures}
    for rule in catalogue.rules():
        examples = len(rule.examples.yes) + len(rule.examples.no)
        out.say(
            f"  {'FAILS' if rule.id in failed else 'holds'}  {rule.id} ({rule.kind}, {rule.mark}): {examples} examples"
        )
    out.say(*(f"{failure.rule}: {failure.example}: {failure.message}" for failure in failures))
    out.say(f"{len(catalogue.rules())} rules, {len(failures)} failures")
    out.document("rules", {"rules": [rule.id for rule in catalogue.rules()], "failures": failures})
    finish(1 if failures else 0)


@app.command(epilog="Example: secmigrate validate lumen-prod-a001-eu-central-1-sec.yaml")
def validate(
    config: Annotated[Path | None, typer.Argument(help="By default the workspace's own.")] = None,
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
) -> None:
    """Check a SEC config: schema, references, tier limits, quotas; file and line for each finding (guide, step 5)."""
    from secmigrate import documents, sec
    from secmigrate.cli import account

    out, space = Out(json), account.open_workspace(workspace)
    found, lines = documents.read_config(config or space.config())
    catalogue = account.catalogue(space)
    existing = account.inventory(space) if space.inventory.exists() else None
    patterns = space.answers().patterns
    findings = sorted(
        sec.findings(found, catalogue.tiers, catalogue.levels, documents.aws_managed(), existing, patterns),
        key=lambda one: lines.at(_place(one.path)),
    )
    for one in findings:
        out.say(f"{lines.where(_place(one.path))}: {one.severity}: {one.message}", f"  hint: {one.hint}")
    errors = sum(one.severity == "error" for one in findings)
    out.say(f"{lines.file}: {_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}")
    rows = [
        {"where": lines.where(_place(one.path)), "severity": one.severity, "message": one.message, "hint": one.hint}
        for one in findings
    ]
    out.document("validate", {"findings": rows})
    finish(2 if errors else 0)


def _place(path: ConfigPath) -> tuple[str | int, ...]:
    """The path as the file's places have it: numbers of lists are numbers."""
    return tuple(int(part) if part.isdigit() else part for part in path)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _names(
    before: SecConfig | None,
    account: str,
    prefix: str | None,
    company: str | None,
    tenant: str | None,
    env: str | None,
    region: str | None,
    account_id: str | None,
) -> tuple[Client, Environment]:
    """Client and environment: from the flags, else as an earlier run wrote them. Raises BadInput for what SEC's schema
    does not take, since nobody could read the config.
    """
    from msgspec import structs

    from secmigrate import documents
    from secmigrate.errors import BadInput
    from secmigrate.sec import Client, Environment

    prefix = prefix or (before.client.company_prefix if before else None)
    tenant = tenant or (before.client.tenant_id if before else None)
    region = region or (before.environment.region if before else os.environ.get("AWS_REGION"))
    needed = {"--company-prefix": prefix, "--tenant-id": tenant, "--region": region}
    if lacking := [flag for flag, value in needed.items() if not value]:
        raise BadInput(f"needed for SEC's names: {', '.join(lacking)}", hint="give them once; the config keeps them")
    client = Client(
        company_prefix=prefix or "",
        tenant_id=tenant or "",
        account_id=account_id or account,
        company_name=company or (before.client.company_name if before else ""),
    )
    environment = Environment(env=env or (before.environment.env if before else "prod"), region=region or "")
    for part, found in (("client", client), ("environment", environment)):
        for name, value in structs.asdict(found).items():
            if why := documents.unfit(value, "sec-config", part, name):
                raise BadInput(why, where=f"--{name.replace('_', '-')}", hint="see `secmigrate map --help`")
    return client, environment


def _outcome(
    config: SecConfig, decided: tuple[Decision, ...], scope: Scope, fit: Fit, text: str, written: str
) -> Outcome:
    from secmigrate.mapping import Mapped
    from secmigrate.plan import Move
    from secmigrate.workspace import Outcome

    name = {"group": config.group_name, "role": config.role_name}
    return Outcome(
        account=config.client.account_id,
        tier=config.tier.name,
        config=config.file_name,
        config_sha256=hashlib.sha256(text.encode()).hexdigest(),
        written=written,
        only=scope.only,
        skip=scope.skip,
        fit=fit,
        moves=tuple(
            Move(one.kind, one.name, name[one.kind](one.target), one.members)
            for one in decided
            if isinstance(one, Mapped)
        ),
        unmapped=tuple(one.name for one in decided if one.kind == "group" and not isinstance(one, Mapped)),
    )
