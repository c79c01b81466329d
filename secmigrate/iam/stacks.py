"""CloudFormation stacks as their templates tell them, whatever service their resources are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class StackResource(Struct, frozen=True):
    """A resource of a stack. Those of IAM have a type that starts with `AWS::IAM::`."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]  # resolved as far as possible
    deletion_policy: str = "Delete"  # Delete, Retain, RetainExceptOnCreate or Snapshot
    physical: str = ""  # its name or ARN, as far as known
    children: str = ""  # of an AWS::CloudFormation::Stack: the name of the stack nested there
    refers: tuple[str, ...] = ()  # logical ids of the same template that it names, sorted
    construct: str = ""  # where a CDK app makes it: its `aws:cdk:path`


class Stack(Struct, frozen=True):
    """A stack: what lies in it, what it tells others, and what others tell it."""

    name: str
    path: str  # the template's file
    region: str = ""  # where it is to stand, if the CDK tells
    resources: tuple[StackResource, ...] = ()
    outputs: Mapping[str, tuple[str, ...]] = {}  # by output name: the logical ids that it names, sorted
    exports: Mapping[str, str] = {}  # by export name: what it exports, or "" if nobody knows
    imports: tuple[str, ...] = ()  # names of the exports that it imports, sorted
    tells_all: bool = True  # no macro, no loop and no nested stack makes more than stands in the template
