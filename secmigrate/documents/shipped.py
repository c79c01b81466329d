"""What travels in the wheel: mappings, schemas, the example account."""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources.abc import Traversable

import msgspec

from secmigrate import iam
from secmigrate.access.actions import ActionCatalogue, ActionFile, catalogue_of
from secmigrate.documents.whole import read_bytes, shipped
from secmigrate.documents.yaml_files import read_yaml, yaml_value
from secmigrate.iam import Document, Policy, Seen
from secmigrate.mapping import Catalogue
from secmigrate.mapping import catalogue as make_catalogue


def example(name: str) -> Traversable:
    """A file of the examples, such as `manual-account/inventory.json`."""
    return shipped("examples").joinpath(*name.split("/"))


_SCHEMAS = {"groups": "mapping-rule", "roles": "mapping-rule", "levels": "level", "tiers": "tier"}


@lru_cache
def catalogue() -> Catalogue:
    """All rules, levels and tiers of `mappings/`. Raises BadInput with the file for one that is not of its shape."""
    folders: dict[str, dict[str, object]] = {
        folder: {file.name.removesuffix(".yaml"): yaml_value(read_bytes(file)) for file in _files(folder)}
        for folder in _SCHEMAS
    }
    offered = (policy.name for policy in aws_managed().values())
    return make_catalogue(**folders, actions=aws_actions(), aws_policies=offered)


def check_mappings() -> None:
    """Checks the same files by their schemas, which takes longer than to read them. Raises BadInput with file, line and
    column of what is wrong.
    """
    for folder, schema_name in _SCHEMAS.items():
        for file in _files(folder):
            read_yaml(file, schema_name)


def _files(folder: str) -> list[Traversable]:
    return sorted((shipped("mappings") / folder).iterdir(), key=lambda file: file.name)


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


@lru_cache
def aws_actions() -> ActionCatalogue:
    """AWS's own actions, as they stood on the file's date."""
    packed = read_bytes(shipped("mappings") / "aws-actions.json.xz")
    return catalogue_of(msgspec.json.decode(lzma.decompress(packed), type=ActionFile))
