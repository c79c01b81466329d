"""The accounts of an organization: many accounts behind one endpoint, and Organizations' `ListAccounts`.

Source: AWS, *Organizations API reference*, ListAccounts; the states of an account: *Monitor the state of
your accounts*.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from secmigrate.iam import Snapshot
from secmigrate.twin.paging import Markers, Row
from secmigrate.twin.refusal import Refusal

TARGET = "AWSOrganizationsV20161128.ListAccounts"
_INVALID = ("InvalidInputException", "You specified an invalid value for NextToken.")


class Member(NamedTuple):
    """An account of the organization besides the twin's own. Its roles can be assumed while it is ACTIVE."""

    snapshot: Snapshot
    name: str = ""
    state: str = "ACTIVE"


class _ListAccounts(Struct, rename="pascal"):
    next_token: str | None = None
    max_results: Annotated[int, Meta(ge=1, le=20)] = 20


def list_accounts(
    home: str, members: Iterable[Member], markers: Markers, page_size: int | None, body: bytes
) -> dict[str, Any]:
    """All accounts, by page. Raises InvalidInputException."""
    try:
        asked = msgspec.json.decode(body or b"{}", type=_ListAccounts)
    except msgspec.DecodeError as error:
        raise Refusal("InvalidInputException", str(error)) from None
    every = [(home, "Management", "ACTIVE"), *((one.snapshot.account, one.name, one.state) for one in members)]
    rows = sorted(Row((0, account), "", partial(_row, home, account, name, state)) for account, name, state in every)
    page = markers.page(rows, "ListAccounts", asked.next_token, min(asked.max_results, page_size or 20), _INVALID)
    return {"Accounts": [row.show() for row in page.rows], **({"NextToken": page.marker} if page.marker else {})}


def _row(home: str, account: str, name: str, state: str) -> dict[str, Any]:
    """Without `Status`, which AWS retired in September 2026."""
    return {
        "Id": account,
        "Arn": f"arn:aws:organizations::{home}:account/o-twin/{account}",
        "Name": name,
        "State": state,
    }
