"""Whether one request is allowed: plain, slow and written from AWS's documents alone.

It is what `secmigrate.access` is checked against, so it shares nothing with it: no code, no cache, no set of requests.
Each call walks every statement; what a document is read into hangs on its text alone, and is kept. AWS's pages: *Policy
evaluation logic*, *IAM JSON policy elements* (Resource, Action, NotPrincipal, ...), *IAM policy elements: Variables and
tags*, *Permissions boundaries*.

Resource policies other than a role's trust, service control policies and session policies are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from secmigrate.iam import Document, Principal, Role, Snapshot, User
from tests.access.brute_conditions import Unreadable, check_condition, holds
from tests.access.brute_patterns import action_matches, check_variables, filled, resource_matches

__all__ = ["Request", "Unreadable", "allowed", "may_assume"]

VERSIONS = ("2012-10-17", "2008-10-17")
PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


@dataclass(frozen=True)
class Request:
    """One call: a concrete action, one resource (`*` if the action has none), and what is known beside it.

    Context keys may be in any case; a key that is absent is not in the mapping; several values are a multivalued key.
    """

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Read:
    """A statement that was found to be valid. `variables`: whether its document's version knows policy variables."""

    body: Mapping[str, Any]
    variables: bool


def allowed(snapshot: Snapshot, principal: Principal, request: Request) -> bool:
    """Whether the policies of a user or role allow the request, within its permissions boundary.

    Raises Unreadable if a document of theirs is not valid, or a policy or group they name is not in the snapshot.
    """
    given = _identity(snapshot, principal)
    limit = _boundary(snapshot, principal)
    known = _known(principal, request.context)
    if "Deny" in _effects(given + (limit or []), request, known):
        return False
    if "Allow" not in _effects(given, request, known):
        return False
    return limit is None or "Allow" in _effects(limit, request, known)


def may_assume(snapshot: Snapshot, user: User, role: Role, context: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the user may call sts:AssumeRole on a role of the same account.

    A trust that names the user's ARN, or everybody, is enough, and a boundary's silence does not limit it; one that
    names the account leaves it to the user's own policies. A Deny on either side wins. AWS: *AssumeRole* (STS API),
    *Permissions boundaries*, "Evaluating effective permissions"; *Principal*, "All principals".
    """
    request = Request("sts:AssumeRole", snapshot.arn(role), context)
    known = _known(user, context)
    trust = [one for one in read(role.trust, trust=True) if _trust_applies(snapshot, user, one, request, known)]
    own = _identity(snapshot, user) + (_boundary(snapshot, user) or [])
    if any(one.body["Effect"] == "Deny" for one in trust) or "Deny" in _effects(own, request, known):
        return False
    if any(one.body["Effect"] == "Allow" and "user" in _named(snapshot, user, one.body) for one in trust):
        return True
    return any(one.body["Effect"] == "Allow" for one in trust) and allowed(snapshot, user, request)


def _known(principal: Principal, context: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The request's context by small-letter keys; of a user the name is always known, whatever the context says."""
    known = {key.lower(): tuple(values) for key, values in context.items()}
    if isinstance(principal, User):
        known["aws:username"] = (principal.name,)
    return known


def _identity(snapshot: Snapshot, principal: Principal) -> list[Read]:
    """All statements of the principal's own policies and, of a user, its groups'."""
    holders = [principal]
    for name in principal.groups if isinstance(principal, User) else ():
        if name not in snapshot.groups:
            raise Unreadable(f"group {name} is not there")
        holders.append(snapshot.groups[name])
    found: list[Read] = []
    for holder in holders:
        for document in holder.inline.values():
            found += read(document)
        for arn in holder.attached:
            found += read(_policy(snapshot, arn))
    return found


def _boundary(snapshot: Snapshot, principal: Principal) -> list[Read] | None:
    """The statements of the permissions boundary; None if there is no boundary."""
    arn = principal.boundary if isinstance(principal, User | Role) else ""
    return [*read(_policy(snapshot, arn))] if arn else None


def _policy(snapshot: Snapshot, arn: str) -> Document:
    if arn not in snapshot.policies:
        raise Unreadable(f"policy {arn} is not there")
    return snapshot.policies[arn].document


def _effects(statements: Iterable[Read], request: Request, known: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The effects of all statements that apply to the request."""
    return {
        one.body["Effect"]
        for one in statements
        if _action_applies(one.body, request.action)
        and _resource_applies(one, request.resource, known)
        and holds(one.body.get("Condition", {}), known, one.variables)
    }


def _action_applies(body: Mapping[str, Any], action: str) -> bool:
    if "Action" in body:
        return any(action_matches(glob, action) for glob in texts(body["Action"]))
    return not any(action_matches(glob, action) for glob in texts(body["NotAction"]))


def _resource_applies(one: Read, resource: str, known: Mapping[str, tuple[str, ...]]) -> bool:
    def fits(pattern: str) -> bool:
        signs = filled(pattern, known, one.variables)
        return signs is not None and resource_matches(signs, resource)

    if "Resource" in one.body:
        return any(fits(pattern) for pattern in texts(one.body["Resource"]))
    return not any(fits(pattern) for pattern in texts(one.body["NotResource"]))


def _trust_applies(
    snapshot: Snapshot, user: User, one: Read, request: Request, known: Mapping[str, tuple[str, ...]]
) -> bool:
    """Whether a trust statement speaks of this user, this action and this context."""
    named = bool(_named(snapshot, user, one.body))
    if "NotPrincipal" in one.body:
        # AWS, *NotPrincipal*: with Deny it hits every principal that has a boundary, whoever is named.
        named = not named or (one.body["Effect"] == "Deny" and bool(user.boundary))
    return (
        named
        and _action_applies(one.body, request.action)
        and holds(one.body.get("Condition", {}), known, one.variables)
    )


def _named(snapshot: Snapshot, user: User, body: Mapping[str, Any]) -> set[str]:
    """How a trust statement's Principal, or NotPrincipal, names the user: as `user` (or everybody), as `account`."""
    element = body["Principal"] if "Principal" in body else body["NotPrincipal"]
    named = ["*"] if element == "*" else texts(element.get("AWS", []))
    found = set()
    if snapshot.arn(user) in named or ("*" in named and "Principal" in body):
        found.add("user")
    whole = ("*", snapshot.account, f"arn:{snapshot.partition}:iam::{snapshot.account}:root")
    if any(name in whole for name in named) or snapshot.arn(user) in named:
        found.add("account")
    return found


def texts(value: Any) -> list[str]:
    """One text or a list of texts, as a list."""
    return [value] if isinstance(value, str) else list(value)


@lru_cache(maxsize=10_000)
def read(document: Document, *, trust: bool = False) -> tuple[Read, ...]:
    """The statements of a document. Raises Unreadable unless each of them is valid (AWS: *Grammar of the policy
    language*).
    """
    whole = document.value
    if unknown := set(whole) - {"Version", "Id", "Statement"}:
        raise Unreadable(f"unknown elements {sorted(unknown)}")
    if "Version" in whole and whole["Version"] not in VERSIONS:
        raise Unreadable(f"unknown version {whole['Version']!r}")
    if not document.statements:
        raise Unreadable("no statement")
    variables = whole.get("Version") == "2012-10-17"
    for body in document.statements:
        _check(body, variables, trust)
    return tuple(Read(body, variables) for body in document.statements)


def _check(body: object, variables: bool, trust: bool) -> None:
    if not isinstance(body, dict):
        raise Unreadable("a statement must be an object")
    target = "Principal" if trust else "Resource"
    pairs = (("Action", "NotAction"), (target, "Not" + target))
    if unknown := set(body) - {"Sid", "Effect", "Condition"} - {name for pair in pairs for name in pair}:
        raise Unreadable(f"unknown or misplaced elements {sorted(unknown)}")
    if body.get("Effect") not in ("Allow", "Deny"):
        raise Unreadable(f"Effect is {body.get('Effect')!r}")
    for pair in pairs:
        if sum(name in body for name in pair) != 1:
            raise Unreadable(f"exactly one of {pair} is needed")
    for text in _checked_texts(body.get("Action", body.get("NotAction"))):
        if text != "*" and (text.count(":") != 1 or text.startswith(":") or text.endswith(":")):
            raise Unreadable(f"not an action: {text!r}")
    if trust:
        _check_principal(body.get("Principal", body.get("NotPrincipal")))
    else:
        for text in _checked_texts(body.get("Resource", body.get("NotResource"))):
            _check_resource(text, variables)
    check_condition(body.get("Condition", {}), variables)


def _check_resource(text: str, variables: bool) -> None:
    if text != "*" and not text.startswith("arn:"):
        raise Unreadable(f"not an ARN: {text!r}")
    if variables:
        check_variables(text)


def _check_principal(element: object) -> None:
    if element == "*":
        return
    if not isinstance(element, dict) or not element or set(element) - set(PRINCIPAL_TYPES):
        raise Unreadable(f"not a principal: {element!r}")
    for kind, named in element.items():
        for name in _checked_texts(named):
            if ("*" in name or "?" in name) and not (name == "*" and kind == "AWS"):
                raise Unreadable(f"a principal takes no wildcards: {name!r}")  # AWS, *Principal*


def _checked_texts(value: object) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str):
            raise Unreadable(f"not a text: {one!r}")
        yield one
