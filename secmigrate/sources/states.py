"""The resources in what Terraform writes: a state (version 3 or 4), or what `terraform show -json` prints.

Sources: Terraform, *State file format* and *JSON output format*; OpenTofu, *State and plan encryption*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from secmigrate.handover import Resource
from secmigrate.iam import Gap
from secmigrate.sources.hiding import HIDING
from secmigrate.sources.plans import Plan

Json = Mapping[str, Any]


def is_terraform(head: object) -> bool:
    """Whether a JSON document is one of Terraform's. Where nothing is left `show -json` prints its version alone."""
    if not isinstance(head, dict):
        return False
    state = "terraform_version" in head and ("resources" in head or "modules" in head)
    shown = "values" in head or "planned_values" in head or head.keys() <= _OF_NOTHING
    return state or ("format_version" in head and shown)


_OF_NOTHING = frozenset({"checks", "format_version", "terraform_version"})


def is_encrypted(head: object) -> bool:
    """Whether a JSON document is a state or a plan that OpenTofu has encrypted."""
    return isinstance(head, dict) and "encrypted_data" in head


def resources(head: Json) -> Iterator[Resource]:
    """All managed resources; data sources, which others manage, are left out. Raises ValueError for other versions."""
    if "planned_values" in head:
        yield from _shown(head["planned_values"] or {})
    elif "format_version" in head:
        yield from _shown(head.get("values") or {})
    elif head.get("version") == 4:
        yield from _of_version_4(head)
    elif head.get("version") == 3:
        yield from _of_version_3(head)
    else:
        raise ValueError(f"state version {str(head.get('version'))[:20]} is not known, only 3 and 4")


_LATER = "not known before it is applied: "
_CUT = Gap("what the plan leaves out", "Terraform calls it not complete, after an error or because of -target")


class Found(NamedTuple):
    """What is of IAM in a file of Terraform's."""

    resources: list[Resource]
    gaps: list[Gap]  # what a plan does not know yet
    later: list[Resource]  # those that a plan knows too little of to say anything
    hiding: list[Resource]  # what may make more of IAM in turn


def of_iam(head: Json) -> Found:
    """The resources of IAM, and what a plan does not know yet of them. Raises as `resources` does."""
    every = list(resources(head))
    found = [one for one in every if one.type.startswith(("aws_iam_", "awscc_iam_"))]
    hiding = [one for one in every if one.type in HIDING]
    if "planned_values" not in head:
        return Found(found, [], [], hiding)
    plan = Plan(head)
    now = {one.address: one for one in _shown((head.get("prior_state") or {}).get("values") or {})}
    settled = [plan.settled(one, now.get(one.address)) for one in found]
    gaps = [Gap(one.address, _LATER + ", ".join(unknown)) for one, unknown, _ in settled if unknown]
    gaps += [_CUT] if head.get("complete") is False else []
    return Found(
        [one for one, _, is_enough in settled if is_enough],
        gaps,
        [one for one, _, is_enough in settled if not is_enough],
        hiding,
    )


def _of_version_4(head: Json) -> Iterator[Resource]:
    for block in head["resources"]:
        if block["mode"] != "managed":
            continue
        address = ".".join(part for part in (block.get("module"), block["type"], block["name"]) if part)
        for instance in block["instances"]:
            if "deposed" not in instance:  # what will be deleted, and has been made anew beside it
                # What Terraform has not touched since it was a state of version 3 is as flat as it was there.
                flat = instance.get("attributes_flat")
                values = instance["attributes"] if flat is None else unflattened(flat)
                index, provider = _index(instance.get("index_key")), block.get("provider") or ""
                yield Resource(address + index, block["type"], values, provider)


def _shown(values: Json) -> Iterator[Resource]:
    waiting = [values.get("root_module") or {}]
    while waiting:
        module = waiting.pop()
        for one in module.get("resources") or ():
            if one["mode"] == "managed" and "deposed_key" not in one:
                yield Resource(one["address"], one["type"], one["values"])
        waiting += reversed(module.get("child_modules") or ())


def _of_version_3(head: Json) -> Iterator[Resource]:
    for module in head["modules"]:
        prefix = "".join(f"module.{name}." for name in module["path"][1:])
        for key, one in module["resources"].items():
            if not key.startswith("data.") and one.get("primary"):
                name, _, index = key.removeprefix(f"{one['type']}.").partition(".")
                address = f"{prefix}{one['type']}.{name}" + (_index(int(index)) if index.isdecimal() else "")
                provider = one.get("provider") or ""
                yield Resource(address, one["type"], unflattened(one["primary"]["attributes"]), provider)


def _index(key: object) -> str:
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else '["{}"]'.format(str(key).replace("\\", "\\\\").replace('"', '\\"'))


def unflattened(flat: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of version 3, where a list is `users.#` and `users.1234`, a map `tags.%` and `tags.Name`."""
    found: dict[str, Any] = {}
    below: dict[str, dict[str, str]] = {}
    for key, value in flat.items():
        name, dot, rest = key.partition(".")
        if dot:
            below.setdefault(name, {})[rest] = value
        else:
            found[name] = value
    for name, rows in below.items():
        if "%" in rows:
            found[name] = {key: text for key, text in rows.items() if key != "%"}
        elif "#" in rows:
            found[name] = _listed(rows)
    return found


def _listed(flat: Mapping[str, str]) -> list[Any]:
    rows: dict[str, dict[str, str]] = {}
    for key, value in flat.items():
        if key != "#":
            index, _, field = key.partition(".")
            rows.setdefault(index, {})[field] = value
    return [row[""] if "" in row else unflattened(row) for row in rows.values()]
