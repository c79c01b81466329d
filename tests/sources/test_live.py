"""The account through its API: at the minimum of calls, whole, and never an empty list where something was not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil
from pathlib import Path

import pytest
from botocore.config import Config

from secmigrate import aws, documents
from secmigrate.aws import Aws
from secmigrate.errors import AwsSilent, Failed
from secmigrate.iam import Group, InstanceProfile, Policy, Role, Seen, Snapshot, User, keyed
from secmigrate.sources.live import read_live
from secmigrate.twin import Fault, Faults, Twin
from tests import small
from tests.small import ACCOUNT, READ_ONLY, allow, trust

KNOWN = documents.aws_managed()


def many(users: int, groups: int, roles: int, policies: int, profiles: int, tagged: int) -> Snapshot:
    """An account of so many; `tagged` of the policies and then of the instance profiles carry a tag."""
    tags = [{"a": "b"} if n < tagged else {} for n in range(policies + profiles)]
    arns = [f"arn:aws:iam::{ACCOUNT}:policy/p{n}" for n in range(policies)]
    return Snapshot(
        account=ACCOUNT,
        users=keyed(User(name=f"u{n}", groups=(f"g{n % groups}",) if groups else ()) for n in range(users)),
        groups=keyed(Group(name=f"g{n}") for n in range(groups)),
        roles=keyed(Role(name=f"r{n}", trust=trust(), description=f"role {n}") for n in range(roles)),
        policies=keyed(
            Policy(arn=arn, document=allow("s3:*"), version=Seen(id="v1"), tags=tags[n]) for n, arn in enumerate(arns)
        ),
        instance_profiles=keyed(InstanceProfile(name=f"i{n}", tags=tags[policies + n]) for n in range(profiles)),
    )


def pages(rows: int, size: int) -> int:
    """How many pages a list has; an empty one has one."""
    return max(1, ceil(rows / size))


def minimum(snapshot: Snapshot, page_size: int | None = None) -> Mapping[str, int]:
    """The calls of one inventory, by hand: the formula of the file's docstring."""
    size, tag_size = page_size or 1000, page_size or 100
    tags = [one.tags for one in snapshot.own_policies.values()]
    tags += [one.tags for one in snapshot.instance_profiles.values()]
    details = len(snapshot.users) + len(snapshot.groups) + len(snapshot.roles) + len(snapshot.own_policies)
    attached = {arn for one in snapshot.principals() for arn in one.attached if ":aws:policy" in arn}
    boundaries = {one.boundary for one in snapshot.roles.values()} | {one.boundary for one in snapshot.users.values()}
    by_aws = {arn for arn in snapshot.policies if ":aws:policy" in arn}
    only_boundaries = boundaries & by_aws - attached
    calls = {
        "GetCallerIdentity": 1,
        "GetAccountAuthorizationDetails": pages(details, size),
        "ListRoles": pages(len(snapshot.roles), size),
        "ListInstanceProfiles": pages(len(snapshot.instance_profiles), size),
        "GetResources": pages(sum(map(bool, tags)), tag_size),
        "ListPolicies": (pages(len(attached), size) if attached else 0)
        + (pages(len(boundaries & by_aws), size) if only_boundaries else 0),
    }
    return {method: n for method, n in calls.items() if n}


@pytest.mark.parametrize(
    "snapshot",
    [
        many(0, 0, 0, 0, 0, 0),
        many(3, 2, 4, 5, 1, 6),
        many(400, 100, 400, 100, 0, 100),  # exactly one page of everything
        many(400, 100, 400, 101, 0, 101),  # one more
        many(0, 0, 1000, 0, 1000, 0),
        many(0, 0, 1001, 0, 1001, 201),
        many(2500, 10, 0, 0, 0, 0),
    ],
    ids=lambda snapshot: f"{sum(1 for _ in snapshot.entities())} things",
)
def test_an_inventory_costs_the_minimum_of_calls(snapshot: Snapshot) -> None:
    with Twin(snapshot) as twin:
        assert read_live(Aws(endpoint=twin.url), KNOWN) == snapshot
        assert Counter(twin.calls) == minimum(snapshot)


@pytest.mark.parametrize("page_size", [1, 7, None])
def test_short_pages_are_all_read(page_size: int | None) -> None:
    for snapshot in (many(5, 3, 8, 9, 7, 14), small.account()):
        with Twin(snapshot, aws_managed=KNOWN, page_size=page_size) as twin:
            assert read_live(Aws(endpoint=twin.url), KNOWN) == snapshot
            assert Counter(twin.calls) == {**minimum(snapshot, page_size), **_own_version(snapshot)}


def _own_version(snapshot: Snapshot) -> Mapping[str, int]:
    """The small account's ReadOnlyAccess is at v1, the catalogue's is not."""
    return {"GetPolicyVersion": 1} if READ_ONLY in snapshot.policies else {}


def test_the_example_account_reads_back_as_it_is(example: Snapshot) -> None:
    with Twin(example, aws_managed=KNOWN) as twin:
        found = read_live(Aws(endpoint=twin.url), KNOWN)
        assert found == example
        assert found.fingerprint == example.fingerprint
        assert found.policies.keys() == example.policies.keys()
        assert {arn: one.document for arn, one in found.policies.items() if one.is_aws} == {
            arn: one.document for arn, one in example.policies.items() if one.is_aws
        }
        assert "GetPolicyVersion" not in twin.calls


@pytest.fixture
def example() -> Snapshot:
    """The example account, with AWS's own policies as the shipped catalogue has them."""
    found = documents.read_snapshot(Path(str(documents.example("manual-account/inventory.json"))))
    for arn in found.policies.keys() & KNOWN.keys():
        found = found.put(KNOWN[arn])
    return found


@pytest.mark.parametrize("version", ["v999", "v1"])
def test_a_policy_of_aws_that_the_catalogue_does_not_have_is_read_once(version: str) -> None:
    newer = Policy(arn=READ_ONLY, document=allow("new:Thing"), version=Seen(id=version))
    snapshot = small.account().put(newer)
    with Twin(snapshot, aws_managed=KNOWN) as twin:
        found = read_live(Aws(endpoint=twin.url), KNOWN)
        assert Counter(twin.calls)["GetPolicyVersion"] == 1
    assert found.policies[READ_ONLY].document == allow("new:Thing")
    assert found.policies[READ_ONLY].version.id == version
    assert not found.incomplete


def test_boundaries_that_nobody_has_attached_cost_one_call_together() -> None:
    snapshot = Snapshot(account=ACCOUNT)
    for number, arn in enumerate(sorted(KNOWN)[:5]):
        snapshot = snapshot.put(User(name=f"u{number}", boundary=arn)).put(KNOWN[arn])
    with Twin(snapshot, aws_managed=KNOWN) as twin:
        found = read_live(Aws(endpoint=twin.url), KNOWN)
        assert Counter(twin.calls) == minimum(snapshot)
        assert twin.calls.count("ListPolicies") == 1
    assert {arn: one.document for arn, one in found.policies.items()} == {
        arn: KNOWN[arn].document for arn in snapshot.policies
    }


# The call that fails on its second page, the gap that tells so, and what else is then not known for certain.
FAILING = {
    "GetAccountAuthorizationDetails": "iam:GetAccountAuthorizationDetails",
    "ListRoles": "iam:ListRoles",
    "ListInstanceProfiles": "iam:ListInstanceProfiles",
    "GetResources": "tag:GetResources",
    "ListPolicies": "iam:ListPolicies",
}


def full() -> Snapshot:
    """An account of which no list fits on a page of one."""
    other = "arn:aws:iam::aws:policy/job-function/Billing"
    found = many(3, 2, 3, 3, 3, 4).put(Group(name="g0", attached=(READ_ONLY, other)))
    return found.put(KNOWN[READ_ONLY]).put(KNOWN[other])


@pytest.mark.parametrize("method", FAILING)
@pytest.mark.parametrize("after", [0, 1])
def test_a_failure_half_way_is_a_gap_that_names_the_call(method: str, after: int) -> None:
    faults = Faults(faults=(Fault(match=method, kind="deny", after=after),))
    with Twin(full(), page_size=1, faults=faults) as twin:
        found = read_live(Aws(endpoint=twin.url), KNOWN)
    (gap,) = [gap for gap in found.incomplete if gap.what == FAILING[method]]
    assert "AccessDenied" in gap.why
    assert found != full()
    _only_what_was_not_read_lacks(found, method)


def _only_what_was_not_read_lacks(found: Snapshot, method: str) -> None:
    whole = full()
    lacks = {
        "GetAccountAuthorizationDetails": found.users.keys() < whole.users.keys(),
        "ListRoles": any(gap.what == "role r2" for gap in found.incomplete),
        "ListInstanceProfiles": found.instance_profiles.keys() < whole.instance_profiles.keys(),
        "GetResources": not all(one.tags == whole.policies[arn].tags for arn, one in found.own_policies.items()),
        "ListPolicies": found.policies.keys() < whole.policies.keys(),
    }
    if method == "GetAccountAuthorizationDetails":  # nothing in it, nothing of AWS's own used
        assert lacks[method]
    else:
        assert [name for name, lacking in lacks.items() if lacking] == [method]


@pytest.mark.parametrize("kind", ["throttle", "drop-before", "drop-after", "error"])
def test_so_is_one_for_which_there_is_no_answer(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(aws, "_CONFIG", Config(retries={"mode": "standard", "total_max_attempts": 2}))
    faults = Faults(faults=(Fault(match="ListRoles", kind=kind, after=1),))  # type: ignore[arg-type]  # one of them
    with Twin(full(), page_size=1, faults=faults) as twin:
        found = read_live(Aws(endpoint=twin.url), KNOWN)
        assert Counter(twin.calls)["ListRoles"] == 3  # page 1, page 2 tried twice
    assert [gap.what for gap in found.incomplete] == ["iam:ListRoles", "role r1", "role r2"]
    assert found.roles.keys() == full().roles.keys()


def test_what_passes_is_tried_again_and_leaves_no_gap() -> None:
    faults = Faults(
        faults=(
            Fault(match="ListRoles", kind="throttle", after=1, times=1),
            Fault(match="GetResources", kind="drop-before", times=1),
        )
    )
    with Twin(full(), page_size=2, faults=faults) as twin:
        assert read_live(Aws(endpoint=twin.url), KNOWN) == full()


def test_without_an_account_there_is_no_snapshot() -> None:
    faults = Faults(faults=(Fault(match="GetCallerIdentity", kind="deny"),))
    with Twin(full(), faults=faults) as twin, pytest.raises(Failed, match="AccessDenied") as caught:
        read_live(Aws(endpoint=twin.url), KNOWN)
    assert caught.value.where == "sts:GetCallerIdentity"
    assert caught.value.hint


def test_a_wrong_address_is_told_at_once_and_a_lost_connection_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with pytest.raises(AwsSilent, match="Could not connect") as caught:
        Aws(endpoint="http://127.0.0.1:1").identity()
    assert pauses == []
    assert "--endpoint-url" in caught.value.hint
    twin = Twin(full()).start()
    client = Aws(endpoint=twin.url)
    client.identity()
    twin.stop()
    with pytest.raises(AwsSilent):
        client.identity()
    assert len(pauses) >= 7  # eight attempts
