"""Damaged files of every kind that `--from` takes: mutations of real ones by number, and some made by hand.

The same number always gives the same files. `python -m tests.sources.damage FIRST COUNT` reads them one after the
other under limits of memory and time, and writes a line of JSON for each: see `test_damage.py`.
"""

from __future__ import annotations

import copy
import faulthandler
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.sources.cloudformation import Place
from secmigrate.sources.merging import merged
from secmigrate.sources.saved import read_all, read_managed
from tests.small import ACCOUNT
from tests.sources import test_terraform

SECONDS = 5  # of this process's own time: other work on the machine does not count
HANGS = 60  # seconds of anybody's time, after which nobody waits any more
MEMORY = 500_000_000  # bytes of private memory
SECRET = "not-for-anybody-to-see"
HERE = Path(__file__).parent
HERE_KNOWN = Place(ACCOUNT, "aws", "eu-central-1")
EXAMPLES = HERE.parent.parent / "examples"
Files = dict[str, bytes]  # by their path; the first is the one that is named to --from, a folder if it ends with /

NASTY: tuple[Any, ...] = (
    None, True, 7, -1, 0, 1e400, 10**30, 1.5, "", "x", "\ud800", "*", "a" * 3000, [], {}, [[]], {"a": None}, [None],
    {"Ref": "AWS::NoValue"}, {"Ref": "Env"}, {"Ref": 7}, {"Ref": ["x"]}, {"Fn::GetAtt": "x"}, {"Fn::GetAtt": ["x", 1]},
    {"Fn::Sub": "${x.y} ${!a} ${} ${AWS::AccountId} ${"}, {"Fn::Sub": ["${a}", {"a": {"Ref": "b"}}]}, {"Fn::Sub": []},
    {"Fn::Join": ["", [{"Ref": "x"}, 1, None]]}, {"Fn::Join": "x"}, {"Fn::Select": [99, []]}, {"Fn::Select": [0]},
    {"Fn::Split": ["", "x"]}, {"Fn::If": ["x"]}, {"Fn::If": ["nowhere", 1, {"Ref": "AWS::NoValue"}]},
    {"Fn::FindInMap": [1, 2, 3]}, {"Fn::FindInMap": ["a"]}, {"Fn::ImportValue": {"Ref": "x"}}, {"Fn::Not": []},
    {"Fn::Equals": [1]}, {"Fn::Base64": {}}, {"Condition": "x"}, {"Fn::Transform": {}}, {"Fn::Nonsense": 1},
    "{{resolve:ssm:x}}", "arn:aws:iam::111122223333:role/x", "\ue000a\ue001b\ue002", {"Ref": "x", "more": 1},
)  # fmt: skip


@cache
def real() -> tuple[Files, ...]:
    """What is damaged: one of each kind of file."""
    found: list[Files] = [
        {"terraform.tfstate": (EXAMPLES / "terraform/terraform.tfstate").read_bytes()},
        *({"state.json": json.dumps(form(), indent=1).encode()} for form in test_terraform.FORMS.values()),
    ]
    found += [{case.name: case.read_bytes()} for case in sorted(HERE.glob("cloudformation/*/template.*"))]
    for folder in (EXAMPLES / "cdk/cdk.out", HERE / "cdk/lumen/cdk.out"):
        files = {f"cdk.out/{path.relative_to(folder)}": path.read_bytes() for path in sorted(folder.rglob("*.json"))}
        found.append({"cdk.out/": b"", **files})
        template = min(folder.glob("*.template.json"))
        found.append({template.name: template.read_bytes()})
        found.append({"template.yaml": yaml.safe_dump(json.loads(template.read_text())).encode()})
    found += [{f"{name}.json": (HERE / "saved" / name / "input.json").read_bytes()} for name in ("details", "snapshot")]
    return tuple(found)


def damaged(number: int) -> Files:
    """The files of that number: first those that are made by hand, then mutations."""
    made = by_hand()
    if number < len(made):
        return list(made.values())[number]()
    chance = random.Random(number)
    files = dict(real()[number % len(real())])
    name = chance.choice([name for name, data in files.items() if data])
    data = files[name]
    if data.lstrip()[:1] == b"{" and chance.random() < 0.6:
        data = _in_values(data, chance)
    for _ in range(chance.choice([0, 0, 1, 1, 2]) if data != files[name] else chance.randrange(1, 4)):
        data = chance.choice(_IN_BYTES)(data, chance)
    files[name] = data
    return files


def _in_values(data: bytes, chance: random.Random) -> bytes:
    """JSON with other values in some places."""
    head = json.loads(data)
    for _ in range(chance.randrange(1, 5)):
        _change(head, chance)
    return json.dumps(head, indent=chance.choice([None, 1])).encode("utf-8", "surrogatepass")


def _change(head: Any, chance: random.Random) -> None:
    holders = [head]
    while True:
        here = holders[-1]
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(here[key], dict | list) and here[key] and chance.random() < 0.85:
            holders.append(here[key])
            continue
        match chance.randrange(6):
            case 0:
                del here[key]
            case 1:
                here[key] = json.loads(json.dumps([here[key]] if chance.random() < 0.5 else chance.choice(holders)))
            case 2 if isinstance(here, dict):
                here[chance.choice(_KEYS)] = here.pop(key)
            case 3:
                for _ in range(chance.choice([3, 40, 90])):
                    here[key] = chance.choice([[here[key]], {"a": here[key]}, {"Fn::Base64": here[key]}])
            case _:
                here[key] = copy.deepcopy(chance.choice(NASTY))
        return


_KEYS = "Ref Fn::Sub Fn::If Type Properties name arn policy Resources Default Export Fn::ForEach::x on < .".split()


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_BITS) + data[at:]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    """A line, or several, twice: keys that stand twice, things of one name."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    end = at + chance.choice([1, 1, 2, 10])
    return b"\n".join([*lines[:end], *lines[at:end], *lines[end:]])


def _lose(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join([*lines[:at], *lines[at + chance.choice([1, 1, 3]) :]])


def _swap(data: bytes, chance: random.Random) -> bytes:
    """A word for another one of the file."""
    words = data.split()
    if len(words) < 2:
        return data
    one, other = chance.choice(words), chance.choice(words)
    return data.replace(one, other, chance.choice([1, 1, -1]))[:3_000_000]


_IN_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (_cut, _flip, _insert, _repeat, _lose, _swap)
_BITS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\t", b"\n", b"  ", b'"', b"{", b"[", b"]", b"}", b",", b": ", b"- ",
    b"!Ref ", b"!Sub ", b"!If [", b"!Nope ", b"&a ", b"*a ", b"<<: *a\n", b"? ", b"%YAML 9\n", b"---\n", b"...", b"# ",
    b"| \n", b"1e999", b"9" * 400, b"-0", b"\\ud800", b"'", b"@", b"`", b"!!python/object/apply:os.system ",
    b"!!binary x", b"\xf0\x9f\x98\x80",
)  # fmt: skip


@cache
def by_hand() -> Mapping[str, Callable[[], Files]]:
    """Files that were thought of, by what is nasty about them."""
    made = {name: made for name, made in globals().items() if name.startswith("nasty_")}
    return dict(sorted(made.items()))


def _template(resources: str, more: str = "") -> Files:
    return {"t.yaml": f"Resources:\n{resources}\n{more}".encode()}


GROUP = "  G: {Type: AWS::IAM::Group, Properties: {GroupName: %s}}"


def nasty_aliases_of_aliases() -> Files:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return _template(GROUP % "x", "Metadata:\n  " + "\n  ".join(rows))


def nasty_aliases_of_one_long_list() -> Files:
    return _template(GROUP % "x", "A: &a [" + "x, " * 40_000 + "x]\nB: [" + "*a, " * 20_000 + "*a]")


def nasty_an_alias_of_itself() -> Files:
    return _template(GROUP % "&a [*a]")


def nasty_deep_yaml_flow() -> Files:
    return _template(GROUP % ("[" * 200_000))


def nasty_deep_yaml_block() -> Files:
    return {"t.yaml": b"- " * 300_000}


def nasty_deep_json() -> Files:
    return {"t.json": b'{"Resources": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"}"}


def nasty_deep_state() -> Files:
    inner: Any = {"resources": []}
    for _ in range(300):
        inner = {"resources": [], "child_modules": [inner]}
    return {"s.json": json.dumps({"format_version": "1.0", "values": {"root_module": inner}}).encode()}


def nasty_exports_that_double() -> Files:
    rows = ["  O0: {Value: xxxxxxxxxx, Export: {Name: e0}}"]
    rows += [
        f"  O{n}: {{Value: !Join ['', [!ImportValue e{n - 1}, !ImportValue e{n - 1}]], Export: {{Name: e{n}}}}}"
        for n in range(1, 80)
    ]
    return _template(GROUP % "!ImportValue e79", "Outputs:\n" + "\n".join(rows))


def nasty_exports_in_a_circle() -> Files:
    rows = [f"  O{n}: {{Value: !ImportValue e{(n + 1) % 300}, Export: {{Name: e{n}}}}}" for n in range(300)]
    return _template(GROUP % "!ImportValue e0", "Outputs:\n" + "\n".join(rows))


def nasty_export_names_that_are_imports() -> Files:
    rows = [f"  O{n}: {{Value: x, Export: {{Name: !ImportValue e{n}}}}}" for n in range(300)]
    return _template(GROUP % "!ImportValue e0", "Outputs:\n" + "\n".join(rows))


def nasty_conditions_in_a_circle() -> Files:
    rows = [f"  C{n}: !And [!Condition C{(n + 1) % 90}, !Condition C{(n + 2) % 90}]" for n in range(90)]
    return _template(GROUP.replace("{Type", "{Condition: C0, Type") % "x", "Conditions:\n" + "\n".join(rows))


def nasty_conditions_that_double() -> Files:
    rows = [f"  C{n}: !Or [!Condition C{n + 1}, !Not [!Condition C{n + 1}]]" for n in range(90)]
    return _template(GROUP.replace("{Type", "{Condition: C0, Type") % "x", "Conditions:\n" + "\n".join(rows))


def nasty_names_that_lead_to_names() -> Files:
    rows = [f"  G{n}: {{Type: AWS::IAM::Group, Properties: {{GroupName: !Ref G{n + 1}}}}}" for n in range(3_000)]
    return _template("\n".join(rows))


def nasty_a_long_parameter_many_times() -> Files:
    uses = ", ".join(["!Ref P"] * 20_000)
    return _template(GROUP % f"!Join ['', [{uses}]]", f"Parameters: {{P: {{Type: String, Default: {'x' * 50_000}}}}}")


def nasty_a_long_list_many_times() -> Files:
    uses = ", ".join(["!Ref P"] * 20_000)
    listed = ",".join(["x"] * 20_000)
    return _template(
        f"  G: {{Type: AWS::IAM::Group, Properties: {{Policies: [{uses}]}}}}",
        f"Parameters: {{P: {{Type: CommaDelimitedList, Default: '{listed}'}}}}",
    )


def nasty_a_long_mapping_many_times() -> Files:
    uses = ", ".join(["!FindInMap [M, a, b]"] * 5_000)
    return _template(
        f"  G: {{Type: AWS::IAM::Group, Properties: {{Policies: [{uses}]}}}}",
        f"Mappings: {{M: {{a: {{b: [{', '.join(['x'] * 30_000)}]}}}}}}",
    )


def nasty_a_mapping_in_a_policy_many_times() -> Files:
    uses = ", ".join(["!FindInMap [M, a, b]"] * 5_000)
    properties = f"{{GroupName: g, PolicyName: p, PolicyDocument: {{Statement: [{{Action: [{uses}]}}]}}}}"
    return _template(
        f"  G: {{Type: AWS::IAM::GroupPolicy, Properties: {properties}}}",
        f"Mappings: {{M: {{a: {{b: {{{', '.join(f'k{n}: {n}' for n in range(10_000))}}}}}}}}}",
    )


def nasty_sub_with_many_signs() -> Files:
    return _template(GROUP % ("!Sub '" + "${" * 200_000 + "'"))


def nasty_a_huge_string() -> Files:
    return {
        "t.json": b'{"Resources": {"G": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "%s"}}}}'
        % (b"x" * 30_000_000)
    }


def nasty_many_resources() -> Files:
    rows = {f"G{n}": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": f"g{n}"}} for n in range(20_000)}
    return {"t.json": json.dumps({"Resources": rows}).encode()}


def nasty_a_stack_in_itself() -> Files:
    row = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "t.json"}}
    return {"t.json": json.dumps({"Resources": {f"S{n}": row for n in range(100)}}).encode()}


def nasty_stacks_that_multiply() -> Files:
    files = {}
    for level in range(6):
        row = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": f"t{level + 1}.json"}}
        files[f"t{level}.json"] = json.dumps({"Resources": {f"S{n}": row for n in range(50)}}).encode()
    return {**files, "t6.json": b'{"Resources": {}}'}


def nasty_an_assembly_in_itself() -> Files:
    row = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
    head = {"version": "55.0.0", "artifacts": {f"a{n}": row for n in range(100)}}
    return {"cdk.out/": b"", "cdk.out/manifest.json": json.dumps(head).encode()}


def nasty_numbers() -> Files:
    return _template(
        GROUP % "x", "Metadata: [" + ", ".join(["9" * 5_000, "1e99999", "-" + "9" * 30, "0x" + "f" * 5_000]) + "]"
    )


def nasty_a_number_in_json() -> Files:
    return {"t.json": b'{"Resources": {}, "Metadata": ' + b"9" * 100_000 + b"}"}


def nasty_flat_lists() -> Files:
    attributes = {f"x{n}.#": "1" for n in range(20_000)} | {"x.#." * 400 + "#": "1"}
    row = {"type": "aws_iam_user", "primary": {"attributes": {"name": "u", **attributes}}}
    head = {
        "version": 3,
        "terraform_version": "0.11",
        "modules": [{"path": ["root"], "resources": {"aws_iam_user.u": row}}],
    }
    return {"s.json": json.dumps(head).encode()}


def nasty_a_key_of_every_sign() -> Files:
    return _template(GROUP % "x", "".join(f"  '{chr(n)}': 1\n" for n in range(33, 1_000) if chr(n) not in "'\x85"))


def nasty_python() -> Files:
    return _template(GROUP % "!!python/object/apply:os.system ['touch /tmp/x']")


def nasty_a_big_text() -> Files:
    return {"t.yaml": b"a: b\n" * 1_000_000}


# Reading them ------------------------------------------------------------------------------------------------------


def read(path: Path) -> str:
    """How a file was taken: "read", or "said" with file and hint. Anything else raises."""
    outcomes = {_tried(path, way) for way in (_as_inventory, _as_managed)}
    return "read" if "read" in outcomes else "said"


def _tried(path: Path, way: Callable[[Path], object]) -> str:
    try:
        way(path)
    except BadInput as error:
        wrong = _wrong(error, path)
    else:
        return "read"
    assert not wrong, wrong
    return "said"


def _wrong(error: BadInput, path: Path) -> str:
    """What a person would miss in an error."""
    if not error.where.startswith(str(path.parent)):
        return f"no place: {error.where}: {error.message}"
    if not error.hint:
        return f"no hint: {error.message}"
    if SECRET in str(error):
        return "a secret in a message"
    return "an endless message" if len(str(error)) > 2_000 else ""


def _as_inventory(path: Path) -> None:
    snapshot = merged(read_all([path], HERE_KNOWN).sources).snapshot
    encoded = iam.encode(snapshot)
    assert iam.decode(encoded) == snapshot
    assert SECRET.encode() not in encoded


def _as_managed(path: Path) -> None:
    read_managed([path], HERE_KNOWN)


def run(first: int, count: int) -> Iterator[dict[str, Any]]:
    """Reads the files of these numbers, under the limits."""
    real()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as name:
        for number in range(first, first + count):
            folder = Path(name) / str(number)
            files = damaged(number)
            for file, data in files.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                if data or not file.endswith("/"):
                    (folder / file).write_bytes(data)
            faulthandler.dump_traceback_later(HANGS, exit=True)
            begun = time.process_time()
            outcome = read(folder / next(iter(files)))
            taken = time.process_time() - begun
            faulthandler.cancel_dump_traceback_later()
            assert taken < SECONDS, f"took {taken:.1f} s"
            shutil.rmtree(folder)
            yield {"number": number, "outcome": outcome, "seconds": round(taken, 3)}


if __name__ == "__main__":
    for told in run(*map(int, sys.argv[1:3])):
        print(json.dumps(told), flush=True)
    print(json.dumps({"peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), flush=True)
