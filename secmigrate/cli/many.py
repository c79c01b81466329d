"""Many accounts: reading them by a role, and reading what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from msgspec import structs

from secmigrate import documents
from secmigrate.accounts import NOT_YET, Accounts, Folder
from secmigrate.cli import account
from secmigrate.cli.out import Out, finish
from secmigrate.cli.stopping import stoppable
from secmigrate.errors import BadInput, SecmigrateError
from secmigrate.iam import Policy
from secmigrate.sources.live import read_live
from secmigrate.workspace import Workspace

if TYPE_CHECKING:
    from secmigrate.aws import Aws

_ROLE = re.compile(r"(?:[\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{1,64}", re.ASCII)  # with its path, as in its ARN
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)  # Source: botocore's model of AssumeRole


class Asked(NamedTuple):
    """Which accounts, and how to get into them, as the options say it."""

    list: Path | None
    organization: bool
    role: str | None
    external_id: str | None

    def many(self, where: object) -> bool:
        """Whether it is about many accounts. Raises BadInput for options that do not go together; `where` is --from."""
        if not (self.list or self.organization):
            if self.role or self.external_id:
                raise BadInput("no accounts to assume it in", where="--role", hint="--accounts FILE or --organization")
            return False
        if self.list and self.organization:
            raise BadInput("one of the two", where="--accounts and --organization")
        if where:
            raise BadInput("many accounts are always read live", where="--from", hint="leave it out")
        if not self.role:
            hint = "--role NAME: a role for reading that has that name in every account"
            raise BadInput("which role is to be assumed?", where="--role", hint=hint)
        if not _ROLE.fullmatch(self.role) or self.role.startswith("arn:"):
            raise BadInput(f"{self.role!r} is no name of a role", where="--role", hint="its name alone, or path/NAME")
        if self.external_id and not _EXTERNAL_ID.fullmatch(self.external_id):
            raise BadInput("no external id", where="--external-id", hint="2 to 1,224 of A-Z a-z 0-9 and _+=,.@:/-")
        return True


def check_single(folder: Path) -> None:
    """Raises BadInput if the folder holds the workspaces of many accounts, and so is none of a single one."""
    if are_here(folder):
        hint = f"choose one: -w {folder}/ACCOUNT; to read all of them anew, --accounts FILE or --organization"
        raise BadInput("many accounts lie here", where=str(folder), hint=hint)


def are_here(folder: Path) -> bool:
    """Whether the folder holds the workspaces of many accounts."""
    return Folder(folder).file.exists()


def read_new(asked: Asked, aws: Aws, folder: Path, out: Out, at_once: int) -> NoReturn:
    """Reads all accounts, each into a workspace of its own. Ends with 1 if some are not ready then."""
    here = Folder(folder)
    here.check_new()
    names, left_out = _chosen(asked, aws)
    found = Accounts(
        role=asked.role or "",
        external_id=asked.external_id or "",
        accounts=names,
        left_out={**here.others({*names, *left_out}), **left_out},
        missing=dict.fromkeys(names, NOT_YET),
    )
    with Workspace(folder).locked():
        here.write(found)
        _read(found, list(names), aws, here, out, at_once)


def go_on(aws: Aws, folder: Path, out: Out, at_once: int) -> NoReturn:
    """Reads what is missing. Ends with 1 if some accounts are not ready then."""
    here = Folder(folder)
    with Workspace(folder).locked():
        found = here.read()
        flawed = {one: why for one in found.accounts if one not in found.missing and (why := here.flaw(one))}
        found = structs.replace(found, missing={**found.missing, **flawed})
        _read(found, sorted(found.missing), aws, here, out, at_once)


def _chosen(asked: Asked, aws: Aws) -> tuple[dict[str, str], dict[str, str]]:
    """Names by account id, and why others of the organization are left out."""
    if asked.list:
        return documents.read_accounts(asked.list), {}
    listed = sorted(aws.organization())
    named = {one.account: one.name for one in listed}
    left_out = {one.account: f"{named[one.account]}: {one.state}" for one in listed if one.state != "ACTIVE"}
    return {one: name for one, name in named.items() if one not in left_out}, left_out


def _read(accounts: Accounts, which: list[str], aws: Aws, here: Folder, out: Out, at_once: int) -> NoReturn:
    """Reads these accounts, and keeps after each what is still missing."""
    own, arn = aws.identity()
    role = f"arn:{arn.split(':')[1]}:iam::{{}}:role/{accounts.role}"
    known = documents.aws_managed()
    rows: dict[str, dict[str, Any]] = {}
    with stoppable() as halted, out.progress(f"reading {len(which)} accounts", total=len(which)) as progress:

        def one(number: str) -> tuple[Mapping[str, int], str]:
            if halted():
                return {}, NOT_YET
            there = aws if number == own else aws.assuming(role.format(number), accounts.external_id)
            return _read_one(there, here.workspace(number), known)

        with ThreadPoolExecutor(at_once) as pool:
            begun = {pool.submit(one, number): number for number in which}
            for n, done in enumerate(as_completed(begun), 1):
                number, (counts, why) = begun.pop(done), done.result()
                rows[number] = {"account": number, "name": accounts.accounts[number], "counts": counts, "why": why}
                accounts = accounts.with_read(number, why)
                here.write(accounts)
                progress(number, n)
    _tell(accounts, [rows[number] for number in sorted(rows)], here, out)


def _read_one(aws: Aws, space: Workspace, known: Mapping[str, Policy]) -> tuple[Mapping[str, int], str]:
    """What one account holds, and why it is not ready; empty if it is."""
    try:
        snapshot = read_live(aws, known)
        with space.locked():
            account.keep(space, snapshot)
    except SecmigrateError as error:
        return {}, ": ".join(filter(None, (error.where, error.message)))
    gaps = "; ".join(f"{gap.what}: {gap.why}" for gap in snapshot.incomplete)
    return account.counts(snapshot), f"incomplete: {gaps}" if gaps else ""


def _tell(accounts: Accounts, rows: list[dict[str, Any]], here: Folder, out: Out) -> NoReturn:
    for row in rows:
        told = ", ".join(f"{n} {what}" for what, n in row["counts"].items())
        ready = f"{told or 'nothing read'}{' – ' if row['why'] else ''}{row['why']}"
        out.say(f"  {row['account']} {row['name']}: {ready}" if row["name"] else f"  {row['account']}: {ready}")
    out.say(*(f"  left out: {number} {why}" for number, why in accounts.left_out.items()))
    ready_ones = len(accounts.accounts) - len(accounts.missing)
    out.say(f"{ready_ones} of {len(accounts.accounts)} accounts are ready; wrote {here.file}")
    more = {"left_out": accounts.left_out, "missing": accounts.missing}
    out.document("accounts-read", {"accounts": rows, "ready": ready_ones, **more})
    if accounts.missing:
        out.say(f"{len(accounts.missing)} are not; to read only these: secmigrate resume {Workspace(here.path).option}")
    finish(1 if accounts.missing else 0)
