"""Random accounts go the road in any order, the provisioner's part included, and come back to where they began."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from secmigrate import documents
from secmigrate.cli.demo import nobodys_credentials
from secmigrate.iam import Snapshot
from secmigrate.journal import read_journal
from secmigrate.operations import PHASES, CreateStack, DeleteStack
from secmigrate.twin import Twin
from tests.accounts import accounts
from tests.cli.conftest import NAMES
from tests.cli.runs import Ran, run

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
WALKS = 150 if NIGHTLY else 3
TIERS = ("startup", "medium", "enterprise")
HALTED = 0.25  # of all runs, those that somebody has stop before a phase
# Of all times when it is the provisioner's turn, those when something else is done behind it than resume.
LEFT = 0.3 if NIGHTLY else 0.0
# What somebody may do next, and how often of all.
STEPS = {
    "readd": 3,
    "decommission": 2,
    "decommission --quarantine none": 2,
    "decommission --quarantine-days 0": 1,
    "rollback": 1,
    "rollback --users-only": 1,
    "rollback --only": 2,
    "tier": 2,
    "inventory": 1,
    "map": 1,
    "verify": 1,
    "report": 1,
    "resume --confirm-account": 1,
}


class _Walk:
    """One account on its way; `random` decides where it goes."""

    def __init__(self, twin: Twin, before: Snapshot, random: Random) -> None:
        self.twin, self.before, self.random = twin, before, random
        self.taken: list[str] = []  # for whoever reads why it failed

    def run(self, *words: str) -> Ran:
        ran = run(*words)
        self.taken.append(f"{' '.join(words)} -> {ran.code}")
        assert ran.code in range(5), (self.taken, ran.err)
        return ran

    def start(self) -> None:
        """Up to the deployed stack; all that is lost is accepted, and what is ambiguous stays."""
        self.run("inventory")
        found = self.run("map", *NAMES, "--json").document
        lines = ["kind: decisions", "version: 1", "accept:", "- {actions: ['*'], why: invented}"]
        for kind in ("groups", "roles"):
            left = [one["name"] for one in found[kind] if one["outcome"] == "ambiguous"]
            lines += [f"{kind}:"] * bool(left) + [f"  {name!r}: {{leave: invented}}" for name in left]
        Path("migration/decisions.yaml").write_text("\n".join(lines))
        assert self.run("map", *NAMES).code == 0
        assert self.run("rehearse").code in (0, 4)
        planned = documents.read_snapshot(Path("migration/planned.json"))
        if planned.groups or planned.roles:
            assert self.twin.create_stack(self.stack, planned) == "CREATE_COMPLETE"

    @property
    def stack(self) -> str:
        """The stack of the config in force."""
        (config,) = Path("migration/sec/configs").iterdir()
        return documents.read_config(config)[0].stack

    def step(self) -> None:
        """Something that a person might do now; what is planned, is done."""
        chosen = self.random.choices(list(STEPS), list(STEPS.values()))[0].split()
        if chosen[-1] == "--only":
            things = [f"{kind}:{one}" for kind in ("user", "group", "role") for one in getattr(self.before, f"{kind}s")]
            chosen.append(self.random.choice(things or ["role:*"]))
        elif chosen == ["tier"]:
            here = next(tier for tier in TIERS if f"-{tier}-" in self.stack)
            to = self.random.choice([tier for tier in TIERS if tier != here])
            chosen += ["upgrade" if TIERS.index(to) > TIERS.index(here) else "downgrade", "--to", to]
        elif chosen[-1] == "--confirm-account":
            chosen.append(self.before.account)
        elif chosen == ["map"]:
            chosen += NAMES
        if chosen[0] in ("readd", "decommission", "rollback", "tier"):
            self.go(*chosen)
        else:
            self.run(*chosen)

    def go(self, *words: str, halted: float = HALTED, left: float = LEFT) -> None:
        """Plans, and carries out what is not refused, with the provisioner's part."""
        if self.run(*words, "--json").code not in (0, 3):
            return
        name = words if words[0] == "tier" else words[:1]
        halt = ("--stop-before", self.random.choice(PHASES)) if self.random.random() < halted else ()
        ran = self.run(*name, "--execute", "--confirm-account", self.before.account, *halt)
        assert "stale-plan" not in ran.err, (self.taken, ran.err)  # nothing has changed since it was planned
        while pending := self._pending():
            self._provision(pending)
            if self.random.random() < left:
                return
            ran = self.run("resume", "--confirm-account", self.before.account)
            assert ran.code in (0, 3), (self.taken, ran.err)

    def _pending(self) -> CreateStack | DeleteStack | None:
        newest = max(Path("migration/journals").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, default=None)
        return read_journal(newest).waits_for if newest else None

    def _provision(self, pending: CreateStack | DeleteStack) -> None:
        if isinstance(pending, DeleteStack):
            assert self.twin.delete_stack(pending.stack) == "DELETE_COMPLETE", self.taken
            return
        held = Snapshot(account=self.before.account)
        for one in pending.things:
            held = held.put(one)
        assert self.twin.create_stack(pending.stack, held) == "CREATE_COMPLETE", self.taken


@settings(
    max_examples=WALKS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(accounts(), st.integers(0, 2**32).map(Random), st.integers(4, 11))
def test_wherever_somebody_goes_there_is_a_way_back(before: Snapshot, random: Random, steps: int) -> None:
    home = Path.cwd()
    with (
        tempfile.TemporaryDirectory() as folder,
        Twin(before, aws_managed=documents.aws_managed()) as twin,
        nobodys_credentials(twin),
    ):
        os.chdir(folder)
        try:
            walk = _Walk(twin, before, random)
            walk.start()
            for _ in range(steps):
                walk.step()
            walk.go("rollback", halted=0, left=0)
            twin.delete_stack(walk.stack)  # one whose groups nobody ever joined was left standing
            assert twin.snapshot().restorable() == before.restorable(), walk.taken
        finally:
            os.chdir(home)
