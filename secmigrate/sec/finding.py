"""A finding of `validate`, and what of a config it may be about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from secmigrate.sec.config import SECTIONS, SecConfig

ConfigPath = tuple[str, ...]


class Finding(Struct, frozen=True, kw_only=True, order=True):
    """Something in the config to look at; an error would fail the deployment or contradicts what is certain."""

    path: ConfigPath  # ("security", "iam_groups", "data_scientists")
    message: str
    hint: str
    severity: Literal["error", "warning"] = "error"


def created(config: SecConfig) -> Iterator[tuple[ConfigPath, str, str]]:
    """Everything that gets a name: its path, its kind, its name."""
    for section in SECTIONS:
        kind = "group" if section == "iam_groups" else "role"
        for key in config.security.section(section):
            name = config.group_name(key) if kind == "group" else config.role_name(key)
            yield ("security", section, key), kind, name
