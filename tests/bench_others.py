"""What people use today, from PyPI: iam-ape, cloudsplaining, policy_sentry, each in an environment of its own.

The environments lie in a temporary folder, or in the one that SECMIGRATE_BENCH_TOOLS names (kept, and used again). The
tools run without credentials and offline: iam-ape brings its own list of actions and renews it only with `--update`;
policy_sentry, on which cloudsplaining stands, brings its own too, unless the home folder has a newer one, so they get
an empty home.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

from secmigrate.iam import Snapshot
from tests.bench_measuring import LONGEST

TOOLS = {"iam-ape": "1.1.6", "cloudsplaining": "0.9.1", "policy_sentry": "0.15.2"}
FOLDER = "SECMIGRATE_BENCH_TOOLS"

Programs = Mapping[str, Path | None]  # the folder of a tool's programs; None: it could not be installed

# As iam-ape's own `main` does it for one ARN, with the account read once. Arguments: the file, then ARNs.
_APE = """
import json, logging, sys, time
from iam_ape.evaluator import EffectivePolicyEvaluator
from iam_ape.helper_types import EntityType
from iam_ape.main import load_auth_details_from_json
logging.disable(logging.CRITICAL)
evaluator = EffectivePolicyEvaluator(load_auth_details_from_json(sys.argv[1]))
start = time.perf_counter()
for arn in sys.argv[2:]:
    evaluator.evaluate(arn=arn, entity_type=EntityType.user)
print(json.dumps(time.perf_counter() - start))
"""
# The first document once before: it makes policy_sentry read its data. Argument: a file with a list of documents.
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


@contextmanager
def installed() -> Iterator[Programs]:
    """The tools' programs; those that are not there yet are installed, which needs PyPI."""
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as folder:
        place = Path(os.environ.get(FOLDER, folder)).absolute()
        yield {tool: _installed(place, tool, version) for tool, version in TOOLS.items()}


def _installed(folder: Path, tool: str, version: str) -> Path | None:
    venv = folder / f"secmigrate-bench-{tool}"  # in a folder of its own: it may be cleared
    programs = venv / ("Scripts" if os.name == "nt" else "bin")
    done, wanted = venv / ".installed", f"{tool}=={version}"
    if done.exists() and done.read_text() == wanted:
        return programs
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([programs / "python", "-m", "pip", "install", "-qq", wanted], check=True, timeout=LONGEST)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{wanted} is not there: {error}", file=sys.stderr)
        return None
    done.write_text(wanted)
    return programs


def iam_ape(programs: Path, details_file: Path, arns: Iterable[str]) -> float:
    """Seconds that iam-ape takes for the effective permissions of one of these users; the account is read before."""
    users = list(arns)
    return float(_printed(programs / "python", "-c", _APE, details_file, *users)) / len(users)


def cloudsplaining(programs: Path, details_file: Path) -> float:
    """Seconds that `cloudsplaining scan` takes, from start to end, with its report written."""
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as out:
        start = time.perf_counter()
        _printed(
            programs / "cloudsplaining", "scan", "--skip-open-report", "--input-file", details_file, "--output", out
        )
        took = time.perf_counter() - start
        if not any(Path(out).glob("iam-report-*.html")):
            raise RuntimeError("cloudsplaining wrote no report")
        return took


def policy_sentry(programs: Path, documents_file: Path) -> float:
    """Seconds that policy_sentry takes to write each action of these documents out."""
    return float(_printed(programs / "python", "-c", _SENTRY, documents_file))


def _printed(*command: str | Path) -> str:
    """What the program prints. Raises CalledProcessError, its complaint shown, if it fails, and TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as home:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
        place = {**kept, "HOME": home, "AWS_EC2_METADATA_DISABLED": "true"}
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, env=place, cwd=home, text=True, timeout=LONGEST
        ).stdout


def sample(snapshot: Snapshot, number: int, seed: int = 1) -> list[str]:
    """The ARNs of so many users, or of all if there are fewer."""
    names = sorted(snapshot.users)
    return [snapshot.arn(snapshot.users[name]) for name in Random(seed).sample(names, min(number, len(names)))]
