"""Which policy documents IAM takes. moto's own validator, which was written against AWS, and what it forgets."""

from __future__ import annotations

from moto.iam.policy_validation import BaseIAMPolicyValidator, IAMPolicyDocumentValidator

from secmigrate.errors import BadInput
from secmigrate.iam import Document
from secmigrate.twin.account import Account
from secmigrate.twin.entities import Group
from secmigrate.twin.refusal import Refusal

_VERSION, _OLD_VERSION = "2012-10-17", "2008-10-17"


def check_inline_policy(text: str) -> None:
    """Raises MalformedPolicyDocument unless a user, group or role may carry this document."""
    document = _parsed(text)
    IAMPolicyDocumentValidator(_acceptable(document)).validate()
    if any("Principal" in statement or "NotPrincipal" in statement for statement in document.statements):
        raise _malformed("Policy document should not specify a principal.")


def check_managed_policy(text: str) -> None:
    """The same for a managed policy, which must be of the newer version besides."""
    if _parsed(text).value.get("Version") != _VERSION:
        raise _malformed("Policy document must be version 2012-10-17 or greater.")
    check_inline_policy(text)


def check_trust_policy(account: Account, text: str) -> None:
    """Raises MalformedPolicyDocument unless a role of `account` may have this trust policy.

    Principals of this account must exist; those of other accounts cannot be looked up here and are believed.
    """
    document = _parsed(text)
    BaseIAMPolicyValidator(_acceptable(document)).validate()
    for statement in document.statements:
        if "Resource" in statement or "NotResource" in statement:
            raise _malformed("Has prohibited field Resource")
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise _malformed("Missing required field Principal")
        if not all(action.lower().startswith("sts:") for action in _listed(statement.get("Action"))):
            raise _malformed("AssumeRole policy may only specify STS AssumeRole actions.")
    for principal in document.aws_principals:
        if not _exists(account, principal):
            raise _malformed(f'Invalid principal in policy: "AWS":"{principal}"')


def _acceptable(document: Document) -> str:
    """The document as moto's validator can take it, which is too strict in two ways.

    It refuses documents of 2008, which IAM still takes for inline and trust policies, and numbers in conditions, which
    are part of the grammar (AWS, *Grammar of the IAM JSON policy language*).
    """
    value = document.value
    if value.get("Version", _OLD_VERSION) == _OLD_VERSION:
        value["Version"] = _VERSION
    return Document(_spelled(value)).text


def _spelled(value: object, *, inside: bool = False) -> object:
    """A document with the numbers inside its conditions as strings."""
    if isinstance(value, dict):
        return {key: _spelled(part, inside=inside or key == "Condition") for key, part in value.items()}
    if isinstance(value, list):
        return [_spelled(part, inside=inside) for part in value]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if inside and number else value


def _parsed(text: str) -> Document:
    try:
        return Document.parse(text)
    except BadInput:
        raise _malformed("This policy contains invalid Json") from None


def _malformed(message: str) -> Refusal:
    return Refusal("MalformedPolicyDocument", message)


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _exists(account: Account, principal: str) -> bool:
    """Whether a trust policy may name this principal.

    Source: AWS, *AWS JSON policy elements: Principal*. A group cannot be one, and no part of an ARN may be a wildcard.
    """
    parts = principal.split(":", 5)
    if len(parts) < 6:  # "*", an account id, or a unique id that IAM showed in place of somebody deleted
        if principal[:4] in ("AIDA", "AROA"):
            return any(one.id == principal for one in account.principals())
        return principal == "*" or (principal.isdigit() and len(principal) == 12)
    _, partition, service, _, number, resource = parts
    if partition != account.partition or "*" in principal:
        return False
    if service == "sts" or number != account.account_id:
        return True
    if resource == "root":
        return True
    return any(one.arn == principal for one in account.principals() if not isinstance(one, Group))
