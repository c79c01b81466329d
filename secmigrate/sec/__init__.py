"""What is wanted: the SEC config, its tiers, levels and names, and the IAM that they come to.

Facts and marks (C certain, I inferred, U unknown): sec-provisioner. Nothing of it is known to the code alone: tiers and
levels are data in `mappings/`, and reach these functions as arguments.
"""

from __future__ import annotations

from secmigrate.sec.config import (
    SECTIONS,
    Assignments,
    AssumableRole,
    Client,
    Counts,
    CrossAccountRole,
    Entry,
    Environment,
    GroupEntry,
    Level,
    Levels,
    Mark,
    SecConfig,
    Section,
    Security,
    Service,
    ServiceRole,
    Tier,
    TierName,
    deployed,
    file_name,
    owner,
    partition,
)
from secmigrate.sec.finding import ConfigPath, Finding
from secmigrate.sec.findings import INLINE_SIZE, NAME_LENGTH, findings, require
from secmigrate.sec.merging import Kept, merge
from secmigrate.sec.planned import Rendered, Values, by_name, fill, managed, placeholders, planned, trust

__all__ = [
    "INLINE_SIZE",
    "NAME_LENGTH",
    "SECTIONS",
    "Assignments",
    "AssumableRole",
    "Client",
    "ConfigPath",
    "Counts",
    "CrossAccountRole",
    "Entry",
    "Environment",
    "Finding",
    "GroupEntry",
    "Kept",
    "Level",
    "Levels",
    "Mark",
    "Rendered",
    "SecConfig",
    "Section",
    "Security",
    "Service",
    "ServiceRole",
    "Tier",
    "TierName",
    "Values",
    "by_name",
    "deployed",
    "file_name",
    "fill",
    "findings",
    "managed",
    "merge",
    "owner",
    "partition",
    "placeholders",
    "planned",
    "require",
    "trust",
]
