"""Policy documents read as statements; what cannot be read is named, and never counts as "allows nothing".

Source: AWS, IAM JSON policy elements reference, and Grammar of the IAM JSON policy language.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

from secmigrate.access.conditions import ALWAYS, Condition, Unreadable, read_condition, unreadable
from secmigrate.access.decoding import Usual, is_action, is_resource
from secmigrate.access.facts import Facts, asks, decide_by, filled, written
from secmigrate.access.patterns import Pattern, resource
from secmigrate.iam import Document

Effect = Literal["Allow", "Deny"]
Which = Literal["common", "traits", "names"]

EVERYTHING = resource("*")
VERSIONS = ("2012-10-17", "2008-10-17")
_NAMES = frozenset(("aws:username", "aws:principalarn"))
_ELEMENTS = frozenset("Sid Effect Action NotAction Resource NotResource Condition".split())


class Region(Struct, frozen=True):
    """Resources: all that `pattern` matches, without what one of `without` does (a NotResource)."""

    pattern: Pattern
    without: frozenset[Pattern] = frozenset()

    def __str__(self) -> str:
        if not self.without:
            return self.pattern.text
        return f"everything but {', '.join(sorted(one.text for one in self.without))}"


ANYWHERE = Region(EVERYTHING)


class Statement(Struct, frozen=True):
    """One statement of a policy document."""

    place: str  # "statement 2", or "statement 2 (ReadBuckets)"
    effect: Effect
    actions: tuple[str, ...]
    all_but: bool  # whether `actions` are a NotAction
    regions: tuple[Region, ...]
    condition: Condition


class Flaw(Struct, frozen=True, order=True):
    """What a document says that cannot be read."""

    place: str
    what: str


class Reading(Struct, frozen=True):
    """A document, read."""

    statements: tuple[Statement, ...]
    flaws: tuple[Flaw, ...] = ()


NOTHING_KNOWN = "its document is not in the snapshot"
NOT_THERE = "it is not in the snapshot"


class Row(Struct, frozen=True, eq=False):
    """One statement as it is written, before anybody is asked. One object for the same words, so that `is` compares."""

    effect: Effect | None  # None: nobody knows
    actions: tuple[str, ...]
    all_but: bool
    resources: tuple[str, ...]  # empty: nobody knows
    all_but_resources: bool
    condition: Condition
    wrong: tuple[str, ...]
    text: str  # if there is something that cannot be read
    keys: frozenset[str]  # what it asks about who it is
    variables: bool  # whether `${…}` is a variable in it
    sid: str = ""

    @property
    def which(self) -> Which:
        """Of whom it asks what: of nobody, for traits that many share, or for the name."""
        return "names" if self.keys & _NAMES else "traits" if self.keys else "common"

    def said(self, facts: Facts) -> tuple[Statement, ...]:
        """What it says to a principal with these facts, wherever it stands."""
        known = dict(facts)
        variable = known if self.variables else None
        decided = decide_by(filled(self.condition, variable), known) if self.condition else self.condition
        if decided is None:
            return ()
        patterns = [resource(plain) for one in self.resources if (plain := written(one, variable)) is not None]
        regions = tuple(Region(one) for one in patterns)
        if self.all_but_resources:
            regions = (Region(EVERYTHING, frozenset(patterns)),)
        if self.resources and not regions:
            return ()
        effect: Effect = self.effect or "Allow"
        one = Statement("", effect, self.actions or ("*",), self.all_but, regions or (ANYWHERE,), decided)
        return (one,) if self.effect else _either(one, self.text)


class _Rows(Struct, frozen=True):
    """The statements of a document, or what nobody can read of it."""

    rows: tuple[tuple[str, Row], ...]  # each with its place
    opaque: Reading | None = None


@lru_cache(maxsize=16_384)
def read(document: Document, facts: Facts = ()) -> Reading:
    """The document's statements as they apply to a principal with these facts. A statement that never does is left out.

    Variables such as `${aws:username}` become what the facts give, others stay unknown; conditions on what the facts
    give are decided. A statement that cannot be read may allow or deny all that it could mean, under a condition that
    nobody can tell.
    """
    found = _rows(document)
    if found.opaque:
        return found.opaque
    statements = (structs.replace(one, place=place) for place, row in found.rows for one in row.said(facts))
    return Reading(tuple(statements), tuple(Flaw(place, what) for place, row in found.rows for what in row.wrong))


@lru_cache(maxsize=16_384)
def rows(document: Document, which: Which | None = None) -> tuple[Row, ...]:
    """The document's statements, or those that ask that of whom they apply to."""
    return tuple(row for _, row in _rows(document).rows if which in (None, row.which))


def opaque(document: Document) -> Reading | None:
    """What the document may say if it cannot be read as a whole; None if it can."""
    return _rows(document).opaque


def flawed(document: Document) -> bool:
    """Whether some of it cannot be read."""
    found = _rows(document)
    return found.opaque is not None or any(row.wrong for _, row in found.rows)


def asked(document: Document) -> Mapping[Which, frozenset[str]]:
    """The context keys that statements ask for which the principal itself decides, by the kind of the statements."""
    found: dict[Which, frozenset[str]] = {}
    for _, row in _rows(document).rows:
        if row.keys:
            found[row.which] = found.get(row.which, frozenset()) | row.keys
    return found


@lru_cache(maxsize=16_384)
def _rows(document: Document) -> _Rows:
    # The document's text is canonical, and so is that of each statement in it: what was read once is not parsed again.
    parts = msgspec.json.decode(document.text, type=dict[str, msgspec.Raw])
    body = bytes(parts.get("Statement", b"null"))
    value = {name: msgspec.json.decode(raw) for name, raw in parts.items() if name != "Statement"}
    bodies = [body] if body.startswith(b"{") else []
    if body.startswith(b"["):
        bodies = [bytes(one) for one in msgspec.json.decode(body, type=list[msgspec.Raw])]
    if problem := problem_of({**value, "Statement": bodies}):
        return _Rows((), _unread(document.text, problem))
    variables = has_variables(value)
    rows = [_row(one, variables) for one in bodies]
    return _Rows(
        tuple((f"statement {number}" + (f" ({row.sid})" if row.sid else ""), row) for number, row in enumerate(rows, 1))
    )


def has_variables(value: Mapping[str, Any]) -> bool:
    """Whether `${…}` is a variable in the document, and not plain text as before version 2012-10-17."""
    return value.get("Version") == "2012-10-17"


def unknown(name: str) -> Reading:
    """What is known of a managed policy or a group of which the snapshot holds no documents: nothing."""
    return _unread(name, NOTHING_KNOWN if name.startswith("arn:") else NOT_THERE)


def problem_of(value: Mapping[str, Any]) -> str:
    """What is wrong with a document as a whole; empty if nothing is."""
    version = value.get("Version", "2008-10-17")
    if version not in VERSIONS:
        return f"there is no policy language version {version!r}"
    if strange := sorted(set(value) - {"Version", "Id", "Statement"}):
        return f"there is no element {strange[0]}"
    rows = value.get("Statement")
    if isinstance(rows, dict) or (isinstance(rows, list) and rows):
        return ""
    return "it has no Statement"


def _unread(text: str, what: str) -> Reading:
    opaque = Statement("the whole", "Allow", ("*",), False, (ANYWHERE,), ALWAYS)
    return Reading(_either(opaque, text), (Flaw("the whole", what),))


def _either(one: Statement, text: str) -> tuple[Statement, ...]:
    """A statement of which nobody knows the effect: it may allow, and it may deny, each for itself."""
    effects: tuple[Effect, ...] = ("Allow", "Deny")
    return tuple(
        structs.replace(one, effect=effect, condition=one.condition | unreadable(f"{effect}: {text}"))
        for effect in effects
    )


@lru_cache(maxsize=65_536)
def _row(encoded: bytes, variables: bool) -> Row:
    """The statement that is encoded there, as canonical JSON."""
    row, text = msgspec.json.decode(encoded), encoded.decode()
    if not isinstance(row, dict):
        return Row(None, (), False, (), False, ALWAYS, ("it is not an object",), text, frozenset(), variables)
    wrong = [f"there is no element {name} in an identity policy" for name in sorted(set(row) - _ELEMENTS)]
    condition: Condition = ALWAYS
    try:
        condition = read_condition(row.get("Condition", {}))
    except Unreadable as problem:
        wrong.append(str(problem))
    effect: Any = row.get("Effect")
    if effect not in ("Allow", "Deny"):
        wrong.append(f"Effect is neither Allow nor Deny: {_short(effect)}")
        effect = None
    actions, not_actions, why = entries(row, "Action", is_action)
    wrong += why
    resources, not_resources, why = entries(row, "Resource", is_resource)
    wrong += why
    if wrong:
        condition |= unreadable(text)
    return Row(
        effect,
        actions,
        not_actions,
        resources,
        not_resources,
        condition,
        tuple(wrong),
        text if wrong else "",
        asks(text),
        variables,
        sid if isinstance(sid := row.get("Sid"), str) else "",
    )


def condition_of(row: Usual) -> Condition | None:
    """The statement's condition; None if it cannot be read."""
    return _condition(bytes(row.condition)) if isinstance(row.condition, msgspec.Raw) else ALWAYS


@lru_cache(maxsize=16_384)
def _condition(encoded: bytes) -> Condition | None:
    try:
        return read_condition(msgspec.json.decode(encoded))
    except Unreadable:
        return None


def entries(row: Mapping[str, Any], name: str, fits: Any) -> tuple[tuple[str, ...], bool, list[str]]:
    """The entries of Action or Resource, whether they are those of its Not… form, and what is wrong with them."""
    given = [key for key in (name, f"Not{name}") if key in row]
    if len(given) != 1:
        return (), False, [f"it needs either {name} or Not{name}"]
    value = row[given[0]]
    entries = value if isinstance(value, list) else [value]
    bad = [one for one in entries if not isinstance(one, str) or not fits(one)]
    if bad or not entries:
        # What it says may be anything; a wider reading of a Not… would be a narrower one of the whole.
        return (), False, [f"{given[0]} holds {_short(bad[0]) if bad else 'nothing'}"]
    return tuple(sorted(set(entries))), given[0] != name, []


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:59]}…"
