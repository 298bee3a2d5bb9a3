"""A teacher: any endpoint that speaks OpenAI's chat completions, asked once for each request and never again.

Every reply is kept in a file named by the digest of what was asked (model, messages, sampling), so a run that was killed,
or whose budget is spent, goes on where it stopped, and the same requests give the same replies without a network. Address
and key belong to the machine (luigi.cfg [teacher]); they are in no digest and no file. Many requests are under way at a
time, which a server such as vLLM computes as one batch; replies come in the order of the requests, whatever the order in
which they arrive. A reply is text by a stranger: data to parse strictly, no instruction.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from corpora import progress
from corpora.budget import Budget, Spent, Usage, prompt_estimate, text_estimate
from corpora.endpoint import Endpoint, ask, connect, excerpt
from corpora.replies import REFUSED, Replies, Reply, parse_completion

if TYPE_CHECKING:
    import httpx

__all__ = ["REFUSED", "Message", "Reply", "Request", "Teacher", "from_settings"]

_MAX_REFUSALS = 8
"""In a row: then it is not the requests that are at fault."""
_WINDOW = 4
"""Requests under way or waiting to be given back, as a multiple of the concurrency."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """All that decides a reply; equal requests are one request."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    """Of the reply."""
    temperature: float = 0.0
    top_p: float = 1.0
    sample: int = 0
    """Which of several replies to the same messages; sent as the seed."""

    def body(self) -> dict[str, Any]:
        """Give what is sent."""
        value = asdict(self)
        seed = value.pop("sample")
        return {**value, "messages": list(value["messages"]), "seed": seed, "n": 1}

    def digest(self) -> str:
        """Name the reply.

        >>> Request(model="m", messages=(Message("user", "Hi"),), max_tokens=8).digest()[:12]
        '0127559a51d9'
        """
        text = json.dumps(self.body(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def worst(self) -> Usage:
        """Give the tokens that it may take at most, as far as that can be known beforehand."""
        return Usage(prompt_estimate([message.content for message in self.messages]), self.max_tokens)

    def used(self, reply: Reply) -> Usage:
        """Give the tokens that it took; estimated where the endpoint does not count."""
        if reply.prompt_tokens or reply.reply_tokens:
            return Usage(reply.prompt_tokens, reply.reply_tokens)
        return Usage(self.worst().prompt_tokens, text_estimate(reply.text))


class Teacher:
    """Asks an endpoint through a folder of kept replies; without an endpoint only the folder answers."""

    def __init__(self, cache: Path, endpoint: Endpoint | None = None) -> None:
        self.cache = cache
        self.endpoint = endpoint
        self.given = Usage()
        """Tokens of the replies given so far, kept ones too: the same in a run and in its replay."""
        self.budget = Budget(endpoint, cache) if endpoint else None
        self._replies = Replies(cache)
        self._refusals = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Give the reply to each request, in order; requests are drawn as they are needed.

        A spent budget, a refused key and a teacher that does not answer are errors, raised once what was under way is
        kept: the same call then goes on from there.
        """
        concurrency = self.endpoint.concurrency if self.endpoint else 1
        source, pending, given = iter(requests), deque[tuple[Request, "Future[Reply]"]](), 0
        under_way: WeakValueDictionary[str, Future[Reply]] = WeakValueDictionary()
        self._stop.clear()
        with self._client() as client, ThreadPoolExecutor(concurrency) as pool:
            try:
                while True:
                    while len(pending) < _WINDOW * concurrency and (request := next(source, None)) is not None:
                        digest = request.digest()
                        future = under_way.get(digest) or pool.submit(self._answer, client, request, digest)
                        under_way[digest] = future
                        pending.append((request, future))
                    if not pending:
                        return
                    request, future = pending.popleft()
                    yield self._give(request, future.result())
                    given += 1
                    progress.report(given, None, "replies", **self._spending())
            except Spent as bound:
                raise ValueError(self._spent(str(bound))) from None
            finally:
                self._stop.set()  # what waits for another attempt waits no longer; what is being answered is kept
                for _, future in pending:
                    future.cancel()

    def _client(self) -> Any:
        return connect(self.endpoint) if self.endpoint else nullcontext()

    def _give(self, request: Request, reply: Reply) -> Reply:
        if reply.finish != REFUSED:
            used = request.used(reply)
            self.given = Usage(
                self.given.prompt_tokens + used.prompt_tokens, self.given.reply_tokens + used.reply_tokens
            )
        return reply

    def _answer(self, client: httpx.Client, request: Request, digest: str) -> Reply:
        kept = self._replies.find(digest)
        if kept is not None:
            return kept
        if self.endpoint is None or self.budget is None:
            return self._replay_refusal(digest)
        worst, used = request.worst(), None
        self.budget.take(worst)
        try:
            reply = self._ask(client, self.endpoint, request)
            if reply.finish == REFUSED:
                self._replies.refuse(digest)
            else:
                self._replies.keep(digest, reply)
                used = request.used(reply)
        finally:
            self.budget.settle(worst, used)
        return reply

    def _replay_refusal(self, digest: str) -> Reply:
        if self._replies.was_refused(digest):
            return Reply(text="", finish=REFUSED)
        raise ValueError(
            f"a reply is not among those kept in {self.cache} and no teacher is named; set luigi.cfg [teacher] url "
            "to an OpenAI-compatible endpoint, https://host/v1"
        )

    def _ask(self, client: httpx.Client, endpoint: Endpoint, request: Request) -> Reply:
        answer = ask(client, endpoint, request.body(), is_sound=_is_completion, stop=self._stop)
        if answer.unanswerable:
            self._count_refusal(excerpt(endpoint, answer))
            return Reply(text="", finish=REFUSED)
        with self._lock:
            self._refusals = 0
        reply = parse_completion(answer.body)
        if reply is None:
            raise ValueError(f"the teacher at {endpoint.place} sent no chat completion: {excerpt(endpoint, answer)}")
        return reply

    def _count_refusal(self, last: str) -> None:
        with self._lock:
            self._refusals += 1
            if self._refusals >= _MAX_REFUSALS:
                raise ValueError(f"the teacher refused {_MAX_REFUSALS} requests in a row, the last one with {last}")

    def _spending(self) -> dict[str, float]:
        if self.budget is None or self.endpoint is None:
            return {}
        cost = {"cost": round(self.budget.cost, 4)} if self.endpoint.is_priced else {}
        return {"tokens": self.budget.used.tokens, **cost}

    def _spent(self, bound: str) -> str:
        if self.budget is None:
            return bound
        done = f"{self.budget.requests:,} requests, {self.budget.used.tokens:,} tokens"
        if bound == "max_cost":
            return (
                f"the teacher's budget is spent: {self.budget.cost:,.4f} in all runs with the replies of {self.cache} "
                f"({done} in this one), and one more could break max_cost; every reply is kept: raise luigi.cfg "
                "[teacher] max_cost and run the same command to go on"
            )
        return (
            f"the teacher's budget of one run is spent: {done}, and one more could break {bound}; every reply is kept: "
            f"run the same command to go on, or raise luigi.cfg [teacher] {bound}"
        )


def _is_completion(body: bytes) -> bool:
    return parse_completion(body) is not None


_NUMBERS = {
    "max_requests": int,
    "max_tokens": int,
    "max_cost": float,
    "price_prompt": float,
    "price_reply": float,
    "concurrency": int,
    "attempts": int,
    "timeout_seconds": float,
    "backoff_seconds": float,
}
_SETTINGS = ("url", "key_variable", "cache", *_NUMBERS)


def from_settings(settings: Mapping[str, str], *, default_cache: Path) -> Teacher:
    """Make a teacher from luigi.cfg [teacher]; the key is read from the environment variable that it names."""
    if "key" in settings:
        raise ValueError(
            "luigi.cfg [teacher] key is not read, so that no key lies in a file; put it into an environment variable "
            "and name that: key_variable = OPENAI_API_KEY"
        )
    unknown = sorted(settings.keys() - set(_SETTINGS))
    if unknown:
        raise ValueError(f"luigi.cfg [teacher] {unknown[0]} is not a setting; it has {', '.join(_SETTINGS)}")
    cache = Path(settings["cache"]).expanduser() if "cache" in settings else default_cache
    if not settings.get("url"):
        return Teacher(cache)
    variable = settings.get("key_variable", "")
    key = os.environ.get(variable, "") if variable else ""
    if variable and not key:
        raise ValueError(
            f"luigi.cfg [teacher] key_variable names {variable!r}, which is not set; set it or take it out"
        )
    return Teacher(cache, Endpoint(url=settings["url"], key=key, **_numbers(settings)))


def _numbers(settings: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _NUMBERS.keys() & settings.keys():
        try:
            found[name] = _NUMBERS[name](settings[name])
        except ValueError:
            raise ValueError(f"luigi.cfg [teacher] {name} must be a number, got {settings[name]!r}") from None
    return found
