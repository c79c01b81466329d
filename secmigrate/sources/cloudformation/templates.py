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
_DEEPEST = 6  # stacks within stacks
_MOST = 500  # nested stacks, all together
_SYNTH = "run `cdk synth` again"
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
    return isinstance(value, dict) and isinstance(value.get("Resources"), dict)


def is_manifest(value: object) -> bool:
    """Whether a parsed file is the manifest of a cloud assembly."""
    return isinstance(value, dict) and isinstance(value.get("artifacts"), dict) and "version" in value


def of_file(path: Path, parsed: Parsed) -> list[Template]:
    """A template that stands alone; its stack is called as the file is."""
    name = path.name.split(".template", 1)[0].rsplit(".", 1)[0] if "." in path.name else path.name
    whole = Template(_NOT_A_NAME.sub("-", name) or "stack", str(path), parsed)
    return [_Reader().with_children(whole, path.parent)]


def of_assembly(folder: Path) -> list[Template]:
    """The stacks of a `cdk.out`, in the order of their names. Raises BadInput with the file that is wrong."""
    found = list(_Reader().stacks(folder))
    if not found:
        raise BadInput("no stack in it", where=f"{folder / 'manifest.json'}:1", hint=_SYNTH)
    return found


class _Reader:
    """Reads each file once, and no more than anybody has."""

    def __init__(self) -> None:
        self._folders: set[Path] = set()
        self._files: dict[Path, Parsed] = {}
        self._left = _MOST

    def stacks(self, folder: Path) -> Iterator[Template]:
        """The stacks of an assembly and of the assemblies within it."""
        file = folder / "manifest.json"
        head = json_syntax(file, read_bytes(file))
        if not is_manifest(head) or folder.resolve() in self._folders:
            hint = "`cdk synth` writes it, and the templates beside it"
            raise BadInput("not the manifest of a cloud assembly", where=f"{file}:1", hint=hint)
        self._folders.add(folder.resolve())
        for key, artifact in sorted(head["artifacts"].items()):
            properties = artifact.get("properties") or {} if isinstance(artifact, dict) else None
            if not isinstance(properties, dict):
                raise BadInput(f"the artifact {key!r} is not an object", where=f"{file}:1", hint=_SYNTH)
            if artifact.get("type") == _STACK:
                yield self._stack(folder, file, key, artifact, properties)
            elif artifact.get("type") == _ASSEMBLY:
                yield from self.stacks(_inside(folder, properties.get("directoryName"), file))

    def _stack(self, folder: Path, file: Path, key: str, artifact: Any, properties: Mapping[str, Any]) -> Template:
        path = _inside(folder, properties.get("templateFile"), file)
        found = _ENVIRONMENT.match(str(artifact.get("environment", "aws://unknown-account/unknown-region")))
        name, tags = properties.get("stackName") or key, properties.get("tags") or {}
        if not found or not isinstance(name, str) or not _NAME.match(name) or not _texts(tags):
            raise BadInput(f"the artifact {key!r} is not as the CDK writes it", where=f"{file}:1", hint=_SYNTH)
        account, region = (part if not part.startswith("unknown-") else "" for part in found.groups())
        whole = Template(name, str(path), self._parsed(path), account, region, tags)
        return self.with_children(whole, folder)

    def with_children(self, template: Template, folder: Path, above: tuple[str, ...] = ()) -> Template:
        """With the nested stacks whose templates lie in the folder; of others only the parent's word is known."""
        children: dict[str, Template] = {}
        above = (*above, template.file)
        for logical_id, path in _assets(template, folder):
            if str(path) in above or len(above) > _DEEPEST:
                hint = "a stack cannot hold itself"
                raise BadInput("stacks are nested in a circle", where=f"{template.file}:1", hint=hint)
            self._left -= 1
            if self._left < 0:
                raise BadInput(f"more than {_MOST} nested stacks", where=f"{template.file}:1", hint=_SYNTH)
            name, parsed = f"{template.name}-{logical_id}", self._parsed(path)
            child = Template(name, str(path), parsed, template.account, template.region, template.tags)
            children[logical_id] = self.with_children(child, folder, above)
        return structs.replace(template, children=children)

    def _parsed(self, path: Path) -> Parsed:
        if path not in self._files:
            self._files[path] = parse_template(path, read_bytes(path))
            if not is_template(self._files[path].value):
                raise BadInput("not a template: it has no Resources", where=f"{path}:1", hint=_SYNTH)
        return self._files[path]


def _assets(template: Template, folder: Path) -> Iterator[tuple[str, Path]]:
    for logical_id, row in template.section("Resources").items():
        if isinstance(row, dict) and row.get("Type") == NESTED:
            metadata, properties = row.get("Metadata"), row.get("Properties")
            asset = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
            local = properties.get("TemplateURL") if isinstance(properties, dict) else None
            path = asset if isinstance(asset, str) else local if isinstance(local, str) and "://" not in local else None
            if path and _ID.match(logical_id) and _is_inside(folder, path) and (folder / path).is_file():
                yield logical_id, folder / path


def _inside(folder: Path, name: object, file: Path) -> Path:
    if not isinstance(name, str) or not _is_inside(folder, name):
        raise BadInput(f"names a file outside of its folder: {name!r}", where=f"{file}:1", hint=_SYNTH)
    return folder / name


def _is_inside(folder: Path, name: str) -> bool:
    return "\0" not in name and (folder / name).resolve().is_relative_to(folder.resolve())


def _texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def partition_of(region: str) -> str:
    """The partition that a region is in; empty if there is no region."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws") if region else ""
