"""Files that hold an account: the cases of `saved/`, what the AWS CLI really prints, and what is neither."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.documents import read_snapshot, write_snapshot
from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot
from secmigrate.sources.saved import read_saved
from secmigrate.twin import Twin
from tests import small

CASES = Path(__file__).parent / "saved"
AWS_CLI = Path(sys.executable).with_name("aws")
LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
NOT_IN_DETAILS = "descriptions, session lengths, some tags"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_saved_account_is_read_as_expected(tmp_path: Path, case: str) -> None:
    found = read_saved(CASES / case / "input.json")
    expected = CASES / case / "expected.json"
    assert found == read_snapshot(expected)
    assert write_snapshot(tmp_path / "found.json", found).read_bytes() == expected.read_bytes()


def test_documents_may_be_url_encoded() -> None:
    """As the API sends them and some tools save them."""
    assert read_saved(CASES / "details" / "input.json") == read_saved(CASES / "url-encoded" / "input.json")


def told_by_details(snapshot: Snapshot) -> Snapshot:
    """What authorization details can tell of an account."""
    roles = {name: structs.replace(role, description="", max_session=3600) for name, role in snapshot.roles.items()}
    policies = {arn: structs.replace(policy, tags={}) for arn, policy in snapshot.policies.items()}
    held = {
        name: structs.replace(profile, tags={}) for name, profile in snapshot.instance_profiles.items() if profile.roles
    }
    return structs.replace(snapshot, roles=roles, policies=policies, instance_profiles=held)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `aws iam get-account-authorization-details` prints of the small account."""
    path = tmp_path_factory.mktemp("details") / "details.json"
    command = [
        *(sys.executable, str(AWS_CLI), "iam", "get-account-authorization-details", "--output", "json"),
        *("--filter", "User", "Role", "Group", "LocalManagedPolicy", "--region", "eu-west-1"),
    ]
    with (
        Twin(small.account(), aws_managed=documents.aws_managed(), page_size=3) as twin,
        pytest.MonkeyPatch.context() as patch,
        path.open("wb") as file,
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "invented")
        subprocess.run([*command, "--endpoint-url", twin.url], stdout=file, check=True, timeout=60)
    return path


def test_the_aws_cli_prints_what_we_read(printed: Path) -> None:
    found = read_saved(printed)
    assert [gap.what for gap in found.incomplete] == [NOT_IN_DETAILS]
    assert structs.replace(found, incomplete=()) == told_by_details(small.account())
    assert all(user.seen.id.startswith("AIDA") for user in found.users.values())
    assert all(user.seen.created.endswith("Z") for user in found.users.values())


@pytest.mark.parametrize("missing", LISTS)
@pytest.mark.parametrize("null", [True, False])
def test_a_list_that_is_missing_is_a_gap(tmp_path: Path, printed: Path, missing: str, null: bool) -> None:
    found = json.loads(printed.read_text())
    if null:
        found[missing] = None
    else:
        del found[missing]
    path = tmp_path / "details.json"
    path.write_text(json.dumps(found))
    assert missing in {gap.what for gap in read_saved(path).incomplete}


def test_a_policy_that_is_attached_and_missing_is_a_gap(tmp_path: Path, printed: Path) -> None:
    found = json.loads(printed.read_text())
    found["Policies"] = []
    path = tmp_path / "details.json"
    path.write_text(json.dumps(found))
    assert f"policy {small.POLICY}" in {gap.what for gap in read_saved(path).incomplete}


def _with(key: str, row: Any) -> str:
    arn = "arn:aws:iam::111122223333:user/u"
    return json.dumps({"UserDetailList": [{"UserName": "u", "Arn": arn}], key: [row]})


ROLE = {"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r", "AssumeRolePolicyDocument": {}}

WRONG: dict[str, tuple[str, str]] = {
    "a list": ("[]", "neither a snapshot nor"),
    "another thing": ('{"Users": []}', "neither a snapshot nor"),
    "our plan": ('{"kind": "plan"}', "neither a snapshot nor"),
    "half": ('{"UserDetailList": [', "truncated"),
    "no ARN": ('{"UserDetailList": []}', "no ARN in it names the account"),
    "a row that is none": (_with("GroupDetailList", "team"), "not as AWS writes it"),
    "rows that are none": ('{"GroupDetailList": "team"}', "not as AWS writes it"),
    "no name": (_with("GroupDetailList", {"GroupId": "A"}), "GroupName"),
    "a name that IAM does not allow": (_with("GroupDetailList", {"GroupName": "a\nb"}), "groups[0].name"),
    "a name that is a number": (_with("GroupDetailList", {"GroupName": 3}), "not as AWS writes it"),
    "a path that IAM does not allow": (_with("GroupDetailList", {"GroupName": "g", "Path": "x"}), "groups[0].path"),
    "one name twice": (
        json.dumps(
            {"UserDetailList": [{"UserName": name, "Arn": "arn:aws:iam::111122223333:user/x"} for name in ("a", "A")]}
        ),
        "one name to IAM",
    ),
    "a document that is none": (_with("RoleDetailList", {**ROLE, "AssumeRolePolicyDocument": "%7B"}), "not a policy"),
    "a document that is a number": (_with("RoleDetailList", {**ROLE, "AssumeRolePolicyDocument": 1}), "JSON object"),
    "an endless document": (
        _with("RoleDetailList", {**ROLE, "AssumeRolePolicyDocument": '{"a":' * 50_000 + "1" + "}" * 50_000}),
        "recursion",
    ),
    "nested without end": ('{"UserDetailList": ' + "[" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_account_is_said_with_the_file(tmp_path: Path, case: str) -> None:
    content, said = WRONG[case]
    path = tmp_path / "details.json"
    path.write_text(content)
    with pytest.raises(BadInput) as caught:
        read_saved(path)
    assert caught.value.where == f"{path}:1"
    assert said in caught.value.message
    assert caught.value.hint


def test_ten_times_as_many_odd_rows_take_about_ten_times_as_long(tmp_path: Path) -> None:
    def seconds(number: int) -> float:
        rows = [{**ROLE, "RoleName": f"r{n}"} for n in range(number)]
        rows += [{"RoleName": f"odd{n}", "Arn": f"arn:aws:iam::111122223333:role/odd{n}"} for n in range(number)]
        path = tmp_path / "details.json"
        path.write_text(json.dumps({"RoleDetailList": rows}))
        before = time.process_time()
        assert len(read_saved(path).incomplete) == number + 1 + 3
        return time.process_time() - before

    few = min(seconds(500) for _ in range(3))
    assert seconds(5_000) < 50 * few  # each with each would be a hundred times
