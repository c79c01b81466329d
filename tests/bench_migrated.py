"""What becomes of a generated account: the same people, in new groups and, half of them, new roles.

Most statements are kept; the others are dropped, narrowed or widened, so that a comparison has something to find.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from msgspec import structs

from secmigrate.iam import Document, Group, Policy, Role, Seen, Snapshot, User, is_aws_policy
from tests.bench_documents import IAM, Statement

_LEVELS = {
    "read": ["cloudwatch:Get*", "cloudwatch:List*", "logs:Get*", "logs:Describe*", "tag:Get*"],
    "write": ["cloudwatch:*", "logs:*", "xray:*", "support:*"],
}
_ROLE = re.compile(r'(?<=")arn:aws:iam::[0-9]{12}:role/[^"]+(?=")')
_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def migrated(snapshot: Snapshot, seed: int = 1) -> Snapshot:
    """The end of a migration: every group and about half of the roles replaced, what only they used is gone."""
    return _Migration(snapshot, seed).done()


class _Migration:
    def __init__(self, snapshot: Snapshot, seed: int) -> None:
        self.before = snapshot
        self.rng = Random(seed)
        self.renamed = {name: f"{name}-sec" for name in snapshot.roles if self.rng.random() < 0.5}
        self.arns = {
            snapshot.arn(role): f"{IAM}role{role.path}{self.renamed[name]}"
            for name, role in snapshot.roles.items()
            if name in self.renamed
        }
        self.policies: dict[str, Policy] = {}  # the new policies, by the ARN of the old one

    def done(self) -> Snapshot:
        before = self.before
        levels = {level: self._level(level) for level in _LEVELS}
        groups = {group.name: self._group(group, levels) for group in before.groups.values()}
        roles = {role.name: role for role in map(self._role, before.roles.values())}
        users = {user.name: self._user(user, groups) for user in before.users.values()}
        everybody = (*groups.values(), *roles.values(), *users.values())
        used = {arn for one in everybody for arn in (*one.attached, getattr(one, "boundary", ""))}
        kept = {arn: policy for arn, policy in before.policies.items() if arn in used or arn not in self.policies}
        new = (*self.policies.values(), *levels.values())
        profiles = {
            name: structs.replace(one, roles=tuple(self.renamed.get(role, role) for role in one.roles))
            for name, one in before.instance_profiles.items()
        }
        return structs.replace(
            before,
            users=users,
            groups={one.name: one for one in groups.values()},
            roles=roles,
            policies={**kept, **{policy.arn: policy for policy in new}},
            instance_profiles=profiles,
        )

    def _level(self, level: str) -> Policy:
        statement = {"Effect": "Allow", "Action": _LEVELS[level], "Resource": "*"}
        document = Document({"Version": "2012-10-17", "Statement": [statement]})
        return Policy(arn=f"{IAM}policy/sec-level-{level}", document=document)

    def _group(self, old: Group, levels: Mapping[str, Policy]) -> Group:
        level = "write" if old.name.endswith(("admins", "operators")) else "read"
        left = 5_120 - sum(document.size for document in old.inline.values())
        return Group(
            name=f"sec-{old.name}",
            inline={
                name: self._edited(document, document.size + left // len(old.inline))
                for name, document in old.inline.items()
            },
            attached=(*map(self._replaced, old.attached), levels[level].arn),
        )

    def _role(self, old: Role) -> Role:
        trust = self._renamed(old.trust)
        if old.name not in self.renamed:
            return structs.replace(old, trust=trust)
        return structs.replace(
            old,
            name=self.renamed[old.name],
            trust=trust,
            inline={name: self._edited(document, 10_240) for name, document in old.inline.items()},
            attached=tuple(map(self._replaced, old.attached)),
            seen=Seen(),
        )

    def _user(self, old: User, groups: Mapping[str, Group]) -> User:
        return structs.replace(old, groups=tuple(groups[name].name for name in old.groups))

    def _replaced(self, arn: str) -> str:
        """The ARN of what stands for that policy now; AWS's own stay."""
        if is_aws_policy(arn):
            return arn
        if arn not in self.policies:
            old = self.before.policies[arn]
            new = arn.replace(":policy/", ":policy/sec-")
            self.policies[arn] = Policy(arn=new, document=self._edited(old.document, 6_144))
        return self.policies[arn].arn

    def _edited(self, document: Document, most: int) -> Document:
        """The document with a tenth of its statements changed; what would not fit into `most` characters is dropped."""
        found = self._renamed(document).statements
        edited = [after for before in found if (after := self._statement(before)) is not None] or found
        while (new := Document({"Version": "2012-10-17", "Statement": edited})).size > most:
            edited.pop()
        return new

    def _statement(self, old: Statement) -> Statement | None:
        """In a hundred: three dropped, four narrowed, four widened."""
        roll = self.rng.random()
        if roll < 0.03:
            return None
        if roll > 0.11 or "Resource" not in old:
            return old
        arns = [old["Resource"]] if isinstance(old["Resource"], str) else old["Resource"]
        if roll > 0.07:
            wider = sorted({re.sub(r"-[^-:/]+(/\*)?$", r"-*\1", arn) for arn in arns})
            return {**old, "Resource": wider}
        if len(arns) > 1:
            return {**old, "Resource": arns[1:]}
        return {**old, "Condition": {**old.get("Condition", {}), **_MFA}}

    def _renamed(self, document: Document) -> Document:
        """The document with the new ARNs of roles for the old ones."""
        return Document.parse(_ROLE.sub(lambda found: self.arns.get(found[0], found[0]), document.text))
