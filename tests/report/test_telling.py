"""What a report tells: accepted losses, the flow picture's numbers, Markdown and notices as they were agreed to."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate.errors import BadInput
from secmigrate.reports.flow import LEAST, flow_picture
from secmigrate.reports.migration import Flow, Report, Way
from secmigrate.reports.notices import file_name, notices, write
from secmigrate.reports.words import figures
from tests.cli.runs import run
from tests.report import agreed
from tests.report.agreed import ASKED


@pytest.mark.parametrize("name", agreed.NAMES)
def test_it_is_what_was_agreed(told: Report, name: str) -> None:
    assert agreed.made(told)[name] == (agreed.GOLDEN / name).read_text(), "python -m tests.report.agreed, then read it"


def test_who_is_not_affected_gets_no_notice(told: Report) -> None:
    texts = notices(told)
    unaffected = {one.name for one in told.people if not one.way and set(one.before) == set(one.after or ())}
    assert unaffected
    assert texts.keys() == {one.name for one in told.people} - unaffected
    assert all("not fixed yet" in text for text in texts.values())


def test_who_only_changes_groups_gets_one_sentence(told: Report) -> None:
    texts = notices(told, **ASKED)
    only = [one.name for one in told.people if one.affected and not one.way]
    assert only
    for name in only:
        body = " ".join(texts[name].splitlines()[2:])
        assert body.count("what you can do stays the same") == 1
        assert len(texts[name].splitlines()) <= 6


def test_every_line_of_a_notice_fits(told: Report) -> None:
    lines = [line for text in notices(told, **ASKED).values() for line in text.splitlines()]
    assert max(map(len, lines)) <= 78


def test_after_a_rollback_nobody_gets_a_notice(told: Report) -> None:
    undone = [structs.replace(one, state="done" if one.step in ("inventory", "map") else "next") for one in told.steps]
    rolled_back = structs.replace(undone[0], step="rollback", state="done")
    assert notices(structs.replace(told, steps=(*undone, rolled_back))) == {}


def test_notices_of_before_go_and_others_files_stay(told: Report, tmp_path: Path) -> None:
    write(tmp_path, {"ana": f"Your access in AWS account {told.account}: ana\n"})
    (tmp_path / "mine.txt").write_text("my own list\n")
    write(tmp_path, {"bo": f"Your access in AWS account {told.account}: bo\n"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bo.txt", "mine.txt"]


def test_file_names_are_safe_and_differ() -> None:
    names = ["..", ".", "-rf", "a", "_", "%2D", "a@b.c", "x" * 128]
    files = [file_name(name) for name in names if "%" not in name]
    assert not [name for name in files if name.startswith((".", "-")) or "/" in name]
    assert len(set(files)) == len(files)


def test_the_command_writes_them_and_says_how_many(mapped: Path, tmp_path: Path, told: Report) -> None:
    shutil.copytree(mapped, tmp_path / "m")
    ran = run("report", "-w", tmp_path / "m", "--notices", "--when", ASKED["when"], "--contact", ASKED["contact"])
    assert ran.code == 0, ran
    texts = notices(told, **ASKED)
    found = {path.stem: path.read_text() for path in (tmp_path / "m" / "reports" / "notices").iterdir()}
    assert found == dict(texts)
    assert f"wrote {len(texts)} notices" in ran.out
    assert f"not affected: {len(told.people) - len(texts)}" in ran.out


def test_notices_before_anything_is_decided_are_refused(told: Report) -> None:
    with pytest.raises(BadInput, match="nothing to tell people yet"):
        notices(structs.replace(told, tier=None))


def _of(told: Report, name: str) -> Way:
    number = next(one.way for one in told.people if one.name == name)
    return told.ways[number - 1]


def test_what_is_accepted_stands_apart_with_who_said_so(told: Report) -> None:
    amara, leilani = _of(told, "amara.okonkwo"), _of(told, "leilani.kahale")
    assert set(amara.people) == {"amara.okonkwo", "farid.benhaddou"}
    assert "leilani.kahale" in leilani.people
    assert set(amara.accepted) == {"sagemaker", "s3"}
    assert set(amara.lost) == {"iam"}
    assert amara.open
    assert leilani.accepted == {}
    assert set(leilani.lost) == {"sagemaker", "s3", "iam"}
    assert {part.accepted for part in amara.losses} == {0, 1}
    assert all(part.accepted == any(map(_accepted, part.actions)) for part in amara.losses)
    assert (told.accept[0].by, told.accept[0].why) == ("Maja Lindqvist", "training moved to the platform team")


def _accepted(action: str) -> bool:
    return action.startswith(("sagemaker:", "s3:"))


def test_nothing_is_lost_on_the_way_to_the_figures(told: Report) -> None:
    found = figures(told)
    assert found.users == found.same + sum(len(way.people) for way in told.ways)
    assert [way.n for way in told.ways] == list(range(1, len(told.ways) + 1))
    assert sorted(name for way in told.ways for name in way.people) == [one.name for one in told.people if one.way]
    opens = [way.open for way in told.ways]
    assert opens == sorted(opens, reverse=True)


def test_every_member_is_in_a_band(told: Report) -> None:
    for row in told.groups:
        assert sum(flow.people for flow in told.flows if flow.old == row.name) == row.people
    picture = flow_picture(told.flows)
    assert picture.count("<path") == len(told.flows)
    assert "data-science-team goes to lumen-prod-a001-group-data-scientists: 11 users" in picture


def test_forty_groups_do_not_overlap() -> None:
    flows = [Flow(f"team-{n:02}", f"lumen-prod-a001-group-{n % 12}" if n % 7 else "", n * n) for n in range(40)]
    picture = flow_picture([*flows, Flow("team-39", "lumen-prod-a001-group-1", 5)])
    for anchor in ("end", "start"):
        places = sorted(float(y) for y in re.findall(rf'y="([\d.]+)" text-anchor="{anchor}"', picture))
        gaps = [after - before for before, after in pairwise(places)]
        assert len(places) > 12
        assert min(gaps) >= LEAST
    assert "style=" not in picture


def test_nothing_flows_nowhere() -> None:
    assert flow_picture([]) == ""
