"""Templates as values: short tags, what YAML would read as something else, and files that are nobody's template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secmigrate.documents import parse_template
from secmigrate.errors import BadInput

PATH = Path("t.yaml")


def value(text: str) -> object:
    return parse_template(PATH, text.encode()).value


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("!Ref x", {"Ref": "x"}),
        ("!Condition x", {"Condition": "x"}),
        ("!GetAtt a.b.c", {"Fn::GetAtt": ["a", "b.c"]}),
        ("!GetAtt [a, !Ref b]", {"Fn::GetAtt": ["a", {"Ref": "b"}]}),
        ("!Sub '${a}'", {"Fn::Sub": "${a}"}),
        ("!Sub [x, {a: !Ref b}]", {"Fn::Sub": ["x", {"a": {"Ref": "b"}}]}),
        ("!Join ['', [a, !Ref b]]", {"Fn::Join": ["", ["a", {"Ref": "b"}]]}),
        ("!If [c, !Ref 'AWS::NoValue', 2]", {"Fn::If": ["c", {"Ref": "AWS::NoValue"}, 2]}),
        ("!Not [!Equals [a, b]]", {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}),
        ("!Transform {Name: x}", {"Fn::Transform": {"Name": "x"}}),
        ("!GetAZs ''", {"Fn::GetAZs": ""}),
        ("!Base64 |\n  a\n", {"Fn::Base64": "a\n"}),
        ("!Sub\n  - x\n  - {}", {"Fn::Sub": ["x", {}]}),
        ("!Cidr\n  - 1\n", {"Fn::Cidr": [1]}),
    ],
)
def test_short_tags_are_functions(text: str, long: object) -> None:
    assert value(text) == long


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2012-10-17", "2012-10-17"),
        ("012345678901", "012345678901"),
        ("123456789012", 123456789012),
        ("no", False),
        ("On", True),
        ("nO", "nO"),
        ("'no'", "no"),
        ("!!str no", "no"),
        ("y", "y"),
        ("~", None),
        ("", None),
        ("1e3", "1e3"),
        ("1.10", "1.10"),
        ("1.5", 1.5),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("9" * 30, "9" * 30),
        (".inf", ".inf"),
        ("{on: 1, 2: 2}", {"on": 1, "2": 2}),
    ],
)
def test_text_stays_text(text: str, read: object) -> None:
    found = value(f"a: {text}\n")
    assert found == {"a": read}
    assert isinstance(found, dict)
    assert type(found["a"]) is type(read)


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("a: 1\nb: {c: 1, d: 2, c: 3}", "t.yaml:2:17", "the key 'c' stands twice"),
        ('{"a": {"b": 1,\n"c": 1,\n"b": 2}}', "t.yaml:3", "the key 'b' stands twice"),
        ('{"a": {"b": 1},\n"c": {"b": 1},\n"c": 3}', "t.yaml:3", "the key 'c' stands twice"),
        ("a:\n  - !Reff x", "t.yaml:2:5", "no tag !Reff"),
        ("a: !!python/name:os.system", "t.yaml:1:4", "no tag tag:yaml.org,2002:python/name:os.system"),
        ("a: &a {b: *a}", "t.yaml:1:11", "the alias *a stands for nothing"),
        ("a: &a {b: 1}\nc:\n  <<: *a", "t.yaml:3:3", "no merge keys"),
        ("? [a]\n: b", "t.yaml:1:3", "a key must be plain text"),
        ("a: b\n---\nc: d", "t.yaml:2:1", "a second document"),
        ("a: [" + "[" * 150, "t.yaml:1:103", "nested more than 100 deep"),
        ('{"a":' * 150 + "1" + "}" * 150, "t.yaml:1", "nested more than 100 deep"),
        ("a: b\nc: \x07", "t.yaml:2", "not valid YAML"),
        ("\ta: b", "t.yaml:1:1", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, where: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        value(text)
    assert (caught.value.where, said in caught.value.message) == (where, True), caught.value
    assert caught.value.hint


def test_a_bomb_of_aliases_is_said() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(BadInput, match="more than 100,000 values"):
        value("\n".join(rows))
    few = value("\n".join(rows[:3]))
    assert isinstance(few, dict)
    assert len(few["a2"]) == 10


def test_a_text_larger_than_a_template_is_said() -> None:
    with pytest.raises(BadInput, match="larger than CloudFormation takes"):
        value("a: b\n" * 300_000)


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_places_are_told(form: str) -> None:
    text = "Resources:\n  A:\n    Type: x\n  B:\n    Type: y\n"
    if form == "json":
        text = json.dumps({"Resources": {"A": {"Type": "x"}, "B": {"Type": "y"}}}, indent=1)
    where = parse_template(PATH, text.encode()).where
    lines = [where(place).split(":")[1] for place in (("Resources",), ("Resources", "B"), ("Resources", "B", "no"))]
    assert lines == (["1", "4", "4"] if form == "yaml" else ["2", "6", "6"])
