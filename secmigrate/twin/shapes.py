"""What a parameter may look like, straight from botocore's service model: lengths, ranges, characters, enumerations.

AWS checks these and moto does not; botocore's client checks only a part of them. Name lengths, the characters of names
and paths, `MaxItems` and `MaxSessionDuration` are all such constraints, so none of them is written down here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from secmigrate.twin.refusal import Refusal

# The model's patterns are Java's. Of what Python spells otherwise only this occurs in IAM's and STS's.
_JAVA = {r"\p{L}\p{Z}\p{N}": r"\w\s"}


def check(operation: OperationModel, params: dict[str, Any]) -> None:
    """Raises ValidationError, in AWS's words, if a parameter breaks a constraint of the model."""
    if operation.input_shape is None:
        return
    found = list(_violations(operation.input_shape, params, ""))
    if found:
        errors = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
        raise Refusal("ValidationError", f"{errors} detected: {'; '.join(found)}")


def _violations(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            at = f"{where}.{_lower(name)}" if where else _lower(name)
            if name in value:
                yield from _violations(member, value[name], at)
            elif name in shape.required_members:
                yield _failed(None, at, "Member must not be null")
        return
    for constraint, holds in _constraints(shape, value):
        if not holds:
            yield _failed(value, where, constraint)
    if isinstance(shape, ListShape):
        for number, one in enumerate(value, 1):
            yield from _violations(shape.member, one, f"{where}.{number}.member")


def _constraints(shape: Shape, value: Any) -> Iterator[tuple[str, bool]]:
    rules = shape.metadata
    length, word = (value, "value") if shape.type_name in ("integer", "long") else (None, "length")
    if "min" in rules or "max" in rules:
        length = len(value) if length is None else length
        if "min" in rules:
            yield f"Member must have {word} greater than or equal to {rules['min']}", length >= rules["min"]
        if "max" in rules:
            yield f"Member must have {word} less than or equal to {rules['max']}", length <= rules["max"]
    if "pattern" in rules:
        pattern = str(rules["pattern"])
        yield f"Member must satisfy regular expression pattern: {pattern}", bool(_compiled(pattern).fullmatch(value))
    if "enum" in rules:
        yield f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]", value in rules["enum"]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    translated = pattern
    for java, python in _JAVA.items():
        translated = translated.replace(java, python)
    # `\w` is ASCII in Java, but `\p{L}` is not.
    return re.compile(translated, 0 if translated != pattern else re.ASCII)


def _failed(value: object, where: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{where}' failed to satisfy constraint: {constraint}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
