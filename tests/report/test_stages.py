"""A report can be made at every stage: it says what is known, and what is not yet."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from msgspec import structs

from secmigrate import documents
from secmigrate.access import Comparison
from secmigrate.cli.report import facts
from secmigrate.journal import Writer
from secmigrate.reports.forms import FORMS
from secmigrate.reports.gathering import report
from secmigrate.workspace import Workspace
from tests.cli.runs import run
from tests.plan import tiers
from tests.report import stages

ACCEPTED = "30 of 41 users lose, or may lose, something; all of it is accepted in decisions.yaml."


def test_every_form_tells_every_stage(tmp_path: Path) -> None:
    space = stages.read(tmp_path / "migration")
    _of_an_inventory(_told(space, "The account was read; nothing is decided yet."))
    stages.decide(space, stages.ALL_ACCEPTED)
    known = facts(space).comparison  # the same at all stages, and slow
    _of_a_mapping(_told(space, ACCEPTED, known))
    for stage in stages.change(space):
        verdict = "What had been done was rolled back." if stage == "rolled back" else ACCEPTED
        CHECKS[stage](_told(space, verdict, known))


def _told(space: Workspace, verdict: str, known: Comparison | None = None) -> dict[str, Any]:
    """The JSON document, which fits its schema; the other forms are told as well and hold the verdict."""
    now = facts(space)
    told = report(structs.replace(now, comparison=known) if known else now)
    assert all(verdict in FORMS[form].render(told).decode() for form in ("html", "markdown"))
    found = json.loads(FORMS["json"].render(told))
    assert list(Draft202012Validator(documents.schema("report")).iter_errors(found)) == []
    return dict(found)


def test_the_same_files_give_the_same_bytes(mapped: Path, tmp_path: Path) -> None:
    for name in ("here", "elsewhere"):
        shutil.copytree(mapped, tmp_path / name)
    written = []
    for name in ("here", "elsewhere"):
        path = tmp_path / name / "reports" / "report.html"
        ran = run("report", "-w", tmp_path / name)
        assert (ran.code, ran.out) == (0, f"wrote {path}\n")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert str(tmp_path).encode() not in written[1]


def _of_an_inventory(found: dict[str, Any]) -> None:
    assert found["tier"] is None
    assert [one["hint"] for one in found["unknown"]] == ["secmigrate map"]
    assert all(one["after"] is None and one["way"] == 0 for one in found["people"])
    assert all(one["outcome"] == "" for one in (*found["groups"], *found["roles"]))
    assert (found["ways"], found["flows"], found["runs"]) == ([], [], [])
    assert next(one for one in found["roles"] if one["name"] == "long-training-operator")["people"] > 0


def _of_a_mapping(found: dict[str, Any]) -> None:
    assert found["tier"]["version"] == "enterprise-12"
    assert {one["hint"] for one in found["unknown"]} >= {"secmigrate readd", "secmigrate decommission"}
    assert all(one["now"] == one["before"] for one in found["people"])
    assert {one["mark"] for one in found["assumptions"]} == {"C", "I", "U"}
    assert found["plans"] == []


def _of_a_deployment(found: dict[str, Any]) -> None:
    assert [one["name"] for one in found["runs"]] == ["deploy"]
    assert all(one["now"] == one["before"] for one in found["people"])


def _of_a_readd(found: dict[str, Any]) -> None:
    amara = _person(found, "amara.okonkwo")
    assert amara["now"] == ["all-staff", "data-science-team", "lumen-prod-a001-group-data-scientists"]
    ingrid = _person(found, "ingrid.halvorsen")  # in ten groups: she leaves an old one before each new one
    assert len(ingrid["now"]) <= 10
    assert set(ingrid["before"]) - set(ingrid["now"]) - {"all-staff"}
    assert "unmapped-members" in [danger["code"] for plan in found["plans"] for danger in plan["dangers"]]


def _of_half_a_decommission(found: dict[str, Any]) -> None:
    last = found["runs"][-1]
    assert (last["name"], last["ended"]) == ("decommission", "")
    assert last["changed"] < last["calls"]
    assert {one["step"]: one["state"] for one in found["steps"]}["decommission"] == "blocked"


def _of_a_decommission(found: dict[str, Any]) -> None:
    assert _person(found, "amara.okonkwo")["now"] == _person(found, "amara.okonkwo")["after"]
    assert any("unique id" in one["what"] for one in found["gone"])
    assert found["unknown"] == []


def _of_a_rollback(found: dict[str, Any]) -> None:
    assert all(one["now"] == one["before"] for one in found["people"])
    assert found["gone"] == []
    assert any("unique id" in one["what"] for plan in found["plans"] for one in plan["caveats"])


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "deployed": _of_a_deployment,
    "readd": _of_a_readd,
    "half": _of_half_a_decommission,
    "decommissioned": _of_a_decommission,
    "rolled back": _of_a_rollback,
}


def _person(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(one) for one in found["people"] if one["name"] == name)


def test_without_an_inventory_there_is_nothing_to_tell(empty: Path) -> None:
    ran = run("report")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no inventory yet" in ran.err
    assert list(empty.iterdir()) == []


def test_an_unknown_form_is_named(mapped: Path) -> None:
    ran = run("report", "-w", mapped, "--format", "pdf")
    assert (ran.code, "hint: one of html, markdown, json" in ran.err) == (2, True)


def test_decisions_that_changed_since_and_what_terraform_manages_are_told(mapped: Path, tmp_path: Path) -> None:
    folder = tmp_path / "migration"
    shutil.copytree(mapped, folder)
    (folder / "decisions.yaml").write_text("groups:\n  mlops: {leave: they stay}\n")
    start = documents.read_snapshot(folder / "inventory.json")
    arn = start.arn(start.groups["mlops"])
    owned = structs.replace(start, owners={arn: "terraform aws_iam_group.mlops"})
    documents.write_snapshot(folder / "inventory.json", owned)
    ran = run("report", "-w", folder, "--json")
    assert ran.code == 0, ran
    found, page = ran.document, (folder / "reports" / "report.html").read_text()
    assert any("decisions.yaml" in one["what"] for one in found["unknown"])
    assert found["owners"] == {"terraform": [f"{arn} (terraform aws_iam_group.mlops)"]}
    assert found["unowned"]
    assert "managed by terraform aws_iam_group.mlops" in page


def test_a_change_of_tier_that_waits_for_the_provisioner_is_told(tmp_path: Path) -> None:
    live = tiers.account()
    documents.write_snapshot(tmp_path / "small.json", live)
    space = stages.read(tmp_path / "migration", tmp_path / "small.json")
    planned = tiers.planned(live)
    space.save_plan(planned, "")
    journal = Writer(space.journal_path(planned.name, "2026-12-05T18:00:00Z"), lambda: "2026-12-05T18:00:00Z")
    journal.plan(planned, "arn:aws:iam::111122223333:user/ana")
    journal.end("waiting")
    journal.close()
    found = _told(space, "The account was read; nothing is decided yet.")
    assert [(one["name"], one["ended"]) for one in found["runs"]] == [("tier-upgrade", "waiting")]
    assert found["steps"][-1]["step"] == "tier-upgrade"
    assert found["plans"][0]["destructive"] > 0
    page = FORMS["html"].render(report(facts(space))).decode()
    assert "waits for the provisioner" in page
    assert "The tier is raised" in page
