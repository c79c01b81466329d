"""Which documents apply to a principal, where they come from, and which facts of it they may ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from secmigrate.access.decoding import named_actions
from secmigrate.access.facts import Facts, facts_of, own_keys
from secmigrate.access.reading import Reading, read, unknown
from secmigrate.iam import Document, Group, Principal, Snapshot, User


class Source(Struct, frozen=True):
    """Where a document comes from."""

    holder: str  # "user ana", "group devs", "role worker"
    policy: str  # "inline policy notes", or a managed policy's ARN
    reading: Reading
    is_boundary: bool = False

    def __str__(self) -> str:
        return f"{self.holder}, {'permissions boundary ' if self.is_boundary else ''}{self.policy}"


def holders(snapshot: Snapshot, one: Principal) -> list[Principal]:
    """Whose policies apply to a principal by identity: its own and, for a user, those of its groups."""
    if not isinstance(one, User):
        return [one]
    return [one, *(snapshot.groups[name] for name in one.groups if name in snapshot.groups)]


def missing(snapshot: Snapshot, one: Principal) -> list[str]:
    """The groups that a user is in and the snapshot does not hold."""
    return [name for name in one.groups if name not in snapshot.groups] if isinstance(one, User) else []


def sources(snapshot: Snapshot, one: Principal) -> Iterator[Source]:
    """Every document that applies to a principal, its permissions boundary last."""
    facts: dict[frozenset[str], Facts] = {}

    def reading(found: Document | str) -> Reading:
        keys = own_keys(found) if isinstance(found, Document) else frozenset()
        if keys not in facts:
            facts[keys] = known_facts(snapshot, one, keys)
        return _reading(found, facts[keys])

    for holder in holders(snapshot, one):
        label = f"{holder.kind} {holder.name}"
        for name, document in sorted(holder.inline.items()):
            yield Source(label, f"inline policy {name}", reading(document))
        for arn in holder.attached:
            yield Source(label, arn, reading(document_of(snapshot, arn)))
    for name in missing(snapshot, one):
        yield Source(f"group {name}", "its policies", unknown(f"group {name}"))
    boundary = getattr(one, "boundary", "")
    if boundary:
        yield Source(f"{one.kind} {one.name}", boundary, reading(document_of(snapshot, boundary)), is_boundary=True)


def known_facts(snapshot: Snapshot, one: Principal, keys: Iterable[str]) -> Facts:
    """What of these context keys the principal itself decides; a group is nobody in particular."""
    if isinstance(one, Group):
        return ()
    known: dict[str, str | None] = {
        "aws:username": one.name if isinstance(one, User) else None,
        "aws:principalarn": snapshot.arn(one),
        "aws:principalaccount": snapshot.account,
        "aws:principaltype": "User" if isinstance(one, User) else "AssumedRole",
    }
    return facts_of(keys, known, getattr(one, "tags", {}), sessions=not isinstance(one, User))


def held(snapshot: Snapshot, holder: Principal) -> tuple[Document | str, ...]:
    """The documents of a principal's own inline and attached policies; the ARN where the document is not known."""
    return (*holder.inline.values(), *(document_of(snapshot, arn) for arn in holder.attached))


def document_of(snapshot: Snapshot, arn: str) -> Document | str:
    """A managed policy's document; its ARN if the snapshot does not hold it."""
    policy = snapshot.policies.get(arn)
    return arn if policy is None else policy.document


def _reading(found: Document | str, facts: Facts) -> Reading:
    return unknown(found) if isinstance(found, str) else read(found, facts)


def written_actions(snapshots: Iterable[Snapshot], documents: Iterable[Document]) -> set[str]:
    """Every entry of an Action or NotAction in the snapshots and documents."""
    met = set(documents)
    for snapshot in snapshots:
        met.update(policy.document for policy in snapshot.policies.values())
        for one in snapshot.principals():
            met.update(one.inline.values())
    return named_actions(met)
