"""The search for a text that all of these patterns match and none of those does.

It walks the places of the patterns within, one of each at a time, together with the set of all places that the
patterns outside have reached. A state is dropped if one with the same places within and no more places outside is
known: a text that leads from the first to an answer leads there from the second (De Wulf, Doyen, Henzinger, Raskin:
*Antichains*, CAV 2006).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, count, product

from secmigrate.access.automata import Pattern, bits, closed
from secmigrate.access.tokens import Token, Wild

LIMIT = 4_000_000  # what one search may cost: a state as much as _STATE comparisons of two; less than half a second
_STATE = 20

Letters = tuple[str, ...]
_Within = tuple[int, ...]

_OTHER = "any other"  # every character that no pattern names; not one character itself, so no pattern names it
_READABLE = "xyzabcdefghijklmnopqrstuvw0123456789"


class TooHard(Exception):
    """A search would cost more than `LIMIT`: whether there is such a text is not known."""


def find(inside: Sequence[Pattern], outside: Collection[Pattern]) -> Letters | None:
    """The letters of a text that all of `inside`, at least one, match and none of `outside` does, or None.

    A variable stands in it only if `inside` names it. Raises TooHard.
    """
    if any(pattern in outside for pattern in inside):
        return None
    prefix = max((pattern.prefix for pattern in inside), key=len)
    suffix = max((pattern.suffix for pattern in inside), key=len)
    starts = [pattern.start(prefix) for pattern in inside]
    if not all(starts) or not all(suffix.endswith(pattern.suffix) for pattern in inside):
        return None
    union = _Union()
    for pattern in outside:
        if suffix.endswith(pattern.suffix) or pattern.suffix.endswith(suffix):
            places = pattern.start(prefix)
            if places & pattern.endless:
                return None
            if places:
                union.add(pattern, places)
    # One that matches whatever follows the prefix has no more to say.
    open_ones = [at for at, pattern in enumerate(inside) if not starts[at] & pattern.endless] or [0]
    found = _Search([inside[at] for at in open_ones], union).run([starts[at] for at in open_ones])
    if found is None:
        return None
    letters = (*prefix, *found)
    return _readable(letters, [*inside, *outside]) if _OTHER in letters else letters


def _least(tokens: Sequence[Token]) -> Iterator[str]:
    """The letters of a shortest text that the tokens match."""
    for token in tokens:
        if isinstance(token, str):
            yield token
        elif not token.many:
            yield _OTHER


def _written(tokens: Sequence[Token]) -> Iterator[str]:
    """The letters before the first wildcard."""
    for token in tokens:
        if not isinstance(token, str):
            return
        yield token


def _readable(letters: Letters, patterns: Iterable[Pattern]) -> Letters:
    """With a character for `_OTHER` that no pattern treats in a way of its own."""
    named = set().union(*(pattern.named for pattern in patterns), *(pattern.avoided for pattern in patterns))
    characters = chain(_READABLE, map(chr, count(0x100)))
    other = next(character for character in characters if character not in named)
    return tuple(other if letter is _OTHER else letter for letter in letters)


class _Union:
    """Several patterns side by side as one automaton: their places are the bits of one number, one after the other."""

    def __init__(self) -> None:
        self.width = 0
        self.places = self.end = self.endless = self.stars = 0  # `places`: where it begins
        self.avoided: set[str] = set()
        self._parts: list[tuple[int, Pattern]] = []
        self._keep: dict[int, int] = {}
        self._steps: dict[str, tuple[int, int]] = {}

    def add(self, pattern: Pattern, places: int) -> None:
        """One pattern more, which has reached the places."""
        at = self.width
        self.width += len(pattern.tokens) + 1
        self._parts.append((at, pattern))
        self.places |= places << at
        self.end |= pattern.end << at
        self.endless |= pattern.endless << at
        self.stars |= pattern.stars << at
        self.avoided |= pattern.avoided
        for star, idle in pattern.below.items():
            self._keep[at + star] = ~(idle << at)

    def after(self, letters: Letters, places: int) -> int:
        """The places that the letters lead to, without those that a star makes superfluous."""
        for letter in letters:
            if not places or places & self.endless:
                break
            go, stay = self._steps.get(letter) or self._step(letter)
            reached = closed((places & go) << 1 | places & stay, self.stars)
            for star in bits(reached & self.stars & ~places):
                reached &= self._keep[star]
            places = reached
        return places

    def _step(self, letter: str) -> tuple[int, int]:
        go = stay = 0
        for at, pattern in self._parts:
            one_go, one_stay = pattern.step(letter)
            go, stay = go | one_go << at, stay | one_stay << at
        self._steps[letter] = (go, stay)
        return go, stay


class _Search:
    """One search, breadth first. A node is a state, the node that it came from, and the letters between them."""

    def __init__(self, inside: Sequence[Pattern], union: _Union) -> None:
        self.inside, self.union = inside, union
        variables = frozenset().union(*(pattern.variables for pattern in inside))
        # At wildcards, a letter that is only named outside leads nowhere that any other letter does not.
        self.free = (_OTHER, *sorted(union.avoided), *sorted(variables))
        self.end = tuple(len(pattern.tokens) for pattern in inside)
        self.nodes: list[tuple[_Within, int, int, Letters]] = []
        self.seen: dict[_Within, list[int]] = {}
        self.moves: dict[_Within, list[tuple[Letters, list[_Within]]]] = {}
        self.cost = 0

    def run(self, starts: Sequence[int]) -> Letters | None:
        """From the places that the patterns within have reached: the letters to a state that is an answer, or None."""
        for within in sorted(product(*map(bits, starts)), reverse=True):  # the end is nearer: shorter texts
            self._reach(within, self.union.places, -1, ())
        number = 0
        while number < len(self.nodes):
            within, places, _, _ = self.nodes[number]
            if within == self.end and not places & self.union.end:
                return self._path(number)
            if not places and len(within) == 1:
                return (*self._path(number), *_least(self.inside[0].tokens[within[0] :]))
            if within not in self.moves:
                self.moves[within] = list(self._moves_from(within))
            for letters, targets in self.moves[within]:
                after = self.union.after(letters, places)
                if not after & self.union.endless:
                    for target in targets:
                        self._reach(target, after, number, letters)
            number += 1
        return None

    def _reach(self, within: _Within, places: int, parent: int, letters: Letters) -> None:
        """Adds the state unless it is superfluous."""
        known = self.seen.setdefault(within, [])
        self.cost += len(known) + _STATE
        if self.cost > LIMIT:
            raise TooHard(f"more than {LIMIT} steps for {', '.join(pattern.text for pattern in self.inside)}")
        for other in known:
            if other & places == other:
                return
        known[:] = [other for other in known if other & places != places]
        known.append(places)
        self.nodes.append((within, places, parent, letters))

    def _moves_from(self, within: _Within) -> Iterator[tuple[Letters, list[_Within]]]:
        """What all patterns within can take here, a letter or all up to a wildcard, and the places that it leads to."""
        if any(at == end for at, end in zip(within, self.end, strict=True)):
            return
        tokens = [pattern.tokens[at] for pattern, at in zip(self.inside, within, strict=True)]
        named = [token for token in tokens if isinstance(token, str)]
        if named and len(within) == 1:
            run = tuple(_written(self.inside[0].tokens[within[0] :]))
            yield run, [(at,) for at in self.inside[0].onward(within[0] + len(run) - 1)]
            return
        for letter in named[:1] or self.free:
            if all(token.takes(letter) if isinstance(token, Wild) else token == letter for token in tokens):
                reached = [pattern.onward(at) for pattern, at in zip(self.inside, within, strict=True)]
                yield (letter,), list(product(*reached))

    def _path(self, number: int) -> Letters:
        runs: list[Letters] = []
        while number >= 0:
            _, _, number, letters = self.nodes[number]
            runs.append(letters)
        return tuple(chain.from_iterable(reversed(runs)))
