"""How a twin misbehaves on request: a value that can be read from a JSON file.

{"faults": [{"match": "List*", "kind": "throttle", "after": 3, "times": 2},
            {"match": "AddUserToGroup", "kind": "drop-after", "times": 1}],
 "lag_seconds": 2.0}
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secmigrate.errors import BadInput

Kind = Literal["latency", "throttle", "deny", "drop-before", "drop-after", "error"]


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to misbehave.

    It spares the first `after` calls whose action the glob `match` fits and strikes the next `times`, all if null; with
    `account`, only calls made in that account, or to assume a role of it.
    latency: answers `seconds` later · throttle: Throttling · deny: AccessDenied · error: `code` with HTTP `status` ·
    drop-before: hangs up, nothing done · drop-after: does what was asked, then hangs up without an answer.
    """

    match: str
    kind: Kind
    after: Annotated[int, Meta(ge=0)] = 0
    times: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(ge=0)] = 0.0
    code: str = "ServiceFailure"
    status: Annotated[int, Meta(ge=400, le=599)] = 500
    account: str = ""


class Faults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All faults of a twin, and how eventually consistent it is.

    With `lag_seconds` above zero, what is read is the account as it was that long ago. Writes always see everything
    that was written, except that a trust policy cannot yet name, and `AssumeRole` not yet find, what is younger than
    the lag: as in AWS they answer MalformedPolicyDocument and AccessDenied. That AWS now and then also answers
    NoSuchEntity to a write just after a create is a fault of kind `error`.
    """

    faults: tuple[Fault, ...] = ()
    lag_seconds: Annotated[float, Meta(ge=0)] = 0.0

    @classmethod
    def parse(cls, data: str | bytes) -> Faults:
        """Faults from JSON. Raises BadInput for anything else."""
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            hint = 'like {"faults": [{"match": "List*", "kind": "throttle", "times": 2}]}'
            raise BadInput(f"not a list of faults: {error}", hint=hint) from None


class Misbehaviour:
    """Which faults strike: counts the calls that each has seen. Not safe for threads: ask under the twin's lock."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults.faults
        self._seen = [0] * len(faults.faults)

    def strikes(self, action: str, account: str) -> list[Fault]:
        """The faults that strike this call: every latency, and the first of the other kinds."""
        due = list(self._due(action, account))
        latencies = [fault for fault in due if fault.kind == "latency"]
        others = [fault for fault in due if fault.kind != "latency"]
        return latencies + others[:1]

    def _due(self, action: str, account: str) -> Iterator[Fault]:
        for number, fault in enumerate(self._faults):
            if fnmatchcase(action, fault.match) and fault.account in ("", account):
                self._seen[number] += 1
                turn = self._seen[number] - fault.after
                if turn >= 1 and (fault.times is None or turn <= fault.times):
                    yield fault
