"""STS, as far as a migration needs it: who am I, and can this role be assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from secmigrate.iam import Document
from secmigrate.twin.account import Account, unique_id
from secmigrate.twin.entities import Role
from secmigrate.twin.named import Params
from secmigrate.twin.refusal import Refusal


class Caller(NamedTuple):
    """Who signed a request."""

    arn: str
    id: str

    @property
    def account(self) -> str:
        """The id of the account that it belongs to."""
        return self.arn.split(":")[4]


class Sessions:
    """Who calls, by access key: the twin's one caller, or a role that was assumed before."""

    def __init__(self, account: Account, arn: str | None) -> None:
        arn = arn or f"arn:{account.partition}:iam::{account.account_id}:user/migration-operator"
        ids = {one.arn: one.id for one in account.principals()}
        self._default = Caller(arn, ids.get(arn) or unique_id("AIDA", arn))
        self._assumed: dict[str, tuple[Caller, datetime]] = {}

    def caller(self, access_key: str) -> Caller:
        """Whose key it is."""
        return self._assumed[access_key][0] if access_key in self._assumed else self._default

    def check(self, access_key: str, now: datetime) -> None:
        """Raises ExpiredToken for the key of a session that is over."""
        if access_key in self._assumed and self._assumed[access_key][1] <= now:
            raise Refusal("ExpiredToken", "The security token included in the request is expired")

    def assumed(self, caller: Caller, until: datetime) -> str:
        """The access key of a new session."""
        access_key = unique_id("ASIA", caller, len(self._assumed))[:20]
        self._assumed[access_key] = (caller, until)
        return access_key


def get_caller_identity(account: Account, _sessions: Sessions, caller: Caller, _params: Params) -> dict[str, Any]:
    """Whose access key it is; needs no permission."""
    return {"UserId": caller.id, "Account": account.account_id, "Arn": caller.arn}


def assume_role(account: Account, sessions: Sessions, caller: Caller, params: Params) -> dict[str, Any]:
    """A session of a role of this account. Of its trust policy only the external id is looked at.

    Raises AccessDenied for a role that is not there, as AWS does, and ValidationError for too long a session.
    """
    role = _role(account, params["RoleArn"])
    if role is None or not _lets_in(role, params.get("ExternalId", "")):
        raise Refusal(
            "AccessDenied",
            f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {params['RoleArn']}",
        )
    seconds = params.get("DurationSeconds", 3600)
    if seconds > int(role.max_session_duration or 3600):
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise Refusal("ValidationError", message)
    session = f"{role.name}/{params['RoleSessionName']}"
    arn = f"arn:{account.partition}:sts::{account.account_id}:assumed-role/{session}"
    assumed = Caller(arn, f"{role.id}:{params['RoleSessionName']}")
    until = account.now() + timedelta(seconds=seconds)
    return {
        "Credentials": {
            "AccessKeyId": sessions.assumed(assumed, until),
            "SecretAccessKey": unique_id("", arn, "secret") * 2,
            "SessionToken": unique_id("", arn, "token") * 8,
            "Expiration": until,
        },
        "AssumedRoleUser": {"AssumedRoleId": assumed.id, "Arn": assumed.arn},
    }


def _role(account: Account, arn: str) -> Role | None:
    return next((role for role in account.each_role() if role.arn == arn), None)


def _lets_in(role: Role, external_id: str) -> bool:
    """Whether that is the external id which the trust policy asks for, if it asks for one."""
    wanted: list[str] = []
    for row in Document.parse(role.assume_role_policy_document).statements:
        found = row.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId", [])
        wanted += [found] if isinstance(found, str) else found
    return not wanted or external_id in wanted


Call = Callable[[Account, Sessions, Caller, Params], dict[str, Any]]

CALLS: Mapping[str, Call] = {"AssumeRole": assume_role, "GetCallerIdentity": get_caller_identity}
