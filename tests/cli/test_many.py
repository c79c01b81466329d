"""Many accounts: read by a role, each into a workspace of its own; some fail, and only those are read again."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from secmigrate import documents
from secmigrate.documents import read_snapshot
from secmigrate.iam import Document, Group, Policy, Role, Snapshot, User
from secmigrate.twin import Fault, Faults, Member, Twin
from tests import small
from tests.cli.conftest import NAMES
from tests.cli.runs import PROGRAM, listing, run, run_alone
from tests.small import ACCOUNT, allow, trust

NUMBERS = [f"{n:03}122223333" for n in range(101, 110)]
DENIED, CLOSED_OUT, THROTTLED, HALF, HANGS_UP = NUMBERS[1], NUMBERS[3], NUMBERS[4], NUMBERS[6], NUMBERS[7]
SUSPENDED = "999988887777"
FAILING = {DENIED, CLOSED_OUT, THROTTLED, HALF, HANGS_UP}
FAULTS = (
    Fault(match="AssumeRole", kind="deny", account=CLOSED_OUT),
    Fault(match="[GL]*", kind="deny", account=DENIED),
    Fault(match="GetAccountAuthorizationDetails", kind="throttle", account=THROTTLED),
    Fault(match="ListRoles", kind="deny", account=HALF),
    Fault(match="AssumeRole", kind="drop-before", account=HANGS_UP),
)
SCHEMAS = Path(__file__).parents[2] / "schemas"
READER = Role(name="reader", path="/audit/", trust=trust())


def of(number: str) -> Snapshot:
    """An account like the others: the same group, a user of many, and one of its own."""
    arn = f"arn:aws:iam::{number}:policy/Data"
    things = (
        READER,
        Policy(arn=arn, document=allow("s3:GetObject", resource=f"arn:aws:s3:::data-{number}/*")),
        Group(name="data-guild", attached=(arn,)),
        User(name="ana.adler", groups=("data-guild",)),
        User(name=f"of-{number}", groups=("data-guild",)),
    )
    found = Snapshot(account=number)
    for thing in things:
        found = found.put(thing)
    return found


def many(*faults: Fault) -> Twin:
    members = [*(Member(of(number), f"n{number[:3]}") for number in NUMBERS), Member(of(SUSPENDED), "old", "SUSPENDED")]
    return Twin(small.account(), members=members, faults=Faults(faults=faults))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits, before a retry or for the pace."""
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.fixture
def folder(empty: Path) -> Path:
    return empty / "accounts"


def organization(twin: Twin, folder: Path, *more: str) -> Any:
    where = ("-w", folder, "--endpoint-url", twin.url)
    return run("inventory", "--organization", "--role", "audit/reader", *where, *more)


def ready(folder: Path) -> dict[str, Snapshot]:
    return {path.parent.name: read_snapshot(path) for path in sorted(folder.glob("*/inventory.json"))}


def test_ten_accounts_each_into_its_workspace_at_the_minimum_of_calls(folder: Path) -> None:
    with many() as twin:
        ran = organization(twin, folder, "--json")
        calls = Counter(twin.calls)
    assert ran.code == 0, ran.err
    assert ready(folder) == {ACCOUNT: small.account(), **{number: of(number) for number in NUMBERS}}
    assert calls["AssumeRole"] == 9
    assert calls["GetCallerIdentity"] == 2  # who am I, and once more for the caller's own account
    assert calls["ListAccounts"] == 1
    assert calls["GetAccountAuthorizationDetails"] == calls["ListRoles"] == calls["ListInstanceProfiles"] == 10
    told = ran.document
    assert (told["kind"], told["ready"], told["missing"]) == ("accounts-read", 10, {})
    assert told["left_out"] == {SUSPENDED: "old: SUSPENDED"}
    assert [row["account"] for row in told["accounts"]] == sorted([ACCOUNT, *NUMBERS])
    assert told["accounts"][0]["counts"]["users"] == 2
    assert {path.name for path in (folder / NUMBERS[0]).iterdir()} == {
        "inventory.json",
        "user-group-mappings.json",
        "user-group-mappings.txt",
    }


def test_those_that_fail_are_named_and_stop_nobody_and_resume_reads_only_them(folder: Path) -> None:
    with many(*FAULTS) as twin:
        ran = organization(twin, folder)
    assert ran.code == 1
    whole = {number: found for number, found in ready(folder).items() if not found.incomplete}
    assert whole.keys() == {ACCOUNT, *NUMBERS} - FAILING
    for number, word in {
        DENIED: "not authorized",
        CLOSED_OUT: "sts:AssumeRole",
        THROTTLED: "Throttling",
        HALF: "iam:ListRoles",
        HANGS_UP: "sts:AssumeRole",
    }.items():
        (line,) = [line for line in ran.out.splitlines() if line.startswith(f"  {number}")]
        assert word in line, line
    assert "5 of 10 accounts are ready" in ran.out
    assert f"secmigrate resume -w {folder}" in ran.out
    before = {number: listing(folder / number) for number in whole}
    with many(FAULTS[0]) as twin:
        ran = run("resume", "-w", folder, "--endpoint-url", twin.url, "--json")
        assert Counter(twin.calls)["AssumeRole"] == len(FAILING)
        assert "ListAccounts" not in twin.calls
    assert ran.code == 1
    assert ran.document["missing"].keys() == {CLOSED_OUT}
    assert [row["account"] for row in ran.document["accounts"]] == sorted(FAILING)
    assert {number: listing(folder / number) for number in whole} == before
    with many() as twin:
        assert run("resume", "-w", folder, "--endpoint-url", twin.url).code == 0
        calls = Counter(twin.calls)
        assert calls["AssumeRole"] == calls["ListRoles"] == 1
    assert ready(folder) == {ACCOUNT: small.account(), **{number: of(number) for number in NUMBERS}}
    with many() as twin:
        assert run("resume", "-w", folder, "--endpoint-url", twin.url).code == 0
        assert set(twin.calls) == {"GetCallerIdentity"}


def test_what_somebody_removed_is_missing_and_what_was_not_come_to_is_too(folder: Path) -> None:
    with many() as twin:
        organization(twin, folder)
    (folder / NUMBERS[2] / "inventory.json").unlink()
    known = json.loads((folder / "accounts.json").read_bytes())
    known["missing"] = {NUMBERS[5]: "not read yet"}  # as after a power cut
    (folder / "accounts.json").write_text(json.dumps(known))
    with many() as twin:
        ran = run("resume", "-w", folder, "--endpoint-url", twin.url, "--json")
    assert ran.code == 0
    assert [row["account"] for row in ran.document["accounts"]] == [NUMBERS[2], NUMBERS[5]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_has_lost_nothing(folder: Path, number: signal.Signals) -> None:
    slow = Fault(match="ListRoles", kind="latency", seconds=0.1)
    with many(slow) as twin:
        words = ("--role", "audit/reader", "-w", folder, "--at-once", "2", "--endpoint-url", twin.url)
        with subprocess.Popen(
            [*PROGRAM, "inventory", "--organization", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            while len(ready(folder)) < 2:
                assert process.poll() is None
            process.send_signal(number)
            process.communicate(timeout=60)
        assert process.returncode == (1 if number == signal.SIGINT else -number)
        there = ready(folder)
        assert 2 <= len(there) < 10
        before = twin.calls.count("ListRoles")
        assert run("resume", "-w", folder, "--endpoint-url", twin.url).code == 0
        again = twin.calls.count("ListRoles") - before
    assert 10 - len(there) <= again <= 10 - len(there) + (0 if number == signal.SIGINT else 2)
    assert ready(folder) == {ACCOUNT: small.account(), **{number: of(number) for number in NUMBERS}}


def test_it_says_nothing_but_what_it_should(folder: Path) -> None:
    """botocore's own warnings, with their tracebacks, stay away from people."""
    with many(FAULTS[1], FAULTS[3]) as twin:
        words = ("-w", folder, "--endpoint-url", twin.url)
        ran = run_alone("inventory", "--organization", "--role", "audit/reader", *words)
    assert ran.code == 1
    assert ran.err == "reading 10 accounts …\n"
    assert "Traceback" not in ran.out


def test_a_file_names_them_and_the_inventory_is_taken_anew(empty: Path, folder: Path) -> None:
    (empty / "list.txt").write_text(f"{NUMBERS[0]} Data\n{ACCOUNT}\n")
    words = ("inventory", "--accounts", "list.txt", "--role", "audit/reader", "-w", folder, "--at-once", "1")
    with many() as twin:
        run(*words, "--endpoint-url", twin.url)
        ran = run(*words, "--endpoint-url", twin.url)
        assert ran.code == 0, ran.err
        assert Counter(twin.calls)["ListRoles"] == 4
    assert ready(folder).keys() == {NUMBERS[0], ACCOUNT}
    assert f"{NUMBERS[0]} Data: 2 users, 1 groups" in ran.out


def test_the_external_id_is_kept_and_no_credentials_are(empty: Path, folder: Path) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "apple-7"}}
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", "Condition": condition}
    asking = of(NUMBERS[0]).put(structs.replace(READER, trust=Document({"Statement": [statement]})))
    (empty / "list.txt").write_text(NUMBERS[0])
    words = ("inventory", "--accounts", "list.txt", "--role", "audit/reader", "-w", folder)
    with Twin(small.account(), members=[Member(asking)]) as twin:
        ran = run(*words, "--endpoint-url", twin.url)
        assert ran.code == 1
        assert "AccessDenied" in ran.out
        assert run(*words, "--external-id", "apple-7", "--endpoint-url", twin.url).code == 0
        (folder / NUMBERS[0] / "inventory.json").unlink()
        assert run("resume", "-w", folder, "--endpoint-url", twin.url).code == 0
    schema = Draft202012Validator(json.loads((SCHEMAS / "accounts.schema.json").read_bytes()))
    assert list(schema.iter_errors(json.loads((folder / "accounts.json").read_bytes()))) == []
    for name, data in listing(empty).items():
        assert not re.search(rb"ASIA[A-Z0-9]{8}|invented", data or b""), name
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.json")} == {0o600}


def test_an_inventory_that_must_stay_as_it_is_stays_and_is_named(folder: Path) -> None:
    with many() as twin:
        organization(twin, folder)
    other = folder / NUMBERS[0] / "inventory.json"
    other.write_bytes((folder / NUMBERS[1] / "inventory.json").read_bytes())
    with many() as twin:
        ran = organization(twin, folder)
    assert ran.code == 1
    assert f"the inventory here is of account {NUMBERS[1]}" in ran.out
    assert read_snapshot(other).account == NUMBERS[1]


WRONG = {
    "--role reader": "--accounts FILE or --organization",
    "--external-id xy": "--accounts FILE or --organization",
    "--organization": "--role NAME",
    "--organization --accounts list.txt --role r": "one of the two",
    "--organization --role r --from live": "leave it out",
    "--organization --role arn:aws:iam::111122223333:role/r": "is no name of a role",
    "--organization --role r --external-id x": "no external id",
    "--accounts nowhere.txt --role r": "cannot be read",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_does_not_go_together_is_said_before_anything_is_asked(empty: Path, words: str) -> None:
    ran = run("inventory", *words.split(), "--endpoint-url", "http://127.0.0.1:1")
    assert ran.code == 2, ran
    assert WRONG[words] in ran.err
    assert list(empty.iterdir()) == []


def test_one_folder_is_not_both(empty: Path, folder: Path) -> None:
    with many() as twin:
        assert run("inventory", "-w", "one", "--endpoint-url", twin.url).code == 0
        ran = organization(twin, empty / "one")
        assert (ran.code, "workspace of one account" in ran.err) == (2, True)
        assert organization(twin, folder).code == 0
        ran = run("inventory", "-w", folder, "--endpoint-url", twin.url)
        assert (ran.code, f"-w {folder}/ACCOUNT" in ran.err) == (2, True), ran
        assert not (folder / "inventory.json").exists()
    ran = run("map", *NAMES, "-w", folder)
    assert ran.code == 2
    assert f"-w {folder}/ACCOUNT" in ran.err


def test_what_resume_calls_ready_is_ready(folder: Path) -> None:
    with many() as twin:
        organization(twin, folder)
        (folder / NUMBERS[0] / "inventory.json").write_text("{")
        (folder / NUMBERS[1] / "inventory.json").write_bytes((folder / NUMBERS[2] / "inventory.json").read_bytes())
        ran = run("resume", "-w", folder, "--endpoint-url", twin.url, "--json")
    assert (ran.code, ran.document["ready"]) == (1, 8)
    assert ran.document["missing"].keys() == {*NUMBERS[:2]}
    rows = run("status", "-w", folder, "--json").document["accounts"]
    assert {row["account"] for row in rows if not row["ready"]} == {*NUMBERS[:2]}


def test_an_account_that_somebody_took_out_is_asked_no_more(folder: Path) -> None:
    with many(FAULTS[1]) as twin:
        organization(twin, folder)
        known = json.loads((folder / "accounts.json").read_bytes())
        del known["accounts"][DENIED]
        (folder / "accounts.json").write_text(json.dumps(known))
        ran = run("resume", "-w", folder, "--endpoint-url", twin.url, "--json")
    assert (ran.code, ran.document["missing"], ran.document["ready"]) == (0, {}, 9)


def test_workspaces_that_a_new_list_does_not_name_are_told(empty: Path, folder: Path) -> None:
    (empty / "list.txt").write_text(NUMBERS[0])
    with many() as twin:
        organization(twin, folder)
        words = ("--accounts", "list.txt", "--role", "audit/reader", "-w", folder, "--endpoint-url", twin.url)
        ran = run("inventory", *words, "--json")
    assert ran.code == 0
    assert ran.document["left_out"].keys() == {ACCOUNT, *NUMBERS[1:]}
    assert "its workspace lies here" in ran.document["left_out"][ACCOUNT]
    assert f"left out: {ACCOUNT} not named any more" in run("status", "-w", folder).out


def test_who_may_not_list_the_organization_is_told(folder: Path) -> None:
    fault = Fault(match="ListAccounts", kind="error", code="AccessDeniedException", status=400)
    with many(fault) as twin:
        ran = organization(twin, folder)
    assert ran.code == 1
    assert "--accounts FILE" in ran.err
    assert not folder.exists()


def test_status_tells_where_all_stand_and_what_they_have_in_common(folder: Path) -> None:
    with many(*FAULTS) as twin:
        organization(twin, folder)
    ran, same = run("status", "-w", folder, "--json"), run("status", "-w", folder, "--json")
    assert ran == same
    told = ran.document
    assert {row["account"] for row in told["accounts"] if row["ready"]} == {ACCOUNT, *NUMBERS} - FAILING
    first = next(row for row in told["accounts"] if row["account"] == NUMBERS[0])
    assert [step["state"] for step in first["steps"]][:2] == ["done", "next"]
    assert told["users"]["ana.adler"] == sorted({*NUMBERS} - {DENIED, CLOSED_OUT, THROTTLED, HANGS_UP})
    told_in_words = run("status", "-w", folder).out
    assert f"{folder}: 5 of 10 accounts are ready" in told_in_words
    assert f"left out: {SUSPENDED} old: SUSPENDED" in told_in_words
    assert f"  {NUMBERS[0]} n101: next: map" in told_in_words
    assert f"{DENIED} n102: not ready: incomplete: " in told_in_words


def test_one_answer_serves_all_accounts_but_those_that_say_otherwise(folder: Path) -> None:
    with many() as twin:
        organization(twin, folder)
    for number in NUMBERS[:2]:
        assert _group(folder / number)["outcome"] == "unmapped"
    (cluster,) = run("status", "-w", folder, "--json").document["clusters"]
    assert cluster["groups"] == {"data-guild": NUMBERS}
    assert cluster["undecided"] == {"data-guild": NUMBERS[:2]}
    assert cluster["answered"] == []
    (folder / "decisions.yaml").write_text("groups:\n  data-guild: {become: data_scientists}\n  gone: {leave: x}\n")
    (folder / NUMBERS[1] / "decisions.yaml").write_text("groups:\n  data-guild: {leave: their own}\n")
    assert _group(folder / NUMBERS[1])["outcome"] == "left-out"
    ran = run("map", *NAMES, "-w", folder / NUMBERS[0])
    assert "data-guild" in ran.out
    assert "gone" not in ran.out
    assert "data_scientists" in (folder / NUMBERS[0] / "mapping.json").read_text()
    (cluster,) = run("status", "-w", folder, "--json").document["clusters"]
    assert cluster["answered"] == ["data-guild"]
    assert "data-guild: " in run("status", "-w", folder).out


def test_a_decisions_file_beside_a_single_workspace_counts_for_nothing(empty: Path) -> None:
    (empty / "decisions.yaml").write_text("groups:\n  data-guild: {become: data_scientists}\n")
    documents.write_snapshot(empty / "migration" / "inventory.json", of(NUMBERS[0]))
    assert _group(empty / "migration")["outcome"] == "unmapped"


def _group(space: Path) -> dict[str, Any]:
    ran = run("map", *NAMES, "-w", space, "--json")
    assert ran.code == 0, ran.err
    (group,) = [row for row in ran.document["groups"] if row["name"] == "data-guild"]
    assert isinstance(group, dict)
    return group
