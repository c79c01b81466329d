"""`usage`, and `map --fit used` after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.iam import ServiceUse, Snapshot, Usage
from secmigrate.twin import Twin
from tests.cli.conftest import CONFIG, NAMES
from tests.cli.runs import run

GROUP = "data-science-team"
USED = {"s3": ServiceUse("2099-01-01"), "sagemaker": ServiceUse()}


@pytest.fixture
def told(example: Snapshot) -> Usage:
    arn = example.arn(example.groups[GROUP])
    return Usage(account=example.account, at="2026-11-24T00:00:00Z", services={arn: USED})


@pytest.fixture
def twin(example: Snapshot, told: Usage) -> Iterator[Twin]:
    with Twin(example, aws_managed=documents.aws_managed(), usage=told) as served:
        yield served


@pytest.fixture
def space(tmp_path: Path, example: Snapshot, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    folder = tmp_path / "m"
    documents.write_snapshot(folder / "inventory.json", example)
    assert run("map", *NAMES, "-w", folder).code == 0
    return folder


def levels(space: Path) -> object:
    found = documents.read_config(space / CONFIG)[0]
    return found.security.iam_groups["data_scientists"].policy_assignments


def test_levels_follow_use(space: Path, twin: Twin) -> None:
    before = levels(space)
    ran = run("usage", "--endpoint-url", twin.url, "-w", space)
    assert ran.code == 0, ran.err
    assert "last use of" in ran.out
    assert set(twin.calls) == {
        "GetCallerIdentity",
        "GenerateServiceLastAccessedDetails",
        "GetServiceLastAccessedDetails",
    }
    ran = run("map", "--fit", "used", "-w", space)
    assert ran.code == 0, ran.err
    assert "levels follow what was used since" in ran.out
    assert "sagemaker" not in str(levels(space))
    assert "nobody tried it since" in run("explain", GROUP, "-w", space).out
    lost = run("access", "-w", space)
    assert lost.code == 3
    ran = run("map", "-w", space)
    assert ran.code == 0
    assert "when it was --fit used: say so" in ran.out
    assert levels(space) == before


def test_only_what_matters_is_asked_about(space: Path, twin: Twin, example: Snapshot) -> None:
    run("usage", "--endpoint-url", twin.url, "-w", space)
    found = documents.read_json(space / "usage.json", Usage, hint="")
    kept = {example.arn(role) for role in example.roles.values() if role.keeper}
    assert not kept & set(found.services)
    assert {example.arn(group) for group in example.groups.values()} <= set(found.services)


def test_what_has_no_report_is_told(space: Path, example: Snapshot) -> None:
    without = structs.replace(example, groups={k: v for k, v in example.groups.items() if k != GROUP})
    users = {
        name: structs.replace(user, groups=tuple(one for one in user.groups if one != GROUP))
        for name, user in example.users.items()
    }
    with Twin(structs.replace(without, users=users), aws_managed=documents.aws_managed()) as twin:
        ran = run("usage", "--endpoint-url", twin.url, "-w", space, "--json")
    assert ran.code == 1
    assert ran.document["kind"] == "usage-reports"
    assert list(ran.document["unknown"]) == [example.arn(example.groups[GROUP])]


def test_another_account_is_refused(space: Path) -> None:
    with Twin(Snapshot(account="999988887777")) as twin:
        ran = run("usage", "--endpoint-url", twin.url, "-w", space)
    assert ran.code == 4
    assert "wrong-account" in ran.err
    assert not (space / "usage.json").exists()


def test_without_reports_there_is_no_fit_by_use(space: Path) -> None:
    ran = run("map", "--fit", "used", "-w", space)
    assert ran.code == 2
    assert "secmigrate usage" in ran.err
    ran = run("map", "--fit", "tight", "-w", space)
    assert ran.code == 2
    assert "cover, or used" in ran.err


def test_damaged_reports_are_bad_input(space: Path) -> None:
    (space / "usage.json").write_bytes(msgspec.json.encode({"kind": "usage", "version": 1, "account": "x"}))
    ran = run("map", "--fit", "used", "-w", space)
    assert ran.code == 2
    assert "usage.json" in ran.err
