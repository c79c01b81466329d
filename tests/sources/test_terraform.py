"""Terraform's states and what `terraform show -json` prints: one account in four forms, and none of their secrets."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import iam
from secmigrate.documents import read_snapshot, write_snapshot
from secmigrate.errors import BadInput
from secmigrate.iam import Document, Group, InstanceProfile, Policy, Role, Snapshot, User
from secmigrate.sources.saved import read_saved
from secmigrate.sources.states import resources, unflattened
from tests.small import ACCOUNT, READ_ONLY, allow, trust

ARN = f"arn:aws:iam::{ACCOUNT}"
CASES = Path(__file__).parent / "terraform"
SECRET = "not-for-anybody-to-see"
RESOURCES: tuple[tuple[str, str, object, str, dict[str, Any]], ...] = (
    # module, type, index, name, attributes
    ("", "aws_iam_user", "ana", "people", {"name": "ana", "path": "/people/", "arn": f"{ARN}:user/people/ana",
        "tags": {"team": "data"}, "tags_all": {"team": "data", "by": "terraform"}, "unique_id": "AIDAAAAAAAAAAAAAAAAAA",
        "permissions_boundary": f"{ARN}:policy/edge"}),
    ("", "aws_iam_user", "bo", "people", {"name": "bo", "path": "/", "permissions_boundary": ""}),
    ("module.team[\"a\"]", "aws_iam_group", 0, "devs",
        {"name": "devs", "path": "/", "unique_id": "AGPAAAAAAAAAAAAAAAAAA"}),
    ("", "aws_iam_group", None, "ops", {"name": "ops", "path": "/x/"}),
    ("", "aws_iam_group_policy", None, "devs", {"group": "devs", "name": "inline", "policy": allow("s3:*").text}),
    ("", "aws_iam_group_policy_attachment", None, "devs", {"group": "devs", "policy_arn": f"{ARN}:policy/shared/edge"}),
    ("", "aws_iam_group_membership", None, "devs", {"name": "devs", "group": "devs", "users": ["ana", "zoe"]}),
    ("", "aws_iam_user_group_membership", None, "ana", {"user": "ana", "groups": ["ops"]}),
    ("", "aws_iam_policy_attachment", None, "all", {"name": "all", "policy_arn": READ_ONLY, "users": ["bo"],
        "groups": ["ops"], "roles": ["runner"]}),
    ("", "aws_iam_policy", None, "edge", {"name": "edge", "path": "/shared/", "arn": f"{ARN}:policy/shared/edge",
        "description": "as far as it goes", "policy": allow("s3:Get*").text, "policy_id": "ANPAAAAAAAAAAAAAAAAAA"}),
    ("", "aws_iam_role", None, "runner", {"name": "runner", "path": "/", "assume_role_policy": trust().text,
        "description": "runs", "max_session_duration": 7200,
        "inline_policy": [{"name": "own", "policy": allow("sqs:*").text}],
        "managed_policy_arns": [READ_ONLY], "create_date": "2024-01-02T03:04:05Z",
        "unique_id": "AROAAAAAAAAAAAAAAAAAA"}),
    ("", "aws_iam_role_policy", None, "more", {"role": "runner", "name": "more", "policy": allow("sns:*").text}),
    ("", "aws_iam_user_policy", None, "bo", {"user": "bo", "name": "own", "policy": allow("iam:Get*").text}),
    ("", "aws_iam_instance_profile", None, "box", {"name": "box", "path": "/", "role": "runner"}),
    ("", "aws_iam_access_key", None, "ana",
        {"user": "ana", "id": "an-id", "secret": SECRET, "ses_smtp_password_v4": SECRET}),
    ("", "aws_iam_user_login_profile", None, "ana", {"user": "ana", "password": SECRET}),
    ("", "aws_iam_service_linked_role", None, "ecs", {"name": "AWSServiceRoleForECS"}),
    ("", "aws_s3_bucket", None, "b", {"bucket": SECRET}),
)  # fmt: skip
EXPECTED = (
    Snapshot(account=ACCOUNT)
    .put(User(name="ana", path="/people/", groups=("devs", "ops"), boundary=f"{ARN}:policy/edge",
              tags={"team": "data", "by": "terraform"}))
    .put(User(name="bo", attached=(READ_ONLY,), inline={"own": allow("iam:Get*")}))
    .put(User(name="zoe", groups=("devs",)))
    .put(Group(name="devs", inline={"inline": allow("s3:*")}, attached=(f"{ARN}:policy/shared/edge",)))
    .put(Group(name="ops", path="/x/", attached=(READ_ONLY,)))
    .put(Role(name="runner", trust=trust(), description="runs", max_session=7200, attached=(READ_ONLY,),
              inline={"own": allow("sqs:*"), "more": allow("sns:*")}))
    .put(Policy(arn=f"{ARN}:policy/shared/edge", document=allow("s3:Get*"), description="as far as it goes"))
    .put(InstanceProfile(name="box", roles=("runner",)))
)  # fmt: skip


def version_4() -> dict[str, Any]:
    """A block for each resource, its instances in it; a data source and a deposed instance that do not count."""
    blocks: dict[tuple[str, str, str], dict[str, Any]] = {}
    for module, kind, index, name, values in RESOURCES:
        block = blocks.setdefault(
            (module, kind, name), {"mode": "managed", "type": kind, "name": name, "instances": []}
        )
        if module:
            block["module"] = module
        block["instances"].append({"attributes": values} | ({} if index is None else {"index_key": index}))
    others = [
        {"mode": "data", "type": "aws_iam_group", "name": "theirs", "instances": [{"attributes": {"name": "no"}}]}
    ]
    old = {"deposed": "1f2e3d4c", "attributes": {"name": "gone"}}
    others.append({"mode": "managed", "type": "aws_iam_group", "name": "old", "instances": [old]})
    return {"version": 4, "terraform_version": "1.9.0", "serial": 3, "resources": [*blocks.values(), *others]}


def version_3() -> dict[str, Any]:
    modules: dict[str, dict[str, Any]] = {"": {}, "team": {}}
    for module, kind, index, name, values in RESOURCES:
        key = f"{kind}.{name}" + (f".{index}" if isinstance(index, int) else f"-{index}" if index else "")
        modules["team" if module else ""][key] = {
            "type": kind,
            "primary": {"id": "x", "attributes": dict(flat(values))},
        }
    modules[""]["data.aws_iam_group.theirs"] = {"type": "aws_iam_group", "primary": {"attributes": {"name": "no"}}}
    rows = [{"path": ["root", *([name] if name else [])], "resources": found} for name, found in modules.items()]
    return {"version": 3, "terraform_version": "0.11.14", "modules": rows}


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield f"{prefix}{key}.%", str(len(value))
            yield from ((f"{prefix}{key}.{name}", text) for name, text in value.items())
        elif isinstance(value, list):
            yield f"{prefix}{key}.#", str(len(value))
            for n, one in enumerate(value):
                row = one if isinstance(one, dict) else {"": one}
                yield from ((name.rstrip("."), text) for name, text in flat(row, f"{prefix}{key}.{1000 + n}."))
        else:
            yield f"{prefix}{key}", str(value)


def shown(key: str) -> dict[str, Any]:
    root: dict[str, Any] = {"resources": [], "child_modules": [{"address": "module.team", "resources": []}]}
    for module, kind, _, name, values in RESOURCES:
        room = root["child_modules"][0] if module else root
        room["resources"].append({"address": f"{kind}.{name}", "mode": "managed", "type": kind, "values": values})
    root["resources"].append({"address": "data.aws_iam_group.x", "mode": "data", "type": "aws_iam_group", "values": {}})
    return {"format_version": "1.0", key: {"root_module": root}}


FORMS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "version 4": version_4,
    "version 3": version_3,
    "show -json of a state": lambda: shown("values"),
    "show -json of a plan": lambda: shown("planned_values"),
}
each_form = pytest.mark.parametrize("form", FORMS)


def read(folder: Path, head: object) -> Snapshot:
    path = folder / "terraform.tfstate"
    path.write_text(head if isinstance(head, str) else json.dumps(head))
    return read_saved(path)


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_state_is_read_as_expected(tmp_path: Path, case: str) -> None:
    found = read_saved(CASES / case / "input.json")
    expected = CASES / case / "expected.json"
    assert found == read_snapshot(expected)
    bare = structs.replace(found, policies=found.own_policies)  # AWS's are those of the catalogue
    assert write_snapshot(tmp_path / "found.json", bare).read_bytes() == expected.read_bytes()


@each_form
def test_every_form_says_the_same(form: str, tmp_path: Path) -> None:
    found = read(tmp_path, FORMS[form]())
    assert found == structs.replace(EXPECTED, incomplete=found.incomplete)
    gaps = {gap.what for gap in found.incomplete}
    assert {"user zoe", "what Terraform does not manage"} <= gaps
    assert any("service_linked_role" in gap for gap in gaps)
    assert SECRET not in iam.encode(found).decode()


def test_what_only_iam_knows_is_taken_where_it_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, version_4())
    assert found.roles["runner"].seen.created == "2024-01-02T03:04:05Z"
    assert found.users["ana"].seen.id == "AIDAAAAAAAAAAAAAAAAAA"
    assert (found.groups["devs"].seen.id, found.policies[f"{ARN}:policy/shared/edge"].seen.id[:4]) == (
        "AGPAAAAAAAAAAAAAAAAAA",
        "ANPA",
    )


def test_addresses_are_as_terraform_writes_them() -> None:
    told = {one.address for one in resources(version_4())}
    assert {'module.team["a"].aws_iam_group.devs[0]', 'aws_iam_user.people["ana"]', "aws_iam_group.ops"} <= told
    assert not any("theirs" in address or "old" in address for address in told)
    odd = version_4()
    odd["resources"][0]["instances"][0]["index_key"] = 'a"b\\'
    assert 'aws_iam_user.people["a\\"b\\\\"]' in {one.address for one in resources(odd)}
    assert "module.team.aws_iam_group.devs[0]" in {one.address for one in resources(version_3())}


def test_lists_of_objects_in_version_3() -> None:
    assert unflattened(
        {"a": "1", "l.#": "2", "l.7.name": "x", "l.8.name": "y", "m.%": "1", "m.k.k": "v", "e.#": "0"}
    ) == {
        "a": "1",
        "l": [{"name": "x"}, {"name": "y"}],
        "m": {"k.k": "v"},
        "e": [],
    }


def test_documents_that_are_none_are_said(tmp_path: Path) -> None:
    head = version_4()
    head["resources"][0]["instances"][0]["attributes"]["name"] = "no such / name"
    with pytest.raises(BadInput):
        read(tmp_path, head)
    with pytest.raises(BadInput, match="version 2"):
        read(tmp_path, {"version": 2, "terraform_version": "0.6", "resources": []})
    with pytest.raises(BadInput, match="names the account"):
        read(tmp_path, {"version": 4, "terraform_version": "1.9", "resources": []})
    assert Document.parse("{}").statements == []


@each_form
@pytest.mark.parametrize("seed", range(25))
def test_what_is_damaged_is_an_error_with_its_place_or_a_reading(form: str, seed: int, tmp_path: Path) -> None:
    """Values of other types anywhere, parts missing, text cut off: never a traceback."""
    chance = random.Random(seed)
    head = deepcopy(FORMS[form]())  # its values are those of all tests
    for _ in range(chance.randrange(1, 4)):
        _damage(head, chance)
    text = json.dumps(head)
    if seed % 5 == 0:
        text = text[: chance.randrange(len(text))]
    where = ""
    try:
        assert SECRET not in iam.encode(read(tmp_path, text)).decode()
    except BadInput as error:
        where = error.where
    assert where == "" or where.startswith(f"{tmp_path}/terraform.tfstate:")


def _damage(head: Any, chance: random.Random) -> None:
    """Changes one value somewhere in it."""
    while True:
        keys = list(head) if isinstance(head, dict) else list(range(len(head)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(head[key], dict | list) and chance.random() < 0.9:
            head = head[key]
            continue
        head[key] = chance.choice([None, 7, 1e400, "x", [], {}, [[]], {"a": None}, True, "\ud800", -1])
        return
