// The account of examples/terraform/ as an AWS CDK app. cdk.out/ is what `cdk synth` makes of it (`make cdk-fixtures`).
const { App, Fn, Stack } = require("aws-cdk-lib");
const iam = require("aws-cdk-lib/aws-iam");

const env = { account: "111122223333", region: "eu-central-1" };
const aws = (name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name);
const allow = (actions, resources = ["*"]) => new iam.PolicyStatement({ actions, resources });

class Groups extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const read = new iam.ManagedPolicy(this, "DataRead", {
      managedPolicyName: "lumen-data-read",
      path: "/data/",
      description: "the lake, to look at",
      statements: [allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::lumen-prod-a001-lake", "arn:aws:s3:::lumen-prod-a001-lake/*"])],
    });
    const edge = new iam.ManagedPolicy(this, "Edge", {
      managedPolicyName: "lumen-contractor-edge",
      statements: [allow(["s3:*", "sagemaker:*"])],
    });
    this.scientists = new iam.Group(this, "Scientists", {
      groupName: "data-science-team",
      managedPolicies: [aws("AmazonSageMakerReadOnly"), read],
    });
    new iam.Policy(this, "Notebooks", {
      policyName: "notebooks",
      groups: [this.scientists],
      statements: [allow(["sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:StartNotebookInstance"])],
    });
    this.engineers = new iam.Group(this, "Engineers", {
      groupName: "data-engineering",
      path: "/teams/",
      managedPolicies: [aws("AmazonS3FullAccess"), aws("AWSGlueConsoleFullAccess")],
    });
    this.finance = new iam.Group(this, "Finance", { groupName: "finance-billing", managedPolicies: [aws("job-function/Billing")] });

    const ana = new iam.CfnUser(this, "Ana", { userName: "ana.adler", path: "/people/", tags: [{ key: "team", value: "data" }] });
    const bo = new iam.User(this, "Bo", { userName: "bo.berg", groups: [this.scientists, this.engineers] });
    new iam.Policy(this, "BoPassword", { policyName: "own-password", users: [bo], statements: [allow(["iam:ChangePassword"], ["arn:aws:iam::111122223333:user/${aws:username}"])] });
    const cleo = new iam.User(this, "Cleo", { userName: "cleo.costa", groups: [this.finance] });
    const dan = new iam.User(this, "Dan", { userName: "dan.diaz", permissionsBoundary: edge, groups: [this.scientists], managedPolicies: [aws("AmazonS3ReadOnlyAccess")] });
    new iam.CfnUserToGroupAddition(this, "AnaIsScientist", { groupName: this.scientists.groupName, users: [ana.ref] });
    cleo.node.addDependency(dan);
  }
}

class Roles extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const training = new iam.Role(this, "Training", {
      roleName: "sagemaker-training",
      description: "trains the demand model",
      maxSessionDuration: require("aws-cdk-lib").Duration.hours(4),
      assumedBy: new iam.ServicePrincipal("sagemaker.amazonaws.com"),
      managedPolicies: [aws("AmazonSageMakerReadOnly")],
    });
    new iam.Policy(this, "Artifacts", { policyName: "artifacts", roles: [training], statements: [allow(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::lumen-prod-a001-models/*"])] });
    const etl = new iam.Role(this, "Etl", {
      roleName: "lambda-etl",
      path: "/service/",
      assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
      managedPolicies: [aws("service-role/AWSLambdaBasicExecutionRole")],
    });
    require("aws-cdk-lib").Tags.of(etl).add("team", "data");
    const box = new iam.Role(this, "BatchRole", {
      roleName: "ec2-batch",
      assumedBy: new iam.ServicePrincipal("ec2.amazonaws.com"),
      inlinePolicies: { queue: new iam.PolicyDocument({ statements: [allow(["sqs:ReceiveMessage"], ["arn:aws:sqs:eu-central-1:111122223333:lumen-prod-a001-jobs"])] }) },
    });
    new iam.InstanceProfile(this, "BatchBox", { instanceProfileName: "batch-box", role: box });
    new iam.Role(this, "Partner", {
      roleName: "partner-audit",
      assumedBy: new iam.AccountPrincipal("444455556666").withConditions({ StringEquals: { "sts:ExternalId": "partner-7" } }),
      managedPolicies: [aws("SecurityAudit")],
    });
    new iam.Role(this, "BreakGlass", {
      roleName: "breakglass-admin",
      assumedBy: new iam.AccountRootPrincipal().withConditions({ Bool: { "aws:MultiFactorAuthPresent": "true" } }),
      managedPolicies: [iam.ManagedPolicy.fromManagedPolicyArn(this, "Admin", Fn.sub("arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"))],
    });
  }
}

const app = new App({ analyticsReporting: false });
new Groups(app, "LumenGroups", { env });
new Roles(app, "LumenRoles", { env });
app.synth();
