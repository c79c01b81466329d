"""Puts an exclusive attachment of the billing policy into a state, as if main.tf had one."""

import json
import sys
from pathlib import Path

path = Path(sys.argv[1])
state = json.loads(path.read_text())
attributes = {
    "name": "billing",
    "policy_arn": "arn:aws:iam::aws:policy/job-function/Billing",
    "groups": ["finance-billing"],
}
state["resources"].append(
    {
        "mode": "managed",
        "type": "aws_iam_policy_attachment",
        "name": "billing",
        "provider": 'provider["hashicorp/aws"]',
        "instances": [{"schema_version": 0, "attributes": attributes}],
    }
)
path.write_text(json.dumps(state, indent=2))
