"""Policy documents decoded by their form: statements as nearly all are written, and whatever names actions.

`reading` reads all the rest, and says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from secmigrate.access.automata import head_of
from secmigrate.iam import Document

Words = str | list[str]


class Usual(Struct, forbid_unknown_fields=True, gc=False):
    """A statement that has the elements that there are, each of the right type."""

    effect: Literal["Allow", "Deny"] = field(name="Effect")
    action: Words | UnsetType = field(name="Action", default=UNSET)
    not_action: Words | UnsetType = field(name="NotAction", default=UNSET)
    resource: Words | UnsetType = field(name="Resource", default=UNSET)
    not_resource: Words | UnsetType = field(name="NotResource", default=UNSET)
    condition: msgspec.Raw | UnsetType = field(name="Condition", default=UNSET)
    sid: str = field(name="Sid", default="")


class _UsualDocument(Struct, forbid_unknown_fields=True):
    statement: Usual | list[Usual] = field(name="Statement")
    version: Literal["2012-10-17", "2008-10-17"] = field(name="Version", default="2008-10-17")
    id: str = field(name="Id", default="")


class _Naming(Struct):
    """Of a statement only what names actions."""

    action: Words | UnsetType = field(name="Action", default=UNSET)
    not_action: Words | UnsetType = field(name="NotAction", default=UNSET)


class _NamingDocument(Struct):
    statements: list[_Naming] = field(name="Statement")


_usual = msgspec.json.Decoder(_UsualDocument)
_naming = msgspec.json.Decoder(_NamingDocument)


@lru_cache(maxsize=64)  # who maps a role asks for the same documents several times, one soon after the other
def usual(document: Document) -> Sequence[Usual] | None:
    """The document's statements, in which `${…}` is a variable; None if it is not, or one of them not of that form."""
    try:
        found = _usual.decode(document.text)
    except msgspec.ValidationError:
        return None
    if found.version != "2012-10-17" and "$" in document.text:
        return None
    return found.statement if isinstance(found.statement, list) else [found.statement]


def written(document: Document) -> Sequence[Usual]:
    """The document's statements, whatever they are: of those that are not `usual` what has the right type."""
    found = usual(document)
    return [_as_usual(row) for row in document.statements] if found is None else found


def _as_usual(row: Mapping[str, Any]) -> Usual:
    effect = row.get("Effect")
    if effect not in ("Allow", "Deny"):
        return Usual(effect="Allow")  # it names no action, as whatever cannot be read
    action, not_action, resource, not_resource = (
        [str(one) for one in value] if isinstance(value, list) else value if isinstance(value, str) else UNSET
        for value in map(row.get, ("Action", "NotAction", "Resource", "NotResource"))
    )
    return Usual(
        effect=effect,
        action=action,
        not_action=not_action,
        resource=resource,
        not_resource=not_resource,
        condition=msgspec.Raw(msgspec.json.encode(row["Condition"])) if "Condition" in row else UNSET,
    )


def words_of(one: Words | UnsetType, other: Words | UnsetType) -> Sequence[str]:
    """The entries of an element or of its Not… form; none if there are not exactly one of the two, with entries."""
    if (one is UNSET) == (other is UNSET):
        return ()
    given = other if one is UNSET else one
    return [given] if isinstance(given, str) else given if isinstance(given, list) else ()


def named_actions(documents: Iterable[Document]) -> set[str]:
    """Every entry of an Action or NotAction in the documents; of what cannot be read as well."""
    found: set[str] = set()
    for document in documents:
        try:
            rows = _naming.decode(document.text).statements
        except msgspec.ValidationError:
            found.update(_named_anyhow(document))
            continue
        for row in rows:
            for value in (row.action, row.not_action):
                if isinstance(value, list):
                    found.update(value)
                elif isinstance(value, str):
                    found.add(value)
    return set(filter(is_action, found))


def _named_anyhow(document: Document) -> Iterable[str]:
    for row in document.statements:
        for name in ("Action", "NotAction"):
            value = row.get(name, [])
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, str):
                    yield entry


def is_action(entry: str) -> bool:
    """Whether it can be an entry of an Action element."""
    return ":" in entry or (entry != "" and set(entry) <= {"*", "?"})


def heads_of(resources: Sequence[str]) -> Collection[str]:
    """The head of each pattern of these texts, once; none if one of them cannot be an entry of a Resource element."""
    return {head_of(text) for text in resources} if all(map(is_resource, resources)) else ()


def is_resource(entry: str) -> bool:
    """Whether it can be an entry of a Resource element."""
    return entry.startswith(("arn:", "*", "?"))
