"""The vendor's container: its command lines, how it is run, what it leaves.

Actions, flags, image names and container paths are those of the guide, IAM_PERMISSIONS and UPDATE_PROCEDURES (C).
Whether the container takes its credentials from the environment as well is unknown (U); the guide mounts `~/.aws`.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from secmigrate.documents import private_folder
from secmigrate.errors import BadInput, Failed, Refused
from secmigrate.sec import Finding, SecConfig, Tier

HOME = "/home/secuser"
APP = "/app"
# Given by name alone, so that no value stands on a command line: docker takes them from its own environment.
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
PROFILES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
ROLE = ("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME")  # with a token in a file, as build servers have it
PLACES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
ENDPOINT = "AWS_ENDPOINT_URL"  # and its like for one service, AWS_ENDPOINT_URL_IAM
# Files that lie elsewhere than in `~/.aws`, and what they are called in the container.
FILES = {
    "AWS_CONFIG_FILE": "aws-config",
    "AWS_SHARED_CREDENTIALS_FILE": "aws-credentials",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "aws-token",
}
TOLD = 12  # lines of the container's last words that an error repeats


class Action(Struct, frozen=True):
    """What the container can be asked to do."""

    writes: tuple[str, ...]  # the folders beside `configs` that it is given
    force: bool = False
    changes: bool = False  # whether it changes the account
    leaves: str = ""  # a file among those it must leave in its first folder, as a glob; {stem} is filled in


ACTIONS: Mapping[str, Action] = {
    "validate-config": Action(("reports",)),
    "export-groups": Action(("groups", "reports"), leaves="*.json"),
    "export-roles": Action(("roles", "reports"), leaves="*.json"),
    "export-iam-policy": Action(("policies", "reports"), leaves="{stem}-iam-policy.json"),
    "test-deploy": Action(("reports",), changes=True),
    "deploy": Action(("reports",), force=True, changes=True),
    "delete-stack": Action(("reports",), force=True, changes=True),
}


class Run(Struct, frozen=True):
    """One run of the container: what it is asked, and the command that asks it."""

    action: str
    image: str
    folders: tuple[Path, ...]  # that it writes to, of this machine
    command: tuple[str, ...]

    @property
    def shell(self) -> str:
        """The command, quoted for a POSIX shell."""
        return shlex.join(self.command)


class Ended(Struct, frozen=True):
    """How a run ended; `written` are the files that are new or changed in its folders."""

    code: int
    last: tuple[str, ...]
    written: tuple[Path, ...]


def command(
    action: str,
    config: Path,
    sec: Path,
    image: str,
    *,
    home: Path,
    environment: Mapping[str, str],
    profile: str = "",
    endpoint: str = "",
) -> Run:
    """The guide's `docker run` for an action. `config` is the config's file, `sec` the folder of the provisioner's own.
    The container goes to the account to which this program would go, by the `environment`, the profile and the
    endpoint. Raises BadInput for an action that there is not.
    """
    if action not in ACTIONS:
        raise BadInput(
            f"there is no action {action!r}", where="provisioner ACTION", hint=f"one of {', '.join(ACTIONS)}"
        )
    asked = ACTIONS[action]
    folders = tuple((sec / name).resolve() for name in asked.writes)
    words = [
        *("docker", "run", "--rm"),
        *_mount(home / ".aws", f"{HOME}/.aws", read_only=True),
        *_mount(config.parent.resolve(), f"{APP}/configs", read_only=True),
        *(word for folder in folders for word in _mount(folder, f"{APP}/{folder.name}")),
        *_account(environment, profile, endpoint),
        image,
        *("--config", config.name, "--action", action),
        *(("--force",) if asked.force else ()),
    ]
    return Run(action, image, folders, tuple(words))


def image_of(config: SecConfig, tiers: Mapping[str, Tier], wanted: str = "") -> str:
    """The image for a config's tier; `wanted` is another name for it, as a registry has it. Raises BadInput for a tier
    that there is not, Refused for an image of another tier.
    """
    tier = tiers.get(config.tier.name)
    if tier is None:
        raise BadInput(f"there is no tier {config.tier.name!r}", where="tier.name", hint=f"one of {', '.join(tiers)}")
    image = wanted or tier.image
    tag = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[2]
    if tag != config.tier.version or config.tier.version != tier.version:
        raise Refused(
            f"the config is of {config.tier.version}, the image {image} is not",
            hint=f"the image of {tier.name} is {tier.image}: write tier.version: {tier.version}, or take that image",
        )
    return image


def check_config(findings: Iterable[Finding]) -> None:
    """Raises BadInput if the config has errors: the container would refuse it, or do what nobody meant."""
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise BadInput(
            f"{errors[0].message}{more}", where=".".join(errors[0].path), hint="`secmigrate validate` lists them all"
        )


def check_docker(run: Run) -> None:
    """Raises Failed, with the command to run elsewhere, if there is no docker here, or not that image."""
    if shutil.which("docker") is None:
        raise Failed("there is no docker on this machine", hint=_elsewhere(run))
    found = subprocess.run(["docker", "image", "inspect", run.image], capture_output=True, text=True, check=False)
    if found.returncode:
        said = found.stderr.strip().splitlines()[-1:] or ["docker does not know it"]
        if "no such image" in said[0].lower() or not found.stderr:
            hint = f"subscribe to it in AWS Marketplace and pull it there (`docker pull`); {_elsewhere(run)}"
            raise Failed(f"there is no image {run.image}", where="docker", hint=hint)
        raise Failed(said[0], where="docker", hint=f"is its daemon running, and may you use it? {_elsewhere(run)}")


def execute(run: Run, log: Path, say: Callable[[str], None]) -> Ended:
    """Runs the container, each line of its output to `say` and to the log. Raises Failed if it cannot be run.

    Ctrl-C reaches the container as well; what it says about that is waited for.
    """
    own = log.resolve()
    before = {path: path.stat().st_mtime_ns for path in _files(run.folders)}
    last: list[str] = []
    try:
        for folder in (*run.folders, log.parent):
            private_folder(folder)
        with (
            log.open("x", encoding="utf-8") as kept,
            subprocess.Popen(
                run.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            ) as running,
        ):
            log.chmod(0o600)
            kept.write(f"$ {run.shell}\n")
            for line in running.stdout or ():
                kept.write(line)
                kept.flush()
                say(line.rstrip("\n"))
                last = [*last, line.rstrip("\n")][-TOLD:]
    except OSError as error:
        raise Failed(f"cannot be run: {error.strerror}", where="docker", hint=_elsewhere(run)) from None
    changed = [path for path in _files(run.folders) if before.get(path) != path.stat().st_mtime_ns and path != own]
    return Ended(running.returncode, tuple(last), tuple(sorted(changed)))


def check_result(run: Run, ended: Ended, stem: str, log: Path) -> None:
    """Raises Failed if the container failed, or did not leave what the action is for."""
    if ended.code:
        last = next((line for line in reversed(ended.last) if line.strip()), "without a word")
        hint = "see its log, and the stack's events: `secmigrate stack`, with --tier during a tier change"
        if any("subscri" in line.lower() for line in ended.last):
            hint = "the account needs an active Marketplace subscription to this tier; see the log"
        raise Failed(f"{run.action} ended with {ended.code}: {last}", where=str(log), hint=hint)
    wanted = ACTIONS[run.action].leaves.format(stem=stem)
    if wanted and not any(path.match(wanted) and path.parent == run.folders[0] for path in ended.written):
        raise Failed(
            f"{run.action} ended well and left no {wanted}",
            where=str(run.folders[0]),
            hint=f"see its log, {log}; may the container write to that folder?",
        )


def _account(environment: Mapping[str, str], profile: str, endpoint: str) -> Iterator[str]:
    """What leads to the account. A profile that is named counts for more than keys in the environment here; in the
    container, which finds it in the environment too, it would be the other way round.
    """
    own = {name for name in environment if name.startswith(ENDPOINT)}
    names = [*(() if profile else (*KEYS, *PROFILES, *ROLE)), *PLACES, *(() if endpoint else sorted(own))]
    yield from (word for name in names if name in environment for word in ("-e", name))
    if profile:
        yield from ("-e", f"AWS_PROFILE={profile}")
    if endpoint:
        yield from ("-e", f"{ENDPOINT}={endpoint}")
    for name in sorted(FILES.keys() & environment.keys()):
        host, inside = Path(environment[name]).expanduser(), f"{HOME}/{FILES[name]}"
        # Of a file that is not there docker would make a folder.
        yield from _mount(host.absolute(), inside, read_only=True) if host.exists() else ()
        yield from ("-e", f"{name}={inside}")


def _mount(host: Path, inside: str, *, read_only: bool = False) -> Sequence[str]:
    """As the guide has it, but for paths that `-v` would take apart at a colon."""
    if ":" not in str(host):
        return ("-v", f"{host}:{inside}{':ro' if read_only else ''}")
    source = f"source={host}".replace('"', '""')
    return ("--mount", f'type=bind,"{source}",target={inside}{",readonly" if read_only else ""}')


def _files(folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def _elsewhere(run: Run) -> str:
    return f"where there is docker and the image, run: {run.shell}"
