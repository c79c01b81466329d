"""Reports on last use, as IAM makes them: asked for, made in the background, fetched in pages.

moto has no such calls. What the reports say is given to the twin; without it, nobody used anything. A service that is
allowed by nothing but a wildcard (`*`) is in a report only if the given usage tells of it; AWS lists all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

from secmigrate.iam import Document, Principal, ServiceUse, Snapshot, Usage, User
from secmigrate.twin import paging
from secmigrate.twin.account import Account
from secmigrate.twin.loading import dump
from secmigrate.twin.named import Params
from secmigrate.twin.paging import Markers, Row
from secmigrate.twin.refusal import Refusal

ASK, FETCH = "GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails"
_FIRST = ("IN_PROGRESS",)  # what a job answers before it is done


class Reports:
    """The jobs of one twin. Not safe for threads: the twin asks under its lock."""

    def __init__(self, usage: Usage | None) -> None:
        self._usage = usage
        self._jobs: dict[str, _Job] = {}

    def ask(self, account: Account, caller: str, params: Params) -> dict[str, Any]:
        """Begins a job. Only who did may fetch its report."""
        arn = params["Arn"]
        snapshot = dump(account)
        who = next((one for one in snapshot.principals() if snapshot.arn(one) == arn), None)
        if who is None:
            raise Refusal("NoSuchEntity", f"ARN {arn} does not exist.")
        job = str(UUID(int=len(self._jobs) + 1))
        by_action = params.get("Granularity") == "ACTION_LEVEL"
        self._jobs[job] = _Job(caller, account.now(), list(self._services(snapshot, who, arn, by_action)))
        return {"JobId": job}

    def fetch(self, account: Account, caller: str, params: Params, markers: Markers, page_size: int | None) -> Any:
        """The job's state, and its report once it is there."""
        job = self._jobs.get(params["JobId"])
        if job is None or job.caller != caller:
            raise Refusal("NoSuchEntity", f"The job {params['JobId']} does not exist.")
        head = {"JobCreationDate": job.created, "JobType": "ACTION_LEVEL", "JobCompletionDate": account.now()}
        job.asked += 1
        if job.asked <= len(_FIRST):
            return {**head, "JobStatus": _FIRST[job.asked - 1], "ServicesLastAccessed": []}
        rows = [Row((0, row["ServiceNamespace"]), "ServicesLastAccessed", partial(dict, row)) for row in job.rows]
        found = paging.answer(markers, rows, FETCH, params, page_size)
        return {**head, "JobStatus": "COMPLETED", "ServicesLastAccessed": [], **found}

    def _services(self, snapshot: Snapshot, who: Principal, arn: str, by_action: bool) -> Iterator[dict[str, Any]]:
        """A row for each service that its permissions policies let it use."""
        told = self._usage.services.get(arn, {}) if self._usage else {}
        named = {prefix for document in _documents(snapshot, who) for prefix in _prefixes(document)}
        for prefix in sorted({*told, *named}):
            yield _row(prefix, told.get(prefix, ServiceUse()), arn, by_action)


class _Job:
    def __init__(self, caller: str, created: Any, rows: list[dict[str, Any]]) -> None:
        self.caller, self.created, self.rows = caller, created, rows
        self.asked = 0


def _documents(snapshot: Snapshot, who: Principal) -> Iterator[Document]:
    holders = [who, *(snapshot.groups[name] for name in who.groups)] if isinstance(who, User) else [who]
    for one in holders:
        yield from one.inline.values()
        yield from (snapshot.policies[policy].document for policy in one.attached)


def _prefixes(document: Document) -> Iterator[str]:
    for row in document.statements:
        actions = row.get("Action", []) if row.get("Effect") == "Allow" else []
        for action in [actions] if isinstance(actions, str) else actions:
            prefix, _, _ = str(action).lower().partition(":")
            if "*" not in prefix and "?" not in prefix:
                yield prefix


def _row(prefix: str, use: ServiceUse, arn: str, by_action: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"ServiceName": prefix, "ServiceNamespace": prefix, "TotalAuthenticatedEntities": 0}
    if use.last:
        row |= {"LastAuthenticated": _when(use.last), "LastAuthenticatedEntity": arn, "TotalAuthenticatedEntities": 1}
        row["LastAuthenticatedRegion"] = "us-east-1"
    if by_action and use.actions:
        row["TrackedActionsLastAccessed"] = [
            {"ActionName": name, **({"LastAccessedTime": _when(day), "LastAccessedEntity": arn} if day else {})}
            for name, day in sorted(use.actions.items())
        ]
    return row


def _when(day: str) -> str:
    return f"{day}T12:00:00Z"
