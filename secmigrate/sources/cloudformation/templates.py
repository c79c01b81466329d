"""The templates of a file or of a `cdk.out` folder, stages and nested stacks included.

Source: AWS CDK, *cloud assembly schema*: `manifest.json`, its artifacts, `aws:asset:path` in a resource's metadata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from secmigrate.documents import Parsed, json_syntax, parse_template, read_bytes
from secmigrate.errors import BadInput

NESTED = "AWS::CloudFormation::Stack"
_DEEPEST = 6  # stages within stages, stacks within stacks; a hundred of them each is more than anybody has
_STACK = "aws:cloudformation:stack"
_ASSEMBLY = "cdk:cloud-assembly"
_ENVIRONMENT = re.compile(r"aws://([0-9]{12}|unknown-account)/([a-z0-9-]+)$(?!\n)")
_ID = re.compile(r"[A-Za-z0-9]+$(?!\n)")
_NAME = re.compile(r"[A-Za-z0-9-]+$(?!\n)")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9-]+")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}


class Template(Struct, frozen=True):
    """A template, and where its stack is to stand; what nobody says is empty."""

    name: str  # of the stack
    file: str
    parsed: Parsed
    account: str = ""
    region: str = ""
    tags: Mapping[str, str] = {}  # of the stack, which everything in it gets
    children: Mapping[str, Template] = {}  # the stacks nested in it, by logical id

    def section(self, name: str) -> Mapping[str, Any]:
        """A part of the template: Resources, Parameters, … Raises BadInput if it is no mapping."""
        found = self.parsed.value.get(name) or {}
        if not isinstance(found, dict):
            raise BadInput(f"{name} is not a mapping", where=self.parsed.where((name,)), hint=_HINT)
        return found


_HINT = "see AWS, CloudFormation, template anatomy"


def is_template(value: object) -> bool:
    """Whether a parsed file is a template."""
    if not isinstance(value, dict) or not isinstance(value.get("Resources"), dict):
        return False
    rows = [row for row in value["Resources"].values() if isinstance(row, dict)]
    return "AWSTemplateFormatVersion" in value or any("::" in str(row.get("Type")) for row in rows) or not rows


def is_manifest(value: object) -> bool:
    """Whether a parsed file is the manifest of a cloud assembly."""
    return isinstance(value, dict) and isinstance(value.get("artifacts"), dict) and "version" in value


def of_file(path: Path, parsed: Parsed) -> list[Template]:
    """A template that stands alone; its stack is called as the file is."""
    name = path.name.split(".template", 1)[0].rsplit(".", 1)[0] if "." in path.name else path.name
    return [_with_children(Template(_NOT_A_NAME.sub("-", name) or "stack", str(path), parsed), path.parent)]


def of_assembly(folder: Path, depth: int = 0) -> list[Template]:
    """The stacks of a `cdk.out`, in the order of their names. Raises BadInput with the file that is wrong."""
    file = folder / "manifest.json"
    head = json_syntax(file, read_bytes(file))
    if not is_manifest(head) or depth > _DEEPEST:
        hint = "`cdk synth` writes it, and the templates beside it"
        raise BadInput("not the manifest of a cloud assembly", where=f"{file}:1", hint=hint)
    found: list[Template] = []
    for key, artifact in sorted(head["artifacts"].items()):
        properties = artifact.get("properties") or {} if isinstance(artifact, dict) else None
        if not isinstance(properties, dict):
            raise BadInput(f"the artifact {key!r} is not an object", where=f"{file}:1", hint="run `cdk synth` again")
        if artifact.get("type") == _STACK:
            found.append(_of_artifact(folder, file, key, artifact, properties))
        elif artifact.get("type") == _ASSEMBLY:
            found += of_assembly(_inside(folder, properties.get("directoryName"), file), depth + 1)
    return found


def _of_artifact(folder: Path, file: Path, key: str, artifact: Any, properties: Mapping[str, Any]) -> Template:
    path = _inside(folder, properties.get("templateFile"), file)
    parsed = _parsed(path)
    found = _ENVIRONMENT.match(str(artifact.get("environment", "aws://unknown-account/unknown-region")))
    name, tags = properties.get("stackName") or key, properties.get("tags") or {}
    if not found or not isinstance(name, str) or not _NAME.match(name) or not _texts(tags):
        raise BadInput(f"the artifact {key!r} is not as the CDK writes it", where=f"{file}:1", hint="run `cdk synth`")
    account, region = (part if not part.startswith("unknown-") else "" for part in found.groups())
    whole = Template(name, str(path), parsed, account, region, tags)
    return _with_children(whole, folder)


def _with_children(template: Template, folder: Path, above: tuple[str, ...] = ()) -> Template:
    """With the nested stacks whose templates lie in the folder; of others only the parent's word is known."""
    children: dict[str, Template] = {}
    above = (*above, template.file)
    for logical_id, path in _assets(template, folder):
        if str(path) in above or len(above) > _DEEPEST:
            hint = "a stack cannot hold itself"
            raise BadInput("stacks are nested in a circle", where=f"{template.file}:1", hint=hint)
        name = f"{template.name}-{logical_id}"
        child = Template(name, str(path), _parsed(path), template.account, template.region, template.tags)
        children[logical_id] = _with_children(child, folder, above)
    return structs.replace(template, children=children)


def _assets(template: Template, folder: Path) -> Iterator[tuple[str, Path]]:
    for logical_id, row in template.section("Resources").items():
        if isinstance(row, dict) and row.get("Type") == NESTED:
            metadata, properties = row.get("Metadata"), row.get("Properties")
            asset = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
            local = properties.get("TemplateURL") if isinstance(properties, dict) else None
            path = asset if isinstance(asset, str) else local if isinstance(local, str) and "://" not in local else None
            if path and _ID.match(logical_id) and _is_inside(folder, path) and (folder / path).is_file():
                yield logical_id, folder / path


def _parsed(path: Path) -> Parsed:
    parsed = parse_template(path, read_bytes(path))
    if not is_template(parsed.value):
        raise BadInput("not a template: it has no Resources", where=f"{path}:1", hint="run `cdk synth` again")
    return parsed


def _inside(folder: Path, name: object, file: Path) -> Path:
    if not isinstance(name, str) or not _is_inside(folder, name):
        raise BadInput(f"names a file outside of its folder: {name!r}", where=f"{file}:1", hint="run `cdk synth` again")
    return folder / name


def _is_inside(folder: Path, name: str) -> bool:
    return "\0" not in name and (folder / name).resolve().is_relative_to(folder.resolve())


def _texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def partition_of(region: str) -> str:
    """The partition that a region is in; empty if there is no region."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws") if region else ""
