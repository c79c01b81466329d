"""A tier's new config, edited by hand before its plan is carried out: what that does is told, or asked about."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from secmigrate.documents import read_config
from secmigrate.iam import Snapshot
from secmigrate.plan.bridge import PREFIX
from secmigrate.twin import Twin
from tests.cli.runs import PROGRAM, Ran, run
from tests.cli.test_tier import ACCOUNT, CONFIG, confirmed, space, start, twin

__all__ = ["space", "start", "twin"]  # pytest finds fixtures by name


def edit(space: Path, before: str, after: str) -> Ran:
    """The upgrade planned, its config edited by hand, and planned again."""
    run("tier", "upgrade", "--to", "medium")
    path = space / "sec/next" / CONFIG
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    return run("tier", "upgrade", "--to", "medium", "--json")


LAMBDA = """\
    lambda_execution:
      description: Nightly tides
      service_principal: lambda.amazonaws.com
      managed_policies:
        - service-role/AWSLambdaBasicExecutionRole
"""


def test_a_role_that_is_taken_out_by_hand_wants_an_answer(space: Path, twin: Twin) -> None:
    """No person would lose anything by it, and the machine that uses the role would."""
    ran = edit(space, LAMBDA, "")
    assert ran.code == 4, ran
    assert "role lambda_execution (used on 2026-11-20; you took it out)" in ran.err
    assert "service_roles.lambda_execution: taken out by you" in ran.document["config_changes"]
    (space / "decisions.yaml").write_text("downgrade:\n  roles: {lambda_execution: {end: no more tides}}\n")
    assert run("tier", "upgrade", "--to", "medium").code == 3
    # In another section it has the same name.
    path = space / "sec/next" / CONFIG
    moved = path.read_text().replace("  assumable_roles:\n", "  assumable_roles:\n    lambda_execution: {}\n", 1)
    path.write_text(moved)
    (space / "decisions.yaml").unlink()
    assert "took it out" not in run("tier", "upgrade", "--to", "medium").out


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (LAMBDA, LAMBDA.replace("lambda.", "ec2."), "service_roles.lambda_execution: changed by you"),
        ("  iam_groups:\n", "  iam_groups:\n    qa_testing: {}\n", "iam_groups.qa_testing: added by you"),
        ("region: eu-north-1", "region: eu-west-1", "environment.region: eu-north-1 becomes eu-west-1"),
        ("project: tides", "project: ebb", "tags.project: tides becomes ebb"),
    ],
)
def test_what_is_changed_by_hand_is_told(space: Path, twin: Twin, before: str, after: str, told: str) -> None:
    ran = edit(space, before, after)
    assert ran.code == 3, ran
    assert told in ran.document["config_changes"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("111122223333", "444455556666", "444455556666"),
        ("medium-10", "medium-99", "medium-99"),
        ("        s3: level2", "        s3: level9", "level9"),
    ],
)
def test_a_config_that_would_not_be_deployed_is_refused_before_the_old_stack_is_gone(
    space: Path, twin: Twin, before: str, after: str, said: str
) -> None:
    ran = edit(space, before, after)
    assert (ran.code, said in ran.err) == (2, True), ran


def test_edits_for_another_tier_are_not_written_over(space: Path, twin: Twin) -> None:
    run("tier", "upgrade", "--to", "medium")
    assert run("tier", "upgrade", "--to", "enterprise").code == 3  # nobody has edited it
    assert edit(space, "Tide models", "Ebb models").code == 3
    ran = run("tier", "upgrade", "--to", "enterprise")
    assert (ran.code, "medium" in ran.err) == (2, True), ran
    assert "Ebb models" in (space / "sec/next" / CONFIG).read_text()


def test_the_new_config_comes_into_force_though_nobody_can_be_told(space: Path, twin: Twin) -> None:
    """The disk that the output goes to is full: the account is done with, and `resume` would not look again."""
    run("tier", "upgrade", "--to", "medium")
    confirmed("tier", "upgrade", "--execute")
    confirmed("provisioner", "delete-stack", "--tier", "startup", "--run")
    confirmed("resume")
    confirmed("provisioner", "deploy", "--tier", "medium", "--run")
    with Path("/dev/full").open("w") as full:
        words = (*PROGRAM, "resume", "--confirm-account", ACCOUNT)
        ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, b"No space left" in ended.stderr) == (1, True), ended
    assert "nothing was interrupted" in run("resume").out
    assert "name: medium" in (space / "sec/configs" / CONFIG).read_text()


def test_a_config_that_is_gone_is_missed_before_anything_is_changed(space: Path, twin: Twin) -> None:
    """At the end it comes into force: a plan that is done without it would leave the old one in force for good."""
    run("tier", "upgrade", "--to", "medium")
    path, before = space / "sec/next" / CONFIG, twin.snapshot()
    text = path.read_text()
    path.unlink()
    ran = confirmed("tier", "upgrade", "--execute")
    assert (ran.code, "no config of the tier 'medium'" in ran.err) == (2, True), ran
    assert twin.snapshot() == before
    path.write_text(text)
    assert confirmed("tier", "upgrade", "--execute").code == 3
    assert confirmed("provisioner", "delete-stack", "--tier", "startup", "--run").code == 0
    assert confirmed("resume").code == 3
    assert confirmed("provisioner", "deploy", "--tier", "medium", "--run").code == 0
    path.unlink()
    there = twin.snapshot()
    assert confirmed("resume").code == 2
    assert twin.snapshot() == there
    path.write_text(text)
    assert confirmed("resume").code == 0
    assert "name: medium" in (space / "sec/configs" / CONFIG).read_text()


def _in_force(space: Path) -> str:
    return read_config(space / "sec/configs" / CONFIG)[0].tier.name


def _half_way(direction: str, old: str, new: str) -> None:
    """A tier change, or the way back, to where the new stack is deployed and nobody has resumed."""
    assert confirmed(*direction.split(), "--execute").code == 3
    assert confirmed("provisioner", "delete-stack", "--tier", old, "--run").code == 0
    assert confirmed("resume").code == 3
    assert confirmed("provisioner", "deploy", "--tier", new, "--run").code == 0


def test_who_plans_anew_instead_of_resuming_has_the_config_of_the_stack_that_stands(
    space: Path, twin: Twin, start: Snapshot
) -> None:
    assert run("tier", "upgrade", "--to", "medium").code == 3
    _half_way("tier upgrade", "startup", "medium")
    assert (run("tier", "upgrade", "--to", "medium").code, _in_force(space)) == (3, "startup")
    ran = confirmed("tier", "upgrade", "--execute")
    assert (ran.code, _in_force(space), "the config of medium" in ran.out) == (0, "medium", True)
    # And back.
    assert run("rollback").code == 3
    _half_way("rollback", "medium", "startup")
    assert (run("rollback").code, _in_force(space)) == (3, "medium")
    ran = confirmed("rollback", "--execute")
    assert (ran.code, _in_force(space), "the config of startup" in ran.out) == (0, "startup", True)
    groups = {name: one.groups for name, one in twin.snapshot().users.items()}
    assert groups == {name: one.groups for name, one in start.users.items()}
    # Once it is so, nobody is told again.
    assert (run("rollback").code, _in_force(space)) == (0, "startup")


@pytest.mark.parametrize("killed", [False, True])
def test_who_rolls_back_instead_of_resuming_is_given_the_old_stack_back(
    space: Path, twin: Twin, start: Snapshot, *, killed: bool
) -> None:
    """The old stack is gone, and the journal knows only that it was waited for; or not even that."""
    run("tier", "upgrade", "--to", "medium")
    confirmed("tier", "upgrade", "--execute")
    if killed:
        (journal,) = (space / "journals").iterdir()
        *lines, last = journal.read_text().splitlines(keepends=True)
        assert '"waiting"' in last
        journal.write_text("".join(lines))
    assert confirmed("provisioner", "delete-stack", "--tier", "startup", "--run").code == 0
    planned = run("rollback", "--json")
    assert (planned.code, planned.document["dangers"]) == (3, [])
    assert planned.document["operations"][0]["method"] == "CreateStack"
    assert confirmed("rollback", "--execute").code == 3
    assert confirmed("provisioner", "deploy", "--tier", "startup", "--run").code == 0
    assert confirmed("resume").code == 0
    groups = {name: one.groups for name, one in twin.snapshot().users.items()}
    assert groups == {name: one.groups for name, one in start.users.items()}
    assert not any(name.startswith(PREFIX) for name in twin.snapshot().groups)


def test_who_rolls_back_while_the_old_stack_still_stands_needs_no_provisioner(
    space: Path, twin: Twin, start: Snapshot
) -> None:
    run("tier", "upgrade", "--to", "medium")
    confirmed("tier", "upgrade", "--execute")
    assert run("rollback").code == 3
    assert confirmed("rollback", "--execute").code == 0
    assert twin.snapshot().restorable().users == start.restorable().users


def test_the_plan_that_is_saved_is_the_one_that_is_meant(space: Path, twin: Twin) -> None:
    assert run("tier", "upgrade", "--to", "medium").code == 3
    for other in (("--to", "enterprise"), ("--to", "medium", "--no-bridge")):
        ran = confirmed("tier", "upgrade", *other, "--execute")
        assert (ran.code, "`secmigrate tier upgrade --to medium` made it" in ran.err) == (2, True), ran
    assert confirmed("tier", "upgrade", "--to", "medium", "--execute").code == 3


def test_a_config_that_was_edited_since_is_planned_first(space: Path, twin: Twin) -> None:
    assert run("tier", "upgrade", "--to", "medium").code == 3
    path = space / "sec/next" / CONFIG
    path.write_text(path.read_text().replace("  iam_groups:\n", "  iam_groups:\n    qa_testing: {}\n", 1))
    before = twin.snapshot()
    ran = confirmed("tier", "upgrade", "--execute")
    assert (ran.code, "stale-plan" in ran.err, "stack " in ran.err) == (4, True, True), ran
    assert twin.snapshot() == before
    assert run("tier", "upgrade", "--to", "medium").code == 3
    assert confirmed("tier", "upgrade", "--execute").code == 3
