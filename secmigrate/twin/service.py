"""One account's IAM, STS and tagging API: a request in, an answer out. The refusals come before everything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import msgspec
from botocore.model import OperationModel
from moto.core.exceptions import ServiceException
from moto.core.request import Request
from moto.core.responses import ActionContext, ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

from secmigrate.iam import Usage
from secmigrate.twin import documents, organization, paging, refusals, shapes, shown, tagging, tokens
from secmigrate.twin.account import Account
from secmigrate.twin.calls import CALLS
from secmigrate.twin.lag import Past
from secmigrate.twin.lists import LISTS
from secmigrate.twin.named import Params
from secmigrate.twin.organization import Member
from secmigrate.twin.paging import Markers
from secmigrate.twin.refusal import Refusal
from secmigrate.twin.stacks import Stacks
from secmigrate.twin.tokens import Caller, Sessions
from secmigrate.twin.usage import ASK, FETCH, Reports

# The version that a query names says which service is meant. Source: botocore's service models.
_SERVICES = {"2010-05-08": "iam", "2011-06-15": "sts", "2010-05-15": "cloudformation"}

# Codes that every service has and no model lists. Source: AWS, *IAM common errors*.
_COMMON_STATUS = {"AccessDenied": 403, "ExpiredToken": 403, "NotImplemented": 501}

# Calls that name principals which must be known everywhere by now, and the parameter that names them.
_TRUST = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}

_ACCESS_KEY = re.compile(r"Credential=([A-Z0-9]+)/")
_JSON = "application/x-amz-json-1.1"
_REQUEST_ID = "request-id"  # the one that moto's serialiser writes


class Answer(NamedTuple):
    """What goes back over HTTP."""

    status: int
    body: str
    type: str = "text/xml"


class _Plain(ActionResult):
    """A result in the model's own names. moto would look for aliases of what is left out: slow, and sometimes wrong."""

    def execute_result(self, context: ActionContext) -> Any:
        serialized = context.serializer_class(operation_model=context.operation_model).serialize(self.result)
        return serialized["status_code"], serialized["headers"], serialized["body"]


class _Iam(IamResponse):
    """moto's answers, from the account it is given and not from the process's global one."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account

    @property
    def backend(self) -> IAMBackend:
        return self._account

    def get_current_account(self) -> str:
        return self._account.account_id


class _Query(BaseResponse):
    """moto's reading and writing of the query protocol; it answers nothing itself."""

    def __init__(self, service: str, account: Account) -> None:
        super().__init__(service_name=service)
        self.automated_parameter_parsing = True
        self.account = account

    def get_current_account(self) -> str:
        return self.account.account_id


class Service:
    """Answers requests. Not safe for threads: the server asks under its lock.

    `others` finds the account, by its id, that a role to assume is of. Without `members` it is in no organization.
    """

    def __init__(
        self,
        account: Account,
        *,
        sessions: Sessions,
        others: Callable[[str], Service | None],
        members: Sequence[Member],
        page_size: int | None,
        lag_seconds: float,
        usage: Usage | None,
        strike: Callable[[str], None] = lambda action: None,
    ) -> None:
        self.account = account
        self._sessions = sessions
        self._others = others
        self._members = members
        self._past = Past(account, lag_seconds)
        self._markers = Markers()
        self._page_size = page_size
        self._reports = Reports(usage)
        self._strike = strike  # raises Refusal where a call that a stack makes is to fail
        self.stacks = Stacks(account, self._make, self._markers, page_size)

    def answer(self, request: Request) -> Answer:
        """The answer to a request, errors included."""
        services = {
            "iam": self._iam,
            "sts": self._sts,
            "tag": self._tagging,
            "organizations": self._organizations,
            "cloudformation": self._cloudformation,
        }
        answer = services[service_of(request)]
        try:
            self._sessions.check(access_key_of(request), self.account.now())
            return answer(request)
        except ServiceException as error:
            return failure(request, error.code, error.message)

    def caller(self, request: Request) -> Caller:
        """Who signed a request. Signatures are not verified: any key will do."""
        return self._sessions.caller(access_key_of(request))

    def _sts(self, request: Request) -> Answer:
        operation = _operation(request)
        responder = _Query("sts", self._past.seen())
        _read(responder, request)
        params = responder.params
        shapes.check(operation, params)
        call = tokens.CALLS.get(operation.name)
        if call is None:
            raise _unimplemented(operation)
        account = responder.account
        if other := self._others(account_of(params.get("RoleArn", ""))):
            account = other._past.seen()
        result = call(account, self._sessions, self.caller(request), params)
        return _told(responder, _Plain(result))

    def _iam(self, request: Request) -> Answer:
        """The refusals, and then the one who knows the answer: a list, a call of ours, or moto."""
        operation = _operation(request)
        action = operation.name
        reads = action.startswith(("Get", "List"))
        account = self._past.seen() if reads else self.account
        responder = _Iam(account)
        _read(responder, request)
        params = responder.params
        if _names_caller(operation, params):
            params["UserName"] = self.caller(request).arn.rsplit("/", 1)[-1]
        refusals.check(account, operation, params)
        if action in _TRUST:
            documents.check_trust_policy(self._past.seen(), params[_TRUST[action]])
        if not reads:
            self._past.remember()
        if action in (ASK, FETCH):
            return _told(responder, _Plain(self._report(account, action, self.caller(request).arn, params)))
        if action in LISTS:
            return _told(responder, _Plain(self._list(account, operation, params)))
        if action in CALLS:
            return _told(responder, _Plain(CALLS[action](account, params)))
        method = getattr(responder, camelcase_to_underscores(action), None)
        if method is None:
            raise _unimplemented(operation)
        return _told(responder, method())

    def _cloudformation(self, request: Request) -> Answer:
        operation = _operation(request)
        responder = _Query("cloudformation", self.account)
        _read(responder, request)
        shapes.check(operation, responder.params)
        return _told(responder, _Plain(self.stacks.answer(operation.name, responder.params)))

    def _make(self, action: str, params: dict[str, Any]) -> None:
        """A call of IAM that a stack makes: the same refusals, the same effect. Raises Refusal."""
        self._strike(action)
        refusals.check(self.account, get_service_model("iam").operation_model(action), params)
        self._past.remember()
        if action in CALLS:
            CALLS[action](self.account, params)
        else:
            getattr(self.account, camelcase_to_underscores(action))(*params.values())

    def _list(self, account: Account, operation: OperationModel, params: Params) -> dict[str, Any]:
        rows = sorted(LISTS[operation.name](account, params), key=lambda row: row.place)
        found = paging.answer(self._markers, rows, operation.name, params, self._page_size)
        if operation.name == "GetGroup":
            found["Group"] = shown.group(account.group(params["GroupName"]))
        assert operation.output_shape is not None
        # An empty list is told as such, never left out.
        empty: dict[str, Any] = {
            name: [] for name, member in operation.output_shape.members.items() if member.type_name == "list"
        }
        return empty | found

    def _report(self, account: Account, action: str, caller: str, params: Params) -> Any:
        if action == ASK:
            return self._reports.ask(account, caller, params)
        return self._reports.fetch(account, caller, params, self._markers, self._page_size)

    def _organizations(self, request: Request) -> Answer:
        if (target := request.headers["X-Amz-Target"]) != organization.TARGET:
            raise Refusal("UnknownOperationException", f"The twin does not answer {target}.")
        if not self._members:
            raise Refusal("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        found = organization.list_accounts(
            self.account.account_id, self._members, self._markers, self._page_size, request.data
        )
        return Answer(200, msgspec.json.encode(found).decode(), _JSON)

    def _tagging(self, request: Request) -> Answer:
        if (target := request.headers["X-Amz-Target"]) != tagging.TARGET:
            raise Refusal("UnknownOperationException", f"The twin does not answer {target}.")
        found = tagging.get_resources(self._past.seen(), self._markers, self._page_size, request.data)
        return Answer(200, msgspec.json.encode(found).decode(), _JSON)


def action_of(request: Request) -> str:
    """The action that a request asks for, such as "ListUsers"."""
    target = request.headers.get("X-Amz-Target", "")
    return target.rpartition(".")[2] or request.values.get("Action", "")


def service_of(request: Request) -> str:
    """The service that a request is for: iam, sts, cloudformation, or tag and organizations, which speak JSON."""
    if target := request.headers.get("X-Amz-Target"):
        return "organizations" if target.startswith("AWSOrganizations") else "tag"
    return _SERVICES.get(request.values.get("Version", ""), "iam")


def access_key_of(request: Request) -> str:
    """The access key that signed a request; empty if none did."""
    found = _ACCESS_KEY.search(request.headers.get("Authorization", ""))
    return found[1] if found else ""


def account_of(arn: str) -> str:
    """The account that an ARN names; empty for what is none."""
    return [*arn.split(":"), "", "", "", "", ""][4]


def _operation(request: Request) -> OperationModel:
    action, model = action_of(request), get_service_model(service_of(request))
    if action not in model.operation_names:
        message = f"Could not find operation {action} for version {request.values.get('Version', '')}"
        raise Refusal("InvalidAction", message)
    operation: OperationModel = model.operation_model(action)
    return operation


def failure(request: Request, code: str, message: str, status: int | None = None) -> Answer:
    """An error as the service's protocol tells it. The HTTP status is the model's own, where it knows the code.

    moto's serialiser is not used: it warns about every code that the model does not list, AccessDenied to begin with.
    """
    service = service_of(request)
    if service in ("tag", "organizations"):
        return Answer(status or 400, msgspec.json.encode({"__type": code, "message": message}).decode(), _JSON)
    if status is None:
        status = _COMMON_STATUS.get(code) or _statuses(service).get(code, 400)
    fault = "Sender" if status < 500 else "Receiver"
    return Answer(
        status,
        f'<ErrorResponse xmlns="{get_service_model(service).metadata["xmlNamespace"]}"><Error>'
        f"<Type>{fault}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"</Error><RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>",
    )


@cache
def _statuses(service: str) -> Mapping[str, int]:
    """HTTP statuses by error code."""
    shapes_ = (shape.metadata.get("error", {}) for shape in get_service_model(service).error_shapes)
    return {error["code"]: error["httpStatusCode"] for error in shapes_ if "code" in error}


def _read(responder: BaseResponse, request: Request) -> None:
    try:
        responder.setup_class(request)
    except ValueError as error:  # a word where the model has a number
        raise Refusal("MalformedInput", str(error)) from None


def _told(responder: BaseResponse, result: ActionResult) -> Answer:
    status, _, body = responder.serialized(result)
    return Answer(int(status), str(body))


def _names_caller(operation: OperationModel, params: Params) -> bool:
    """Whether the call is about whoever makes it: it could name a user and does not."""
    shape = operation.input_shape
    optional = shape is not None and "UserName" in shape.members and "UserName" not in shape.required_members
    return optional and "UserName" not in params


def _unimplemented(operation: OperationModel) -> Refusal:
    return Refusal("NotImplemented", f"The twin does not answer {operation.name}.")
