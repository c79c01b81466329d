"""Our files in and out: whole or not at all, always through a schema, errors with file and line."""

from __future__ import annotations

from secmigrate.documents.account_lists import read_accounts
from secmigrate.documents.config_files import config_of, config_text, read_config, read_decisions
from secmigrate.documents.decision_files import write_decisions
from secmigrate.documents.deployment_text import with_deployment, without_deployment
from secmigrate.documents.exports import read_exported, read_exports
from secmigrate.documents.json_files import json_syntax, read_json, read_snapshot, write_json, write_snapshot
from secmigrate.documents.remarks import Remark, remarks
from secmigrate.documents.retaining import patch, retained
from secmigrate.documents.shipped import aws_actions, aws_managed, catalogue, check_mappings, example
from secmigrate.documents.template_files import Parsed, parse_template
from secmigrate.documents.whole import names_in, private_folder, read_bytes, read_text, write_whole
from secmigrate.documents.yaml_files import Lines, read_yaml, schema, unfit, write_schemas

__all__ = [
    "Lines",
    "Parsed",
    "Remark",
    "aws_actions",
    "aws_managed",
    "catalogue",
    "check_mappings",
    "config_of",
    "config_text",
    "example",
    "json_syntax",
    "names_in",
    "parse_template",
    "patch",
    "private_folder",
    "read_accounts",
    "read_bytes",
    "read_config",
    "read_decisions",
    "read_exported",
    "read_exports",
    "read_json",
    "read_snapshot",
    "read_text",
    "read_yaml",
    "remarks",
    "retained",
    "schema",
    "unfit",
    "with_deployment",
    "without_deployment",
    "write_decisions",
    "write_json",
    "write_schemas",
    "write_snapshot",
    "write_whole",
]
