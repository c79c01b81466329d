"""The JSON Schemas of the files that are read straight into types: made from those types, so that both agree.

`make schemas` writes them; a test fails when that was forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from secmigrate.accounts import Accounts
from secmigrate.iam import Document, SnapshotFile, Usage
from secmigrate.journal import Event
from secmigrate.plan.file import PlanFile
from secmigrate.reports.migration import Report
from secmigrate.reports.overview import Overview
from secmigrate.workspace import LevelsFile, Members, Outcome, Sources

FOLDER = Path(__file__).parent.parent / "schemas"

MADE: Mapping[str, Any] = {
    "snapshot": SnapshotFile,
    "plan": PlanFile,
    "journal": Event,  # one line of it
    "user-group-mappings": Members,
    "mapping": Outcome,
    "levels": LevelsFile,
    "usage": Usage,
    "report": Report,
    "sources": Sources,
    "accounts": Accounts,
    "accounts-report": Overview,
}


def made(name: str) -> bytes:
    """The schema of that name as JSON text."""
    body = msgspec.json.schema(MADE[name], schema_hook=_document)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
    return msgspec.json.format(msgspec.json.encode(head, order="sorted"), indent=2) + b"\n"


def _document(kind: type) -> dict[str, Any]:
    if kind is Document:
        return {"type": "object", "title": "A policy document"}
    raise NotImplementedError(kind)


def _write() -> None:
    for name in MADE:
        (FOLDER / f"{name}.schema.json").write_bytes(made(name))


if __name__ == "__main__":
    _write()
