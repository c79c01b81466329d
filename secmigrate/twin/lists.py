"""The calls that answer in pages: one line of a table each, and the rows they page through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from secmigrate.twin import named, shown
from secmigrate.twin.account import Account
from secmigrate.twin.entities import AWSPolicy, ManagedPolicy, Principal, User
from secmigrate.twin.named import FindPrincipal, Params
from secmigrate.twin.paging import Row

Rows = Callable[[Account, Params], Iterable[Row]]
T = TypeVar("T")


def _rows(room: str, things: Iterable[T], key: Callable[[T], str], show: Callable[[T], object]) -> Iterator[Row]:
    return (Row((0, key(thing)), room, partial(show, thing)) for thing in things)


def _name(thing: Any) -> str:
    return str(thing.name)


def _arn(thing: Any) -> str:
    return str(thing.arn)


def _under(things: Iterable[T], params: Params) -> Iterator[T]:
    """The things whose path starts with what was asked for."""
    prefix = params.get("PathPrefix", "/")
    return (thing for thing in things if thing.path.startswith(prefix))  # type: ignore[attr-defined]


def _users(account: Account, params: Params) -> Iterable[Row]:
    return _rows("Users", _under(account.each_user(), params), _name, shown.user_row)


def _groups(account: Account, params: Params) -> Iterable[Row]:
    return _rows("Groups", _under(account.each_group(), params), _name, shown.group)


def _roles(account: Account, params: Params) -> Iterable[Row]:
    return _rows("Roles", _under(account.each_role(), params), _name, shown.role_row)


def _profiles(account: Account, params: Params) -> Iterable[Row]:
    return _rows("InstanceProfiles", _under(account.each_profile(), params), _name, shown.profile_row)


def _profiles_of_role(account: Account, params: Params) -> Iterable[Row]:
    return _rows("InstanceProfiles", account.profiles_of(named.role(account, params)), _name, shown.profile_row)


def _members(account: Account, params: Params) -> Iterable[Row]:
    members = [user for user in named.group(account, params).users if isinstance(user, User)]
    return _rows("Users", members, _name, shown.user_row)


def _memberships(account: Account, params: Params) -> Iterable[Row]:
    return _rows("Groups", account.groups_of(named.user(account, params)), _name, shown.group)


def _policies(account: Account, params: Params) -> Iterable[Row]:
    attached, bounding = account.attachments(), account.boundaries()
    only_boundaries = params.get("PolicyUsageFilter") == "PermissionsBoundary"
    counts = bounding if only_boundaries else attached
    scope = params.get("Scope", "All")

    def wanted(policy: ManagedPolicy) -> bool:
        in_scope = scope == "All" or (scope == "AWS") == isinstance(policy, AWSPolicy)
        return in_scope and (not (only_boundaries or params.get("OnlyAttached")) or counts[policy.arn] > 0)

    def show(policy: ManagedPolicy) -> object:
        return shown.policy_row(policy, attached[policy.arn], bounding[policy.arn])

    return _rows("Policies", filter(wanted, _under(account.each_policy(), params)), _arn, show)


def _versions(account: Account, params: Params) -> Iterable[Row]:
    """Newest first, as AWS does."""
    newest_first = enumerate(reversed(named.policy(account, params).versions))
    return (Row((0, f"{place:04}"), "Versions", partial(shown.version_row, one)) for place, one in newest_first)


def _attached(principal: FindPrincipal) -> Rows:
    def rows(account: Account, params: Params) -> Iterable[Row]:
        policies = principal(account, params).managed_policies.values()
        mine = [policy for policy in policies if isinstance(policy, ManagedPolicy)]
        return _rows("AttachedPolicies", _under(mine, params), _arn, shown.attached)

    return rows


def _inline(principal: FindPrincipal) -> Rows:
    def rows(account: Account, params: Params) -> Iterable[Row]:
        return _rows("PolicyNames", principal(account, params).policies, str, str)

    return rows


def _tags(find: Callable[[Account, Params], Any]) -> Rows:
    def rows(account: Account, params: Params) -> Iterable[Row]:
        labels: dict[str, str] = find(account, params).labels
        return _rows("Tags", labels, str, lambda key: {"Key": key, "Value": labels[key]})

    return rows


def _entities(account: Account, params: Params) -> Iterable[Row]:
    """Who has a policy attached or is bounded by it; moto knows nothing of the second."""
    arn, usage, only = params["PolicyArn"], params.get("PolicyUsageFilter"), params.get("EntityFilter")
    rooms: tuple[tuple[str, str, Iterator[Principal]], ...] = (
        ("Group", "PolicyGroups", account.each_group()),
        ("Role", "PolicyRoles", account.each_role()),
        ("User", "PolicyUsers", account.each_user()),
    )

    def uses(principal: Principal) -> bool:
        bounded = getattr(principal, "permissions_boundary_arn", None) == arn
        attached = arn in principal.managed_policies
        return (attached and usage != "PermissionsBoundary") or (bounded and usage != "PermissionsPolicy")

    for number, (kind, room, principals) in enumerate(rooms):
        for one in _under(principals, params):
            if only in (None, kind) and uses(one):
                row = {f"{kind}Name": one.name, f"{kind}Id": one.id}
                yield Row((number, one.name), room, partial(dict, row))


def _account_details(account: Account, params: Params) -> Iterable[Row]:
    """Users, groups, roles and policies in one stream. Of AWS's policies only those in use: the others are not ours."""
    wanted = set(params.get("Filter") or ("User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"))
    attached, bounding = account.attachments(), account.boundaries()
    memberships = account.memberships() if "User" in wanted else {}

    def policy(one: ManagedPolicy) -> object:
        return shown.policy_details(one, attached[one.arn], bounding[one.arn])

    if "User" in wanted:
        for user in account.each_user():
            show = partial(shown.user_details, user, memberships[user.name])
            yield Row((0, user.name), "UserDetailList", show)
    if "Group" in wanted:
        for group in account.each_group():
            yield Row((1, group.name), "GroupDetailList", partial(shown.group_details, group))
    if "Role" in wanted:
        for role in account.each_role():
            yield Row((2, role.name), "RoleDetailList", partial(shown.role_details, role, account))
    for one in account.each_policy():
        if isinstance(one, AWSPolicy):
            there = "AWSManagedPolicy" in wanted and (attached[one.arn] or bounding[one.arn])
        else:
            there = "LocalManagedPolicy" in wanted
        if there:
            yield Row((3, one.arn), "Policies", partial(policy, one))


LISTS: Mapping[str, Rows] = {
    "GetAccountAuthorizationDetails": _account_details,
    "GetGroup": _members,
    "ListAttachedGroupPolicies": _attached(named.group),
    "ListAttachedRolePolicies": _attached(named.role),
    "ListAttachedUserPolicies": _attached(named.user),
    "ListEntitiesForPolicy": _entities,
    "ListGroupPolicies": _inline(named.group),
    "ListGroups": _groups,
    "ListGroupsForUser": _memberships,
    "ListInstanceProfileTags": _tags(named.profile),
    "ListInstanceProfiles": _profiles,
    "ListInstanceProfilesForRole": _profiles_of_role,
    "ListPolicies": _policies,
    "ListPolicyTags": _tags(named.policy),
    "ListPolicyVersions": _versions,
    "ListRolePolicies": _inline(named.role),
    "ListRoleTags": _tags(named.role),
    "ListRoles": _roles,
    "ListUserPolicies": _inline(named.user),
    "ListUserTags": _tags(named.user),
    "ListUsers": _users,
}
