"""The forms in which a report is told: one file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.reports.markdown import markdown
from secmigrate.reports.migration import Report
from secmigrate.reports.page import page


class Form(Struct, frozen=True):
    """A file's name, and what makes its content."""

    file: str
    render: Callable[[Report], bytes]


def as_json(told: Report) -> bytes:
    """The document itself (schemas/report.schema.json)."""
    line = msgspec.json.encode(told, enc_hook=iam.to_jsonable)
    return msgspec.json.format(line, indent=2) + b"\n"


FORMS: Mapping[str, Form] = {
    "html": Form("report.html", page),
    "markdown": Form("report.md", markdown),
    "json": Form("report.json", as_json),
}


def form_of(name: str) -> Form:
    """The form of that name. Raises BadInput."""
    if name not in FORMS:
        raise BadInput(f"there is no form {name!r}", where="--format", hint=f"one of {', '.join(FORMS)}")
    return FORMS[name]
