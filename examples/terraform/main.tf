# The account of examples/cdk/ as Terraform. terraform.tfstate is what `terraform apply` leaves of it.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

provider "aws" { region = "eu-central-1" }

locals {
  account = "111122223333"
  aws     = "arn:aws:iam::aws:policy"
}

# Policies of our own ------------------------------------------------------------------------------------------------

resource "aws_iam_policy" "data_read" {
  name        = "lumen-data-read"
  path        = "/data/"
  description = "the lake, to look at"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action   = ["s3:GetObject", "s3:ListBucket"]
      Effect   = "Allow"
      Resource = ["arn:aws:s3:::lumen-prod-a001-lake", "arn:aws:s3:::lumen-prod-a001-lake/*"]
    }]
  })
}

resource "aws_iam_policy" "edge" {
  name = "lumen-contractor-edge"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Action = ["s3:*", "sagemaker:*"], Effect = "Allow", Resource = "*" }]
  })
}

# Groups -------------------------------------------------------------------------------------------------------------

resource "aws_iam_group" "scientists" {
  name = "data-science-team"
}

resource "aws_iam_group" "engineers" {
  name = "data-engineering"
  path = "/teams/"
}

resource "aws_iam_group" "finance" {
  name = "finance-billing"
}

resource "aws_iam_group_policy" "notebooks" {
  name  = "notebooks"
  group = aws_iam_group.scientists.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action   = ["sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:StartNotebookInstance"]
      Effect   = "Allow"
      Resource = "*"
    }]
  })
}

resource "aws_iam_group_policy_attachment" "scientists" {
  for_each = {
    sagemaker = "${local.aws}/AmazonSageMakerReadOnly"
    lake      = aws_iam_policy.data_read.arn
  }
  group      = aws_iam_group.scientists.name
  policy_arn = each.value
}

resource "aws_iam_group_policy_attachment" "engineers" {
  count      = 2
  group      = aws_iam_group.engineers.name
  policy_arn = ["${local.aws}/AmazonS3FullAccess", "${local.aws}/AWSGlueConsoleFullAccess"][count.index]
}

resource "aws_iam_group_policy_attachment" "finance" {
  group      = aws_iam_group.finance.name
  policy_arn = "${local.aws}/job-function/Billing"
}

# People -------------------------------------------------------------------------------------------------------------

resource "aws_iam_user" "ana" {
  name = "ana.adler"
  path = "/people/"
  tags = { team = "data" }
}

resource "aws_iam_user" "others" {
  for_each = toset(["bo.berg", "cleo.costa"])
  name     = each.key
}

resource "aws_iam_user" "dan" {
  name                 = "dan.diaz"
  permissions_boundary = aws_iam_policy.edge.arn
}

resource "aws_iam_user_policy" "bo" {
  name = "own-password"
  user = aws_iam_user.others["bo.berg"].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action   = "iam:ChangePassword"
      Effect   = "Allow"
      Resource = "arn:aws:iam::${local.account}:user/$${aws:username}"
    }]
  })
}

resource "aws_iam_user_policy_attachment" "dan" {
  user       = aws_iam_user.dan.name
  policy_arn = "${local.aws}/AmazonS3ReadOnlyAccess"
}

# This one is exclusive: whoever else joins the group is taken out again by the next run.
resource "aws_iam_group_membership" "scientists" {
  name  = "scientists"
  group = aws_iam_group.scientists.name
  users = [aws_iam_user.ana.name, aws_iam_user.others["bo.berg"].name, aws_iam_user.dan.name]
}

resource "aws_iam_user_group_membership" "bo" {
  user   = aws_iam_user.others["bo.berg"].name
  groups = [aws_iam_group.engineers.name]
}

resource "aws_iam_user_group_membership" "cleo" {
  user   = aws_iam_user.others["cleo.costa"].name
  groups = [aws_iam_group.finance.name]
}

# Roles --------------------------------------------------------------------------------------------------------------

locals {
  trusts = {
    for name in ["sagemaker", "lambda", "ec2"] : name => jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Action = "sts:AssumeRole", Effect = "Allow", Principal = { Service = "${name}.amazonaws.com" } }]
    })
  }
}

resource "aws_iam_role" "training" {
  name                 = "sagemaker-training"
  description          = "trains the demand model"
  max_session_duration = 14400
  assume_role_policy   = local.trusts["sagemaker"]
}

resource "aws_iam_role_policy" "artifacts" {
  name = "artifacts"
  role = aws_iam_role.training.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action   = ["s3:GetObject", "s3:PutObject"]
      Effect   = "Allow"
      Resource = "arn:aws:s3:::lumen-prod-a001-models/*"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "training" {
  role       = aws_iam_role.training.name
  policy_arn = "${local.aws}/AmazonSageMakerReadOnly"
}

resource "aws_iam_role" "etl" {
  name                = "lambda-etl"
  path                = "/service/"
  assume_role_policy  = local.trusts["lambda"]
  managed_policy_arns = ["${local.aws}/service-role/AWSLambdaBasicExecutionRole"]
  tags                = { team = "data" }
}

resource "aws_iam_role" "batch" {
  name               = "ec2-batch"
  assume_role_policy = local.trusts["ec2"]
  inline_policy {
    name = "queue"
    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Action   = "sqs:ReceiveMessage"
        Effect   = "Allow"
        Resource = "arn:aws:sqs:eu-central-1:${local.account}:lumen-prod-a001-jobs"
      }]
    })
  }
}

resource "aws_iam_instance_profile" "batch" {
  name = "batch-box"
  role = aws_iam_role.batch.name
}

module "partner" {
  source      = "./partner"
  account     = "444455556666"
  external_id = "partner-7"
}

resource "aws_iam_role" "breakglass" {
  name = "breakglass-admin"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${local.account}:root" }
      Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "breakglass" {
  role       = aws_iam_role.breakglass.name
  policy_arn = "${local.aws}/AdministratorAccess"
}
