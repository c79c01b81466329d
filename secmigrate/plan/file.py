"""A plan as it lies in a file: what people and scripts read, and each operation whole, so that it can be applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from secmigrate.dangers import Danger
from secmigrate.errors import BadInput
from secmigrate.operations import AnyOperation
from secmigrate.plan.asked import Asked
from secmigrate.plan.fold import Kept, Plan, PlanName


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operation with what can be derived from it, for those who cannot derive it."""

    n: int
    phase: str
    method: str
    params: Mapping[str, Any]
    destructive: bool
    caveat: str
    operation: AnyOperation


class PlanFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contract's form of a plan."""

    name: PlanName
    account: str
    based_on: str
    fingerprint: str
    operations: tuple[Step, ...]
    dangers: tuple[Danger, ...]
    kept: tuple[Kept, ...]
    used: Mapping[str, str] = {}
    asked: Asked | None = None  # with which options; None: nobody knows
    config_changes: tuple[str, ...] = ()  # what a tier change does to the config, for people
    kind: Literal["plan"] = "plan"
    version: Literal[1] = 1


def to_file(plan: Plan, asked: Asked | None = None) -> PlanFile:
    """The plan for a file, with what it was asked for."""
    return PlanFile(
        name=plan.name,
        account=plan.account,
        based_on=plan.based_on,
        fingerprint=plan.fingerprint,
        operations=tuple(_step(n, operation) for n, operation in enumerate(plan.operations, 1)),
        dangers=plan.dangers,
        kept=plan.kept,
        used=plan.used,
        asked=asked,
    )


def from_file(file: PlanFile) -> Plan:
    """The plan of a file. Only the operations count, which `apply` checks by the fingerprint; so what stands beside one
    for people to read must be what it does. Raises BadInput.
    """
    for n, step in enumerate(file.operations, 1):
        if step != _step(n, step.operation):
            raise BadInput(f"operations[{n - 1}]: what it says is not what its `operation` does")
    return Plan(
        name=file.name,
        account=file.account,
        based_on=file.based_on,
        operations=tuple(step.operation for step in file.operations),
        dangers=file.dangers,
        kept=file.kept,
        used=file.used,
        fingerprint=file.fingerprint,
    )


def _step(n: int, operation: AnyOperation) -> Step:
    call = operation.call()
    return Step(
        n=n,
        phase=operation.phase,
        method=call.method,
        params=call.params,
        destructive=operation.destructive,
        caveat=operation.caveat,
        operation=operation,
    )
