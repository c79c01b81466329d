"""Effective access as a set of whole statements.

Two sets that hold the same statements give the same access, whatever the statements say; a larger set of Allows gives
at least as much. That is coarse, but never wrong: where statements differ in spelling only, it errs towards "differs".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from secmigrate.iam import Document, Principal, Snapshot, User

Statements = frozenset[str]


@lru_cache(maxsize=65536)
def statements(document: Document) -> Statements:
    """The document's statements as canonical JSON. `Sid` is a label without meaning and is left out."""
    plain = ({key: value for key, value in row.items() if key != "Sid"} for row in document.statements)
    return frozenset(msgspec.json.encode(row, order="sorted").decode() for row in plain)


def documents_of(snapshot: Snapshot, one: Principal) -> Iterator[Document]:
    """The documents of a principal's own inline and attached policies, as far as the snapshot knows them."""
    yield from one.inline.values()
    for arn in one.attached:
        policy = snapshot.policies.get(arn)
        if policy is not None:
            yield policy.document


def statements_of(snapshot: Snapshot, one: Principal) -> Statements:
    """All statements that apply to a principal by identity: its own policies and, for a user, those of its groups.

    A managed policy whose document the snapshot does not know stands for itself, by its ARN.
    """
    sources: list[Principal] = [one]
    if isinstance(one, User):
        sources += [snapshot.groups[name] for name in one.groups if name in snapshot.groups]
    found: set[str] = set()
    for source in sources:
        for document in documents_of(snapshot, source):
            found |= statements(document)
        found.update(arn for arn in source.attached if arn not in snapshot.policies)
    return frozenset(found)
