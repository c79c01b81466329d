// An identity team's app: a platform stack that exports what the team stack imports, a nested stack, a stage, and
// names that CloudFormation gives. `make cdk-fixtures` synthesises it; see tests/sources/cdk/README.md.
const { App, Aws, CfnCondition, CfnMapping, CfnOutput, CfnParameter, Fn, NestedStack, Stack, Stage, Tags } = require("aws-cdk-lib");
const iam = require("aws-cdk-lib/aws-iam");
const lambda = require("aws-cdk-lib/aws-lambda");
const s3 = require("aws-cdk-lib/aws-s3");
const sqs = require("aws-cdk-lib/aws-sqs");

const env = { account: "111122223333", region: "eu-central-1" };

class Platform extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const level = new CfnParameter(this, "Level", { default: "standard", allowedValues: ["standard", "strict"] });
    const limits = new CfnMapping(this, "Limits", {
      mapping: { standard: { session: 7200 }, strict: { session: 3600 } },
    });
    const strict = new CfnCondition(this, "Strict", { expression: Fn.conditionEquals(level, "strict") });
    const loose = new CfnCondition(this, "Loose", { expression: Fn.conditionNot(strict) });

    this.lake = new s3.Bucket(this, "Lake", { bucketName: "lumen-data-lake" });
    this.models = new s3.Bucket(this, "Models"); // a name that CloudFormation gives
    this.edge = new iam.ManagedPolicy(this, "Edge", {
      managedPolicyName: "edge",
      path: "/shared/",
      description: "as far as anybody goes",
      statements: [new iam.PolicyStatement({ actions: ["s3:*", "sqs:*", "logs:*"], resources: ["*"] })],
    });
    this.scientists = new iam.Group(this, "Scientists", {
      groupName: "data-science-team",
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName("AmazonSageMakerReadOnly"), this.edge],
    });
    this.engineers = new iam.Group(this, "Engineers"); // a name that CloudFormation gives
    this.lake.grantRead(this.scientists);
    this.lake.grantReadWrite(this.engineers);
    this.models.grantRead(this.scientists);

    const runner = new iam.Role(this, "Runner", {
      roleName: "batch-runner",
      description: "runs the nightly batch",
      assumedBy: new iam.ServicePrincipal("ec2.amazonaws.com"),
      permissionsBoundary: this.edge,
      inlinePolicies: { logs: new iam.PolicyDocument({ statements: [new iam.PolicyStatement({ actions: ["logs:PutLogEvents"], resources: ["*"] })] }) },
    });
    runner.node.defaultChild.maxSessionDuration = limits.findInMap(level.valueAsString, "session");
    new iam.InstanceProfile(this, "Box", { instanceProfileName: "batch-box", role: runner });
    const guard = new iam.CfnGroup(this, "Guard", { groupName: "strict-guard" });
    guard.cfnOptions.condition = strict;
    const visitors = new iam.CfnGroup(this, "Visitors", { groupName: Fn.conditionIf("Loose", "visitors", Aws.NO_VALUE) });
    visitors.cfnOptions.condition = loose;

    const nightly = new lambda.Function(this, "Nightly", {
      runtime: lambda.Runtime.NODEJS_22_X,
      handler: "index.handler",
      code: lambda.Code.fromInline("exports.handler = async () => {}"),
    });
    const jobs = new sqs.Queue(this, "Jobs", { queueName: "lumen-jobs" });
    jobs.grantConsumeMessages(nightly);
    new Ops(this, "Ops", { engineers: this.engineers, jobs });
    new CfnOutput(this, "LakeName", { value: this.lake.bucketName, exportName: Fn.sub("${AWS::StackName}-lake") });
  }
}

class Ops extends NestedStack {
  constructor(scope, id, props) {
    super(scope, id);
    const ops = new iam.Group(this, "Operators", { groupName: "operators" });
    props.jobs.grantPurge(ops);
    const zoe = new iam.User(this, "Zoe", { userName: "zoe.zimmer", groups: [ops] });
    props.engineers.addUser(zoe);
    this.operators = ops;
  }
}

class Team extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const { platform } = props;
    const ana = new iam.User(this, "Ana", { userName: "ana.adler", path: "/people/", groups: [platform.scientists] });
    const bo = new iam.User(this, "Bo", { userName: "bo.berg", permissionsBoundary: platform.edge });
    bo.addToPolicy(new iam.PolicyStatement({ actions: ["iam:ChangePassword"], resources: [Fn.sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:user/${!aws:username}")] }));
    new iam.CfnUserToGroupAddition(this, "Engineering", { groupName: platform.engineers.groupName, users: [bo.userName, ana.userName] });
    new iam.CfnUserToGroupAddition(this, "Readers", {
      groupName: platform.scientists.groupName,
      users: [Fn.importValue("not-of-this-app"), "cleo.costa"],
    });
    new iam.CfnGroupPolicy(this, "Lake", {
      groupName: platform.scientists.groupName,
      policyName: "lake",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:ListBucket", Resource: Fn.join("", ["arn:aws:s3:::", Fn.importValue("lumen-platform-lake")]) }],
      },
    });
    new iam.Role(this, "Partner", {
      roleName: "partner-audit",
      assumedBy: new iam.AccountPrincipal("444455556666").withConditions({ StringEquals: { "sts:ExternalId": "x-1" } }),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName("SecurityAudit")],
    });
    new iam.AccessKey(this, "Key", { user: bo });
    Tags.of(this).add("team", "data");
  }
}

const app = new App({ analyticsReporting: false });
const platform = new Platform(app, "Platform", { stackName: "lumen-platform", env });
new Team(app, "Team", { stackName: "lumen-team", env, platform });
const stage = new Stage(app, "Sandbox", { env });
const sandbox = new Stack(stage, "Play", { stackName: "lumen-sandbox" });
new iam.Group(sandbox, "Players", { groupName: "players" });
app.synth();
