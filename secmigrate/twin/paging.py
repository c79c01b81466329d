"""Answers in pages: every list of IAM, and account details, which is four lists in one stream.

A marker is opaque and good for the call that it was given for. It holds the place after which to go on, so what is
created or deleted between two pages neither repeats nor hides anything else.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from secmigrate.twin.named import Params
from secmigrate.twin.refusal import Refusal

DEFAULT_PAGE = 100
_REMEMBERED = 10_000  # markers; older ones have expired


class Row(NamedTuple):
    """One entry of a list that is asked for in pages."""

    place: tuple[int, str]  # rows are sorted by it
    room: str  # the answer's member that it goes into
    show: Callable[[], object]  # only called for rows that are on the page


class Page(NamedTuple):
    """What fits, and the marker for the rest; empty at the end."""

    rows: Sequence[Row]
    marker: str


_INVALID = ("ValidationError", "Invalid Marker.")


class Markers:
    """The markers a twin has given out. Not safe for threads: the twin asks under its lock."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, tuple[str, tuple[int, str]]] = OrderedDict()

    def page(
        self,
        rows: Sequence[Row],
        call: str,
        marker: str | None,
        limit: int,
        invalid: tuple[str, str] = _INVALID,
    ) -> Page:
        """The page of `rows` that `marker` points at. They must be sorted.

        Raises a refusal of code and words `invalid` for a marker that is not for this call.
        """
        start = 0
        if marker is not None:
            given_for, after = self._given.get(marker, ("", (0, "")))
            if given_for != call:
                raise Refusal(*invalid)
            start = bisect_right(rows, after, key=lambda row: row.place)
        found = rows[start : start + limit]
        return Page(found, self._give(call, found[-1].place) if start + limit < len(rows) else "")

    def _give(self, call: str, after: tuple[int, str]) -> str:
        marker = hashlib.sha256(f"{call}/{after}".encode()).hexdigest()
        self._given[marker] = (call, after)
        self._given.move_to_end(marker)
        if len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)
        return marker


def answer(markers: Markers, rows: Sequence[Row], action: str, params: Params, page_size: int | None) -> dict[str, Any]:
    """A list as IAM answers it: `MaxItems` at most, fewer if `page_size` says so, with `Marker` and `IsTruncated`."""
    asked = {key: value for key, value in params.items() if key not in ("Marker", "MaxItems")}
    limit = min(params.get("MaxItems", DEFAULT_PAGE), page_size or DEFAULT_PAGE * 10)
    page = markers.page(rows, f"{action}{sorted(asked.items())}", params.get("Marker"), limit)
    found: dict[str, Any] = {"IsTruncated": bool(page.marker), "Marker": page.marker or None}
    for row in page.rows:
        found.setdefault(row.room, []).append(row.show())
    return found
