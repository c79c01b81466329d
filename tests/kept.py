"""Programs that are loaded once: a process that has imported one forks for each call, for half a second less of CPU.

`kept()` gives a folder for the front of PATH. The programs in it hand their words, their environment and their three
streams to such a process, and end as the call does there. Calls come one after the other.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

AWS = Path(sys.executable).with_name("aws")
STAND_IN = Path(__file__).parents[1] / "examples/tier-upgrade/docker"
Main = Callable[[], object]

# Calls with one of these words are the real program's: it waits for a signal; it carries out, with hashes of another
# seed, what was planned here.
ALONE = ("twin", "--execute")

_ASKING = """\
#!{python} -IS
import json, os, socket, sys
if not {alone!r}.isdisjoint(sys.argv):
    os.execv({program!r}, [{program!r}, *sys.argv[1:]])
asked = socket.socket(socket.AF_UNIX)
asked.connect({where!r})
words = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(asked, [len(words).to_bytes(4, "big")], [0, 1, 2])
asked.sendall(words)
answer = asked.recv(1)
sys.exit(answer[0] if answer else "{name} ended without a word")
"""


@contextlib.contextmanager
def kept(*names: str) -> Iterator[Path]:
    """A folder with these programs, of those below; they start at once."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        for name in names:
            running.enter_context(_waiting(name, Path(folder)))
        yield Path(folder)


@contextlib.contextmanager
def _waiting(name: str, folder: Path) -> Iterator[None]:
    where, program = str(folder / f"{name}.socket"), str(Path(sys.executable).with_name(name))
    alone = set(ALONE) if name == "secmigrate" else set[str]()
    asking = _ASKING.format(python=sys.executable, where=where, name=name, program=program, alone=alone)
    (folder / name).write_text(asking)
    (folder / name).chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(where)
        listening.listen()
        words = [sys.executable, __file__, name, str(listening.fileno())]
        nobodys = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SECMIGRATE_"))}
        nobodys |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        process = subprocess.Popen(words, pass_fds=[listening.fileno()], env=nobodys)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _aws() -> Main:
    import awscli.clidriver  # type: ignore[import-untyped]

    # Each call has a session of its own; they share what is read here. Its botocore is not the one beside it.
    sessions = awscli.clidriver.botocore.session
    sessions.create_loader = cache(sessions.create_loader)
    session = awscli.clidriver.create_clidriver().session
    session.get_available_services()
    for service in ("cloudformation", "iam", "sts"):
        session.create_client(service, "us-east-1", aws_access_key_id="invented", aws_secret_access_key="invented")
        session.get_paginator_model(service)
    models = os.environ["AWS_DATA_PATH"]  # where the CLI's own are: set as it is imported

    def main() -> object:
        os.environ["AWS_DATA_PATH"] = models
        return awscli.clidriver.main()

    return main


def _secmigrate() -> Main:
    from secmigrate import documents
    from secmigrate.__main__ import main
    from secmigrate.access.formats import formats_of
    from secmigrate.aws import Aws
    from secmigrate.cli import account  # noqa: F401 -- so that all that it needs is imported
    from secmigrate.sources import live  # noqa: F401

    documents.catalogue()
    documents.aws_managed()
    formats_of(documents.aws_actions(), "aws")
    Aws()
    return main


def _docker() -> Main:
    import boto3

    from secmigrate import documents
    from secmigrate.twin import template  # noqa: F401 -- so that all that it needs is imported

    documents.catalogue()
    documents.aws_managed()
    boto3.client("cloudformation", "us-east-1", aws_access_key_id="invented", aws_secret_access_key="invented")
    stand_in = SourceFileLoader("stand_in", str(STAND_IN))
    module = ModuleType(stand_in.name)
    stand_in.exec_module(module)

    def main() -> object:
        boto3.DEFAULT_SESSION = None  # the call's own environment
        return module.main(sys.argv[1:])

    return main


PROGRAMS: Mapping[str, Callable[[], Main]] = {"aws": _aws, "secmigrate": _secmigrate, "docker": _docker}


def _answer(name: str, listening: socket.socket) -> None:
    """A process for each call, one after the other, until this one is ended."""
    main = PROGRAMS[name]()
    while True:
        asked, _ = listening.accept()
        child = os.fork()
        if not child:
            asked.sendall(bytes([_called(name, main, asked)]))
            os._exit(0)
        asked.close()
        os.waitpid(child, 0)


def _called(name: str, main: Main, asked: socket.socket) -> int:
    """What the program ends with, for one call."""
    size, streams, _, _ = socket.recv_fds(asked, 4, 3)
    words, environment, folder = json.loads(asked.makefile("rb").read(int.from_bytes(size, "big")))
    for own, given in enumerate(streams):
        os.dup2(given, own)
        os.close(given)
    # New ones, for the old ones remember whether what they led to could be sought in.
    sys.stdin, sys.stdout, sys.stderr = (open(n, mode, closefd=False) for n, mode in enumerate("rww"))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [name, *words]
    code: object
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 0 if code is None else 1


if __name__ == "__main__":
    _answer(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
