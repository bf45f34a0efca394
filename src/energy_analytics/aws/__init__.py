"""The same pipeline on a user's own AWS account: packaging, deployment, operation, removal."""
