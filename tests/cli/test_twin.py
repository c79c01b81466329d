"""`secmigrate twin`, as a process of its own that any AWS client can talk to."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from secmigrate.documents import read_snapshot, write_snapshot
from tests import small
from tests.cli.runs import PROGRAM, listing, run_alone

NO_RETRIES = Config(retries={"total_max_attempts": 1})


@contextlib.contextmanager
def served(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command at work, and the first line that it wrote."""
    with subprocess.Popen(
        [*PROGRAM, "twin", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().rstrip("\n")
        finally:
            process.kill()


def iam(url: str) -> Any:
    return boto3.client("iam", endpoint_url=url, region_name="us-east-1", config=NO_RETRIES)


@pytest.fixture
def account(empty: Path) -> Path:
    return write_snapshot(empty / "migration" / "inventory.json", small.account())


def test_it_serves_the_inventory_until_it_is_told_to_stop_and_leaves_what_became_of_it(account: Path) -> None:
    with served("--save", "after.json") as (process, url):
        assert url.startswith("http://127.0.0.1:")
        client = iam(url)
        assert [user["UserName"] for user in client.list_users()["Users"]] == ["ana", "bo"]
        client.add_user_to_group(GroupName="bare", UserName="bo")
        process.send_signal(signal.SIGTERM)
        rest, err = process.communicate(timeout=30)
        assert (process.returncode, rest, err) == (0, "", "")
    after = read_snapshot(Path("after.json"))
    assert after.users["bo"].groups == ("bare",)
    assert read_snapshot(account) == small.account()
    assert {path.name for path in Path().iterdir()} == {"migration", "after.json"}


def test_it_misbehaves_as_it_is_told(account: Path) -> None:
    Path("faults.json").write_text('{"faults": [{"match": "ListUsers", "kind": "deny", "after": 1}]}')
    with served("--from", str(account), "--faults", "faults.json") as (process, url):
        client = iam(url)
        client.list_users()
        with pytest.raises(ClientError, match="AccessDenied"):
            client.list_users()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_a_port_that_is_taken_is_said(account: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run_alone("twin", "--from", account, "--port", str(port), "--save", "after.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: cannot listen on port {port}: Address already in use")
    assert ran.err.endswith("\nhint: take another --port\n")
    assert list(listing(Path())) == ["migration", "migration/inventory.json"]


def test_json_of_the_snapshot_it_leaves_is_an_inventory(account: Path) -> None:
    with served("--from", str(account), "--save", "x/after.json") as (process, _):
        process.terminate()
        assert process.wait(30) == 0
    assert json.loads(Path("x/after.json").read_text())["kind"] == "snapshot"
    assert read_snapshot(Path("x/after.json")) == small.account()
