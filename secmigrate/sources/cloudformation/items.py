"""The IAM resources that stand in templates, with their properties; and what templates make or leave open besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from secmigrate.errors import BadInput
from secmigrate.iam import (
    Document,
    Gap,
    is_function,
)
from secmigrate.sources.cloudformation.functions import path_of, text_of
from secmigrate.sources.cloudformation.invented import is_open, named, opened
from secmigrate.sources.cloudformation.resolving import Deployed, TooMuch
from secmigrate.sources.merging import NO_SUCH_KIND

PREFIX = "AWS::IAM::"
SECRET = frozenset({"LoginProfile"})  # properties that are not read
# They say nothing of who may do what; some of them are secrets.
ASIDE = frozenset(
    f"{PREFIX}{name}" for name in "AccessKey OIDCProvider SAMLProvider ServerCertificate VirtualMFADevice".split()
)
# They make things whose templates stand elsewhere.
_MAKES_MORE = frozenset({"AWS::CloudFormation::StackSet", "AWS::ServiceCatalog::CloudFormationProvisionedProduct"})
_INCLUDE = "Fn::Transform"  # beside properties: what a macro adds to them
_HINT = "see AWS, CloudFormation, the reference of this resource type"


class Item(NamedTuple):
    """An IAM resource of a stack, its properties resolved."""

    stack: Deployed
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    @property
    def what(self) -> str:
        """How it is named to people, and in `owners`."""
        return f"stack {self.stack.name} {self.logical_id}"

    @property
    def name(self) -> str:
        """Its name, for people too; a managed policy's ARN."""
        return named(self.stack.physical(self.logical_id) or "")

    @property
    def path(self) -> str:
        """Its IAM path."""
        return path_of(self.properties.get("Path"))

    def rows(self, key: str) -> list[Any]:
        """A property that is a list; a function that gives one is its only row. Raises ValueError."""
        found = self.properties.get(key)
        if found is None or isinstance(found, list):
            return found or []
        if is_function(found):
            return [found]
        raise ValueError(f"{key} is not a list")

    def text(self, key: str) -> str:
        """A property that is text; empty if there is none, a function as its JSON."""
        return self.said(self.properties.get(key, ""))

    def said(self, value: Any) -> str:
        """A value as text, whatever it is."""
        text = text_of(opened(value, self.stack.template.name))
        return msgspec.json.encode(value, order="sorted").decode() if text is None else text

    def document(self, value: Any) -> Document:
        """A policy document. What is not known in it is a function; access calls that unsure."""
        if isinstance(value, str) and not is_open(value):
            return Document.parse(value)
        return Document(opened(value, self.stack.template.name))


def items(stacks: Iterable[Deployed]) -> Iterator[Item]:
    """All IAM resources that the stacks make, and those of which nobody knows. Raises BadInput with file and line."""
    for stack in stacks:
        for logical_id, row in stack.resources.items():
            type_ = row.get("Type")
            if isinstance(type_, str) and type_.startswith(PREFIX):
                with_place = Placed(stack, logical_id)
                with with_place:
                    if stack.is_there(logical_id) is not False:
                        yield Item(stack, logical_id, type_, _properties(stack, logical_id))


def _properties(stack: Deployed, logical_id: str) -> Mapping[str, Any]:
    given = stack.resources[logical_id].get("Properties") or {}
    if not isinstance(given, dict):
        raise ValueError("its Properties are no mapping")
    found = stack.value({key: value for key, value in given.items() if key not in SECRET | {_INCLUDE}})
    if not isinstance(found, dict) or is_function(found):
        raise ValueError("its Properties are no mapping")
    return {key: value for key, value in found.items() if value is not None}


class Placed:
    """Gives an error the place of the resource that it is about."""

    def __init__(self, stack: Deployed, logical_id: str) -> None:
        self._stack, self._logical_id = stack, logical_id

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or (isinstance(error, BadInput) and error.where):
            return
        where = self._stack.template.parsed.where(("Resources", self._logical_id))
        if isinstance(error, BadInput | TooMuch):
            told = error.message if isinstance(error, BadInput) else str(error)
            raise BadInput(f"{self._logical_id}: {told}", where=where, hint=_HINT) from None
        if isinstance(error, KeyError | TypeError | AttributeError | ValueError | msgspec.MsgspecError):
            what = f"there is no {error}" if isinstance(error, KeyError) else str(error)[:200]
            raise BadInput(f"{self._logical_id}: {what}", where=where, hint=_HINT) from None
        if isinstance(error, RecursionError):
            raise BadInput(f"{self._logical_id}: leads too far", where=where, hint=_HINT) from None


def makes_more(stack: Deployed) -> Iterator[Gap]:
    """What a template makes that does not stand in it as a resource."""
    what = f"stack {stack.name}"
    transforms = stack.template.parsed.value.get("Transform") or []
    for one in transforms if isinstance(transforms, list) else [transforms]:
        if one != "AWS::LanguageExtensions":
            yield Gap(what, f"the transform {one if isinstance(one, str) else 'in it'} may make more than stands there")
    for logical_id, row in stack.template.section("Resources").items():
        type_ = str(row.get("Type")) if isinstance(row, dict) else ""
        if logical_id.startswith("Fn::") or type_.endswith("::MODULE") or type_ in _MAKES_MORE or not type_:
            yield Gap(f"{what} {logical_id}", NO_SUCH_KIND)
        elif type_ == "AWS::CloudFormation::Stack" and logical_id not in stack.nested:
            yield Gap(f"{what} {logical_id}", "the template of this nested stack was not given")
        elif isinstance(properties := row.get("Properties"), dict) and _INCLUDE in properties:
            yield Gap(f"{what} {logical_id}", "the transform in it may say more than stands there")


def gaps(stack: Deployed) -> Iterator[Gap]:
    """What a template does not say by itself."""
    yield from makes_more(stack)
    for logical_id, row in stack.resources.items():
        if str(row.get("Type")).startswith(PREFIX) and is_there(stack, logical_id) is None:
            what = f"stack {stack.name} {logical_id}"
            yield Gap(what, f"its condition {row.get('Condition')} is not known; it may not be there")


def is_there(stack: Deployed, logical_id: str) -> bool | None:
    """Whether it is made, as far as known. Raises BadInput with file and line for a condition that is none."""
    with Placed(stack, logical_id):
        return stack.is_there(logical_id)


def is_sure(item: Item) -> bool:
    """Whether it is known to be made."""
    return item.stack.is_there(item.logical_id) is True
