"""AWS's reports on last use: one job for each user, group or role.

AWS, *GenerateServiceLastAccessedDetails*, *GetServiceLastAccessedDetails*: the report is made in the background, and
only who asked for it may fetch it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from secmigrate.errors import AwsRefused, Failed
from secmigrate.iam import ServiceUse, Usage
from secmigrate.sources.live import Progress

if TYPE_CHECKING:
    from secmigrate.aws import Aws

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
        for arn, told in _reports(aws, jobs, pause):
            if isinstance(told, str):
                unknown[arn] = told
            else:
                services[arn] = dict(map(_service, told))
            progress("reports on last use", len(services) + len(unknown))
    return Usage(account=account, at=at, services=services, unknown=unknown)


class _NoReport(Failed):
    """AWS could not make this one."""


def _why(error: AwsRefused) -> str:
    if error.code not in _GONE:
        raise error
    return error.message


def _reports(aws: Aws, jobs: dict[str, str], pause: Callable[[float], None]) -> Iterator[tuple[str, list[Any] | str]]:
    """The rows of each report as soon as it is there, or why there is none. All are waited for together."""
    waited = 0.0
    while jobs:
        for arn, job in list(jobs.items()):
            told: list[Any] | str | None
            try:
                told = _report(aws, job)
            except AwsRefused as error:
                told = _why(error)
            except _NoReport as error:
                told = error.message
            if told is None and waited >= _PATIENCE:
                told = f"no report after {_PATIENCE:.0f} seconds"
            if told is not None:
                del jobs[arn]
                yield arn, told
        if jobs:
            pause(_PAUSE)
            waited += _PAUSE


def _report(aws: Aws, job: str) -> list[Any] | None:
    """The rows of a report, or None while AWS is making it. Raises _NoReport if AWS could not."""
    pages = aws.pages("GetServiceLastAccessedDetails", JobId=job)
    first = next(pages)
    if first["JobStatus"] == "FAILED":
        raise _NoReport(first.get("Error", {}).get("Message", "AWS could not make the report"))
    if first["JobStatus"] != "COMPLETED":
        return None
    return [row for page in (first, *pages) for row in page["ServicesLastAccessed"]]


def _service(row: Any) -> tuple[str, ServiceUse]:
    actions = {
        one["ActionName"]: _day(one.get("LastAccessedTime")) for one in row.get("TrackedActionsLastAccessed", ())
    }
    return row["ServiceNamespace"], ServiceUse(last=_day(row.get("LastAuthenticated")), actions=actions)


def _day(when: datetime | None) -> str:
    return when.strftime("%Y-%m-%d") if when else ""
