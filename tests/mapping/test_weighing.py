"""What policies say for a rule, document by document and service by service, against the same asked of each action."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from secmigrate.iam import Group, Snapshot
from secmigrate.mapping.patterns import inside, overlap, span, spans
from secmigrate.mapping.reach import reach
from secmigrate.mapping.rules import Become, Examples, Match, Rule
from secmigrate.mapping.weighing import weigh
from tests.mapping.accounts import ACCOUNT, document, statement

ACTIONS = ("s3:Get*", "s3:PutObject", "S3:getobject", "sns:Publish", "s?s:*", "*:Get*", "*", "s3", "ec2:Run?nstances")
GLOBS = ("s3:GetObject", "s3:PutObject", "sns:Publish", "sqs:Get*", "ec2:RunInstances", "*:Publish", "s3")
LINES = st.lists(st.sampled_from(GLOBS), min_size=1, max_size=3).map(" | ".join)
WORDS = ("data", "scien", "ops", "ml", "ab")

actions = st.lists(st.sampled_from(ACTIONS), max_size=3)


def rule(can: list[str], forbidden: list[str]) -> Rule:
    match = Match(can=tuple(can), forbid=Match(can=tuple(forbidden)))
    become = Become(target="x", description="x")
    return Rule(id="x", why="x", mark="I", tier="startup", match=match, become=become, examples=Examples(yes=(), no=()))


@example([["s3:Get*"]], [], [], ["s3:GetObject"], ["s3:GetObject"])
@example([["s3:PutObject"]], ["*"], [], ["s3:PutObject"], [])
@given(
    st.lists(actions, max_size=3),
    actions,
    actions,
    st.lists(LINES, min_size=1, max_size=3, unique=True),
    st.lists(LINES, max_size=2, unique=True),
)
def test_a_line_is_met_if_any_document_allows_it(
    allowed: list[list[str]], denied: list[str], but: list[str], can: list[str], forbidden: list[str]
) -> None:
    inline = {str(number): document(statement("Allow", one)) for number, one in enumerate(allowed)}
    inline["denies"] = document(statement("Deny", denied), {"Effect": "Allow", "NotAction": but} if but else {})
    one = Group(name="x", inline=inline)
    left = [action for each in allowed for action in each if not any(inside(action, deny) for deny in denied)]

    def met(line: str) -> bool:
        globs = [glob.strip() for glob in line.split("|")]
        return any(overlap(action, glob) for action in left for glob in globs) or bool(
            but and any(not any(inside(glob, each) for each in but) for glob in globs)
        )

    readings = weigh([rule(can, forbidden)], ("y",), reach(one, Snapshot(account=ACCOUNT).put(one), ()))
    missing = tuple(line for line in can if not met(line))
    against = tuple(f"it can {line}" for line in forbidden if met(line)) if not missing else ()
    said = tuple(f"can {line}" for line in can) if not missing and not against else ()
    found = readings[0] if readings else None
    assert (found.policies_say if found else ()) == said
    assert (found.against if found else ()) == against
    assert (found.missing if found else ()) == (missing if len(missing) < len(can) else ())


@given(
    st.lists(st.sampled_from(WORDS), max_size=3).map(tuple),
    st.lists(st.sampled_from(("data scien*", "ops", "*ops", "ml", "a?", "op*", "DataS*")), unique=True).map(tuple),
)
def test_globs_that_fit_a_name(name: tuple[str, ...], globs: tuple[str, ...]) -> None:
    assert spans(name, globs) == [(at, glob) for glob in globs if (at := span(name, glob))]
