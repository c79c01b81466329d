"""An AWS API call as a value, and what can be derived from it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Call(Struct, frozen=True):
    """One call of an AWS API, mostly IAM's. `method` is AWS's name for it, `params` are botocore's."""

    method: str
    params: Mapping[str, Any]
    service: str = "iam"

    @property
    def permission(self) -> str:
        """The action that a policy must allow: `iam:AddUserToGroup`."""
        return f"{self.service}:{self.method}"

    def as_shell(self) -> str:
        """The same call for the AWS CLI, quoted for a POSIX shell."""
        words = ["aws", self.service, kebab(self.method)]
        for name, value in self.params.items():
            words += _flag(kebab(name), value)
        return " ".join(shlex.quote(word) for word in words)


def kebab(name: str) -> str:
    """`AddUserToGroup` as the AWS CLI spells it: `add-user-to-group`."""
    return _WORD.sub("-", name).lower()


def _flag(name: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, str):
        # `--name=value`: a value that starts with a dash would else be read as a flag.
        return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]
    return [f"--{name}", msgspec.json.encode(value).decode()]
