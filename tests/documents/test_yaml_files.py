"""YAML that a person writes: what is wrong is said with file, line and column; nothing is quietly taken otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from secmigrate.documents import config_text, read_config, read_decisions, read_yaml
from secmigrate.errors import BadInput
from secmigrate.sec import Client, Environment, SecConfig, TierName

HEAD = "kind: decisions\nversion: 1\n"

WRONG: dict[str, tuple[str | bytes, str, str]] = {
    "empty": ("", "", "the file is empty"),
    "only a comment": ("# later\n", ":1:1", "None is not of type 'object'"),
    "a list": ("- a\n", ":1:1", "is not of type 'object'"),
    "another version": ("kind: decisions\nversion: 2\n", ":2:1", "version: 1 was expected"),
    "another kind": ("version: 1\nkind: levels\n", ":2:1", "kind: 'decisions' was expected"),
    "a wrong key": (HEAD + "group:\n  dev: {leave: x}\n", ":3:1", "group: is not known here"),
    "a wrong key deep inside": (
        HEAD + "groups:\n  ops: {leave: x}\n  dev:\n    leafe: x\n",
        ":6:5",
        "groups.dev.leafe: is not known here",
    ),
    "a wrong value": (HEAD + "roles:\n  ci: {section: nowhere}\n", ":4:8", "'nowhere' is none of"),
    "one key twice": (HEAD + "groups:\n  dev: {leave: x}\n  dev: {leave: y}\n", ":5:3", "'dev' stands twice"),
    "one key twice, once quoted": (HEAD + "groups:\n  1: {leave: x}\n  '1': {leave: y}\n", ":5:3", "'1' stands twice"),
    "a tab": (HEAD + "groups:\n\tdev: {leave: x}\n", ":4:1", "cannot start any token"),
    "wrong indentation": (HEAD + "groups:\n  dev:\n   leave: x\n  leave: y\n z: 1\n", ":7:2", "not valid YAML"),
    "half": (HEAD + "groups: {dev: {leave: x\n", ":4:1", "not valid YAML"),
    "two documents": (HEAD + "---\n" + HEAD, ":3:1", "another document"),
    "a number for text": (HEAD + "groups:\n  dev: {leave: 012345670123}\n", ":4:9", "is not text"),
    "a key that is a list": (HEAD + "groups:\n  ? [a]\n  : {leave: x}\n", ":4:5", "a key must be plain text"),
    "a merge": (HEAD + "groups:\n  a: &a {leave: x}\n  b: {<<: *a}\n", ":5:7", "a key must be plain text"),
    "a name without its alias": (HEAD + "groups: *nobody\n", ":3:9", "undefined alias"),
    "Python": (HEAD + 'groups: !!python/object/apply:os.system ["x"]\n', ":3:9", "could not determine a constructor"),
    "Latin-1": ((HEAD + "groups:\n  dev: {leave: é}\n").encode("latin-1"), ":4", "UTF-8"),
    "NUL bytes": ((HEAD + "groups:\n  dev: {leave: \0}\n").encode(), ":4", "control characters"),
    "itself inside itself": (HEAD + "groups: &g\n  dev: *g\n", ":1", "nested too deeply"),
    "an endless list": (HEAD + "groups: " + "[" * 5_000 + "]" * 5_000, ":1", "nested too deeply"),
    "a billion laughs": (
        "a0: &a0 ha\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 11)),
        ":1",
        "more than 100,000 values",
    ),
    "a billion laughs in maps": (
        HEAD
        + "groups:\n  a0: &a0 {leave: x}\n"
        + "".join(f"  a{n}: &a{n} {{{', '.join(f'k{k}: *a{n - 1}' for k in range(10))}}}\n" for n in range(1, 9)),
        ":1",
        "more than 100,000 values",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_file_line_and_column_of_what_is_wrong(tmp_path: Path, case: str) -> None:
    content, where, said = WRONG[case]
    path = tmp_path / "decisions.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as caught:
        read_decisions(path)
    assert caught.value.where == f"{path}{where}"
    assert said in caught.value.message
    assert "\n" not in caught.value.message.split("\n  /")[0]
    assert caught.value.hint


def test_every_problem_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "decisions.yaml"
    path.write_text(HEAD + "groups:\n  a: {leave: 1}\n  b: {become: X}\nroles:\n  c: {}\n")
    with pytest.raises(BadInput) as caught:
        read_decisions(path)
    told = str(caught.value)
    assert [f"{path}:{at}" in told for at in ("4:7", "5:7", "7:3")] == [True, True, True]
    assert "hint: put it in quotes" in told


def test_keys_and_dates_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "decisions.yaml"
    names = ("on", "yes", "no", "1", "0x1f", "1e3", "2024-01-02", "012345678901", "null", "~", "1_000", "12:30")
    path.write_text(
        HEAD + "groups:\n" + "".join(f"  {name}: {{leave: 2024-01-02}}\n" for name in names), encoding="utf-8"
    )
    groups = read_decisions(path).groups
    assert tuple(groups) == names
    assert {answer.leave for answer in groups.values()} == {"2024-01-02"}


def test_an_alias_may_repeat_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "decisions.yaml"
    path.write_text(HEAD + "groups:\n  a: &later {leave: ask Ana}\n  b: *later\n")
    groups = read_decisions(path).groups
    assert groups["a"] == groups["b"]


def test_no_file_is_no_answers(tmp_path: Path) -> None:
    assert not read_decisions(tmp_path / "decisions.yaml").groups


def test_the_place_of_every_value(tmp_path: Path) -> None:
    path = tmp_path / "decisions.yaml"
    path.write_text(HEAD + "groups:\n  dev:\n    leave: x\n")
    _, lines = read_yaml(path, "decisions")
    assert lines.where(("groups", "dev", "leave")) == f"{path}:5:5"
    assert lines.where(("groups", "dev", "become")) == f"{path}:4:3"
    assert lines.where(("groups", "nobody", "leave")) == f"{path}:3:1"
    assert lines.where(()) == f"{path}:1:1"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    client = Client(company_prefix="acme", tenant_id="0123", account_id="012345670123", company_name="yes")
    path = tmp_path / "sec.yaml"
    environment, tier = Environment(env="prod", region="eu-west-1"), TierName(name="startup", version="startup-10")
    path.write_text(config_text(SecConfig(client=client, environment=environment, tier=tier), {}))
    return path


@pytest.mark.parametrize(
    ("comment", "lines"),
    [
        ("U: short", ["U: short"]),
        (f"{'a' * 54} {'b' * 55}", [f"{'a' * 54} {'b' * 55}"]),
        (f"{'a' * 55} {'b' * 55}", ["a" * 55, f"  {'b' * 55}"]),
        ("two  \n lines,\ta\u00a0tab", ["two lines, a tab"]),
        ("a\x1b[31mb", ["a\ufffd[31mb"]),
    ],
)
def test_a_comment_fits_its_lines(comment: str, lines: list[str]) -> None:
    client = Client(company_prefix="acme", tenant_id="0123", account_id="012345670123")
    environment, tier = Environment(env="prod", region="eu-west-1"), TierName(name="startup", version="startup-10")
    text = config_text(SecConfig(client=client, environment=environment, tier=tier), {("client",): (comment,)})
    head = text.partition("\nclient:")[0].splitlines()
    assert head[-len(lines) :] == [f"# {line}" for line in lines]


def test_digits_that_are_names_are_written_so_that_they_stay_names(config: Path) -> None:
    text = config.read_text()
    assert '"012345670123"' in text
    assert '"0123"' in text
    found = read_config(config)[0].client
    assert (found.account_id, found.tenant_id, found.company_name) == ("012345670123", "0123", "yes")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"012345670123"', "012345670123", "is not text"),  # YAML 1.1: an octal number
        ('"012345670123"', "012345678901", ""),  # no octal number: text
        ('"0123"', "0123", "is not text"),
        ("company_prefix", "company_prefixes", "client.company_prefixes: is not known here"),
    ],
)
def test_a_person_edits_the_config(config: Path, old: str, new: str, said: str) -> None:
    lines = config.read_text().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines, 1) if old in line)
    lines[number - 1] = lines[number - 1].replace(old, new)
    config.write_text("".join(lines))
    if not said:
        assert read_config(config)[0].client.account_id == new
        return
    with pytest.raises(BadInput) as caught:
        read_config(config)
    # A key that is missing is told first: its section stands before what stands there in its place.
    section = next(n for n, line in enumerate(lines, 1) if line.startswith("client:"))
    assert caught.value.where == f"{config}:{section}:1" if "known" in said else f"{config}:{number}:3"
    assert f"{config}:{number}:3: {said}" in f"{caught.value.where}: {caught.value.message}" or "text" in said
    assert said in caught.value.message
