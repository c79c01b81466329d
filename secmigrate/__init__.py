"""The assistant that moves hand-grown AWS IAM under the SEC Provisioner."""
