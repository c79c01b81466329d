"""Files, by their kind: our own snapshot, authorization details, what Terraform or CloudFormation knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from secmigrate import iam
from secmigrate.documents import Parsed, aws_managed, json_syntax, parse_template, read_bytes, read_snapshot
from secmigrate.errors import BadInput
from secmigrate.handover import Resource
from secmigrate.iam import Snapshot, Stack
from secmigrate.sources import details
from secmigrate.sources.aws_policies import with_aws_policies
from secmigrate.sources.belonging import of_account
from secmigrate.sources.cloudformation import (
    UNKNOWN,
    Place,
    Template,
    from_templates,
    is_manifest,
    is_template,
    of_assembly,
    of_file,
    stacks_of,
)
from secmigrate.sources.merging import knows_all
from secmigrate.sources.states import is_encrypted, is_terraform, of_iam
from secmigrate.sources.terraform import from_terraform
from secmigrate.sources.uniting import LISTS, Source


class Kind(NamedTuple):
    """A kind of file: how people call it, who writes it, how it is recognised by its value, how it is read, and whether
    other files may have to tell of which account it is.
    """

    told: str
    writer: str
    fits: Callable[[Any], bool]
    read: Callable[[Any, Place], Snapshot]
    waits: bool = False


class Waiting(NamedTuple):
    """What other files tell the account of: templates, or what a file of Terraform's says."""

    path: Path
    templates: list[Template]
    head: Any = None  # of a file of Terraform's


class Read(NamedTuple):
    """What several sources hold, and which of them tell who manages what."""

    sources: list[Source]
    telling: list[Path]


class Managed(NamedTuple):
    """What Terraform manages, and what stacks do."""

    resources: list[Resource]
    stacks: list[Stack]
    has_state: bool  # whether a state of Terraform's was among them, perhaps one that holds nothing any more


def read_saved(path: Path, place: Place = UNKNOWN) -> Snapshot:
    """The account that the file or folder holds. What its form cannot tell is `incomplete`. Raises BadInput.

    `place` is what is known of where templates are deployed.
    """
    return read_all([path], place).sources[0].snapshot


def read_all(paths: Iterable[Path], place: Place = UNKNOWN) -> Read:
    """Several files or folders. Templates are read together, so that one stack may import what another exports, and by
    what the other files tell of the account. Raises BadInput.
    """
    paths = list(paths)
    found = [_opened(path, place) for path in paths]
    waiting = [one for one in found if isinstance(one, Waiting)]
    sources = [Source(str(path), one) for path, one in zip(paths, found, strict=True) if isinstance(one, Snapshot)]
    known = [one.snapshot for one in sources if knows_all(one.snapshot)]
    if known and not place.account:
        place = place._replace(account=known[0].account, partition=known[0].partition)
    sources += [Source(str(one.path), _read(TERRAFORM, one.path, one.head, place)) for one in waiting if one.head]
    templates = [template for one in waiting for template in one.templates]
    if templates and sources and not place.account:
        first = sources[0].snapshot
        place = place._replace(account=first.account, partition=first.partition)
    if templates:
        name = ", ".join(sorted(str(one.path) for one in waiting if not one.head))
        sources.append(Source(name, from_templates(templates, place)))
    telling = [
        path for path, one in zip(paths, found, strict=True) if not (isinstance(one, Snapshot) and knows_all(one))
    ]
    return Read([Source(one.name, with_aws_policies(one.snapshot, aws_managed())) for one in sources], telling)


def read_managed(paths: Iterable[Path], place: Place = UNKNOWN) -> Managed:
    """What Terraform and CloudFormation manage, by their states and templates. Raises BadInput for other files."""
    resources: list[Resource] = []
    templates: list[Template] = []
    has_state = False
    for path in paths:
        found = _opened(path, place)
        if isinstance(found, Snapshot):
            hint = "terraform.tfstate (`terraform state pull`), `terraform show -json`, a template, a cdk.out folder"
            told = "neither a state of Terraform's nor a template of CloudFormation's"
            raise BadInput(told, where=f"{path}:1", hint=hint)
        templates += found.templates
        if found.head:
            resources += _resources(path, found.head, place)
            has_state = True
    return Managed(resources, stacks_of(templates, place) if templates else [], has_state)


def _resources(path: Path, head: Any, place: Place) -> list[Resource]:
    """What Terraform manages of the account, by address. Raises BadInput."""
    _read(TERRAFORM, path, head, place)  # whatever would be odd in it is told there
    found = of_iam(head)[0]
    return of_account(found, place.account)[2] if found else []


def _opened(path: Path, place: Place = UNKNOWN) -> Snapshot | Waiting:
    """What a file or a folder holds: an account, or what may need to be told which one it is about."""
    if path.is_dir():
        if not (path / "manifest.json").exists():
            raise BadInput("a folder without manifest.json, so it is no cdk.out", where=str(path), hint=_HINT)
        return Waiting(path, of_assembly(path))
    data = read_bytes(path)
    _only_text(path, data)
    is_json = data.lstrip()[:1] in _JSON or path.suffix in _JSON_NAMES
    parsed = None if is_json else _yaml(path, data)
    head = parsed.value if parsed else json_syntax(path, data)
    if isinstance(head, dict) and head.get("kind") == "snapshot":
        return read_snapshot(path)
    if is_manifest(head):
        return Waiting(path, of_assembly(path.parent))
    if is_template(head):
        return Waiting(path, of_file(path, parsed or parse_template(path, data)))
    kind = next((kind for kind in KINDS if kind.fits(head)), None)
    if kind is not None:
        return Waiting(path, [], head) if kind.waits else _read(kind, path, head, place)
    if is_encrypted(head):
        hint = "`tofu state pull` or `tofu show -json`, where the key is known, gives what can be read"
        raise BadInput("a state or plan that OpenTofu has encrypted", where=f"{path}:1", hint=hint)
    told = "neither a snapshot nor authorization details nor a state of Terraform's nor a template"
    raise BadInput(told, where=f"{path}:1", hint=_HINT)


def _read(kind: Kind, path: Path, head: Any, place: Place) -> Snapshot:
    with _as_written_by(kind.writer, path):
        # By way of our own form: what IAM would never have named so must not get into an inventory.
        return iam.decode(iam.encode(kind.read(head, place)))


def _only_text(path: Path, data: bytes) -> None:
    """Raises BadInput for what must be unpacked first."""
    for start, (told, hint) in _PACKED.items():
        if data.startswith(start):
            raise BadInput(told, where=f"{path}:1", hint=hint)


_PACKED: Mapping[bytes, tuple[str, str]] = {
    b"\x1f\x8b": ("compressed by gzip", "`gunzip` it first"),
    b"PK\x03\x04": (
        "a zip file",
        "a plan of `terraform plan -out`? then `terraform show -json FILE` tells what is in it",
    ),
}
_JSON = (b"{", b"[")
_JSON_NAMES = (".json", ".tfstate")


def _yaml(path: Path, data: bytes) -> Parsed:
    """What is no JSON can only be a template; what does not look like one is told what would be understood."""
    try:
        return parse_template(path, data)
    except BadInput as error:
        hint = error.hint if b"Resources" in data else _HINT
        raise BadInput(error.message, where=error.where, hint=hint) from None


@contextmanager
def _as_written_by(writer: str, path: Path) -> Iterator[None]:
    """Turns what goes wrong on the way into BadInput with the file."""
    try:
        yield
    except BadInput as error:
        raise BadInput(error.message, where=f"{path}:1", hint=error.hint or _HINT) from None
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        # Cut: what such an error quotes may be half the file, and a state has secrets in it.
        raise BadInput(f"not as {writer} writes it: {repr(error)[:200]}", where=f"{path}:1", hint=_HINT) from None


TERRAFORM = Kind(
    "terraform.tfstate (version 3 or 4) or the output of `terraform show -json`",
    "Terraform",
    is_terraform,
    lambda head, place: from_terraform(head, place.account, place.partition),
    waits=True,
)
# The first that fits counts. Snapshots of ours and templates are read by others: their errors know the line.
KINDS = (
    TERRAFORM,
    Kind(
        "the output of `aws iam get-account-authorization-details --filter User Role Group LocalManagedPolicy`",
        "AWS",
        lambda head: isinstance(head, dict) and any(key in head for key in LISTS),
        lambda head, _: details.account(head),
    ),
)
_HINT = (
    f"understood are a snapshot of ours, {', '.join(kind.told for kind in KINDS)}, a CloudFormation template (JSON or "
    "YAML), and a cdk.out folder"
)
