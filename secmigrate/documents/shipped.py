"""What travels in the wheel: mappings, schemas, the example account."""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from secmigrate import iam
from secmigrate.documents.whole import read_bytes
from secmigrate.iam import Document, Policy, Seen


def shipped(folder: str) -> Traversable:
    """A data folder: inside the installed package, or beside it in a checkout."""
    inside = files("secmigrate") / folder
    return inside if inside.is_dir() else Path(str(files("secmigrate"))).parent / folder


@lru_cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of that name."""
    found = msgspec.json.decode(read_bytes(shipped("schemas") / f"{name}.schema.json"))
    assert isinstance(found, dict)
    return found


def example(name: str) -> Traversable:
    """A file of the examples, such as `manual-account/inventory.json`."""
    return shipped("examples").joinpath(*name.split("/"))


class _ManagedPolicy(msgspec.Struct, frozen=True):
    version: str
    document: Document


class _ManagedPolicies(msgspec.Struct, frozen=True):
    source: str
    date: str
    policies: Mapping[str, _ManagedPolicy]


@lru_cache
def aws_managed() -> Mapping[str, Policy]:
    """AWS's own policies by ARN (partition `aws`), as they stood on the file's date; 40 ms."""
    packed = read_bytes(shipped("mappings") / "aws-managed-policies.json.xz")
    found = msgspec.json.decode(lzma.decompress(packed), type=_ManagedPolicies, dec_hook=iam.from_jsonable)
    return {
        arn: Policy(arn=arn, document=one.document, version=Seen(id=one.version)) for arn, one in found.policies.items()
    }
