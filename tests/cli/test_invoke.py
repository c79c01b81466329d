"""Commands that the wizard runs: stopped, one has said nothing that anybody may go by."""

from __future__ import annotations

import os
import signal

import pytest

from secmigrate.cli import account
from secmigrate.cli.invoke import invoke


def test_ctrl_c_while_a_command_is_at_work_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "open_workspace", lambda _: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        invoke(["validate"])
