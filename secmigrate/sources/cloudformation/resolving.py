"""Templates with their functions resolved, as far as parameters, mappings, conditions and other stacks tell.

What is not known stays the function that it is. It is asked for by name and remembered, so nothing is worked out
twice, and what leads back to itself is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from secmigrate.sources.cloudformation.attributes import KINDS, NAMED, REF_IS_NO_NAME
from secmigrate.sources.cloudformation.functions import FUNCTIONS, path_of, text_of
from secmigrate.sources.cloudformation.invented import invent, is_dynamic, is_invented, is_open
from secmigrate.sources.cloudformation.templates import NESTED, Template, partition_of

MOST_TEXT = 20_000_000  # characters that all templates together may resolve to
_OVERHEAD = 50  # what a value costs beside its characters
_NO_VALUE = object()
_IN_SUB = re.compile(r"\$\{(!?)([^${}]*)\}")
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


class TooMuch(ValueError):
    """Functions of functions that would fill the memory."""


class Known:
    """What all stacks share: the account, and what one tells the other. `names` are those that AWS gave to what lies in
    a stack, by its logical id; None for a stack that nobody knows.
    """

    def __init__(
        self,
        account: str,
        partition: str,
        region: str,
        names: Callable[[str, str], Mapping[str, str] | None],
    ) -> None:
        self.account, self.names = account, names
        self.partition: str = partition
        self.region: str = region
        self.stacks: list[Deployed] = []
        self._left = MOST_TEXT

    def exported(self, name: str) -> Any:
        """What an export of that name is; None if no stack has it."""
        for stack in self.stacks:
            if name in stack.exports:
                return stack.output(stack.exports[name])
        return None

    def spend(self, value: Any) -> Any:
        """Counts what a function gave, which may be long and be used often. Raises TooMuch."""
        waiting = [value]
        while waiting:
            one = waiting.pop()
            self._left -= len(one) + _OVERHEAD if isinstance(one, str) else _OVERHEAD
            if self._left < 0:
                raise TooMuch(f"resolves to more than {MOST_TEXT:,} characters")
            if isinstance(one, list):
                waiting += one
        return value


class Deployed:
    """A template as the stack that it makes."""

    def __init__(self, template: Template, known: Known, parent: Deployed | None = None, parent_id: str = "") -> None:
        self.template, self._known, self._parent, self._parent_id = template, known, parent, parent_id
        self.region: str = template.region or (parent.region if parent else "") or known.region
        self.partition: str = partition_of(template.region) or known.partition
        self._given: Mapping[str, str] | None = None
        self._worked: dict[tuple[str, str], Any] = {}
        self._working: set[tuple[str, str]] = set()
        for section in ("Conditions", "Mappings", "Outputs", "Parameters"):
            template.section(section)
        self.resources = {key: row for key, row in template.section("Resources").items() if isinstance(row, dict)}
        known.stacks.append(self)
        self.nested = {key: Deployed(child, known, self, key) for key, child in template.children.items()}

    @property
    def names(self) -> Mapping[str, str]:
        """What AWS calls what lies in the stack, by logical id, as far as somebody told."""
        if self._given is None:
            at = self._parent.names.get(self._parent_id, "") if self._parent else self.template.name
            self._given = (self._known.names(at or self.template.name, self.region) if at else None) or {}
        return self._given

    @property
    def name(self) -> str:
        """The stack's name; of a nested one the real one ends with letters that CloudFormation chose."""
        arn = self._parent.names.get(self._parent_id, "") if self._parent else ""
        return arn.split("/")[1] if arn.startswith("arn:") and arn.count("/") == 2 else self.template.name

    @property
    def exports(self) -> Mapping[str, str]:
        """Names of outputs by the names under which they are exported, as far as known."""

        def found() -> dict[str, str]:
            rows = {}
            for output, row in self.template.section("Outputs").items():
                export = row.get("Export") if isinstance(row, dict) else None
                name = self.value(export.get("Name")) if isinstance(export, dict) else None
                if isinstance(name, str) and not is_open(name):
                    rows[name] = output
            return rows

        return self._once("exports", "", found) or {}

    def output(self, name: str) -> Any:
        """What an output is; None if it is not known, or there is none."""

        def found() -> Any:
            row = self.template.section("Outputs").get(name)
            return text_of(self.value(row.get("Value"))) if isinstance(row, dict) else None

        return self._once("output", name, found)

    def is_there(self, logical_id: str) -> bool | None:
        """Whether a resource is made at all, by its condition, else by what lies in the stack; None if that is not
        known.
        """
        condition = self.resources[logical_id].get("Condition")
        found = True if condition is None else self.condition(condition)
        return logical_id in self.names if found is None and self.names else found

    def properties(self, logical_id: str) -> Any:
        """A resource's properties, resolved."""
        return self.value(self.resources[logical_id].get("Properties") or {})

    def physical(self, logical_id: str) -> str | None:
        """What AWS calls the resource (its name, a managed policy's ARN); an invented name if only CloudFormation can
        say; None if it has none that we know of.
        """
        found: str | None = self._once("physical", logical_id, lambda: self._physical(logical_id))
        return found

    def _physical(self, logical_id: str) -> str | None:
        if told := self.names.get(logical_id):
            return told
        row = self.resources[logical_id]
        kind = KINDS.get(str(row.get("Type")))
        if kind is None:
            return None
        properties = row.get("Properties") or {}
        name = text_of(self.value(properties[kind.name])) if kind.name in properties else None
        is_open_arn = kind.ref_is_arn and is_open(self._path(logical_id))
        if name is None or is_open_arn or (row["Type"] in NAMED and is_dynamic(name)):
            name = invent(self.template.name, logical_id)
        return self._arn(logical_id, name) if kind.ref_is_arn else name

    def _arn(self, logical_id: str, name: str) -> str | None:
        row = self.resources[logical_id]
        kind = KINDS[row["Type"]]
        if name.startswith("arn:"):
            return name
        path = self._path(logical_id)
        if is_open(path) and not kind.ref_is_arn:
            return None
        if ("{region}" in kind.arn and not self.region) or ("{account}" in kind.arn and not self._known.account):
            return None
        return kind.arn.format(
            name=name, path=path_of(path), partition=self.partition, region=self.region, account=self._known.account
        )

    def _path(self, logical_id: str) -> Any:
        return self.value((self.resources[logical_id].get("Properties") or {}).get("Path"))

    def condition(self, asked: Any) -> bool | None:
        """Whether a condition holds, by name or written out; None if that is not known."""
        if isinstance(asked, str):
            rule = self.template.section("Conditions").get(asked)
            found: bool | None = self._once("condition", asked, lambda: self._decided(rule))
            return found
        return self._decided(asked)

    def _decided(self, rule: Any) -> bool | None:
        if isinstance(rule, bool):
            return rule
        if not isinstance(rule, dict) or len(rule) != 1:
            return None
        (name, argument), *_ = rule.items()
        if name == "Condition" and isinstance(argument, str):
            return self.condition(argument)
        if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            left, right = (self.value(one) for one in argument)
            one, other = text_of(left), text_of(right)
            unknown = one is None or other is None or is_open(one) or is_open(other)
            return None if unknown else one == other
        if name in ("Fn::Not", "Fn::And", "Fn::Or") and isinstance(argument, list):
            held = [self._decided(one) for one in argument]
            if name == "Fn::Not":
                return None if held[:1] in ([None], []) else not held[0]
            decisive = name == "Fn::Or"
            return decisive if decisive in held else None if None in held else not decisive
        return None

    def value(self, node: Any) -> Any:
        """A part of the template, resolved. Raises TooMuch, and ValueError for arguments that no function takes."""
        found = self._value(node)
        return None if found is _NO_VALUE else found

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [found for one in node if (found := self._value(one)) is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, argument), *_ = node.items()
            if name in _SCOPED:
                return self._known.spend(_SCOPED[name](self, argument))
            if name in FUNCTIONS:
                argument = self._value(argument)
                return self._known.spend({name: argument} if argument is _NO_VALUE else FUNCTIONS[name](argument))
        return {key: found for key, one in node.items() if (found := self._value(one)) is not _NO_VALUE}

    def ref(self, name: Any) -> Any:
        """`Ref`: a parameter, a pseudo parameter, or what AWS calls a resource."""
        if name == "AWS::NoValue":
            return _NO_VALUE
        found = None
        if isinstance(name, str):
            if name in _PSEUDO:
                found = _PSEUDO[name](self)
            elif name in self.template.section("Parameters"):
                found = self._once("parameter", name, lambda: self._parameter(name))
            elif name in self.resources and self.resources[name].get("Type") not in REF_IS_NO_NAME:
                found = self._of_iam(name, self.physical(name))
        return {"Ref": name} if found in (None, "") and found != "" else found

    def _of_iam(self, logical_id: str, found: str | None) -> str | None:
        """Invented names are for what the inventory keeps; of the rest an unknown name is just that."""
        of_iam = str(self.resources[logical_id].get("Type")).startswith("AWS::IAM::")
        return None if found and is_invented(found) and not of_iam else found

    def _parameter(self, name: str) -> Any:
        row = self.template.section("Parameters")[name]
        if not isinstance(row, dict) or str(row.get("NoEcho")).lower() == "true":
            return None
        type_ = str(row.get("Type"))
        value = row.get("Default")
        if self._parent is not None:
            given = self._parent.resources[self._parent_id].get("Properties") or {}
            passed = given.get("Parameters") if isinstance(given, dict) else None
            if isinstance(passed, dict) and name in passed:
                value = self._parent.value(passed[name])
                value = ",".join(map(str, value)) if isinstance(value, list) and all(map(text_of, value)) else value
        text = text_of(value)
        if text is None or "AWS::SSM::" in type_:
            return None
        listed = type_ == "CommaDelimitedList" or type_.startswith("List<")
        return [part.strip() for part in text.split(",")] if listed else text

    def attribute(self, argument: Any) -> Any:
        """`Fn::GetAtt`: a resource's ARN, or an output of a nested stack."""
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        found = None
        if isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) for part in parts):
            logical_id, attribute = parts
            row = self.resources.get(logical_id, {})
            kind = KINDS.get(str(row.get("Type")))
            if row.get("Type") == NESTED and logical_id in self.nested and attribute.startswith("Outputs."):
                found = self.nested[logical_id].output(attribute.removeprefix("Outputs."))
            elif kind is not None and kind.arn_attribute == attribute:
                name = self._queue_name(logical_id) if row["Type"] in REF_IS_NO_NAME else self.physical(logical_id)
                found = self._of_iam(logical_id, self._arn(logical_id, name)) if name else None
        return {"Fn::GetAtt": parts} if found is None else found

    def _queue_name(self, logical_id: str) -> str | None:
        told = self.names.get(logical_id)  # a URL
        return told.rsplit("/", 1)[-1] if told else self.physical(logical_id)

    def substituted(self, argument: Any) -> Any:
        """`Fn::Sub`, with or without names of its own."""
        text, own = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        if not isinstance(text, str) or not isinstance(own, dict):
            raise ValueError("Fn::Sub takes a text, or a text and a map")
        parts: list[Any] = []
        end = 0
        for found in _IN_SUB.finditer(text):
            parts.append(text[end : found.start()])
            end = found.end()
            parts.append(f"${{{found[2]}}}" if found[1] else self._in_sub(found[2].strip(), own))
        parts.append(text[end:])
        return FUNCTIONS["Fn::Join"](["", [part for part in parts if part != ""]])

    def _in_sub(self, name: str, own: Mapping[str, Any]) -> Any:
        given = self.attribute if "." in name else self.ref
        found = self._value(own[name]) if name in own else given(name)
        return {"Ref": "AWS::NoValue"} if found is _NO_VALUE else found

    def chosen(self, argument: Any) -> Any:
        """`Fn::If`."""
        if not isinstance(argument, list) or len(argument) != 3:
            raise ValueError("Fn::If takes a condition and two values")
        name, *branches = argument
        holds = self.condition(name)
        if holds is not None:
            return self._value(branches[0 if holds else 1])
        found = (self._value(one) for one in branches)
        return {"Fn::If": [name, *({"Ref": "AWS::NoValue"} if one is _NO_VALUE else one for one in found)]}

    def mapped(self, argument: Any) -> Any:
        """`Fn::FindInMap`."""
        steps = self._value(argument)
        if not isinstance(steps, list) or len(steps) < 3:
            raise ValueError("Fn::FindInMap takes a map and two keys")
        found: Any = self.template.section("Mappings")
        for step in steps[:3]:
            if is_open(step):
                return {"Fn::FindInMap": steps}
            found = found.get(text_of(step)) if isinstance(found, dict) else None
        if found is None and len(steps) == 4 and isinstance(steps[3], dict):
            found = steps[3].get("DefaultValue")
        if isinstance(found, dict):
            raise ValueError("Fn::FindInMap leads to a map, and not to text or a list")
        return {"Fn::FindInMap": steps} if found is None else found

    def imported(self, argument: Any) -> Any:
        """`Fn::ImportValue`."""
        name = self.value(argument)
        found = self._known.exported(name) if isinstance(name, str) and not is_open(name) else None
        return {"Fn::ImportValue": name} if found is None else found

    def pseudo(self, which: str) -> str | None:
        """The account or the suffix of its services' names."""
        if which == "account":
            return self.template.account or self._known.account
        return _SUFFIXES.get(self.partition, "amazonaws.com")

    def imports(self) -> Iterator[str]:
        """The names of all exports that the template imports, as far as they are known."""
        waiting: list[Any] = [self.template.parsed.value]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                waiting += node.values()
                if "Fn::ImportValue" in node and isinstance(name := self.value(node["Fn::ImportValue"]), str):
                    yield name
            elif isinstance(node, list):
                waiting += node

    def _once(self, what: str, name: str, work: Callable[[], Any]) -> Any:
        """What `work` gives, worked out once; None where it leads back to itself."""
        key = (what, name)
        if key in self._worked:
            return self._worked[key]
        if key in self._working:
            return None
        self._working.add(key)
        try:
            self._worked[key] = work()
        finally:
            self._working.discard(key)
        return self._worked[key]


_PSEUDO: Mapping[str, Callable[[Deployed], str | None]] = {
    "AWS::AccountId": lambda stack: stack.pseudo("account"),
    "AWS::Partition": lambda stack: stack.partition,
    "AWS::Region": lambda stack: stack.region or None,
    "AWS::StackName": lambda stack: stack.name,
    "AWS::URLSuffix": lambda stack: stack.pseudo("suffix"),
}
_SCOPED: Mapping[str, Callable[[Deployed, Any], Any]] = {
    "Fn::FindInMap": Deployed.mapped,
    "Fn::GetAtt": Deployed.attribute,
    "Fn::If": Deployed.chosen,
    "Fn::ImportValue": Deployed.imported,
    "Fn::Sub": Deployed.substituted,
    "Ref": Deployed.ref,
}
