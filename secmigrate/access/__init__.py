"""What somebody can do, and what becomes of it: the action catalogue, pattern algebra, effective access, comparison."""

from __future__ import annotations

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.comparing import Comparer, Row
from secmigrate.access.effective import Sides
from secmigrate.access.granting import Grants
from secmigrate.access.people import Change, Comparison, Reached
from secmigrate.access.watching import Accepted, Passage, Watch, idle

__all__ = [
    "Accepted",
    "ActionCatalogue",
    "Change",
    "Comparer",
    "Comparison",
    "Grants",
    "Passage",
    "Reached",
    "Row",
    "Sides",
    "Watch",
    "idle",
]
