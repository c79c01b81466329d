"""What people use today, on the same account and machine: `python -m tests.bench_others --users 500`.

The tools get a venv of their own, in a temporary folder or in the one that SECMIGRATE_BENCH_TOOLS names (kept, and used
again). They run without credentials and offline: iam-ape brings its own list of actions, of July 2023 in 1.1.6, and
renews it only with `--update`; policy_sentry, on which cloudsplaining stands, brings its own too, unless the home
folder has a newer one, so they get an empty home.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from secmigrate.iam import Document, Policy, Principal, Role, Seen, Snapshot, User
from tests.bench_accounts import MIDDLE, account

TOOLS = ("iam-ape==1.1.6", "cloudsplaining==0.9.1", "policy_sentry==0.15.2")
FOLDER = "SECMIGRATE_BENCH_TOOLS"

# As iam-ape's own `main` does it for one ARN, with the account read once. Arguments: the file, then ARNs.
_APE = """
import json, logging, sys, time
from iam_ape.evaluator import EffectivePolicyEvaluator
from iam_ape.helper_types import EntityType
from iam_ape.main import load_auth_details_from_json
logging.disable(logging.CRITICAL)
start = time.perf_counter()
evaluator = EffectivePolicyEvaluator(load_auth_details_from_json(sys.argv[1]))
loaded = time.perf_counter()
found = [evaluator.evaluate(arn=arn, entity_type=EntityType.user) for arn in sys.argv[2:]]
evaluated = time.perf_counter()
for one in found:
    evaluator.policy_expander.shrink_policy(one.allowed_permissions)
print(json.dumps([loaded - start, evaluated - loaded, time.perf_counter() - evaluated]))
"""
# Wildcards of all documents, by action: what cloudsplaining starts from. Argument: a file with a list of documents.
_SENTRY = """
import json, logging, sys, time
from policy_sentry.analysis.expand import get_expanded_policy
logging.disable(logging.CRITICAL)
documents = json.load(open(sys.argv[1]))
get_expanded_policy(documents[0])
start = time.perf_counter()
for one in documents:
    get_expanded_policy(one)
print(json.dumps(time.perf_counter() - start))
"""


class Ape(NamedTuple):
    """Seconds that iam-ape takes: once for the file, then for each user."""

    load: float
    evaluate: float  # effective permissions, one side: what `access` does for both
    shrink: float  # and to write them as a policy again, which is what its command prints


@contextmanager
def tools() -> Iterator[Path]:
    """The folder of the tools' programs; installs them where they are not there yet, which needs PyPI."""
    given = os.environ.get(FOLDER)
    if given:
        yield _installed(Path(given))
        return
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as folder:
        yield _installed(Path(folder))


def _installed(folder: Path) -> Path:
    venv = folder.absolute() / "secmigrate-bench-tools"  # in a folder of its own: it may be cleared
    programs = venv / ("Scripts" if os.name == "nt" else "bin")
    done = venv / ".installed"
    if not done.exists() or done.read_text().split() != list(TOOLS):
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([programs / "python", "-m", "pip", "install", "-qq", *TOOLS], check=True)
        done.write_text("\n".join(TOOLS))
    return programs


def iam_ape(programs: Path, details_file: Path, arns: Iterable[str]) -> Ape:
    """How long iam-ape takes for these users, a user; the account is read once."""
    users = list(arns)
    load, evaluate, shrink = json.loads(_run(programs / "python", "-c", _APE, details_file, *users))
    return Ape(load, evaluate / len(users), shrink / len(users))


def iam_ape_command(programs: Path, details_file: Path, arn: str) -> float:
    """How long the command takes for one user, from start to end."""
    return _seconds(programs / "iam-ape", "--quiet", "--input", details_file, "--arn", arn)


def cloudsplaining(programs: Path, details_file: Path) -> float:
    """How long `cloudsplaining scan` takes, from start to end, with its report written."""
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as out:
        took = _seconds(
            programs / "cloudsplaining", "scan", "--skip-open-report", "--input-file", details_file, "--output", out
        )
        if not any(Path(out).glob("iam-report-*.html")):
            raise RuntimeError("cloudsplaining wrote no report")
        return took


def policy_sentry(programs: Path, snapshot: Snapshot) -> float:
    """How long policy_sentry takes to expand the actions of all documents."""
    found = [policy.document for policy in snapshot.policies.values()]
    found += [document for one in snapshot.principals() for document in one.inline.values()]
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as folder:
        file = Path(folder) / "documents.json"
        file.write_text(json.dumps([document.value for document in found]))
        return float(json.loads(_run(programs / "python", "-c", _SENTRY, file)))


def _seconds(*command: str | Path) -> float:
    start = time.perf_counter()
    _run(*command)
    return time.perf_counter() - start


def _run(*command: str | Path) -> str:
    """What the program prints. Raises CalledProcessError, its complaint shown, if it fails."""
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as home:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
        place = {**kept, "HOME": home, "AWS_EC2_METADATA_DISABLED": "true"}
        parts = [part.absolute() if isinstance(part, Path) else part for part in command]
        return subprocess.run(parts, check=True, stdout=subprocess.PIPE, env=place, cwd=home, text=True).stdout


def sample(snapshot: Snapshot, number: int, seed: int = 1) -> list[str]:
    """The ARNs of so many users, or of all if there are fewer."""
    names = sorted(snapshot.users)
    return [snapshot.arn(snapshot.users[name]) for name in Random(seed).sample(names, min(number, len(names)))]


def details(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """The account as `aws iam get-account-authorization-details` prints it, documents as objects."""
    return {
        "UserDetailList": [_user(snapshot, one) for one in snapshot.users.values()],
        "GroupDetailList": [_principal(snapshot, one, "Group") for one in snapshot.groups.values()],
        "RoleDetailList": [_role(snapshot, one) for one in snapshot.roles.values()],
        "Policies": [_policy(one) for one in snapshot.policies.values()],
    }


def write_details(snapshot: Snapshot, path: Path) -> Path:
    """The same in a file."""
    path.write_text(json.dumps(details(snapshot)))
    return path


def _principal(snapshot: Snapshot, one: Principal, kind: str) -> dict[str, Any]:
    return {
        **_common(snapshot.arn(one), one.path, kind, one.name, one.seen),
        f"{kind}PolicyList": [_named(name, document) for name, document in one.inline.items()],
        "AttachedManagedPolicies": [{"PolicyName": arn.rsplit("/", 1)[1], "PolicyArn": arn} for arn in one.attached],
    }


def _common(arn: str, path: str, kind: str, name: str, seen: Seen) -> dict[str, Any]:
    made = {"CreateDate": seen.created} if seen.created else {}
    return {"Path": path, f"{kind}Name": name, f"{kind}Id": seen.id or arn, "Arn": arn, **made}


def _named(name: str, document: Document) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": document.value}


def _user(snapshot: Snapshot, user: User) -> dict[str, Any]:
    return {**_principal(snapshot, user, "User"), "GroupList": list(user.groups), **_extras(user.boundary, user.tags)}


def _role(snapshot: Snapshot, role: Role) -> dict[str, Any]:
    profiles = [one for one in snapshot.instance_profiles.values() if role.name in one.roles]
    return {
        **_principal(snapshot, role, "Role"),
        "AssumeRolePolicyDocument": role.trust.value,
        "InstanceProfileList": [
            {
                **_common(snapshot.arn(one), one.path, "InstanceProfile", one.name, one.seen),
                "Roles": [{"RoleName": role.name}],
            }
            for one in profiles
        ],
        "RoleLastUsed": {"LastUsedDate": role.seen.last_used} if role.seen.last_used else {},
        **_extras(role.boundary, role.tags),
    }


def _extras(boundary: str, tags: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    if boundary:
        shown["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }
    return shown


def _policy(policy: Policy) -> dict[str, Any]:
    version = policy.version.id or "v1"
    return {
        **_common(policy.arn, policy.path, "Policy", policy.name, policy.seen),
        "DefaultVersionId": version,
        "IsAttachable": True,
        "PolicyVersionList": [{"VersionId": version, "IsDefaultVersion": True, "Document": policy.document.value}],
    }


def main() -> None:
    """Measures and prints one table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=MIDDLE.users, help="the rest of the account grows with them")
    options.add_argument("--sample", type=int, default=20, help="how many users iam-ape is asked about")
    options.add_argument("--scan", action="store_true", help="cloudsplaining also beyond 1,000 users (many minutes)")
    told = options.parse_args()
    snapshot = account(told.users, *(max(10, of * told.users // MIDDLE.users) for of in MIDDLE[1:]))
    with tools() as programs, tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as folder:
        file = write_details(snapshot, Path(folder) / "details.json")
        print(f"{told.users} users, {file.stat().st_size / 1e6:.1f} MB of authorization details\n")
        ape = iam_ape(programs, file, sample(snapshot, told.sample))
        _row("iam-ape, reading the file", ape.load)
        _row("iam-ape, effective permissions, a user", ape.evaluate)
        _row("iam-ape, written as a policy, a user", ape.shrink)
        _row("iam-ape, the command, one user", iam_ape_command(programs, file, sample(snapshot, 1)[0]))
        _row("policy_sentry, actions of all documents", policy_sentry(programs, snapshot))
        if told.scan or told.users <= 1_000:
            _row("cloudsplaining scan", cloudsplaining(programs, file))


def _row(name: str, seconds: float) -> None:
    print(f"{name:42}{seconds:10.3f} s", flush=True)


if __name__ == "__main__":
    main()
