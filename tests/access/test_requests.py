"""The strategies give what they promise: valid, varied, and often but not always different."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from secmigrate.iam import Document
from tests.access.brute import allowed, may_assume, read
from tests.access.brute_conditions import check_condition
from tests.access.requests import conditions, documents, pairs, requests_for, trusts
from tests.access.vocabulary import ARNS, CONDITIONS

EXAMPLES = settings(
    max_examples=300,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _shares(number: int) -> dict[str, float]:
    """Of three requests for each of so many pairs, how many are allowed, lost, gained, … as parts of one."""
    count: Counter[str] = Counter()

    @seed(3)
    @settings(EXAMPLES, max_examples=number)
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        before, after = data.draw(pairs())
        user = data.draw(st.sampled_from([before.users[name] for name in sorted(before.users)]))
        role = data.draw(st.sampled_from([before.roles[name] for name in sorted(before.roles)]))
        then, role_then = after.users[user.name], after.roles[role.name]
        count["boundary drawn"] += 3
        count["boundary true"] += 3 * bool(user.boundary or then.boundary)
        for _ in range(3):
            request = data.draw(requests_for(before, after, user))
            count["user *"] += request.resource == "*"
            _tally(count, "user", allowed(before, user, request), allowed(after, then, request))
            was = may_assume(before, user, role, request.context)
            _tally(count, "assume", was, may_assume(after, then, role_then, request.context))
            request = data.draw(requests_for(before, after, role))
            _tally(count, "role", allowed(before, role, request), allowed(after, role_then, request))

    collect()
    return {name: times / count["user drawn"] for name, times in count.items()}


def _tally(count: Counter[str], sort: str, was: bool, now: bool) -> None:
    count[f"{sort} drawn"] += 1
    count[f"{sort} before"] += was
    count[f"{sort} after"] += now
    count[f"{sort} lost"] += was and not now
    count[f"{sort} gained"] += now and not was


def test_many_requests_are_allowed_lost_and_gained_and_many_are_not() -> None:
    shares = _shares(60)
    for sort in ("user", "role", "assume"):
        assert 0.1 < shares[f"{sort} before"] < 0.7, shares
        assert 0.1 < shares[f"{sort} after"] < 0.7, shares
        assert 0.01 < shares[f"{sort} lost"] < 0.3, shares
        assert 0.01 < shares[f"{sort} gained"] < 0.3, shares
    assert 0.03 < shares["user *"] < 0.3, shares
    assert 0.1 < shares["boundary true"] < 0.8, shares


def test_documents_are_valid_and_have_every_trouble() -> None:
    seen: Counter[str] = Counter()

    @seed(5)
    @settings(EXAMPLES, max_examples=500)
    @given(documents())
    def collect(document: Document) -> None:
        read(document)
        for body in document.statements:
            seen.update(_troubles(body))

    collect()
    rare = {name: seen[name] for name in TROUBLES if seen[name] < 10}
    assert not rare


TROUBLES = (
    *("Allow", "Deny", "Action", "NotAction", "Resource", "NotResource", "Condition", "variable", "one text"),
    *("wildcard inside", "wildcard at an end", "question mark", "key in another case", "a list of one"),
    *("ARN", "JSON boolean", "JSON number", "two conditions", "double value"),
)


def _troubles(body: dict[str, Any]) -> set[str]:
    """By name, what of the promised a statement has in it."""
    value = body["Resource"] if "Resource" in body else body["NotResource"]
    patterns = [value] if isinstance(value, str) else value
    found = {body["Effect"], *body, "one text" if isinstance(value, str) else ""}
    for pattern in patterns:
        assert pattern == "*" or pattern.count(":") >= 5, pattern  # whatever became a wildcard, it is still an ARN
        found |= {"ARN"} if pattern in ARNS else set()
        found |= {"variable"} if "${" in pattern else set()
        found |= {"question mark"} if "?" in pattern else set()
        for segment in pattern.split(":"):
            found |= {"wildcard at an end"} if segment.endswith("*") and pattern != "*" else set()
            found |= {"wildcard inside"} if "*" in segment[:-1] else set()
    written = [
        (operator, key, values) for operator, keys in body.get("Condition", {}).items() for key, values in keys.items()
    ]
    found |= {"two conditions"} if len(written) > 1 else set()
    for _, key, values in written:
        found |= {"key in another case"} if key == key.upper() else set()
        listed = values if isinstance(values, list) else [values]
        found |= {"a list of one"} if values == listed and len(listed) == 1 else set()
        found |= {"double value"} if len(listed) > len(set(map(str, listed))) else set()
        found |= {{bool: "JSON boolean", int: "JSON number"}.get(type(one), "") for one in listed}
    return found


def test_every_condition_of_the_vocabulary_is_drawn() -> None:
    drawn: set[tuple[str, str]] = set()

    @seed(7)
    @settings(EXAMPLES, max_examples=500)
    @given(conditions())
    def collect(condition: dict[str, Any]) -> None:
        check_condition(condition, True)
        drawn.update((operator, key.lower()) for operator, keys in condition.items() for key in keys)

    collect()
    assert drawn == {(operator, key.lower()) for operator, key, _ in CONDITIONS}


@EXAMPLES
@given(trusts(not_principal=True))
def test_trusts_are_valid(document: Document) -> None:
    assert read(document, trust=True)  # or it raises


@settings(EXAMPLES, max_examples=20)
@given(pairs())
def test_a_pair_is_one_account_with_the_same_people(pair: Any) -> None:
    before, after = pair
    assert set(before.users) == set(after.users)
    assert set(before.roles) == set(after.roles)
    for snapshot in pair:
        for policy in snapshot.policies.values():
            read(policy.document)
        for one in snapshot.principals():
            assert set(one.attached) <= set(snapshot.policies)
            assert set(getattr(one, "groups", ())) <= set(snapshot.groups)
            assert getattr(one, "boundary", "") in {"", *snapshot.policies}
