"""The functions that need nothing but their arguments. What is not known stays a function, with what is known in it.

Source: AWS, CloudFormation, *Intrinsic function reference* and *Transform reference* (`AWS::LanguageExtensions`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from secmigrate.sources.cloudformation.invented import is_open


def text_of(value: Any) -> str | None:
    """A scalar as the text that it is to CloudFormation; None for what is none, or not known."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def path_of(value: Any) -> str:
    """An IAM path; "/" where none is given or known."""
    text = text_of(value)
    return text if text and not is_open(text) else "/"


def join(argument: Any) -> Any:
    """`[separator, [part, …]]`."""
    separator, parts = argument
    if isinstance(separator, str) and isinstance(parts, list):
        texts = [text_of(part) for part in parts]
        if None not in texts:
            return separator.join(text for text in texts if text is not None)
    return {"Fn::Join": argument}


def split(argument: Any) -> Any:
    """`[separator, text]`."""
    separator, text = argument
    known = isinstance(text, str) and isinstance(separator, str) and separator != "" and not is_open(text)
    return text.split(separator) if known else {"Fn::Split": argument}


def select(argument: Any) -> Any:
    """`[index, [item, …]]`."""
    index, items = argument
    place = text_of(index)
    if isinstance(items, list) and place is not None and place.isdecimal() and len(place) < 6:
        if int(place) < len(items):
            return items[int(place)]
        raise ValueError(f"Fn::Select wants item {place} of {len(items)}")
    return {"Fn::Select": argument}


def in_base64(argument: Any) -> Any:
    """A text."""
    if isinstance(argument, str) and not is_open(argument):
        return base64.b64encode(argument.encode()).decode()
    return {"Fn::Base64": argument}


def length(argument: Any) -> Any:
    """A list."""
    return len(argument) if isinstance(argument, list) else {"Fn::Length": argument}


def as_json(argument: Any) -> Any:
    """Any value, as JSON text."""
    known = isinstance(argument, dict | list) and not _anywhere_open(argument)
    return msgspec.json.encode(argument).decode() if known else {"Fn::ToJsonString": argument}


def _anywhere_open(value: Any) -> bool:
    if isinstance(value, dict) and not is_open(value):
        return any(map(_anywhere_open, value.values()))
    return any(map(_anywhere_open, value)) if isinstance(value, list) else is_open(value)


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "Fn::Base64": in_base64,
    "Fn::Join": join,
    "Fn::Length": length,
    "Fn::Select": select,
    "Fn::Split": split,
    "Fn::ToJsonString": as_json,
}
