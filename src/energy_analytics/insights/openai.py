"""Models behind OpenAI's protocol: OpenAI's own, or any compatible server, such as one on this machine."""

import ipaddress
import json
import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from energy_analytics.insights.models import CUT_OFF, REFUSED, Answer, Model, ModelError, Question, whole

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

OWN_URL: Final = "https://api.openai.com/v1"
_NO_KEY: Final = "none"
"""Sent to a server that asks for no key: the SDK wants one."""
_AGAIN_SECONDS: Final = 1.0
"""Wait before asking again where the server does not say how long."""
_OUTCOMES: Final = {401: "refused the key", 403: "refused the key", 404: "is not known to the server"}
_FEATURE: Final = 400
"""Status by which a server says that it does not know an option."""


def connect(model: str, *, base_url: str | None, key: SecretStr | None) -> Model:
    """Return a model of OpenAI, or of the server at `base_url`. Raises ModelError when there is no key for it."""
    if key is None and base_url is None:
        raise ModelError("could not be asked: there is no OPENAI_API_KEY")
    if key is not None and base_url is not None and not _is_private(base_url):
        raise ModelError("could not be asked: the key is not sent over http; let openai_base_url begin with https")
    if key is not None and not (key.get_secret_value().isascii() and key.get_secret_value().isprintable()):
        raise ModelError("could not be asked: the key has characters that no key has")
    try:
        import openai  # noqa: F401 - here, so that loading it takes nothing of the time for an answer
    except ImportError:
        raise ModelError("could not be asked: the package openai is not installed") from None
    return _Model(model, base_url, key)


def _is_private(url: str) -> bool:
    """Tell whether what is sent to the URL can be read by nobody else: by TLS, or because it stays on the machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return parts.scheme == "https" or loopback


class _Model:
    """A model that is asked by chat completions, which every compatible server has."""

    def __init__(self, model: str, base_url: str | None, key: SecretStr | None) -> None:
        self.name = model
        self._base_url = base_url
        self._key = key
        self.host = urlsplit(base_url or OWN_URL).netloc

    def ask(self, question: Question, *, timeout_seconds: float) -> Answer:
        """Ask for an answer by the schema; of a server that knows no schemas, for JSON in text."""
        import openai

        from energy_analytics.insights.openai_http import BoundedClient

        http = BoundedClient(seconds=timeout_seconds)
        key = _NO_KEY if self._key is None else self._key.get_secret_value()
        with openai.OpenAI(
            api_key=key, base_url=self._base_url or OWN_URL, timeout=timeout_seconds, max_retries=0, http_client=http
        ) as client:
            try:
                return self._ask(client, question, with_schema=True)
            except openai.APIStatusError as error:
                if error.status_code != _FEATURE:
                    raise self._told(error) from None
            except openai.OpenAIError as error:
                raise self._told(error) from None
            try:
                return self._ask(client, question, with_schema=False)
            except openai.OpenAIError as error:
                raise self._told(error) from None

    def _ask(self, client: "OpenAI", question: Question, *, with_schema: bool) -> Answer:
        # Newer models of OpenAI refuse max_tokens, and other servers know nothing else.
        options: dict[str, Any] = {"max_tokens" if self._base_url else "max_completion_tokens": question.answer_tokens}
        if with_schema:
            schema = {"name": "sections", "schema": question.schema, "strict": True}
            options["response_format"] = {"type": "json_schema", "json_schema": schema}
        raw = client.chat.completions.with_raw_response.create(
            model=self.name,
            messages=[
                {"role": "system", "content": question.instructions},
                {"role": "user", "content": question.data},
            ],
            **options,
        )
        return _answer(raw.http_response.content)

    def _told(self, error: Exception) -> ModelError:
        """Say in words of ours what went wrong. What the server says may repeat the key."""
        import openai

        if isinstance(error, openai.APITimeoutError):
            return ModelError("gave no answer in time")
        if isinstance(error, openai.APIConnectionError):
            if _is_tls(error):
                return ModelError("could not be reached: no trusted TLS connection")
            return ModelError("could not be reached", again_after_seconds=_AGAIN_SECONDS)
        if isinstance(error, openai.APIStatusError):
            return _told_by_status(error)
        return ModelError("could not be asked: the SDK refused the request")


def _told_by_status(error: "APIStatusError") -> ModelError:
    status, waits = error.status_code, _retry_after(error.response.headers)
    if status == 429 and error.code == "insufficient_quota":
        return ModelError("refused to be asked: the account has no quota left")
    if status == 429:
        return ModelError("was asked too often", again_after_seconds=waits)
    if status >= 500:
        return ModelError("failed on the server", again_after_seconds=waits)
    return ModelError(_OUTCOMES.get(status, f"refused the request with HTTP status {status}"))


def _retry_after(headers: Any) -> float:
    """Return the seconds that a server asks to wait; what it says by a date is not worth the wait."""
    text = str(headers.get("retry-after", "")).strip()
    return float(text) if text.isdecimal() and text.isascii() and len(text) < 6 else _AGAIN_SECONDS


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError) or "SSL" in str(error) or "certificate" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _answer(content: bytes) -> Answer:
    """Read a chat completion. A server is free to send anything, so nothing in it is taken for granted."""
    try:
        body = json.loads(content)
        choice = body["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content"), message.get("refusal")
        usage = body.get("usage") or {}
        tokens = whole(usage.get("prompt_tokens")), whole(usage.get("completion_tokens"))
        ended = choice.get("finish_reason")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise ModelError("sent something that is no answer") from None
    refused = bool(refusal) or ended == "content_filter"
    fault = REFUSED if refused else CUT_OFF if ended == "length" else ""
    return Answer(text if isinstance(text, str) else "", *tokens, fault)
