"""The pattern algebra against every text over small alphabets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial, reduce
from itertools import product
from operator import and_, or_

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secmigrate.access.patterns import (
    Pattern,
    Wild,
    arn_format,
    disjoint,
    example,
    includes,
    matches,
    resource,
    witness,
)

# All texts of up to LONGEST letters. A language is, for each length, one number: a bit for each text of that length.
# The letters of the alphabets below are written as single characters; V is the variable `${v}`, z is named nowhere.
LONGEST = 8
Language = tuple[int, ...]
PLAIN, WITH_VARIABLE, WITH_SLASH = "ab:z", "a:Vz", "a:/z"

# `make test` tries some hundreds, others each time; `make stress` as many as its profile says.
many = settings(max_examples=max(400, settings().max_examples), deadline=None)

globs = st.lists(st.sampled_from(["a", "b", ":", "*", "?"]), max_size=5).map("".join)
variable_globs = st.lists(st.sampled_from(["a", ":", "*", "?", "${v}", "${V}"]), max_size=5).map("".join)
format_parts = ["a", ":", "/", "${BucketName}", "${Region}", "${Name}", "*"]
formats = st.lists(st.sampled_from(format_parts), max_size=3).map("".join)
slash_globs = st.lists(st.sampled_from(["a", ":", "/", "*", "?"]), max_size=3).map("".join)


def _before(letter: str, rest: Language, alphabet: str) -> Language:
    """The texts of a language with the letter before them."""
    at = alphabet.index(letter)
    return (0, *(shorter << at * len(alphabet) ** length for length, shorter in enumerate(rest[:-1])))


def _run(letters: str, rest: Language, alphabet: str) -> Language:
    """The texts of a language with any number of the letters before them."""
    found = rest
    for _ in range(LONGEST):
        found = _union(rest, *(_before(letter, found, alphabet) for letter in letters))
    return found


def _union(*languages: Language) -> Language:
    return tuple(reduce(or_, masks) for masks in zip(*languages, strict=True))


NOTHING: Language = (0,) * (LONGEST + 1)
EMPTY_TEXT: Language = (1, *NOTHING[1:])


@cache
def language(text: str, alphabet: str) -> Language:
    """What a Resource entry matches, from AWS's words, letter by letter from the front."""
    if not text:
        return EMPTY_TEXT
    if text.casefold().startswith("${v}"):
        return _before("V", language(text[4:], alphabet), alphabet)
    first, rest = text[0], language(text[1:], alphabet)
    if first == "*":
        ends_segment = text[1:2] in {"", ":"}
        return _run(alphabet if ends_segment else alphabet.replace(":", ""), rest, alphabet)
    if first == "?":
        one = [_before(letter, rest, alphabet) for letter in alphabet if letter not in {":", "V"}]
        return _union(*one)
    return _before(first, rest, alphabet)


@cache
def format_language(text: str, segment: int, alphabet: str) -> Language:
    """What an ARN format stands for."""
    if not text:
        return EMPTY_TEXT
    name = text[2 : text.index("}")] if text.startswith("${") else text[0]
    after = text[len(name) + 3 :] if text.startswith("${") else text[1:]
    rest = format_language(after, segment + (name == ":"), alphabet)
    no_colon = alphabet.replace(":", "")
    if name == "BucketName":
        letters = no_colon.replace("/", "")
        return _union(*(_before(letter, _run(letters, rest, alphabet), alphabet) for letter in letters))
    if name == "Region" or (name == "Name" and segment in {3, 4}):
        return _run(no_colon, rest, alphabet)
    letters = alphabet if segment >= 5 else no_colon
    if name == "*":
        return _run(no_colon if segment in {3, 4} else letters, rest, alphabet)
    if name == "Name":
        return _union(*(_before(letter, _run(letters, rest, alphabet), alphabet) for letter in letters))
    return _before(name, rest, alphabet)


def _texts(found: Language, alphabet: str) -> set[str]:
    return {
        "".join(letters)
        for length, mask in enumerate(found)
        for number, letters in enumerate(product(alphabet, repeat=length))
        if mask >> number & 1
    }


def _number(text: str, alphabet: str) -> int:
    return reduce(lambda number, letter: number * len(alphabet) + alphabet.index(letter), text, 0)


def _difference(inside: Sequence[Language], outside: Sequence[Language]) -> Language:
    every = [reduce(and_, masks) for masks in zip(*inside, strict=True)]
    some = _union(NOTHING, *outside)
    return tuple(one & ~other for one, other in zip(every, some, strict=True))


def _is_the_answer(found: tuple[str, ...] | None, wanted: Language, alphabet: str) -> bool:
    """Whether `found` is one of the wanted texts, or None and none is wanted; longer texts are for `_fits` to judge."""
    if found is None:
        return not any(wanted)
    text = _spelt(found, alphabet)
    return len(text) > LONGEST or bool(wanted[len(text)] >> _number(text, alphabet) & 1)


def _spelt(found: tuple[str, ...], alphabet: str) -> str:
    return "".join("V" if letter == "${v}" else letter if letter in alphabet else "z" for letter in found)


def _is_between(found: tuple[str, ...] | None, inside: Sequence[str], outside: Sequence[str], alphabet: str) -> bool:
    """Whether the text, if there is one, fits all the entries inside and none outside."""
    text = None if found is None else _spelt(found, alphabet)
    these, those = ([re.sub(r"\$\{[vV]\}", "V", entry) for entry in entries] for entries in (inside, outside))
    return text is None or (
        all(_fits(text, entry) for entry in these) and not any(_fits(text, entry) for entry in those)
    )


def _fits(text: str, pattern: str) -> bool:
    """The rules once more, for one text."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        may_go_on = bool(text) and (text[0] != ":" or pattern[1:2] in {"", ":"})
        return _fits(text, pattern[1:]) or (may_go_on and _fits(text[1:], pattern))
    return (
        bool(text)
        and (text[0] == pattern[0] or (pattern[0] == "?" and text[0] not in ":V"))
        and _fits(text[1:], pattern[1:])
    )


@many
@given(globs, st.text(alphabet="ab:z", max_size=9))
def test_matches_by_the_rules(pattern: str, text: str) -> None:
    assert matches(resource(pattern), text) == _fits(text, pattern)


@pytest.mark.parametrize("pattern", ["", "a", "*", "?", "a*", "*a", "*:", "*a:*", "**", "?*", "*?", "a*:b?", "*:*a"])
def test_every_short_text(pattern: str) -> None:
    texts = ["".join(letters) for length in range(6) for letters in product(PLAIN, repeat=length)]
    expected = {text for text in texts if _fits(text, pattern)}
    assert {text for text in _texts(language(pattern, PLAIN), PLAIN) if len(text) < 6} == expected
    assert {text for text in texts if matches(resource(pattern), text)} == expected


@many
@given(st.lists(globs, min_size=1, max_size=2), st.lists(globs, max_size=4))
def test_witness_is_one_of_all_texts(inside: list[str], outside: list[str]) -> None:
    found = witness([resource(text) for text in inside], [resource(text) for text in outside])
    speak = partial(language, alphabet=PLAIN)
    assert _is_the_answer(found, _difference([*map(speak, inside)], [*map(speak, outside)]), PLAIN)
    assert _is_between(found, inside, outside, PLAIN)


@many
@given(globs, st.lists(globs, max_size=3), st.data())
def test_witness_where_much_is_covered(inside: str, others: list[str], data: st.DataObject) -> None:
    """Patterns outside that are the one within with a wildcard or two in place of other parts."""
    outside = list(others)
    for _ in range(3):
        parts = [data.draw(st.sampled_from([part, part, part, "*", "?"])) for part in inside]
        outside.append("".join(parts))
    found = witness([resource(inside)], [resource(text) for text in outside])
    wanted = _difference([language(inside, PLAIN)], [language(text, PLAIN) for text in outside])
    assert _is_the_answer(found, wanted, PLAIN)
    assert _is_between(found, [inside], outside, PLAIN)


@many
@given(st.lists(variable_globs, min_size=1, max_size=2), st.lists(variable_globs, max_size=4))
def test_witness_with_variables(inside: list[str], outside: list[str]) -> None:
    found = witness([resource(text) for text in inside], [resource(text) for text in outside])
    assert _is_the_answer(found, _wanted_with_variables(inside, outside), WITH_VARIABLE)
    assert _is_between(found, inside, outside, WITH_VARIABLE)


def _wanted_with_variables(inside: Sequence[str], outside: Sequence[str]) -> Language:
    """A variable that only patterns outside name is not asked about."""
    speak = partial(language, alphabet=WITH_VARIABLE)
    if any("{" in text for text in inside):
        return _difference([*map(speak, inside)], [*map(speak, outside)])
    return _difference([_run("a:z", EMPTY_TEXT, WITH_VARIABLE), *map(speak, inside)], [*map(speak, outside)])


@many
@given(st.sampled_from(["", "::", ":::", ":::::"]), formats, slash_globs, st.lists(slash_globs, max_size=3))
def test_witness_of_formats(head: str, written: str, entry: str, others: list[str]) -> None:
    inside, outside = f"{head}{entry}", [f"{head}{text}" for text in others]
    found = witness([arn_format(head + written, "aws"), resource(inside)], [resource(text) for text in outside])
    wanted = _difference(
        [format_language(head + written, 0, WITH_SLASH), language(inside, WITH_SLASH)],
        [language(text, WITH_SLASH) for text in outside],
    )
    assert _is_the_answer(found, wanted, WITH_SLASH)
    assert _is_between(found, [inside], outside, WITH_SLASH)


@many
@given(variable_globs, variable_globs)
def test_two_patterns(one: str, other: str) -> None:
    # Patterns of up to five parts that meet do so within LONGEST letters; where one leaves the other, it does so too.
    assert disjoint(resource(one), resource(other)) == (not any(_wanted_with_variables([one, other], [])))
    assert includes(resource(other), resource(one)) == (not any(_wanted_with_variables([one], [other])))


def test_one_letter_does_not_swallow_any_number() -> None:
    one, many = (Pattern(("a", Wild(many)), "") for many in (False, True))
    assert many.swallows(one)
    assert not one.swallows(many)
    assert one.meets(many)


@many
@given(st.lists(variable_globs, min_size=1, max_size=2), st.lists(variable_globs, max_size=3))
def test_example_is_there_when_a_witness_is(inside: list[str], outside: list[str]) -> None:
    these, those = [resource(text) for text in inside], [resource(text) for text in outside]
    found = example(these, those)
    assert (found is None) == (witness(these, those) is None)
    if found is not None:
        # Read as an entry, the example is one text again: its variables are letters, it has no wildcards.
        assert all(includes(one, resource(found)) for one in these)
        assert all(disjoint(one, resource(found)) for one in those)


# Pieces of ARNs: whole segments, stars that may or may not span them, accounts, names that begin alike.
arn_pieces = st.tuples(
    st.sampled_from(["arn:aws:sqs:", "arn:aws:*:", "arn:*:sqs:", "arn:aws:"]),
    st.sampled_from(["eu-west-1:", "*:", ":", "*", "eu-*:"]),
    st.sampled_from(["111122223333:", "*:", "1111*:", ""]),
    st.sampled_from(["jobs", "jobs-*", "jo*", "*", "jo?s", "dead*x", "de*", "a:jobs", "jo**"]),
).map("".join)


@settings(deadline=None)
@hypothesis.example("arn:aws:sqs:*:111122223333:jo*", "arn:aws:sqs:*:111122223333:jo**")
@given(arn_pieces, arn_pieces)
def test_arns_that_share_nothing(one: str, other: str) -> None:
    both = [resource(one), resource(other)]
    assert disjoint(*both) == (witness(both, []) is None)
    shared = "".join(witness(both, []) or ())
    assert all(shared.split(":", 5)[5].startswith(one.own) for one in both if shared and one.own)
    assert includes(both[0], both[1]) == (witness([both[1]], [both[0]]) is None)


@settings(deadline=None)
@given(globs, globs)
def test_patterns_are_equal_if_their_tokens_are(one: str, other: str) -> None:
    patterns = resource(one), resource(other)
    assert (patterns[0] == patterns[1]) == (Pattern(patterns[0].tokens, one) == Pattern(patterns[1].tokens, other))


@settings(deadline=None)
@given(globs, st.text("ab:z", max_size=6))
def test_a_text_is_matched_as_the_automaton_reads_it(glob: str, text: str) -> None:
    pattern = resource(glob)
    assert matches(pattern, text) == (pattern.after(text) & pattern.end != 0)
