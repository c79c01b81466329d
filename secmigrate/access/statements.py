"""Effective access as a set of whole statements.

Two sets that hold the same statements give the same access, whatever the statements say; a larger set of Allows gives
at least as much. That is coarse, but never wrong: where statements differ in spelling only, it errs towards "differs".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from secmigrate.iam import Document, Principal, Snapshot, User

Statements = frozenset[str]


_LISTS = ("Action", "NotAction", "Resource", "NotResource")
EVERYTHING = '{"Action":"*","Effect":"Allow","Resource":"*"}'  # what AdministratorAccess says


@lru_cache(maxsize=65536)
def statements(document: Document) -> Statements:
    """The document's statements as canonical JSON: `Sid` is a label without meaning and is left out, and a list of one
    is the one.
    """
    return frozenset(msgspec.json.encode(_plain(row), order="sorted").decode() for row in document.statements)


def covers(more: Statements, less: Statements) -> bool:
    """Whether everything that `less` allows, `more` allows too, and denies nothing else. False where it is not sure."""
    lacking = less - more
    if any('"Effect":"Deny"' in one for one in more ^ less) or any(one.startswith("arn:") for one in lacking):
        return False
    return not lacking or EVERYTHING in more


def _plain(statement: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in statement.items() if key != "Sid"}
    for key in _LISTS:
        match plain.get(key):
            case [only]:
                plain[key] = only
            case [*several]:
                plain[key] = sorted(several)
    return plain


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
