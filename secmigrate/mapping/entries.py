"""A role as an entry of SEC's config: what it holds, whom it names, and what has no field there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from secmigrate.errors import BadInput
from secmigrate.iam import Role
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.levels import Fit
from secmigrate.mapping.patterns import matches
from secmigrate.mapping.reach import Reach
from secmigrate.mapping.rules import Catalogue, RoleSection, Rule
from secmigrate.mapping.trust import Trust
from secmigrate.mapping.waived import Waived
from secmigrate.sec import Assignments, AssumableRole, CrossAccountRole, Entry, ServiceRole

# sec-provisioner 9, AD-7 and AD-8: planned for the product's v2.
_HOUR = 3600
_MFA = "aws:multifactorauth"
_BROUGHT = {
    "sts:SetContext": "a context",
    "sts:SetSourceIdentity": "a source identity",
    "sts:TagSession": "session tags",
}


class Case(Struct, frozen=True, kw_only=True):
    """One role and all that is needed to decide on it."""

    role: Role
    who: Reach
    trust: Trust
    catalogue: Catalogue
    ladders: Ladders
    targets: Mapping[str, Assignments]  # group keys that the config will hold, with their levels
    profiles: tuple[str, ...]
    waived: Waived


def entry_of(case: Case, section: RoleSection, rule: Rule | None, found: Fit, mirrors: str) -> Entry:
    """The entry under the role's key: what a rule says of it, else what the role itself does; `mirrors` is the key of
    the group whose levels it takes, or empty.
    """
    described = rule.become.description if rule and (rule.become.target or mirrors) else ""
    description = described or case.role.description or f"Takes the place of the role {case.role.name}"
    policies, assignments = found.managed_policies, found.assignments
    if section == "service_roles":
        return ServiceRole(
            description=description,
            service_principal=_principal(case, rule),
            managed_policies=policies,
            policy_assignments=assignments,
        )
    if section == "cross_account_roles":
        return CrossAccountRole(
            description=description,
            trusted_account_id=next(iter(case.trust.others), ""),
            external_id=next(iter(case.trust.external_ids), ""),
            managed_policies=policies,
            policy_assignments=assignments,
        )
    return AssumableRole(
        description=description, mirrors_group=mirrors, managed_policies=policies, policy_assignments=assignments
    )


def _principal(case: Case, rule: Rule | None) -> str:
    """The service of the new role: the one that the rule asks for, or the first; a rule's own where a CI has none."""
    asked = rule.match.trusts if rule else ()
    fitting = [one for one in case.trust.services if any(matches(one, glob) for glob in asked)]
    return next(iter([*fitting, *case.trust.services, *(one for one in asked if "*" not in one)]), "")


def check_trusted(case: Case, section: RoleSection, rule: Rule | None) -> None:
    """Raises BadInput for a section whose entries name somebody of a kind that the role does not trust."""
    lacking = {
        "service_roles": "" if _principal(case, rule) else "service",
        "cross_account_roles": "" if case.trust.others else "other account",
    }
    if kind := lacking.get(section):
        raise BadInput(
            f"it trusts no {kind}, and an entry of {section} names one",
            where=f"decisions.yaml: roles.{case.role.name}",
            hint="section: assumable_roles takes whoever this account lets; or leave it, and say why",
        )


def not_expressible(case: Case, section: RoleSection, rule: Rule | None) -> Iterator[str]:
    """What SEC v1 has no field for (sec-provisioner 9)."""
    role, trust = case.role, case.trust
    for key in trust.conditions:
        what = "MFA is asked for" if key.casefold().startswith(_MFA) else f"the trust policy has a condition on {key}"
        yield f"{what}: SEC v1 has no field for it"
    if trust.external_ids and section != "cross_account_roles":
        yield "the trust policy asks for an external id: SEC has a field for it only in cross-account roles"
    for call in trust.along:
        yield f"the trust policy allows {_BROUGHT[call]} ({call}): SEC's does not, and who brings such cannot assume it"
    if trust.denies:
        yield "the trust policy denies somebody: SEC's trust policies only allow"
    if role.max_session != _HOUR:
        yield f"its sessions last {role.max_session} s: SEC v1 gives an hour"
    if role.boundary:
        yield f"its permissions boundary {role.boundary}: SEC v1 sets none"
    yield from _untrusted(case, section, rule)
    for name in case.profiles:
        yield f"the instance profile {name} holds it: SEC makes no instance profiles"


def _untrusted(case: Case, section: RoleSection, rule: Rule | None) -> Iterator[str]:
    """Who may assume it today and will not, and where others will who may not today."""
    trust = case.trust
    service = _principal(case, rule) if section == "service_roles" else ""
    account = next(iter(trust.others), "") if section == "cross_account_roles" else ""
    lost = [one for one in (*trust.services, *trust.others) if one not in (service, account)]
    lost += [*trust.federated, *trust.unknown]
    if account and (only := trust.only(account)):
        yield f"only {_and(only)} may assume it: SEC trusts the whole account {account}, and its policies decide who"
    if section == "assumable_roles":
        if not trust.own_root:
            yield f"only {_and(trust.own)} may assume it: SEC trusts the whole account, and its policies decide who"
    else:
        lost += trust.own
    if lost:
        yield f"{_and(lost)} may assume it today: SEC's entry names one principal of its own kind"
    if section == "cross_account_roles" and len(trust.external_ids) > 1:
        yield f"of its {len(trust.external_ids)} external ids SEC's entry holds one"
    if section == "cross_account_roles" and not trust.external_ids:
        yield "it asks for no external id, and SEC's cross-account roles do: agree on one with the other account"


def _and(names: Iterable[str]) -> str:
    return ", ".join(names)
