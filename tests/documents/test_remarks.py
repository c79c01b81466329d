"""A person's comments in a config: wherever they stand, they stand there again, and none is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from secmigrate.documents import Remark, config_text, read_config, remarks
from secmigrate.documents.config_files import config_of
from secmigrate.sec import SecConfig

OURS = """\
# made by map
client:
  company_name: Lumen
  company_prefix: lumen
  account_id: "111122223333"
  tenant_id: a001
environment:
  env: prod
  region: eu-central-1
tier:
  name: startup
  version: startup-5
security:
  iam_groups:
    data_engineers:
      description: builds pipelines
      managed_policies:
        - ReadOnlyAccess
        - job-function/Billing
      policy_assignments:
        s3: level2
    ml_engineers:
      description: trains models
"""
THEIRS = """\
# made by map
# ours since May
client: # Lumen & co
  company_name: "Lumen #1"   # with a number sign
  company_prefix: lumen
  account_id: "111122223333"
  tenant_id: a001
environment:
  env: prod
  region: eu-central-1
tier:
  name: startup
  version: startup-5
security:
  iam_groups:
    data_engineers:
      description: >  # folded
        builds pipelines
        # not a comment, she says
      # asked for by the auditors:
      managed_policies:
        # until June
        - ReadOnlyAccess   # ticket 7
        - job-function/Billing # for the bill
      policy_assignments: {s3: level2}  # in one line
    # the others
    ml_engineers:
      description: "trains
        models"  # on two lines
# the end
"""
GROUPS = ("security", "iam_groups")
DATA = (*GROUPS, "data_engineers")


def config(text: str, folder: Path) -> SecConfig:
    path = folder / "config.yaml"
    path.write_text(text)
    return read_config(path)[0]


def test_comments_are_found_wherever_they_stand() -> None:
    assert remarks(THEIRS, OURS) == {
        ("client",): Remark(("ours since May",), "Lumen & co"),
        ("client", "company_name"): Remark(behind="with a number sign"),
        (*DATA, "description"): Remark(behind="folded"),
        (*DATA, "managed_policies"): Remark(("asked for by the auditors:",)),
        (*DATA, "managed_policies", "ReadOnlyAccess"): Remark(("until June",), "ticket 7"),
        (*DATA, "managed_policies", "job-function/Billing"): Remark(behind="for the bill"),
        (*DATA, "policy_assignments"): Remark(behind="in one line"),
        (*GROUPS, "ml_engineers"): Remark(("the others",)),
        (*GROUPS, "ml_engineers", "description"): Remark(behind="on two lines"),
        (): Remark(("the end",)),
    }


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_comments_stand_there_again_and_stay(tmp_path: Path, line: str) -> None:
    found = remarks(THEIRS.replace("\n", line), OURS)
    text = config_text(config(THEIRS, tmp_path), {}, found)
    assert remarks(text, config_text(config(THEIRS, tmp_path), {})) == found
    assert config(text, tmp_path) == config(THEIRS, tmp_path)


def test_a_comment_at_what_is_gone_is_kept_near_it(tmp_path: Path) -> None:
    text = config_text(config(OURS.replace("        - ReadOnlyAccess\n", ""), tmp_path), {}, remarks(THEIRS, OURS))
    assert "      # ReadOnlyAccess: until June\n      # ReadOnlyAccess: ticket 7\n      managed_policies:\n" in text
    gone = OURS[: OURS.index("    ml_engineers")]
    text = config_text(config_of(gone), {}, remarks(THEIRS, OURS))
    assert "  # ml_engineers: the others\n" in text
    assert "  # description: on two lines\n" in text
    for comment in ("ours since May", "ticket 7", "in one line", "the end"):
        assert comment in text
