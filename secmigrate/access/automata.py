"""A pattern as an automaton: tokens that follow each other, and the places between them that a text can reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from secmigrate.access.tokens import ANYTHING, Token, Wild, idle, plain, sign, taken, without_idle_stars

Spelling = Callable[[str], Sequence[Token]]

_FEW = 5  # stars with which trying one place after the other is fast on any text
_WILDCARD = re.compile(r"[*?]")
_SERVICE = re.compile(r"(?:[^:*?$]*:){3}")
_OF_ACCOUNT = re.compile(r"arn:[^:$]+:[^:$]+:[^:$]*:[0-9]{12}:([^*?$]*)")


class Pattern:
    """A set of texts: tokens that follow each other. Two of the same tokens are equal, however they are written.

    The places of an automaton lie before each token and behind the last; a set of places is the bits of an int. Most
    patterns of an account are only told apart, so what a search needs is worked out when it is first asked for.
    """

    __slots__ = (
        *("text", "shape", "prefix", "_spelling"),
        *("tokens", "suffix", "variables", "end", "endless", "stars", "_wilds"),  # by `_spell`
        *("_below", "_head", "_named", "_onward", "_own", "_steps", "_wild_steps"),
    )
    text: str
    shape: str  # the tokens, each as it would be written; of a `plain` pattern they follow from it
    prefix: str  # what all of its texts begin with
    tokens: tuple[Token, ...]
    suffix: str  # what all of them end with
    variables: frozenset[str]
    end: int
    endless: int  # from there on everything is matched
    stars: int

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self.text = text
        self._spelling: Spelling | None = None
        self._spell(tokens)
        self.shape = "".join(map(sign, self.tokens))
        self._prepare()

    @classmethod
    def plain(cls, text: str, spelling: Spelling) -> Pattern:
        """The pattern of a text without `$` and without two stars in a row: such a text has one spelling."""
        one = cls.__new__(cls)
        one.text = one.shape = text
        wildcard = _WILDCARD.search(text)
        one.prefix = text if wildcard is None else text[: wildcard.start()]
        one.suffix = text[max(text.rfind("*"), text.rfind("?")) + 1 :]
        one.variables = frozenset()
        one._spelling = spelling
        one._prepare()
        return one

    def _prepare(self) -> None:
        self._below: dict[int, int] | None = None
        self._head: str | None = None
        self._own: str | None = None
        self._named: dict[str, int] = {}
        self._onward: dict[int, tuple[int, ...]] = {}
        self._steps: dict[str, tuple[int, int]] = {}
        self._wild_steps: dict[tuple[Wild, bool], tuple[int, int]] = {}

    def _spell(self, tokens: Sequence[Token]) -> None:
        special = [at for at, token in enumerate(tokens) if len(token) > 1]  # a character's length is 1
        if len(special) > 1:
            tokens = without_idle_stars(tokens)
            special = [at for at, token in enumerate(tokens) if len(token) > 1]
        self.tokens = tuple(tokens)
        self.prefix = "".join(plain(self.tokens[: special[0]] if special else self.tokens))
        self.suffix = "".join(plain(self.tokens[special[-1] + 1 :] if special else self.tokens))
        self.variables = frozenset(token for token in map(self.tokens.__getitem__, special) if isinstance(token, str))
        self._wilds = [(at, token) for at in special if isinstance(token := self.tokens[at], Wild)]
        self.end = 1 << len(self.tokens)
        self.endless = self.end >> 1 if self.tokens[-1:] == (ANYTHING,) else 0
        self.stars = 0
        for at, wild in self._wilds:
            if wild.many:
                self.stars |= 1 << at

    def __getattr__(self, name: str) -> Any:
        """What `_spell` sets, at the first time that some of it is asked for."""
        if self._spelling is None or name not in Pattern.__slots__:
            raise AttributeError(name)
        spelling, self._spelling = self._spelling, None
        self._spell(spelling(self.text))
        return getattr(self, name)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Pattern) or self.shape != other.shape:
            return False
        return (self._spelling is not None and self._spelling is other._spelling) or self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.shape)

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
            self._below = {at: idle(self.tokens, at, wild) for at, wild in self._wilds if wild.many}
        return self._below

    @property
    def named(self) -> Mapping[str, int]:
        """Each letter that is written, and the places before it."""
        if not self._named:
            for at, token in enumerate(self.tokens):
                if isinstance(token, str):
                    self._named[token] = self._named.get(token, 0) | 1 << at
        return self._named

    @property
    def head(self) -> str:
        """The service whose resources it matches, as ARNs begin: `arn:aws:s3:`; empty if it names none plainly."""
        if self._head is None:
            self._head = head_of(self.prefix)
        return self._head

    @property
    def own(self) -> str:
        """What the names of all its resources begin with, if the account before them is written; else empty.

        Before an account no star spans segments, so behind the fifth colon of its texts nothing else can stand.
        """
        if self._own is None:
            named = _OF_ACCOUNT.match(self.text) if self.shape == self.text else None
            self._own = named[1] if named else ""
        return self._own

    def matches(self, text: str) -> bool:
        """Whether it matches a plain text, in which `${` is two characters like others."""
        if not text.startswith(self.prefix) or not text.endswith(self.suffix):
            return False
        if self.variables or self.stars.bit_count() > _FEW:
            return self.start(text) & self.end != 0
        return self._fits(text, 0, 0, 0)

    def _fits(self, text: str, at: int, token: int, number: int) -> bool:
        """Whether the tokens from that one on, of which that wildcard is the first, match the text from that place."""
        if number == len(self._wilds):
            return text[at:] == self.shape[token:]
        place, wild = self._wilds[number]
        if not text.startswith(self.shape[token:place], at):
            return False
        begin = at + place - token
        if not wild.many:
            fits = begin < len(text) and text[begin] not in wild.without
            return fits and self._fits(text, begin + 1, place + 1, number + 1)
        end = min((found for char in wild.without if (found := text.find(char, begin)) >= 0), default=len(text))
        if number == len(self._wilds) - 1:  # the suffix is known to fit, and may not overlap
            return begin <= len(text) - len(self.suffix) <= end
        following = self.shape[place + 1 : self._wilds[number + 1][0]]
        while (found := text.find(following, begin, end + len(following))) >= 0:
            if self._fits(text, found, place + 1, number + 1):
                return True
            begin = found + 1
        return False

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
                if taken(wild, own):
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


@lru_cache(maxsize=16_384)
def head_of(text: str) -> str:
    """The `head` of the pattern of that text."""
    found = _SERVICE.match(text)
    return found[0] if found else ""


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
