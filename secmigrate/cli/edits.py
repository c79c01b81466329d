"""What a person changed in the config since `map` wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec

from secmigrate import documents, mapping, sec
from secmigrate.sec import Client, Environment, SecConfig
from secmigrate.workspace import Workspace

Comments: TypeAlias = Mapping[sec.ConfigPath, tuple[str, ...]]


class Before(NamedTuple):
    """A config that was there before: as it is now, perhaps edited, and as `map` itself had it."""

    path: Path
    config: SecConfig
    text: str
    written: str  # empty: nothing tells what `map` wrote there


def config_before(space: Workspace) -> Before | None:
    """The config of an earlier `map`, or the only one that lies here, if there is one. Raises BadInput if it cannot be
    read.
    """
    if not space.mapping.exists():
        found = documents.names_in(space.configs, "-sec.yaml")
        return _read(space.configs / found[0], "") if len(found) == 1 else None
    outcome = space.outcome()
    path = space.configs / outcome.config
    return _read(path, outcome.written) if path.exists() else None


def to_be_written_over(
    space: Workspace, before: Before | None, client: Client, environment: Environment
) -> Before | None:
    """The config that one of these names takes the place of: the one before, or one that has these names already.
    Raises BadInput if it cannot be read.
    """
    path = space.configs / sec.file_name(client, environment)
    return _read(path, "") if path.exists() and (before is None or before.path != path) else before


def _read(path: Path, written: str) -> Before:
    return Before(path, documents.read_config(path)[0], documents.read_text(path), written)


def with_edits(before: Before | None, ours: SecConfig) -> tuple[SecConfig, list[sec.Kept]]:
    """The new config with what a person changed in the one before; and what of that is not as `map` has it."""
    if before is None or before.text == before.written:
        return ours, []
    theirs, new = msgspec.to_builtins(before.config), msgspec.to_builtins(ours)
    base = msgspec.to_builtins(documents.config_of(before.written)) if before.written else _untold(theirs, new)
    merged, kept = sec.merge(base, theirs, new)
    return msgspec.convert(merged, SecConfig), kept


def rewritten(before: Before, config: SecConfig, comments: Comments, ours: str, catalogue: mapping.Catalogue) -> str:
    """The text of a config, with a person's comments, and `deployment` as it stands in the one before; `ours` is what
    `map` writes now. A level's mark is none of hers, also at a level that she chose: what `map` had written does not
    hold it.
    """
    known = "\n".join((before.written or ours, *(f"# {line}" for line in mapping.level_comments(catalogue))))

    def text(theirs: str) -> str:
        return documents.config_text(config, comments, documents.remarks(theirs, known))

    others = documents.without_deployment(before.text)
    kept = documents.with_deployment(text(others), before.text) if others else None
    return kept or text(before.text)


def _untold(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `map` is taken to have written where nothing tells it: what it would write now, so that all that differs is
    hers. Entries that she does not have are new, and SEC's names are those that were asked for.
    """
    entries = {
        section: {key: entry for key, entry in rows.items() if key in theirs["security"][section]}
        for section, rows in ours["security"].items()
    }
    return {**ours, "client": theirs["client"], "environment": theirs["environment"], "security": entries}
