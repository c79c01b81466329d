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
from secmigrate.documents.yaml_files import read_yaml
from secmigrate.iam import Document, Policy, Seen
from secmigrate.mapping import Catalogue
from secmigrate.mapping import catalogue as make_catalogue


def example(name: str) -> Traversable:
    """A file of the examples, such as `manual-account/inventory.json`."""
    return shipped("examples").joinpath(*name.split("/"))


@lru_cache
def catalogue() -> Catalogue:
    """All rules, levels and tiers of `mappings/`. Raises BadInput with file and line for a file that is not one."""
    kinds = {"groups": "mapping-rule", "roles": "mapping-rule", "levels": "level", "tiers": "tier"}
    folders = {folder: _folder(folder, schema_name) for folder, schema_name in kinds.items()}
    return make_catalogue(**folders, actions=aws_actions())


def _folder(folder: str, schema_name: str) -> dict[str, object]:
    found = sorted((shipped("mappings") / folder).iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".yaml"): read_yaml(file, schema_name)[0] for file in found}


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
