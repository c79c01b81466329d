"""AWS's reports on last use: one job for each user, group or role.

AWS, *GenerateServiceLastAccessedDetails*, *GetServiceLastAccessedDetails*: the report is made in the background, and
only who asked for it may fetch it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from secmigrate.aws import Aws, AwsRefused
from secmigrate.errors import Failed
from secmigrate.iam import ServiceUse, Usage
from secmigrate.sources.live import Progress

_AT_ONCE = 50  # jobs under way, so that AWS works on them while we ask for others
_PATIENCE = 120.0  # seconds for one report
_PAUSE = 0.5
_GONE = frozenset({"NoSuchEntity", "InvalidInput", "ValidationError"})  # of this entity; anything else is of us all


def read_usage(
    aws: Aws, account: str, at: str, arns: Sequence[str], pause: Callable[[float], None], progress: Progress
) -> Usage:
    """Who used what, of these users, groups and roles; `pause` waits so many seconds.

    What AWS has no report for is `unknown`. Raises AwsRefused if the reports may not be asked for, and AwsSilent.
    """
    services: dict[str, dict[str, ServiceUse]] = {}
    unknown: dict[str, str] = {}
    for start in range(0, len(arns), _AT_ONCE):
        jobs: dict[str, str] = {}
        for arn in arns[start : start + _AT_ONCE]:
            try:
                answer = aws.read("GenerateServiceLastAccessedDetails", Arn=arn, Granularity="ACTION_LEVEL")
                jobs[arn] = answer["JobId"]
            except AwsRefused as error:
                unknown[arn] = _why(error)
        for arn, job in jobs.items():
            try:
                services[arn] = dict(_service(row) for row in _report(aws, job, pause))
            except AwsRefused as error:
                unknown[arn] = _why(error)
            except _NoReport as error:
                unknown[arn] = error.message
            progress("reports on last use", len(services) + len(unknown))
    return Usage(account=account, at=at, services=services, unknown=unknown)


class _NoReport(Failed):
    """AWS could not make this one."""


def _why(error: AwsRefused) -> str:
    if error.code not in _GONE:
        raise error
    return error.message


def _report(aws: Aws, job: str, pause: Callable[[float], None]) -> Iterator[Any]:
    """The rows of a report, once it is there."""
    waited = 0.0
    while True:
        pages = aws.pages("GetServiceLastAccessedDetails", JobId=job)
        first = next(pages)
        if first["JobStatus"] == "COMPLETED":
            yield from first["ServicesLastAccessed"]
            for page in pages:
                yield from page["ServicesLastAccessed"]
            return
        if first["JobStatus"] == "FAILED":
            raise _NoReport(first.get("Error", {}).get("Message", "AWS could not make the report"))
        if waited >= _PATIENCE:
            raise _NoReport(f"no report after {_PATIENCE:.0f} seconds")
        pause(_PAUSE)
        waited += _PAUSE


def _service(row: Any) -> tuple[str, ServiceUse]:
    actions = {
        one["ActionName"]: _day(one.get("LastAccessedTime")) for one in row.get("TrackedActionsLastAccessed", ())
    }
    return row["ServiceNamespace"], ServiceUse(last=_day(row.get("LastAuthenticated")), actions=actions)


def _day(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%d") if when else ""
