"""What is carried out is what was reviewed: the plan that one means, and one that would be made the same today."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import msgspec
import pytest

from secmigrate import documents, plan
from secmigrate.cli import change
from secmigrate.documents import read_snapshot
from secmigrate.iam import Snapshot
from secmigrate.twin import Twin
from tests.cli.runs import Ran, run

HERE = Path("migration")
ACCEPT = "accept:\n- {actions: ['*'], why: invented}\n"
LEAVE = "groups:\n  data-science-team: {leave: the night shift still needs it}\n"
OLD = "data-science-team"


@pytest.fixture(scope="session")
def moved(prepared: Path, example: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Snapshot]:
    """A workspace and its account after `readd --execute`; all losses are accepted."""
    folder = tmp_path_factory.mktemp("moved") / "migration"
    shutil.copytree(prepared, folder)
    (folder / "decisions.yaml").write_text(ACCEPT)
    deployed = example
    for operation in plan.creation(example, read_snapshot(folder / "planned.json")).operations:
        deployed = operation.applied(deployed)
    with Twin(deployed, aws_managed=documents.aws_managed()) as twin, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "invented")
        at = ("-w", folder, "--endpoint-url", twin.url)
        assert run("readd", *at).code == 3
        assert run("readd", *at, "--execute", "--confirm-account", example.account).code == 0
        return folder, twin.snapshot()


@pytest.fixture
def twin(moved: tuple[Path, Snapshot], empty: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    folder, account = moved
    shutil.copytree(folder, HERE)
    with Twin(account, aws_managed=documents.aws_managed()) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


def confirmed(*words: str) -> Ran:
    return run(*words, "--confirm-account", "111122223333")


def refused(twin: Twin, ran: Ran, *said: str, code: int = 4) -> None:
    """It was, it says why, and nothing was called."""
    assert (ran.code, [one for one in said if one not in ran.err]) == (code, []), ran
    assert not [call for call in twin.calls if not call.startswith(("Get", "List", "Describe"))], ran


def days_ago(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Then:
            then = datetime.now(tz) - timedelta(days=days)
            return cls(then.year, then.month, then.day, then.hour, tzinfo=tz)

    monkeypatch.setattr(change, "datetime", Then)


@pytest.mark.parametrize(
    ("planned", "executed"),
    [
        ("rollback", "rollback --only user:kofi.asantewaa"),
        ("rollback", "rollback --users-only"),
        ("rollback --users-only --only user:kofi.asantewaa", "rollback --only user:kofi.asantewaa"),
        ("decommission", "decommission --quarantine none"),
        ("decommission", "decommission --unused-days 30"),
        ("decommission --quarantine all", "decommission --quarantine roles"),
        ("decommission --quarantine-days 0", "decommission --quarantine-days 7"),
    ],
)
def test_another_plan_than_the_one_that_is_saved_is_not_carried_out(twin: Twin, planned: str, executed: str) -> None:
    assert run(*planned.split()).code == 3
    ran = confirmed(*executed.split(), "--execute")
    other = executed if executed.rsplit(maxsplit=1)[-1] not in ("roles", "7") else "decommission"
    refused(twin, ran, f"`secmigrate {planned}`", f"hint: `secmigrate {other}`", code=2)


@pytest.mark.parametrize(
    ("planned", "executed"),
    [
        ("rollback --only user:kofi.asantewaa", "rollback"),
        ("rollback --only user:kofi.asantewaa --only role:x", "rollback --only role:x --only user:kofi.asantewaa"),
        ("decommission --quarantine all --unused-days 30", "decommission --unused-days 30 --quarantine all"),
        ("decommission", "decommission --quarantine roles"),
    ],
)
def test_the_same_options_or_none_mean_the_saved_one(twin: Twin, planned: str, executed: str) -> None:
    assert run(*planned.split()).code == 3
    assert confirmed(*executed.split(), "--execute").code == 0


def test_a_plan_of_which_nobody_knows_how_it_was_asked_for_is_carried_out_without_options(twin: Twin) -> None:
    assert run("rollback").code == 3
    path = HERE / "plans/rollback.json"
    path.write_bytes(
        msgspec.json.encode({k: v for k, v in msgspec.json.decode(path.read_bytes()).items() if k != "asked"})
    )
    refused(twin, confirmed("rollback", "--users-only", "--execute"), "does not say", code=2)
    assert confirmed("rollback", "--execute").code in (0, 3)


def test_what_is_left_by_now_is_not_taken_away(twin: Twin) -> None:
    assert run("decommission").code == 3
    (HERE / "decisions.yaml").write_text(LEAVE + ACCEPT)
    assert run("map").code == 0
    refused(twin, confirmed("decommission", "--execute"), "stale-plan: decisions.yaml", f": group {OLD}\n")
    assert run("decommission").code == 3
    assert confirmed("decommission", "--execute").code == 0
    assert OLD in twin.snapshot().groups


def test_nor_is_what_somebody_would_lose_by_and_nobody_accepts_any_more(twin: Twin) -> None:
    assert run("decommission").code == 3
    (HERE / "decisions.yaml").write_text("accept: []\n")
    refused(twin, confirmed("decommission", "--execute"), "stale-plan", f"group {OLD} stays: ")


def test_nobody_is_moved_where_she_does_not_go_any_more(twin: Twin) -> None:
    assert run("rollback", "--users-only").code == 3
    assert confirmed("rollback", "--execute").code == 0
    assert run("readd").code == 3
    (HERE / "decisions.yaml").write_text(LEAVE + ACCEPT)
    assert run("map").code == 0
    twin.calls.clear()
    refused(twin, confirmed("readd", "--execute"), "stale-plan", " is not touched any more")


def test_rest_in_quarantine_begins_on_the_day_of_the_call(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        days_ago(earlier, 8)
        assert run("decommission").code == 3
    then = (datetime.now(UTC) - timedelta(days=8)).strftime("%Y-%m-%d")
    refused(twin, confirmed("decommission", "--execute"), "stale-plan", f"was planned on {then}")


def test_a_plan_in_which_no_day_counts_may_be_older(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        days_ago(earlier, 8)
        assert run("decommission", "--quarantine", "none").code == 3
    assert confirmed("decommission", "--execute").code == 0


def test_what_is_left_by_now_stays_where_the_rest_would_take_it_away(twin: Twin) -> None:
    assert run("decommission").code == 3
    assert confirmed("decommission", "--execute", "--stop-before", "strip").code == 3
    (HERE / "decisions.yaml").write_text(LEAVE + ACCEPT)
    twin.calls.clear()
    refused(twin, confirmed("resume"), f"group {OLD}", "`secmigrate decommission`", "`secmigrate rollback`")
    assert run("map").code == 0
    refused(twin, confirmed("resume"), f"group {OLD}")
    assert run("decommission").code == 3
    assert confirmed("decommission", "--execute").code == 0
    assert OLD in twin.snapshot().groups


def test_other_decisions_do_not_keep_anybody_from_going_on(twin: Twin) -> None:
    assert run("decommission").code == 3
    assert confirmed("decommission", "--execute", "--stop-before", "strip").code == 3
    (HERE / "decisions.yaml").write_text("groups:\n  all-staff: {leave: says who works here}\n")
    assert confirmed("resume").code == 0


@pytest.mark.parametrize("option", ["--unused-days", "--quarantine-days"])
@pytest.mark.parametrize("days", ["36501", "1000000", "99999999999"])
def test_more_days_than_a_calendar_has_are_none(empty: Path, option: str, days: str) -> None:
    ran = run("decommission", option, days, "--json")
    assert (ran.code, ran.document["kind"], days in ran.err) == (2, "error", True), ran


def test_groups_that_rested_and_went_come_back_under_their_first_names(
    twin: Twin, example: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made anew as they were last, in quarantine, and named as before: nobody sees them there then."""
    with monkeypatch.context() as then:
        days_ago(then, 8)
        assert run("decommission", "--quarantine", "all").code == 3
        assert confirmed("decommission", "--execute").code == 0
    assert run("decommission", "--quarantine", "all").code == 3
    assert confirmed("decommission", "--execute").code == 0
    assert OLD not in twin.snapshot().groups
    assert run("rollback").code == 3
    assert confirmed("rollback", "--execute").code in (0, 3)
    back = twin.snapshot()
    assert {name: back.members[name] for name in example.groups} == example.members
