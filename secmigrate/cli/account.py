"""What several commands do with the account: connect, look, and carry out a plan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import structs

from secmigrate import documents, mapping, sec
from secmigrate.access import Watch
from secmigrate.cli.out import Out
from secmigrate.dangers import wrong_account
from secmigrate.errors import BadInput, Failed, Refused
from secmigrate.iam import Document, Gap, Snapshot, Stack, is_aws_policy
from secmigrate.plan import Move
from secmigrate.sec import SecConfig
from secmigrate.sources.cloudformation import Place
from secmigrate.sources.cloudformation.joining import place_of
from secmigrate.sources.live import read_live
from secmigrate.sources.owning import owners_now
from secmigrate.sources.saved import Managed, read_all, read_managed
from secmigrate.workspace import ACCOUNTS, RESTORE, Fit, Workspace

if TYPE_CHECKING:
    from secmigrate.aws import Aws
    from secmigrate.operations import Operation


def look(aws: Aws, out: Out, account: str = "") -> Snapshot:
    """The account as it is now. Raises Refused (`wrong-account`) if it is not the one that this workspace is about."""
    with out.progress("reading the account") as progress:
        live = read_live(aws, documents.aws_managed(), progress)
    same(account or live.account, live.account)
    return live


def keep(space: Workspace, snapshot: Snapshot) -> None:
    """Writes the inventory and who is in which group. Raises Refused if the inventory there must stay as it is."""
    space.keep_the_first_inventory(snapshot)
    documents.write_snapshot(space.inventory, snapshot)
    space.save_members(snapshot)


def counts(snapshot: Snapshot) -> dict[str, int]:
    """How much there is of what."""
    return {
        "users": len(snapshot.users),
        "groups": len(snapshot.groups),
        "roles": len(snapshot.roles),
        "customer-managed policies": len(snapshot.own_policies),
        "instance profiles": len(snapshot.instance_profiles),
        "memberships": sum(len(user.groups) for user in snapshot.users.values()),
    }


def with_owners(space: Workspace, live: Snapshot, moves: Iterable[Move], aws: Aws, out: Out) -> Snapshot:
    """The account with who manages what: as states tell it now, and CloudFormation of the stacks that hold something
    which moves. Raises BadInput if a state or template that told it to the inventory is not there any more.
    """
    then = inventory(space).owners if space.inventory.exists() else {}
    places, at = told_by(space), deployed(aws, live)[0]
    told = [one.snapshot.owners for one in read_all(places, at).sources]
    moving = [one for move in moves if (one := live.principal(move.kind, move.old))]
    about = {live.arn(one) for one in moving} | {arn for one in moving for arn in one.attached}
    found = owners_now(live, then, told, read_managed(places, at), aws, about)
    out.say(*found.unsure)
    return structs.replace(live, owners=found.by_arn)


def taken_over(space: Workspace, live: Snapshot, operations: Iterable[Operation]) -> list[str]:
    """The groups, roles and policies that these operations change and that a state of Terraform's says by now it
    manages. Raises BadInput if a state or template that told the inventory who manages what is not there any more.
    """
    told = [one.snapshot.owners for one in read_all(told_by(space), last_place(space, None)).sources]
    owned = {arn.casefold() for one in told for arn, owner in one.items() if owner.startswith("terraform ")}
    changed = {one.subject for one in operations}
    things = {("policy", arn): policy for arn, policy in live.own_policies.items()} | {
        (one.kind, one.name): one for one in (*live.groups.values(), *live.roles.values())
    }
    return sorted(
        name for (kind, name), one in things.items() if (kind, name) in changed and live.arn(one).casefold() in owned
    )


def told_by(space: Workspace) -> list[Path]:
    """Where the states and templates lie that told the inventory who manages what. Raises BadInput if one is not there
    any more: without it nobody knows what it manages by now.
    """
    places = space.places()
    for one in places:
        if not one.exists():
            hint = f"put it back, or write where it lies now into {space.sources}"
            raise BadInput("is not there any more, and told who manages what", where=str(one), hint=hint)
    return places


def managed(space: Workspace) -> Managed:
    """What Terraform and CloudFormation manage, by the states and templates that told it to the inventory. Raises
    BadInput.
    """
    return read_managed(told_by(space), last_place(space, None))


def managed_as_deployed(places: Iterable[Path], known: Snapshot, aws: Aws) -> tuple[Managed, list[str]]:
    """What these states and templates manage, with the names that AWS gave; and what it does not tell, a line each."""
    unseen: list[Gap] = []
    found = read_managed(map(_near, places), place_of(known, aws, unseen.append))
    return found, [f"not known: {gap.what}: {gap.why}" for gap in unseen]


def _near(path: Path) -> Path:
    """The path as a person would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def imports(stacks: Iterable[Stack], aws: Aws) -> tuple[dict[str, list[str]], list[str]]:
    """Which stacks import an export, by its name; and for which stacks that could not be asked, a line each."""
    found: dict[str, list[str]] = {}
    unasked: list[str] = []
    for stack in stacks:
        try:
            found |= {name: aws.importers(name, stack.region) for name in stack.exports}
        except Failed as error:
            unasked.append(f"AWS was not asked who imports what stack {stack.name} exports: {error.message}")
    return found, unasked


def deployed(aws: Aws, live: Snapshot) -> tuple[Place, list[Gap]]:
    """Where templates are deployed, by the account itself; the list fills with stacks that it does not show."""
    unseen: list[Gap] = []
    return place_of(live, aws, unseen.append), unseen


def last_place(space: Workspace, region: str | None) -> Place:
    """Where templates are deployed, by the inventory that the workspace has, if it has one."""
    if not space.inventory.exists():
        return Place(region=region or "")
    known = inventory(space)
    return Place(known.account, known.partition, region or "")


def same(wanted: str, found: str) -> None:
    """Raises Refused (`wrong-account`) if the credentials are of another account."""
    for danger in wrong_account(wanted, found):
        raise Refused(f"{danger.code}: {danger.message}", hint=danger.hint)


def now() -> str:
    """The time as ISO 8601, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def inventory(space: Workspace) -> Snapshot:
    """The workspace's inventory. Raises BadInput."""
    if not space.inventory.exists():
        many = (space.folder / ACCOUNTS).exists()
        first = RESTORE if space.has_taken_away() else "run `secmigrate inventory` first"
        hint = f"choose one: -w {space.folder}/ACCOUNT" if many else first
        told = "many accounts lie here" if many else "there is no inventory yet"
        raise BadInput(told, where=str(space.inventory), hint=hint)
    return documents.read_snapshot(space.inventory)


def start(space: Workspace, live: Snapshot, out: Out) -> Snapshot | None:
    """How the account was before the migration; None, and a person hears of it, if nothing tells: that is no reason to
    refuse her the way back.
    """
    try:
        found = inventory(space)
    except BadInput as error:
        out.say(f"nobody can tell who would end with less than at the start: {error.message} ({space.inventory})")
        return None
    return found if found.account == live.account else None


def journaled(space: Workspace) -> str:
    """The account that was changed from this workspace; empty if nothing was."""
    return next((journal.plan.account for journal in space.journals()), "")


def config(space: Workspace) -> tuple[SecConfig, documents.Lines]:
    """The workspace's SEC config, with what a person edited in it."""
    return documents.read_config(space.config())


def catalogue(space: Workspace) -> mapping.Catalogue:
    """All rules, levels and tiers, with what `calibrate` learned of the levels."""
    return mapping.with_learned(documents.catalogue(), space.learned())


def planned(space: Workspace, answers: mapping.Decisions | None = None) -> Snapshot:
    """What the SEC config, as it stands now, will create, with a person's answers unless others are given."""
    patterns = (answers or space.answers()).patterns
    return sec.planned(config(space)[0], catalogue(space).levels, documents.aws_managed(), patterns)


def watch(space: Workspace, *snapshots: Snapshot, met: Iterable[Document] = (), out: Out | None = None) -> Watch:
    """What compares these moments of the account, with the losses that decisions.yaml accepts; `met` are documents
    that come into it between them. Where there is an `out`, a person hears what is accepted for nobody or nothing.
    """
    found = Watch(documents.aws_actions(), snapshots, space.answers().accept, met)
    if out and (lines := found.idle(snapshots[0])):
        out.say("decisions.yaml names what is not there:", *(f"  {line}" for line in lines))
    return found


def withdrawn(live: Snapshot) -> set[str]:
    """The ARNs of AWS's own policies that somebody has, and that the shipped catalogue does not know: AWS may have
    withdrawn them, or they are newer.
    """
    known = {policy.name for policy in documents.aws_managed().values()}
    attached = {arn for one in live.principals() for arn in one.attached if is_aws_policy(arn)}
    return {arn for arn in attached if arn.rpartition("/")[2] not in known}


def check_targets(decisions: Iterable[mapping.Decision], config: SecConfig, where: Path) -> None:
    """Raises BadInput if a person took something out of the config that others become."""
    for (section, key), sources in mapping.mapped(decisions).items():
        if key not in config.security.section(section):
            kind = "groups" if section == "iam_groups" else "roles"
            raise BadInput(
                f"{section}.{key} was taken out, and {', '.join(one.name for one in sources)} becomes it",
                where=str(where),
                hint=f"say what happens instead in decisions.yaml, under {kind}: become: KEY, or leave: WHY",
            )


def decided(
    space: Workspace,
    scope: mapping.Scope,
    names: mapping.Names | None,
    fit: Fit = "cover",
    snapshot: Snapshot | None = None,
    ladders: mapping.Ladders | None = None,
) -> tuple[mapping.Decision, ...]:
    """What becomes of everything in the inventory, by the rules and a person's answers; with the fit `used`, by what
    was used. Who has read the inventory, or has the levels for it, may give them. Raises BadInput.
    """
    answers = space.answers()
    usage = space.last_use() if fit == "used" else None
    return mapping.decide(snapshot or inventory(space), catalogue(space), answers, scope, names, usage, ladders)


def decided_last(
    space: Workspace, snapshot: Snapshot | None = None, ladders: mapping.Ladders | None = None
) -> tuple[mapping.Decision, ...]:
    """The same as the last `map` was asked for it; without one, for everything."""
    if not space.mapping.exists():
        return decided(space, mapping.Scope(), None, "cover", snapshot, ladders)
    outcome = space.outcome()
    last = config(space)[0]
    scope, names = mapping.Scope(outcome.only, outcome.skip), (last.client, last.environment)
    return decided(space, scope, names, outcome.fit, snapshot, ladders)


def asked_about(decisions: Iterable[mapping.Decision], snapshot: Snapshot) -> list[str]:
    """ARNs of those whose use matters: groups and roles that are mapped or could be, and the members of groups that
    several rules claim, since such a group may be split.
    """
    decisions = [one for one in decisions if not isinstance(one, mapping.LeftOut)]
    claimed = [one.name for one in decisions if one.kind == "group" and isinstance(one, mapping.Ambiguous)]
    members = sorted({name for group in claimed for name in snapshot.members[group]})
    things = dict.fromkeys((one.kind, one.name) for one in decisions)
    return [
        *(snapshot.arn(found) for kind, name in things if (found := snapshot.principal(kind, name))),
        *(snapshot.arn(snapshot.users[name]) for name in members),
    ]


def fitting(fit: str) -> Fit:
    """What `--fit` says. Raises BadInput."""
    if fit not in ("cover", "used"):
        raise BadInput(f"{fit!r} is no way to choose levels", where="--fit", hint="cover, or used")
    return cast(Fit, fit)


def open_workspace(folder: Path) -> Workspace:
    """The workspace of a command."""
    return Workspace(folder)
