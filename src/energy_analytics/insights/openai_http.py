"""HTTP to a model's server: of what it sends, no more is read than an answer can be, and not for longer than it has.

Loading it loads the SDK.
"""

import time
from typing import Any, Final

import openai

from energy_analytics.insights.models import ModelError

_MOST_BYTES: Final = 4_000_000
"""Far more than any answer: some tens of thousands of tokens with all that is told beside them."""


class BoundedClient(openai.DefaultHttpxClient):
    """The SDK's own client, which would read a body to its end: one without end took all memory, beyond the timeout.

    What is packed is refused, and not asked for: a few bytes of it may stand for gigabytes. The SDK would also follow
    a redirect, and send the findings where nobody was told of.
    """

    def __init__(self, *, seconds: float) -> None:
        super().__init__(follow_redirects=False)
        self._until = time.monotonic() + seconds

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request and read its whole answer. Raises ModelError for one that cannot be one."""
        request.headers["Accept-Encoding"] = "identity"
        response = super().send(request, **(options | {"stream": True}))
        try:
            content = self._content_of(response)
        finally:
            response.close()
        return type(response)(response.status_code, headers=response.headers, content=content, request=request)

    def _content_of(self, response: Any) -> bytes:
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise ModelError("sent something that is no answer")
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > _MOST_BYTES:
                raise ModelError("sent something that is no answer")
            if time.monotonic() > self._until:
                raise ModelError("gave no whole answer in time")
        return bytes(content)
