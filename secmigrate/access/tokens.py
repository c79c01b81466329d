"""What patterns are made of: letters and wildcards, one after the other, and which of them say the same.

A letter is one character, or a whole policy variable: an unknown text, of which it is only known that it is the same
wherever it is spelt the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Wild(NamedTuple):
    """Any one letter, or any number of them, none of which is in `without`."""

    many: bool
    without: str = ""
    variables: bool = True  # `?` is one character, and nobody knows how many a variable has

    def takes(self, letter: str) -> bool:
        """Whether the letter may stand here."""
        return self.variables if letter.startswith("${") else letter not in self.without


Token = str | Wild
ANYTHING = Wild(True)


def sign(token: Token) -> str:
    """The token as it would be written in a pattern."""
    return token if isinstance(token, str) else "*" if token.many else "?"


def plain(tokens: Sequence[Token]) -> Iterator[str]:
    """Those that are letters."""
    return (token for token in tokens if isinstance(token, str))


def without_idle_stars(tokens: Sequence[Token]) -> list[Token]:
    """Two stars in a row are the one that takes more, so that equal languages are equal more often."""
    kept: list[Token] = []
    for token in tokens:
        if isinstance(token, Wild) and token.many:
            while kept and _within(kept[-1], token):
                kept.pop()
            if kept and isinstance(before := kept[-1], Wild) and before.many and _within(token, before):
                continue
        kept.append(token)
    return kept


def _within(token: Token, star: Wild) -> bool:
    """Whether the token is a star, and the other star takes all that it does."""
    return isinstance(token, Wild) and token.many and taken(token, star)


def taken(token: Token, star: Wild) -> bool:
    """Whether the star takes all that the token does."""
    if isinstance(token, str):
        return star.takes(token)
    return set(star.without) <= set(token.without) and (star.variables or not token.variables)


def idle(tokens: Sequence[Token], star: int, wild: Wild) -> int:
    """The places before a star, as far back as the star itself takes all that lies in between."""
    first = star
    while first and (wild == ANYTHING or taken(tokens[first - 1], wild)):
        first = 0 if wild == ANYTHING else first - 1
    return (1 << star) - (1 << first)
