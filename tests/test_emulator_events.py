"""The emulator queues events as Lambda does: who may invoke, throttles, retries, age, and where failures go."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator import ACCOUNT, Emulator, start
from toys import LOGS, Toy, toy, wait_for, zipped

RECORD = "import json\ndef handler(event, context):\n    print('GOT ' + json.dumps(event))\n"
FAIL = "def handler(event, context):\n    raise ValueError('no good')\n"
SEND = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


def got(function: Toy) -> list[Any]:
    return [json.loads(line[4:]) for line in function.lines() if line.startswith("GOT ")]


def allow(function: Toy, bucket: str, account: str = ACCOUNT) -> None:
    function.aws.client("lambda").add_permission(
        FunctionName=function.name,
        StatementId=f"s{len(account)}{account[-1]}",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
        SourceAccount=account,
    )


def notify(function: Toy, bucket: str) -> None:
    rules = [{"Name": "prefix", "Value": "raw/"}, {"Name": "suffix", "Value": ".csv"}]
    configuration = {
        "LambdaFunctionArn": function.arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    function.aws.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )


def queue(aws: Emulator, name: str) -> tuple[str, str]:
    url = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:{aws.region}:{ACCOUNT}:{name}"


def message(aws: Emulator, url: str) -> Any:
    def look() -> Any:
        return aws.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")

    return wait_for(look)[0]


def test_a_bucket_invokes_with_encoded_keys_if_it_may(aws: Emulator, bucket: str) -> None:
    function, s3 = toy(aws, RECORD), aws.client("s3")
    with pytest.raises(ClientError, match="Unable to validate the following destination"):
        notify(function, bucket)
    allow(function, bucket, "999999999999")
    with pytest.raises(ClientError, match="Unable to validate the following destination"):
        notify(function, bucket)
    allow(function, bucket)
    notify(function, bucket)
    for key in ("raw/a b+ü.csv", "raw/other.txt", "else/file.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"12345")
    (event,) = wait_for(lambda: got(function))
    (record,) = event["Records"]
    assert record["s3"]["object"]["key"] == "raw/a+b%2B%C3%BC.csv"
    assert (record["s3"]["bucket"]["name"], record["s3"]["object"]["size"]) == (bucket, 5)
    aws.client("lambda").remove_permission(FunctionName=function.name, StatementId=f"s12{ACCOUNT[-1]}")
    s3.put_object(Bucket=bucket, Key="raw/later.csv")
    function.send("last")
    wait_for(lambda: "last" in got(function))
    assert len(got(function)) == 2


def test_throttled_events_all_arrive(aws: Emulator) -> None:
    function = toy(aws, "import time\n" + RECORD + "    time.sleep(0.2)\n")
    for number in range(30):
        function.send(number)
    wait_for(lambda: len(got(function)) == 30)
    assert sorted(got(function)) == list(range(30))
    with pytest.raises(ClientError, match="below its minimum value of \\[10\\]"):
        aws.client("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)


def test_a_failed_event_ends_at_its_destination_and_in_the_dead_letters(aws: Emulator) -> None:
    url, arn = queue(aws, "failures")
    letters_url, letters_arn = queue(aws, "letters")
    function = toy(aws, FAIL, rights=[LOGS, SEND], DeadLetterConfig={"TargetArn": letters_arn})
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName=function.name, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    function.send({"key": 1})
    body = json.loads(message(aws, url)["Body"])
    assert list(body) == [
        "version",
        "timestamp",
        "requestContext",
        "requestPayload",
        "responseContext",
        "responsePayload",
    ]
    assert body["version"] == "1.0"
    context = body["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", 3)
    assert context["functionArn"] == f"{function.arn}:$LATEST"
    assert body["requestPayload"] == {"key": 1}
    assert body["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert (body["responsePayload"]["errorType"], body["responsePayload"]["errorMessage"]) == ("ValueError", "no good")
    letter = message(aws, letters_url)
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert json.loads(letter["Body"]) == {"key": 1}
    assert attributes == {"RequestID": context["requestId"], "ErrorCode": "200", "ErrorMessage": "no good"}
    starts = [line for line in function.lines() if line.startswith("START")]
    assert len(starts) == 3
    assert all(context["requestId"] in line for line in starts)


def test_a_destination_needs_the_right_to_send_there(aws: Emulator) -> None:
    function, client = toy(aws, FAIL), aws.client("lambda")
    _, arn = queue(aws, "forbidden")
    with pytest.raises(ClientError, match="does not have permissions to call SendMessage on arn"):
        client.put_function_event_invoke_config(
            FunctionName=function.name, DestinationConfig={"OnFailure": {"Destination": arn}}
        )
    with pytest.raises(ClientError, match="permissions to call SendMessage on SQS"):
        client.update_function_configuration(FunctionName=function.name, DeadLetterConfig={"TargetArn": arn})


def test_an_event_too_old_is_given_up_unseen(tmp_path: Path) -> None:
    with start(tmp_path, concurrency=1, age_scale=0.01) as aws:
        url, arn = queue(aws, "late")
        slow = toy(aws, "import time\ndef handler(event, context):\n    time.sleep(2)\n", rights=[LOGS, SEND])
        aws.client("lambda").put_function_event_invoke_config(
            FunctionName=slow.name,
            MaximumEventAgeInSeconds=60,
            DestinationConfig={"OnFailure": {"Destination": arn}},
        )
        slow.send("first")
        slow.send("second")
        body = json.loads(message(aws, url)["Body"])
    assert body["requestContext"]["condition"] == "EventAgeExceeded"
    assert body["requestContext"]["approximateInvokeCount"] == 0
    assert not {"responseContext", "responsePayload"} & set(body)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"MemorySize": 20480}, "less than or equal to 10240"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"LONG": "x" * 4090}}}, "exceeded the 4KB limit"),
        ({"Code": {"S3Bucket": "nowhere", "S3Key": "no.zip"}}, "NoSuchKey"),
    ],
)
def test_settings_that_lambda_refuses(aws: Emulator, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why):
        toy(aws, RECORD, **settings)


def test_six_layers_are_too_many(aws: Emulator) -> None:
    client, content = aws.client("lambda"), {"ZipFile": zipped({"python/empty.py": ""})}
    layers = [client.publish_layer_version(LayerName=f"layer{number}", Content=content) for number in range(6)]
    with pytest.raises(ClientError, match="more than 5 layers"):
        toy(aws, RECORD, Layers=[layer["LayerVersionArn"] for layer in layers])
