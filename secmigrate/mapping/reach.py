"""What a group's or role's policies say, as far as the mapping reads them: actions without their resources.

Reading resources and conditions exactly is the job of `access`; what is not read here is told, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from msgspec import Struct

from secmigrate.iam import Document, Principal, Snapshot, is_aws_policy
from secmigrate.mapping.patterns import inside, overlap

Excluded = tuple[str, ...]  # one NotAction


class Actions(Struct, frozen=True, dict=True):
    """What is allowed: action globs, and everything-but lists (`NotAction`)."""

    allowed: tuple[str, ...] = ()
    all_but: tuple[Excluded, ...] = ()
    anywhere: tuple[str, ...] = ()  # those of `allowed` that hold on every resource

    def __add__(self, other: Actions) -> Actions:
        return Actions(
            allowed=tuple(sorted({*self.allowed, *other.allowed})),
            all_but=tuple(sorted({*self.all_but, *other.all_but})),
            anywhere=tuple(sorted({*self.anywhere, *other.anywhere})),
        )

    def __bool__(self) -> bool:
        return bool(self.allowed or self.all_but)

    def touches(self, glob: str) -> bool:
        """Whether something that the glob names is allowed."""
        return any(overlap(action, glob) for action in self._about(glob)) or any(
            not any(inside(glob, but) for but in excluded) for excluded in self.all_but
        )

    def holds(self, pattern: str) -> bool:
        """Whether all that the pattern names is allowed."""
        return any(inside(pattern, action) for action in self._about(pattern)) or any(
            not any(overlap(pattern, but) for but in excluded) for excluded in self.all_but
        )

    def _about(self, glob: str) -> Iterator[str]:
        """The allowed actions that can have to do with the glob: of its service, and of a wildcard for services."""
        service = _service(glob)
        if "*" in service or "?" in service:
            return iter(self.allowed)
        return chain(self._by_service.get(service, ()), self._by_service.get("*", ()))

    @cached_property
    def _by_service(self) -> Mapping[str, list[str]]:
        rows: dict[str, list[str]] = {}
        for action in self.allowed:
            service = _service(action)
            rows.setdefault("*" if "*" in service or "?" in service else service, []).append(action)
        return rows

    def of(self, prefix: str) -> tuple[str, ...]:
        """What is allowed of one service, by its action prefix, written with that prefix."""
        found = {narrowed for action in self.allowed if (narrowed := _narrowed(action, prefix))}
        if any(not any(inside(f"{prefix}:*", but) for but in excluded) for excluded in self.all_but):
            found.add(f"{prefix}:*")
        return tuple(sorted(found))

    def unlimited(self) -> Actions:
        """Those that are allowed on every resource."""
        return Actions(self.anywhere, self.all_but, self.anywhere)


class Reach(Struct, frozen=True, dict=True):
    """What somebody's policies say, by where they say it."""

    own: Actions  # inline and customer-managed policies
    aws: Mapping[str, Actions]  # attached AWS managed policies by name; without actions if the document is missing
    paths: Mapping[str, str]  # of those with one: {"Billing": "job-function/"}
    unread: tuple[str, ...] = ()  # ARNs of attached policies whose documents are not in the snapshot
    denied: tuple[str, ...] = ()  # what some Deny names
    notes: tuple[str, ...] = ()  # what is there and has no counterpart in SEC
    own_documents: tuple[Document, ...] = ()
    aws_documents: Mapping[str, Document] = {}  # those of `aws` that are in the snapshot

    @cached_property
    def everything(self) -> Actions:
        """All that is allowed, from wherever."""
        total = self.own
        for actions in self.aws.values():
            total += actions
        return total

    @property
    def only_denies(self) -> bool:
        """Whether it takes away and gives nothing."""
        return bool(self.denied) and not self.everything and not self.aws and not self.unread


def reach(who: Principal, snapshot: Snapshot) -> Reach:
    """Reads all policies of a group or role that stand in the snapshot."""
    own_documents = [(f"inline policy {name}", document) for name, document in sorted(who.inline.items())]
    aws, paths, unread = {}, {}, []
    for arn in who.attached:
        policy = snapshot.policies.get(arn)
        name = arn.rsplit("/", 1)[1]
        if policy is None:
            unread.append(arn)
        if is_aws_policy(arn):
            # Only what is allowed: AWS's own policies go along whole, with their Deny statements.
            aws[name] = _allowed(policy.document) if policy else Actions()
            path = arn.split(":policy/", 1)[1].rpartition("/")[0]
            if path:
                paths[name] = f"{path}/"
        elif policy:
            own_documents.append((f"policy {name}", policy.document))
    own = Actions()
    for _, document in own_documents:
        own += _allowed(document)
    denied = sorted({action for _, document in own_documents for action in _denied(document)})
    return Reach(
        own=_without(own, [action for _, document in own_documents for action in _denied_flatly(document)]),
        aws=aws,
        paths=paths,
        unread=tuple(unread),
        own_documents=tuple(document for _, document in own_documents),
        aws_documents={
            arn.rsplit("/", 1)[1]: snapshot.policies[arn].document
            for arn in who.attached
            if is_aws_policy(arn) and arn in snapshot.policies
        },
        denied=tuple(denied),
        notes=tuple(note for where, document in own_documents for note in _notes(where, document)),
    )


def listed(value: object) -> tuple[str, ...]:
    """IAM lets a single string stand without its list."""
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


@lru_cache(maxsize=4096)
def _allowed(document: Document) -> Actions:
    allowed: set[str] = set()
    anywhere: set[str] = set()
    all_but: set[Excluded] = set()
    for statement in document.statements:
        if statement.get("Effect") != "Allow":
            continue
        actions = listed(statement.get("Action"))
        allowed.update(actions)
        if "*" in listed(statement.get("Resource")) or "NotResource" in statement:
            anywhere.update(actions)
        if "NotAction" in statement:
            all_but.add(tuple(sorted(listed(statement["NotAction"]))))
    return Actions(tuple(sorted(allowed)), tuple(sorted(all_but)), tuple(sorted(anywhere)))


def _denies(document: Document) -> Iterator[dict[str, Any]]:
    return (statement for statement in document.statements if statement.get("Effect") == "Deny")


def _denied(document: Document) -> Iterator[str]:
    for statement in _denies(document):
        yield from listed(statement.get("Action"))
        if "NotAction" in statement:
            yield f"everything but {', '.join(listed(statement['NotAction']))}"


def _denied_flatly(document: Document) -> Iterator[str]:
    """What is denied always and everywhere, so that allowing it elsewhere means nothing."""
    for statement in _denies(document):
        if "Condition" not in statement and listed(statement.get("Resource")) == ("*",):
            yield from listed(statement.get("Action"))


def _without(actions: Actions, denied: list[str]) -> Actions:
    def kept(patterns: Iterable[str]) -> tuple[str, ...]:
        return tuple(one for one in patterns if not any(inside(one, deny) for deny in denied))

    return Actions(kept(actions.allowed), actions.all_but, kept(actions.anywhere)) if denied else actions


def _notes(where: str, document: Document) -> Iterator[str]:
    for statement in document.statements:
        if statement.get("Effect") == "Deny":
            yield f"not carried over: {where} denies {_shortened(_denied(Document({'Statement': [statement]})))}"
            continue
        if "Condition" in statement:
            keys = sorted({key for test in statement["Condition"].values() for key in test})
            actions = _shortened(listed(statement.get("Action")))
            yield f"not carried over: the condition on {', '.join(keys)} under which {where} allows {actions}"
        for key in ("NotAction", "NotResource"):
            if key in statement:
                yield f"{where} says {key}: read as widely as it can be meant"


def _shortened(actions: Iterable[str], most: int = 3) -> str:
    found = list(actions)
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "")


def _service(action: str) -> str:
    return action.partition(":")[0].casefold()


def _narrowed(action: str, prefix: str) -> str:
    """The part of an action glob that lies in one service; empty if there is none."""
    if action == "*":
        return f"{prefix}:*"
    service, _, verb = action.partition(":")
    return f"{prefix}:{verb}" if inside(prefix, service) else ""
