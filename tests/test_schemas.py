"""The schemas in `schemas/` are those of the types, and what the tool writes fits them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from secmigrate import documents
from secmigrate.documents import example, read_snapshot
from secmigrate.plan import creation
from secmigrate.plan.file import to_file
from tests.schemas import FOLDER, MADE, made
from tests.small import account


@pytest.mark.parametrize("name", MADE)
def test_the_schema_is_that_of_the_type(name: str) -> None:
    assert (FOLDER / f"{name}.schema.json").read_bytes() == made(name), "run `make schemas`"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_every_schema_is_one(path: Path) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_bytes()))


def test_the_example_fits_the_snapshot_schema() -> None:
    path = Path(str(example("manual-account/inventory.json")))
    value = json.loads(path.read_bytes())
    validator = Draft202012Validator(documents.schema("snapshot"))
    assert list(validator.iter_errors(value)) == []
    value["users"][0]["gruops"] = []
    assert [error.message for error in validator.iter_errors(value)]
    assert read_snapshot(path).account == "111122223333"


def test_a_plan_fits_its_schema(tmp_path: Path) -> None:
    wanted = account()
    plan = creation(wanted.restorable().drop(wanted.groups["bare"]), wanted)
    path = documents.write_json(tmp_path / "plan.json", to_file(plan))
    value = json.loads(path.read_bytes())
    assert value["operations"]
    assert list(Draft202012Validator(documents.schema("plan")).iter_errors(value)) == []
