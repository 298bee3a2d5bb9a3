"""One request to an OpenAI-compatible endpoint: sent again while it may yet be answered, and an error that says what to do.

Waits double from attempt to attempt, spread a little so that many requests do not come back as one, or last as long as the
endpoint asks, within a bound. What is no answer (no connection, a time-out, half a body, 429, 5xx, a page instead of a
completion) is asked for again. An answer is cut at a size and at a time, so an endpoint can neither fill the memory nor
hold a run. The key goes into one header and nowhere else: where an endpoint says it back, it is taken out of the message.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

_TRANSIENT = frozenset({0, 408, 409, 425, 429, 500, 502, 503, 504, 529})
"""0: no answer at all."""
_UNANSWERABLE = frozenset({400, 413, 422})
"""The endpoint will not answer this request: too long for it, or against its rules."""
_MAX_ANSWER_BYTES = 8 << 20
_MAX_WAIT_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a teacher listens and what it may cost a run: a machine's setting, never a recipe's."""

    url: str
    """Up to and with the version: https://host/v1."""
    key: str = field(default="", repr=False)
    """Sent as a bearer token; empty sends none, which a server of your own may take."""
    max_requests: int = 1_000_000
    """Of one run, at most; replies that are already kept cost none."""
    max_tokens: int = 1_000_000_000
    """Of prompts and replies of one run, as the endpoint counts them."""
    max_cost: float | None = None
    """Of all runs that share a folder of replies, in the currency of the prices; None sets no bound."""
    price_prompt: float = 0.0
    """Of a million tokens of prompts."""
    price_reply: float = 0.0
    """Of a million tokens of replies."""
    concurrency: int = 8
    """Requests at a time."""
    timeout_seconds: float = 300.0
    """Of one attempt."""
    attempts: int = 6
    """Of one request, with waits between them that double."""
    backoff_seconds: float = 1.0
    """The first of these waits."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        is_plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        if not is_plain or parts.query or parts.fragment:
            raise ValueError(
                "Endpoint.url must be http(s)://host/v1 without a user or a query; correct luigi.cfg [teacher] url"
            )
        if not (self.key.isascii() and self.key.isprintable() and " " not in self.key):
            raise ValueError("Endpoint.key must be printable ASCII without spaces; correct the key (it is not shown)")
        for name in ("max_requests", "max_tokens", "concurrency", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"Endpoint.{name} must be at least 1, got {getattr(self, name)}")
        for name in ("timeout_seconds", "backoff_seconds"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"Endpoint.{name} must be above 0, got {getattr(self, name)}")
        self._check_prices()

    def _check_prices(self) -> None:
        for name in ("price_prompt", "price_reply"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"Endpoint.{name} must be at least 0, got {getattr(self, name)}")
        if self.max_cost is not None and not 0 < self.max_cost < math.inf:
            raise ValueError(f"Endpoint.max_cost must be above 0, got {self.max_cost}")
        if self.max_cost is not None and not self.is_priced:
            raise ValueError(
                "Endpoint.max_cost needs prices; set luigi.cfg [teacher] price_prompt and price_reply, of a million tokens"
            )

    @property
    def is_priced(self) -> bool:
        """Whether a token costs anything."""
        return self.price_prompt > 0 or self.price_reply > 0

    def cost(self, prompt_tokens: int, reply_tokens: int) -> float:
        """Give the price of some tokens."""
        return (prompt_tokens * self.price_prompt + reply_tokens * self.price_reply) / 1_000_000

    @property
    def place(self) -> str:
        """The address as it may be shown."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


@dataclass(frozen=True)
class Answer:
    """What came back from one attempt."""

    status: int
    """0 where nothing came back."""
    body: bytes = b""
    fault: str = ""
    wait_seconds: float = 0.0
    """What the endpoint asks for before the next attempt."""

    @property
    def unanswerable(self) -> bool:
        """Whether the endpoint will not answer this very request."""
        return self.status in _UNANSWERABLE


def connect(endpoint: Endpoint) -> httpx.Client:
    """Make the client that all requests of a run share."""
    import httpx

    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    return httpx.Client(timeout=endpoint.timeout_seconds, headers=headers)


def ask(
    client: httpx.Client,
    endpoint: Endpoint,
    body: dict[str, Any],
    *,
    is_sound: Callable[[bytes], bool],
    stop: threading.Event,
) -> Answer:
    """Send a request until it is answered with 200 or as unanswerable; anything else is an error with its cure.

    A body of 200 that is not sound is no answer. When `stop` is set there is no further attempt.
    """
    answer = Answer(0)
    for attempt in range(endpoint.attempts):
        if stop.wait(_wait_seconds(endpoint, attempt, answer) if attempt else 0):
            break
        answer = _post(client, endpoint, body)
        if answer.status == 200 and not is_sound(answer.body):
            answer = Answer(0, fault=f"no chat completion but {excerpt(endpoint, answer)}")
        if answer.status == 200 or answer.unanswerable:
            return answer
        if answer.status not in _TRANSIENT:
            raise ValueError(_denied(endpoint, str(body.get("model")), answer))
    raise ValueError(
        f"no teacher answers at {endpoint.place}: {endpoint.attempts} attempts, the last one ended in {answer.fault}; "
        "start it or correct luigi.cfg [teacher] url, and run the same command: it goes on from there"
    )


def _wait_seconds(endpoint: Endpoint, attempt: int, answer: Answer) -> float:
    doubled = endpoint.backoff_seconds * 2.0 ** min(attempt - 1, 32) * random.uniform(0.75, 1.25)
    return min(_MAX_WAIT_SECONDS, max(doubled, answer.wait_seconds))


def excerpt(endpoint: Endpoint, answer: Answer) -> str:
    """Show the beginning of an answer as a literal, without the key."""
    text = answer.body[:2000].decode("utf-8", "replace")
    if endpoint.key:
        text = text.replace(endpoint.key, "<key>")
    return f"status {answer.status} {text[:200]!r}"


def _post(client: httpx.Client, endpoint: Endpoint, body: dict[str, Any]) -> Answer:
    """Send a request once."""
    import httpx

    deadline = time.monotonic() + endpoint.timeout_seconds
    data = json.dumps(body, sort_keys=True, ensure_ascii=True).encode()
    try:
        with client.stream("POST", f"{endpoint.url.rstrip('/')}/chat/completions", content=data) as response:
            received = b""
            for piece in response.iter_raw(1 << 16):
                received += piece
                if len(received) > _MAX_ANSWER_BYTES or time.monotonic() > deadline:
                    return Answer(0, fault="an answer without end")
            wait = response.headers.get("retry-after", "")
            return Answer(response.status_code, received, f"status {response.status_code}", _seconds(wait))
    except httpx.HTTPError as error:
        return Answer(0, fault=type(error).__name__)


def _seconds(text: str) -> float:
    """Read Retry-After in seconds; its other form, a date, is left to the doubling."""
    return float(text[:6]) if text.isascii() and text.isdigit() else 0.0


_CURES = {
    401: "the key is missing or wrong: set the environment variable that luigi.cfg [teacher] key_variable names",
    403: "the key does not allow it: see the account of that endpoint",
    404: "there is no such model or path: correct the recipe's model, or luigi.cfg [teacher] url (it ends in /v1)",
}


def _denied(endpoint: Endpoint, model: str, answer: Answer) -> str:
    cure = _CURES.get(answer.status, "correct luigi.cfg [teacher] url")
    return f"the teacher at {endpoint.place} did not answer for model {model!r}: {excerpt(endpoint, answer)}; {cure}"
