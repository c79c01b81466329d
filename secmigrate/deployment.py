"""What became of a stack: why it failed, by its events, and whether a test stack holds what is planned.

Sources: AWS, *Troubleshooting CloudFormation*, *Stack status codes*. The guide's query asks for CREATE_FAILED alone, in
which what was only cancelled stands beside the cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, structs

from secmigrate.diff import Diff, diff
from secmigrate.iam import Snapshot

STACK = "AWS::CloudFormation::Stack"
_CONSEQUENCE = re.compile(r"cancelled|The following resource\(s\) failed", re.IGNORECASE)
# What a reason says, and what to do about it; the first that fits counts.
_ADVICE: Sequence[tuple[str, str]] = (
    (
        r"already exists|AlreadyExists",
        "something of that name is in the account: `secmigrate diff`; rename or remove it, or take the entry out",
    ),
    (
        r"remove users from group",
        "people were added to the group outside of the stack: `tier` or `rollback` takes them out, then once more",
    ),
    (
        r"detach all policies|delete policies first|attached to entities|instance profile",
        "something was hung on it outside of the stack: take that away, then once more",
    ),
    (
        r"not authorized|AccessDenied|Forbidden",
        "the operator lacks a permission: `secmigrate provisioner export-iam-policy` writes the policy she needs",
    ),
    (
        r"LimitExceeded|quota|Cannot exceed|Maximum policy size",
        "a quota of IAM: ask AWS for more, or give the group fewer levels or policies (`secmigrate validate`)",
    ),
    (
        r"MalformedPolicy|Syntax errors in policy|Invalid principal",
        "a policy or a principal that IAM does not take: look at the entry in the config (`secmigrate validate`)",
    ),
    (
        r"NoSuchEntity|does not exist|not attachable",
        "it names something that is not there, such as a managed policy: look at the entry (`secmigrate validate`)",
    ),
    (
        r"S3 |TemplateURL|bucket",
        "the template could not be fetched: from medium up a bucket must exist for it, in the stack's region",
    ),
    (r"Throttling|Rate exceeded", "too much at once: deploy again in a few minutes"),
)
_ELSE = "look at the entry in the config, and at what the message names"


class StackEvent(Struct, frozen=True, kw_only=True):
    """One event of a stack."""

    at: str
    logical: str
    physical: str
    type: str
    status: str
    reason: str = ""


class Failure(Struct, frozen=True, kw_only=True):
    """A resource that failed, why, and what to do about it."""

    at: str
    logical: str
    name: str  # in IAM, or the logical id
    type: str
    status: str
    reason: str
    advice: str
    root: bool  # the first of its run: the others may be what came of it


class Standing(Struct, frozen=True, kw_only=True):
    """A stack as CloudFormation tells it."""

    name: str
    status: str
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is not what somebody wanted it to be."""
        return "FAILED" in self.status or "ROLLBACK" in self.status


def failures(events: Iterable[StackEvent]) -> tuple[Failure, ...]:
    """Why the last run of a stack failed, the cause first; what was only cancelled with it is left out. `events` are
    newest first, as CloudFormation gives them.
    """
    run = list(_last_run(events))
    found = [one for one in reversed(run) if one.status.endswith("_FAILED") and not _CONSEQUENCE.search(one.reason)]
    found = [one for one in found if one.type != STACK] or found
    return tuple(
        Failure(
            at=one.at,
            logical=one.logical,
            name=one.physical or one.logical,
            type=one.type,
            status=one.status,
            reason=one.reason,
            advice=advice(one.reason),
            root=n == 0,
        )
        for n, one in enumerate(found)
    )


def advice(reason: str) -> str:
    """What to do about a failure for that reason."""
    return next((what for pattern, what in _ADVICE if re.search(pattern, reason)), _ELSE)


def beside(stacks: Iterable[Standing], stem: str, own: str) -> tuple[Standing, ...]:
    """Stacks that a test deployment made: their names begin as the stack's do, and go on with a suffix (U)."""
    return tuple(sorted((one for one in stacks if one.name.startswith(stem) and one.name != own), key=lambda s: s.name))


def compared(held: Iterable[str], live: Snapshot, planned: Snapshot) -> Diff:
    """What a test stack holds (what IAM calls it) against the plan: whatever its suffix adds to the names."""
    found = Snapshot(account=live.account, partition=live.partition)
    for name in held:
        for there, wanted in ((live.groups.get(name), planned.groups), (live.roles.get(name), planned.roles)):
            if there is not None:
                found = found.put(structs.replace(there, name=_meant(name, wanted)))
    return diff(planned, found, ("groups", "roles"))


def _meant(name: str, wanted: Iterable[str]) -> str:
    """The planned name that a suffixed one stands for: the longest that it holds."""
    return max((one for one in wanted if one in name), key=len, default=name)


def _last_run(events: Iterable[StackEvent]) -> Iterator[StackEvent]:
    """The events since somebody last began something."""
    for one in events:
        yield one
        if one.type == STACK and one.status in ("CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            return
