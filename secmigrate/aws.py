"""AWS, as far as secmigrate needs it. The only file that imports boto3, and therefore longer than others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import datetime
from functools import cache, partial
from threading import Lock
from typing import Any, NamedTuple

import boto3
import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, Credentials, DeferredRefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConnectionClosedError,
    HTTPClientError,
    InvalidConfigError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.handlers import json_decode_policies
from botocore.loaders import Loader, create_loader
from botocore.model import OperationModel
from botocore.utils import parse_timestamp

from secmigrate.deployment import StackEvent, Standing
from secmigrate.errors import AwsRefused, AwsSilent, BadInput, Failed
from secmigrate.operations import Call
from secmigrate.pace import Pace

# How fast is the `Pace`'s business; IAM's rates are not published (iam-rules, "Writing").
_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 8},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=16,  # the most that --at-once takes
    user_agent_extra="secmigrate",
)
_ONCE = frozenset({"CreatePolicyVersion"})  # every call makes another version; all others say "already" or do nothing
_LEFT = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})  # resources that are in their stack no more
_THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestThrottled", "TooManyRequestsException"}
)
_SESSION = "secmigrate"  # how sessions of assumed roles are called in CloudTrail
DEFAULT_REGION = "us-east-1"  # IAM is global; only the partition of the region matters


_HINTS = {
    "AccessDenied": "the credentials may not do this; ask for the permission that the message names",
    "InvalidClientTokenId": "the credentials are not known to AWS; log in again",
    "ExpiredToken": "the credentials have expired; log in again",
    "SignatureDoesNotMatch": "the secret key does not fit the key id; check the profile",
    "Throttling": "AWS is asked for too much at once; wait a minute, then run this again",
    "AccessDeniedException": "only the management account and its delegated administrators may list an organization's "
    "accounts; name them yourself with --accounts FILE",
    "AWSOrganizationsNotInUseException": "name the accounts yourself with --accounts FILE",
}
_NOT_LET_IN = (
    "the role must exist there, its trust policy must let these credentials in (and may ask for an --external-id), and "
    "they need sts:AssumeRole on it; a suspended account lets nobody in"
)


class Listed(NamedTuple):
    """An account as Organizations lists it."""

    account: str
    name: str
    state: str  # ACTIVE, or why not


class _Clients:
    """What all accounts of a run share: a client and a pace for each service, made when it is first asked. A service is
    named like `iam`, or with a region of its own, like `cloudformation eu-central-1`.

    A client costs as much as a small inventory, and a connection more, so there is none per account: who signs is
    decided call by call.
    """

    def __init__(self, session: boto3.Session, endpoint: str | None) -> None:
        self._session, self._endpoint = session, endpoint
        self._home = session.region_name or DEFAULT_REGION
        self._made: dict[str, Any] = {}
        self.paces: dict[str, Pace] = {}
        self._lock = Lock()
        self._answered = False

    def client(self, service: str) -> Any:
        """The one client of that service."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> Any:
        name, _, region = service.partition(" ")
        if name == "resourcegroupstaggingapi":
            region = _global_region(self._home)  # where all of IAM's tags lie (AWS: services that support tagging)
        client = self._session.client(  # type: ignore[call-overload]  # a name from a table, not a literal
            name, endpoint_url=self._endpoint, region_name=region or self._home, config=_CONFIG
        )
        pace, events = self.paces.setdefault(service, Pace()), client.meta.events
        events.register("before-send", lambda **_: pace.take())
        events.register_first("needs-retry", partial(self._at_first, pace))
        if service == "iam":  # documents stay text: botocore would make objects of them, and we text again
            events.unregister("after-call.iam", json_decode_policies)
        if service != "sts":  # a role is always assumed by the caller itself
            events.register("before-sign", _sign)
        return client

    def _at_first(
        self,
        pace: Pace,
        response: tuple[Any, dict[str, Any]] | None = None,
        caught_exception: Exception | None = None,
        operation: OperationModel | None = None,
        **_: object,
    ) -> None:
        """Until something has answered, a connection that fails is a wrong address: it is not tried again. Nor is a
        call, once its answer is lost, that would do the same thing twice.
        """
        if caught_exception is None:
            self._answered = True
            code = response[1].get("Error", {}).get("Code", "") if response else ""
            pace.answered(throttled=code in _THROTTLED, who=_SIGNER.get())
            return
        once = operation is not None and operation.name in _ONCE
        if once or (isinstance(caught_exception, NoConnection) and not self._answered):
            raise caught_exception


@cache
def _models(where: str | None) -> Loader:
    """AWS's models, read once: the wizard and the demo look at an account again and again, each time with clients of
    their own.
    """
    return create_loader(where)


# Whose credentials sign what this thread sends; nobody's: those of the AWS environment.
_SIGNER: ContextVar[Credentials | None] = ContextVar("_SIGNER", default=None)


def _sign(request: AWSRequest, **_: object) -> None:
    if signer := _SIGNER.get():
        request.context.setdefault("signing", {})["request_credentials"] = signer


class Aws:
    """One account. Making one talks to nobody; every method may raise AwsRefused and AwsSilent."""

    def __init__(self, profile: str | None = None, region: str | None = None, endpoint: str | None = None) -> None:
        """Raises BadInput if the profile or the AWS configuration files cannot be used."""
        self._role = ""
        self._signer: Credentials | None = None
        try:
            inner = botocore.session.Session(profile=profile)
            inner.register_component("data_loader", _models(inner.get_config_variable("data_path")))
            inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
            session = boto3.Session(botocore_session=inner, profile_name=profile, region_name=region)
            self.region = session.region_name or ""
            self._clients = _Clients(session, endpoint)
            for service in ("iam", "sts", "resourcegroupstaggingapi"):
                self._clients.client(service)
        except ProfileNotFound as error:
            known = ", ".join(boto3.Session().available_profiles) if not _broken_config() else ""
            hint = f"known profiles: {known}" if known else "set it up with `aws configure --profile NAME`"
            raise BadInput(str(error), where="--profile or AWS_PROFILE", hint=hint) from None
        except (ConfigNotFound, InvalidConfigError, PartialCredentialsError, BotoCoreError, ValueError) as error:
            raise BadInput(
                str(error), where="the AWS configuration", hint="check ~/.aws/config and the flags"
            ) from None

    def assuming(self, role: str, external_id: str = "") -> Aws:
        """The account of that role (an ARN), by the same clients, at the same pace.

        The role is assumed at the first call, and again when its credentials are about to expire. They lie in memory
        only. Where they cannot be had, every call raises what STS said, as `sts:AssumeRole`.
        """
        extra = {"RoleSessionName": _SESSION, **({"ExternalId": external_id} if external_id else {})}
        fetcher = AssumeRoleCredentialFetcher(
            lambda *_, **__: self._clients.client("sts"), Credentials("", ""), role, extra_args=extra, cache={}
        )
        found = copy(self)
        found._role = role
        found._signer = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        return found

    def identity(self) -> tuple[str, str]:
        """The caller's account id and ARN."""
        if self._signer is not None:
            with _in_words("sts:AssumeRole", self._role):
                self._signer.get_frozen_credentials()
            _, partition, _, _, account, name = self._role.split(":", 5)
            return account, f"arn:{partition}:sts::{account}:assumed-role/{name.rsplit('/', 1)[-1]}/{_SESSION}"
        answer = self._send("sts", "GetCallerIdentity", {})
        return answer["Account"], answer["Arn"]

    def organization(self) -> Iterator[Listed]:
        """All accounts of the organization that the caller may list."""
        more: dict[str, str] = {}
        while True:
            page = self._send("organizations", "ListAccounts", {"MaxResults": 20, **more})
            for row in page["Accounts"]:
                # `Status` is what AWS retired in September 2026; an endpoint may still know only that.
                yield Listed(row["Id"], row.get("Name", ""), row.get("State") or row.get("Status", ""))
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def send(self, call: Call) -> str:
        """Makes a call that changes something; gives AWS's request id."""
        answer = self._send("iam", call.method, dict(call.params))
        return str(answer.get("ResponseMetadata", {}).get("RequestId", ""))

    def read(self, method: str, **params: Any) -> dict[str, Any]:
        """Makes one reading call of IAM."""
        return self._send("iam", method, params)

    def pages(self, method: str, **params: Any) -> Iterator[dict[str, Any]]:
        """All pages of a reading call of IAM, at the largest page size: a page that is missed raises."""
        marker: dict[str, str] = {}
        while True:
            page = self._send("iam", method, {**params, **marker, "MaxItems": 1000})
            yield page
            if not page.get("IsTruncated"):
                return
            marker = {"Marker": page["Marker"]}

    def tagged(self, *kinds: str) -> Iterator[tuple[str, dict[str, str]]]:
        """ARN and tags of everything tagged of these kinds (`iam:policy`, `iam:instance-profile`)."""
        token = ""
        while True:
            page = self._send(
                "resourcegroupstaggingapi",
                "GetResources",
                {"ResourceTypeFilters": list(kinds), "ResourcesPerPage": 100, "PaginationToken": token},
            )
            for row in page["ResourceTagMappingList"]:
                yield row["ResourceARN"], {tag["Key"]: tag["Value"] for tag in row["Tags"]}
            token = page.get("PaginationToken") or ""
            if not token:
                return

    def stacks(self) -> list[Standing]:
        """All stacks of the region that are not deleted."""
        rows = self._all("DescribeStacks", "Stacks", {})
        return [
            Standing(name=row["StackName"], status=row["StackStatus"], reason=row.get("StackStatusReason", ""))
            for row in rows
        ]

    def stack_events(self, name: str) -> list[StackEvent]:
        """The events of a stack, newest first."""
        return [
            StackEvent(
                at=row["Timestamp"].isoformat(),
                logical=row["LogicalResourceId"],
                physical=row.get("PhysicalResourceId", ""),
                type=row["ResourceType"],
                status=row["ResourceStatus"],
                reason=row.get("ResourceStatusReason", ""),
            )
            for row in self._all("DescribeStackEvents", "StackEvents", {"StackName": name})
        ]

    def stack_resources(self, stack: str, region: str = "") -> dict[str, str] | None:
        """What AWS calls what lies in a stack (a name or an ARN), by logical id; None if there is no such stack."""
        service, params = self._stacks_of(region), {"StackName": stack}
        found: dict[str, str] = {}
        while True:
            try:
                page = self._send(service, "ListStackResources", params)
            except AwsRefused as error:
                if error.code == "ValidationError" and "does not exist" in error.message:
                    return None
                raise
            for row in page["StackResourceSummaries"]:
                if row.get("PhysicalResourceId") and row["ResourceStatus"] not in _LEFT:
                    found[row["LogicalResourceId"]] = row["PhysicalResourceId"]
            if not page.get("NextToken"):
                return found
            params = {"StackName": stack, "NextToken": page["NextToken"]}

    def importers(self, export: str, region: str = "") -> list[str]:
        """The names of the stacks that import an export. Source: AWS, *ListImports*."""
        found: list[str] = []
        params = {"ExportName": export}
        while True:
            try:
                page = self._send(self._stacks_of(region), "ListImports", params)
            except AwsRefused as error:
                if error.code == "ValidationError" and "not imported" in error.message:
                    return []
                raise
            found += page["Imports"]
            if not page.get("NextToken"):
                return sorted(found)
            params = {"ExportName": export, "NextToken": page["NextToken"]}

    def _stacks_of(self, region: str) -> str:
        """The name of the client for the stacks of a region."""
        return f"cloudformation {region or self.region or DEFAULT_REGION}"

    def _all(self, method: str, key: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """All rows of a list of CloudFormation's."""
        token: dict[str, str] = {}
        while True:
            page = self._send(self._stacks_of(""), method, {**params, **token})
            yield from page[key]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _send(self, service: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
        signer = _SIGNER.set(self._signer)
        try:
            with _in_words(f"{service.partition(' ')[0]}:{method}", self._role):
                answer: dict[str, Any] = getattr(self._clients.client(service), xform_name(method))(**params)
        finally:
            _SIGNER.reset(signer)
        return answer


@contextmanager
def _in_words(where: str, role: str = "") -> Iterator[None]:
    """Turns what botocore raises into our errors. `role` is the one that may have to be assumed on the way."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "Unknown")
        message = error.response.get("Error", {}).get("Message", str(error))
        hint = _HINTS.get(code, "")
        if error.operation_name == "AssumeRole":
            where = f"sts:AssumeRole {role}"
            hint = _NOT_LET_IN if code == "AccessDenied" else hint
        raise AwsRefused(code, message, where=where, hint=hint) from None
    except NoCredentialsError:
        raise Failed(
            "no AWS credentials found",
            where=where,
            hint="log in (`aws sso login`), or choose a profile with --profile or AWS_PROFILE",
        ) from None
    except ParamValidationError as error:
        raise BadInput(str(error), where=where) from None
    except NoConnection as error:
        hint = "check --endpoint-url, AWS_ENDPOINT_URL and the network"
        raise AwsSilent(str(error), where=where, hint=hint) from None
    except (ConnectionClosedError, HTTPClientError) as error:
        raise AwsSilent(f"no answer: {error}", where=where, hint="check the network, then run this again") from None
    except BotoCoreError as error:
        raise Failed(str(error), where=where, hint="log in again, or check the AWS profile") from None


def _moment(value: str) -> datetime:
    """A date in an answer. botocore's own way costs half of the time that an inventory takes: it guesses the form."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):  # a number, in JSON; or a form of its own
        return parse_timestamp(value)


def _global_region(region: str) -> str:
    prefixes = {"cn-": "cn-north-1", "us-gov-": "us-gov-west-1"}
    return next((home for prefix, home in prefixes.items() if region.startswith(prefix)), "us-east-1")


def _broken_config() -> bool:
    try:
        return boto3.Session().available_profiles is None
    except BotoCoreError:
        return True
