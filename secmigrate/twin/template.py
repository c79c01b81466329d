"""A CloudFormation template of groups, roles and managed policies, from a snapshot, and what a twin reads of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from secmigrate.iam import Document, Group, Policy, Role, Snapshot
from secmigrate.twin.refusal import Refusal

GROUP, ROLE, POLICY = "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
# The property that names a resource of each type; without it CloudFormation would make a name up.
NAMES: Mapping[str, str] = {GROUP: "GroupName", ROLE: "RoleName", POLICY: "ManagedPolicyName"}
Resources = Mapping[str, tuple[str, dict[str, Any]]]  # type and properties by logical id


def template_of(part: Snapshot) -> str:
    """The template, as JSON, of a stack that holds all groups, roles and customer-managed policies of the snapshot."""
    rows: dict[str, Any] = {}
    for policy in part.own_policies.values():
        rows[_logical("Policy", policy.name)] = _row(POLICY, _policy(policy))
    for group in part.groups.values():
        rows[_logical("Group", group.name)] = _row(GROUP, _principal(group))
    for role in part.roles.values():
        rows[_logical("Role", role.name)] = _row(ROLE, _role(role))
    return msgspec.json.encode({"AWSTemplateFormatVersion": "2010-09-09", "Resources": rows}).decode()


def read_template(text: str) -> Resources:
    """The resources of a template. Raises ValidationError for what a twin does not understand: YAML, functions,
    conditions, and whatever is not IAM.
    """
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for logical, row in _rows(text).items():
        kind, properties = str(row.get("Type")), row.get("Properties", {})
        if kind not in NAMES:
            raise _wrong(f"Unrecognized resource types: [{kind}]")
        if not isinstance(properties, dict) or not isinstance(properties.get(NAMES[kind]), str) or _calls(properties):
            raise _wrong(f"the twin wants {logical} with a name, and without functions")
        found[logical] = (kind, properties)
    return found


def named_in(text: str) -> set[str]:
    """The logical ids in a template, whatever else it says. Raises ValidationError if it is none."""
    return set(_rows(text))


def retained_in(text: str) -> set[str]:
    """The logical ids in a template that stay in the account when they leave the stack."""
    return {logical for logical, row in _rows(text).items() if str(row.get("DeletionPolicy")).startswith("Retain")}


def check_references(text: str) -> None:
    """Raises ValidationError if a template names a resource that it does not hold (any more)."""
    body = msgspec.json.decode(text)
    known = set(_rows(text)) | set(body.get("Parameters", {}))
    waiting: list[Any] = [body["Resources"], body.get("Outputs")]
    dangling: set[str] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            names = [one.get("Ref"), *one.get("Fn::GetAtt", [])[:1]]
            dangling |= {name for name in names if isinstance(name, str) and not name.startswith("AWS::")} - known
    if dangling:
        told = (
            f"Unresolved resource dependencies [{', '.join(sorted(dangling))}] in the Resources block of the template"
        )
        raise _wrong(told)


def _rows(text: str) -> dict[str, dict[str, Any]]:
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise _wrong("the twin reads templates in JSON only") from None
    rows = body.get("Resources") if isinstance(body, dict) else None
    if not isinstance(rows, dict) or not rows or not all(isinstance(row, dict) for row in rows.values()):
        raise _wrong("At least one Resources member must be defined.")
    return rows


def _row(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "Properties": {key: value for key, value in properties.items() if value}}


def _principal(one: Group | Role) -> dict[str, Any]:
    return {
        f"{one.kind.capitalize()}Name": one.name,
        "Path": one.path,
        "Policies": [{"PolicyName": name, "PolicyDocument": text.value} for name, text in sorted(one.inline.items())],
        "ManagedPolicyArns": list(one.attached),
    }


def _role(role: Role) -> dict[str, Any]:
    return {
        **_principal(role),
        "AssumeRolePolicyDocument": role.trust.value,
        "Description": role.description,
        "MaxSessionDuration": role.max_session,
        "PermissionsBoundary": role.boundary,
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags.items() if not key.startswith("aws:")],
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "ManagedPolicyName": policy.name,
        "Path": policy.path,
        "Description": policy.description,
        "PolicyDocument": policy.document.value,
    }


def text_of(document: object) -> str:
    """A policy document of a template as IAM takes it."""
    return Document(document).text if isinstance(document, dict) else str(document)


def _logical(kind: str, name: str) -> str:
    """Letters and digits only, as CloudFormation wants them; what it drops stays told apart by its code."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", name).title().replace(" ", "")
    odd = "".join(f"{ord(sign):x}" for sign in name if not sign.isalnum() and sign != "-")
    return f"{kind}{words}{odd}"


def _calls(value: object) -> bool:
    """Whether functions of CloudFormation are in it."""
    if isinstance(value, dict):
        return any(key == "Ref" or str(key).startswith("Fn::") or _calls(one) for key, one in value.items())
    return isinstance(value, list) and any(map(_calls, value))


def _wrong(message: str) -> Refusal:
    return Refusal("ValidationError", f"Template format error: {message}")
