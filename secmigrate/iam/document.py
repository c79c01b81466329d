"""Policy documents as values."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from secmigrate.errors import BadInput


class Document:
    """A policy document as canonical JSON text: sorted keys, no white space, lists and values as they were written.

    Hashable and cheap to compare, which a nested dict is not. In our files it appears as a JSON object.
    """

    __slots__ = ("text",)
    text: str

    def __init__(self, value: object) -> None:
        """`value` is the parsed document. Raises BadInput if it is not a JSON object."""
        if not isinstance(value, dict):
            raise BadInput("a policy document must be a JSON object", hint=f"this one is a {type(value).__name__}")
        self.text = msgspec.json.encode(value, order="sorted").decode()

    @classmethod
    def parse(cls, text: str | bytes) -> Document:
        """Reads a document from the JSON text that IAM stores. Raises BadInput on anything else."""
        try:
            return cls(msgspec.json.decode(text))
        except msgspec.DecodeError as error:
            raise BadInput(f"not a policy document: {error}", hint="IAM documents are JSON objects") from None

    @property
    def value(self) -> dict[str, Any]:
        """The parsed document, a fresh one at each call."""
        return cast(dict[str, Any], msgspec.json.decode(self.text))

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The statements; IAM lets a single one stand without its list. An empty one, which says nothing, stands in the
        place of what is no JSON object.
        """
        found = self.value.get("Statement", [])
        return [row if isinstance(row, dict) else {} for row in (found if isinstance(found, list) else [found])]

    @property
    def aws_principals(self) -> list[str]:
        """Whom a trust policy names under `AWS`, as it names them, whether it lets them in or keeps them out."""
        rows = [row.get(element) for row in self.statements for element in ("Principal", "NotPrincipal")]
        values = [row.get("AWS") for row in rows if isinstance(row, dict)]
        names = [name for value in values for name in (value if isinstance(value, list) else [value])]
        return [name for name in names if isinstance(name, str)]

    @property
    def size(self) -> int:
        """Characters as IAM's quotas count them, white space outside of strings left out."""
        return len(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: Document) -> bool:
        return self.text < other.text

    def __repr__(self) -> str:
        return f"Document({self.text})"


def to_jsonable(value: object) -> object:
    """msgspec's encoding hook: a document is written as the JSON it is."""
    if isinstance(value, Document):
        return msgspec.Raw(value.text.encode())
    raise NotImplementedError(type(value))


def from_jsonable(kind: type, value: object) -> object:
    """msgspec's decoding hook, the other way."""
    if kind is Document:
        return Document(value)
    raise NotImplementedError(kind)


def is_function(value: object) -> bool:
    """Whether a value is one that CloudFormation says only when it deploys: `{"Ref": …}`, `{"Fn::GetAtt": …}`."""
    return isinstance(value, dict) and any(key == "Ref" or key.startswith("Fn::") for key in value)


def has_functions(value: object) -> bool:
    """Whether parts of a value are left for CloudFormation to say, so that it is not what IAM gets."""
    if isinstance(value, dict):
        return is_function(value) or any(map(has_functions, value.values()))
    return isinstance(value, list) and any(map(has_functions, value))
