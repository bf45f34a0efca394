"""Models on Amazon Bedrock, asked by its Converse API with the credentials of AWS."""

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from energy_analytics.insights.models import CUT_OFF, REFUSED, Answer, Model, ModelError, Question, whole

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

TOOL: Final = "write_sections"
_AGAIN_SECONDS: Final = 1.0
_OUTCOMES: Final = {
    "AccessDeniedException": "refused the credentials, or is not enabled in the account",
    "ExpiredTokenException": "refused the credentials: they have expired",
    "UnrecognizedClientException": "refused the credentials",
    "ResourceNotFoundException": "is not known in the region",
    "ModelTimeoutException": "gave no answer in time",
    "ServiceQuotaExceededException": "refused to be asked: the account has no quota left",
}
_AGAIN: Final = {
    "ThrottlingException": "was asked too often",
    "ModelNotReadyException": "was not ready",
    "ServiceUnavailableException": "failed on the server",
    "InternalServerException": "failed on the server",
    "ModelErrorException": "failed on the server",
}
_MISREAD: Final = (AttributeError, LookupError, RecursionError, TypeError, UnicodeDecodeError)
"""What the SDK's parser raises itself at JSON of another shape than it expects."""
_REFUSALS: Final = ("guardrail_intervened", "content_filtered", "refusal")


def connect(model: str, *, region: str | None) -> Model:
    """Return a model of Bedrock. Raises ModelError when AWS is not configured."""
    return _Model(model, region)


class _Model:
    """A model that is asked by Converse, which is the same for all of Bedrock's."""

    def __init__(self, model: str, region: str | None) -> None:
        import boto3
        from botocore.exceptions import BotoCoreError

        self.name = model
        self._region = region
        try:
            client = boto3.client("bedrock-runtime", region_name=region)
        except (BotoCoreError, ValueError):
            raise ModelError("could not be asked: AWS is not configured; set bedrock_region and credentials") from None
        self.host = urlsplit(client.meta.endpoint_url).netloc

    def ask(self, question: Question, *, timeout_seconds: float) -> Answer:
        """Ask for the input of a tool by the schema; of a model that knows no tools, for JSON in text."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        config = Config(
            connect_timeout=timeout_seconds, read_timeout=timeout_seconds, retries={"total_max_attempts": 1}
        )
        try:
            client = boto3.client("bedrock-runtime", region_name=self._region, config=config)
            try:
                return self._ask(client, question, with_tool=True)
            except ClientError as error:
                if _code(error) != "ValidationException":
                    raise
            return self._ask(client, question, with_tool=False)
        except ClientError as error:
            raise _told(error) from None
        except (*_MISREAD, ResponseParserError):
            raise ModelError("sent something that is no answer") from None
        except (BotoCoreError, ValueError) as error:
            raise _told_of_connection(error) from None

    def _ask(self, client: Any, question: Question, *, with_tool: bool) -> Answer:
        options: dict[str, Any] = {}
        if with_tool:
            tool = {"name": TOOL, "description": "Hand in the texts.", "inputSchema": {"json": question.schema}}
            options["toolConfig"] = {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": TOOL}}}
        return _answer(
            client.converse(
                modelId=self.name,
                system=[{"text": question.instructions}],
                messages=[{"role": "user", "content": [{"text": question.data}]}],
                inferenceConfig={"maxTokens": question.answer_tokens},
                **options,
            )
        )


def _answer(body: Any) -> Answer:
    """Read what Converse returned: the tool's input as JSON, or the text."""
    try:
        blocks = body["output"]["message"]["content"]
        used = [block["toolUse"]["input"] for block in blocks if "toolUse" in block]
        text = json.dumps(used[0]) if used else "".join(block.get("text", "") for block in blocks)
        usage = body.get("usage") or {}
        tokens = whole(usage.get("inputTokens")), whole(usage.get("outputTokens"))
        ended = body.get("stopReason")
    except (TypeError, KeyError, IndexError, AttributeError, ValueError):
        raise ModelError("sent something that is no answer") from None
    return Answer(text, *tokens, REFUSED if ended in _REFUSALS else CUT_OFF if ended == "max_tokens" else "")


def _code(error: "ClientError") -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _told(error: "ClientError") -> ModelError:
    """Say in words of ours what went wrong."""
    code, metadata = _code(error), error.response.get("ResponseMetadata", {})
    if code in _OUTCOMES:
        return ModelError(_OUTCOMES[code])
    status = metadata.get("HTTPStatusCode", 0)
    if code in _AGAIN or status == 429 or status >= 500:
        what = _AGAIN.get(code, "was asked too often" if status == 429 else "failed on the server")
        waits = str(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
        seconds = float(waits) if waits.isdecimal() and waits.isascii() and len(waits) < 6 else _AGAIN_SECONDS
        return ModelError(what, again_after_seconds=seconds)
    if code == "ValidationException":
        return ModelError("refused the request: is bedrock_model a model or an inference profile of the region?")
    return ModelError(f"refused the request with HTTP status {status}")


def _told_of_connection(error: Exception) -> ModelError:
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return ModelError("could not be asked: there are no AWS credentials")
    if isinstance(error, exceptions.ReadTimeoutError | exceptions.ConnectTimeoutError):
        return ModelError("gave no answer in time")
    if isinstance(error, exceptions.SSLError):
        return ModelError("could not be reached: no trusted TLS connection")
    if isinstance(error, exceptions.HTTPClientError):
        return ModelError("could not be reached", again_after_seconds=_AGAIN_SECONDS)
    return ModelError("could not be asked: AWS is not configured for it")
