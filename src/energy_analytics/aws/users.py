"""Who may sign in to the dashboard: the first user, whom a deployment invites."""


def invite(pool_id: str, email: str) -> bool:
    """Make a user, to whom Cognito sends a temporary password; False when there is one of that address already.

    A user is no resource of the stack: CloudFormation would remove the person when the setting changes.
    """
    import boto3

    client = boto3.client("cognito-idp")
    try:
        client.admin_create_user(
            UserPoolId=pool_id,
            Username=email,
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
            DesiredDeliveryMediums=["EMAIL"],
        )
    except client.exceptions.UsernameExistsException:
        return False
    return True
