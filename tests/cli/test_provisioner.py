"""The vendor's container: its command line by the guide, and runs of a stand-in `docker` that notes its words."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.cli import account
from secmigrate.iam import Group, Role, Seen, Snapshot
from secmigrate.provisioner import ACTIONS
from secmigrate.twin import Twin
from tests.cli.conftest import CONFIG
from tests.cli.runs import run, run_alone
from tests.small import trust

NAME = Path(CONFIG).name
STEM = "lumen-prod-a001-eu-central-1-enterprise-sec"
IMAGE = "sec-provisioner:enterprise-12"
CONFIRMED = ("--run", "--confirm-account", "111122223333")


class Docker:
    """The stand-in on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("docker.py"), folder / "docker")
        (folder / "docker").chmod(0o755)

    def behaves(self, **how: Any) -> None:
        (self.folder / "behaviour.json").write_text(json.dumps(how))

    def exports(self, **files: Any) -> None:
        (self.folder / "exports.json").write_text(json.dumps({k.replace("_", "-"): v for k, v in files.items()}))

    @property
    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def runs(self) -> list[list[str]]:
        return [call["words"] for call in self.calls if call["words"][0] == "run"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's home, whose credentials lie in files."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    found = Docker(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{found.folder}{os.pathsep}{os.environ['PATH']}")
    return found


@pytest.mark.parametrize(
    ("action", "folders", "force"),
    [
        ("validate-config", ["reports"], False),
        ("export-groups", ["groups", "reports"], False),
        ("export-roles", ["roles", "reports"], False),
        ("export-iam-policy", ["policies", "reports"], False),
        ("test-deploy", ["reports"], False),
        ("deploy", ["reports"], True),
        ("delete-stack", ["reports"], True),
    ],
)
def test_the_command_is_the_guides(ready: Path, home: Path, action: str, folders: list[str], force: bool) -> None:
    ran = run("provisioner", action, "--json")
    assert ran.code == 0, ran
    sec = (ready / "migration/sec").resolve()
    expected = [
        "docker",
        "run",
        "--rm",
        "-v",
        f"{home}/.aws:/home/secuser/.aws:ro",
        "-v",
        f"{sec}/configs:/app/configs:ro",
    ]
    for folder in folders:
        expected += ["-v", f"{sec}/{folder}:/app/{folder}"]
    expected += [IMAGE, "--config", NAME, "--action", action, *(["--force"] if force else [])]
    assert ran.document["command"] == expected
    assert shlex.split(run("provisioner", action).out) == expected


def test_every_action_is_tried() -> None:
    marks = test_the_command_is_the_guides.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in marks[0].args[1]} == set(ACTIONS)


@pytest.mark.parametrize("odd", ["two words", "it's", 'a "b"', "$HOME", "a:b", "a,b:c", "-dash", "ümläut", 'q":"x'])
def test_a_shell_reads_it_as_it_is_meant(ready: Path, docker: Docker, home: Path, odd: str) -> None:
    folder = ready / odd
    shutil.copytree(ready / "migration", folder)
    printed = run("provisioner", "validate-config", "-w", folder)
    assert printed.code == 0, printed
    for name in ("reports", "groups"):
        (folder / "sec" / name).mkdir()
    subprocess.run(["sh", "-c", printed.out], check=True, timeout=60, cwd="/")
    assert len(docker.runs) == 1  # and it found the config where it was mounted


def test_a_run_streams_logs_and_finds_what_was_written(
    ready: Path, unchanged: Twin, docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-very-secret-key")
    docker.exports(export_groups={"groups/edge-group-x.json": {"Statement": []}})
    ran = run("provisioner", "export-groups", "--run", "--json", "--endpoint-url", unchanged.url)
    assert ran.code == 0, ran
    written = ready / "migration/sec/groups/edge-group-x.json"
    assert [Path(one).resolve() for one in ran.document["written"]] == [written]
    assert f"export-groups of {NAME}" in ran.err
    log = Path(ran.document["log"])
    assert log.name.startswith(f"{STEM}-export-groups-")
    assert log.stat().st_mode & 0o777 == 0o600
    assert "red" in log.read_text()
    assert "\x1b" not in ran.err + ran.out
    # The key reached the container by its environment, and stands nowhere.
    (call,) = (one for one in docker.calls if one["words"][0] == "run")
    assert call["secret"] == "a-very-secret-key"
    assert "AWS_SECRET_ACCESS_KEY" in call["words"]
    for told in (*call["words"], log.read_text(), ran.err, ran.out):
        assert "a-very-secret-key" not in told


def test_runs_of_one_second_have_logs_of_their_own(
    ready: Path, unchanged: Twin, docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "now", lambda: "2026-01-02T03:04:05Z")
    ran = [run("provisioner", "validate-config", "--run", "--json", "--endpoint-url", unchanged.url) for _ in range(3)]
    assert [one.code for one in ran] == [0, 0, 0], ran
    logs = [Path(one.document["log"]) for one in ran]
    assert [one.name.partition("030405Z")[2] for one in logs] == [".log", ".2.log", ".3.log"]
    assert all(one.read_text().startswith("$ docker run") for one in logs)


@pytest.mark.parametrize(
    ("how", "said", "hint"),
    [
        ({"no_image": True}, f"there is no image {IMAGE}", "docker pull"),
        ({"no_daemon": True}, "Cannot connect to the Docker daemon", "may you use it?"),
        ({"fails": [3, "ROLLBACK_COMPLETE"]}, "export-roles ended with 3: ROLLBACK_COMPLETE", "stack"),
        ({"fails": [1, "No active subscription found"]}, "ended with 1", "Marketplace subscription"),
        ({"leaves_nothing": True}, "ended well and left no *.json", "may the container write"),
    ],
)
def test_what_goes_wrong_is_told(
    ready: Path, unchanged: Twin, docker: Docker, how: dict[str, Any], said: str, hint: str
) -> None:
    docker.behaves(**how)
    docker.exports(export_roles={"roles/x.json": {}})
    ran = run("provisioner", "export-roles", "--run", "--endpoint-url", unchanged.url)
    assert ran.code == 1
    assert said in ran.err
    assert hint in ran.err.partition("hint: ")[2]


def test_without_docker_the_command_for_elsewhere_is_told(ready: Path, unchanged: Twin, tmp_path: Path) -> None:
    ran = run_alone("provisioner", "deploy", "--run", "--endpoint-url", unchanged.url, env={"PATH": str(tmp_path)})
    assert ran.code == 1
    assert "there is no docker on this machine" in ran.err
    assert "docker run --rm -v" in ran.err.partition("hint: ")[2]


def test_an_image_of_another_tier_is_refused(ready: Path) -> None:
    ran = run("provisioner", "deploy", "--image", "registry.example:5000/sec-provisioner:medium-10")
    assert ran.code == 4
    assert "is of enterprise-12, the image" in ran.err
    ran = run("provisioner", "deploy", "--image", "registry.example:5000/sec-provisioner:enterprise-12")
    assert "registry.example:5000/sec-provisioner:enterprise-12 --config" in ran.out


def test_a_config_with_errors_is_not_run(ready: Path, docker: Docker, unchanged: Twin) -> None:
    path = ready / "migration" / CONFIG
    path.write_text(re.sub(r"s3: level\d", "s3: level9", path.read_text()))
    ran = run("provisioner", "validate-config", "--run", "--endpoint-url", unchanged.url)
    assert ran.code == 2
    assert docker.runs == []


def test_a_change_needs_the_account_and_empty_groups(ready: Path, docker: Docker, example: Snapshot) -> None:
    deployed = Group(name="lumen-prod-a001-group-data-scientists")
    somebody = structs.replace(example.users["airflow-svc"], groups=(deployed.name,))
    with Twin(example.put(deployed).put(somebody), aws_managed=documents.aws_managed()) as twin:
        at = ("--run", "--endpoint-url", twin.url)
        assert run("provisioner", "deploy", *at).code == 4
        assert run("provisioner", "deploy", *at, "--confirm-account", "999988887777").code == 4
        refused = run("provisioner", "delete-stack", *at, "--confirm-account", example.account)
        assert refused.code == 4
        assert "1 in lumen-prod-a001-group-data-scientists" in refused.err
        assert docker.runs == []
        assert run("provisioner", "deploy", *at, "--confirm-account", example.account).code == 0
    used = Role(
        name="lumen-prod-a001-role-lambda-execution", trust=trust(), seen=Seen(last_used="2026-11-20T00:00:00+00:00")
    )
    with Twin(example.put(deployed).put(used), aws_managed=documents.aws_managed()) as twin:
        at = ("--run", "--endpoint-url", twin.url)
        for confirmed, code in ((), 4), (("--confirm-account", example.account), 0):
            ran = run("provisioner", "delete-stack", *at, *confirmed)
            assert ran.code == code
            assert ran.out.splitlines()[:3] == [
                "deleting stack lumen-prod-a001-eu-central-1-enterprise-sec-stack takes away, for good:",
                "  group lumen-prod-a001-group-data-scientists",
                "  role lumen-prod-a001-role-lambda-execution (used on 2026-11-20)",
            ], ran
    assert [words[-1] for words in docker.runs] == ["--force", "--force"]


def given(words: list[str]) -> dict[str, str]:
    """The variables that the container is given; those by name alone are empty."""
    named = [word.partition("=") for flag, word in pairwise(words) if flag == "-e"]
    return {name: value for name, _, value in named}


def test_a_profile_counts_in_the_container_as_it_does_here(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a profile that is named counts for more than keys in the environment; in the container keys would."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "invented")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "test")  # which botocore heeds first
    assert given(run("provisioner", "deploy", "--json").document["command"]).keys() >= {"AWS_ACCESS_KEY_ID"}
    words = run("provisioner", "deploy", "--profile", "prod", "--json").document["command"]
    assert {name: value for name, value in given(words).items() if "PROFILE" in name} == {"AWS_PROFILE": "prod"}
    assert "AWS_DEFAULT_PROFILE" in given(run("provisioner", "deploy", "--json").document["command"])
    assert not [name for name in given(words) if "KEY" in name or "TOKEN" in name]


def test_another_endpoint_is_the_containers_too(
    ready: Path, docker: Docker, unchanged: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever rehearses on a twin has the account's own id to confirm: the container must not go to the account."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:1")
    assert run("provisioner", "test-deploy", *CONFIRMED, "--endpoint-url", unchanged.url).code == 0
    monkeypatch.delenv("AWS_ENDPOINT_URL_IAM")
    monkeypatch.setenv("AWS_ENDPOINT_URL", unchanged.url)
    assert run("provisioner", "deploy", *CONFIRMED).code == 0
    first, second = map(given, docker.runs)
    assert (first["AWS_ENDPOINT_URL"], "AWS_ENDPOINT_URL_IAM" in first) == (unchanged.url, False)
    assert second["AWS_ENDPOINT_URL"] == ""  # by its name


def test_the_aws_files_that_count_here_count_in_the_container(
    ready: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ready / "keys").write_text("[prod]\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(ready / "keys"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(ready / "nowhere"))
    words = run("provisioner", "deploy", "--json").document["command"]
    keys, nowhere = given(words)["AWS_SHARED_CREDENTIALS_FILE"], given(words)["AWS_CONFIG_FILE"]
    assert f"{ready / 'keys'}:{keys}:ro" in words
    assert not any(word.endswith(f"{nowhere}:ro") for word in words)  # docker would make it, as a folder
