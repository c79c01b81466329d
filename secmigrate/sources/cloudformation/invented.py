"""Names that CloudFormation will give, or gave and nobody tells: they stand for themselves until all is read.

While templates are resolved such a name is a text that IAM could never hold, so that it finds its way through every
function and every export. At the end a thing is named `STACK-LOGICALID` by it, and a document that holds one holds a
function again (`{"Fn::Sub": "arn:…:role/${LOGICALID}"}`): access takes that for what it is, unknown.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from secmigrate.iam import is_function

_MARK = re.compile("\ue000([^\ue000-\ue002]+)\ue001([^\ue000-\ue002]+)\ue002")
_DYNAMIC = "{{resolve:"  # a reference to SSM or Secrets Manager that only a deployment follows
_LONGEST = 128  # a name's, of whatever kind


def invent(stack: str, logical_id: str) -> str:
    """The text that stands for a name."""
    return f"\ue000{stack}\ue001{logical_id}\ue002"


def is_invented(text: str) -> bool:
    """Whether a text holds such a name."""
    return bool(_MARK.search(text))


def named(text: str) -> str:
    """The text with names in it that people can read, and that IAM could hold."""
    return _MARK.sub(lambda found: _short(f"{found[1]}-{found[2]}"), text)


def is_dynamic(text: str) -> bool:
    """Whether a text holds a reference that only a deployment follows."""
    return _DYNAMIC in text


def is_open(value: Any) -> bool:
    """Whether a resolved value, itself, is none that IAM would ever get."""
    return is_function(value) or (isinstance(value, str) and (is_invented(value) or is_dynamic(value)))


def opened(value: Any, stack: str) -> Any:
    """A resolved value of that stack with functions in place of all that is not known."""
    if isinstance(value, dict):
        return {opened_key(key, stack): opened(inner, stack) for key, inner in value.items()}
    if isinstance(value, list):
        return [opened(inner, stack) for inner in value]
    if isinstance(value, str) and is_open(value):
        return {"Fn::Sub": opened_key(value, stack)}
    return value


def opened_key(text: str, stack: str) -> str:
    """A text with `${LOGICALID}` in place of invented names, `${STACK.LOGICALID}` of those of other stacks."""
    return _MARK.sub(lambda found: f"${{{found[2]}}}" if found[1] == stack else f"${{{found[1]}.{found[2]}}}", text)


def _short(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
