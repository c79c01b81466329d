"""The provisioner's exports beside the plan and the account (guide, step 6), by names that mean the same on all sides.

Of an export only the end of its file's name is known: `…group-<kebab-name>.json` (I); of role files nothing is (U).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from secmigrate.diff.snapshots import Diff, Different, Item
from secmigrate.iam import Document, Principal, Snapshot
from secmigrate.mapping import Kind


class Exported(Struct, frozen=True, kw_only=True):
    """A group or role as the provisioner exported it: what names it, and every policy document in it."""

    kind: Kind
    file: str
    names: tuple[str, ...]  # the file's, then the one inside, if there is exactly one
    documents: tuple[Document, ...]


class Compared(Struct, frozen=True, kw_only=True):
    """What the exports say otherwise than the plan; and which of them the account has already, by their IAM names."""

    plan: Diff
    existing: tuple[Item, ...]
    unread: tuple[str, ...]  # files without a policy document: of these only the name is compared


def compared(exports: Iterable[Exported], planned: Snapshot, existing: Snapshot) -> Compared:
    """The exports against the plan and the account."""
    rooms: Mapping[Kind, Mapping[str, Principal]] = {"group": planned.groups, "role": planned.roles}
    theirs: dict[tuple[Kind, str], Exported] = {(one.kind, named(one, list(rooms[one.kind]))): one for one in exports}
    kinds = {one.kind for one in theirs.values()}
    ours = {(kind, name): one for kind in sorted(kinds) for name, one in rooms[kind].items()}
    different = []
    for at, one in theirs.items():
        if at in ours and (changes := tuple(_changes(one, ours[at]))):
            different.append(Different(at[0], at[1], changes))
    return Compared(
        plan=Diff(
            missing=tuple(sorted(Item(*at) for at in ours if at not in theirs)),
            extra=tuple(sorted(Item(*at) for at in theirs if at not in ours)),
            different=tuple(sorted(different)),
        ),
        existing=tuple(sorted(Item(kind, name) for kind, name in theirs if existing.principal(kind, name))),
        unread=tuple(sorted(one.file for one in theirs.values() if not one.documents)),
    )


def named(export: Exported, names: Sequence[str]) -> str:
    """The IAM name of what was exported: one of `names` that a name of the export ends in, or that ends in it, the
    longest first; else what the export calls itself.
    """
    marker = f"{export.kind}-"
    for own in reversed(export.names):
        plain = own.replace("_", "-").lower()
        tails = {name: name.lower().partition(f"-{marker}")[2] for name in names}
        for name in sorted(names, key=lambda name: (-len(name), name)):
            tail = tails[name]
            if plain in (name.lower(), tail) or plain.endswith((f"-{name.lower()}", f"{marker}{tail}")):
                return name
    return export.names[-1]


def _changes(export: Exported, planned: Principal) -> Iterator[str]:
    if not export.documents:
        return
    there = set(_texts(planned.inline.values()))
    exported = set(_texts(export.documents))
    for policy, document in sorted(planned.inline.items()):
        if document.text not in exported:
            yield f"inline policy {policy} is not in the export as it is planned"
    if more := len(exported - there):
        yield f"{more} policy document{'s' if more > 1 else ''} in the export that the plan does not have"


def _texts(documents: Iterable[Document]) -> Iterator[str]:
    return (document.text for document in documents)
