"""What a language model is to us: something that is asked once and answers with text, or fails in a way we can tell."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")

REFUSED: Final = "refused to answer"
CUT_OFF: Final = "did not come to an end within the tokens of one answer"


class ModelError(Exception):
    """A model gave no answer. The message is a sentence of ours that goes on with its name: never a server's words.

    What a server says may repeat part of a key or of what was sent, and the message gets into the manifest.
    """

    def __init__(self, message: str, *, again_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.again_after_seconds = again_after_seconds
        """When it may be asked again; None when that would be no use."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent to a model."""

    instructions: str
    data: str
    """JSON."""
    schema: dict[str, Any]
    """JSON schema of the answer."""
    answer_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The tokens are None where the server does not tell them."""

    text: str
    input_tokens: int | None
    output_tokens: int | None
    fault: str = ""
    """What kept the model from a whole answer: REFUSED or CUT_OFF; empty when nothing did."""


class Model(Protocol):
    """A language model that can be asked."""

    @property
    def name(self) -> str:
        """Its id."""

    @property
    def host(self) -> str:
        """Where what is sent to it goes."""

    def ask(self, question: Question, *, timeout_seconds: float) -> Answer:
        """Ask it. Raises ModelError."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` returns, or raise ModelError when that takes longer.

    The libraries' own timeouts are for each read: a server that sends a byte now and then would never reach them.
    """
    results: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(1)

    def work() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            results.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        result, error = results.get(timeout=seconds)
    except queue.Empty:
        raise ModelError("gave no whole answer in time") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def whole(value: object) -> int | None:
    """Return a number of tokens as a server tells it; None for what cannot be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None
