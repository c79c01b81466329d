"""An old inventory, played as on the day when it was read."""

from __future__ import annotations

from datetime import UTC, datetime

from secmigrate.iam import Role, Seen, Snapshot
from secmigrate.twin import Twin, used_lately
from tests.small import ACCOUNT, trust

NOW = datetime(2031, 5, 17, 8, 0, 0, 999, UTC)


def test_the_last_use_of_roles_moves_along_and_the_newest_is_now() -> None:
    used = {"busy": "2026-11-20T09:30:00Z", "idle": "2026-08-12T09:30:00Z", "never": ""}
    roles = {
        name: Role(name=name, trust=trust(), seen=Seen(id=f"AROA{name.upper()}", last_used=at))
        for name, at in used.items()
    }
    old = Snapshot(account=ACCOUNT, roles=roles)
    found = used_lately(old, NOW)
    assert {name: role.seen.last_used for name, role in found.roles.items()} == {
        "busy": "2031-05-17T08:00:00Z",
        "idle": "2031-02-06T08:00:00Z",
        "never": "",
    }
    assert found.roles["idle"].seen.id == "AROAIDLE"
    assert found == old
    with Twin(found) as twin:
        assert twin.snapshot().roles["busy"].seen.last_used == "2031-05-17T08:00:00Z"


def test_where_nothing_was_used_nothing_moves() -> None:
    bare = Snapshot(account=ACCOUNT, roles={"idle": Role(name="idle", trust=trust())})
    assert used_lately(bare, NOW) is bare
