"""Of which account each resource is that Terraform manages: one state may manage several, by several providers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from secmigrate.errors import BadInput
from secmigrate.handover import Resource, about

_ARN = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):")
_MINE = ("arn", "id", "policy_arn")  # who attaches a managed policy has it in the same account
_HINT = "add a source that says which account is meant (`--from live`)"
_PULL = "read the state itself (`terraform state pull`): unlike `terraform show -json` it tells the provider of each"


def of_account(found: Sequence[Resource], account: str = "") -> tuple[str, str, list[Resource]]:
    """The partition if it is told, the account, and what is of it; without an account, of the only one that is named.

    Raises BadInput if nothing is of it, if there are none or several to choose from, or if nobody can tell of which a
    resource is.
    """
    partitions = {match[2]: match[1] for one in found if (match := _named(one))}
    if not partitions and not account:
        raise BadInput("no IAM resource in it names the account", hint=_HINT)
    told = ", ".join(sorted(partitions))
    if not account and len(partitions) > 1:
        raise BadInput(f"resources of {len(partitions)} accounts: {told}", hint=_HINT)
    if account and partitions and account not in partitions:
        raise BadInput(f"resources of account {told}, and not of {account}", hint="each account has its own workspace")
    account = account or next(iter(partitions))
    mine = list(found)
    if len(partitions) > 1:
        mine = [one for one, whose in zip(found, _accounts(found), strict=True) if whose == account]
    return partitions.get(account, ""), account, mine


def _named(one: Resource) -> re.Match[str] | None:
    return next((match for key in _MINE if (match := _ARN.match(str(one.values.get(key) or "")))), None)


def _accounts(found: Iterable[Resource]) -> Iterator[str]:
    """The account of each: by an ARN in it, else by its provider, else by whom it is about."""
    told: dict[str, str] = {}
    by_provider: dict[str, set[str]] = {}
    by_thing: dict[tuple[str, str], set[str]] = {}
    for one in found:
        if match := _named(one):
            told[one.address] = match[2]
            by_provider.setdefault(one.provider or one.address, set()).add(match[2])
            for thing in about(one):
                by_thing.setdefault(thing, set()).add(match[2])
    for one in found:
        things: set[str] = set().union(*(by_thing.get(thing, ()) for thing in about(one)))
        named = {told[one.address]} if one.address in told else set()
        whose = next((some for some in (named, by_provider.get(one.provider, set()), things) if len(some) == 1), None)
        if whose is None:
            raise BadInput(f"resources of several accounts, and nobody can tell of which {one.address} is", hint=_PULL)
        yield from whose
