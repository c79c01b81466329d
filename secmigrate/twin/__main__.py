"""`python -m secmigrate.twin migration/planned.json`: the template of a stack such as the provisioner makes.

For trying the road out on a twin, which has no container: `aws cloudformation create-stack` takes it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from secmigrate.documents import read_snapshot
from secmigrate.twin.template import template_of

if __name__ == "__main__":
    sys.stdout.write(template_of(read_snapshot(Path(sys.argv[1]))) + "\n")
