"""From the files of a workspace to what a report tells; whatever is not there yet is told as not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from secmigrate.access import Comparison
from secmigrate.iam import Snapshot
from secmigrate.journal import Journal
from secmigrate.mapping import (
    Catalogue,
    Decision,
    Decisions,
    Joined,
    Mapped,
    TierChoice,
    Unreached,
    outcome,
    sec_yaml_comments,
)
from secmigrate.operations import PHASES, AddUserToGroup, Operation, RemoveUserFromGroup, RenameGroup
from secmigrate.plan import Move, Plan, net
from secmigrate.plan.moves import Homes
from secmigrate.plan.rollback import cannot_come_back
from secmigrate.progress import Step
from secmigrate.reports.access import compared
from secmigrate.reports.migration import (
    Assumption,
    Caveat,
    Flow,
    GroupRow,
    MadeFrom,
    Person,
    PlanRow,
    Report,
    Run,
    TierRow,
    Unknown,
    Way,
)
from secmigrate.reports.roles import role_rows
from secmigrate.reports.ways import ways_of
from secmigrate.sec import SECTIONS, ConfigPath, Mark, SecConfig
from secmigrate.sources.merging import unowned

_KEYS: Mapping[Mark, str] = {"C": "a key that SEC has", "I": "a key that SEC probably has", "U": "a key of its own"}


class Decided(Struct, frozen=True, kw_only=True):
    """What `map` left: decisions, tier, config, and what that comes to."""

    config: SecConfig
    config_name: str
    config_sha256: str
    moves: tuple[Move, ...]
    decisions: tuple[Decision, ...]
    choice: TierChoice
    catalogue: Catalogue
    joined: tuple[Joined, ...]
    unreached: tuple[Unreached, ...]
    stale: bool  # whether the decisions would be others today


class Facts(Struct, frozen=True, kw_only=True):
    """What the workspace's files hold."""

    start: Snapshot
    steps: tuple[Step, ...]
    answers: Decisions
    comparison: Comparison  # of the account at the start with the end as it is mapped; with itself before that
    decided: Decided | None
    plans: tuple[Plan, ...]
    journals: tuple[Journal, ...]


def report(facts: Facts) -> Report:
    """All that can be told of them. The same facts give the same report."""
    start, decided = facts.start, facts.decided
    found = compared(facts.comparison)
    ways = ways_of(found, facts.answers.accept) if decided else ()
    groups = tuple(_group_rows(start, decided))
    return Report(
        account=start.account,
        made_from=MadeFrom(
            inventory=start.fingerprint,
            config=decided.config_name if decided else "",
            config_sha256=decided.config_sha256 if decided else "",
            until=max((one.last for one in facts.journals), default=""),
            catalogue=f"{facts.comparison.catalogue.source}, {facts.comparison.catalogue.date}",
        ),
        steps=facts.steps,
        unknown=tuple(_unknown(facts)),
        not_read=tuple(f"{gap.what}: {gap.why}" for gap in start.incomplete),
        tier=_tier(decided) if decided else None,
        groups=groups,
        flows=tuple(_flows(start, decided.moves)) if decided else (),
        people=tuple(_people(facts, ways)),
        ways=ways,
        accept=facts.answers.accept,
        roles=role_rows(facts.comparison, found, decided.decisions if decided else (), _new_roles(decided)),
        joined=decided.joined if decided else (),
        unreached=decided.unreached if decided else (),
        plans=tuple(map(_plan_row, facts.plans)),
        gone=_caveats(net(tried.operation for journal in facts.journals for tried in journal.tried)),
        runs=tuple(map(_run, facts.journals)),
        assumptions=tuple(_assumptions(decided)) if decided else (),
        owners=_owners(start),
        unowned=tuple(unowned(start)) if start.owners else (),
    )


def _unknown(facts: Facts) -> Iterator[Unknown]:
    state = {one.step: one.state for one in facts.steps}
    if facts.decided is None:
        yield Unknown("what becomes of groups and roles, and who loses or gains what", "secmigrate map")
        return
    if facts.decided.stale:
        yield Unknown("whether decisions.yaml still leads to this: it was changed since", "secmigrate map")
    planned = {one.name for one in facts.plans}
    if state.get("deploy") != "done":
        yield Unknown("whether the new groups and roles are as planned: they are not deployed yet", "secmigrate verify")
    if "readd" not in planned:
        yield Unknown(
            "who cannot move to a new group at once, and why: that is planned after the deployment", "secmigrate readd"
        )
    if "decommission" not in planned:
        yield Unknown("what stays, and what would not come back after it is deleted", "secmigrate decommission")


def _tier(decided: Decided) -> TierRow:
    config, choice = decided.config.tier, decided.choice
    reasons = choice.reasons
    if config.name != choice.tier.name:
        reasons = (
            f"{config.version} is what the config says; by the rules it would be {choice.tier.version}:",
            *reasons,
        )
    return TierRow(config.name, config.version, reasons)


def _group_rows(start: Snapshot, decided: Decided | None) -> Iterator[GroupRow]:
    decisions: dict[str, list[Decision]] = {}
    for one in decided.decisions if decided else ():
        if one.kind == "group":
            decisions.setdefault(one.name, []).append(one)
    for name in sorted(start.groups, key=lambda name: (-len(start.members[name]), name)):
        row = GroupRow(name=name, people=len(start.members[name]), owner=start.owner(start.groups[name]))
        for one in decisions.get(name, ()):
            row = structs.replace(row, outcome=outcome(one), reasons=one.reasons)
            if isinstance(one, Mapped) and decided:
                row = structs.replace(
                    row,
                    key=one.target,
                    new=decided.config.group_name(one.target),
                    levels=one.levels,
                    managed_policies=one.managed_policies,
                    mark=one.mark,
                    reasons=(*one.reasons, *(f"not expressible: {line}" for line in one.not_expressible)),
                )
            yield row
        if name not in decisions:
            yield row


def _flows(start: Snapshot, moves: Sequence[Move]) -> Iterator[Flow]:
    homes = Homes(moves)
    for name, members in sorted(start.members.items()):
        counted = Counter(new for member in members for new in homes.of(name, member) or ("",))
        if not members:
            counted.update({homes.all(name)[0] if name in homes else "": 0})
        yield from (Flow(name, new, people) for new, people in sorted(counted.items()))


def _people(facts: Facts, ways: Iterable[Way]) -> Iterator[Person]:
    numbers = {name: way.n for way in ways for name in way.people}
    now = _memberships(facts)
    for name, user in sorted(facts.start.users.items()):
        after = facts.comparison.after.users[name].groups if facts.decided else None
        own = [f"inline policy {policy}" for policy in sorted(user.inline)]
        own += [f"policy {arn.rsplit('/', 1)[1]}" for arn in user.attached]
        own += [f"permissions boundary {user.boundary.rsplit('/', 1)[-1]}"] if user.boundary else []
        yield Person(
            name=name, before=user.groups, now=now[name], after=after, way=numbers.get(name, 0), own=tuple(own)
        )


def _memberships(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Who is in which group, as far as the journals tell."""
    found = {name: set(user.groups) for name, user in facts.start.users.items()}
    for operation in net(tried.operation for journal in facts.journals for tried in journal.tried):
        match operation:
            case AddUserToGroup(user=user, group=group) if user in found:
                found[user].add(group)
            case RemoveUserFromGroup(user=user, group=group) if user in found:
                found[user].discard(group)
            case RenameGroup(group=old, to=new):
                for groups in found.values():
                    if old in groups:
                        groups -= {old}
                        groups |= {new}
    return {name: tuple(sorted(groups)) for name, groups in found.items()}


def _new_roles(decided: Decided | None) -> Mapping[str, str]:
    return {move.old: move.new for move in decided.moves if move.kind == "role"} if decided else {}


def _plan_row(plan: Plan) -> PlanRow:
    back = (line.partition(": ") for line in cannot_come_back(plan)) if plan.name == "rollback" else ()
    phases = Counter(operation.phase for operation in plan.operations)
    return PlanRow(
        name=plan.name,
        fingerprint=plan.fingerprint,
        calls={phase: phases[phase] for phase in PHASES if phases[phase]},
        destructive=plan.destructive,
        dangers=plan.dangers,
        kept=plan.kept,
        caveats=_caveats(plan.operations, ((what, name) for name, _, what in back)),
    )


def _caveats(operations: Iterable[Operation], more: Iterable[tuple[str, str]] = ()) -> tuple[Caveat, ...]:
    """What undoing these would not bring back, each with its subjects."""
    found: dict[str, dict[str, None]] = {}
    told = [(operation.caveat, _subject(operation)) for operation in operations if operation.caveat]
    for what, subject in (*told, *more):
        found.setdefault(what, {})[subject] = None
    return tuple(Caveat(what, tuple(subjects)) for what, subjects in sorted(found.items()))


def _subject(operation: Operation) -> str:
    kind, name = operation.subject
    return f"{kind} {name.rsplit('/', 1)[-1]}"


def _run(journal: Journal) -> Run:
    results = Counter(journal.results.values())
    return Run(
        name=journal.plan.name,
        file=journal.path.name,
        started=journal.started,
        last=journal.last,
        by=journal.by,
        resumed=tuple(f"{one.at} by {one.by}" if one.by else one.at for one in journal.resumed),
        ended=journal.ended or "",
        calls=len(journal.plan.operations),
        changed=results["changed"],
        found=results["found"],
        failed=results["failed"],
        doubtful=len(journal.doubtful),
    )


def _assumptions(decided: Decided) -> Iterator[Assumption]:
    """What the config's comments say of marks, each once with all the places that rely on it."""
    places: dict[tuple[Mark, str], list[str]] = {}
    for path, lines in sec_yaml_comments(decided.config, decided.decisions, decided.catalogue).items():
        for mark, said in _marked(lines[0]):
            level = f"{path[4]} {_level(decided.config, path)} is {said}" if len(path) == 5 else said
            what = _KEYS[mark] if len(path) == 3 else level
            places.setdefault((mark, what), []).append(path[2] if len(path) > 2 else path[-1])
    for (mark, what), wheres in sorted(places.items()):
        yield Assumption(mark, what, ", ".join(dict.fromkeys(wheres)))


def _level(config: SecConfig, path: ConfigPath) -> str:
    """The level at `security.SECTION.KEY.policy_assignments.SERVICE`."""
    section = next(one for one in SECTIONS if one == path[1])
    return config.security.section(section)[path[2]].policy_assignments[path[4]]


def _marked(line: str) -> Iterator[tuple[Mark, str]]:
    """`C: the section; U: its content` as pairs."""
    for part in line.split("; "):
        said, colon, what = part.partition(": ")
        yield from ((mark, what) for mark in _KEYS if colon and mark == said)


def _owners(start: Snapshot) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for arn, owner in sorted(start.owners.items()):
        found.setdefault(owner.partition(" ")[0] if owner.startswith("terraform") else owner, []).append(
            f"{arn} ({owner})" if owner.startswith("terraform") else arn
        )
    return {owner: tuple(arns) for owner, arns in sorted(found.items())}
