"""The calls that the twin answers itself, because moto answers them wrongly, in part, or not at all.

One function a call, or one for several that differ in the kind of thing only; `CALLS` has them by name. They come after
the checks of `refusals`, so what they need is there and what they make has room. Other calls go to moto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.iam.models import PolicyVersion

from secmigrate.twin import entities, named, quotas, shown
from secmigrate.twin.account import Account
from secmigrate.twin.entities import ManagedPolicy
from secmigrate.twin.named import FindPrincipal, Params
from secmigrate.twin.refusal import Refusal

Answer = dict[str, Any] | None
Call = Callable[[Account, Params], Answer]


def _labels(params: Params) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}


# Creating ----------------------------------------------------------------------------------------------------------


def _create_user(account: Account, params: Params) -> Answer:
    user = entities.User(account.account_id, account.region_name, params["UserName"], params.get("Path", "/"))
    user.id, user.create_date = account.new_id("AIDA"), account.now()
    user.labels = _labels(params)
    user.permissions_boundary_arn = params.get("PermissionsBoundary")
    account.users[user.name] = user
    return {"User": shown.user(user)}


def _create_group(account: Account, params: Params) -> Answer:
    group = entities.Group(account.account_id, account.region_name, params["GroupName"], params.get("Path", "/"))
    group.id, group.create_date = account.new_id("AGPA"), account.now()
    account.groups[group.name] = group
    return {"Group": shown.group(group)}


def _create_role(account: Account, params: Params) -> Answer:
    role = account.create_role(
        role_name=params["RoleName"],
        assume_role_policy_document=params["AssumeRolePolicyDocument"],
        path=params.get("Path", "/"),
        permissions_boundary=params.get("PermissionsBoundary"),
        description=params.get("Description", ""),
        tags=params.get("Tags", []),
        max_session_duration=params.get("MaxSessionDuration", 3600),
    )
    return {"Role": shown.role(role)}


def _create_instance_profile(account: Account, params: Params) -> Answer:
    name, path = params["InstanceProfileName"], params.get("Path", "/")
    profile = entities.InstanceProfile(account.account_id, account.region_name, "", name, path, [])
    profile.id, profile.create_date = account.new_id("AIPA"), account.now()
    profile.labels = _labels(params)
    account.instance_profiles[name] = profile
    return {"InstanceProfile": shown.profile(profile)}


def _create_policy(account: Account, params: Params) -> Answer:
    now = account.now()
    policy = entities.Policy(
        params["PolicyName"],
        account_id=account.account_id,
        region=account.region_name,
        description=params.get("Description", ""),
        document=params["PolicyDocument"],
        path=params.get("Path", "/"),
        create_date=now,
        update_date=now,
    )
    policy.id = account.new_id("ANPA")
    policy.labels = _labels(params)
    account.managed_policies[policy.arn] = policy
    return {"Policy": {**shown.policy(policy, 0, 0), "Description": None}}


def _create_policy_version(account: Account, params: Params) -> Answer:
    """Version numbers count up and are never given out again, even after a version was deleted."""
    policy = account.policy(params["PolicyArn"])
    number, now = f"v{policy.next_version_num}", account.now()
    policy.next_version_num += 1
    policy.versions.append(PolicyVersion(policy.arn, params["PolicyDocument"], False, number, now))
    policy.update_date = now
    if params.get("SetAsDefault"):
        _make_default(policy, number)
    return {"PolicyVersion": shown.version_row(policy.versions[-1])}


def _make_default(policy: ManagedPolicy, version_id: str) -> None:
    policy.default_version_id = version_id
    for version in policy.versions:
        version.is_default = version.version_id == version_id


def _version(account: Account, params: Params) -> PolicyVersion:
    arn, wanted = params["PolicyArn"], params["VersionId"]
    for version in account.policy(arn).versions:
        if version.version_id == wanted:
            return version
    raise Refusal("NoSuchEntity", f"Policy {arn} version {wanted} does not exist or is not attachable.")


def _set_default_policy_version(account: Account, params: Params) -> None:
    version, policy = _version(account, params), account.policy(params["PolicyArn"])
    _make_default(policy, version.version_id)
    policy.update_date = account.now()


def _delete_policy_version(account: Account, params: Params) -> None:
    account.policy(params["PolicyArn"]).versions.remove(_version(account, params))


# Changing ----------------------------------------------------------------------------------------------------------


def _update_role(account: Account, params: Params) -> Answer:
    """What is not given stays as it is; moto falls back to its defaults."""
    role = account.role(params["RoleName"])
    role.description = params.get("Description", role.description)
    role.max_session_duration = params.get("MaxSessionDuration", role.max_session_duration)
    return {}


def _update_role_description(account: Account, params: Params) -> Answer:
    role = account.role(params["RoleName"])
    role.description = params["Description"]
    return {"Role": shown.role(role)}


def _attach(find: FindPrincipal) -> Call:
    return lambda account, params: account.attach(find(account, params), params["PolicyArn"])


def _detach(find: FindPrincipal) -> Call:
    return lambda account, params: account.detach(find(account, params), params["PolicyArn"])


def _bound(find: Callable[[Account, Params], entities.User | entities.Role]) -> Call:
    """Puts a permissions boundary, or takes it away where the call names none."""

    def call(account: Account, params: Params) -> None:
        find(account, params).permissions_boundary_arn = params.get("PermissionsBoundary")

    return call


def _same(folded: bool, key: str, other: str) -> bool:
    return key.lower() == other.lower() if folded else key == other


def _tag(find: Callable[[Account, Params], Any], *, folded: bool) -> Call:
    """A new value replaces the old one; with it the case of the key, where case makes no difference."""

    def call(account: Account, params: Params) -> None:
        thing = find(account, params)
        for key, value in _labels(params).items():
            thing.labels = {old: kept for old, kept in thing.labels.items() if not _same(folded, old, key)}
            thing.labels[key] = value

    return call


def _untag(find: Callable[[Account, Params], Any], *, folded: bool) -> Call:
    def call(account: Account, params: Params) -> None:
        thing = find(account, params)
        for key in params["TagKeys"]:
            thing.labels = {old: kept for old, kept in thing.labels.items() if not _same(folded, old, key)}

    return call


# Looking -----------------------------------------------------------------------------------------------------------


def _get_policy(account: Account, params: Params) -> Answer:
    arn = params["PolicyArn"]
    return {"Policy": shown.policy(account.policy(arn), account.attachments()[arn], account.boundaries()[arn])}


def _get_inline(kind: str, find: FindPrincipal) -> Call:
    def call(account: Account, params: Params) -> Answer:
        principal, name = find(account, params), params["PolicyName"]
        if name not in principal.policies:
            raise Refusal("NoSuchEntity", f"The {kind.lower()} policy with name {name} cannot be found.")
        document = shown.encoded(principal.policies[name])
        return {f"{kind}Name": principal.name, "PolicyName": name, "PolicyDocument": document}

    return call


def _put_inline(find: FindPrincipal) -> Call:
    def call(account: Account, params: Params) -> None:
        find(account, params).policies[params["PolicyName"]] = params["PolicyDocument"]

    return call


def _delete_inline(kind: str, find: FindPrincipal) -> Call:
    def call(account: Account, params: Params) -> None:
        name = params["PolicyName"]
        if find(account, params).policies.pop(name, None) is None:
            raise Refusal("NoSuchEntity", f"The {kind.lower()} policy with name {name} cannot be found.")

    return call


def _get_account_summary(account: Account, _params: Params) -> Answer:
    there = quotas.used(account)
    counted = {name.removesuffix("PerAccount"): number for name, number in there.items() if "PerAccount" in name}
    return {
        "SummaryMap": {
            **counted,
            "PolicyVersionsInUse": there["PolicyVersionsInUse"],
            **{quota.summary: account.limits[name] for name, quota in quotas.QUOTAS.items() if quota.summary},
            "AccessKeysPerUserQuota": 2,
            "AccountAccessKeysPresent": 0,
            "AccountMFAEnabled": 1,
            "AccountSigningCertificatesPresent": 0,
            "GlobalEndpointTokenVersion": 1,
            "MFADevices": len(account.virtual_mfa_devices),
            "MFADevicesInUse": sum(len(user.mfa_devices) for user in account.each_user()),
            "Providers": len(account.saml_providers) + len(account.open_id_providers),
            "ServerCertificates": len(account.certificates),
            "ServerCertificatesQuota": 20,
            "SigningCertificatesPerUserQuota": 2,
        }
    }


CALLS: Mapping[str, Call] = {
    "CreateGroup": _create_group,
    "CreateInstanceProfile": _create_instance_profile,
    "CreatePolicy": _create_policy,
    "CreatePolicyVersion": _create_policy_version,
    "CreateRole": _create_role,
    "CreateUser": _create_user,
    "DeletePolicyVersion": _delete_policy_version,
    "DeleteRolePermissionsBoundary": _bound(named.role),
    "DeleteUserPermissionsBoundary": _bound(named.user),
    "GetAccountSummary": _get_account_summary,
    "GetInstanceProfile": lambda account, params: {"InstanceProfile": shown.profile(named.profile(account, params))},
    "GetPolicy": _get_policy,
    "GetPolicyVersion": lambda account, params: {"PolicyVersion": shown.version(_version(account, params))},
    "GetRole": lambda account, params: {"Role": shown.role(named.role(account, params))},
    "GetUser": lambda account, params: {"User": shown.user(named.user(account, params))},
    "PutRolePermissionsBoundary": _bound(named.role),
    "PutUserPermissionsBoundary": _bound(named.user),
    "SetDefaultPolicyVersion": _set_default_policy_version,
    "UpdateRole": _update_role,
    "UpdateRoleDescription": _update_role_description,
    **{f"Attach{kind}Policy": _attach(find) for kind, find in named.PRINCIPALS.items()},
    **{f"Detach{kind}Policy": _detach(find) for kind, find in named.PRINCIPALS.items()},
    **{f"Get{kind}Policy": _get_inline(kind, find) for kind, find in named.PRINCIPALS.items()},
    **{f"Put{kind}Policy": _put_inline(find) for kind, find in named.PRINCIPALS.items()},
    **{f"Delete{kind}Policy": _delete_inline(kind, find) for kind, find in named.PRINCIPALS.items()},
    **{f"Tag{kind}": _tag(find, folded=folded) for kind, (find, folded) in named.TAGGED.items()},
    **{f"Untag{kind}": _untag(find, folded=folded) for kind, (find, folded) in named.TAGGED.items()},
}
