"""Generated accounts of any size up to AWS's maximum, and what becomes of them: `make bench` compares the two.

Everything comes from the seed and from the catalogue of AWS's own policies. Documents are as large in a small account
as in the largest, so that the work grows with the account alone. Everything is within IAM's quotas, raised where AWS
raises them (iam-rules, "Quotas"). Only default versions are made: older ones give nobody anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from secmigrate import documents
from secmigrate.iam import Document, Group, InstanceProfile, Policy, Role, Seen, Snapshot, User
from tests.bench_documents import IAM, NUMBER, PRINCIPALS, Team, Writer
from tests.bench_migrated import migrated

__all__ = ["LARGEST", "MIDDLE", "SMALL", "Size", "account", "migrated"]

_MANAGED = "arn:aws:iam::aws:policy/"


class Size(NamedTuple):
    """How many there are of what; policies are the account's own. `account(*LARGEST)`."""

    users: int
    groups: int
    roles: int
    policies: int


SMALL = Size(20, 8, 12, 10)
MIDDLE = Size(500, 50, 500, 150)
LARGEST = Size(5_000, 500, 5_000, 1_500)

_FUNCTIONS = "developers readers operators admins oncall data ci contractors".split()
_TAKERS = ("operators", "admins", "oncall")  # who takes on roles
_COMPANY = "everyone auditors security helpdesk finance network platform managers interns vendors".split()
_FIRST = "ana bo chen dara eli fatima goran hana ivo jane kofi lena milo nour otto priya quin rosa sven tara".split()
_LAST = "adler baker costa duran eng fischer garcia haas ito jones khan lopez meyer novak okafor peters rossi".split()
_FOR_PEOPLE = (
    "AmazonS3ReadOnlyAccess AmazonEC2ReadOnlyAccess CloudWatchReadOnlyAccess AmazonDynamoDBReadOnlyAccess "
    "AWSLambda_ReadOnlyAccess AmazonSQSFullAccess AmazonSNSFullAccess AmazonECS_FullAccess AmazonRDSReadOnlyAccess "
    "AWSCloudFormationReadOnlyAccess IAMUserChangePassword AmazonAthenaFullAccess AmazonSSMReadOnlyAccess "
    "IAMReadOnlyAccess AWSCodeCommitPowerUser job-function/ViewOnlyAccess AmazonS3FullAccess PowerUserAccess"
).split()
_FOR_ROLES = (
    "service-role/AWSLambdaBasicExecutionRole service-role/AWSLambdaVPCAccessExecutionRole AWSXRayDaemonWriteAccess "
    "AmazonSSMManagedInstanceCore service-role/AmazonECSTaskExecutionRolePolicy CloudWatchAgentServerPolicy "
    "service-role/AWSGlueServiceRole AmazonEKSWorkerNodePolicy AmazonEC2ContainerRegistryReadOnly"
).split()
# How many groups those users are in who chose for themselves, and how often: median 3, some at the quota.
_MEMBERSHIPS = dict(zip(range(1, 11), (12, 22, 26, 15, 9, 6, 4, 3, 1, 2), strict=True))
# What a role is for, and how often.
_KINDS = {"lambda": 30, "task": 15, "ec2": 10, "glue": 5, "deploy": 20, "named": 8, "partner": 6, "github": 6}


def account(users: int, groups: int, roles: int, policies: int, seed: int = 1) -> Snapshot:
    """A believable account of that size; the same seed gives the same account."""
    return _Maker(Size(users, groups, roles, policies), seed).account()


class _Maker:
    """Makes one account, in the order in which one thing names another."""

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.writer = Writer(seed)
        self.rng, self.chance = self.writer.rng, self.writer.chance
        self.seen_so_far = 0
        self.company = _COMPANY[: max(1, size.groups // 50)]
        number = max(2, -(-(size.groups - len(self.company)) // len(_FUNCTIONS)))
        self.teams = [self.writer.team(each) for each in range(number)]
        self.weights = [1 / (each + 4) for each in range(number)]  # a few large teams, many small ones
        first, last = len(_FIRST), len(_LAST)
        self.people = [
            f"{_FIRST[each % first]}.{_LAST[each // first % last]}{each // (first * last) or ''}"
            for each in range(size.users)
        ]
        self.roles: dict[str, Role] = {}

    def account(self) -> Snapshot:
        policies = {one.arn: one for one in map(self._policy, range(self.size.policies))}
        groups = {one.name: one for one in map(self._group, range(self.size.groups))}
        for number in range(self.size.roles):
            role = self._role(number)
            self.roles[role.name] = role
        combinations = {
            team.name: [self._some_groups(team, self.rng.randint(2, 5)) for _ in "1234"] for team in self.teams
        }
        users = {name: self._user(name, combinations) for name in self.people}
        everybody = (*groups.values(), *self.roles.values(), *users.values())
        used = {arn for one in everybody for arn in (*one.attached, getattr(one, "boundary", ""))}
        aws = {arn: policy for arn, policy in documents.aws_managed().items() if arn in used}
        profiled = [name for name in self.roles if "-ec2-" in name]
        return Snapshot(
            account=NUMBER,
            users=users,
            groups=groups,
            roles=self.roles,
            policies={**policies, **aws},
            instance_profiles={
                name: InstanceProfile(name=name, roles=(name,), seen=self._seen("AIPA")) for name in profiled
            },
        )

    def _date(self, first: int, last: int) -> str:
        return f"20{self.rng.randint(first, last)}-{self.rng.randint(1, 12):02}-{self.rng.randint(1, 28):02}T09:30:00Z"

    def _seen(self, prefix: str, last_used: str = "") -> Seen:
        self.seen_so_far += 1
        return Seen(id=f"{prefix}{self.seen_so_far:017}", created=self._date(14, 25), last_used=last_used)

    def _policy(self, number: int) -> Policy:
        """A managed policy, always as full as it gets."""
        team = self.teams[number % len(self.teams)]
        arn = f"{IAM}policy/{team.name}-{self.rng.choice(team.services)}-{number}"
        team.policies.append(arn)
        document = self.writer.document(team, 6144)
        return Policy(arn=arn, document=document, seen=self._seen("ANPA"), version=Seen(id="v1"))

    def _attached(self, team: Team, most: int, aws: Sequence[str], share: float) -> tuple[str, ...]:
        """Mostly policies of the team; a share of all has one of AWS's too."""
        pool = team.policies if self.chance(0.85) else self.rng.choice(self.teams).policies
        arns = self.rng.sample(pool, min(len(pool), self.rng.randint(1, most)))
        return (*arns, *([_MANAGED + self.rng.choice(aws)] if self.chance(share) else ()))

    def _group(self, number: int) -> Group:
        """Three in eight may assume roles; of all, 28% have a few inline statements more, 12% as many as fit."""
        if number < len(self.company):
            return self._company_group(self.company[number])
        place = number - len(self.company)
        team, function = self.teams[place % len(self.teams)], _FUNCTIONS[place // len(self.teams)]
        team.groups.append(f"{team.name}-{function}")
        inline = {}
        if function in _TAKERS:
            roles = [f"{IAM}role/{team.name}-deploy-*", f"{IAM}role/{team.name}-{function}"]
            first = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
            inline["assume"] = self.writer.document(team, 1_020, 2, [first])
        if self.chance(0.4):
            statements = 999 if self.chance(0.3) else self.rng.randint(1, 5)
            inline["extra"] = self.writer.document(team, 5_120 - sum(one.size for one in inline.values()), statements)
        attached = self._attached(team, 4, _FOR_PEOPLE, 0.3)
        if function == "admins" and self.chance(0.1):
            attached = (*attached[:3], _MANAGED + "AdministratorAccess")
        return Group(name=team.groups[-1], inline=inline, attached=attached, seen=self._seen("AGPA"))

    def _company_group(self, name: str) -> Group:
        """`everyone` may look after herself, and do nothing else without MFA; the others read the account."""
        if name != "everyone":
            aws = _MANAGED + ("SecurityAudit" if name in {"auditors", "security"} else "ReadOnlyAccess")
            return Group(name=name, attached=(aws,), seen=self._seen("AGPA"))
        own = ["iam:ChangePassword", "iam:CreateAccessKey", "iam:*MFADevice", "iam:GetUser"]
        without_mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
        statements = [
            {"Effect": "Allow", "Action": own, "Resource": f"{IAM}user/${{aws:username}}"},
            {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::homes/${aws:username}/*"},
            {"Effect": "Deny", "NotAction": [*own, "sts:*"], "Resource": "*", "Condition": without_mfa},
        ]
        document = Document({"Version": "2012-10-17", "Statement": statements})
        return Group(name=name, inline={"self-service": document}, seen=self._seen("AGPA"))

    def _role(self, number: int) -> Role:
        """First those that the teams' groups take on. Of all, 40% have some inline statements, 10% as many as fit."""
        team = self.rng.choices(self.teams, self.weights)[0]
        kind = self.rng.choices(list(_KINDS), list(_KINDS.values()))[0]
        name = f"{team.name}-{kind}-{number}"
        if number < len(self.teams) * len(_TAKERS):
            team = self.teams[number % len(self.teams)]
            kind, name = "deploy", f"{team.name}-{_TAKERS[number // len(self.teams)]}"
        inline = {}
        if self.chance(0.5):
            full = self.chance(0.2)
            inline["own"] = self.writer.document(
                team, 10_240 if full else 2_000, 999 if full else self.rng.randint(1, 6)
            )
        return Role(
            name=name,
            path="/service-role/" if kind in PRINCIPALS and self.chance(0.2) else "/",
            trust=self.writer.trust(team, kind, self._named() if kind == "named" else ()),
            description=f"{kind} of {team.name}" if self.chance(0.3) else "",
            max_session=43_200 if self.chance(0.1) else 3_600,
            inline=inline,
            attached=self._attached(team, 2, _FOR_ROLES, 0.5),
            boundary=self.rng.choice(self.teams[0].policies) if self.chance(0.04) else "",
            tags={"team": team.name, "stage": self.rng.choice(("dev", "prod"))},
            seen=self._seen("AROA", last_used=self._date(26, 26) if self.chance(0.7) else ""),
        )

    def _named(self) -> list[str]:
        """One to three users, and a role that is there already."""
        users = self.rng.sample(self.people, min(len(self.people), self.rng.randint(1, 3)))
        roles = self.rng.sample(list(self.roles), min(len(self.roles), 1))
        return sorted({*(f"{IAM}user/{name}" for name in users), *(self._role_arn(name) for name in roles)})

    def _role_arn(self, name: str) -> str:
        return f"{IAM}role{self.roles[name].path}{name}"

    def _some_groups(self, team: Team, number: int) -> tuple[str, ...]:
        """`everyone` mostly, then groups of the team, then of others."""
        found = {self.company[0]} if self.chance(0.7) else set()
        found.update(self.rng.sample(team.groups, min(len(team.groups), max(0, number - len(found)), 4)))
        while len(found) < min(number, self.size.groups):
            other = self.rng.choices(self.teams, self.weights)[0]
            found.add(self.rng.choice((*other.groups, *self.company)))
        return tuple(sorted(found))

    def _user(self, name: str, combinations: dict[str, list[tuple[str, ...]]]) -> User:
        """Half have one of their team's four combinations of groups, half chose for themselves."""
        team = self.rng.choices(self.teams, self.weights)[0]
        groups = self.rng.choice(combinations[team.name])
        if self.chance(0.5):
            groups = self._some_groups(team, self.rng.choices(list(_MEMBERSHIPS), list(_MEMBERSHIPS.values()))[0])
        attached = self._attached(team, 2, _FOR_PEOPLE, 0.3) if self.chance(0.06) else ()
        bounds = (*self.teams[0].policies[:2], _MANAGED + "PowerUserAccess")
        return User(
            name=name,
            groups=groups,
            inline={"own": self.writer.document(team, 2_048, self.rng.randint(1, 4))} if self.chance(0.08) else {},
            attached=attached,
            boundary=self.rng.choice(bounds) if self.chance(0.05) else "",
            tags={"team": team.name},
            seen=self._seen("AIDA"),
        )
