"""What can go wrong, as one tree.

SecmigrateError             exit 1, and the message says what to do
├── BadInput                exit 2: a file, a flag or an answer that cannot be used
├── Refused                 exit 4: dangerous; nothing was changed
└── Failed                  exit 1: AWS or this machine said no
    ├── AwsRefused          exit 1: AWS answered with an error
    ├── AwsSilent           exit 1: no answer came
    └── Interrupted         exit 1: half way; the journal says where, `resume` goes on
"""

from __future__ import annotations


class SecmigrateError(Exception):
    """What a person reads when a command ends early.

    `where` is a file with line, an ARN or a call; `hint` is what to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class BadInput(SecmigrateError):
    """A file, a flag or an answer that cannot be used."""

    exit_code = 2


class Refused(SecmigrateError):
    """Dangerous, so nothing was changed."""

    exit_code = 4


class Failed(SecmigrateError):
    """AWS or this machine said no."""


class Interrupted(Failed):
    """A plan stopped half way; its journal says where."""


class AwsRefused(Failed):
    """AWS answered with an error. `code` is its name for it; the call took no effect."""

    def __init__(self, code: str, message: str, *, where: str, hint: str = "") -> None:
        super().__init__(f"{code}: {message}", where=where, hint=hint)
        self.code = code


class AwsSilent(Failed):
    """No answer came: nobody knows whether the call took effect."""
