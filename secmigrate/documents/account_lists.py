"""A list of accounts as a person keeps one: an id a line, its name behind it if there is one."""

from __future__ import annotations

import re
from pathlib import Path

from secmigrate.documents.whole import read_bytes
from secmigrate.errors import BadInput

_COMMENT = re.compile(r"(^|\s)#.*")
_FORM = "a line is twelve digits and, if you like, a name: 111122223333 Data; lines that begin with # are not read"


def read_accounts(path: Path) -> dict[str, str]:
    """Names by account id; a comma may stand between them. Raises BadInput with file and line of each bad one."""
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise BadInput("not UTF-8 text", where=f"{path}:1", hint="save it as UTF-8 text") from None
    found: dict[str, tuple[int, str]] = {}
    problems: list[tuple[str, str, str]] = []
    for number, line in enumerate(lines, 1):
        words = _COMMENT.sub("", line).strip()
        if not words:
            continue
        first, *rest = re.split(r"\s*[,;]\s*|\s+", words, maxsplit=1)
        account = first.strip("\"'").replace("-", "")
        if not re.fullmatch("[0-9]{12}", account):
            problems.append((f"{path}:{number}", f"{first!r} is no account id", _hint(account)))
        elif account in found:
            problems.append(
                (f"{path}:{number}", f"{account} stands in line {found[account][0]} already", "keep one of the two")
            )
        else:
            found[account] = (number, "".join(rest).strip("\"' ,;"))
    if problems:
        (where, message, hint), *more = problems
        raise BadInput(message + "".join(f"\n  {at}: {what}" for at, what, _ in more), where=where, hint=hint)
    if not found:
        raise BadInput("names no account", where=f"{path}:1", hint=_FORM)
    return {account: name for account, (_, name) in found.items()}


def _hint(text: str) -> str:
    if text.isdigit() and len(text) < 12:
        return f"an account id has twelve digits, and spreadsheets drop zeros at the front: perhaps {text:0>12}"
    return _FORM
