"""Policies: attached and inline ones of users, groups and roles, and managed ones with their versions."""

from __future__ import annotations

from typing import Any, ClassVar

from secmigrate.iam import Document, Policy, PrincipalKind, Seen, Snapshot, Version, is_aws_policy
from secmigrate.operations.base import (
    LOSES_IDENTITY,
    MAY_RAISE,
    Impossible,
    Operation,
    Phase,
    changed,
    created,
    dropped,
    not_given_back,
    policy_of,
    principal_of,
    tag_list,
)
from secmigrate.operations.call import Call


class _OfPrincipal(Operation, frozen=True, kw_only=True):
    principal: PrincipalKind
    name: str

    @property
    def subject(self) -> tuple[str, str]:
        return (self.principal, self.name)

    def _call(self, verb: str, **params: str) -> Call:
        kind = self.principal.capitalize()
        return Call(f"{verb}{kind}Policy", {f"{kind}Name": self.name, **params})


class _Attachment(_OfPrincipal, frozen=True, kw_only=True):
    arn: str
    may_be_withdrawn: bool = False  # whether AWS's catalogue does not have this policy of AWS's any more

    @property
    def relies_on(self) -> frozenset[tuple[str, str]]:
        return frozenset({("policy", self.arn)})


class AttachPolicy(_Attachment, frozen=True, kw_only=True):
    """A managed policy for a user, group or role."""

    phase = "grant"

    def call(self) -> Call:
        return self._call("Attach", PolicyArn=self.arn)

    def undo(self) -> DetachPolicy:
        return DetachPolicy(
            principal=self.principal, name=self.name, arn=self.arn, may_be_withdrawn=self.may_be_withdrawn
        )

    def applied(self, snapshot: Snapshot) -> Snapshot:
        if not is_aws_policy(self.arn):  # AWS's own exist everywhere, whether the snapshot knows them or not
            policy_of(snapshot, self.arn)
        one = principal_of(snapshot, self.principal, self.name)
        if self.arn in one.attached:
            return snapshot
        return changed(snapshot, one, attached=(*one.attached, self.arn))


class DetachPolicy(_Attachment, frozen=True, kw_only=True):
    """A user, group or role without a managed policy that it had."""

    phase = "strip"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return self._call("Detach", PolicyArn=self.arn)

    def undo(self) -> AttachPolicy:
        return AttachPolicy(
            principal=self.principal, name=self.name, arn=self.arn, may_be_withdrawn=self.may_be_withdrawn
        )

    def applied(self, snapshot: Snapshot) -> Snapshot:
        one = principal_of(snapshot, self.principal, self.name)
        if self.arn not in one.attached:
            return snapshot
        return changed(snapshot, one, attached=tuple(arn for arn in one.attached if arn != self.arn))

    @property
    def caveat(self) -> str:
        return (
            "AWS may have withdrawn the policy, and then it cannot be attached again" if self.may_be_withdrawn else ""
        )


class _Inline(_OfPrincipal, frozen=True, kw_only=True):
    policy: str
    document: Document


class PutInlinePolicy(_Inline, frozen=True, kw_only=True):
    """A new inline policy. Never over one that is there: a put that overwrites could not be told from one that adds."""

    phase: ClassVar[Phase] = "grant"

    def call(self) -> Call:
        return self._call("Put", PolicyName=self.policy, PolicyDocument=self.document.text)

    def undo(self) -> DeleteInlinePolicy:
        return DeleteInlinePolicy(principal=self.principal, name=self.name, policy=self.policy, document=self.document)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        one = principal_of(snapshot, self.principal, self.name)
        there = one.inline.get(self.policy)
        if there == self.document:
            return snapshot
        if there is not None:
            raise Impossible(f"inline policy {self.policy} exists already and differs", where=snapshot.arn(one))
        return changed(snapshot, one, inline={**one.inline, self.policy: self.document})


class DeleteInlinePolicy(_Inline, frozen=True, kw_only=True):
    """A user, group or role without an inline policy that it had."""

    phase: ClassVar[Phase] = "strip"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return self._call("Delete", PolicyName=self.policy)

    def undo(self) -> PutInlinePolicy:
        return PutInlinePolicy(principal=self.principal, name=self.name, policy=self.policy, document=self.document)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        one = principal_of(snapshot, self.principal, self.name)
        there = one.inline.get(self.policy)
        if there is None:
            return snapshot
        if there != self.document:
            raise Impossible(f"inline policy {self.policy} is not as planned", where=snapshot.arn(one))
        return changed(snapshot, one, inline={key: kept for key, kept in one.inline.items() if key != self.policy})

    @property
    def caveat(self) -> str:
        return MAY_RAISE if denies(self.document) else ""


class QuarantineRole(PutInlinePolicy, frozen=True, kw_only=True):
    """An inline policy that denies a role everything: it is still there, and nobody gets anything from it."""

    phase = "revoke"

    def undo(self) -> ReleaseRole:
        return ReleaseRole(principal=self.principal, name=self.name, policy=self.policy, document=self.document)

    @property
    def caveat(self) -> str:
        return "sessions of the role that are open lose everything at once as well; undoing it is this one call"


class ReleaseRole(DeleteInlinePolicy, frozen=True, kw_only=True):
    """The role as it was before it was put in quarantine."""

    phase = "grant"

    def undo(self) -> QuarantineRole:
        return QuarantineRole(principal=self.principal, name=self.name, policy=self.policy, document=self.document)

    @property
    def caveat(self) -> str:
        return ""


class _OfPolicy(Operation, frozen=True, kw_only=True):
    policy: Policy  # bare: with its default version only

    @property
    def subject(self) -> tuple[str, str]:
        return ("policy", self.policy.arn)


class CreatePolicy(_OfPolicy, frozen=True, kw_only=True):
    """A customer-managed policy with one version."""

    phase = "grant"
    already = ("EntityAlreadyExists",)

    def call(self) -> Call:
        policy = self.policy
        params: dict[str, Any] = {
            "PolicyName": policy.name,
            "Path": policy.path,
            "PolicyDocument": policy.document.text,
        }
        if policy.description:
            params["Description"] = policy.description
        return Call("CreatePolicy", params | tag_list(policy.tags))

    def undo(self) -> DeletePolicy:
        return DeletePolicy(policy=self.policy)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        return created(snapshot, self.policy)


class DeletePolicy(_OfPolicy, frozen=True, kw_only=True):
    """A customer-managed policy that nothing uses, after its other versions."""

    phase = "delete"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return Call("DeletePolicy", {"PolicyArn": self.policy.arn})

    def undo(self) -> CreatePolicy:
        return CreatePolicy(policy=self.policy)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        if users := snapshot.uses(self.policy.arn):
            raise Impossible(f"{users[0].kind} {users[0].name} still uses it", where=self.policy.arn)
        return dropped(snapshot, self.policy)

    @property
    def caveat(self) -> str:
        return f"{LOSES_IDENTITY}; version numbers start at v1 again{not_given_back(self.policy)}"


class _OfVersion(Operation, frozen=True, kw_only=True):
    arn: str
    document: Document
    version: str  # what IAM calls it: v3
    nth: int = 1  # a policy may keep the same document more than once: with how many copies this is the last one

    @property
    def subject(self) -> tuple[str, str]:
        return ("policy", self.arn)


class CreatePolicyVersion(_OfVersion, frozen=True, kw_only=True):
    """A further version, not the default one. `version` is its former number: IAM will choose a new one."""

    phase = "grant"

    def call(self) -> Call:
        params = {"PolicyArn": self.arn, "PolicyDocument": self.document.text, "SetAsDefault": False}
        return Call("CreatePolicyVersion", params)

    def undo(self) -> DeletePolicyVersion:
        return DeletePolicyVersion(arn=self.arn, document=self.document, version=self.version, nth=self.nth)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        policy = policy_of(snapshot, self.arn)
        new = Version(document=self.document, seen=Seen(id=self.version))
        if policy.older.count(new) >= self.nth:
            return snapshot
        return changed(snapshot, policy, older=(*policy.older, new))


class DeletePolicyVersion(_OfVersion, frozen=True, kw_only=True):
    """A policy without one of its versions that are not the default."""

    phase = "strip"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return Call("DeletePolicyVersion", {"PolicyArn": self.arn, "VersionId": self.version})

    def undo(self) -> CreatePolicyVersion:
        return CreatePolicyVersion(arn=self.arn, document=self.document, version=self.version, nth=self.nth)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        policy = policy_of(snapshot, self.arn)
        gone = Version(document=self.document)
        if policy.older.count(gone) < self.nth:
            return snapshot
        older = list(policy.older)
        older.remove(gone)
        return changed(snapshot, policy, older=tuple(older))

    @property
    def caveat(self) -> str:
        return "undoing it gives the version a new number and date"


def denies(document: Document) -> bool:
    """Whether a statement of the document is a Deny."""
    return any(statement.get("Effect") == "Deny" for statement in document.statements)
