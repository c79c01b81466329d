"""The forms in which a report is told: one file each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.reports.accounts_markdown import accounts_markdown
from secmigrate.reports.accounts_page import accounts_page
from secmigrate.reports.markdown import markdown
from secmigrate.reports.migration import Report
from secmigrate.reports.overview import Overview
from secmigrate.reports.page import page

T = TypeVar("T")


class Form(Struct, Generic[T], frozen=True):
    """A file's name, and what makes its content, piece by piece."""

    file: str
    pieces: Callable[[T], Iterator[bytes]]

    def render(self, told: T) -> bytes:
        """All of it."""
        return b"".join(self.pieces(told))


def as_json(told: object) -> Iterator[bytes]:
    """The document itself (schemas/report.schema.json, schemas/accounts-report.schema.json)."""
    line = msgspec.json.encode(told, enc_hook=iam.to_jsonable)
    yield msgspec.json.format(line, indent=2) + b"\n"


FORMS: Mapping[str, Form[Report]] = {
    "html": Form("report.html", page),
    "markdown": Form("report.md", markdown),
    "json": Form("report.json", as_json),
}
ACCOUNTS_FORMS: Mapping[str, Form[Overview]] = {
    "html": Form("accounts.html", accounts_page),
    "markdown": Form("accounts.md", accounts_markdown),
    "json": Form("accounts.json", as_json),
}


def form_of(name: str, forms: Mapping[str, Form[T]]) -> Form[T]:
    """The form of that name. Raises BadInput."""
    if name not in forms:
        raise BadInput(f"there is no form {name!r}", where="--format", hint=f"one of {', '.join(forms)}")
    return forms[name]
