"""What can be changed: one class is one AWS call, one inverse, one step of the fold. Two of the calls are the
provisioner's (`not ours`).
"""

from __future__ import annotations

from secmigrate.operations.base import PHASES, Impossible, Operation, Phase
from secmigrate.operations.call import Call
from secmigrate.operations.instance_profiles import (
    AddRoleToInstanceProfile,
    CreateInstanceProfile,
    DeleteInstanceProfile,
    RemoveRoleFromInstanceProfile,
)
from secmigrate.operations.memberships import AddUserToGroup, RemoveUserFromGroup
from secmigrate.operations.policies import (
    AttachPolicy,
    CreatePolicy,
    CreatePolicyVersion,
    DeleteInlinePolicy,
    DeletePolicy,
    DeletePolicyVersion,
    DetachPolicy,
    PutInlinePolicy,
    QuarantineRole,
    ReleaseRole,
)
from secmigrate.operations.principals import (
    CreateGroup,
    CreateRole,
    DeleteGroup,
    DeleteRole,
    RenameGroup,
    UpdateTrustPolicy,
)
from secmigrate.operations.stacks import CreateStack, DeleteStack

AnyOperation = (
    CreateGroup
    | CreatePolicy
    | CreatePolicyVersion
    | CreateRole
    | CreateInstanceProfile
    | PutInlinePolicy
    | AttachPolicy
    | AddRoleToInstanceProfile
    | AddUserToGroup
    | ReleaseRole
    | UpdateTrustPolicy
    | RemoveUserFromGroup
    | RenameGroup
    | QuarantineRole
    | DetachPolicy
    | DeleteInlinePolicy
    | RemoveRoleFromInstanceProfile
    | DeletePolicyVersion
    | DeleteGroup
    | DeleteRole
    | DeletePolicy
    | DeleteInstanceProfile
    | CreateStack
    | DeleteStack
)

__all__ = [
    "PHASES",
    "AddRoleToInstanceProfile",
    "AddUserToGroup",
    "AnyOperation",
    "AttachPolicy",
    "Call",
    "CreateGroup",
    "CreateInstanceProfile",
    "CreatePolicy",
    "CreatePolicyVersion",
    "CreateRole",
    "CreateStack",
    "DeleteGroup",
    "DeleteInlinePolicy",
    "DeleteInstanceProfile",
    "DeletePolicy",
    "DeletePolicyVersion",
    "DeleteRole",
    "DeleteStack",
    "DetachPolicy",
    "Impossible",
    "Operation",
    "Phase",
    "PutInlinePolicy",
    "QuarantineRole",
    "ReleaseRole",
    "RemoveRoleFromInstanceProfile",
    "RemoveUserFromGroup",
    "RenameGroup",
    "UpdateTrustPolicy",
]
