#!/usr/bin/env python3
"""A stand-in for docker and the vendor's image: writes down how it was called, and leaves what the image leaves.

It is put on the PATH as `docker`, with this file's text. What it should do otherwise lies beside it, `behaviour.json`:
{"no_image": true}, {"no_daemon": true}, {"fails": [CODE, "what it says"]}, {"leaves_nothing": true}.
"""

import csv
import json
import os
import sys
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).parent
BEHAVIOUR = json.loads(found.read_text()) if (found := HERE / "behaviour.json").exists() else {}
words = sys.argv[1:]
with (HERE / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps({"words": words, "secret": os.environ.get("AWS_SECRET_ACCESS_KEY", "")}) + "\n")
if BEHAVIOUR.get("no_daemon"):
    sys.exit("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
if words[:2] == ["image", "inspect"]:
    sys.exit(f"Error response from daemon: No such image: {words[2]}" if BEHAVIOUR.get("no_image") else 0)

assert words[0] == "run", words
mounts = {}
for flag, value in pairwise(words):
    if flag == "-v":
        source, target = value.removesuffix(":ro").split(":")
        mounts[target] = Path(source)
    if flag == "--mount":
        fields = dict(one.split("=", 1) for one in next(csv.reader([value])) if "=" in one)
        mounts[fields["target"]] = Path(fields["source"])
config = mounts["/app/configs"] / words[words.index("--config") + 1]
assert config.is_file(), config
action = words[words.index("--action") + 1]
print(f"{action} of {config.name}", flush=True)
print("a line of the container's \x1b[31mred\x1b[0m errors", file=sys.stderr, flush=True)
if fails := BEHAVIOUR.get("fails"):
    print(fails[1])
    sys.exit(fails[0])
if not BEHAVIOUR.get("leaves_nothing"):
    exports = json.loads(found.read_text()) if (found := HERE / "exports.json").exists() else {}
    for name, content in exports.get(action, {}).items():
        (mounts["/app/" + name.split("/")[0]] / name.split("/")[1]).write_text(json.dumps(content))
