"""`map` from a snapshot in memory to config and planned snapshot, beside reading that snapshot from its bytes."""

from __future__ import annotations

import gc
import time

from secmigrate import documents, iam, mapping, sec
from secmigrate.cli import COLLECTOR
from tests import bench_accounts
from tests.bench_accounts import LARGEST, MIDDLE, SMALL, Size

_NAMES = (
    sec.Client(company_prefix="lumen", tenant_id="a001", account_id="123456789012"),
    sec.Environment(env="prod", region="eu-central-1"),
)


def main() -> None:
    """Measures and prints a table."""
    gc.set_threshold(*COLLECTOR)
    catalogue = documents.catalogue()
    print(f"\n{'map':37}{'reading':>10}{'map':>12}{'ratio':>8}")
    for size in (SMALL, MIDDLE, LARGEST):
        reading, mapped = _measured(size, catalogue)
        told = f"{size.groups} groups, {size.roles} roles"
        print(f"{told:37}{reading:9.3f}s{mapped:11.2f}s{mapped / reading:8.0f}")


def _measured(size: Size, catalogue: mapping.Catalogue) -> tuple[float, float]:
    data = iam.encode(bench_accounts.account(*size))
    begun = time.perf_counter()
    snapshot = iam.decode(data)
    read = time.perf_counter()
    decided = mapping.decide(snapshot, catalogue, names=_NAMES)
    choice = mapping.choose_tier(decided, catalogue)
    mapping.unreached(decided, snapshot, mapping.ladders_of(snapshot, catalogue, None, _NAMES))
    config = mapping.sec_config(decided, catalogue, client=_NAMES[0], environment=_NAMES[1], tier=choice.tier)
    sec.planned(config, catalogue.levels, documents.aws_managed())
    return read - begun, time.perf_counter() - read
