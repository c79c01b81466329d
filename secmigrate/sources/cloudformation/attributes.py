"""What a resource's `Ref` and its attributes are, as far as its own name tells.

Source: AWS, CloudFormation, *Resource and property types reference*, "Return values" of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Kind(NamedTuple):
    """A type of resource: which property names it, and what follows from the name."""

    name: str
    arn: str = ""  # with {name}, {path}, and the stack's {partition}, {region}, {account}
    arn_attribute: str = "Arn"
    ref_is_arn: bool = False


_IAM = "arn:{partition}:iam::{account}:"
KINDS: Mapping[str, Kind] = {
    "AWS::IAM::Group": Kind("GroupName", _IAM + "group{path}{name}"),
    "AWS::IAM::InstanceProfile": Kind("InstanceProfileName", _IAM + "instance-profile{path}{name}"),
    "AWS::IAM::ManagedPolicy": Kind("ManagedPolicyName", _IAM + "policy{path}{name}", "PolicyArn", True),
    "AWS::IAM::Role": Kind("RoleName", _IAM + "role{path}{name}"),
    "AWS::IAM::User": Kind("UserName", _IAM + "user{path}{name}"),
    "AWS::DynamoDB::Table": Kind("TableName", "arn:{partition}:dynamodb:{region}:{account}:table/{name}"),
    "AWS::Lambda::Function": Kind("FunctionName", "arn:{partition}:lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": Kind("LogGroupName", "arn:{partition}:logs:{region}:{account}:log-group:{name}:*"),
    "AWS::S3::Bucket": Kind("BucketName", "arn:{partition}:s3:::{name}"),
    "AWS::SNS::Topic": Kind("TopicName", "arn:{partition}:sns:{region}:{account}:{name}", "TopicArn", True),
    "AWS::SQS::Queue": Kind("QueueName", "arn:{partition}:sqs:{region}:{account}:{name}"),
}
REF_IS_NO_NAME = frozenset({"AWS::SQS::Queue"})  # its Ref is a URL
NAMED = frozenset(type_ for type_ in KINDS if type_.startswith("AWS::IAM::"))  # what the inventory keeps under a name
