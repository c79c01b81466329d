"""Whatever is wrong with what a person gives: one clear message, what to do, the right exit code, and nothing left."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple

import pytest
from botocore.config import Config
from msgspec import structs

from secmigrate import aws
from secmigrate.errors import Failed
from secmigrate.iam import Snapshot
from secmigrate.twin import Fault, Faults, Twin
from secmigrate.workspace import Workspace
from tests import small
from tests.cli.conftest import CONFIG, NAMES
from tests.cli.runs import Ran, listing, run, run_alone

REFUSING = ("--endpoint-url", "http://127.0.0.1:1")


class Bad(NamedTuple):
    """A command that cannot be carried out; `{twin}` in its words is an endpoint."""

    words: str
    said: str  # a pattern that the message after `error: ` starts with
    code: int = 2
    files: Mapping[str, str | bytes | None] = MappingProxyType({})  # written before; None: taken away


INVENTORY, DECISIONS, MAPPING = "migration/inventory.json", "migration/decisions.yaml", "migration/mapping.json"
THE_CONFIG = f"migration/{CONFIG}"
HEAD = "kind: decisions\nversion: 1\n"
MAP = f"map {' '.join(NAMES)}"
FAULTS = '{"faults": [\n{"match": "*", "kynd": "deny"}]}'

# In a folder in which there is nothing else.
FRESH = {
    "from: no file": Bad("inventory --from nowhere.json", r"nowhere\.json: cannot be read: No such file"),
    "from: a folder": Bad("inventory --from .", r"\.: a folder without manifest\.json"),
    "from: an empty file": Bad("inventory --from x.json", r"x\.json: the file is empty", files={"x.json": ""}),
    "from: half a file": Bad(
        "inventory --from x.json", r"x\.json:2: not valid JSON", files={"x.json": '{"kind":\n"snap'}
    ),
    "from: another version": Bad(
        "inventory --from x.json",
        r"x\.json:3: version: Invalid",
        files={"x.json": '{"kind": "snapshot", "account": "111122223333",\n\n"version": 2}'},
    ),
    "from: something else": Bad("inventory --from x.json", r"x\.json:1: neither", files={"x.json": '{"a": 1}'}),
    "from: no JSON": Bad("inventory --from x.tf", r"x\.tf:1: neither", files={"x.tf": 'resource "x" {}\n'}),
    "from: NUL bytes": Bad("inventory --from x.json", r"x\.json:1: not valid JSON", files={"x.json": b"\0" * 99}),
    "an unknown profile": Bad("inventory --profile nobody", r"--profile or AWS_PROFILE: .*nobody"),
    "an address that is none": Bad("inventory --endpoint-url nonsense", r"the AWS configuration: Invalid endpoint"),
    "a region that is none": Bad("inventory --region no,region", r"the AWS configuration: .*no,region"),
    "nobody answers": Bad(f"inventory {' '.join(REFUSING)}", r"sts:GetCallerIdentity: Could not connect", code=1),
    "map: no inventory": Bad(MAP, r"migration/inventory\.json: there is no inventory yet"),
    "explain: no inventory": Bad("explain x", r"migration/inventory\.json: there is no inventory yet"),
    "validate: no config": Bad("validate", r"migration/sec/configs: one SEC config is needed here, found: none"),
    "validate: no such file": Bad("validate x.yaml", r"x\.yaml: cannot be read"),
    "validate: a folder": Bad("validate .", r"\.: cannot be read: Is a directory"),
    "validate: empty": Bad("validate x.yaml", r"x\.yaml: the file is empty", files={"x.yaml": ""}),
    "validate: no YAML": Bad("validate x.yaml", r"x\.yaml:2:1: not valid YAML", files={"x.yaml": "a:\n\tb: 1\n"}),
    "validate: wrong keys": Bad("validate x.yaml", r"x\.yaml:1:1: a: is not known here", files={"x.yaml": "a: 1\n"}),
    "diff: no config": Bad("diff", r"migration/sec/configs: one SEC config is needed"),
    "readd: no mapping": Bad("readd --endpoint-url {twin}", r"migration/mapping\.json: nothing is mapped yet"),
    "verify: no mapping": Bad("verify --endpoint-url {twin}", r"migration/mapping\.json: nothing is mapped yet"),
    "decommission: no mapping": Bad(
        "decommission --endpoint-url {twin}", r"migration/mapping\.json: nothing is mapped"
    ),
    "readd --execute: no plan": Bad("readd --execute --endpoint-url {twin}", r"migration/plans/readd\.json: no plan"),
    "an unknown phase": Bad("readd --execute --stop-before lunch", r"--stop-before: there is no phase 'lunch'"),
    "twin: no inventory": Bad("twin", r"migration/inventory\.json: cannot be read"),
    "twin: from no file": Bad("twin --from x.json", r"x\.json: cannot be read"),
    "a folder in the way": Bad(
        "inventory -w x.json --endpoint-url {twin}", r"x\.json: cannot be used", code=1, files={"x.json": "{}"}
    ),
    "a folder below a file": Bad(
        "inventory -w x.json/a/b --endpoint-url {twin}", r"x\.json/a/b: cannot be used", code=1, files={"x.json": "{}"}
    ),
}

# In a workspace that has come as far as its first plan.
LATER = {
    "an empty inventory": Bad(MAP, r"migration/inventory\.json: the file is empty", files={INVENTORY: ""}),
    "half an inventory": Bad("diff", r"migration/inventory\.json:1: not valid JSON", files={INVENTORY: '{"account"'}),
    "another version of inventory": Bad(
        "explain x",
        r"migration/inventory\.json:2: version: Invalid",
        files={INVENTORY: '{"account": "111122223333",\n"version": 7}'},
    ),
    "a wrong key in decisions.yaml": Bad(
        MAP,
        r"migration/decisions\.yaml:4:9: groups\.dev\.leafe: is not known here",
        files={DECISIONS: HEAD + "groups:\n  dev: {leafe: x}\n"},
    ),
    "decisions.yaml: half": Bad(MAP, r"migration/decisions\.yaml:4:\d+: ", files={DECISIONS: HEAD + "groups: {a: [\n"}),
    "decisions.yaml: empty": Bad(MAP, r"migration/decisions\.yaml: the file is empty", files={DECISIONS: ""}),
    "a wrong key in the config": Bad(
        "validate",
        rf"{re.escape(THE_CONFIG)}:2:1: .*klient: is not known here",
        files={THE_CONFIG: "# x\nklient: {}\n"},
    ),
    "diff: a wrong key in the config": Bad(
        "diff", rf"{re.escape(THE_CONFIG)}:1:1: klient: is not known here", files={THE_CONFIG: "klient: {}\n"}
    ),
    "an edited config": Bad(
        MAP, rf"{re.escape(THE_CONFIG)}:1:1: .*environment is missing", files={THE_CONFIG: "client: {}\n"}
    ),
    "map: no environment": Bad("map --env production", r"--env: 'production' is none of prod, dev, test, staging"),
    "map: no tenant id": Bad("map --tenant-id A001", r"--tenant-id: 'A001' is not four small letters or digits"),
    "map: no prefix": Bad("map --company-prefix Lumen", r"--company-prefix: 'Lumen' is not small letters"),
    "map: no region": Bad("map --region mars", r"--region: 'mars' is not a region, such as eu-central-1"),
    "map: no account": Bad("map --account-id 12", r"--account-id: '12' is not an account id"),
    "half a mapping": Bad("readd --endpoint-url {twin}", r"migration/mapping\.json:1: not valid", files={MAPPING: "{"}),
    "no memberships": Bad(
        "readd --endpoint-url {twin}",
        r"migration/user-group-mappings\.json: no saved memberships",
        files={"migration/user-group-mappings.json": None},
    ),
    "half a plan": Bad(
        "readd --execute --endpoint-url {twin}",
        r"migration/plans/readd\.json:1: not valid",
        files={"migration/plans/readd.json": "{"},
    ),
    "another kind of plan": Bad(
        "readd --execute --endpoint-url {twin}",
        r"migration/plans/readd\.json:2: ",
        files={"migration/plans/readd.json": '{"kind": "plan",\n"version": 2}'},
    ),
    "a damaged journal": Bad(
        "status",
        r"migration/journals/readd-20240101T000000Z\.jsonl:1: damaged",
        files={"migration/journals/readd-20240101T000000Z.jsonl": '{"event": "lunch"}\n'},
    ),
    "a journal that is no file": Bad(
        "resume --endpoint-url {twin}",
        r"migration/journals/readd-20240101T000000Z\.jsonl: cannot be read: Is a directory",
        files={"migration/journals/readd-20240101T000000Z.jsonl/inside": "x"},
    ),
    "journals that are no folder": Bad(
        "rollback --endpoint-url {twin}",
        r"migration/journals: cannot be read: Not a directory",
        files={"migration/journals": "x"},
    ),
    "no one to confirm": Bad("readd --execute --endpoint-url {twin}", r"nobody is here to confirm it", code=4),
    "another account confirmed": Bad(
        "readd --execute --confirm-account 999988887777 --endpoint-url {twin}", r"wrong-account: ", code=4
    ),
    "a plan that is refused": Bad(
        "readd --execute --confirm-account {account} --endpoint-url {twin}", r"target-missing: ", code=4
    ),
    "the inventory of another account": Bad(
        "inventory --from other.json",
        r"migration/inventory\.json: the inventory here is of account \d+",
        code=4,
        files={"other.json": '{"kind": "snapshot", "account": "999988887777"}'},
    ),
    "twin: faults with a wrong key": Bad(
        "twin --faults f.json", r"f\.json:2: faults\[0\]: .*unknown field `kynd`", files={"f.json": FAULTS}
    ),
    "twin: no faults file": Bad("twin --faults f.json", r"f\.json: cannot be read"),
    "a tier that is none": Bad(f"{MAP} --tier huge", r".*huge"),
    "explain: nobody": Bad("explain nobody", r".*nobody"),
}


def refused(ran: Ran, bad: Bad) -> None:
    """One message, of the form that the contract has, and no traceback."""
    told = ran.err.removeprefix("reading the account …\n")
    assert "Traceback" not in ran.err
    assert re.match(f"error: {bad.said}", told), ran
    assert re.search(r"^hint: \S", told, re.MULTILINE), ran
    assert told.count("error: ") == 1
    assert told.endswith("\n")
    assert ran.code == bad.code, ran
    assert ran.out == ""


def prepare(folder: Path, bad: Bad) -> dict[str, bytes | None]:
    """Lays the files out; gives what then lies there."""
    for name, content in bad.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return listing(folder)


def words(bad: Bad, twin: Twin) -> list[str]:
    account = twin.snapshot().account
    return [word.format(twin=twin.url, account=account) for word in bad.words.split()]


@pytest.mark.parametrize("case", FRESH)
def test_the_first_steps(empty: Path, unchanged: Twin, case: str) -> None:
    bad = FRESH[case]
    before = prepare(empty, bad)
    refused(run(*words(bad, unchanged)), bad)
    assert listing(empty) == before


@pytest.mark.parametrize("case", LATER)
def test_a_migration_under_way(ready: Path, unchanged: Twin, case: str) -> None:
    bad = LATER[case]
    before = prepare(ready, bad)
    refused(run(*words(bad, unchanged)), bad)
    assert listing(ready) == before


@pytest.mark.parametrize("command", ["inventory", "readd", "verify", "decommission", "rollback", "readd --execute"])
def test_nobody_answers(ready: Path, command: str) -> None:
    before = listing(ready)
    bad = Bad(command, r"sts:GetCallerIdentity: Could not connect", code=1)
    refused(run(*command.split(), *REFUSING), bad)
    assert listing(ready) == before


def test_no_credentials(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    bad = Bad("inventory", r"sts:GetCallerIdentity: no AWS credentials found", code=1)
    refused(run("inventory"), bad)
    assert listing(empty) == {}


def test_half_of_the_credentials(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    ran = run("inventory")
    refused(ran, Bad("inventory", r".*[Pp]artial credentials", code=ran.code))
    assert ran.code in (1, 2)
    assert listing(empty) == {}


def test_a_broken_aws_configuration(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty / "config").write_text("not = an\nini [file\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(empty / "config"))
    refused(run("inventory"), Bad("inventory", r"the AWS configuration: .*config"))
    assert list(listing(empty)) == ["config"]


@pytest.mark.parametrize("method", ["GetAccountAuthorizationDetails", "ListRoles", "GetResources"])
def test_an_inventory_that_is_not_whole_is_no_success(empty: Path, method: str) -> None:
    faults = Faults(faults=(Fault(match=method, kind="deny", after=1),))
    with Twin(_tagged(), page_size=1, faults=faults) as twin:
        ran = run("inventory", "--endpoint-url", twin.url)
    assert ran.code == 1
    assert re.search(rf"^  not read: \w+:{method}: AccessDenied: ", ran.out, re.MULTILINE), ran
    assert "the inventory is incomplete: no plan will be made from it" in ran.out
    assert "Traceback" not in ran.err


def _tagged() -> Snapshot:
    account = small.account()
    spare = account.policies[small.SPARE]
    return account.put(structs.replace(spare, tags={"a": "b"}))


@pytest.mark.parametrize("command", ["status", "resume", "rollback", "inventory", "report"])
def test_journals_that_nobody_may_look_at_are_not_none(
    ready: Path, unchanged: Twin, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (ready / "migration/journals").mkdir()
    listdir = os.listdir

    def locked(folder: Path) -> list[str]:
        if str(folder).endswith("journals"):
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", locked)
    endpoint = [] if command in ("status", "report") else ["--endpoint-url", unchanged.url]
    refused(run(command, *endpoint), Bad(command, r"migration/journals: cannot be read: Permission denied"))


def test_a_name_that_is_none_gives_no_traceback(empty: Path) -> None:
    refused(run("status", "-w", "x" * 300), Bad("status", r"x+.*: File name too long", code=1))


def test_another_run_at_work(ready: Path) -> None:
    with Workspace(ready / "migration").locked():
        before = listing(ready)
        refused(run(*MAP.split()), Bad(MAP, r"migration: another run is at work here", code=1))
        assert listing(ready) == before
    assert run(*MAP.split()).code == 0
    assert not (ready / "migration" / ".lock").exists()


def test_a_lock_that_has_ended_and_gone_locks_nobody_out_and_lets_nobody_in(ready: Path) -> None:
    """A run that is killed leaves its lock; who opened a lock just before its run took it away must not go on."""
    lock = ready / "migration" / ".lock"
    lock.touch()
    with Workspace(ready / "migration").locked():
        pass
    lock.touch()
    real = os.open

    def late(path: Path, flags: int, mode: int = 0o777) -> int:
        handle = real(path, flags, mode)
        lock.unlink()
        return handle

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", late)
        with pytest.raises(Failed, match="another run"), Workspace(ready / "migration").locked():
            pytest.fail("it went on")


def test_nothing_was_interrupted(empty: Path, unchanged: Twin) -> None:
    ran = run("resume", "--endpoint-url", unchanged.url)
    assert ran.code == 0
    assert listing(empty) == {}


# Typer's own messages for words that it does not know.
UNKNOWN = (
    *("nonsense", "inventory --nonsense", "explain", "twin --port many", "rules nonsense"),
    "decommission --unused-days -1",
)


@pytest.mark.parametrize("line", UNKNOWN)
def test_words_that_there_are_not(empty: Path, line: str) -> None:
    ran = run(*line.split())
    assert (ran.code, ran.out, "Traceback" in ran.err) == (2, "", False)
    assert "Error: " in ran.err
    assert "--help' for help" in ran.err
    assert listing(empty) == {}


def test_the_exit_code_is_that_of_the_process(empty: Path) -> None:
    for line, code in (("inventory --from nowhere", 2), (f"inventory {' '.join(REFUSING)}", 1), ("status", 0)):
        ran = run_alone(*line.split())
        assert (ran.code, "Traceback" in ran.err) == (code, False), ran
    assert listing(empty) == {}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_somebody_who_hangs_up(empty: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(aws, "_CONFIG", Config(retries={"mode": "standard", "total_max_attempts": 2}))

    def hang_up() -> None:
        with contextlib.suppress(OSError):
            while True:
                server.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=hang_up, daemon=True).start()
        ran = run("inventory", "--endpoint-url", f"{scheme}://127.0.0.1:{server.getsockname()[1]}")
    refused(ran, Bad("", r"sts:GetCallerIdentity: ", code=1))
    assert listing(empty) == {}
