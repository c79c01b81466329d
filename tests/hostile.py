"""An account full of names and texts that are meant to harm whoever shows or runs them, and what must not come out."""

from __future__ import annotations

import re

from msgspec import structs

from secmigrate import iam
from secmigrate.iam import Gap, Group, Role, Snapshot, User
from tests import small

EVIL = "x\x1b[31mred\x1b]0;title\x07\u202e\n\x9b2Jerror: all is well\r"
LONG = "data-" + "x" * 123
NAMES = (
    "<script>alert(1)</script>",
    "quote'and\"quote",
    "$(touch pwned)",
    "`touch pwned`",
    "a; touch pwned; #",
    "line\ntouch pwned",
    "-rf",
    "--execute",
    "turned\u202etxt.exe",
    "wide\u200bless\u2066\ufeff",
    "escape\x1b[31m\x1b]0;title\x07",
    "tab\tand\rreturn",
    "{{7*7}} [bold]rich[/bold] %s {0}",
    "back\\slash\\",
    LONG,
    "élan-日本-ñ",
)
# Turned, unseen, or obeyed by a terminal. The line feed is looked at apart.
_UNWANTED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_OURS = re.compile(r"\x1b\[(?!31m)[0-9;?]*[a-zA-Z]|\r\n|\r|\x08")  # what the wizard itself moves and draws with


LEGAL = ("-rf", "--execute", LONG)  # what IAM takes as a name


def hostile() -> Snapshot:
    """An account whose every free text is meant to harm."""
    account = small.account()
    role, user, group = account.roles["idle"], account.users["ana"], account.groups["team"]
    document = iam.Document({"Statement": [{"Effect": "Allow", "Action": f"s3:{EVIL}", "Resource": EVIL, "Sid": EVIL}]})
    for thing in (
        structs.replace(role, description=EVIL, tags={EVIL: EVIL}, inline={EVIL: document}, trust=document),
        structs.replace(user, tags={EVIL: EVIL}, inline={EVIL: document}, groups=("team", LONG)),
        structs.replace(group, inline={EVIL: document}),
    ):
        account = account.put(thing)
    for name in LEGAL:
        account = account.put(Group(name=name, inline={EVIL: small.allow("s3:GetObject")}))
    return structs.replace(account, incomplete=(Gap(what=EVIL, why=EVIL),))


def nasty() -> Snapshot:
    """One whose names are, too: IAM has none such, and a file of them is not read."""
    account = small.account()
    for name in NAMES:
        account = account.put(Group(name=name, inline={name: small.allow("s3:GetObject")}))
        account = account.put(Role(name=name, trust=small.trust(), description=name, tags={name: name}))
        account = account.put(User(name=name, groups=(name,), tags={name: name}))
    return account


def is_harmless(told: str, *, of_ours: bool = False) -> None:
    """Nothing that a terminal obeys, that turns text or hides, and no line that looks like one of ours. `of_ours`: but
    for what the wizard draws with.
    """
    text = _OURS.sub("\n", told) if of_ours else told
    found = _UNWANTED.search(text)
    assert found is None, repr(text[max(0, found.start() - 80) : found.start() + 20])
    assert "\nerror: all is well" not in text
    assert "\ntouch pwned" not in text
