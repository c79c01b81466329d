"""STS, as far as a migration needs it: who am I, and can this role be assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from secmigrate.twin.account import Account, unique_id
from secmigrate.twin.entities import Role
from secmigrate.twin.named import Params
from secmigrate.twin.refusal import Refusal


class Caller(NamedTuple):
    """Who signed a request."""

    arn: str
    id: str


class Sessions:
    """Who calls, by access key: the twin's one caller, or a role that was assumed before."""

    def __init__(self, account: Account, arn: str | None) -> None:
        arn = arn or f"arn:{account.partition}:iam::{account.account_id}:user/migration-operator"
        ids = {one.arn: one.id for one in account.principals()}
        self._default = Caller(arn, ids.get(arn) or unique_id("AIDA", arn))
        self._assumed: dict[str, Caller] = {}

    def caller(self, access_key: str) -> Caller:
        return self._assumed.get(access_key, self._default)

    def assumed(self, caller: Caller) -> str:
        """The access key of a new session."""
        access_key = unique_id("ASIA", caller, len(self._assumed))[:20]
        self._assumed[access_key] = caller
        return access_key


def get_caller_identity(account: Account, _sessions: Sessions, caller: Caller, _params: Params) -> dict[str, Any]:
    """Whose access key it is; needs no permission."""
    return {"UserId": caller.id, "Account": account.account_id, "Arn": caller.arn}


def assume_role(account: Account, sessions: Sessions, caller: Caller, params: Params) -> dict[str, Any]:
    """A session of a role that is there. Whether its trust policy lets the caller in is not looked at.

    Raises AccessDenied for a role that is not there, as AWS does, and ValidationError for too long a session.
    """
    role = _role(account, params["RoleArn"])
    if role is None:
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
    return {
        "Credentials": {
            "AccessKeyId": sessions.assumed(assumed),
            "SecretAccessKey": unique_id("", arn, "secret") * 2,
            "SessionToken": unique_id("", arn, "token") * 8,
            "Expiration": account.now() + timedelta(seconds=seconds),
        },
        "AssumedRoleUser": {"AssumedRoleId": assumed.id, "Arn": assumed.arn},
    }


def _role(account: Account, arn: str) -> Role | None:
    return next((role for role in account.each_role() if role.arn == arn), None)


Call = Callable[[Account, Sessions, Caller, Params], dict[str, Any]]

CALLS: Mapping[str, Call] = {"AssumeRole": assume_role, "GetCallerIdentity": get_caller_identity}
