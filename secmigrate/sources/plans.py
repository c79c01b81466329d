"""What a plan of Terraform's knows of a resource, and what only its application will tell.

Source: Terraform, *JSON output format*: what is not known is left out of `planned_values`, is null where it stands in a
list, and true in `after_unknown`; `configuration` has what the code itself gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from secmigrate.handover import ATTACHED, EXCLUSIVE, INLINE, Resource

Json = Mapping[str, Any]

# What a resource is nothing without, so that a plan which does not know it says nothing of it.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "aws_iam_user": ("name",),
    "aws_iam_group": ("name",),
    "aws_iam_role": ("name", "assume_role_policy"),
    "aws_iam_policy": ("name", "policy"),
    "aws_iam_instance_profile": ("name",),
    "aws_iam_group_membership": ("group", "users"),
    "aws_iam_user_group_membership": ("user", "groups"),
    "aws_iam_policy_attachment": ("policy_arn",),
    **{type_: (kind, "name", "policy") for type_, kind in INLINE.items()},
    **{type_: (kind, "policy_arn") for type_, kind in ATTACHED.items()},
    **{type_: (f"{kind}_name", listing) for type_, (kind, listing) in EXCLUSIVE.items()},
}
# What else is read of it.
_FURTHER: Mapping[str, tuple[str, ...]] = {
    "aws_iam_user": ("path", "permissions_boundary", "tags"),
    "aws_iam_group": ("path",),
    "aws_iam_role": (
        *("path", "description", "max_session_duration", "permissions_boundary", "tags"),
        *("managed_policy_arns", "inline_policy"),
    ),
    "aws_iam_policy": ("path", "description", "tags"),
    "aws_iam_instance_profile": ("path", "role", "tags"),
    "aws_iam_policy_attachment": ("users", "groups", "roles"),
}
# Where the code does not give them the provider says of each new role that they are not known: they are what other
# resources hang on it, each of which is told by itself.
_COMPUTED = frozenset({"managed_policy_arns", "inline_policy"})
_INDEX = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")


class Planned(NamedTuple):
    """A resource with all that is known of it, what is not, and whether there is enough to say anything of it."""

    resource: Resource
    unknown: tuple[str, ...]
    is_enough: bool


class Plan:
    """What a plan tells of its resources beside their values."""

    def __init__(self, head: Json) -> None:
        rows = head.get("resource_changes") or ()
        self._changes: dict[str, Json] = {row["address"]: row["change"] for row in rows if "deposed" not in row}
        self._given = dict(_given((head.get("configuration") or {}).get("root_module") or {}))

    def settled(self, planned: Resource, now: Resource | None) -> Planned:
        """A resource as planned; what is not known of it is as it is `now`, if there is one now."""
        needed = NEEDED.get(planned.type, ())
        values, was = dict(planned.values), now.values if now else {}
        change = self._changes.get(planned.address, {})
        told = change.get("after_unknown") or {}
        unknown: list[str] = []
        for key in (*needed, *_FURTHER.get(planned.type, ())):
            is_left_out = key not in values
            if not (_is_true(told.get(key)) or _lacks(values.get(key)) or (is_left_out and key in needed)):
                continue
            if is_left_out and "create" in change.get("actions", ()) and self._is_computed(planned.address, key):
                continue
            alone, known = _known(key, values, {}), _known(key, values, was)
            values |= known
            unknown.append(key if known == alone else f"{key} (read as it is now)")
        is_enough = all(key in values for key in needed)
        return Planned(planned._replace(values=values), tuple(unknown), is_enough)

    def _is_computed(self, address: str, key: str) -> bool:
        """Whether the code leaves a value to the provider; what the plan does not hold the code of may be given."""
        return key in _COMPUTED and key not in self._given.get(_INDEX.sub("", address), {key})


def _given(module: Json, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """What the code gives, by the address of its block."""
    for row in module.get("resources") or ():
        yield prefix + row["address"], set(row.get("expressions") or ())
    for name, call in (module.get("module_calls") or {}).items():
        yield from _given(call.get("module") or {}, f"{prefix}module.{name}.")


def _is_true(told: object) -> bool:
    """Whether anything in what `after_unknown` tells of a value is not known."""
    if isinstance(told, dict | list):
        return any(map(_is_true, told.values() if isinstance(told, dict) else told))
    return told is True


def _lacks(value: object) -> bool:
    """Whether a list has something in it that is not known."""
    return isinstance(value, list) and not all(map(_is_whole, value))


def _is_whole(row: object) -> bool:
    """Whether a row of a list is known; rows of more than one value are inline policies."""
    return row is not None and (not isinstance(row, dict) or {"name", "policy"} <= row.keys())


def _known(key: str, values: Json, was: Json) -> Json:
    """What is known of a value that is not known wholly: by the plan, else as it was, an inline policy by its name."""
    if key not in values:
        return {key: was[key]} if key in was else {}
    if not _lacks(values[key]):
        return {}
    then = {row["name"]: row for row in was.get(key) or () if isinstance(row, dict)}
    rows = (row if _is_whole(row) else then.get((row or {}).get("name")) for row in values[key])
    return {key: [row for row in rows if row is not None]}
