"""A stack lets go: what needs Retain, what must be changed before, and what deleting the stack would take along."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from secmigrate.handover import Release, Thing, aspect, releases
from secmigrate.iam.stacks import Stack, StackResource
from secmigrate.reports.letting_go import stack_lines
from tests.small import ACCOUNT

EDGE = f"arn:aws:iam::{ACCOUNT}:policy/edge"
PEOPLE = Stack(
    name="people",
    path="cdk.out/people.template.json",
    resources=(
        StackResource("Devs", "AWS::IAM::Group", {}, physical="devs", construct="people/Devs/Resource"),
        StackResource(
            "DevsPolicy", "AWS::IAM::Policy", {"Groups": ["devs"]}, refers=("Devs",), construct="people/Devs/Policy"
        ),
        StackResource("Both", "AWS::IAM::Policy", {"Groups": ["devs", "ops"]}, refers=("Devs", "Ops")),
        StackResource("Ops", "AWS::IAM::Group", {}, physical="ops"),
        StackResource("Ana", "AWS::IAM::User", {"Groups": ["devs"]}, physical="ana", refers=("Devs",)),
        StackResource("InDevs", "AWS::IAM::UserToGroupAddition", {"GroupName": "devs", "Users": ["bo"]}, "Retain"),
        StackResource("Edge", "AWS::IAM::ManagedPolicy", {"Roles": ["runner"]}, physical=EDGE, refers=("Runner",)),
        StackResource("Runner", "AWS::IAM::Role", {}, physical="runner", construct="people/Runner/Resource"),
        StackResource("Worker", "AWS::Lambda::Function", {}, refers=("Runner",)),
        StackResource("Data", "AWS::S3::Bucket", {}, "Retain"),
        StackResource("Table", "AWS::RDS::DBInstance", {}, "Snapshot"),
        StackResource("CDKMetadata", "AWS::CDK::Metadata", {}),
    ),
    outputs={"RunnerName": ("Runner",), "Other": ("Data",)},
    exports={"people:runner": "", "people:data": ""},
)
OTHER = Stack(name="jobs", path="jobs.yaml", imports=("people:runner",))


def of(leaving: Set[Thing], *stacks: Stack) -> Release:
    (found,) = releases(stacks or (PEOPLE, OTHER), leaving)
    return found


def test_what_hangs_on_it_alone_goes_along() -> None:
    found = of({("group", "devs")})
    assert found.goes == ("Devs", "DevsPolicy", "InDevs")
    assert found.retain == ("Devs", "DevsPolicy")  # of InDevs the template says so already
    assert found.constructs == ("people/Devs/Policy", "people/Devs/Resource")


def test_what_stays_and_names_it_is_changed_first() -> None:
    found = of({("group", "devs")})
    rest = "names Devs: write devs instead, which changes nothing, until step 10 is done, "
    rest += "or let it use what takes its place"
    assert found.refer == (f"Ana (AWS::IAM::User) {rest}", f"Both (AWS::IAM::Policy) {rest}")
    lines = of({("role", "runner")}).refer
    assert lines[0].startswith("Edge (AWS::IAM::ManagedPolicy) names Runner: write runner")
    assert lines[-1] == "output RunnerName names Runner: take it out"


def test_a_stack_that_only_names_what_goes_says_where() -> None:
    """By its name, as another stack or a literal does it: nothing of the stack goes, and its next update would fail."""
    rows = (
        StackResource("Both", "AWS::IAM::Policy", {"Groups": ["devs", "ops"]}),
        StackResource("Data", "AWS::S3::Bucket", {}),
    )
    found = of({("group", "devs")}, Stack(name="grants", path="g.yaml", resources=rows, exports={"x": ""}), OTHER)
    assert found.refer == (
        "Both (AWS::IAM::Policy) names group devs: take it out, before step 10; the rest of it stays",
    )
    assert (found.goes, found.destroys, found.imported) == ((), (), ())
    lines = list(stack_lines(found, Path("plans")))
    assert lines[0] == "stack grants (g.yaml): it only names what goes"
    assert len(lines) == 3


def test_deleting_the_stack_would_take_more() -> None:
    found = of({("group", "devs"), ("group", "ops"), ("role", "runner"), ("policy", EDGE)})
    assert [one.logical_id for one in found.besides] == ["Ana", "Worker", "Table", "Data"]
    assert [str(one) for one in found.destroys] == [
        "Ana (AWS::IAM::User): deleted",
        "Worker (AWS::Lambda::Function): deleted",
        "Table (AWS::RDS::DBInstance): deleted after a snapshot",
    ]
    assert found.constructs == ()  # of Both and Edge nobody knows where the app makes them


def test_what_others_import_is_named() -> None:
    assert of({("role", "runner")}).imported == ("people:runner: imported by jobs",)
    (found,) = releases([PEOPLE], {("role", "runner")}, {"people:data": ["people", "web"]})
    assert found.imported == ("people:data: imported by web",)


def test_a_stack_that_holds_nothing_of_it_is_left_out() -> None:
    assert releases([PEOPLE, OTHER], {("group", "somebody-elses")}) == []
    assert releases([PEOPLE], set()) == []


def test_a_stack_of_nothing_else_can_go_whole() -> None:
    whole = Stack(name="small", path="s.yaml", resources=PEOPLE.resources[:2])
    found = of({("group", "devs")}, whole)
    assert (found.besides, found.destroys) == ((), ())


def test_the_aspect_names_each_construct_once() -> None:
    text = aspect([of({("group", "devs")}), of({("group", "devs")})])
    assert text.count('"people/Devs/Resource",') == 1
    assert "RemovalPolicy.RETAIN" in text
    assert aspect([]) == ""
    path = 'x/"]); evil(); //'
    devs = StackResource("A", "AWS::IAM::Group", {}, physical="devs", construct=path)
    hostile = Stack(name="h", path="h", resources=(devs,))
    assert r'"x/\"]); evil(); //",' in aspect([of({("group", "devs")}, hostile)])
