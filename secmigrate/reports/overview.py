"""What is told of many accounts, as values: text, HTML, Markdown and JSON are views of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from secmigrate.accounts import STRANGE, Accounts
from secmigrate.mapping import GroupAnswer
from secmigrate.plan.across import Across, Cluster, Door
from secmigrate.progress import Step

Ids = tuple[str, ...]  # of accounts, sorted
ByName = Mapping[str, Ids]

NOT_READY, DONE = "not ready", "done"


class Looked(Struct, frozen=True, kw_only=True):
    """What lies in the folder of one account."""

    steps: tuple[Step, ...] = ()
    mapped: bool = False
    unplaced: frozenset[str] = frozenset()  # groups that `map` did not place, by the rules or by an answer
    skipped: frozenset[str] = frozenset()  # of these, what is out of its scope
    answers: Mapping[str, GroupAnswer] = {}  # its own, for groups
    reports: tuple[str, ...] = ()  # which there are, as files of its folder


UNKNOWN = Looked()  # a file of it is damaged


class Standing(Struct, frozen=True, kw_only=True):
    """Where one account stands."""

    account: str
    name: str
    ready: bool  # whether all of it was read
    why: str  # why not
    steps: tuple[Step, ...]
    counts: Mapping[str, int] = {}  # how much there is of what; empty if nothing was read
    reports: tuple[str, ...] = ()  # its own, as paths in the folder of all accounts

    @property
    def step(self) -> Step | None:
        """The first that is not done."""
        return next((one for one in self.steps if one.state != "done"), None)

    @property
    def at(self) -> str:
        """In words."""
        return NOT_READY if not self.ready else f"{self.step.state}: {self.step.step}" if self.step else DONE


class DoorRow(Door, frozen=True, kw_only=True):
    """A role that lets other accounts in."""

    strangers: Ids = ()  # those of them that are none of the folder's own, nor left out


class ClusterRow(Struct, frozen=True, kw_only=True):
    """Groups with the same policies, and what is decided of them."""

    policies: tuple[str, ...]
    groups: ByName
    differs: ByName
    accounts: Ids
    undecided: ByName  # the rules do not place it there, and nobody answered
    again: ByName  # answered, but `map` has not read the answer there
    skipped: ByName  # out of the scope of `map` there
    own: ByName  # the account's own decisions.yaml answers
    answered: tuple[str, ...]  # for all accounts
    answers: Mapping[str, GroupAnswer]  # how
    not_mapped: Ids


class Overview(Struct, frozen=True, kw_only=True, dict=True):
    """All of it. `kind` and `version` as in every file of ours."""

    kind: Literal["accounts-report"] = "accounts-report"
    version: Literal[1] = 1
    accounts: tuple[Standing, ...]
    left_out: Mapping[str, str]
    users: ByName
    roles: ByName
    doors: tuple[DoorRow, ...]
    clusters: tuple[ClusterRow, ...]

    @cached_property
    def read(self) -> Ids:
        """Of which there is an inventory, be it in part."""
        return tuple(one.account for one in self.accounts if one.counts)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """By id."""
        return {one.account: one.name for one in self.accounts}

    def beside(self, accounts: Ids) -> Ids:
        """Which others were read."""
        these = frozenset(accounts)
        return tuple(one for one in self.read if one not in these)


class Said(NamedTuple):
    """A sentence about a group of a cluster: `WORDS: ACCOUNTS; AFTER`."""

    words: str
    accounts: Sequence[str]
    after: str = ""
    open: bool = False  # whether somebody has to do something


def overview(
    accounts: Accounts,
    found: Across,
    counts: Mapping[str, Mapping[str, int]],
    looked: Mapping[str, Looked],
    answers: Mapping[str, GroupAnswer],
) -> Overview:
    """Puts together what is known: of `counts`, what was read; `answers` are those for all accounts."""
    own = {*accounts.accounts, *accounts.left_out}
    return Overview(
        accounts=tuple(_standing(accounts, one, counts, looked[one]) for one in sorted(accounts.accounts)),
        left_out=dict(sorted(accounts.left_out.items())),
        users=found.users,
        roles=found.roles,
        doors=tuple(
            DoorRow(**structs.asdict(door), strangers=tuple(one for one in door.lets_in if one not in own))
            for door in found.doors
        ),
        clusters=tuple(_cluster(one, looked, answers) for one in found.clusters),
    )


def stages(told: Overview) -> list[tuple[str, int]]:
    """How many accounts stand where, from the beginning of the road to its end."""
    order = {NOT_READY: 0, DONE: 99}
    for row in told.accounts:
        for n, step in enumerate(row.steps, 1):
            order.setdefault(f"{step.state}: {step.step}", n)
    number = Counter(row.at for row in told.accounts)
    return sorted(number.items(), key=lambda item: (order[item[0]], item[0]))


def ready(told: Overview) -> str:
    """`5 of 10 accounts are ready`."""
    return f"{sum(row.ready for row in told.accounts)} of {len(told.accounts)} accounts are ready"


def judged(told: Overview) -> str:
    """The one sentence at the top."""
    ended = sum(row.at == DONE for row in told.accounts)
    went = f"{ended:,} {'is' if ended == 1 else 'are'} migrated" if ended else "none is migrated yet"
    return f"{ready(told)}, that is, all of their IAM was read; {went}."


def settled(told: Overview) -> str:
    """`2 answered for all, 1 undecided somewhere`, of the groups with the same policies."""
    answers = sum(set(one.groups) == set(one.answered) for one in told.clusters)
    waiting = sum(bool(one.undecided or one.again) for one in told.clusters)
    return f"{answers:,} answered for all, {waiting:,} undecided somewhere"


def ways_in(told: Overview) -> list[tuple[DoorRow, Ids]]:
    """Roles of one name that let the same in on the same conditions, once, with the accounts in which they are: what
    lets everybody or strangers in first, then those of most accounts.
    """
    found: dict[DoorRow, list[str]] = {}
    for door in told.doors:
        found.setdefault(structs.replace(door, account=""), []).append(door.account)
    rows = ((door, tuple(accounts)) for door, accounts in found.items())
    return sorted(
        rows, key=lambda row: (not row[0].everybody, not row[0].strangers, -len(row[1]), row[0].role, row[0].lets_in)
    )


def widest(names: ByName) -> list[tuple[str, Ids]]:
    """Those in most accounts first."""
    return sorted(names.items(), key=lambda item: (-len(item[1]), item[0]))


def sayings(cluster: ClusterRow, name: str) -> list[Said]:
    """What is decided, or not, of one group of a cluster."""
    after = "an answer for all is for these too"
    every = (
        Said("not placed by the rules in", cluster.undecided.get(name, ()), open=True),
        Said("answered since, to be mapped again in", cluster.again.get(name, ()), open=True),
        Said("out of scope in", cluster.skipped.get(name, ())),
        Said("answered by the account itself in", cluster.own.get(name, ())),
        Said("other policies under that name", cluster.differs.get(name, ()), after),
    )
    return [one for one in every if one.accounts]


def answered(answer: GroupAnswer) -> str:
    """An answer in words."""
    if answer.leave:
        return f"stays: {answer.leave}"
    return f"becomes {answer.become}" if answer.become else f"is split into {', '.join(answer.split)}"


def _standing(accounts: Accounts, account: str, counts: Mapping[str, Mapping[str, int]], looked: Looked) -> Standing:
    why = accounts.missing.get(account) or ("" if account in counts else STRANGE)
    return Standing(
        account=account,
        name=accounts.accounts[account],
        ready=not why,
        why=why,
        steps=looked.steps,
        counts=counts.get(account, {}),
        reports=tuple(f"{account}/{one}" for one in looked.reports),
    )


def _cluster(cluster: Cluster, looked: Mapping[str, Looked], answers: Mapping[str, GroupAnswer]) -> ClusterRow:
    found: dict[str, dict[str, list[str]]] = {"undecided": {}, "again": {}, "skipped": {}, "own": {}}
    for name, accounts in cluster.groups.items():
        for account in accounts:
            here = looked[account]
            for what in _open(name, here, here.answers.get(name) or answers.get(name)):
                found[what].setdefault(name, []).append(account)
    shared = {name: answers[name] for name in cluster.groups if name in answers}
    return ClusterRow(
        policies=cluster.policies,
        groups=cluster.groups,
        differs=cluster.differs,
        accounts=cluster.accounts,
        answered=tuple(shared),
        answers=shared,
        not_mapped=tuple(one for one in cluster.accounts if not looked[one].mapped and looked[one] is not UNKNOWN),
        **{key: {name: tuple(ids) for name, ids in named.items()} for key, named in found.items()},
    )


def _open(name: str, here: Looked, answer: GroupAnswer | None) -> Iterator[str]:
    """Under which headings a group stands in one account."""
    if name in here.answers:
        yield "own"
    if name in here.skipped:
        yield "skipped"
    elif name in here.unplaced and answer is None:
        yield "undecided"
    elif name in here.unplaced and answer and not answer.leave:
        yield "again"
