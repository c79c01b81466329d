"""How a thing finds its rule: `decide` on everything, `choose_tier`, `sec_config`.

The rules are data (`mappings/`); `catalogue` makes them from parsed files. Two kinds of evidence speak for a rule, the
name and the policies, each with weight one. Whoever has most wins; equal weights are a person's to decide.
"""

from __future__ import annotations

from secmigrate.mapping.answers import SCOPES, Decisions, Ending, Endings, GroupAnswer, RoleAnswer, Scope
from secmigrate.mapping.building import level_comments, sec_config, sec_yaml_comments
from secmigrate.mapping.calibrating import (
    Calibration,
    Difference,
    Export,
    Learned,
    LearnedLevels,
    calibrated,
    differences,
    with_learned,
)
from secmigrate.mapping.decide import Names, decide, ladders_of
from secmigrate.mapping.joined import Joined, joined
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.outcomes import (
    NOT_CARRIED,
    Ambiguous,
    Decision,
    Kind,
    LeftOut,
    Mapped,
    Reading,
    Unmapped,
    explain,
    mapped,
    outcome,
)
from secmigrate.mapping.proof import Failure, decide_example, prove
from secmigrate.mapping.retiering import Lacking, Parting, Retiered, edited, parting, retiered
from secmigrate.mapping.rules import Catalogue, Example, Rule, catalogue
from secmigrate.mapping.splitting import Split, splits
from secmigrate.mapping.tiers import TierChoice, choose_tier
from secmigrate.mapping.unreached import Unreached, unreached

__all__ = [
    "NOT_CARRIED",
    "SCOPES",
    "Ambiguous",
    "Calibration",
    "Catalogue",
    "Decision",
    "Decisions",
    "Difference",
    "Ending",
    "Endings",
    "Example",
    "Export",
    "Failure",
    "GroupAnswer",
    "Joined",
    "Kind",
    "Lacking",
    "Ladders",
    "Learned",
    "LearnedLevels",
    "LeftOut",
    "Mapped",
    "Names",
    "Parting",
    "Reading",
    "Retiered",
    "RoleAnswer",
    "Rule",
    "Scope",
    "Split",
    "TierChoice",
    "Unmapped",
    "Unreached",
    "calibrated",
    "catalogue",
    "choose_tier",
    "decide",
    "decide_example",
    "differences",
    "edited",
    "explain",
    "joined",
    "ladders_of",
    "level_comments",
    "mapped",
    "outcome",
    "parting",
    "prove",
    "retiered",
    "sec_config",
    "sec_yaml_comments",
    "splits",
    "unreached",
    "with_learned",
]
