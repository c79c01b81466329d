"""Many accounts: one folder, in it a workspace for each, and what is known of all of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from secmigrate.documents import read_json, read_snapshot, write_json
from secmigrate.errors import BadInput
from secmigrate.iam import AccountId, Snapshot
from secmigrate.workspace import ACCOUNTS, Workspace

NOT_YET = "not read yet"
STRANGE = "the inventory here is of another account"
FORGOTTEN = "not named any more; its workspace lies here"


class Accounts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`accounts.json`: which accounts, how to get into them, and why some of them are not ready.

    It holds no credentials; an external id is none (AWS, *How to use an external ID*).
    """

    role: str  # its name, in each of them
    external_id: str = ""
    accounts: Mapping[AccountId, str]  # names by id
    left_out: Mapping[AccountId, str] = {}  # not active in the organization, or not named any more: which
    missing: Mapping[AccountId, str] = {}  # without a whole inventory: why
    kind: Literal["accounts"] = "accounts"
    version: Literal[1] = 1

    def with_read(self, account: str, why: str) -> Accounts:
        """After one was read; `why` is empty if all of it was."""
        missing = {key: told for key, told in self.missing.items() if key != account}
        return structs.replace(self, missing={**missing, account: why} if why else missing)


class Folder:
    """A folder of workspaces, `DIR/111122223333/`; `DIR/decisions.yaml` answers for all of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / ACCOUNTS

    def workspace(self, account: str) -> Workspace:
        """The workspace of one account."""
        return Workspace(self.path / account)

    def read(self) -> Accounts:
        """What is known of the accounts; whose inventory somebody removed is missing. Raises BadInput."""
        found = read_json(self.file, Accounts, hint="run `secmigrate inventory --accounts FILE --role NAME` again")
        gone = {one: NOT_YET for one in found.accounts if not self.workspace(one).inventory.exists()}
        known = {one: why for one, why in found.missing.items() if one in found.accounts}
        return structs.replace(found, missing={**gone, **known})

    def others(self, named: Collection[str]) -> dict[str, str]:
        """Accounts whose workspaces lie here and that are not named, and what to say of them."""
        there = (path.parent.name for path in self.path.glob("[0-9]*/inventory.json"))
        return {one: FORGOTTEN for one in sorted(there) if re.fullmatch("[0-9]{12}", one) and one not in named}

    def write(self, accounts: Accounts) -> None:
        """Keeps what is known."""
        write_json(self.file, accounts)

    def check_new(self) -> None:
        """Raises BadInput if the folder is the workspace of a single account."""
        single = Workspace(self.path)
        if single.inventory.exists() and not self.file.exists():
            raise BadInput(
                "this is the workspace of one account", where=str(self.path), hint="another folder: -w accounts"
            )

    def snapshot(self, account: str) -> Snapshot | None:
        """The inventory of one account; None if there is none, or it is of another account than its folder says.
        Raises BadInput.
        """
        path = self.workspace(account).inventory
        found = read_snapshot(path) if path.exists() else None
        return found if found and found.account == account else None

    def flaw(self, account: str) -> str:
        """Why the inventory of an account cannot be gone by; empty if it can."""
        try:
            return "" if self.snapshot(account) else STRANGE
        except BadInput as error:
            return " ".join(filter(None, (error.where, error.message)))
