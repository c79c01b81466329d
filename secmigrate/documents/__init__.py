"""Our files in and out: whole or not at all, always through a schema, errors with file and line."""

from __future__ import annotations

from secmigrate.documents.json_files import json_syntax, read_json, read_snapshot, write_json, write_snapshot
from secmigrate.documents.shipped import aws_managed, example, schema
from secmigrate.documents.whole import read_bytes, write_whole
from secmigrate.documents.yaml_files import Lines, read_yaml

__all__ = [
    "Lines",
    "aws_managed",
    "example",
    "json_syntax",
    "read_bytes",
    "read_json",
    "read_snapshot",
    "read_yaml",
    "schema",
    "write_json",
    "write_snapshot",
    "write_whole",
]
