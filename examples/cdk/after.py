"""Does to cdk.out what editing app.js and `cdk synth` would do: `retain` or `remove` what `handover --json` names."""

import json
import sys
from pathlib import Path
from typing import Any

NAMES = ("GroupName", "RoleName", "ManagedPolicyName")


def literally(value: Any, names: dict[str, str]) -> Any:
    """A value with names in place of references."""
    if isinstance(value, dict):
        if value.get("Ref") in names:
            return names[value["Ref"]]
        return {key: literally(inner, names) for key, inner in value.items()}
    return [literally(inner, names) for inner in value] if isinstance(value, list) else value


for stack in json.loads(Path(sys.argv[2]).read_text())["stacks"]:
    path = Path(stack["path"])
    template = json.loads(path.read_text())
    rows, names = template["Resources"], {}
    for logical_id in stack["goes"]:
        properties = rows[logical_id].get("Properties", {})
        names.update((logical_id, properties[key]) for key in NAMES if key in properties)
    if sys.argv[1] == "retain":
        for logical_id, row in rows.items():
            if logical_id not in stack["goes"]:
                row["Properties"] = literally(row.get("Properties", {}), names)
        for logical_id in stack["retain"]:
            rows[logical_id]["DeletionPolicy"] = "Retain"
    else:
        for logical_id in stack["goes"]:
            del rows[logical_id]
    path.write_text(json.dumps(template, indent=1))
