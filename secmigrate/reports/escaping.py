"""Names in IAM, descriptions and policies are others' input: how they are made harmless in each form.

`visible` comes first everywhere: what cannot be seen, or turns the direction of what stands beside it, is shown by its
number. The result has no line break and no control character.
"""

from __future__ import annotations

import html
import re
from typing import Any

import msgspec

from secmigrate import iam

# What stands for itself within a line of Markdown: `_` only inside a word, `:` and `.` not where an address begins.
_PLAIN = re.compile(r"[a-z0-9 /?,;=%'()-]|[^\x00-\x7f]|(?<=[a-z0-9])_(?=[a-z0-9])|:(?!/)|(?<!www)\.", re.IGNORECASE)
_AT_THE_START = re.compile(r"\d+[.)]|[^A-Za-z0-9]")  # what would begin a list or the like
_IN_A_SPAN = re.compile(r"[^`|\\]*")
_FOR_SCRIPT = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def visible(text: str) -> str:
    """The text on one line, with `‹U+202E›` for what cannot be seen."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else f"‹U+{ord(one):04X}›" for one in text)


def all_visible(value: Any) -> Any:
    """A value of plain lists, maps and texts, with each text made visible."""
    match value:
        case str():
            return visible(value)
        case dict():
            return {visible(key): all_visible(inner) for key, inner in value.items()}
        case list() | tuple():
            return [all_visible(inner) for inner in value]
        case _:
            return value


def markup(text: str) -> str:
    """For HTML, between tags and in quoted attributes."""
    return html.escape(visible(text))


def data(value: object) -> str:
    """JSON that can stand in a `script` element: nothing in it ends the element, or a line of a script."""
    return msgspec.json.encode(value, enc_hook=iam.to_jsonable).decode().translate(_FOR_SCRIPT)


def code(text: str) -> str:
    """For Markdown, as code: no mentions, no links, nothing that leaves a table's cell."""
    text = visible(text).strip()
    if not text:
        return ""
    return f"`{text}`" if _IN_A_SPAN.fullmatch(text) else f"<code>{_numbered(text)}</code>"


def prose(text: str) -> str:
    """For Markdown, as plain words. A joiner without width keeps `@` and `#` from naming somebody or something."""
    return _numbered(visible(text)).replace("&#64;", "&#64;&#8288;").replace("&#35;", "&#35;&#8288;")


def _numbered(text: str) -> str:
    start = _AT_THE_START.match(text)
    plain = {found.start() for found in _PLAIN.finditer(text) if not start or found.start() >= start.end()}
    return "".join(one if at in plain else f"&#{ord(one)};" for at, one in enumerate(text))
