"""Hypothesis strategies: policy documents rich in trouble, two states of one account, requests near their policies.

Everything here is what IAM accepts. Documents share a few ARNs, actions and conditions, so that patterns overlap,
conditions are equal, narrower, wider or complementary, and what the two states allow differs often but not always.
Left out because AWS's documents do not say what they mean: several values of a key without a set operator, a set
operator together with IfExists, empty texts, and colons in what a variable stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from msgspec import structs

from secmigrate.iam import Document, Group, Policy, Principal, Role, Snapshot, User
from tests.access.brute import Request
from tests.access.vocabulary import ACTIONS, ARNS, CONDITIONS, CONTEXT, GLOBS, PATTERNS, USERS

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
GROUPS = ("Devs", "Ops", "sec-dev", "sec-ops")
ROLES = ("app", "app-admin", "app-ops")
POLICIES = (
    f"arn:aws:iam::{ACCOUNT}:policy/Buckets",
    f"arn:aws:iam::{ACCOUNT}:policy/team/Queues",
    f"arn:aws:iam::{ACCOUNT}:policy/Limit",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
)
FILLINGS = ("", "a", "ann", "x/y", "-z", "1")
COLONS = ("b:c", ":", "a:log-stream:s1")

P = TypeVar("P", User, Role)

one_of_actions = st.sampled_from(ACTIONS + GLOBS)


def once_in(number: int) -> st.SearchStrategy[bool]:
    """True once in so many times; not at an end of the range, which hypothesis draws far more often."""
    return st.integers(0, number - 1).map(lambda drawn: drawn == number // 2)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """An ARN, a pattern of the vocabulary, or an ARN with wildcards put where they please."""
    source = draw(st.integers(0, 9))
    if source < 2:
        return draw(st.sampled_from(ARNS))
    if source < 7:
        return draw(st.sampled_from(PATTERNS))
    arn = draw(st.sampled_from(ARNS))
    start = arn.index(":", len("arn:aws:")) + 1  # IAM takes no wildcard in the service
    at = draw(st.integers(start, len(arn) - 1))
    length = draw(st.integers(0, 6))
    wild = draw(st.sampled_from(("*", "?", "*?", "??")))
    cut = arn[at : at + length]
    # The first six parts must remain an ARN's; past them a colon is a character like any other.
    breaks = ":" in cut and arn[:at].count(":") < 5
    return arn if breaks else arn[:at] + wild + arn[at + length :]


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """A condition block: one or two of the pool, each spelt in one of the many ways that mean the same."""
    blocks = draw(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=2))
    found: dict[str, dict[str, Any]] = {}
    for operator, key, values in blocks:
        respelt = {"plain": key, "small": key.lower(), "large": key.upper()}[
            draw(st.sampled_from(("plain", "plain", "small", "large")))
        ]
        if any(other.lower() == key.lower() for other in found.get(operator, {})):
            continue
        found.setdefault(operator, {})[respelt] = draw(spellings(operator, values))
    return {operator: found[operator] for operator in draw(st.permutations(sorted(found)))}


@st.composite
def spellings(draw: st.DrawFn, operator: str, values: Sequence[str]) -> Any:
    """The same values in another order, doubled, as a list or alone, as JSON's booleans and numbers."""
    found: list[Any] = list(draw(st.permutations(values)))
    if draw(once_in(6)):
        found.append(found[0])
    if ("Bool" in operator or operator == "Null") and draw(st.booleans()):
        found = [value == "true" if draw(st.booleans()) else value.title() for value in found]
    if "Numeric" in operator and draw(st.booleans()):
        found = [int(value) for value in found]
    return found[0] if len(found) == 1 and draw(st.booleans()) else found


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """One statement of an identity policy; every sixth is a deny, every sixth element is a complement."""
    body: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow",) * 5 + ("Deny",)))}
    for element, texts in (("Action", one_of_actions), ("Resource", patterns())):
        found = draw(st.lists(texts, min_size=1, max_size=3))
        name = draw(st.sampled_from((element,) * 5 + ("Not" + element,)))
        body[name] = found[0] if len(found) == 1 and draw(st.booleans()) else found
    if draw(once_in(3)):
        body["Condition"] = draw(conditions())
    return body


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """An identity policy or a boundary of one to three statements, mostly of the version that knows variables."""
    bodies = draw(st.lists(statements(), min_size=1, max_size=3))
    value: dict[str, Any] = {"Statement": bodies[0] if len(bodies) == 1 and draw(st.booleans()) else bodies}
    version = draw(st.sampled_from(("2012-10-17",) * 8 + ("2008-10-17", "")))
    if version:
        value["Version"] = version
    return Document(value)


@st.composite
def limits(draw: st.DrawFn) -> Document:
    """A document for a boundary: often a wide one, or whoever has it can do nothing."""
    if draw(st.booleans()):
        return draw(documents())
    body = {
        "Effect": "Allow",
        "Action": draw(st.sampled_from(("*", ["s3:*", "iam:*", "sts:*"], ["*"]))),
        "Resource": "*",
    }
    return Document({"Version": "2012-10-17", "Statement": [body, draw(statements())]})


@st.composite
def trusts(draw: st.DrawFn, *, not_principal: bool = False) -> Document:
    """A trust policy. AWS's page says that it takes no NotPrincipal: denies with one come only when asked for."""
    users = [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in USERS]
    principals: list[Any] = ["*", {"AWS": "*"}, {"AWS": ROOT}, {"AWS": ACCOUNT}, {"Service": "ec2.amazonaws.com"}]
    principals += [{"AWS": arn} for arn in users] + [{"AWS": users[:2]}, {"AWS": [ROOT, users[0]]}]
    bodies = []
    for _ in range(draw(st.integers(1, 2))):
        body: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow",) * 4 + ("Deny",)))}
        left_out = not_principal and body["Effect"] == "Deny" and draw(st.booleans())
        body["NotPrincipal" if left_out else "Principal"] = draw(st.sampled_from(principals))
        body["Action"] = draw(st.sampled_from(("sts:AssumeRole", "sts:AssumeRole", "STS:assume*", "sts:*")))
        if draw(once_in(3)):
            body["Condition"] = draw(conditions())
        bodies.append(body)
    return Document({"Version": "2012-10-17", "Statement": bodies})


@st.composite
def accounts(draw: st.DrawFn, pool: Sequence[Document]) -> Snapshot:
    """An account whose policies come from the pool: one to three users and roles, one to four groups."""
    some = st.sampled_from(pool)
    snapshot = Snapshot(account=ACCOUNT)
    for arn in POLICIES:
        snapshot = snapshot.put(Policy(arn=arn, document=draw(limits() if arn.endswith("Limit") else some)))
    inline = st.dictionaries(st.sampled_from(("own", "more")), some, max_size=2)
    attached = st.sets(st.sampled_from(POLICIES), max_size=2).map(tuple)
    boundary = st.sampled_from(("",) * 7 + (POLICIES[2], POLICIES[2], POLICIES[3]))
    groups = draw(st.sets(st.sampled_from(GROUPS), min_size=1, max_size=4))
    for name in sorted(groups):
        snapshot = snapshot.put(Group(name=name, inline=draw(inline), attached=draw(attached)))
    member = st.sets(st.sampled_from(sorted(groups)), min_size=1, max_size=2).map(tuple)
    for name in USERS[: draw(st.integers(1, 3))]:
        user = User(
            name=name, inline=draw(inline), attached=draw(attached), groups=draw(member), boundary=draw(boundary)
        )
        snapshot = snapshot.put(user)
    for name in ROLES[: draw(st.integers(1, 3))]:
        role = Role(
            name=name, trust=draw(trusts()), inline=draw(inline), attached=draw(attached), boundary=draw(boundary)
        )
        snapshot = snapshot.put(role)
    return snapshot


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """One account before and after: the same users and roles; groups, policies and boundaries partly changed."""
    pool = draw(st.lists(documents(), min_size=3, max_size=6, unique=True))
    before = draw(accounts(pool))
    other = draw(accounts(pool))
    after = before
    for policy in before.policies.values():
        if draw(st.booleans()):
            after = after.put(other.policies[policy.arn])
    for group in other.groups.values():
        if group.name not in before.groups or draw(st.booleans()):
            after = after.put(group)
    for user in before.users.values():
        after = after.put(_changed(draw, user, other.users.get(user.name, user)))
    for role in before.roles.values():
        after = after.put(_changed(draw, role, other.roles.get(role.name, role)))
    return before, after


def _changed(draw: st.DrawFn, one: P, other: P) -> P:
    """One principal with some of its fields as the other has them."""
    fields = [name for name in ("inline", "attached", "groups", "boundary", "trust") if hasattr(one, name)]
    taken = draw(st.sets(st.sampled_from(fields), min_size=1, max_size=4))
    return structs.replace(one, **{name: getattr(other, name) for name in taken})


def documents_of(snapshot: Snapshot, principal: Principal) -> list[Document]:
    """Every document that has a say in what a user or role of that name may do."""
    holders = [found] if (found := snapshot.principal(principal.kind, principal.name)) else []
    holders += [snapshot.groups[name] for one in holders for name in getattr(one, "groups", ())]
    arns = [arn for one in holders for arn in (*one.attached, getattr(one, "boundary", "")) if arn]
    return [text for one in holders for text in one.inline.values()] + [snapshot.policies[arn].document for arn in arns]


@st.composite
def contexts(draw: st.DrawFn, texts: Sequence[str] = ()) -> Mapping[str, tuple[str, ...]]:
    """A request's context: keys that the documents' texts name, each there three times out of four, in any case.

    Without texts, every key of the vocabulary.
    """
    seen = "".join(texts).lower()
    found: dict[str, tuple[str, ...]] = {}
    for key, values in CONTEXT.items():
        if (not texts or key.lower() in seen) and not draw(once_in(4)):
            found[draw(st.sampled_from((key, key, key.lower(), key.upper())))] = draw(st.sampled_from(values))
    return found


@st.composite
def requests_for(draw: st.DrawFn, before: Snapshot, after: Snapshot, principal: Principal) -> Request:
    """A request of a user or role near what its policies in both states speak of: action, resource and context."""
    found = sorted(set(documents_of(before, principal) + documents_of(after, principal)))
    bodies = [body for document in found for body in document.statements]
    # A request that only roams answers little: nine of ten begin at a statement.
    roams = not bodies or draw(once_in(10))
    body: Mapping[str, Any] = {} if roams else draw(st.sampled_from(bodies))
    actions = list(_listed(body, "Action")) or ["*"]
    resources = list(_listed(body, "Resource")) or list(PATTERNS)
    action = draw(actions_in(draw(st.sampled_from(actions))))
    bare = draw(once_in(12))  # as of an action that has no resource
    resource = "*" if bare else draw(resources_in(draw(st.sampled_from(resources)), principal.name))
    return Request(action, resource, draw(contexts([document.text for document in found] or ["-"])))


def _listed(body: Mapping[str, Any], element: str) -> Iterator[str]:
    """An element's texts. A complement gives any: what it names is what it does not hold."""
    value = body.get(element, ())
    yield from [value] if isinstance(value, str) else value


@st.composite
def actions_in(draw: st.DrawFn, glob: str) -> str:
    """A concrete action of the vocabulary, mostly one that the glob holds."""
    expression = re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")
    held = [name for name in ACTIONS if re.fullmatch(expression, name, re.IGNORECASE)]
    astray = not held or draw(once_in(8))
    return draw(st.sampled_from(ACTIONS if astray else held))


@st.composite
def resources_in(draw: st.DrawFn, pattern: str, name: str) -> str:
    """A concrete ARN (or `*`): the pattern with its variables and wildcards filled in, or one that just misses it."""
    if pattern == "*" or draw(once_in(8)):
        return draw(st.sampled_from((*ARNS, "*", "*", "*")))
    names = st.sampled_from((name, name, *USERS))
    teams = st.sampled_from([value for (value,) in CONTEXT["aws:PrincipalTag/team"]])
    found = ""
    for part in re.split(r"(\$\{[^}]*\}|\*|\?)", pattern):
        if part.startswith("${"):
            special = part[2:-1] if part in ("${*}", "${?}", "${$}") else ""
            found += special or draw(names if "username" in part.lower() else teams)
        elif part == "*":
            found += draw(st.sampled_from(FILLINGS + COLONS))
        elif part == "?":
            found += draw(st.sampled_from(("a", "1", "-", ":", "/")))
        else:
            found += part
    return found
