"""Resource patterns as languages: what one matches, and whether some text is in these and in none of those.

What `*` and `?` match is AWS's, *IAM JSON policy elements: Resource*; docs/decisions/0011 has what it leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from secmigrate.access.automata import Pattern
from secmigrate.access.search import Letters, TooHard, find
from secmigrate.access.tokens import ANYTHING, Token, Wild

__all__ = [
    "Pattern",
    "TooHard",
    "Wild",
    "arn_format",
    "arn_prefix",
    "disjoint",
    "example",
    "has_variable",
    "includes",
    "literal",
    "matches",
    "resource",
    "widened",
    "witness",
]

_SPECIAL = re.compile(r"\$\{([^}]*)\}|[*?]")
_OF_ACCOUNT = re.compile(r"arn:[^:$]+:[^:$]+:[^:$]*:(?=[0-9]{12}:)")  # no name has an account number between colons
_OPEN = re.compile(r"\*|\$\{(?!Partition\})[^}]*\}")  # what stands for any text in a format
_PART = re.compile(r"\$\{([^}]*)\}|.", re.DOTALL)
_CHARACTERS = frozenset("*?$")  # ${*} is the character
_WITHIN_SEGMENT = Wild(many=True, without=":")
_ONE = Wild(many=False, without=":", variables=False)
_HEAD = 5  # segments of an ARN before its resource: arn, partition, service, region, account
_PLACES = {3: "eu-central-1", 4: "111122223333"}  # words for region and account, which may be empty
_WORD = "example"


@lru_cache(maxsize=262_144)
def resource(text: str) -> Pattern:
    """One entry of a Resource or NotResource element."""
    return Pattern(_spelt(text), text) if "$" in text or "**" in text else Pattern.plain(text, _spelt)


def _spelt(text: str) -> list[Token]:
    tokens: list[Token] = []
    done = 0
    before = of_account.end() if (of_account := _OF_ACCOUNT.match(text)) else 0
    for part in _SPECIAL.finditer(text):
        tokens += text[done : part.start()]
        done = part.end()
        match part[0]:
            case "*":
                spans = text[done : done + 1] in {"", ":"} and done > before
                tokens.append(ANYTHING if spans else _WITHIN_SEGMENT)
            case "?":
                tokens.append(_ONE)
            case _:
                tokens.append(_letter(part))
    tokens += text[done:]
    return tokens


def _letter(part: re.Match[str]) -> str:
    """A character, or a variable: keys ignore case, a default (`${key, 'value'}`) does not."""
    if part[1] is None or part[1] in _CHARACTERS:
        return part[1] or part[0]
    key, comma, default = part[1].partition(",")
    return f"${{{key.casefold()}{comma}{default}}}"


@lru_cache(maxsize=65_536)
def literal(text: str) -> Pattern:
    """Exactly this text. Wildcards and variables in it mean their characters."""
    return Pattern(tuple(text), text)


@lru_cache(maxsize=16_384)
def arn_format(text: str, partition: str) -> Pattern:
    """All ARNs of a format as the service authorization reference writes it: `arn:${Partition}:s3:::${BucketName}`.

    Region and account may be empty, other placeholders may not. Those before the resource part take no colon. The
    reference also has `*`, for any text; `${*}` is that character.
    """
    tokens: list[Token] = []
    segment = 0
    for part in _PART.finditer(text):
        segment += part[0] == ":"
        if part[1] == "Partition":
            tokens += partition
        elif part[1] == "*":
            tokens.append("*")
        elif part[1] is None and part[0] != "*":
            tokens.append(part[0])
        else:
            tokens += _placeholder(part[1] or "", segment)
    return Pattern(tokens, text)


def arn_prefix(text: str, partition: str) -> str:
    """What all ARNs of a format begin with: the `prefix` of its pattern, which it does not take to know it."""
    return _OPEN.split(text, maxsplit=1)[0].replace("${Partition}", partition)


def _placeholder(name: str, segment: int) -> tuple[Wild, ...]:
    if name == "BucketName":
        return Wild(many=False, without="/:"), Wild(many=True, without="/:")
    if name in {"Region", "Account"} or segment in _PLACES:
        return (_WITHIN_SEGMENT,)
    without = ":" if segment < _HEAD else ""
    star = Wild(many=True, without=without)
    return (Wild(many=False, without=without), star) if name else (star,)


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the pattern matches a plain text, in which `${` is two characters like others."""
    return pattern.matches(text)


def _accepts(pattern: Pattern, letters: Letters, text: str) -> bool:
    """The same for letters, of which `text` is the whole if none of them is a variable."""
    return pattern.matches(text) if text else pattern.after(letters) & pattern.end != 0


def has_variable(pattern: Pattern) -> bool:
    """Whether a policy variable is left in the pattern, so that what it matches is not wholly known."""
    return bool(pattern.variables)


@lru_cache(maxsize=16_384)
def widened(pattern: Pattern) -> Pattern:
    """The pattern with each variable matching anything: all that it could ever mean."""
    if not has_variable(pattern):
        return pattern
    plain = (ANYTHING if isinstance(token, str) and len(token) > 1 else token for token in pattern.tokens)
    return Pattern(tuple(plain), pattern.text)


@lru_cache(maxsize=65_536)
def disjoint(one: Pattern, other: Pattern) -> bool:
    """Whether no text is matched by both. Exact."""
    if not (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)):
        return True
    if not (one.own.startswith(other.own) or other.own.startswith(one.own)):
        return True
    if not (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)):
        return True
    return not one.meets(other)


@lru_cache(maxsize=65_536)
def includes(outer: Pattern, inner: Pattern) -> bool:
    """Whether everything that `inner` matches, `outer` matches too. Exact. Raises TooHard."""
    if not inner.prefix.startswith(outer.prefix):
        return False
    if _starts(outer, inner):
        return True
    if len(inner.prefix) == len(inner.shape):  # a single text
        return outer.matches(inner.shape)
    if _plainly_beyond(outer, inner):
        return False
    if outer.swallows(inner):
        return True
    if any(_accepts(inner, *one) and not _accepts(outer, *one) for one in _tries(inner)):
        return False
    return _known(_found((inner,), frozenset((outer,)))) is None


def _plainly_beyond(outer: Pattern, inner: Pattern) -> bool:
    """Whether it takes no automaton to see that something of `inner` is not in `outer`."""
    if outer.own and inner.own and not inner.own.startswith(outer.own):  # what follows can be anything, or ends there
        return True
    if not inner.suffix.endswith(outer.suffix):
        return True
    # Without variables, nothing for each star is one of its texts, and mostly that tells.
    return "$" not in inner.text and not outer.matches(inner.text.replace("*", "").replace("?", "x"))


def witness(inside: Sequence[Pattern], outside: Collection[Pattern]) -> Letters | None:
    """The letters of a short text that all of `inside` match and none of `outside` does; None: there is none.

    A variable stands in it as one letter, and only if `inside` names it. Exact, never sampled. Raises TooHard.
    """
    return _known(_found(tuple(dict.fromkeys(inside)) or (resource("*"),), frozenset(outside)))


@lru_cache(maxsize=65_536)
def _found(inside: tuple[Pattern, ...], outside: frozenset[Pattern]) -> Letters | TooHard | None:
    """The search, remembered; that it was too hard as well."""
    try:
        return find(inside, outside)
    except TooHard as error:
        return error


def _known(found: Letters | TooHard | None) -> Letters | None:
    if isinstance(found, TooHard):
        raise TooHard(*found.args)
    return found


def example(inside: Sequence[Pattern], outside: Collection[Pattern]) -> str | None:
    """A text like `witness`'s that people can read; a variable stands in it as it is written in `inside`.

    Raises TooHard, but only if no plain try succeeds.
    """
    if any(_starts(outer, inner) for outer in outside for inner in inside):
        return None
    for pattern in inside:
        for letters, plain_text in _tries(pattern):
            if _all_but(letters, plain_text, inside, outside):
                return _text(letters, inside)
    if any(disjoint(*pair) for pair in combinations(inside, 2)):
        return None
    try:  # what one expects is searched first: mostly there is some
        for shape in _shapes(inside):
            shaped = witness((*inside, shape), outside)
            if shaped:
                return _text(shaped, inside)
    except TooHard:
        pass
    plain = witness(inside, outside)
    return None if plain is None else _text(plain, inside)


def _shapes(patterns: Iterable[Pattern]) -> Iterable[Pattern]:
    """All that begins as a plain try of one of the patterns: with service, region and account, as one expects."""
    heads = ("".join(letters).split(":")[:_HEAD] for pattern in patterns for letters, _ in _tries(pattern))
    return [resource(f"{head}:*") for head in dict.fromkeys(":".join(one) for one in heads if len(one) == _HEAD)]


def _starts(outer: Pattern, inner: Pattern) -> bool:
    """Whether the outer one matches all that begins as the inner one does: the commonest way of being included."""
    return bool(outer.endless) and len(outer.tokens) == len(outer.prefix) + 1 and inner.prefix.startswith(outer.prefix)


def _all_but(letters: Letters, text: str, inside: Sequence[Pattern], outside: Collection[Pattern]) -> bool:
    return all(_accepts(one, letters, text) for one in inside) and not any(
        _accepts(one, letters, text) for one in outside
    )


@lru_cache(maxsize=65_536)
def _tries(pattern: Pattern) -> tuple[tuple[Letters, str], ...]:
    """The pattern with words for its wildcards, as letters and, if none of them is a variable, as text."""
    found = dict.fromkeys(_filled(pattern))
    return tuple((letters, "".join(letters) if all(len(one) == 1 for one in letters) else "") for letters in found)


def _filled(pattern: Pattern) -> Iterator[Letters]:
    """The pattern with words for its wildcards: everywhere; but for region and account; nowhere, if it can be."""
    for left_out in (set(), {*_PLACES.values()}, {*_PLACES.values(), _WORD}):
        letters: list[str] = []
        before: Token = ""
        for part in pattern.tokens:
            if isinstance(part, str):
                letters.append(part)
            elif not part.many:
                letters.append("x")
            elif before == part._replace(many=False):  # one or more
                letters[-1:] = _WORD
            else:
                word = _PLACES.get(letters.count(":"), _WORD) if before == ":" else _WORD
                letters += "" if word in left_out else word
            before = part
        yield tuple(letters)


def _text(letters: Letters, inside: Sequence[Pattern]) -> str:
    if not any(pattern.variables for pattern in inside):
        return "".join(letters)
    written = {_letter(part): part[0] for one in inside for part in _PART.finditer(one.text) if part[1] is not None}
    return "".join(written.get(letter, letter) if len(letter) > 1 else letter for letter in letters)
