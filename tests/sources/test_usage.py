"""Reports on last use, over HTTP."""

from __future__ import annotations

import pytest

from secmigrate.aws import Aws
from secmigrate.errors import AwsRefused
from secmigrate.iam import Group, Role, ServiceUse, Snapshot, Usage, User, keyed
from secmigrate.sources.usage import read_usage
from secmigrate.twin import Fault, Faults, Twin
from tests.small import ACCOUNT, allow, trust
from tests.twin.conftest import client, code_of

ACCOUNT_ROOT = f"arn:aws:iam::{ACCOUNT}"
SNAPSHOT = Snapshot(
    account=ACCOUNT,
    users=keyed([User(name="ana", groups=("devs",))]),
    groups=keyed([Group(name="devs", path="/team/", inline={"p": allow("s3:*", "sqs:SendMessage")})]),
    roles=keyed(Role(name=f"r{n}", trust=trust(), inline={"p": allow("ec2:*")}) for n in range(60)),
)
DEVS, ANA = f"{ACCOUNT_ROOT}:group/team/devs", f"{ACCOUNT_ROOT}:user/ana"
USE = {"s3": ServiceUse("2026-05-01", {"CreateBucket": "2026-04-01", "DeleteBucket": ""}), "sqs": ServiceUse()}
USAGE = Usage(account=ACCOUNT, at="2026-11-24T00:00:00Z", services={DEVS: USE})


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")


def read(twin: Twin, *arns: str) -> Usage:
    waits: list[float] = []
    aws = Aws(endpoint=twin.url)
    return read_usage(aws, ACCOUNT, "2026-11-24T00:00:00Z", arns, waits.append, lambda what, n: None)


@pytest.mark.parametrize("page_size", [None, 1])
def test_what_is_told_is_read(page_size: int | None) -> None:
    with Twin(SNAPSHOT, usage=USAGE, page_size=page_size) as twin:
        found = read(twin, DEVS, ANA)
    assert found.services == {DEVS: USE, ANA: {"s3": ServiceUse(), "sqs": ServiceUse()}}
    assert found.unknown == {}


def test_more_than_one_round_of_jobs() -> None:
    arns = [f"{ACCOUNT_ROOT}:role/r{n}" for n in range(60)]
    with Twin(SNAPSHOT) as twin:
        found = read(twin, *arns)
    assert list(found.services) == arns


def test_what_is_gone_is_unknown_and_the_others_are_read() -> None:
    with Twin(SNAPSHOT, usage=USAGE) as twin:
        found = read(twin, f"{ACCOUNT_ROOT}:group/gone", DEVS)
    assert set(found.services) == {DEVS}
    assert "does not exist" in found.unknown[f"{ACCOUNT_ROOT}:group/gone"]


@pytest.mark.parametrize("method", ["GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails"])
def test_who_may_not_ask_is_told_so(method: str) -> None:
    with (
        Twin(SNAPSHOT, faults=Faults(faults=(Fault(kind="deny", match=method),))) as twin,
        pytest.raises(AwsRefused, match="AccessDenied"),
    ):
        read(twin, DEVS)


def test_a_report_that_does_not_come_is_unknown() -> None:
    class Slow(Aws):
        def read(self, method: str, **params: object) -> dict[str, object]:
            return {"JobId": "1"}

        def pages(self, method: str, **params: object):  # type: ignore[no-untyped-def]
            yield (
                {"JobStatus": "IN_PROGRESS"}
                if self.state == "slow"
                else {
                    "JobStatus": "FAILED",
                    "Error": {"Message": "broken"},
                }
            )

        state = "slow"

    waits: list[float] = []
    aws = Slow()
    found = read_usage(aws, ACCOUNT, "2026-11-24T00:00:00Z", [DEVS], waits.append, lambda what, n: None)
    assert found.unknown == {DEVS: "no report after 120 seconds"}
    assert sum(waits) == 120
    aws.state = "failed"
    found = read_usage(aws, ACCOUNT, "2026-11-24T00:00:00Z", [DEVS], waits.append, lambda what, n: None)
    assert found.unknown == {DEVS: "broken"}


def test_the_twin_refuses_what_aws_refuses() -> None:
    with Twin(SNAPSHOT) as twin:
        iam = client(twin)
        job = iam.generate_service_last_accessed_details(Arn=DEVS)["JobId"]
        assert iam.get_service_last_accessed_details(JobId=job)["JobStatus"] == "IN_PROGRESS"
        report = iam.get_service_last_accessed_details(JobId=job, MaxItems=1)
        assert report["JobStatus"] == "COMPLETED"
        assert [row["ServiceNamespace"] for row in report["ServicesLastAccessed"]] == ["s3"]
        assert "TrackedActionsLastAccessed" not in report["ServicesLastAccessed"][0]
        unknown = f"{'0' * 8}-0000-0000-0000-{'9' * 12}"
        assert code_of(lambda: iam.get_service_last_accessed_details(JobId=unknown)) == "NoSuchEntity"
        assert code_of(lambda: iam.generate_service_last_accessed_details(Arn=DEVS + "x")) == "NoSuchEntity"
        assert code_of(lambda: iam.get_service_last_accessed_details(JobId=job, Marker="x")) == "ValidationError"
