"""`map` again: a person's edits of the config stay, and are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from secmigrate.documents import aws_managed, read_config, read_snapshot
from secmigrate.twin import Twin
from tests.cli.conftest import CONFIG, NAMES
from tests.cli.runs import Ran, run

HERE = Path("migration")
SCIENTISTS = "lumen-prod-a001-group-data-scientists"


def edited(*changes: tuple[str, str]) -> Ran:
    """`map`, after the first of each of these texts in the config was replaced."""
    file = HERE / CONFIG
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text)
    return run("map", "--json")


LEVEL = ("s3: level2\n        # C: dev-endpoints", "s3: level3  # agreed with Ana\n        # C: dev-endpoints")


def test_without_an_edit_nothing_changes(ready: Path) -> None:
    before = {file: file.read_bytes() for file in (HERE / CONFIG, HERE / "planned.json", HERE / "mapping.json")}
    assert run("map").code == 0
    assert {file: file.read_bytes() for file in before} == before


def test_a_level_that_a_person_chose_stays_and_is_planned(ready: Path) -> None:
    ran = edited(LEVEL)
    path = ["security", "iam_groups", "data_scientists", "policy_assignments", "s3"]
    assert (ran.code, ran.document["kept"]) == (0, [{"path": path, "theirs": "level3", "ours": "level2"}])
    assert f"  {'.'.join(path)}: level3, where map would say level2" in ran.err.splitlines()
    assert "        s3: level3 # agreed with Ana\n" in (HERE / CONFIG).read_text()
    assert "s3-level3" in read_snapshot(HERE / "planned.json").groups[SCIENTISTS].inline


def test_again_and_again_it_is_the_same(ready: Path) -> None:
    edited(
        LEVEL, ("tags: {}", "# ask finance\ntags: {cost_center: X1}"), ("  iam_groups:", "  iam_groups:\n    # mine")
    )
    once = (HERE / CONFIG).read_bytes()
    assert run("map").code == 0
    assert (HERE / CONFIG).read_bytes() == once
    assert b"# ask finance\ntags:\n  cost_center: X1\n" in once
    assert once.count(b"    # mine\n") == 1


def test_the_mark_of_a_level_that_a_person_chose_is_not_taken_for_her_comment(ready: Path) -> None:
    file = HERE / CONFIG
    texts: dict[str, list[str]] = {}
    for before, level in pairwise(("level2", "level1", "level4", "level3", "level1")):
        entry = file.read_text().partition("    data_scientists:\n")[2]
        edited((entry, entry.replace(f"sagemaker: {before}", f"sagemaker: {level}", 1)))
        texts.setdefault(level, []).append(file.read_text())
        assert run("map").code == 0
        assert file.read_text() == texts[level][-1]
    assert len(set(texts["level1"])) == 1
    assert "        # I: read-only\n        sagemaker: level1\n" in file.read_text()
    assert "level1\n        # I: read-only\n" not in file.read_text()


DEPLOYMENT = """\
deployment:   # as the vendor asked
  file_mode: 0755
  template_version: 1.10
  at: 1:30
  quoted: 'x'
  key: !!binary aGVsbG8=
  buckets:
      # for the EU
    - name: a
      # never delete
      size: 1
    - {name: b}
  text: |
    # no comment

    end
  # the last word
"""


@pytest.mark.parametrize("last", [False, True])
def test_what_is_under_deployment_stays_as_it_was_written(ready: Path, last: bool) -> None:
    file = HERE / CONFIG
    text = file.read_text().replace("deployment: {}\n", "" if last else DEPLOYMENT) + DEPLOYMENT * last
    file.write_text(text.replace("tags: {}", "# ask finance\ntags: {cost_center: X1}"))
    ran = run("map", "--json")
    assert (ran.code, ran.document["kept"]) == (0, [])
    once = file.read_text()
    assert once.count(DEPLOYMENT) == 1
    assert once.count("for the EU") == once.count("never delete") == once.count("the last word") == 1
    assert "# ask finance\ntags:\n  cost_center: X1\n" in once
    assert once.index("deployment:") < once.index("\ntags:")
    assert run("map", "--tier", "enterprise").code == 0
    assert file.read_text() == once


@pytest.mark.parametrize(
    ("tags", "whose"), [("tags: &all {owner: ana}\n", "tags: *all"), ("tags: *all\n", "tags: &all {owner: ana}")]
)
def test_what_stands_in_deployment_and_elsewhere_by_one_name_is_written_out(ready: Path, tags: str, whose: str) -> None:
    file, own = HERE / CONFIG, f"deployment:\n  # whose\n  {whose}\n"
    text = file.read_text().replace("deployment: {}\n", "").replace("tags: {}\n", "")
    file.write_text(text + (tags + own if "&" in tags else own + tags))
    assert run("map").code == 0
    text = file.read_text()
    assert "deployment:\n  # whose\n  tags:\n    owner: ana\n" in text
    assert "\ntags:\n  owner: ana\n" in text


def _without_mapping() -> None:
    (HERE / "mapping.json").unlink()


def _of_an_older_version() -> None:
    told = json.loads((HERE / "mapping.json").read_bytes())
    del told["written"]
    (HERE / "mapping.json").write_text(json.dumps(told))


def _of_another_config() -> None:
    """As after `map --env dev`."""
    config = HERE / CONFIG
    other = config.with_name(config.name.replace("-prod-", "-dev-"))
    other.write_text(config.read_text().replace("env: prod", "env: dev"))
    told = json.loads((HERE / "mapping.json").read_bytes())
    (HERE / "mapping.json").write_text(json.dumps({**told, "config": other.name}))


UNTOLD = (_without_mapping, _of_an_older_version, _of_another_config)


@pytest.mark.parametrize("untold", UNTOLD)
def test_where_nothing_tells_what_map_wrote_all_that_differs_is_hers(ready: Path, untold: Callable[[], None]) -> None:
    untold()
    (HERE / "decisions.yaml").write_text("groups:\n  all-staff: {become: night_shift}\n")
    file = HERE / CONFIG
    changes = (
        LEVEL,
        ("\n        # C: dev-endpoints\n        sagemaker: level2", ""),
        ("tags: {}", "# ask finance\ntags:\n  cost_center: X1"),
        ("deployment: {}", "deployment:\n  bucket: lumen-cfn"),
    )
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text)
    ran = run("map", "--env", "prod", "--json")
    assert ran.code == 0, ran
    kept = {".".join(one["path"][-2:]): (one["theirs"], one["ours"]) for one in ran.document["kept"]}
    assert kept == {
        "policy_assignments.s3": ("level3", "level2"),
        "policy_assignments.sagemaker": (None, "level2"),
    }
    assert "what differs from what it would write now counts as yours" in ran.err
    after = file.read_text()
    assert "s3: level3 # agreed with Ana\n" in after
    assert "# ask finance\ntags:\n  cost_center: X1\n" in after
    assert "    night_shift:\n" in after  # what is new comes in
    assert run("map", "--env", "prod").code == 0
    assert file.read_text() == after


@pytest.mark.parametrize("untold", UNTOLD)
def test_where_nothing_tells_what_map_wrote_and_nothing_was_edited_nothing_changes(
    ready: Path, untold: Callable[[], None]
) -> None:
    before = (HERE / CONFIG).read_bytes()
    untold()
    ran = run("map", "--env", "prod", "--json")
    assert (ran.code, ran.document["kept"]) == (0, [])
    assert (HERE / CONFIG).read_bytes() == before


def test_what_a_person_did_not_touch_follows_the_mapping(ready: Path) -> None:
    assert edited(LEVEL).code == 0
    (HERE / "decisions.yaml").write_text("groups:\n  all-staff: {become: night_shift}\n  qa-team: {leave: they go}\n")
    assert run("map").code == 0
    groups = read_config(HERE / CONFIG)[0].security.iam_groups
    assert "night_shift" in groups
    assert "qa_testing" not in groups
    assert groups["data_scientists"].policy_assignments["s3"] == "level3"


def test_policies_are_merged_one_by_one(ready: Path) -> None:
    more = "        - CloudWatchLogsReadOnlyAccess\n"
    ran = edited((more, f"{more}        - IAMReadOnlyAccess\n"))
    (kept,) = ran.document["kept"]
    assert kept["theirs"] == ["CloudWatchLogsReadOnlyAccess", "IAMReadOnlyAccess"]
    assert kept["ours"] == ["CloudWatchLogsReadOnlyAccess"]


def test_a_group_of_ones_own_stays(ready: Path) -> None:
    own = "    night_shift:\n      description: Nights\n      managed_policies: [IAMReadOnlyAccess]\n"
    ran = edited(("  iam_groups:\n", f"  iam_groups:\n{own}"))
    assert [one["ours"] for one in ran.document["kept"]] == [None]
    assert "lumen-prod-a001-group-night-shift" in read_snapshot(HERE / "planned.json").groups


def _without(key: str) -> Callable[[str], str]:
    def cut(text: str) -> str:
        lines = text.splitlines(keepends=True)
        start = lines.index(f"    {key}:\n")
        end = next(at for at in range(start + 1, len(lines)) if not lines[at].startswith("      "))
        return "".join((*lines[:start], *lines[end:]))

    return cut


def test_what_others_become_cannot_just_be_taken_out(ready: Path) -> None:
    file = HERE / CONFIG
    file.write_text(_without("qa_testing")(file.read_text()))
    before = {each: each.read_bytes() for each in HERE.rglob("*") if each.is_file()}
    ran = run("map")
    assert ran.code == 2
    assert "iam_groups.qa_testing was taken out, and qa-team becomes it" in ran.err
    assert "decisions.yaml" in ran.err
    assert {each: each.read_bytes() for each in HERE.rglob("*") if each.is_file()} == before
    (HERE / "decisions.yaml").write_text("groups:\n  qa-team: {leave: they go}\n")
    assert run("map").code == 0
    assert "qa_testing" not in read_config(file)[0].security.iam_groups


@pytest.mark.parametrize("broken", ["client: [", "- a list", "a: 1\na: 2\n"])
def test_a_broken_edit_is_told_and_nothing_is_written(ready: Path, broken: str) -> None:
    (HERE / CONFIG).write_text(broken)
    before = (HERE / "mapping.json").read_bytes()
    ran = run("map")
    assert ran.code == 2
    assert f"{CONFIG}:" in ran.err
    assert (HERE / CONFIG).read_text() == broken
    assert (HERE / "mapping.json").read_bytes() == before


@pytest.mark.usefixtures("ready")
def test_what_is_not_said_again_does_not_hold_and_is_told() -> None:
    def told(*words: str) -> str:
        ran = run("map", *words)
        assert ran.code == 0, ran.err
        found = [line for line in ran.out.splitlines() if line.startswith("not as last time")]
        return found[0].partition("when it was ")[2].partition(":")[0] if found else ""

    nothing = ("--skip", "group:*", "--skip", "role:*")
    assert told(*nothing, "--tier", "medium") == ""
    assert told(*nothing) == "--tier medium"
    assert told(*nothing) == ""
    assert told("--skip", "group:*") == "--skip role"
    assert told() == "--skip group"
    assert told() == ""


def test_what_is_accepted_for_nobody_is_told_by_map_and_by_every_plan(ready: Path) -> None:
    told = ["decisions.yaml names what is not there:", "  accept[0].actions: s3:GetObjct", "  accept[0].users: annna"]
    (HERE / "decisions.yaml").write_text("accept:\n- {actions: ['s3:GetObjct', 's3:*'], users: [annna], why: typed}\n")
    ran = run("map")
    assert ran.code == 0
    assert "\n".join(told) in ran.out
    with Twin(read_snapshot(HERE / "inventory.json"), aws_managed=aws_managed()) as twin:
        for words in (("readd",), ("decommission",), ("verify",)):
            ran = run(*words, "--json", "--endpoint-url", twin.url)
            assert "\n".join(told) in ran.err, ran


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_config_as_editors_on_windows_save_it_is_the_same(ready: Path, encoding: str) -> None:
    file = HERE / CONFIG
    before = file.read_bytes()
    file.write_bytes(before.decode().replace("\n", "\r\n").encode(encoding))
    assert run("validate").code == 0
    assert run("map").code == 0
    assert file.read_bytes() == before


def test_a_config_that_is_no_text_is_an_error_with_its_line(ready: Path) -> None:
    file = HERE / CONFIG
    file.write_bytes(file.read_bytes().replace(b"tags: {}", b"tags: {owner: gr\xf6\xdfe}"))
    ran = run("map")
    assert ran.code == 2
    assert f"{CONFIG}:" in ran.err


def test_the_config_of_another_tier_is_kept_and_told(ready: Path) -> None:
    text = (ready / "migration" / CONFIG).read_text()
    ran = run("map", *NAMES, "--only", "group:data-science-team", "--tier", "startup")
    kept = ready / "migration/sec/tiers/enterprise" / Path(CONFIG).name
    assert kept.read_text() == text
    assert f"the config of the tier enterprise is kept in {kept.relative_to(ready)}" in ran.out
    again = run("map", *NAMES, "--only", "group:data-science-team", "--tier", "startup")
    assert "is kept in" not in again.out
