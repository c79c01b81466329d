"""Where the files of one migration lie, and what they hold."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct, structs

from secmigrate.documents import (
    names_in,
    private_folder,
    read_bytes,
    read_config,
    read_decisions,
    read_json,
    read_snapshot,
    write_json,
    write_snapshot,
    write_whole,
)
from secmigrate.errors import BadInput, Failed, Refused
from secmigrate.iam import Document, Snapshot, Usage
from secmigrate.journal import Journal, has_begun, read_journal
from secmigrate.mapping import Decisions, Endings, LearnedLevels
from secmigrate.plan import Move, Plan, Tried, net
from secmigrate.plan.asked import Asked
from secmigrate.plan.file import PlanFile, from_file, to_file
from secmigrate.plan.fold import PlanName
from secmigrate.sec import SECTIONS, SecConfig

Fit = Literal["cover", "used"]  # levels cover what is allowed, or what was used in the last year

ACCOUNTS = "accounts.json"  # what makes a folder one of many workspaces

RESTORE = "bring back the first one, from a backup or from where this folder was copied"

_STAMP = re.compile(r"(?<=-)\d{8}T\d{6}Z(\.\d+)?(?=\.jsonl$)")  # how a journal's name ends


class Members(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who was in which group when the inventory was made."""

    account: str
    groups: Mapping[str, tuple[str, ...]]
    kind: Literal["user-group-mappings"] = "user-group-mappings"
    version: Literal[1] = 1


class Outcome(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `map` decided: what the later steps go by."""

    account: str
    tier: str
    config: str  # the config's file name
    config_sha256: str  # of the config as it was mapped, with a person's edits
    written: str = ""  # the config as `map` would have written it, without them
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fit: Fit = "cover"
    moves: tuple[Move, ...] = ()
    unmapped: tuple[str, ...] = ()  # groups without a counterpart, for whatever reason
    kind: Literal["mapping"] = "mapping"
    version: Literal[1] = 1


class Sources(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is told who manages what: states and templates, as absolute paths."""

    places: tuple[str, ...]
    kind: Literal["sources"] = "sources"
    version: Literal[1] = 1


class LevelsFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `calibrate` learned: the documents of levels, which here take the place of ours."""

    services: LearnedLevels
    kind: Literal["levels"] = "levels"
    version: Literal[1] = 1


class Workspace:
    """The folder of one migration; see the contract for its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inventory = folder / "inventory.json"
        self.sources = folder / "sources.json"
        self.members_json = folder / "user-group-mappings.json"
        self.members_text = folder / "user-group-mappings.txt"
        self.decisions = folder / "decisions.yaml"
        self.mapping = folder / "mapping.json"
        self.planned = folder / "planned.json"
        self.usage = folder / "usage.json"
        self.levels = folder / "levels.json"
        self.schemas = folder / "schemas"
        self.sec = folder / "sec"
        self.configs = self.sec / "configs"
        self.next = self.sec / "next"  # the config that a tier change is about to bring
        self.tiers = self.sec / "tiers"  # configs that were in force earlier, by tier
        self.journals_folder = folder / "journals"

    @property
    def option(self) -> str:
        """What says on a command line that it is about this folder, quoted for a POSIX shell."""
        return f"-w {shlex.quote(str(self.folder))}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps every other run out of this folder. Raises Failed if one is in it.

        The lock goes when its run ends, and so do the folders that were made for nothing else.
        """
        made = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        lock = self.folder / ".lock"
        try:
            private_folder(self.folder)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Failed(f"cannot be used: {error.strerror}", where=str(self.folder), hint="check the folder") from None
        try:
            if not _locks(handle, lock):
                raise Failed("another run is at work here", where=str(self.folder), hint="wait until it has ended")
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
                _remove_empty(made)
        finally:
            os.close(handle)

    def config(self) -> Path:
        """The one SEC config of this workspace. Raises BadInput if there is none, or more than one."""
        found = [self.configs / name for name in names_in(self.configs, "-sec.yaml")]
        if len(found) != 1:
            told = ", ".join(path.name for path in found) or "none"
            raise BadInput(f"one SEC config is needed here, found: {told}", where=str(self.configs), hint=_MAP_FIRST)
        return found[0]

    def config_of(self, tier: str) -> Path:
        """The config of a tier: the one that a tier change is about to bring, the one in force, or one that was in
        force earlier. Raises BadInput.
        """
        active = self.config()
        for path in (self.next / active.name, active, self.tiers / tier / active.name):
            if path.exists() and read_config(path)[0].tier.name == tier:
                return path
        hint = f"in force is {read_config(active)[0].tier.name}; `secmigrate tier` makes others"
        raise BadInput(f"there is no config of the tier {tier!r} here", where=str(self.sec), hint=hint)

    def adopt(self, tier: str) -> Path:
        """From now on the config of that tier is the one in force; the one before is kept. Raises BadInput, Failed."""
        active, chosen = self.config(), self.config_of(tier)
        if chosen != active:
            before, text = read_config(active)[0].tier.name, chosen.read_bytes()
            write_whole(self.tiers / before / active.name, active.read_bytes())
            write_whole(active, text)
            if chosen.parent == self.next:
                chosen.unlink()
        return active

    def keep_tier(self, tier: str, text: str) -> Path:
        """Keeps the text of the config in force beside those of other tiers that were in force earlier; gives where."""
        return write_whole(self.tiers / tier / self.config().name, text.encode())

    def follow(self, config: SecConfig, endings: Endings) -> None:
        """Makes what `map` decided lead to the config in force: what became an entry that it does not have becomes what
        was answered for it, or nothing.
        """
        if not self.mapping.exists():
            return
        outcome = self.outcome()
        names = {config.group_name(key) for key in config.security.iam_groups}
        names |= {config.role_name(key) for section in SECTIONS[1:] for key in config.security.section(section)}
        instead = {config.group_name(key): config.group_name(one.become) for key, one in endings.groups.items()}
        instead |= {config.role_name(key): config.role_name(one.become) for key, one in endings.roles.items()}
        moves = [
            structs.replace(one, new=instead.get(one.new, one.new)) if one.new not in names else one
            for one in outcome.moves
        ]
        text = read_bytes(self.config())
        write_json(
            self.mapping,
            structs.replace(
                outcome,
                tier=config.tier.name,
                config_sha256=hashlib.sha256(text).hexdigest(),
                moves=tuple(one for one in moves if one.new in names),
            ),
        )

    def save_members(self, snapshot: Snapshot) -> None:
        """Writes the memberships, as JSON and in the guide's own form (step 4: `group: user user`)."""
        write_json(self.members_json, Members(account=snapshot.account, groups=snapshot.members))
        lines = (f"{group}: {' '.join(users)}".rstrip() for group, users in sorted(snapshot.members.items()))
        write_whole(self.members_text, "".join(f"{line}\n" for line in lines).encode())

    def members(self) -> Members:
        """The saved memberships. Raises BadInput."""
        if not self.members_json.exists():
            raise BadInput(
                "no saved memberships", where=str(self.members_json), hint="run `secmigrate inventory` first"
            )
        return read_json(self.members_json, Members, hint="run `secmigrate inventory` again")

    def outcome(self) -> Outcome:
        """What `map` decided. Raises BadInput."""
        if not self.mapping.exists():
            raise BadInput("nothing is mapped yet", where=str(self.mapping), hint="run `secmigrate map` first")
        return read_json(self.mapping, Outcome, hint="run `secmigrate map` again")

    def places(self) -> list[Path]:
        """The states and templates that told who manages what. Raises BadInput."""
        if not self.sources.exists():
            return []
        found = read_json(self.sources, Sources, hint="run `secmigrate inventory` again, from all sources")
        return [Path(place) for place in found.places]

    def remember(self, places: Iterable[Path]) -> None:
        """Keeps where the states and templates lie, so that later steps look there again."""
        write_json(self.sources, Sources(places=tuple(sorted({str(place.absolute()) for place in places}))))

    def answers(self) -> Decisions:
        """A person's answers, with those for all accounts if this is one of many (`docs/files.md`). Raises BadInput."""
        above = self.folder.absolute().parent
        return read_decisions(self.decisions, above / "decisions.yaml" if (above / ACCOUNTS).exists() else None)

    def learned(self) -> LearnedLevels:
        """The levels that `calibrate` learned here; none if it did not run. Raises BadInput."""
        if not self.levels.exists():
            return {}
        return read_json(self.levels, LevelsFile, hint="run `secmigrate calibrate` again").services

    def last_use(self) -> Usage:
        """What AWS reported on use. Raises BadInput."""
        if not self.usage.exists():
            raise BadInput("nothing is known of use", where=str(self.usage), hint="run `secmigrate usage` first")
        return read_json(self.usage, Usage, hint="run `secmigrate usage` again")

    def plan_path(self, name: str) -> Path:
        return self.folder / "plans" / f"{name}.json"

    def save_plan(
        self,
        plan: Plan,
        script: str,
        needed: Document | None = None,
        account: Snapshot | None = None,
        asked: Asked | None = None,
    ) -> tuple[Path, ...]:
        """Writes the plan as JSON, with what it was asked for, and as a shell script, and the policy that it needs;
        gives their paths. The account as it was then is kept as well, to tell what changed if the plan is stale one
        day.
        """
        path = self.plan_path(plan.name)
        if account:
            write_snapshot(self._planned_for(plan.name), account)
        write_json(path, to_file(plan, asked))
        paths = (path, write_whole(path.with_suffix(".sh"), script.encode(), mode=0o700))
        return (*paths, write_json(path.with_name(f"{plan.name}-policy.json"), needed.value)) if needed else paths

    def plan(self, name: str) -> Plan:
        """The plan that was saved last under that name. Raises BadInput."""
        return self.plan_as_asked(name)[0]

    def plan_as_asked(self, name: str) -> tuple[Plan, Asked | None]:
        """The same with what it was asked for, if that is known. Raises BadInput."""
        path, again = self.plan_path(name), f"run `secmigrate {name.replace('-', ' ')}` and look at the plan first"
        if not path.exists():
            raise BadInput("no plan to execute", where=str(path), hint=again)
        file = read_json(path, PlanFile, hint=again)
        try:
            return from_file(file), file.asked
        except BadInput as error:
            raise BadInput(error.message, where=str(path), hint=again) from None

    def plans(self) -> list[Plan]:
        """All plans that were saved, each as it was last, by name. Raises BadInput."""
        found = [name.removesuffix(".json") for name in names_in(self.folder / "plans", ".json")]
        return [self.plan(name) for name in found if name in get_args(PlanName)]

    def planned_for(self, plan: Plan) -> Snapshot | None:
        """The account as it was when this plan was made; None if that was not kept. Raises BadInput."""
        path = self._planned_for(plan.name)
        found = read_snapshot(path) if path.exists() else None
        return found if found and found.fingerprint == plan.based_on else None

    def _planned_for(self, name: str) -> Path:
        path = self.plan_path(name)
        return path.with_name(f"{path.stem}-account.json")

    def journal_path(self, name: str, at: str) -> Path:
        """Where a run that starts now keeps its journal; `at` is ISO 8601, UTC, to the second.

        The stamp in its name comes after those of all journals here, also of one that began in the same second, or
        before the clock was set back.
        """
        stamp = at.replace(":", "").replace("-", "")
        last = max(map(_stamp, self._journal_names()), default="")
        if stamp <= last:
            moment, _, n = last.partition(".")
            stamp = f"{moment}.{int(n or 1) + 1:04}"
        return self.journals_folder / f"{name}-{stamp}.jsonl"

    def journals(self) -> list[Journal]:
        """All journals, oldest first. Raises BadInput if one is damaged."""
        paths = [self.journals_folder / name for name in self._journal_names()]
        return [read_journal(path) for path in paths if has_begun(path)]

    def _journal_names(self) -> list[str]:
        return sorted(names_in(self.journals_folder, ".jsonl"), key=lambda name: (_stamp(name), name))

    def done(self, *, elsewhere: bool = False) -> list[Tried]:
        """All that was done here, or may have been, oldest first; with `elsewhere`, also what the provisioner may have
        done since, where a run did not come to its end.
        """
        rows = ((*journal.tried, *(journal.elsewhere if elsewhere else ())) for journal in self.journals())
        return [tried for row in rows for tried in row]

    def keep_the_first_inventory(self, new: Snapshot) -> None:
        """Raises Refused if the inventory must not be written over: it is of another account, or it tells how things
        were before the migration, and things have been taken away since; also if it is missing by then, for the saved
        memberships are from that time.
        """
        hint = "take the new inventory in another workspace: -w DIR"
        there = self.inventory.exists()
        if there and (account := read_snapshot(self.inventory).account) != new.account:
            raise Refused(f"the inventory here is of account {account}", where=str(self.inventory), hint=hint)
        if self.has_taken_away():
            told = "tells how things were before the migration"
            why, way = (f"it {told}", hint) if there else (f"it is missing, and {told}", f"{RESTORE}; or {hint}")
            raise Refused(why, where=str(self.inventory), hint=way)

    def has_taken_away(self) -> bool:
        """Whether something was taken away here, or may have been, and not given back."""
        # What is in doubt counts where it would take something away, and not where it would give something back.
        done = (tried.operation for tried in self.done() if tried.operation.destructive or not tried.doubtful)
        return any(operation.destructive for operation in net(done))

    def unfinished(self) -> Journal | None:
        """The newest journal, if its plan was not carried out to its end."""
        journals = self.journals()
        return journals[-1] if journals and journals[-1].unfinished else None


def _stamp(name: str) -> str:
    """When the journal of that name began; empty if nobody can tell."""
    found = _STAMP.search(name)
    return found.group() if found else ""


def _locks(handle: int, lock: Path) -> bool:
    """Whether this run has the lock now: no other holds it, and it is not one that has ended and taken it away."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), lock.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _remove_empty(folders: Iterable[Path]) -> None:
    """Removes those of the folders, innermost first, that nothing lies in."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


_MAP_FIRST = "run `secmigrate map` first, and keep one config in the folder"
