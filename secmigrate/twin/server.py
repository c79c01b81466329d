"""The twin itself: a strict IAM, STS, tagging and Organizations endpoint on 127.0.0.1, for any AWS client."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from threading import Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from moto.core.request import Request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from secmigrate.errors import Failed
from secmigrate.iam import Policy, Snapshot, Stack, Usage
from secmigrate.twin.account import Account
from secmigrate.twin.faults import Fault, Faults, Misbehaviour
from secmigrate.twin.holding import held_by
from secmigrate.twin.loading import dump, load
from secmigrate.twin.organization import Member
from secmigrate.twin.refusal import Refusal
from secmigrate.twin.service import Answer, Service, account_of, action_of, failure, service_of
from secmigrate.twin.template import read_template, template_of
from secmigrate.twin.tokens import Sessions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Twin:
    """A rehearsal stage: holds one account, refuses what AWS refuses, and tells what became of it.

    `aws_managed` are AWS's own policies by ARN (`catalogue.read`); those in the snapshot win. `page_size` makes every
    page of every list at most that long. `caller` is the ARN that signs every request, whatever its access key; by
    default `user/migration-operator`, who need not exist. Permissions are not enforced: everything is allowed that a
    fault does not deny. Port 0 takes any free one. `usage` is what the reports on last use tell. `stacks` are there
    beside those that own something in the snapshot.

    `members` are other accounts behind the same endpoint: who assumes a role of one of them is in that account. They
    and this one are an organization, and this one may list it.

    Raises BadInput if the snapshot refers to something that neither it nor `aws_managed` holds.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        aws_managed: Mapping[str, Policy] = {},
        page_size: int | None = None,
        faults: Faults | None = None,
        port: int = 0,
        caller: str | None = None,
        usage: Usage | None = None,
        stacks: Iterable[Stack] = (),
        members: Sequence[Member] = (),
    ) -> None:
        faults = faults or Faults()
        account = load(snapshot, aws_managed)
        self._misbehaviour = Misbehaviour(faults)
        self._home = snapshot.account
        self._aws_managed = aws_managed
        self._members = {one.snapshot.account: one for one in members}
        self._serving = partial(
            Service,
            sessions=Sessions(account, caller),
            others=self._member,
            members=members,
            page_size=page_size,
            lag_seconds=faults.lag_seconds,
            usage=usage,
        )
        self._services = {self._home: self._served(account)}
        for name, rows in held_by(snapshot, stacks).items():
            self._services[self._home].stacks.hold(name, rows)
        self._lock = Lock()
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._thread: Thread | None = None
        self.calls: list[str] = []
        """Every action asked for so far, in order, answered or not."""

    @property
    def url(self) -> str:
        """The endpoint, once the twin has started."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Begins to serve, in threads of its own. Raises Failed if the port is taken."""
        try:
            # werkzeug, left to bind by itself, prints and exits when a port is taken.
            listening = socket.create_server(("127.0.0.1", self._port))
        except OSError as error:
            raise Failed(f"cannot listen on port {self._port}: {error.strerror}", hint="take another --port") from None
        with listening:
            self._server = make_server(
                "127.0.0.1", self._port, self._serve, threaded=True, request_handler=_Quiet, fd=listening.fileno()
            )
        self._port = int(self._server.socket.getsockname()[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name=self.url)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends serving and frees the port. A twin that does not serve is left as it is."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def snapshot(self) -> Snapshot:
        """What is in the account now, without lag."""
        with self._lock:
            return dump(self._services[self._home].account)

    def _served(self, account: Account) -> Service:
        return self._serving(account, strike=partial(self._strike, account.account_id))

    def _member(self, account: str) -> Service | None:
        """Who answers for an account; nobody for one that is not here, or not active. Loaded when it is first asked."""
        found = self._members.get(account)
        if account not in self._services and found is not None and found.state == "ACTIVE":
            self._services[account] = self._served(load(found.snapshot, self._aws_managed))
        return self._services.get(account)

    def holds_stack(self, name: str, part: Snapshot) -> None:
        """From now on what is in `part`, which is in the account already, is that CloudFormation stack's."""
        with self._lock:
            self._services[self._home].stacks.adopt(name, read_template(template_of(part)))

    def create_stack(self, name: str, part: Snapshot) -> str:
        """Makes a stack of that, as a deployment would, over one that failed; gives its status."""
        with self._lock:
            return self._services[self._home].stacks.deploy(name, read_template(template_of(part)))

    def delete_stack(self, name: str) -> str:
        """Deletes the stack as far as IAM lets it; gives its status."""
        with self._lock:
            return self._services[self._home].stacks.destroy(name)

    def _strike(self, account: str, action: str) -> None:
        """Raises Refusal if a fault strikes a call that a stack makes; only refusals reach those."""
        for fault in self._misbehaviour.strikes(action, account):
            if fault.kind == "deny":
                raise Refusal("AccessDenied", f"not authorized to perform: iam:{action}")
            if fault.kind in ("error", "throttle"):
                code = fault.code if fault.kind == "error" else "Throttling"
                raise Refusal(code, f"{code}, as the faults file has it")

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request, from the socket to the socket. The state is only touched under the lock."""
        request = Request(environ)
        request.get_data(parse_form_data=True)  # whatever a slow client still has to send, others need not wait for it
        action = action_of(request)
        with self._lock:
            self.calls.append(action)
            caller = self._services[self._home].caller(request).account
            service = self._services.get(caller, self._services[self._home])
            about = account_of(request.values.get("RoleArn", "")) or caller
            struck = self._misbehaviour.strikes(action, about)
        time.sleep(sum(fault.seconds for fault in struck if fault.kind == "latency"))
        fault = next((fault for fault in struck if fault.kind != "latency"), None)
        if fault and fault.kind == "drop-before":
            _hang_up(environ)
        with self._lock:
            answer = self._refused(fault, service, request) or service.answer(request)
        if fault and fault.kind == "drop-after":
            _hang_up(environ)
        return Response(answer.body, answer.status, content_type=answer.type)(environ, start_response)

    @staticmethod
    def _refused(fault: Fault | None, service: Service, request: Request) -> Answer | None:
        """The error that a fault answers with."""
        if fault is None or fault.kind.startswith("drop"):
            return None
        if fault.kind == "throttle":
            return failure(request, "Throttling", "Rate exceeded")
        if fault.kind == "deny":
            who, what = service.caller(request).arn, f"{service_of(request)}:{action_of(request)}"
            why = f"because no identity-based policy allows the {what} action"
            message = f"User: {who} is not authorized to perform: {what} on resource: * {why}"
            return failure(request, "AccessDenied", message)
        return failure(request, fault.code, f"{fault.code}, as the faults file has it", fault.status)


class _Quiet(WSGIRequestHandler):
    """Serves without a line for every request. A bug in the twin is still told, with its traceback."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        pass


def _hang_up(environ: WSGIEnvironment) -> None:
    """Closes the connection without an answer: werkzeug treats this error as a client that went away."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError
