"""What a group's or role's policies say, as far as the mapping reads them: actions without their resources.

Reading resources and conditions exactly is the job of `access`; what is not read here is told, never dropped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

import msgspec
from msgspec import UNSET, Struct, UnsetType

from secmigrate.access.decoding import Usual, Words, written
from secmigrate.iam import Document, Policy, Principal, Snapshot, is_aws_policy
from secmigrate.mapping.patterns import inside, overlap

Globs = tuple[str, ...]  # action globs, sorted


class Actions(Struct, frozen=True, dict=True, eq=False):
    """What one document allows: action globs, and everything-but lists (`NotAction`), sorted. Equal only to itself, so
    that it costs nothing to remember what is found out about it.
    """

    allowed: Globs = ()
    all_but: tuple[Globs, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.allowed or self.all_but)

    def touches(self, glob: str) -> bool:
        """Whether something that the glob names is allowed."""
        near = self.near(glob)
        if near and any(overlap(action, glob) for action in near):
            return True
        return any(not any(inside(glob, but) for but in excluded) for excluded in self.all_but)

    def near(self, glob: str) -> Globs:
        """The allowed actions that can have to do with the glob: of its service, and of a wildcard for services."""
        service = service_of(glob)
        if service == "*":
            return self.allowed
        rows = self.by_service
        return rows.get(service, ()) + rows.get("*", ())

    @cached_property
    def by_service(self) -> Mapping[str, Globs]:
        """The allowed actions by the prefix of their service, in small letters; under `*` those of any service."""
        rows: dict[str, Globs] = {}
        at = 0
        while at < len(self.allowed):
            prefix, colon, _ = self.allowed[at].partition(":")
            end = bisect_left(self.allowed, f"{prefix};", at) if colon else at + 1  # they are sorted: `;` follows `:`
            service = service_of(prefix)
            rows[service] = rows.get(service, ()) + self.allowed[at:end]
            at = end
        return rows


class Reach(Struct, frozen=True, dict=True):
    """What somebody's policies say, by where they say it."""

    own: tuple[Actions, ...]  # inline and customer-managed policies, and AWS's that cannot go along
    aws: Mapping[str, Actions]  # AWS managed policies that can go along; without actions if the document is missing
    paths: Mapping[str, str]  # of those with one: {"Billing": "job-function/"}
    unread: tuple[str, ...] = ()  # ARNs of attached policies whose documents are not in the snapshot
    denies: bool = False  # whether some statement takes away
    notes: tuple[str, ...] = ()  # what is there and has no counterpart in SEC
    own_documents: tuple[Document, ...] = ()
    aws_documents: Mapping[str, Document] = {}  # those of `aws` that are in the snapshot

    @cached_property
    def everything(self) -> tuple[Actions, ...]:
        """All that is allowed, from wherever: by its documents, for what many have is gone through once."""
        return tuple([one for one in (*self.own, *self.aws.values()) if one])

    @property
    def only_denies(self) -> bool:
        """Whether it takes away and gives nothing."""
        return self.denies and not self.everything and not self.aws and not self.unread


def reach(who: Principal, snapshot: Snapshot, offered: Collection[str]) -> Reach:
    """Reads all policies of a group or role that stand in the snapshot; `offered` are the names of AWS managed policies
    that can be given to somebody new.
    """
    own = [(f"inline policy {name}", document) for name, document in sorted(who.inline.items())]
    aws, aws_documents, paths, unread, notes = {}, {}, {}, [], []
    for arn in who.attached:
        policy = snapshot.policies.get(arn)
        name = arn.rsplit("/", 1)[1]
        if policy is None:
            unread.append(arn)
        if is_aws_policy(arn) and name not in offered:
            notes.append(_not_offered(name, policy))
        if is_aws_policy(arn) and name in offered:
            # Only what is allowed: AWS's own policies go along whole, with their Deny statements.
            aws[name] = _allowed_by(policy.document) if policy else Actions()
            if policy:
                aws_documents[name] = policy.document
            path = arn.split(":policy/", 1)[1].rpartition("/")[0]
            if path:
                paths[name] = f"{path}/"
        elif policy:
            own.append((f"policy {name}", policy.document))
    said = [_said(where, document) for where, document in own]
    denied = [action for one in said for action in one.denied_flatly]
    return Reach(
        own=tuple([_left(one.allowed, denied) if denied else one.allowed for one in said]),
        aws=aws,
        paths=paths,
        unread=tuple(unread),
        own_documents=tuple([document for _, document in own]),
        aws_documents=aws_documents,
        denies=any(one.denies for one in said),
        notes=(*notes, *[note for one in said for note in one.notes]),
    )


def _not_offered(name: str, policy: Policy | None) -> str:
    """That an AWS managed policy cannot go along: which of the two it is, no inventory says."""
    left = "levels answer for what it allows" if policy else "its document is not in the inventory"
    why = "AWS has withdrawn it (nobody new can have it) or made it lately"
    return f"not carried over: policy {name} as such: {why}; {left}"


def own_documents(who: Principal, snapshot: Snapshot) -> tuple[Document, ...]:
    """Its inline and attached policies, without AWS's own, as far as they stand in the snapshot."""
    attached = (snapshot.policies[arn] for arn in who.attached if arn in snapshot.policies and not is_aws_policy(arn))
    return (*(document for _, document in sorted(who.inline.items())), *(policy.document for policy in attached))


def listed(value: object) -> tuple[str, ...]:
    """IAM lets a single string stand without its list."""
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list) else ()


class _Said(Struct, frozen=True):
    """What one document says."""

    allowed: Actions
    denies: bool
    denied_flatly: tuple[str, ...]  # always and everywhere, so that allowing it elsewhere means nothing
    notes: tuple[str, ...]


@lru_cache(maxsize=16_384)
def _said(where: str, document: Document) -> _Said:
    """What the document says that stands there."""
    rows = written(document)
    denies = [row for row in rows if row.effect == "Deny"]
    flatly = [one for one in denies if one.condition is UNSET and one.resource in ("*", ["*"])]
    return _Said(
        _allowed(rows),
        any(one.not_action is not UNSET or one.action for one in denies),
        tuple([action for one in flatly for action in _entries(one.action)]),
        tuple([note for one in rows for note in _notes(where, one)]),
    )


def _entries(value: Words | UnsetType) -> Sequence[str]:
    """The entries of an element."""
    return [value] if isinstance(value, str) else value or ()


@lru_cache(maxsize=4096)
def _allowed_by(document: Document) -> Actions:
    return _allowed(written(document))


def _allowed(rows: Iterable[Usual]) -> Actions:
    allowed: set[str] = set()
    all_but: set[Globs] = set()
    for row in rows:
        if row.effect == "Allow":
            allowed.update(_entries(row.action))
            if row.not_action is not UNSET:
                all_but.add(tuple(sorted(_entries(row.not_action))))
    return Actions(tuple(sorted(allowed)), tuple(sorted(all_but)))


def _left(actions: Actions, denied: Iterable[str]) -> Actions:
    """What is allowed and nothing of this denies."""
    gone = {action for deny in denied for action in actions.near(deny) if inside(action, deny)}
    return Actions(tuple(one for one in actions.allowed if one not in gone), actions.all_but) if gone else actions


def _denied(deny: Usual) -> Iterator[str]:
    yield from _entries(deny.action)
    if deny.not_action is not UNSET:
        yield f"everything but {', '.join(_entries(deny.not_action))}"


def _notes(where: str, row: Usual) -> Sequence[str]:
    if row.effect == "Allow" and row.action and row.not_action is row.not_resource is row.condition is UNSET:
        return ()
    if row.not_action is UNSET and not row.action:
        return [f"not carried over: a statement of {where} that cannot be read: nobody knows what it says"]
    if row.effect == "Deny":
        return [f"not carried over: {where} denies {_shortened(_denied(row))}"]
    notes = []
    if row.condition is not UNSET:
        tested, actions = _tested(row.condition), _shortened(_entries(row.action))
        notes.append(f"not carried over: the condition on {tested} under which {where} allows {actions}")
    if row.not_action is not UNSET:
        notes.append(f"{where} says NotAction: read as widely as it can be meant")
    if row.not_resource is not UNSET:
        notes.append(f"{where} says NotResource: read as widely as it can be meant")
    return notes


def _tested(condition: bytes) -> str:
    """The keys that a condition tests."""
    value = msgspec.json.decode(condition)
    tests = value.values() if isinstance(value, dict) else ()
    return ", ".join(sorted({key for test in tests if isinstance(test, dict) for key in test}))


def _shortened(actions: Iterable[str], most: int = 3) -> str:
    found = tuple(actions)
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "")


@lru_cache(maxsize=4096)
def service_of(glob: str) -> str:
    """The prefix of the service that an action glob names, in small letters; `*` if it is a wildcard itself."""
    prefix = glob.partition(":")[0].casefold()
    return "*" if "*" in prefix or "?" in prefix else prefix
