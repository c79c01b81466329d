"""What the real AWS CDK makes of the apps in tests/sources/cdk/app and examples/cdk, cut to what tells of resources.

Needs node and npm; `make cdk-fixtures`. The libraries that `package.json` names are installed outside of this folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
APPS = {
    ROOT / "tests/sources/cdk/app": ROOT / "tests/sources/cdk/lumen/cdk.out",
    ROOT / "examples/cdk": ROOT / "examples/cdk/cdk.out",
}
_KEPT = ("aws:cloudformation:stack", "cdk:cloud-assembly")
# As the CDK's own command sets it: names nested templates, and the construct that a resource comes from.
_CONTEXT = {"aws:cdk:enable-asset-metadata": True, "aws:cdk:enable-path-metadata": True}
_FIELDS = ("directoryName", "stackName", "tags", "templateFile")


def main() -> None:
    """Makes all of them anew."""
    with tempfile.TemporaryDirectory() as name:
        for number, (app, out) in enumerate(APPS.items()):
            folder, made = Path(name) / f"app{number}", Path(name) / f"out{number}"
            shutil.copytree(app, folder, ignore=shutil.ignore_patterns("cdk.out", "node_modules"))
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
            environment = {**os.environ, "CDK_OUTDIR": str(made), "CDK_CONTEXT_JSON": json.dumps(_CONTEXT)}
            subprocess.run(["node", "app.js"], cwd=folder, env=environment, check=True, capture_output=True)
            shutil.rmtree(out, ignore_errors=True)
            cut(made, out)
            print(f"{out.relative_to(ROOT)}: {sum(1 for one in out.rglob('*') if one.is_file())} files")


def cut(made: Path, out: Path) -> None:
    """Copies manifests and templates, without what only a deployment needs."""
    manifest = json.loads((made / "manifest.json").read_text())
    artifacts = {key: _artifact(one) for key, one in manifest["artifacts"].items() if one["type"] in _KEPT}
    _write(out / "manifest.json", {"version": manifest["version"], "artifacts": artifacts})
    for template in made.glob("*.template.json"):
        _write(out / template.name, json.loads(template.read_text()))
    for one in artifacts.values():
        if "directoryName" in one["properties"]:
            cut(made / one["properties"]["directoryName"], out / one["properties"]["directoryName"])


def _artifact(one: dict[str, Any]) -> dict[str, Any]:
    properties = {key: value for key, value in one["properties"].items() if key in _FIELDS}
    return {key: one[key] for key in ("type", "environment") if key in one} | {"properties": properties}


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    main()
