"""The comparison against the evaluator of single requests: they must agree on every one.

`make test` compares well over 2,000 requests, `make stress` well over 100,000 (the hypothesis profile `nightly`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice, product

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from msgspec import structs

from secmigrate import documents
from secmigrate.access import Change, Comparison, Row
from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.comparing import Comparer
from secmigrate.access.effective import Sides
from secmigrate.access.patterns import arn_format, example, matches, widened
from secmigrate.iam import Principal, Role, Snapshot, User
from tests.access.brute import Request, allowed, may_assume
from tests.access.requests import contexts, documents_of, pairs, requests_for
from tests.access.vocabulary import ACTIONS

FOUND = documents.aws_actions()
FEW = [one for one in FOUND.actions if one.name in ACTIONS]
WITH_FORMATS = ActionCatalogue(FOUND.source, FOUND.date, FEW)
# Every text is a resource of every action: what the patterns say is then all that counts.
WITHOUT_FORMATS = ActionCatalogue(
    FOUND.source, FOUND.date, [structs.replace(one, formats=(), anywhere=False) for one in FEW]
)
# An account costs more than a request: fewer of them, and several requests of each.
slow = settings(
    max_examples=max(1, settings().max_examples * 2 // 5),
    suppress_health_check=list(HealthCheck),
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def _fixed(snapshot: Snapshot, one: Principal, context: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The context with what the principal itself decides."""
    known = {key.lower(): values for key, values in context.items()}
    if isinstance(one, User):
        known = {key: values for key, values in known.items() if not key.startswith("aws:principaltag/")}
        known |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in one.tags.items()}
    known.pop("aws:username", None)
    known["aws:principalarn"] = (snapshot.arn(one),)
    known["aws:principalaccount"] = (snapshot.account,)
    known["aws:principaltype"] = ("User" if isinstance(one, User) else "AssumedRole",)
    return known


def _rows(rows: tuple[Row, ...], catalogue: ActionCatalogue, request: Request) -> list[Row]:
    bits = _bits(catalogue, request.action)
    return [row for row in rows if row.actions & bits and matches(widened(row.extent.region.pattern), request.resource)]


def _bits(catalogue: ActionCatalogue, name: str) -> int:
    """The action; of one in no catalogue, the globs of policies that hold it."""
    globs = [one for one in catalogue.actions if not one.known and fnmatchcase(name.lower(), one.name.lower())]
    return catalogue.bits(name) or sum(catalogue.bits(one.name) for one in globs)


def _is_asked(catalogue: ActionCatalogue, request: Request) -> bool:
    """Whether AWS can ask for this action on this resource, by the catalogue's formats."""
    found = list(catalogue.named(_bits(catalogue, request.action)))
    if not found:
        return False  # in no catalogue, and no policy but by a star speaks of it
    action = found[0]
    if action.anywhere:
        return request.resource == "*"
    return not action.formats or any(matches(arn_format(one, "aws"), request.resource) for one in action.formats)


def _compared(data: st.DataObject, plain: ActionCatalogue) -> int:
    """Compares one account's two states by requests; how many."""
    before, after = data.draw(pairs(), label="accounts")
    comparison = Comparison(before, after, plain)
    asked = 0
    for one in [*before.users.values(), *before.roles.values()]:
        other = after.principal(one.kind, one.name)
        assert other is not None
        change = comparison.change(one, other)
        _examples_show_it(comparison, change, (one, other))
        drawn = [data.draw(requests_for(before, after, one), label="request") for _ in range(2)]
        asked += sum(
            _nothing_is_missing(request, comparison, change, (one, other))
            for request in _mixed(drawn, comparison, change)
        )
    return asked


def _mixed(drawn: Sequence[Request], comparison: Comparison, change: Change) -> Iterator[Request]:
    """Each action with each resource in each context; also with no resource, and with some near its policies."""
    for action in sorted({one.action for one in drawn}):
        near = islice(_near(comparison, change, _bits(comparison.catalogue, action)), 6)
        resources = filter(_is_possible, sorted({"*", *near, *(one.resource for one in drawn)}))
        for resource, one in product(resources, drawn):
            yield Request(action, resource, one.context)


def _is_possible(resource: str) -> bool:
    """No resource has an account number between colons in its own name (docs/decisions/0011)."""
    own = resource.split(":", 5)[5:]
    return not own or re.search(r":[0-9]{12}:", f":{own[0]}") is None


def _near(comparison: Comparison, change: Change, bits: int) -> Iterator[str]:
    """Resources that the actions take: examples of what changes, and of what is allowed."""
    rows = (*change.lost, *change.may_lose, *change.gained, *change.may_gain)
    yield from islice(
        (row.example for row in rows if row.actions & bits and row.example and "${" not in row.example), 3
    )
    for snapshot, name in ((comparison.before, change.name), (comparison.after, change.becomes)):
        one = snapshot.principal(change.kind, name)
        side = comparison.nothing if one is None else comparison.sides.of(snapshot, one)
        patterns = [widened(extent.region.pattern) for extent, mask in side.allows.items() if mask & bits]
        forms = [arn_format(form, "aws") for action in comparison.catalogue.named(bits) for form in action.formats]
        yield from filter(None, (example(pair, ()) for pair in product(patterns, forms)))


def _examples_show_it(comparison: Comparison, change: Change, ones: tuple[Principal, Principal]) -> None:
    """What is said for certain is so: allowed on one side, not on the other."""
    sides = (comparison.before, ones[0]), (comparison.after, ones[1])
    for rows, (here, there) in ((change.lost, sides), (change.gained, sides[::-1])):
        for row in rows[:20]:
            context = {key: (value,) for key, value in row.context if value is not None}
            for action in list(comparison.catalogue.named(row.actions))[:2]:
                if "*" in action.name:
                    continue
                request = [Request(action.name, row.example, _fixed(*side, context)) for side in (here, there)]
                assert allowed(*here, request[0]), f"was not allowed: {request[0]} by {row.extent}: {_texts(*here)}"
                assert not allowed(*there, request[1]), f"is allowed still: {request[1]}: {_texts(*there)}"


def _texts(snapshot: Snapshot, one: Principal) -> list[str]:
    return [document.text for document in documents_of(snapshot, one)]


def _nothing_is_missing(
    drawn: Request, comparison: Comparison, change: Change, ones: tuple[Principal, Principal]
) -> bool:
    """What differs for one request is among what is told. False if AWS cannot be asked for it."""
    if "*" in drawn.action or not _is_asked(comparison.catalogue, drawn):
        return False
    was, now = (
        allowed(snapshot, one, structs_replace(drawn, _fixed(snapshot, one, drawn.context)))
        for snapshot, one in ((comparison.before, ones[0]), (comparison.after, ones[1]))
    )
    if was and not now:
        assert _rows(change.lost + change.may_lose, comparison.catalogue, drawn), f"silently lost: {drawn}"
    if now and not was:
        assert _rows(change.gained + change.may_gain, comparison.catalogue, drawn), f"silently gained: {drawn}"
    return True


def structs_replace(request: Request, context: dict[str, tuple[str, ...]]) -> Request:
    return Request(request.action, request.resource, context)


def _compared_accounts(plain: ActionCatalogue) -> int:
    """As many accounts as the profile says; how many requests were compared."""
    asked = 0

    @slow
    @given(st.data())
    def each(data: st.DataObject) -> None:
        nonlocal asked
        asked += _compared(data, plain)

    each()
    return asked


def test_patterns_and_conditions() -> None:
    assert _compared_accounts(WITHOUT_FORMATS) > 30 * slow.max_examples


def test_resources_that_aws_knows() -> None:
    assert _compared_accounts(WITH_FORMATS) > 5 * slow.max_examples


@slow
@given(st.data())
def test_who_may_assume_what(data: st.DataObject) -> None:
    before, after = data.draw(pairs())
    comparison = Comparison(before, after, WITHOUT_FORMATS)
    for user in before.users.values():
        reached = comparison.user(user.name).roles
        context = data.draw(contexts())
        for role in before.roles.values():
            was, now = (
                may_assume(
                    snapshot, snapshot.users[user.name], _role(snapshot, role.name), _fixed(snapshot, user, context)
                )
                for snapshot in (before, after)
            )
            if was and not now:
                assert role.name in reached.lost + reached.unsure
            if now and not was:
                assert role.name in reached.gained + reached.unsure + reached.wider


@slow
@given(st.data())
def test_who_plainly_lost_nothing_may_do_all_that_she_could(data: st.DataObject) -> None:
    before, after = data.draw(pairs())
    sides = Sides(WITHOUT_FORMATS, (before, after))
    for user, other in ((user, after.users[name]) for name, user in before.users.items()):
        joined = structs.replace(
            user,
            groups=tuple(data.draw(st.sets(st.sampled_from(sorted({*user.groups, *before.groups, "gone"}))))),
            inline={**other.inline, **user.inline},
            boundary=data.draw(st.sampled_from((user.boundary, other.boundary))),
        )
        plain = sides.of(before, user).plainly_within(sides.of(before, joined))
        event(f"plainly nothing lost: {plain}")
        for drawn in [data.draw(requests_for(before, after, user)) for _ in range(8)] if plain else ():
            request = structs_replace(drawn, _fixed(before, user, drawn.context))
            assert not allowed(before, user, request) or allowed(before, joined, request), f"silently lost: {request}"


@slow
@given(pairs())
def test_whether_something_is_lost_is_answered_as_what_is_lost(moments: tuple[Snapshot, Snapshot]) -> None:
    before, after = moments
    sides = Sides(WITH_FORMATS, moments)
    for user in before.users.values():
        old, new = sides.of(before, user), sides.of(after, after.users[user.name])
        for one, other in ((old, new), (new, old)):
            assert Comparer(sides).lacks(one, other) == bool(Comparer(sides).lacking(one, other))


def _role(snapshot: Snapshot, name: str) -> Role:
    return snapshot.roles[name]
