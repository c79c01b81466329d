"""The pattern algebra against every text over small alphabets, and against cases that people can check."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache, partial, reduce
from itertools import product
from operator import and_, or_

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secmigrate.access import patterns, search
from secmigrate.access.patterns import (
    Pattern,
    TooHard,
    Wild,
    arn_format,
    disjoint,
    example,
    has_variable,
    includes,
    literal,
    matches,
    resource,
    widened,
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


INCLUDED = [
    ("*", "arn:aws:s3:::team/reports/2026"),
    ("arn:aws:s3:::*", "arn:aws:s3:::team-data/*"),
    ("arn:aws:s3:::team-*", "arn:aws:s3:::team-data/*"),
    ("arn:aws:s3:::team-*/*", "arn:aws:s3:::team-data/reports/*"),
    ("arn:aws:s3:::te?m/*", "arn:aws:s3:::team/*"),
    ("arn:aws:logs:*:*:*", "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/pay:*"),
    ("arn:*:iam::*:role/*", "arn:aws:iam::111122223333:role/team/reader"),
    ("arn:aws:sns:*:topic", "arn:aws:sns:eu-central-1:111122223333:topic"),  # the star ends its segment
    ("arn:aws:logs:*:111122223333:log-group:/app*", "arn:aws:logs:eu-*:111122223333:log-group:/app:log-stream:s1"),
    ("arn:*:*:*:111122223333:queue-*", "arn:*:sqs:eu-*:111122223333:queue-a"),
    ("arn:aws:s3:::${aws:PrincipalTag/Team}/*", "arn:aws:s3:::${aws:principaltag/team}/reports"),
    ("arn:aws:s3:::*/home", "arn:aws:s3:::${aws:PrincipalTag/team}/home"),
    ("arn:aws:s3:::a*", "arn:aws:s3:::a**"),
    ("arn:aws:s3:::a?c", "arn:aws:s3:::a${*}c"),
]
NOT_INCLUDED = [
    ("arn:aws:s3:::team-data", "arn:aws:s3:::Team-data"),
    ("arn:aws:s3:::team-data/*", "arn:aws:s3:::team-data"),
    ("arn:aws:lambda:eu-*-1:111122223333:function:*", "arn:aws:lambda:eu-a:b-1:111122223333:function:pay"),
    ("arn:aws:sns:eu?central-1:111122223333:t", "arn:aws:sns:eu:central-1:111122223333:t"),
    ("arn:aws:s3:::te?m/*", "arn:aws:s3:::team*/x"),
    ("arn:aws:s3:::?", "arn:aws:s3:::${aws:PrincipalTag/team}"),
    ("arn:aws:s3:::aws:username/x", "arn:aws:s3:::${aws:username}/x"),
    ("arn:aws:s3:::${aws:PrincipalTag/t, 'A'}", "arn:aws:s3:::${aws:PrincipalTag/t, 'a'}"),
    ("arn:aws:s3:::${aws:PrincipalTag/a}/*", "arn:aws:s3:::${aws:PrincipalTag/b}/*"),
    ("arn:aws:s3:::a${*}", "arn:aws:s3:::a*"),
]


@pytest.mark.parametrize(("outer", "inner"), INCLUDED)
def test_included(outer: str, inner: str) -> None:
    assert includes(resource(outer), resource(inner))
    assert not disjoint(resource(outer), resource(inner))
    assert example([resource(inner)], [resource(outer)]) is None


@pytest.mark.parametrize(("outer", "inner"), NOT_INCLUDED)
def test_not_included(outer: str, inner: str) -> None:
    assert not includes(resource(outer), resource(inner))


def test_a_union_covers_what_none_of_it_does() -> None:
    colon, plain, short = resource("a:*"), resource("a?*"), resource("a")
    assert witness([resource("a*")], [colon, plain, short]) is None
    assert witness([resource("a*")], [colon, plain]) == ("a",)
    assert witness([resource("a*")], [colon, short]) == ("a", "x")
    assert witness([resource("a*")], [plain, short]) == ("a", ":")


def test_more_outside_never_makes_an_answer() -> None:
    outside = [resource("b/"), resource("b/?*"), resource("b/:*")]
    assert witness([resource("b/*")], outside) is None
    assert witness([resource("b/*")], [*outside, resource("b/${aws:PrincipalTag/team}/x")]) is None


def test_characters_of_their_own() -> None:
    assert matches(resource("a${*}b${?}c${$}"), "a*b?c$")
    assert not matches(resource("a${*}b${?}c${$}"), "axb?c$")
    assert matches(resource("a${b"), "a${b")
    assert matches(literal("*"), "*")
    assert not matches(literal("*"), "x")
    assert not matches(literal("a?${aws:username}"), "ab${aws:username}")
    assert matches(literal("a?${aws:username}"), "a?${aws:username}")
    assert includes(resource("*"), literal("*"))
    assert not includes(literal("*"), resource("*"))
    assert witness([resource("*"), literal("*")], [resource("arn:*")]) == ("*",)


def test_variables() -> None:
    home = resource("arn:aws:s3:::home/${aws:PrincipalTag/Team}/*")
    assert has_variable(home)
    assert not has_variable(resource("arn:aws:s3:::home/${*}/*"))
    assert not has_variable(literal("${aws:username}"))
    assert home == resource("arn:aws:s3:::home/${AWS:principaltag/team}/*")
    assert hash(home) == hash(resource("arn:aws:s3:::home/${AWS:principaltag/team}/*"))
    assert not matches(home, "arn:aws:s3:::home/blue/x")
    assert matches(widened(home), "arn:aws:s3:::home/blue/x")
    assert matches(widened(home), "arn:aws:s3:::home/a:b//x")
    assert widened(home).text == home.text
    assert widened(resource("a*")) is resource("a*")
    assert widened(resource("*a${v}b?")).tokens == (Wild(True, ":"), "a", Wild(True), "b", Wild(False, ":", False))
    assert example([home], []) == "arn:aws:s3:::home/${aws:PrincipalTag/Team}/example"
    assert witness([home], [resource("arn:aws:s3:::home/*/a*")]) == (
        *"arn:aws:s3:::home/",
        "${aws:principaltag/team}",
        "/",
    )


@pytest.mark.parametrize(
    ("written", "same"),
    [("***", "*"), ("a**b", "a*b"), ("a**:b", "a*:b"), ("a**", "a*")],
)
def test_stars_in_a_row_are_one(written: str, same: str) -> None:
    assert resource(written) == resource(same)
    assert resource(written).text == written


def test_stars_that_take_different_letters_stay() -> None:
    pattern = Pattern((Wild(True, ":"), Wild(True, "/"), Wild(True, "a"), "b"), "")
    assert len(pattern.tokens) == 4
    assert [matches(pattern, text) for text in ("b", "/:b", "/:/b", "/:/ab", "a:/b:a/b")] == [
        True,
        True,
        True,
        False,
        False,
    ]


FORMAT = "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}"
OBJECT = "arn:${Partition}:s3:::${BucketName}/${ObjectName}"


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        (OBJECT, "arn:aws:s3:::team/a/b:c", True),
        (OBJECT, "arn:aws:s3:::team", False),
        (OBJECT, "arn:aws:s3:::team/", False),
        (OBJECT, "arn:aws-cn:s3:::team/a", False),
        ("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::team", True),
        ("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::team/a", False),
        ("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::", False),
        (FORMAT, "arn:aws:lambda:::function:pay", True),
        (FORMAT, "arn:aws:lambda:eu-central-1:111122223333:function:pay:1", True),
        (FORMAT, "arn:aws:lambda:eu:central:1:function:pay", False),
        ("arn:${Partition}:x:${Region}:${VpcOwnerAccount}:y/${Id}", "arn:aws:x:::y/1", True),
        ("arn:${Partition}:${Vendor}:${Region}:*:${Type}:${Id}", "arn:aws:a:b:c:1:d:e:f:g", True),
        ("arn:${Partition}:${Vendor}:r:*:x", "arn:aws:a:b:r:c:x", False),
        ("arn:${Partition}:dms:${Region}:${Account}:rep:*", "arn:aws:dms:r:1:rep:", True),
    ],
)
def test_formats(written: str, text: str, expected: bool) -> None:
    assert matches(arn_format(written, "aws"), text) is expected


def test_a_format_takes_variables() -> None:
    entry = resource("arn:aws:s3:::${aws:PrincipalTag/team}/${aws:PrincipalTag/dir}")
    assert witness([arn_format(OBJECT, "aws"), entry], []) == entry.tokens


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        (["arn:aws:s3:::team-*/*"], [], "arn:aws:s3:::team-example/example"),
        ([FORMAT, "*"], [], "arn:aws:lambda:eu-central-1:111122223333:function:example"),
        ([FORMAT, "arn:aws:lambda:*:*:*team*"], [], "arn:aws:lambda:eu-central-1:111122223333:function:team"),
        (["*", FORMAT], ["arn:aws:lambda:*:*:function:example"], "arn:aws:lambda:eu-central-1:111122223333:function:y"),
        ([FORMAT, "*"], ["arn:aws:lambda:?*"], "arn:aws:lambda:::function:example"),
        ([OBJECT, "arn:aws:s3:::team/a*"], ["arn:aws:s3:::team/*e"], "arn:aws:s3:::team/a"),
        (["arn:aws:sqs:eu-west-?:*:jobs"], [], "arn:aws:sqs:eu-west-x:111122223333:jobs"),
        (["arn:aws:s3:::x*"], ["arn:aws:s3:::x", "arn:aws:s3:::*e", "arn:aws:s3:::xy*"], "arn:aws:s3:::xz"),
        (["arn:aws:s3:::x*"], ["arn:aws:*"], None),
        (["arn:aws:s3:::a*", "arn:aws:s3:::b*"], [], None),
    ],
)
def test_examples_that_people_can_read(inside: list[str], outside: list[str], expected: str | None) -> None:
    these = [arn_format(text, "aws") if "${Partition}" in text else resource(text) for text in inside]
    assert example(these, [resource(text) for text in outside]) == expected


def test_hundreds_outside() -> None:
    outside = [resource(f"arn:aws:s3:::team-{number}*/*") for number in range(100, 1000)]
    assert witness([resource("arn:aws:s3:::team-???/*")], outside) == tuple("arn:aws:s3:::team-xxx/")
    assert witness([resource("arn:aws:s3:::team-777-*/x")], outside) is None
    assert witness([resource("arn:aws:s3:::team-777*/x")], outside[:600]) == tuple("arn:aws:s3:::team-777/x")


def test_same_answer_in_any_order() -> None:
    inside = [resource("*a*b*a*"), resource("a*?:*b*")]
    outside = [resource(text) for text in ("a*", "*a:", "a?:*b", "*b:*", "a*a:*b?a", "*:?b*")]
    found = witness(inside, outside[1:])
    assert found is not None
    for seed in range(20):
        shuffled = random.Random(seed).sample(outside[1:], 5)
        assert search.find(inside, shuffled) == found


def test_a_union_of_nasty_ones_is_decided() -> None:
    outside = [
        resource("*" + "*".join(letters) + "*") for letters in product("ab", repeat=6) if letters != tuple("ababab")
    ]
    assert witness([resource("*a*b*a*b*a*b*")], outside) == tuple("ababab")
    assert witness([resource("*a*b*a*b*a*b*a*")], outside) is None


def test_what_is_too_hard_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = resource("*a*a*a*a*a*a*a*a*"), [resource("*a" + "?" * length) for length in range(9, 16)]
    patterns._found.cache_clear()
    monkeypatch.setattr(search, "LIMIT", 50)
    with pytest.raises(TooHard, match=r"more than 50 steps for \*a\*a"):
        search.find([inside], outside)
    for _ in range(2):  # the second time from memory
        with pytest.raises(TooHard, match="more than 50 steps"):
            witness([inside], outside)
    assert example([inside], outside) == "a" * 8  # found by a plain try
    monkeypatch.undo()
    patterns._found.cache_clear()


def test_a_pattern_is_a_value() -> None:
    assert resource("a*") == Pattern(("a", Wild(True)), "other words")
    assert resource("a*") != resource("a*b")
    assert resource("a*") != "a*"
    assert repr(resource("a*")) == "Pattern('a*')"


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


@pytest.mark.parametrize("text", ["a**b", "a***", "**", "arn:aws:s3::**:x", "arn:aws:sqs:**:111122223333:a"])
def test_more_stars_than_one_are_the_same_value(text: str) -> None:
    one, other = resource(text), resource(re.sub(r"\*+", "*", text))
    assert one == other
    assert hash(one) == hash(other)
    assert one.tokens == other.tokens


def test_a_star_that_is_a_character_is_no_wildcard() -> None:
    assert resource("a${*}") != resource("a*")
    assert resource("a${*}") == literal("a*")
    assert len({resource("a*"), literal("a*"), Pattern(("a", Wild(True)), "other words")}) == 2


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


@pytest.mark.parametrize(("glob", "text"), [("a*a", "a"), ("ab*ba", "aba"), ("a?*a", "aa"), ("*a:*a", "a:")])
def test_what_begins_it_does_not_end_it(glob: str, text: str) -> None:
    assert not matches(resource(glob), text)
