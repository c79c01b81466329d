"""Accounts of different shape, and all that `map` says of them; `python -m tests.mapping.shapes` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import structs

from secmigrate import documents, mapping, sec
from secmigrate.iam import Document, Group, Policy, Role, Snapshot, User
from secmigrate.reports.decisions import decision_lines
from tests.mapping.accounts import ACCOUNT, CATALOGUE, account, aws, document, group, role, root, service, statement

FOLDER = Path(__file__).with_name("golden")
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def people(**groups: str) -> list[User]:
    """Users with the groups that are named, by their own names, commas between them."""
    return [User(name=name, groups=tuple(sorted(names.split(",")))) for name, names in groups.items()]


def policy(name: str, *statements: dict[str, object], path: str = "/") -> Policy:
    """A policy of the account's own."""
    return Policy(arn=f"arn:aws:iam::{ACCOUNT}:policy{path}{name}", document=document(*statements))


def inline(name: str, **documents_: Document) -> Group:
    """A group with inline policies alone."""
    return Group(name=name, inline=documents_)


def guide() -> Snapshot:
    """The guide's own example, as it describes it."""
    team = Group(
        name="data-science-team",
        attached=aws("CloudWatchLogsReadOnlyAccess"),
        inline={
            "s3": document(
                statement("Allow", ["s3:ListBucket"], "arn:aws:s3:::edge-prod-b001-*"),
                statement(
                    "Allow", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::edge-prod-b001-*/*"
                ),
            ),
            "sagemaker": document(
                statement("Allow", ["sagemaker:Describe*", "sagemaker:List*"]),
                statement(
                    "Allow",
                    ["sagemaker:CreateTrainingJob", "sagemaker:CreateEndpoint", "sagemaker:InvokeEndpoint"],
                    f"arn:aws:sagemaker:*:{ACCOUNT}:*/edge-dev-b001-*",
                ),
            ),
        },
    )
    return account(team, *people(ana="data-science-team", bo="data-science-team"))


def startup() -> Snapshot:
    """Three groups and five people; the founders are administrators, everybody else has what was at hand."""
    return account(
        group("admins", attached=("AdministratorAccess",)),
        group(
            "ml", attached=("AmazonSageMakerFullAccess", "AmazonS3FullAccess", "AmazonEC2ContainerRegistryPowerUser")
        ),
        group("ops", attached=("CloudWatchReadOnlyAccess", "AWSXrayReadOnlyAccess")),
        *people(ada="admins", ben="admins,ml", cleo="ml", dev="ml,ops", eva="ops"),
        role("sagemaker-execution", service("sagemaker"), attached=aws("AmazonSageMakerFullAccess")),
        role("api-lambda", service("lambda"), "sagemaker:InvokeEndpoint", attached=aws("AWSLambdaBasicExecutionRole")),
    )


def bank() -> Snapshot:
    """Forty groups by a naming convention, read and write apart, a deny for those without MFA, a boundary on roles."""
    areas = {
        "DataScience": (
            ["s3:GetObject", "s3:ListBucket", "sagemaker:Describe*", "sagemaker:List*"],
            ["s3:PutObject", "sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob"],
        ),
        "MLEngineering": (
            ["sagemaker:Describe*", "codebuild:BatchGet*", "ecr:BatchGetImage"],
            ["sagemaker:CreateEndpoint", "codepipeline:StartPipelineExecution", "ecr:PutImage"],
        ),
        "DataEngineering": (
            ["glue:Get*", "s3:GetObject", "redshift:Describe*"],
            ["glue:StartJobRun", "s3:PutObject", "redshift-data:ExecuteStatement"],
        ),
        "ModelRisk": (["sagemaker:DescribeModelPackage", "s3:GetObject", "cloudtrail:LookupEvents"], []),
        "FinOps": (["ce:Get*", "cur:Describe*"], ["budgets:ModifyBudget"]),
        "SecurityOperations": (["iam:Get*", "iam:List*", "guardduty:Get*"], []),
        "QA": (["sagemaker:Describe*", "lambda:GetFunction", "s3:GetObject"], ["sagemaker:InvokeEndpoint"]),
        "Payments": (["dynamodb:Query", "sqs:GetQueueAttributes"], ["dynamodb:PutItem", "sqs:SendMessage"]),
        "Cards": (["dynamodb:Query", "kinesis:GetRecords"], ["kinesis:PutRecord"]),
        "Treasury": (["s3:GetObject", "athena:GetQueryResults"], ["athena:StartQueryExecution"]),
        "CRM": (["s3:GetObject", "ses:GetAccount"], ["ses:SendEmail"]),
        "Mobile": (["cognito-idp:Describe*"], ["cognito-idp:AdminCreateUser"]),
    }
    things: list[Group | User | Role | Policy] = [
        inline(
            "GG-AWS-AllStaff-MFA",
            deny=document(
                statement(
                    "Allow", ["iam:*MFADevice", "iam:ChangePassword"], f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
                ),
                {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*", "Condition": NO_MFA},
            ),
        ),
        group("GG-AWS-Platform-Admin", attached=("AdministratorAccess",)),
        group("GG-AWS-Auditors-External-RO", attached=("SecurityAudit",)),
        group("GG-AWS-Auditors-Internal-RO", attached=("SecurityAudit",)),
        group("GG-AWS-Contractors-RO", "s3:ListBucket", "sagemaker:ListModels"),
        group("GG-AWS-Operations-Monitoring", attached=("CloudWatchReadOnlyAccess",)),
    ]
    for area, (read, write) in areas.items():
        bucket = f"arn:aws:s3:::bank-{area.lower()}"
        where = ["*"] if not any(one.startswith("s3:") for one in (*read, *write)) else [bucket, f"{bucket}/*", "*"]
        read_only = inline("-", own=document(statement("Allow", read, where)))
        things += [
            structs.replace(read_only, name=f"GG-AWS-{area}-{env}-RO", path=f"/{area.lower()}/")
            for env in ("Prod", "Dev")
        ]
        if write:
            things.append(
                structs.replace(
                    inline(f"GG-AWS-{area}-Dev-RW", own=document(statement("Allow", [*read, *write], where))),
                    path=f"/{area.lower()}/",
                )
            )
    edge = f"arn:aws:iam::{ACCOUNT}:policy/edge"
    things += [
        policy("edge", statement("Allow", ["*"]), statement("Deny", ["iam:*"])),
        role("breakglass-admin", root(), condition=MFA, attached=aws("AdministratorAccess"), max_session=3600),
        role("ml-engineer-standby", root(), "sagemaker:CreateEndpoint", boundary=edge, max_session=14_400),
        role("core-deployer", root("444455556666"), condition={"StringEquals": {"sts:ExternalId": "core-7"}}),
        role("vendor-monitoring", root("555566667777"), "cloudwatch:GetMetricData"),
        *people(
            aino="GG-AWS-AllStaff-MFA,GG-AWS-DataScience-Dev-RW", bram="GG-AWS-AllStaff-MFA,GG-AWS-Payments-Dev-RW"
        ),
    ]
    return account(*things)


def managed() -> Snapshot:
    """Everything in policies of the account's own, shared between groups and roles."""
    data, models = "arn:aws:s3:::acme-data", "arn:aws:s3:::acme-models"
    read = policy("DataRead", statement("Allow", ["s3:Get*", "s3:List*"], [data, f"{data}/*"]), path="/data/")
    write = policy("DataWrite", statement("Allow", ["s3:PutObject", "s3:DeleteObject"], f"{data}/*"), path="/data/")
    train = policy(
        "Train",
        statement("Allow", ["sagemaker:Create*", "sagemaker:Describe*", "sagemaker:List*"]),
        statement("Allow", ["iam:PassRole"], f"arn:aws:iam::{ACCOUNT}:role/sagemaker-*"),
    )
    ship = policy(
        "Ship",
        statement("Allow", ["codepipeline:*", "codebuild:*", "ecr:*"]),
        statement("Allow", ["s3:PutObject"], f"{models}/*"),
    )
    etl = policy("Etl", statement("Allow", ["glue:*", "athena:StartQueryExecution"]))
    watch = policy("Watch", statement("Allow", ["cloudwatch:Get*", "logs:FilterLogEvents", "xray:*"]))

    def holding(name: str, *ones: Policy) -> Group:
        return Group(name=name, attached=tuple(one.arn for one in ones))

    worker = role("sagemaker-worker", service("sagemaker"))
    return account(
        *(read, write, train, ship, etl, watch),
        holding("data-scientists", read, train),
        holding("ds-seniors", read, write, train),
        holding("mlops", ship, train),
        holding("etl-team", read, write, etl),
        holding("etl-nights", read, write, etl),
        holding("support", watch),
        structs.replace(worker, attached=(read.arn, write.arn)),
        *people(ana="data-scientists", bo="ds-seniors,mlops", cy="etl-team", di="etl-nights,support"),
    )


def handwritten() -> Snapshot:
    """Everything inline, with conditions, denies and NotActions."""
    return account(
        inline(
            "scientists",
            s3=document(
                statement("Allow", ["s3:*"], ["arn:aws:s3:::lab", "arn:aws:s3:::lab/*"]),
                statement("Deny", ["s3:DeleteBucket"]),
            ),
            sagemaker=document(
                statement("Allow", ["sagemaker:*"], Condition={"StringEquals": {"aws:RequestedRegion": "eu-central-1"}})
            ),
        ),
        inline(
            "engineers", all=document({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"})
        ),
        inline(
            "call-center",
            invoke=document(
                statement("Allow", ["sagemaker:InvokeEndpoint"], f"arn:aws:sagemaker:*:{ACCOUNT}:endpoint/churn")
            ),
        ),
        inline("billing", pay=document(statement("Allow", ["aws-portal:*", "ce:*", "budgets:*"]))),
        inline(
            "office-only",
            deny=document(statement("Deny", ["*"], Condition={"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
        ),
        role("runner", service("codebuild"), "ecr:*", "s3:GetObject", "logs:PutLogEvents"),
        *people(ana="scientists,office-only", bo="engineers,office-only", cy="billing"),
    )


def untidy() -> Snapshot:
    """Years without anybody who tidied: two naming schemes, test groups, dead roles, trusts of all kinds."""
    oidc = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}
    saml = {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"}
    return account(
        group("interns", attached=("AdministratorAccess",)),
        group("Data-Science", "s3:GetObject", "sagemaker:CreateTrainingJob"),
        group("data_science_OLD", "s3:GetObject", "sagemaker:CreateTrainingJob"),
        group("DataScience2019", "s3:*", attached=("AmazonSageMakerFullAccess",)),
        group("test", "s3:GetObject"),
        group("test2"),
        group("delete-me", attached=("AmazonEC2FullAccess",)),
        group("mixed", "s3:*", "sagemaker:*", "glue:*", "codepipeline:*", "cloudwatch:*"),
        group("janes-group", "s3:PutObject", resource="arn:aws:s3:::jane-temp/*"),
        group("finance", attached=("job-function/Billing",)),
        group("SecAudit", attached=("SecurityAudit", "ReadOnlyAccess")),
        inline(
            "no-us",
            deny=document(
                statement("Deny", ["ec2:*"], Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})
            ),
        ),
        Group(name="lost-policy", attached=(f"arn:aws:iam::{ACCOUNT}:policy/gone",)),
        role("github-actions", oidc, "ecr:PutImage"),
        role("okta-admins", saml, attached=aws("AdministratorAccess")),
        role("old-partner", root("444455556666"), "s3:GetObject"),
        role("partner", root("555566667777"), "s3:GetObject", condition={"StringEquals": {"sts:ExternalId": "x1"}}),
        role("anyone", {"AWS": "*"}, "s3:GetObject"),
        role("old-lambda", service("lambda"), "dynamodb:*", "s3:GetObject"),
        role("ec2-batch", service("ec2"), "s3:*"),
        role("AWSServiceRoleForSupport", service("support"), path="/aws-service-role/support.amazonaws.com/"),
        role("stack-role", service("ecs-tasks"), tags={"aws:cloudformation:stack-name": "shop"}),
        *people(
            jane="janes-group,Data-Science,test",
            joe="interns",
            old="data_science_OLD",
            kim="mixed",
            lee="mixed,finance",
        ),
        User(name="root-like", attached=aws("AdministratorAccess")),
    )


SHAPES: Mapping[str, tuple[str, Callable[[], Snapshot]]] = {
    name: (prefix, made)
    for name, prefix, made in (
        ("guide", "edge", guide),
        ("startup", "tiny", startup),
        ("bank", "bank", bank),
        ("managed", "acme", managed),
        ("handwritten", "hand", handwritten),
        ("untidy", "old", untidy),
    )
}


def mapped(name: str) -> tuple[str, str]:
    """What `map` prints for an account, and the config that it writes."""
    prefix, made = SHAPES[name]
    snapshot = made()
    client = sec.Client(company_prefix=prefix, tenant_id="b001", account_id=ACCOUNT, company_name=f"{prefix} corp")
    names = (client, sec.Environment(env="prod", region="eu-central-1"))
    decided = mapping.decide(snapshot, CATALOGUE, names=names)
    choice = mapping.choose_tier(decided, CATALOGUE)
    config = mapping.sec_config(decided, CATALOGUE, client=client, environment=names[1], tier=choice.tier)
    unreached = mapping.unreached(decided, snapshot, mapping.ladders_of(snapshot, CATALOGUE, None, names))
    comments = mapping.sec_yaml_comments(config, decided, CATALOGUE)
    lines = "\n".join(decision_lines(decided, choice, mapping.joined(decided, config), unreached))
    return f"{lines}\n", documents.config_text(config, comments)


if __name__ == "__main__":
    for one in sys.argv[1:] or SHAPES:
        for ending, text in zip(("txt", "yaml"), mapped(one), strict=True):
            (FOLDER / f"{one}.{ending}").write_text(text, encoding="utf-8")
