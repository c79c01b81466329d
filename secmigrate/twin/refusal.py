"""How the twin says no."""

from __future__ import annotations

from moto.iam.exceptions import IAMException


class Refusal(IAMException):
    """An answer that AWS gives in place of doing what was asked: its error code and its words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def missing(what: str, name: str) -> Refusal:
    """NoSuchEntity, as IAM words it. `what` is "user", "group", "role", "instance profile" or "policy"."""
    if what == "policy":
        return Refusal("NoSuchEntity", f"Policy {name} was not found.")
    return Refusal("NoSuchEntity", f"The {what} with name {name} cannot be found.")
