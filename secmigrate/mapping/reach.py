"""What a group's or role's policies say, as far as the mapping reads them: actions without their resources.

Reading resources and conditions exactly is the job of `access`; what is not read here is told, never dropped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from msgspec import Struct

from secmigrate.iam import Document, Principal, Snapshot, is_aws_policy
from secmigrate.mapping.patterns import inside, overlap

Excluded = tuple[str, ...]  # one NotAction


class Actions(Struct, frozen=True, dict=True):
    """What is allowed: action globs, and everything-but lists (`NotAction`), sorted."""

    allowed: tuple[str, ...] = ()
    all_but: tuple[Excluded, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.allowed or self.all_but)

    def touches(self, glob: str) -> bool:
        """Whether something that the glob names is allowed."""
        return any(overlap(action, glob) for action in self._about(glob)) or any(
            not any(inside(glob, but) for but in excluded) for excluded in self.all_but
        )

    def _about(self, glob: str) -> Iterator[str]:
        """The allowed actions that can have to do with the glob: of its service, and of a wildcard for services."""
        service = _service(glob)
        if "*" in service or "?" in service:
            return iter(self.allowed)
        return chain(self.by_service.get(service, ()), self.by_service.get("*", ()))

    @cached_property
    def by_service(self) -> Mapping[str, tuple[str, ...]]:
        """The allowed actions by the prefix of their service, in small letters; under `*` those of any service."""
        rows: dict[str, tuple[str, ...]] = {}
        at = 0
        while at < len(self.allowed):
            prefix, colon, _ = self.allowed[at].partition(":")
            end = bisect_left(self.allowed, f"{prefix};", at) if colon else at + 1  # they are sorted: `;` follows `:`
            service = "*" if "*" in prefix or "?" in prefix else prefix.casefold()
            rows[service] = (*rows.get(service, ()), *self.allowed[at:end])
            at = end
        return rows


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
        return _all((self.own, *self.aws.values())) if self.aws else self.own

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
            aws[name] = _allowed_by(policy.document) if policy else Actions()
            path = arn.split(":policy/", 1)[1].rpartition("/")[0]
            if path:
                paths[name] = f"{path}/"
        elif policy:
            own_documents.append((f"policy {name}", policy.document))
    said = [_said(document) for _, document in own_documents]
    own = _all(one.allowed for one in said)
    return Reach(
        own=_without(own, [action for one in said for action in one.denied_flatly]),
        aws=aws,
        paths=paths,
        unread=tuple(unread),
        own_documents=tuple(document for _, document in own_documents),
        aws_documents={
            arn.rsplit("/", 1)[1]: snapshot.policies[arn].document
            for arn in who.attached
            if is_aws_policy(arn) and arn in snapshot.policies
        },
        denied=tuple(sorted({action for one in said for action in one.denied})),
        notes=tuple(
            note.format(where=where) for (where, _), one in zip(own_documents, said, strict=True) for note in one.notes
        ),
    )


def own_documents(who: Principal, snapshot: Snapshot) -> tuple[Document, ...]:
    """Its inline and attached policies, without AWS's own, as far as they stand in the snapshot."""
    attached = (snapshot.policies[arn] for arn in who.attached if arn in snapshot.policies and not is_aws_policy(arn))
    return (*(document for _, document in sorted(who.inline.items())), *(policy.document for policy in attached))


def listed(value: object) -> tuple[str, ...]:
    """IAM lets a single string stand without its list."""
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


class _Said(Struct, frozen=True):
    """What one document says."""

    allowed: Actions
    denied: tuple[str, ...]
    denied_flatly: tuple[str, ...]  # always and everywhere, so that allowing it elsewhere means nothing
    notes: tuple[str, ...]  # with `{where}` for the document's name


@lru_cache(maxsize=16_384)
def _said(document: Document) -> _Said:
    statements = document.statements
    denies = [statement for statement in statements if statement.get("Effect") == "Deny"]
    flatly = (one for one in denies if "Condition" not in one and listed(one.get("Resource")) == ("*",))
    return _Said(
        _allowed(statements),
        tuple(action for one in denies for action in _denied(one)),
        tuple(action for one in flatly for action in listed(one.get("Action"))),
        tuple(note for one in statements for note in _notes(one)),
    )


@lru_cache(maxsize=4096)
def _allowed_by(document: Document) -> Actions:
    return _allowed(document.statements)


def _allowed(statements: Iterable[Mapping[str, Any]]) -> Actions:
    allowed: set[str] = set()
    all_but: set[Excluded] = set()
    for statement in statements:
        if statement.get("Effect") != "Allow":
            continue
        allowed.update(listed(statement.get("Action")))
        if "NotAction" in statement:
            all_but.add(tuple(sorted(listed(statement["NotAction"]))))
    return Actions(tuple(sorted(allowed)), tuple(sorted(all_but)))


def _all(ones: Iterable[Actions]) -> Actions:
    """What any of them allow."""
    found = list(ones)
    if len(found) == 1:
        return found[0]
    return Actions(
        tuple(sorted(set[str]().union(*(one.allowed for one in found)))),
        tuple(sorted(set[Excluded]().union(*(one.all_but for one in found)))),
    )


def _denied(deny: Mapping[str, Any]) -> Iterator[str]:
    yield from listed(deny.get("Action"))
    if "NotAction" in deny:
        yield f"everything but {', '.join(listed(deny['NotAction']))}"


def _without(actions: Actions, denied: list[str]) -> Actions:
    if not denied:
        return actions
    kept = (one for one in actions.allowed if not any(inside(one, deny) for deny in denied))
    return Actions(tuple(kept), actions.all_but)


def _notes(statement: Mapping[str, Any]) -> Iterator[str]:
    if statement.get("Effect") == "Deny":
        yield f"not carried over: {{where}} denies {_plain(_shortened(_denied(statement)))}"
        return
    if "Condition" in statement:
        keys = sorted({key for test in statement["Condition"].values() for key in test})
        actions = _shortened(listed(statement.get("Action")))
        yield (
            f"not carried over: the condition on {_plain(', '.join(keys))} under which {{where}} "
            f"allows {_plain(actions)}"
        )
    for key in ("NotAction", "NotResource"):
        if key in statement:
            yield f"{{where}} says {key}: read as widely as it can be meant"


def _plain(text: str) -> str:
    """The text, for `str.format` to leave as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def _shortened(actions: Iterable[str], most: int = 3) -> str:
    found = list(actions)
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "")


def _service(action: str) -> str:
    return action.partition(":")[0].casefold()
