"""Who loses and who gains what, for scripts: one document, written as it is made, one user a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from secmigrate.access import Change, Row
from secmigrate.access.telling import Told, trustees, unreadable
from secmigrate.reports.access import Access

_MEMORY = 64_000_000  # bytes of encoded rows that are kept for the next user who has them

Entry = tuple[tuple[object, ...], bytes]  # what it is sorted by, and its JSON


def access_json(found: Access) -> Iterator[str]:
    """The contract's `access --json`, in parts; users and roles lie one a line. Sorted: the same in, the same bytes.

    At 5,000 users the whole would not fit into memory; what many users share is encoded once.
    """
    comparison = found.teller.comparison
    catalogue = {"source": comparison.catalogue.source, "date": comparison.catalogue.date}
    writer = _Writer(found)
    yield '{\n  "kind": "access",\n  "version": 1,\n'
    yield f'  "catalogue": {_text(catalogue)},\n'
    yield f'  "not_read": {_text([f"{gap.what}: {gap.why}" for gap in comparison.before.incomplete])},\n'
    yield '  "users": ['
    yield from _lines(found.users, writer.user)
    yield f'],\n  "identical": {found.identical},\n  "roles": ['
    yield from _lines(found.roles, writer.role)
    yield "]\n}\n"


def _lines(changes: Iterable[Change], line: Callable[[Change], str]) -> Iterator[str]:
    before = "\n    "
    for change in changes:
        yield before + line(change)
        before = ",\n    "
    if before.startswith(","):
        yield "\n  "


class _Writer:
    def __init__(self, found: Access) -> None:
        self._teller = found.teller
        self._known: dict[tuple[Row, str, bool], tuple[Entry, ...]] = {}
        self._size = 0

    def user(self, change: Change) -> str:
        roles = {name: getattr(change.roles, name) for name in ("lost", "gained", "unsure", "wider")}
        return _object({"user": _text(change.name), **self._rows(change), "roles": _text(roles)})

    def role(self, change: Change) -> str:
        comparison = self._teller.comparison
        lost = trustees(change.trust_lost, comparison.before, gained=False)
        gained = trustees(change.trust_gained, comparison.after, gained=True)
        return _object(
            {
                "role": _text(change.name),
                "becomes": _text(change.becomes or None),
                **self._rows(change),
                "trust_lost": _text(lost),
                "trust_gained": _text(gained),
            }
        )

    def _rows(self, change: Change) -> dict[str, str]:
        unsure = [_entry(one) for one in unreadable(change)]
        unsure += [*self._entries(change, change.may_lose), *self._entries(change, change.may_gain, gained=True)]
        return {
            "lost": _array(self._entries(change, change.lost)),
            "gained": _array(self._entries(change, change.gained, gained=True)),
            "unsure": _array(unsure),
        }

    def _entries(self, change: Change, rows: Sequence[Row], *, gained: bool = False) -> list[Entry]:
        entries: list[Entry] = []
        for part, why in (one for row in rows for one in self._teller.parts(change, row, gained=gained)):
            known = self._known.get((part, why, gained))
            if known is None:
                known = tuple(_entry(one) for one in self._teller.told(part, why, gained=gained))
                self._keep((part, why, gained), known)
            entries += known
        return entries

    def _keep(self, key: tuple[Row, str, bool], entries: tuple[Entry, ...]) -> None:
        self._size += sum(len(text) for _, text in entries)
        if self._size > _MEMORY:
            self._known.clear()
            self._size = 0
        self._known[key] = entries


def _entry(told: Told) -> Entry:
    return told.order, msgspec.json.encode(told)


def _array(entries: list[Entry]) -> str:
    return f"[{b','.join(text for _, text in sorted(entries)).decode()}]"


def _object(fields: dict[str, str]) -> str:
    return f"{{{','.join(f'{_text(name)}:{value}' for name, value in fields.items())}}}"


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
