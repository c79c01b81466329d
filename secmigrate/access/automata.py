"""A pattern as an automaton: tokens that follow each other, and the places between them that a text can reach.

A letter is one character, or a whole policy variable: an unknown text, of which it is only known that it is the same
wherever it is spelt the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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


_FEW = 5  # wildcards with which a regular expression is fast on any text


class Pattern:
    """A set of texts: tokens that follow each other. Two of the same tokens are equal, however they are written.

    The places of an automaton lie before each token and behind the last; a set of places is the bits of an int.
    """

    __slots__ = (
        *("tokens", "text", "prefix", "suffix", "variables", "end", "endless", "stars"),
        *("_below", "_expression", "_hash", "_named", "_onward", "_steps", "_wild_steps", "_wilds"),
    )

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        special = [at for at, token in enumerate(tokens) if len(token) > 1]  # a character's length is 1
        if len(special) > 1:
            tokens = _without_idle_stars(tokens)
            special = [at for at, token in enumerate(tokens) if len(token) > 1]
        self.tokens = tuple(tokens)
        self.text = text
        self.prefix = "".join(_plain(self.tokens[: special[0]] if special else self.tokens))
        self.suffix = "".join(_plain(self.tokens[special[-1] + 1 :] if special else self.tokens))
        self.variables = frozenset(token for token in map(self.tokens.__getitem__, special) if isinstance(token, str))
        self._wilds = [(at, token) for at in special if isinstance(token := self.tokens[at], Wild)]
        self.end = 1 << len(self.tokens)
        self.endless = self.end >> 1 if self.tokens[-1:] == (ANYTHING,) else 0  # from there on everything is matched
        self.stars = 0
        for at, wild in self._wilds:
            if wild.many:
                self.stars |= 1 << at
        self._below: dict[int, int] | None = None
        self._expression: re.Pattern[str] | None = None
        self._hash = hash(self.tokens)
        self._named: dict[str, int] = {}
        self._onward: dict[int, tuple[int, ...]] = {}
        self._steps: dict[str, tuple[int, int]] = {}
        self._wild_steps: dict[tuple[Wild, bool], tuple[int, int]] = {}

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Pattern) and self._hash == other._hash and self.tokens == other.tokens
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    @property
    def avoided(self) -> frozenset[str]:
        """The characters that one of the wildcards does not take."""
        return frozenset().union(*(wild.without for _, wild in self._wilds))

    @property
    def below(self) -> Mapping[int, int]:
        """By star, the places before it that lead to no text that the star does not lead to: they may be forgotten."""
        if self._below is None:
            self._below = {at: _idle(self.tokens, at, wild) for at, wild in self._wilds if wild.many}
        return self._below

    @property
    def named(self) -> Mapping[str, int]:
        """Each letter that is written, and the places before it."""
        if not self._named:
            for at, token in enumerate(self.tokens):
                if isinstance(token, str):
                    self._named[token] = self._named.get(token, 0) | 1 << at
        return self._named

    def matches(self, text: str) -> bool:
        """Whether it matches a plain text, in which `${` is two characters like others."""
        if not text.startswith(self.prefix):
            return False
        if self.variables or len(self._wilds) > _FEW:
            return self.start(text) & self.end != 0
        if self._expression is None:
            self._expression = re.compile("".join(map(_expression, self.tokens)), re.DOTALL)
        return self._expression.fullmatch(text) is not None

    def onward(self, at: int) -> tuple[int, ...]:
        """The places reached from a place by one letter that its token takes, the last first."""
        found = self._onward.get(at)
        if found is None:
            first = 1 << at if self.stars >> at & 1 else 2 << at
            found = self._onward[at] = tuple(bits(closed(first, self.stars)))[::-1]
        return found

    def step(self, letter: str) -> tuple[int, int]:
        """Which places the letter leads on from, and at which it may stay."""
        found = self._steps.get(letter)
        if found is None:
            go, stay = self.named.get(letter, 0), 0
            for at, wild in self._wilds:
                if wild.takes(letter):
                    go, stay = (go, stay | 1 << at) if wild.many else (go | 1 << at, stay)
            found = self._steps[letter] = (go, stay)
        return found

    def after(self, letters: str | Sequence[str], places: int | None = None) -> int:
        """The places reached by the letters, from the given ones or from the first."""
        reached = closed(1, self.stars) if places is None else places
        for letter in letters:
            if not reached:
                return 0
            go, stay = self.step(letter)
            reached = closed((reached & go) << 1 | reached & stay, self.stars)
        return reached

    def meets(self, other: Pattern) -> bool:
        """Whether a text is matched by both. Exact: the places that the texts of one pattern reach in the other."""
        written = len(other.prefix)
        reached = self.start(other.prefix)
        for at, token in enumerate(other.tokens[written:], written):
            if not reached or 1 << at == other.endless:
                return reached != 0
            if reached & self.endless:
                return True
            if isinstance(token, str):
                go, stay = self.step(token)
                reached = closed((reached & go) << 1 | reached & stay, self.stars)
            else:
                go, stay = self._sharing(token)
                reached = self._passed(reached, go, stay, token)
        return reached & self.end != 0

    def swallows(self, other: Pattern) -> bool:
        """Whether all that the other pattern matches, this one plainly does too: star by star. No wrong yes."""
        reached = self.start(other.prefix)
        for token in other.tokens[len(other.prefix) :]:
            if not reached:
                return False
            if reached & self.endless:
                return True
            go, stay = self.step(token) if isinstance(token, str) else self._taking(token)
            if isinstance(token, Wild) and token.many:
                go = 0
            reached = closed((reached & go) << 1 | reached & stay, self.stars)
        return reached & self.end != 0

    def _passed(self, reached: int, go: int, stay: int, wild: Wild) -> int:
        """The places reached by one letter that the wildcard takes, or by any number of them."""
        if not wild.many:
            return closed((reached & go) << 1 | reached & stay, self.stars)
        while True:
            more = closed(reached | (reached & go) << 1, self.stars)
            if more == reached:
                return reached
            reached = more

    def _sharing(self, wild: Wild) -> tuple[int, int]:
        """Which places a letter that the wildcard takes may lead on from, and at which it may stay."""
        found = self._wild_steps.get((wild, False))
        if found is None:
            go, stay = 0, 0
            for at, token in enumerate(self.tokens):
                if isinstance(token, str):
                    go |= wild.takes(token) << at
                elif token.many:  # there are more characters than two wildcards leave out
                    stay |= 1 << at
                else:
                    go |= 1 << at
            found = self._wild_steps[wild, False] = (go, stay)
        return found

    def _taking(self, wild: Wild) -> tuple[int, int]:
        """Which places every letter that the wildcard takes leads on from, and at which each may stay."""
        found = self._wild_steps.get((wild, True))
        if found is None:
            go, stay = 0, 0
            for at, own in self._wilds:
                if _taken(wild, own):
                    go, stay = (go, stay | 1 << at) if own.many else (go | 1 << at, stay)
            found = self._wild_steps[wild, True] = (go, stay)
        return found

    def start(self, prefix: str) -> int:
        """The places reached by a text of ordinary characters; 0: nothing that begins so is matched."""
        if self.prefix.startswith(prefix):
            return closed(1 << len(prefix), self.stars)
        if not prefix.startswith(self.prefix):
            return 0
        places = closed(1 << len(self.prefix), self.stars)
        return places if places & self.endless else self.after(prefix[len(self.prefix) :], places)


def _expression(token: Token) -> str:
    if isinstance(token, str):
        return re.escape(token)
    return (f"[^{re.escape(token.without)}]" if token.without else ".") + ("*" if token.many else "")


def bits(places: int) -> Iterator[int]:
    """The numbers of the places, ascending."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


def closed(places: int, stars: int) -> int:
    """With each place before a star also the one behind it."""
    skipped = places & stars
    while skipped:
        places |= skipped << 1
        skipped = skipped << 1 & stars
    return places


def _plain(tokens: Sequence[Token]) -> Iterator[str]:
    return (token for token in tokens if isinstance(token, str))


def _without_idle_stars(tokens: Sequence[Token]) -> list[Token]:
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
    return isinstance(token, Wild) and token.many and _taken(token, star)


def _taken(token: Token, star: Wild) -> bool:
    """Whether the star takes all that the token does."""
    if isinstance(token, str):
        return star.takes(token)
    return set(star.without) <= set(token.without) and (star.variables or not token.variables)


def _idle(tokens: Sequence[Token], star: int, wild: Wild) -> int:
    """The places before a star, as far back as the star itself takes all that lies in between."""
    first = star
    while first and (wild == ANYTHING or _taken(tokens[first - 1], wild)):
        first = 0 if wild == ANYTHING else first - 1
    return (1 << star) - (1 << first)
