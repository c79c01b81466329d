"""Where IAM is read from: one file a place."""
