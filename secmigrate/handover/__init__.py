"""How those who manage IAM let go of what is decommissioned: Terraform, and CloudFormation stacks (CDK's as well)."""

from __future__ import annotations

from secmigrate.handover.stacks import Besides, Release, aspect, hangs_on, release, releases
from secmigrate.handover.terraform import (
    ATTACHED,
    EXCLUSIVE,
    INLINE,
    MADE_BY_AWSCC,
    Handover,
    Resource,
    Thing,
    about,
    configuration,
    handover,
    leaving,
    script,
    takes_away,
)

__all__ = [
    "ATTACHED",
    "EXCLUSIVE",
    "INLINE",
    "MADE_BY_AWSCC",
    "Besides",
    "Handover",
    "Release",
    "Resource",
    "Thing",
    "about",
    "aspect",
    "configuration",
    "handover",
    "hangs_on",
    "leaving",
    "release",
    "releases",
    "script",
    "takes_away",
]
