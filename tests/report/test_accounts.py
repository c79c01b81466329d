"""The report over a folder of many accounts: what it tells, what it says that it does not know, and its size."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from msgspec import structs

from secmigrate import documents
from secmigrate.accounts import Accounts
from secmigrate.mapping import GroupAnswer
from secmigrate.plan.across import Across, Cluster, Door
from secmigrate.progress import Step
from secmigrate.reports import accounts_page as page_of
from secmigrate.reports.forms import ACCOUNTS_FORMS, FORMS
from secmigrate.reports.overview import Looked, Overview, overview, ways_in
from secmigrate.workspace import Workspace
from tests.cli.conftest import NAMES
from tests.cli.runs import listing, run
from tests.report import agreed, folders
from tests.report.folders import HALF, OLD, OPEN, PROD, STRANGER, TEST, UNREAD, WEB
from tests.report.test_hostile import EVIL, HIDDEN, Seen

LINK = re.compile(r"#[a-z-]+|\.\./[0-9]{12}/reports/report\.html")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody may change it, but for its reports."""
    return folders.folder(tmp_path_factory.mktemp("many") / "accounts")


def told(folder: Path, form: str) -> str:
    ran = run("report", "-w", folder, "--format", form)
    path = folder / "reports" / ACCOUNTS_FORMS[form].file
    assert (ran.code, ran.out, ran.err) == (0, f"wrote {path}\n", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text()


def seen(page: str) -> Seen:
    found = Seen()
    found.feed(page)
    return found


def part(page: str, name: str) -> str:
    """The text of one section, without its tags."""
    (found,) = re.findall(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    return re.sub(r"\s+(?=[,;:])", "", re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found)))


def large(accounts: int, names: int, every: int) -> Overview:
    """So many accounts, half of which have each of so many names, and all have `every` more."""
    ids = [f"{n:012}" for n in range(1, accounts + 1)]
    half, each = tuple(ids[::2]), tuple(ids)
    step = Step("map", "next", "decides")
    nothing = Looked(steps=(step,), mapped=False, unplaced=frozenset(), skipped=frozenset(), answers={}, reports=())
    found = Across(
        users={f"user-{n:05}": half if n >= every else each for n in range(names)},
        roles={f"role-{n:05}": half for n in range(names)},
        doors=tuple(Door(account=one, role="audit", lets_in=(STRANGER,)) for one in ids),
        clusters=tuple(Cluster(policies=(f"p{n}",), groups={f"group-{n:05}": half}) for n in range(names)),
    )
    counts = {one: {"users": 5000, "groups": 300, "roles": 1000} for one in ids}
    known = Accounts(role="reader", accounts=dict.fromkeys(ids, "an-account-with-a-name"))
    return overview(known, found, counts, dict.fromkeys(ids, nothing), {})


def test_the_markdown_is_what_was_agreed(folder: Path) -> None:
    assert told(folder, "markdown") == (agreed.GOLDEN / "accounts.txt").read_text(), "python -m tests.report.agreed"


def test_the_json_fits_its_schema_and_is_that_of_status(folder: Path) -> None:
    found = json.loads(told(folder, "json"))
    assert list(Draft202012Validator(documents.schema("accounts-report")).iter_errors(found)) == []
    assert run("report", "-w", folder, "--json").document == found
    assert run("status", "-w", folder, "--json").document == {**found, "kind": "status"}
    assert found["kind"] == "accounts-report"
    assert [row["account"] for row in found["accounts"] if not row["ready"]] == [HALF, UNREAD]
    assert found["accounts"][1]["reports"] == [f"{TEST}/reports/report.html", f"{TEST}/reports/report.md"]
    assert found["accounts"][1]["counts"]["users"] == 3


def test_the_page_says_first_what_it_does_not_know(folder: Path) -> None:
    page = told(folder, "html")
    summary = part(page, "summary")
    assert re.findall('<section id="([a-z-]+)"', page)[0] == "summary"
    assert summary.index("Not ready: 2 accounts") < summary.index("Left out: 1 account") < summary.index("next: map")
    for words in (f"{HALF} half: incomplete", f"{UNREAD} unread: not authorized", f"{OLD} old: SUSPENDED"):
        assert words in summary
    assert "need not be the same person" in part(page, "same-users")
    assert "4 of 6 accounts are ready" in page


def test_the_page_tells_who_has_access_where_and_what_is_decided(folder: Path) -> None:
    page = told(folder, "html")
    accounts, users, doors, groups = (part(page, one) for one in ("accounts", "same-users", "doors", "same-groups"))
    assert all(one in accounts for one in folders.ACCOUNTS)
    assert f'<a href="../{TEST}/reports/report.html" aria-label="Report of {TEST}">report</a>' in page
    assert f"../{PROD}/" not in page
    assert f"ana.adler 4 {PROD} data-prod" in users
    assert f"{STRANGER} none of these" in doors
    assert f"{OLD} left out" in doors
    assert f"anyone everybody only with aws:PrincipalOrgID 1 {OPEN}" in doors
    assert "answered for all: stays: they go with the auditor" in groups
    assert f"answered since, to be mapped again in: {PROD} data-prod" in groups
    assert f"other policies under that name: {WEB} web; an answer for all is for these too" in groups


def test_the_page_is_useful_without_a_script_and_nothing_leaves_it(folder: Path) -> None:
    page = told(folder, "html")
    found = seen(page)
    (policy,) = re.findall('<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    (script,) = found.scripts
    for kind, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [name for _, tags in found.tags for name in tags if name.startswith("on") or name in ("style", "src")]
    links = [str(value) for _, tags in found.tags for name, value in tags.items() if name == "href"]
    assert f"../{TEST}/reports/report.html" in links
    assert [link for link in links if not LINK.fullmatch(link)] == []
    assert {link[1:] for link in links if link[0] == "#"} <= {tags.get("id") for _, tags in found.tags}
    assert "ana.adler" in page.partition("<script>")[0]


@pytest.mark.parametrize("form", ACCOUNTS_FORMS)
def test_the_same_files_give_the_same_bytes(folder: Path, tmp_path: Path, form: str) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere")
    first, again, elsewhere = told(folder, form), told(folder, form), told(tmp_path / "elsewhere", form)
    assert first == again == elsewhere
    assert str(tmp_path) not in first


def test_notices_are_of_one_account_and_a_form_there_is_not_is_named(folder: Path) -> None:
    shutil.rmtree(folder / "reports", ignore_errors=True)
    before = listing(folder)
    ran = run("report", "-w", folder, "--notices")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: --notices: many accounts lie here, and notices are of one\n")
    assert f"hint: choose one: secmigrate report --notices -w {folder}/ACCOUNT" in ran.err
    assert run("report", "-w", folder, "--format", "pdf").code == 2
    with Workspace(folder).locked():
        assert run("report", "-w", folder).code == 1
    assert listing(folder) == before


def test_nothing_in_common_is_said(tmp_path: Path) -> None:
    folder = folders.alone(tmp_path / "accounts")
    page = told(folder, "html")
    assert "2 of 2 accounts are ready" in page
    assert "Not ready" not in page
    assert "No name of a user stands in several" in part(page, "same-users")
    assert "No role of the accounts that were read lets another account in" in part(page, "doors")
    assert "No group of the accounts that were read" in part(page, "same-groups")
    assert "several accounts: 0" in told(folder, "markdown")


def test_nothing_read_and_what_is_of_another_account(tmp_path: Path) -> None:
    folder = folders.alone(tmp_path / "accounts")
    shutil.copy(folder / PROD / "inventory.json", folder / TEST / "inventory.json")
    found = json.loads(told(folder, "json"))
    assert [(row["ready"], row["why"], bool(row["counts"])) for row in found["accounts"]] == [
        (True, "", True),
        (False, "the inventory here is of another account", False),
    ]
    assert found["users"] == {}
    for number in (PROD, TEST):
        (folder / number / "inventory.json").unlink()
    assert "0 of 2 accounts are ready" in told(folder, "html")
    assert [row["why"] for row in json.loads(told(folder, "json"))["accounts"]] == ["not read yet"] * 2


@pytest.mark.parametrize("name", ["inventory/inventory.json", "decisions.yaml", "mapping.json"])
def test_a_damaged_file_of_one_account_stops_no_other(folder: Path, tmp_path: Path, name: str) -> None:
    here = tmp_path / "accounts"
    shutil.copytree(folder, here)
    file = next(iter(here.joinpath(PROD).rglob(Path(name).name)), here / PROD / name)
    file.write_bytes(b"{damaged")
    found = run("status", "-w", here)
    assert found.code == 0
    first, line = found.out.splitlines()[0], next(line for line in found.out.splitlines() if PROD in line)
    assert first.endswith("3 of 6 accounts are ready")
    assert f"not ready: {file}" in line
    assert (f"ana.adler: {PROD}" in found.out) == (file.name != "inventory.json")  # its inventory counts
    assert run("report", "-w", here).code == 0
    assert file.name in (here / "reports" / "accounts.html").read_text()
    assert all(PROD not in one.not_mapped for one in folders.told(here).clusters)  # nobody knows


def test_a_thousand_accounts_stay_a_page() -> None:
    found = large(1000, 3000, 40)
    page = ACCOUNTS_FORMS["html"].render(found).decode()
    assert len(page) < 6_000_000
    users = part(page, "same-users")
    assert "user-00000 1,000 all 1,000 accounts that were read" in users
    assert "and 495 more" in users
    assert "and 490 more, in the JSON form" in users
    assert "1,000 more are not shown here" in users
    assert "--format json" in users
    assert part(page, "accounts").count("an-account-with-a-name") == 1000
    assert "audit 999988887777 none of these 1,000 all 1,000 accounts" in part(page, "doors")
    assert len(ACCOUNTS_FORMS["markdown"].render(found)) < 60_000


def test_all_but_a_few_are_told_by_those_few() -> None:
    found = large(100, 1, 1)
    found = structs.replace(found, users={"ana": found.users["user-00000"][2:]})
    assert "ana 98 all that were read but 000000000001 an-account-with-a-name, 000000000002" in part(
        ACCOUNTS_FORMS["html"].render(found).decode(), "same-users"
    )


def test_hostile_names_are_text() -> None:
    found = hostile()
    page, plain = (seen(ACCOUNTS_FORMS["html"].render(one).decode()) for one in (found, large(9, 9, 9)))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags} | {"h3", "small", "strong"}
    assert page.scripts == plain.scripts
    assert not [name for _, tags in page.tags for name in tags if name.startswith("on") or name in ("style", "src")]
    assert all(LINK.fullmatch(str(tags["href"])) for _, tags in page.tags if "href" in tags)
    text = ACCOUNTS_FORMS["html"].render(found).decode()
    assert not HIDDEN.search(text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_hostile_names_make_no_markdown() -> None:
    text = ACCOUNTS_FORMS["markdown"].render(hostile()).decode()
    assert not HIDDEN.search(text)
    parser = MarkdownIt("gfm-like", {"linkify": False})
    tokens = [each for token in parser.parse(text) for each in (token, *(token.children or ()))]
    assert {token.content for token in tokens if token.type == "html_inline"} <= {"<code>", "</code>"}
    assert not {"image", "fence", "blockquote_open", "em_open"} & {token.type for token in tokens}
    assert not [token for token in tokens if token.type == "link_open"]
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h1") == 1


def hostile() -> Overview:
    """One in which everything that others may name is meant to harm."""
    ids = (PROD, TEST)
    step = Step("map", "blocked", f"secmigrate {EVIL[0]}")
    looked = Looked(
        steps=(step,),
        mapped=True,
        unplaced=frozenset(EVIL),
        skipped=frozenset(),
        answers=dict.fromkeys(EVIL[:2], GroupAnswer(leave=EVIL[3])),
        reports=(),
    )
    names: Mapping[str, tuple[str, ...]] = dict.fromkeys(EVIL, ids)
    found = Across(
        users=names,
        roles=names,
        doors=tuple(Door(account=PROD, role=one, lets_in=(STRANGER,), conditions=EVIL) for one in EVIL),
        clusters=(Cluster(policies=EVIL, groups=names, differs=dict.fromkeys(EVIL, (WEB,))),),
    )
    known = Accounts(
        role="reader",
        accounts={PROD: EVIL[0], TEST: EVIL[10], WEB: EVIL[8], OPEN: EVIL[11]},
        left_out={OLD: EVIL[1]},
        missing={WEB: EVIL[9], OPEN: EVIL[12]},
    )
    counts = {one: {"users": 1, "groups": 1, "roles": 1} for one in ids}
    answers = {one: GroupAnswer(leave=one) for one in EVIL[4:]}
    return overview(known, found, counts, dict.fromkeys((PROD, TEST, WEB, OPEN), looked), answers)


def test_what_is_undecided_answered_since_left_alone_and_out_of_scope() -> None:
    def looked(**answers: GroupAnswer) -> Looked:
        names = frozenset(("open", "left", "since", "own", "out"))
        return Looked(steps=(), mapped=True, unplaced=names, skipped=frozenset(["out"]), answers=answers, reports=())

    groups = dict.fromkeys(("left", "open", "out", "own", "placed", "since"), (PROD, TEST))
    across = Across(users={}, roles={}, doors=(), clusters=(Cluster(policies=("p",), groups=groups),))
    shared = {"left": GroupAnswer(leave="they stay"), "since": GroupAnswer(become="x")}
    here = {PROD: looked(own=GroupAnswer(leave="ours")), TEST: structs.replace(looked(), mapped=False)}
    counts = {one: {"users": 1} for one in here}
    known = Accounts(role="r", accounts=dict.fromkeys(here, ""))
    (found,) = overview(known, across, counts, here, shared).clusters
    assert found.undecided == {"open": (PROD, TEST), "own": (TEST,)}
    assert found.again == {"since": (PROD, TEST)}
    assert found.skipped == {"out": (PROD, TEST)}
    assert found.own == {"own": (PROD,)}
    assert found.answered == ("left", "since")
    assert found.not_mapped == (TEST,)


def test_doors_that_are_alike_stand_once_and_the_widest_first() -> None:
    doors = tuple(Door(account=one, role="audit", lets_in=(PROD,)) for one in (TEST, WEB))
    doors += (
        Door(account=WEB, role="vendor", lets_in=(STRANGER,)),
        Door(account=WEB, role="x", lets_in=(), everybody=True),
    )
    known = Accounts(role="r", accounts={PROD: "", TEST: "", WEB: ""})
    nothing = Looked(steps=(), mapped=False, unplaced=frozenset(), skipped=frozenset(), answers={}, reports=())
    across = Across(users={}, roles={}, doors=doors, clusters=())
    found = overview(known, across, {}, dict.fromkeys(known.accounts, nothing), {})
    assert [(door.role, ids) for door, ids in ways_in(found)] == [
        ("x", (WEB,)),
        ("vendor", (WEB,)),
        ("audit", (TEST, WEB)),
    ]


def test_both_reports_have_the_same_forms() -> None:
    assert ACCOUNTS_FORMS.keys() == FORMS.keys()
    assert page_of.FIRST < page_of.NAMED // page_of.ROWS


def test_what_map_left_out_of_its_scope_or_split_is_not_undecided(tmp_path: Path) -> None:
    folder = folders.alone(tmp_path / "accounts")
    for number in (PROD, TEST):
        documents.write_snapshot(folder / number / "inventory.json", folders.alike(number))
    (folder / "decisions.yaml").write_text("groups:\n  data-guild: {split: {data_scientists: [ana.adler]}}\n")
    assert run("map", *NAMES, "-w", folder / PROD, "--skip", "group:auditors").code == 0
    assert run("map", *NAMES, "-w", folder / TEST).code == 0
    auditors, guild = sorted(folders.told(folder).clusters, key=lambda one: sorted(one.groups))
    assert (auditors.skipped, auditors.undecided) == ({"auditors": (PROD,)}, {})
    assert (guild.answers["data-guild"].split, guild.again, guild.undecided) == (
        {"data_scientists": ("ana.adler",)},
        {},
        {},
    )
