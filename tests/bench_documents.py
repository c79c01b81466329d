"""Policy documents as people write them, made up from a seed: for `tests/bench_accounts.py`.

Which actions there are, and which are written most, is taken from AWS's own policies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from secmigrate import documents
from secmigrate.iam import Document

NUMBER = "123456789012"
ELSEWHERE = "210987654321"
IAM = f"arn:aws:iam::{NUMBER}:"

Statement = dict[str, Any]

# A service and what its ARNs look like behind `arn:aws:`; `@` is region and account, `#` a name.
_SERVICES: Mapping[str, list[str]] = {
    line.split()[0]: line.split()[1:]
    for line in """
    acm acm:@:certificate/#
    apigateway apigateway:eu-west-1::/restapis/#
    athena athena:@:workgroup/#
    autoscaling autoscaling:@:autoScalingGroup:*:autoScalingGroupName/#
    backup backup:@:backup-vault:#
    batch batch:@:job-queue/# batch:@:job-definition/#:*
    cloudformation cloudformation:@:stack/#/*
    cloudfront cloudfront::123456789012:distribution/#
    cloudwatch cloudwatch:@:alarm:#
    codebuild codebuild:@:project/#
    codecommit codecommit:@:#
    codedeploy codedeploy:@:application:# codedeploy:@:deploymentgroup:#/*
    codepipeline codepipeline:@:#
    cognito-idp cognito-idp:@:userpool/#
    dynamodb dynamodb:@:table/# dynamodb:@:table/#/index/*
    ec2 ec2:@:instance/* ec2:@:volume/* ec2:@:security-group/#
    ecr ecr:@:repository/#
    ecs ecs:@:cluster/# ecs:@:service/#/*
    eks eks:@:cluster/#
    elasticache elasticache:@:cluster:#
    elasticfilesystem elasticfilesystem:@:file-system/#
    elasticloadbalancing elasticloadbalancing:@:loadbalancer/app/#/*
    elasticmapreduce elasticmapreduce:@:cluster/#
    es es:@:domain/#
    events events:@:rule/#
    firehose firehose:@:deliverystream/#
    glue glue:@:catalog glue:@:database/# glue:@:table/#/*
    iam iam::123456789012:role/# iam::123456789012:user/${aws:username}
    kafka kafka:@:cluster/#/*
    kinesis kinesis:@:stream/#
    kms kms:@:key/* kms:@:alias/#
    lambda lambda:@:function:# lambda:@:function:#:*
    logs logs:@:log-group:/aws/lambda/#:* logs:@:log-group:#
    rds rds:@:db:# rds:@:cluster:#
    redshift redshift:@:cluster:#
    route53 route53:::hostedzone/#
    s3 s3:::# s3:::#/* s3:::#/home/${aws:username}/*
    sagemaker sagemaker:@:endpoint/# sagemaker:@:notebook-instance/#
    secretsmanager secretsmanager:@:secret:#-*
    ses ses:@:identity/#
    sns sns:@:#
    sqs sqs:@:#
    ssm ssm:@:parameter/#/* ssm:@:document/#
    states states:@:stateMachine:# states:@:execution:#:*
    """.strip().splitlines()
}
TEAMS = (
    "payments search checkout catalogue shipping identity billing-core fraud pricing ads mobile web data-lake "
    "reporting ml-platform recommendations inventory warehouse returns loyalty messaging email support growth "
    "analytics risk compliance treasury partners api-gateway observability networking storage streaming video maps "
    "geo kyc lending cards"
).split()
THINGS = (
    "orders events raw curated cache index backups uploads exports models sessions audit ledger jobs images".split()
)
PRINCIPALS = {
    "lambda": "lambda.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "task": "ecs-tasks.amazonaws.com",
    "glue": "glue.amazonaws.com",
}
_CONDITIONS: tuple[Mapping[str, Mapping[str, str | list[str]]], ...] = (
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.0/24"]}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
    {"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}},
    {"StringEquals": {"aws:PrincipalTag/stage": "prod"}, "Bool": {"aws:SecureTransport": "true"}},
    {"StringLike": {"aws:PrincipalTag/team": ["data*", "ml-*"]}},
)


class Team(NamedTuple):
    """Who owns things. The lists fill up while the account is made."""

    name: str
    services: list[str]
    stock: list[Statement]  # statements that are copied from policy to policy
    policies: list[str]  # ARNs
    groups: list[str]


@lru_cache
def _words() -> Mapping[str, tuple[list[str], list[str]]]:
    """Of each service the 24 actions and the 5 globs that AWS's own policies name most."""
    counts = {service: (Counter[str](), Counter[str]()) for service in _SERVICES}
    for policy in documents.aws_managed().values():
        for statement in policy.document.statements:
            found = statement.get("Action", [])
            for action in [found] if isinstance(found, str) else found:
                service, _, name = action.partition(":")
                if service in counts and re.fullmatch(r"[A-Z][A-Za-z0-9]+\*?|\*", name):
                    counts[service][name.endswith("*")][action] += 1
    ranked = {
        service: tuple(sorted(both, key=lambda one: (-both[one], one)) for both in pair)
        for service, pair in counts.items()
    }
    return {service: (plain[:24], globs[:5]) for service, (plain, globs) in ranked.items()}


class Writer:
    """Makes up names, statements and documents; all chance comes from its `rng`."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.made = 0

    def chance(self, share: float) -> bool:
        """True that often."""
        return self.rng.random() < share

    def team(self, number: int) -> Team:
        """The team of that number, with fourteen services that it uses."""
        name = TEAMS[number % len(TEAMS)] + (f"-{number // len(TEAMS) + 1}" if number >= len(TEAMS) else "")
        team = Team(name, self.rng.sample(sorted(_SERVICES), 14), [], [], [])
        team.stock.extend(self.statement(team) for _ in range(12))
        return team

    def _arn(self, service: str, team: Team) -> str:
        form = self.rng.choice(_SERVICES[service])
        name = f"{team.name}-{self.rng.choice(THINGS)}" + self.rng.choice(("", "", "-prod", "-dev", "-*"))
        if self.chance(0.08):
            name = f"{team.name}-*"
        place = f"{self.rng.choice(('eu-west-1', 'eu-central-1', '*'))}:{NUMBER}"
        return "arn:aws:" + form.replace("@", place).replace("#", name)

    def statement(self, team: Team) -> Statement:
        """Two to eight actions of one service on up to four things of the team; now and then on everything."""
        service = self.rng.choice(team.services)
        plain, globs = _words()[service]
        actions = set(self.rng.sample(plain, min(len(plain), self.rng.randint(2, 7))))
        if globs and self.chance(0.3):
            actions.add(self.rng.choice(globs))
        statement: Statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
        if self.chance(0.85):
            arns = sorted({self._arn(service, team) for _ in range(self.rng.randint(1, 4))})
            statement["Resource"] = arns if len(arns) > 1 else arns[0]
        if self.chance(0.15):
            statement["Condition"] = self.rng.choice(_CONDITIONS)
        if self.chance(0.3):
            self.made += 1
            statement["Sid"] = f"{service.title().replace('-', '')}{self.made}"
        return statement

    def _special(self, team: Team) -> Statement:
        """What is rare: a deny, `NotAction`, `NotResource`, the right to take on the team's roles."""
        service = self.rng.choice(("s3", "dynamodb", "sqs"))
        here, there, roles = self._arn(service, team), self._arn(service, team), f"{IAM}role/{team.name}-*"
        in_clear = {"Bool": {"aws:SecureTransport": "false"}}
        return self.rng.choice(
            (
                {"Effect": "Deny", "Action": [f"{service}:Delete*"], "Resource": here},
                {"Effect": "Deny", "Action": ["iam:*", "organizations:*"], "Resource": "*"},
                {"Effect": "Deny", "Action": f"{service}:*", "Resource": "*", "Condition": in_clear},
                {"Effect": "Deny", "Action": f"{service}:*", "NotResource": sorted({here, there})},
                {"Effect": "Allow", "NotAction": [f"{service}:Delete*", f"{service}:Put*"], "Resource": here},
                {"Effect": "Allow", "Action": [f"{service}:List*", f"{service}:Get*"], "NotResource": here},
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles},
                {"Effect": "Allow", "Action": "iam:PassRole", "Resource": roles},
            )
        )

    def document(self, team: Team, most: int, statements: int = 999, first: Sequence[Statement] = ()) -> Document:
        """So many statements, or as many as `most` characters hold."""
        found = list(first)
        left = most - Document({"Version": "2012-10-17", "Statement": found}).size - 1
        misses = 0
        while len(found) < statements and misses < 8:
            if not found and self.chance(0.2):
                one = self._special(team)
            else:
                one = self.rng.choice(team.stock) if self.chance(0.25) else self.statement(team)
            needed = Document(one).size + 1
            if needed > left or one in found:
                misses += 1
                continue
            found.append(one)
            left -= needed
        return Document({"Version": "2012-10-17", "Statement": found})

    def trust(self, team: Team, kind: str, named: Sequence[str] = ()) -> Document:
        """Who may assume a role of that kind: a service, the account, `named` ARNs, a partner, GitHub."""
        action = "sts:AssumeRole"
        condition: Mapping[str, Any] = {}
        principal: Mapping[str, Any] = {"AWS": list(named) or f"{IAM}root"}
        if kind in PRINCIPALS:
            principal = {"Service": PRINCIPALS[kind]}
        elif kind == "partner":
            principal = {"AWS": f"arn:aws:iam::{ELSEWHERE}:root"}
            condition = {"Condition": {"StringEquals": {"sts:ExternalId": f"{team.name}-4711"}}}
        elif kind == "github":
            host = "token.actions.githubusercontent.com"
            principal, action = {"Federated": f"{IAM}oidc-provider/{host}"}, "sts:AssumeRoleWithWebIdentity"
            condition = {"Condition": {"StringLike": {f"{host}:sub": f"repo:example/{team.name}-*:*"}}}
        elif self.chance(0.4):
            condition = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
        statement = {"Effect": "Allow", "Principal": principal, "Action": action, **condition}
        return Document({"Version": "2012-10-17", "Statement": [statement]})
