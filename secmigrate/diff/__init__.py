"""What differs: planned against existing, and the provisioner's exports against both."""

from __future__ import annotations

from secmigrate.diff.exports import Compared, Exported, compared
from secmigrate.diff.snapshots import Diff, Different, Item, describe, diff, since

__all__ = ["Compared", "Diff", "Different", "Exported", "Item", "compared", "describe", "diff", "since"]
