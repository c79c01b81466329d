"""Operations in order: what to do, checked at every step before anything is touched."""

from __future__ import annotations

from secmigrate.plan.creation import creation
from secmigrate.plan.decommission import decommission
from secmigrate.plan.fold import Kept, Plan, base_of, fold, refusal, sealed
from secmigrate.plan.moves import Move
from secmigrate.plan.quarantine import Quarantine
from secmigrate.plan.readd import readd
from secmigrate.plan.rollback import Tried, is_done, lasting, net, rollback
from secmigrate.plan.standing import Stack
from secmigrate.plan.tier import Way, tier_change
from secmigrate.plan.verify import verify

__all__ = [
    "Kept",
    "Move",
    "Plan",
    "Quarantine",
    "Stack",
    "Tried",
    "Way",
    "base_of",
    "creation",
    "decommission",
    "fold",
    "is_done",
    "lasting",
    "net",
    "readd",
    "refusal",
    "rollback",
    "sealed",
    "tier_change",
    "verify",
]
