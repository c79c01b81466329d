"""What must be gone before a thing can be deleted: one list a kind of thing, in AWS's own words.

The lists are whole: moto refuses some of it too, but which, is not for a reader to remember.

Source: AWS API reference, *DeleteUser*, *DeleteGroup*, *DeleteRole*, *DeletePolicy*, *DeleteInstanceProfile*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from secmigrate.twin import named
from secmigrate.twin.account import Account
from secmigrate.twin.named import Params
from secmigrate.twin.refusal import Refusal


class Remains(NamedTuple):
    """Something that keeps a thing from being deleted."""

    message: str
    there: Callable[[Account, Params], object]  # truthy while it is there


_DETACH = "Cannot delete entity, must detach all policies first."
_INLINE = "Cannot delete entity, must delete policies first."

REMAINS: Mapping[str, tuple[Remains, ...]] = {
    "DeleteGroup": (
        Remains("Cannot delete entity, must remove users from group first.", lambda a, p: named.group(a, p).users),
        Remains(_DETACH, lambda a, p: named.group(a, p).managed_policies),
        Remains(_INLINE, lambda a, p: named.group(a, p).policies),
    ),
    "DeleteRole": (
        Remains(
            "Cannot delete entity, must remove roles from instance profile first.",
            lambda a, p: a.profiles_of(named.role(a, p)),
        ),
        Remains(_DETACH, lambda a, p: named.role(a, p).managed_policies),
        Remains(_INLINE, lambda a, p: named.role(a, p).policies),
    ),
    "DeleteUser": (
        Remains(
            "Cannot delete entity, must remove users from group first.",
            lambda a, p: a.groups_of(named.user(a, p)),
        ),
        Remains(_DETACH, lambda a, p: named.user(a, p).managed_policies),
        Remains(_INLINE, lambda a, p: named.user(a, p).policies),
        Remains("Cannot delete entity, must delete access keys first.", lambda a, p: named.user(a, p).access_keys),
        Remains("Cannot delete entity, must delete login profile first.", lambda a, p: named.user(a, p).password),
        Remains("Cannot delete entity, must delete MFA device first.", lambda a, p: named.user(a, p).mfa_devices),
    ),
    "DeletePolicy": (
        Remains(
            "Cannot delete a policy attached to entities.",
            lambda a, p: a.attachments()[p["PolicyArn"]] or a.boundaries()[p["PolicyArn"]],
        ),
        Remains(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy.",
            lambda a, p: len(named.policy(a, p).versions) > 1,
        ),
    ),
    "DeletePolicyVersion": (
        Remains(
            "Cannot delete the default version of a policy.",
            lambda a, p: named.policy(a, p).default_version_id == p["VersionId"],
        ),
    ),
    "DeleteInstanceProfile": (
        Remains(
            "Cannot delete entity, must remove roles from instance profile first.",
            lambda a, p: named.profile(a, p).roles,
        ),
    ),
}


def check(account: Account, action: str, params: Params) -> None:
    """Raises DeleteConflict while something remains that has to go first."""
    for remains in REMAINS.get(action, ()):
        if remains.there(account, params):
            raise Refusal("DeleteConflict", remains.message)
