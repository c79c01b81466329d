"""`validate` on broken configs, as a person reads it; `python -m tests.cli.test_validate` writes all messages anew."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from secmigrate import documents
from secmigrate.iam import Group, Role, Snapshot
from tests import small
from tests.cli.runs import run

GOLDEN = Path(__file__).with_name("validate.txt")
SOUND = """\
client:
  company_prefix: edge
  tenant_id: "b001"
  account_id: "111122223333"
environment:
  env: prod
  region: eu-central-1
tier:
  name: medium
  version: medium-10
security:
  iam_groups:
    data_scientists:
      description: Build and train models
      managed_policies:
        - CloudWatchLogsReadOnlyAccess
      policy_assignments:
        s3: level2
        sagemaker: level2
    ml_engineers:
      policy_assignments: {s3: level2}
  service_roles:
    sagemaker_execution:
      service_principal: sagemaker.amazonaws.com
      policy_assignments: {s3: level2}
  assumable_roles:
    aml_engineer:
      mirrors_group: ml_engineers
  cross_account_roles:
    cicd_deployer:
      trusted_account_id: "444455556666"
      external_id: edge-deploy-7Kq2
      policy_assignments: {pipeline: level3}
"""
MANY = "\n".join(
    f"        - {name}"
    for name in sorted(
        one.name for one in documents.aws_managed().values() if one.path == "/" and one.name.startswith("AmazonS")
    )[:11]
)

OTHER = """\
    other:
      trusted_account_id: "555566667777"
      external_id: x-7Kq2-9
      policy_assignments: {s3: level1}
"""

# What is wrong: replacements in the sound config.
CASES: dict[str, list[tuple[str, str]]] = {
    "nothing": [],
    "not YAML": [("client:", "client: [")],
    "a tab": [("  env: prod", "\tenv: prod")],
    "a key twice": [("  env: prod", "  env: prod\n  env: dev")],
    "a section missing": [("environment:\n  env: prod\n  region: eu-central-1\n", "")],
    "a misspelt section": [("  iam_groups:", "  iam_group:")],
    "a misspelt field": [("      policy_assignments:\n        s3", "      policy_assigments:\n        s3")],
    "an account id without quotes that begins with a zero": [('"111122223333"', "011122223333")],
    "an account id that is too short": [('"111122223333"', '"11112222333"')],
    "another account than the inventory's": [('"111122223333"', '"999988887777"')],
    "a tenant of five characters": [('"b001"', '"b0011"')],
    "a prefix in capitals": [("edge\n", "Edge\n")],
    "an environment that there is not": [("env: prod", "env: production")],
    "a region that there is not": [("eu-central-1", "Frankfurt")],
    "a region of another partition": [("eu-central-1", "us-gov-west-1")],
    "a tier that there is not": [("name: medium", "name: large")],
    "a version of another tier": [("version: medium-10", "version: startup-5")],
    "a group of a higher tier": [
        ("    ml_engineers:\n", "    finops_managers: {managed_policies: [Billing]}\n    ml_engineers:\n")
    ],
    "a group of one's own": [
        ("    ml_engineers:\n", "    night_shift: {managed_policies: [IAMReadOnlyAccess]}\n    ml_engineers:\n")
    ],
    "a key with a hyphen": [("    ml_engineers:\n      policy", "    ml-engineers:\n      policy")],
    "a level that there is not": [("sagemaker: level2", "sagemaker: level9")],
    "a service that there is not": [("sagemaker: level2", "athena: level2")],
    "a level as a number": [("sagemaker: level2", "sagemaker: 2")],
    "a policy that AWS does not have": [("CloudWatchLogsReadOnlyAccess", "CloudWatchLogsReadAccess")],
    "a policy by its ARN": [("CloudWatchLogsReadOnlyAccess", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")],
    "a policy of the account's own": [("CloudWatchLogsReadOnlyAccess", "edge-data-read")],
    "a policy twice": [("- CloudWatchLogsReadOnlyAccess", "- IAMReadOnlyAccess\n        - IAMReadOnlyAccess")],
    "eleven policies": [("        - CloudWatchLogsReadOnlyAccess", MANY)],
    "a group that gives nothing": [
        ("      policy_assignments: {s3: level2}\n  service", "      description: later\n  service")
    ],
    "a mirror of no group": [("mirrors_group: ml_engineers", "mirrors_group: mlengineers")],
    "a mirror with levels of its own": [
        ("ml_engineers\n  cross", "ml_engineers\n      policy_assignments: {s3: level4}\n  cross")
    ],
    "an assumable role that gives nothing": [("      mirrors_group: ml_engineers", "      description: stands in")],
    "two keys of one name": [
        ("    aml_engineer:\n", "    sagemaker_execution: {mirrors_group: ml_engineers}\n    aml_engineer:\n")
    ],
    "a service principal without a domain": [("sagemaker.amazonaws.com", "sagemaker")],
    "no external id": [("      external_id: edge-deploy-7Kq2\n", "")],
    "an external id that is the account": [("edge-deploy-7Kq2", '"444455556666"')],
    "a cross-account role for the own account": [('"444455556666"', '"111122223333"')],
    "two cross-account roles in a tier of one": [("    cicd_deployer:", f"{OTHER}    cicd_deployer:")],
    "a role name that is too long": [("    aml_engineer:", f"    a{'_very' * 11}_long_key:")],
    "a role that is there already": [("    aml_engineer:", "    breakglass:")],
    "a group of another spelling that is there already": [("    data_scientists:", "    qa_testing:")],
    "several at once": [
        ("name: medium", "name: large"),
        ("s3: level2\n", "s3: level0\n"),
        ("ml_engineers\n", "nobody\n"),
    ],
}


def outcomes() -> str:
    """What `validate` says in each case."""
    told = []
    inventory = Snapshot(account=small.ACCOUNT)
    inventory = inventory.put(Role(name="edge-prod-b001-role-breakglass", trust=small.trust()))
    inventory = inventory.put(Group(name="Edge-Prod-B001-group-qa-testing"))
    Path("migration").mkdir()
    documents.write_snapshot(Path("migration/inventory.json"), inventory)
    for name, changes in CASES.items():
        text = SOUND
        for old, new in changes:
            assert old in text, name
            text = text.replace(old, new, 1)
        Path("config.yaml").write_text(text, encoding="utf-8")
        ran = run("validate", "config.yaml")
        told.append(f"--- {name}: {ran.code}\n{ran.out}{ran.err}")
    return "\n".join(told)


def test_what_is_said_of_broken_configs(empty: Path) -> None:
    assert outcomes() == GOLDEN.read_text(encoding="utf-8")
    assert len(CASES) > 30


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.stdout.flush()
        GOLDEN.write_text(outcomes(), encoding="utf-8")
