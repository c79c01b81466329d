"""The real AWS CLI, loaded once: a process that has imported it forks for each call, for half a second less of CPU.

`kept()` gives a folder for the front of PATH. The `aws` in it hands its words, its environment and its three streams
to that process, and ends as the CLI does there.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

AWS = Path(sys.executable).with_name("aws")

_ASKING = """\
#!{python} -IS
import json, os, socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect({where!r})
words = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(asked, [len(words).to_bytes(4, "big")], [0, 1, 2])
asked.sendall(words)
answer = asked.recv(1)
sys.exit(answer[0] if answer else "the AWS CLI ended without a word")
"""


@contextmanager
def kept() -> Iterator[Path]:
    """A folder with an `aws` that starts at once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        where = folder / "socket"
        (folder / "aws").write_text(_ASKING.format(python=sys.executable, where=str(where)))
        (folder / "aws").chmod(0o755)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(where))
            listening.listen()
            words = [sys.executable, __file__, str(listening.fileno())]
            process = subprocess.Popen(words, pass_fds=[listening.fileno()])
        try:
            yield folder
        finally:
            process.terminate()
            process.wait()


def _answer(listening: socket.socket) -> None:
    """A process for each call, one after the other, until this one is ended."""
    import awscli.botocore.session  # type: ignore[import-untyped]
    import awscli.clidriver  # type: ignore[import-untyped]

    # Each call has a session of its own; they share what is read here.
    awscli.botocore.session.create_loader = cache(awscli.botocore.session.create_loader)
    session = awscli.clidriver.create_clidriver().session
    for service in ("iam", "sts"):
        session.create_client(service, "us-east-1", aws_access_key_id="invented", aws_secret_access_key="invented")
        session.get_paginator_model(service)
    while True:
        asked, _ = listening.accept()
        child = os.fork()
        if not child:
            asked.sendall(bytes([_called(asked)]))
            os._exit(0)
        asked.close()
        os.waitpid(child, 0)


def _called(asked: socket.socket) -> int:
    """What the CLI ends with, for one call."""
    import awscli.clidriver

    size, streams, _, _ = socket.recv_fds(asked, 4, 3)
    words, environment, folder = json.loads(asked.makefile("rb").read(int.from_bytes(size, "big")))
    for own, given in enumerate(streams):
        os.dup2(given, own)
    environment["AWS_DATA_PATH"] = os.environ["AWS_DATA_PATH"]  # where the CLI's own models are: set as it is imported
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["aws", *words]
    try:
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code or 0)


if __name__ == "__main__":
    _answer(socket.socket(fileno=int(sys.argv[1])))
