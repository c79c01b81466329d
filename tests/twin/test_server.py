"""The server: several twins, many threads, no noise, and errors that a client can read."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from moto.core.responses import BaseResponse
from moto.iam import models, responses

from secmigrate.errors import BadInput, Failed
from secmigrate.iam import Group, Snapshot, User
from secmigrate.twin import Twin, catalogue, entities
from secmigrate.twin.account import Account
from secmigrate.twin.calls import CALLS
from secmigrate.twin.lists import LISTS
from tests.small import account
from tests.twin.conftest import ACCOUNT, client, code_of

DATA = Path(__file__).parents[2] / "mappings" / "aws-managed-policies.json.xz"
NOBODY = Snapshot(account=ACCOUNT)


def test_twins_know_nothing_of_each_other() -> None:
    with Twin(NOBODY) as one, Twin(Snapshot(account="999988887777")) as two:
        client(one).create_group(GroupName="g")
        client(one).create_user(UserName="u", Tags=[{"Key": "k", "Value": "v"}])
        assert client(two).list_groups()["Groups"] == []
        assert two.snapshot() == Snapshot(account="999988887777")
        assert client(two, "sts").get_caller_identity()["Account"] == "999988887777"


def test_many_at_once_are_served_one_after_the_other() -> None:
    users = {name: User(name=name) for name in (f"u{number}" for number in range(20))}
    with Twin(Snapshot(account=ACCOUNT, users=users, groups={"g": Group(name="g")})) as twin:
        api = client(twin)

        def join(name: str) -> None:
            api.add_user_to_group(GroupName="g", UserName=name)
            api.create_group(GroupName=f"of-{name}")
            api.add_user_to_group(GroupName=f"of-{name}", UserName=name)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(join, users))
        found = twin.snapshot()
        assert {user.groups for user in found.users.values()} == {("g", f"of-{name}") for name in users}
        assert len(twin.calls) == 60


def test_of_two_that_want_one_name_one_gets_it() -> None:
    with Twin(NOBODY) as twin:
        api, start = client(twin), threading.Barrier(4)

        def create(name: str) -> str:
            start.wait()
            return code_of(lambda: api.create_group(GroupName=name))

        with ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(create, ["admins", "Admins", "ADMINS", "aDmins"]))
    assert sorted(codes) == ["", *["EntityAlreadyExists"] * 3]


def test_it_stops_and_starts_again_where_it_was() -> None:
    twin = Twin(NOBODY)
    twin.stop()  # not started: nothing to do
    with twin:
        url = twin.url
        client(twin).create_group(GroupName="g")
    before = threading.active_count()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=1)
    assert set(twin.snapshot().groups) == {"g"}
    with twin:
        assert twin.url == url
        assert len(client(twin).list_groups()["Groups"]) == 1
    assert threading.active_count() <= before


def test_a_port_that_is_taken_is_an_error_that_one_can_read() -> None:
    with Twin(NOBODY) as twin, pytest.raises(Failed, match="cannot listen on port"):
        Twin(NOBODY, port=int(twin.url.rsplit(":", 1)[1])).start()


def test_it_prints_nothing(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "werkzeug"), Twin(NOBODY) as twin:
        client(twin).create_group(GroupName="g")
        code_of(lambda: client(twin).create_group(GroupName="g"))
        code_of(client(twin).generate_organizations_access_report)
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.name == "werkzeug"] == []


def raw(twin: Twin, body: str) -> str:
    port = int(twin.url.rsplit(":", 1)[1])
    head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        return b"".join(iter(lambda: wire.recv(65536), b"")).decode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (
            "Action=SimulateCustomPolicy&Version=2010-05-08&PolicyInputList.member.1=x&ActionNames.member.1=a:b",
            501,
            "NotImplemented",
        ),
        (
            "Action=GenerateOrganizationsAccessReport&Version=2010-05-08&EntityPath=o-a1b2c3d4e5/r-f6g7",
            501,
            "NotImplemented",
        ),
        ("Action=GetSessionToken&Version=2011-06-15", 501, "NotImplemented"),
        ("Action=Sing&Version=2010-05-08", 400, "InvalidAction"),
        ("", 400, "InvalidAction"),
        ("Action=CreateGroup&Version=2010-05-08", 400, "ValidationError"),
        ("Action=ListUsers&Version=2010-05-08&MaxItems=many", 400, "MalformedInput"),
        ("Action=GetGroup&Version=2010-05-08&GroupName=%3Cg%3E", 400, "ValidationError"),
        ("Action=GetGroup&Version=2010-05-08&GroupName=g", 404, "NoSuchEntity"),
        ("Action=DeleteGroup&Version=2010-05-08&GroupName=full", 409, "DeleteConflict"),
        ("Action=CreateGroup&Version=2010-05-08&GroupName=FULL", 409, "EntityAlreadyExists"),
    ],
)
def test_errors_are_xml_with_the_status_that_aws_gives(body: str, status: int, code: str) -> None:
    user = User(name="u", groups=("full",))
    with Twin(Snapshot(account=ACCOUNT, users={"u": user}, groups={"full": Group(name="full")})) as twin:
        answer = raw(twin, body)
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert f"<Code>{code}</Code>" in answer
    assert "text/xml" in answer


# The contract with moto --------------------------------------------------------------------------------------------


def test_moto_is_the_one_that_was_read() -> None:
    """The twin overrides and calls what no version promises to keep. Read moto's changes before you change this."""
    assert importlib.metadata.version("moto") == "5.2.5"


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (models.IAMBackend, ["_init_aws_policies", "create_role", "delete_role", "update_user", "delete_user"]),
        (models.IAMBackend, ["update_group", "update_assume_role_policy", "delete_service_linked_role"]),
        (models.IAMBackend, ["add_role_to_instance_profile", "remove_role_from_instance_profile", "create_role"]),
        (responses.IamResponse, ["setup_class", "serialized", "get_current_account", "backend"]),
        (BaseResponse, ["setup_class", "serialized", "get_current_account", "_get_action"]),
    ],
)
def test_what_the_twin_overrides_or_calls_is_still_there(owner: type, names: list[str]) -> None:
    assert [name for name in names if not hasattr(owner, name)] == []


def test_the_state_that_the_twin_fills_by_itself_is_still_there() -> None:
    bare = Account(ACCOUNT, "aws")
    for room in ("users", "groups", "roles", "managed_policies", "instance_profiles", "virtual_mfa_devices"):
        assert getattr(bare, room) == {}
    policy = entities.Policy("p", account_id=ACCOUNT, region="us-east-1", document="{}")
    assert {"versions", "next_version_num", "default_version_id", "update_date"} <= set(vars(policy))


def test_our_calls_are_calls_of_iam() -> None:
    from botocore.session import Session

    assert {*CALLS, *LISTS} <= set(Session().get_service_model("iam").operation_names)
    assert not set(CALLS) & set(LISTS)


def test_mocks_of_the_same_process_do_not_see_the_twin() -> None:
    with Twin(NOBODY) as twin:
        client(twin).create_group(GroupName="g")
        assert all(not backend.groups for backend in _global_backends())


def test_nothing_of_a_twin_outlives_it_in_moto() -> None:
    """moto keeps every instance of its models in lists of their classes, for a dashboard."""
    with Twin(account()) as twin:
        for kind, name in (("group", "Group"), ("user", "User")):
            getattr(client(twin), f"create_{kind}")(**{f"{name}Name": "made"})
        twin.snapshot()
    kinds: tuple[Any, ...] = (
        entities.User,
        entities.Group,
        entities.Role,
        entities.InstanceProfile,
        entities.Policy,
        entities.AWSPolicy,
    )
    assert [kind for kind in kinds if kind.instances_tracked] == []


def _global_backends() -> list[Any]:
    return [backend for partitions in models.iam_backends.values() for backend in partitions.values()]


# AWS's own policies ------------------------------------------------------------------------------------------------


def test_the_data_file_is_what_moto_bundles() -> None:
    """If this fails, moto has changed: make it anew, and look at what became of it."""
    assert catalogue.read(DATA.read_bytes()) == catalogue.read(catalogue.written())


def test_the_data_file_says_where_it_is_from() -> None:
    import lzma

    file = json.loads(lzma.decompress(DATA.read_bytes()))
    assert file["source"] == "moto 5.2.5"
    assert file["date"] == "2026-09-30"
    assert list(file["policies"]) == sorted(file["policies"])
    assert DATA.stat().st_size < 300_000


def test_the_data_file_is_for_every_partition() -> None:
    found = catalogue.read(DATA.read_bytes(), "aws-cn")
    policy = found["arn:aws-cn:iam::aws:policy/job-function/Billing"]
    assert (policy.name, policy.path, policy.is_aws) == ("Billing", "/job-function/", True)
    assert len(found) == 1582


def test_what_is_no_data_file_is_said() -> None:
    with pytest.raises(BadInput):
        catalogue.read(b"nonsense")


def test_it_is_written_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert catalogue.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_all_of_aws_policies_are_served() -> None:
    with Twin(NOBODY, aws_managed=catalogue.read(DATA.read_bytes())) as twin:
        found = [
            row
            for page in client(twin).get_paginator("list_policies").paginate(Scope="AWS")
            for row in page["Policies"]
        ]
        assert len(found) == 1582
        client(twin).create_group(GroupName="g")
        client(twin).attach_group_policy(GroupName="g", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        assert len(twin.snapshot().policies) == 1
