"""The story of examples/tier-upgrade, told by its README's own commands; and what the tier commands refuse."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from secmigrate import documents
from secmigrate.documents import read_config, read_snapshot, schema
from secmigrate.iam import Snapshot
from secmigrate.plan.bridge import PREFIX
from secmigrate.twin import Fault, Faults, Twin
from tests.cli.runs import Ran, run

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/tier-upgrade"
CONFIG = "fjord-prod-b001-eu-north-1-sec.yaml"
ACCOUNT = "111122223333"
GROUP = "fjord-prod-b001-group"


@pytest.fixture(scope="module")
def start() -> Snapshot:
    return read_snapshot(EXAMPLE / "inventory.json")


@pytest.fixture
def space(empty: Path) -> Path:
    """A workspace in which the startup config is in force."""
    folder = empty / "migration"
    assert run("inventory", "--from", EXAMPLE / "inventory.json").code == 0
    (folder / "sec/configs").mkdir(parents=True)
    shutil.copy(EXAMPLE / CONFIG, folder / "sec/configs")
    return folder


@pytest.fixture
def twin(start: Snapshot, stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    with _twin(start) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        monkeypatch.setenv("PATH", str(stand_in), prepend=os.pathsep)
        yield made


def _twin(start: Snapshot, *faults: Fault) -> Twin:
    """The account, with the startup stack on it."""
    from secmigrate import sec

    config = read_config(EXAMPLE / CONFIG)[0]
    made = Twin(start, aws_managed=documents.aws_managed(), faults=Faults(faults=faults))
    made.holds_stack(config.stack, sec.planned(config, documents.catalogue().levels, documents.aws_managed()))
    return made


def confirmed(*words: str) -> Ran:
    return run(*words, "--confirm-account", ACCOUNT)


def test_the_story(empty: Path, start: Snapshot, twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the README, in its order, ends with the code that stands behind it; docker as it says there."""
    monkeypatch.setenv("PATH", f"{EXAMPLE}{os.pathsep}{Path(sys.executable).parent}", prepend=os.pathsep)
    text = (EXAMPLE / "README.md").read_text()
    codes = []
    for line in re.findall(r"^(?:secmigrate|mkdir|cp) .*$", text, re.MULTILINE):
        words, _, remark = line.partition("#")
        program, *rest = (word.replace("examples/", f"{ROOT}/examples/") for word in words.split())
        if program == "mkdir":
            Path(rest[-1]).mkdir(parents=True)
        elif program == "cp":
            shutil.copy(*rest)
        elif rest[0] != "twin":  # which is there already
            expected = int(found[1]) if (found := re.search(r"exit (\d)", remark)) else 0
            expected = 3 if rest[0] == "tier" and "--execute" in rest else expected
            ran = run(*rest)
            assert ran.code == expected, (line, ran)
            codes.append(ran.code)
            if "the bridge is gone" in remark:
                _is_medium(twin.snapshot(), start)
    assert len(codes) == 12
    assert read_config(empty / "fjord/sec/configs" / CONFIG)[0].tier.name == "medium"


def _is_medium(after: Snapshot, before: Snapshot) -> None:
    assert {name: one.groups for name, one in after.users.items()} == {n: u.groups for n, u in before.users.items()}
    assert not any(name.startswith(PREFIX) for name in after.groups)
    assert after.own_policies == {}
    stacks = {role.keeper for role in after.roles.values()}
    assert stacks == {"stack fjord-prod-b001-eu-north-1-medium-sec-stack"}


def test_the_config_carries_over_what_a_person_wrote(space: Path, twin: Twin) -> None:
    ran = run("tier", "upgrade", "--to", "medium", "--json")
    assert ran.code == 3, ran
    assert any("has room for these groups too" in line for line in ran.document["config_changes"])
    assert list(Draft202012Validator(schema("plan")).iter_errors(ran.document)) == []
    new = read_config(space / "sec/next" / CONFIG)[0]
    old = read_config(space / "sec/configs" / CONFIG)[0]
    assert (new.tier.name, new.tier.version) == ("medium", "medium-10")
    assert structs.replace(new, tier=old.tier) == old
    # What is added there is planned with the next run, and not written over.
    path = space / "sec/next" / CONFIG
    entry = "    qa_testing:\n      description: new\n      policy_assignments: {lambda: level1}\n  service_roles:"
    path.write_text(path.read_text().replace("  service_roles:", entry, 1))
    again = run("tier", "upgrade", "--to", "medium", "--json").document
    (deploy,) = (one for one in again["operations"] if one["method"] == "CreateStack")
    assert f"{GROUP}-qa-testing" in {one["name"] for one in deploy["operation"]["groups"]}


def test_a_master_brings_what_it_has_besides(space: Path, twin: Twin) -> None:
    master = space.parent / "master.yaml"
    text = (EXAMPLE / CONFIG).read_text().replace("name: startup", "name: medium").replace("startup-5", "medium-10")
    entry = "  iam_groups:\n    qa_testing: {description: from the vendor}\n"
    master.write_text(text.replace("  iam_groups:\n", entry).replace("Tide models", "Science"))
    ran = run("tier", "upgrade", "--to", "medium", "--master", master, "--json")
    assert ran.code == 3, ran
    changes = ran.document["config_changes"]
    assert "iam_groups.qa_testing: taken from the master" in changes
    assert "iam_groups.data_scientists: yours, where the master has another" in changes
    groups = read_config(space / "sec/next" / CONFIG)[0].security.iam_groups
    assert groups["data_scientists"].description == "Tide models"
    assert "qa_testing" in groups


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tier upgrade", "without --to"),
        ("tier upgrade --to startup", "no tier upgrade from startup to 'startup'"),
        ("tier downgrade --to medium", "no tier downgrade"),
        ("tier upgrade --to gold", "'gold'"),
        ("tier upgrade --execute", "no plan to execute"),
        ("provisioner deploy --tier medium", "there is no config of the tier 'medium'"),
    ],
)
def test_what_is_no_way(space: Path, twin: Twin, words: str, said: str) -> None:
    ran = run(*words.split())
    assert ran.code == 2
    assert said in ran.err


def _medium_with_more(space: Path) -> None:
    """Medium with a group and a role of its own, in use; startup has neither."""
    run("tier", "upgrade", "--to", "medium")
    path = space / "sec/next" / CONFIG
    group = "    qa_testing:\n      description: new\n      policy_assignments: {lambda: level1}\n  service_roles:\n"
    role = "    glue_execution: {description: g, service_principal: glue.amazonaws.com}\n"
    path.write_text(path.read_text().replace("  service_roles:\n", group + role, 1))
    assert run("tier", "upgrade", "--to", "medium").code == 3
    _to_the_end("upgrade", "startup", "medium")
    from secmigrate.aws import Aws
    from secmigrate.operations import Call

    Aws().send(Call("AddUserToGroup", {"UserName": "tide-export-svc", "GroupName": f"{GROUP}-qa-testing"}))


ANSWERS = (
    "downgrade:\n"
    "  groups: {qa_testing: {become: ml_engineers}}\n"
    "  roles: {glue_execution: {end: nothing runs on Glue any more}}\n"
)


def test_a_downgrade_wants_an_answer_for_each(space: Path, twin: Twin, start: Snapshot) -> None:
    _medium_with_more(space)
    refused = run("tier", "downgrade", "--to", "startup")
    assert refused.code == 4
    assert "group qa_testing (1 members; startup-5 has no such group)" in refused.out
    assert "role glue_execution (no record of its use; it comes with medium)" in refused.out
    (space / "decisions.yaml").write_text(ANSWERS)
    planned = run("tier", "downgrade", "--to", "startup")
    assert planned.code == 3, planned
    _to_the_end("downgrade", "medium", "startup")
    after = twin.snapshot()
    assert f"{GROUP}-ml-engineers" in after.users["tide-export-svc"].groups
    assert f"{GROUP}-qa-testing" not in after.groups
    assert read_config(space / "sec/configs" / CONFIG)[0].tier.name == "startup"
    same = {name: one.groups for name, one in after.users.items() if name != "tide-export-svc"}
    assert same == {name: one.groups for name, one in start.users.items() if name != "tide-export-svc"}


def _to_the_end(direction: str, old: str, new: str) -> None:
    assert confirmed("tier", direction, "--execute").code == 3
    assert confirmed("provisioner", "delete-stack", "--tier", old, "--run").code == 0
    assert confirmed("resume").code == 3
    assert confirmed("provisioner", "deploy", "--tier", new, "--run").code == 0
    ran = confirmed("resume")
    assert ran.code == 0, ran


def _back_to_where_medium_is_deployed(space: Path) -> Path:
    """A downgrade to its end, which gives somebody more, and its rollback, which waits for medium; gives its config."""
    _medium_with_more(space)
    shutil.rmtree(space / "journals")  # as if it had begun here
    (space / "decisions.yaml").write_text(ANSWERS)
    assert run("tier", "downgrade", "--to", "startup").code == 3
    _to_the_end("downgrade", "medium", "startup")
    assert run("rollback").code == 3
    assert confirmed("rollback", "--execute").code == 3
    (space / "decisions.yaml").write_text("downgrade: [\n")  # nothing that a person wrote stands in the way back
    assert confirmed("provisioner", "delete-stack", "--tier", "startup", "--run").code == 0
    assert confirmed("resume").code == 3
    return next((space / "sec/tiers/medium").iterdir())


@pytest.mark.parametrize("without", [False, True], ids=["whole", "the old config removed"])
def test_a_downgrade_that_gave_somebody_more_is_rolled_back(space: Path, twin: Twin, *, without: bool) -> None:
    path = _back_to_where_medium_is_deployed(space)
    assert confirmed("provisioner", "deploy", "--tier", "medium", "--run").code == 0
    kept = path.read_bytes()
    if without:
        path.unlink()
    ran = confirmed("resume")
    assert (ran.code, "no config came into force" in ran.err) == ((1, True) if without else (0, False)), ran
    if without:
        (space / "sec/configs" / CONFIG).write_bytes(kept)
    assert read_config(space / "sec/configs" / CONFIG)[0].tier.name == "medium"
    end = twin.snapshot()
    assert f"{GROUP}-qa-testing" in end.users["tide-export-svc"].groups
    assert not any(name.startswith(PREFIX) for name in end.groups)


def test_the_way_back_stops_where_the_old_stack_gives_less_than_it_did(space: Path, twin: Twin) -> None:
    path = _back_to_where_medium_is_deployed(space)
    whole = path.read_text()
    path.write_text(whole.replace("lambda: level1", "s3: level1"))
    confirmed("provisioner", "deploy", "--tier", "medium", "--run")
    path.write_text(whole)
    there = twin.snapshot()
    refused = confirmed("resume")
    assert (refused.code, twin.snapshot()) == (4, there)
    assert "stranded-user" in refused.err


def test_a_stack_that_gives_less_than_planned_leaves_the_bridge_standing(space: Path, twin: Twin) -> None:
    """The provisioner's levels are not what we assume: nobody is taken off the bridge for that."""
    run("tier", "upgrade", "--to", "medium")
    confirmed("tier", "upgrade", "--execute")
    confirmed("provisioner", "delete-stack", "--tier", "startup", "--run")
    confirmed("resume")
    path = space / "sec/next" / CONFIG
    whole = path.read_text()
    path.write_text(re.sub(r"s3: level2", "s3: level1", whole))  # as if the vendor's level2 were our level1
    confirmed("provisioner", "deploy", "--tier", "medium", "--run")
    path.write_text(whole)
    there = twin.snapshot()
    refused = confirmed("resume")
    assert refused.code == 4
    assert "stranded-user" in refused.err
    assert "still on the bridge" in refused.err
    assert twin.snapshot() == there
    (space / "decisions.yaml").write_text("accept:\n  - {actions: ['s3:*'], why: reading is enough}\n")
    assert confirmed("resume").code == 0
    assert not any(name.startswith(PREFIX) for name in twin.snapshot().groups)


def test_status_and_json_say_what_it_waits_for(space: Path, twin: Twin) -> None:
    run("tier", "upgrade", "--to", "medium")
    ran = confirmed("tier", "upgrade", "--execute", "--json")
    assert ran.code == 3
    assert ran.document["result"] == "waiting"
    assert "provisioner delete-stack --tier startup" in ran.document["waits_for"]["command"]
    (step,) = (one for one in run("status", "--json").document["steps"] if one["step"] == "tier-upgrade")
    assert step["state"] == "waiting"
    again = confirmed("tier", "upgrade", "--execute")
    assert (again.code, "it is half way" in again.err, "`secmigrate resume`" in again.err) == (4, True, True), again


def test_rehearse_tells_each_users_seconds(space: Path, start: Snapshot) -> None:
    ran = run("rehearse", "--to", "medium", "--to", "startup", "--json")
    assert ran.code == 0, ran
    legs = ran.document["legs"]
    assert [leg["name"] for leg in legs] == ["tier-upgrade", "tier-downgrade"]
    for leg in legs:
        assert leg["as_planned"]
        assert {row["user"]: row["seconds_without"] for row in leg["users"]} == dict.fromkeys(start.users, 0.0)
    bare = run("rehearse", "--to", "medium", "--no-bridge", "--json", "--stack-seconds", "60")
    assert bare.code == 3
    seconds = {row["user"]: row["seconds_without"] for row in bare.document["legs"][0]["users"]}
    assert seconds.pop("tide-export-svc") == 0
    assert all(120 < spent < 130 for spent in seconds.values())


def test_rehearse_of_a_tier_that_there_is_not_is_refused_before_anything_is_played(space: Path) -> None:
    ran = run("rehearse", "--to", "medum")
    assert (ran.code, ran.out) == (2, "")
    assert "error: --to: there is no tier 'medum'\nhint: one of startup, medium, enterprise" in ran.err


def test_rehearse_the_whole_migration(ready: Path, example: Snapshot) -> None:
    """The example account, to its end; and what a lower tier would want to know first."""
    (ready / "migration/decisions.yaml").write_text("accept:\n  - {actions: ['*'], why: a test}\n")
    before = (ready / "migration/inventory.json").read_bytes()
    ran = run("rehearse", "--to", "medium", "--json")
    assert ran.code == 4, ran
    found = ran.document
    assert [(leg["name"], leg["as_planned"]) for leg in found["legs"]] == [("readd", True), ("decommission", True)]
    assert found["findings"] == []
    for leg in found["legs"]:
        assert {row["user"]: row["seconds_without"] for row in leg["users"]} == dict.fromkeys(example.users, 0.0)
    assert "undecided (blocks the plan)" in ran.err
    assert (ready / "migration/inventory.json").read_bytes() == before
    assert not (ready / "migration/journals").exists()


def test_the_last_tier_is_told_to_be_the_last(space: Path, twin: Twin) -> None:
    ran = run("tier", "downgrade", "--to", "medium")
    assert ran.code == 2, ran
    assert (
        "hint: there is none beyond startup, which is in force; `secmigrate tier upgrade` goes the other way" in ran.err
    )
